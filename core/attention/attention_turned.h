/* Scores with a mean that turns with the position: <q, R_p m> for positions in a row. */
#ifndef FQ_ATTENTION_TURNED_H
#define FQ_ATTENTION_TURNED_H

#include "attention_kernels.h"
#include "rope.h"

/* The turning pairs of one mean. */
typedef struct fq_attention_turned {
    const float *mean;      /* that the rest is of; NULL: of none */
    size_t dim, pairs;      /* pairs whose part of the mean is not zero */
    size_t *first, *second; /* [pairs]: their coordinates */
    double *angle;          /* [pairs], a position */
    double *base;           /* [pairs][2]: cosine and sine at the first position asked for */
    double *far;            /* [pairs][2]: those of FQ_ATTENTION_TURN positions */
    double *part;           /* [pairs][2]: of one query */
    float *table;           /* [pairs][2][FQ_ATTENTION_TURN]: cosines, sines of 0, 1, ... positions */
    float *factor;          /* [pairs][2] */
} fq_attention_turned;

FQ_MUST_CHECK fq_status fq_attention_turned_init(fq_attention_turned *turned, size_t dim);
void fq_attention_turned_clear(fq_attention_turned *turned); /* accepts a struct of zeros */

/* score[q stride + i] += scale <query[q][dim], R_p mean>, p = position + i < position + n, m queries. */
void fq_attention_add_turned(fq_attention_turned *turned, const fq_attention_kernels *kernels, float *score,
                             size_t stride, const float *query, size_t m, const float *mean,
                             const fq_rope *rope, size_t position, size_t n, double scale);

#endif
