/* Attention's work on one chunk of tokens: scores of their keys, softmax, weighted sum of their values. */
#ifndef FQ_ATTENTION_TOKENS_H
#define FQ_ATTENTION_TOKENS_H

#include "attention_codes.h"

enum { FQ_ATTENTION_QUERIES = 8 }; /* that share the reading of codes */

/* One query, rotated and times scale, as tables of its inner products with the words. */
typedef struct fq_attention_query {
    float *row; /* [d]: for codes that are decoded */
    /* In units of unit; nibbles: [positions][2][16], bytes: [positions][256]. */
    uint8_t *nibble_table[FQ_CODEC_GROUPS_MAX];
    int16_t *byte_table[FQ_CODEC_GROUPS_MAX];
    fq_attention_trellis_query trellis[FQ_CODEC_GROUPS_MAX];
    float unit[FQ_CODEC_GROUPS_MAX];
} fq_attention_query;

FQ_MUST_CHECK fq_status fq_attention_query_init(fq_attention_query *query, const fq_attention_codes *keys,
                                                const float *rotated, double scale);
void fq_attention_query_clear(fq_attention_query *query); /* accepts a struct of zeros */

/* A thread's work for m <= FQ_ATTENTION_QUERIES queries. */
typedef struct fq_attention_workspace {
    size_t m;
    uint8_t *columns; /* [index bytes, rounded up to even][CHUNK] */
    float *norm;      /* [CHUNK] */
    float *score;     /* [m][CHUNK]: scores, then exp(score - most), zero behind the last token */
    float *weight;    /* [CHUNK] */
    int16_t *sum;     /* [m][CHUNK]: look-ups' sums; weights in units */
    int32_t *sums;    /* [m][CHUNK], of trellis codes */
    int64_t *total;   /* [m][d] */
    fq_attention_trellis_tokens tokens; /* of a trellis code, the last ones transposed */
    float *rows;                        /* [CHUNK][d] where a side is decoded */
} fq_attention_workspace;

FQ_MUST_CHECK fq_status fq_attention_workspace_init(fq_attention_workspace *work,
                                                    const fq_attention_codes *keys,
                                                    const fq_attention_codes *values, size_t m);
void fq_attention_workspace_clear(fq_attention_workspace *work); /* accepts a struct of zeros */

/* work->score of n <= CHUNK tokens' keys; token: the number of the first, for error records. */
FQ_MUST_CHECK fq_status fq_attention_score(const fq_attention_codes *keys,
                                           const fq_attention_kernels *kernels, fq_attention_workspace *work,
                                           const fq_attention_query *query, size_t m, const uint8_t *codes,
                                           size_t token, size_t n, fq_attention_prefetch next);

/* The largest of score[n]; false if one is not finite. Fills the rest of the chunk with a copy of score[0].
 */
FQ_MUST_CHECK bool fq_attention_largest(const fq_attention_kernels *kernels, float *most, float *score,
                                        size_t n);

/* Query q's scores become exp(score - most); returns their sum. */
double fq_attention_softmax(const fq_attention_kernels *kernels, fq_attention_workspace *work, size_t q,
                            float most, size_t n);

/* Adds the tokens' values, weighted for query q, to value[q][d]. */
FQ_MUST_CHECK fq_status fq_attention_accumulate(const fq_attention_codes *values,
                                                const fq_attention_kernels *kernels,
                                                fq_attention_workspace *work, double *const *value, size_t m,
                                                const uint8_t *codes, size_t token, size_t n,
                                                fq_attention_prefetch next);

#endif
