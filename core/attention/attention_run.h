/* One attention over many tokens: where their codes lie, and the sums over them. */
#ifndef FQ_ATTENTION_RUN_H
#define FQ_ATTENTION_RUN_H

#include "attention.h"
#include "attention_codes.h"

struct fq_attention {
    fq_attention_codes key, value;
    const fq_attention_kernels *kernels;
};

/* Codes of n tokens in one piece, or in pages of FQ_PAGE_TOKENS; and tokens behind them that are not coded.
 */
typedef struct fq_attention_source {
    const uint8_t *key_codes, *value_codes; /* NULL: in pages */
    const uint8_t *const *key_pages, *const *value_pages;
    size_t n;
    const uint16_t *recent_keys, *recent_values; /* [ring][d] halves, not rotated */
    size_t recent, ring, oldest;                 /* tokens, rows, the oldest token's row */
} fq_attention_source;

/* fq_attention_run's promise, over such a source; n + recent >= 1. */
FQ_MUST_CHECK fq_status fq_attention_over(const fq_attention *attention, float *out, const float *queries,
                                          size_t m, const fq_attention_source *source, double scale);

#endif
