/* What figures and summaries call a codec: the one place in plots that knows how codecs are named.
 *
 * A codec's spec is read as what the grammar makes it, NAME:key=value,...; a family that comes new into the
 * codec table needs nothing here.
 */
#ifndef FQ_CODEC_LABEL_H
#define FQ_CODEC_LABEL_H

#include <stdbool.h>
#include <stddef.h>

enum { FQ_CODEC_LABEL_MAX = 200 };

/* "fib:k=4,N=256,recipe=paper" without "N": "FibQuant, k = 4, recipe paper". The name is the codec table's
 * label; more than 40 characters go back to the spec's own form. Keys named in without (separated by spaces;
 * NULL: none) are left out. */
void fq_codec_label(char label[FQ_CODEC_LABEL_MAX], const char *spec, const char *without);

/* What shares a colour where size is on an axis: a codec as published by its label without size and seed;
 * everything else of its family (treated keys, other norms, another codec for values) together. */
void fq_codec_kind(char label[FQ_CODEC_LABEL_MAX], const char *spec, bool as_published);

/* The same where a treatment's name says what is done around the codec: "FibQuant, mean+metric+window". The
 * length of a window is left out like other sizes. */
void fq_codec_treated_kind(char label[FQ_CODEC_LABEL_MAX], const char *spec, bool as_published,
                           const char *treatment);

/* The spec without those keys, for comparing: "fib:k=4,recipe=paper". */
void fq_codec_without(char text[FQ_CODEC_LABEL_MAX], const char *spec, const char *without);

/* Keys that say how much is stored rather than how: along an axis of rate or compression. */
#define FQ_CODEC_SIZE_KEYS "k N b sigma"

#endif
