/* Keys of names: reading, checking and writing values of fq_codec_key, for codecs and whatever else is named
 * in the same grammar. */
#ifndef FQ_SPEC_KEYS_H
#define FQ_SPEC_KEYS_H

#include "codec_spec.h"
#include "text_builder.h"

size_t fq_key_count(const fq_codec_key *keys); /* up to a name of NULL; 0 for NULL */

/* The default of key i of a table, given the values of those before it. */
double fq_key_fallback(const fq_codec_key *key, const double *value);

bool fq_key_in_range(const fq_codec_key *key, double value);

/* The value that length characters stand for; *seed for FQ_TYPE_SEED, which may be NULL otherwise.
 * FQ_ERR_SPEC naming key and value, and what is allowed. */
FQ_MUST_CHECK fq_status fq_key_read(double *value, uint64_t *seed, const fq_codec_key *key, const char *from,
                                    size_t length);

/* The value of a key that is no seed. */
void fq_key_write(fq_text *text, const fq_codec_key *key, double value);

/* value[] of all keys from "key=value,...", length characters (none if at is NULL), defaults where a key is
 * not given; owner is who has the keys, for errors. */
FQ_MUST_CHECK fq_status fq_keys_read(double *value, const fq_codec_key *keys, const char *owner,
                                     const char *at, size_t length);

/* ":key=value,..." of the values that are not defaults; nothing where all are. */
void fq_keys_write(fq_text *text, const double *value, const fq_codec_key *keys);

#endif
