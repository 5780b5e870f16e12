/* How a head's codes are read where they are. With x_p what the codec decodes of token p and m_t the means of
 * the steps that add one, turned by R_p where they turn with the position,
 *
 *   k_p = A x_p + sum_t A_t R_p m_t,     <q, k_p> = <A^T q, x_p> + sum_t <A_t^T q, R_p m_t>,
 *
 * so that a query is changed once and means are never added to tokens. Notation as in treatment.h.
 */
#ifndef FQ_HEAD_CODER_READ_H
#define FQ_HEAD_CODER_READ_H

#include "treatment.h"

/* FQ_ERR_UNSUPPORTED naming the step where one keeps something else of every token, or codes tokens together.
 */
FQ_MUST_CHECK fq_status fq_head_coder_check_reads(const fq_head_coder *coder);

size_t fq_head_coder_classes(const fq_head_coder *coder);
const fq_codec *fq_head_coder_codec(const fq_head_coder *coder, size_t rotation_class);
size_t fq_head_coder_dim(const fq_head_coder *coder);
const fq_rope *fq_head_coder_rope(const fq_head_coder *coder); /* NULL: not known */

/* Steps that add means, in their order. */
size_t fq_head_coder_terms(const fq_head_coder *coder);

/* A^T q of q[m][dim] in place; term[t] + i dim becomes A_t^T of query i. */
FQ_MUST_CHECK fq_status fq_head_coder_change_queries(const fq_head_coder *coder, float *q, size_t m,
                                                     float *const *term);

/* m_t of the tokens from position to *until - 1. */
const float *fq_head_coder_mean(const fq_head_coder *coder, size_t term, size_t position, bool *turns,
                                size_t *until);

/* Back through all steps, x[dim] as of position 0, in place: A x + sum_t A_t m_t. */
FQ_MUST_CHECK fq_status fq_head_coder_back(const fq_head_coder *coder, float *x);

#endif
