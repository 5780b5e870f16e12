/* Which vectors a codec cannot hold, or holds as zeros: asked where a number of the codec's alone would not
 * say which vector of which file it was. */
#ifndef FQ_ENCODE_CHECK_H
#define FQ_ENCODE_CHECK_H

#include "codec.h"

/* After fq_codec_encode(codec, ., x, n) has failed with status: puts "WHERE vector I: " (name: "vector",
 * "token") in front of what the error record says, I the first of x[n][d] that fails alone, counted from
 * first; without it where none does. Returns status. Cost: encodes up to n vectors one by one for
 * FQ_ERR_RANGE and FQ_ERR_NONFINITE. */
fq_status fq_encode_explain(fq_status status, const fq_codec *codec, const float *x, size_t n, size_t first,
                            const char *where, const char *name);

/* *count = how many of x[n][d] are not zero but so small that the codec's stored norm is, so that codes[n]
 * decode to zeros; *first = the first of them. */
FQ_MUST_CHECK fq_status fq_encode_vanished(const fq_codec *codec, const float *x, const uint8_t *codes,
                                           size_t n, size_t *count, size_t *first);

#endif
