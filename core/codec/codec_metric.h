/* Encoding in a metric: words whose error is small where a head's queries look.
 *
 * A score <q, k> errs by <q, e>, e = k' - k, so what counts of a key's error is e^T M e with M = E[q q^T],
 * not |e|^2. The decoder need not know: it reads the words it is given. With y = Pi k / |k|, M' = Pi M Pi^T
 * and c the words of y one after the other, the encoder descends on (c - y)^T M' (c - y), block by block,
 * from the nearest words on: block B takes the word w that minimises w^T M'_BB w - 2 w^T (M'_BB y_B - sum
 * over the other blocks of M'_BC (c_C - y_C)). Each step lowers the error, so the sweeps end; three are made
 * at most.
 */
#ifndef FQ_CODEC_METRIC_H
#define FQ_CODEC_METRIC_H

#include "codec.h"

typedef struct fq_codec_metric fq_codec_metric;

/* For codecs of one group of words without a sketch; FQ_ERR_SPEC for others. m[d][d]: symmetric, positive
 * definite (not checked), in the domain of x. The codec must outlive it. Cost: 2 d^3 + d^2/k N k flops. */
FQ_MUST_CHECK fq_status fq_codec_metric_create(fq_codec_metric **metric, const fq_codec *codec,
                                               const float *m);
void fq_codec_metric_destroy(fq_codec_metric *metric); /* NULL accepted */

/* As fq_codec_encode. The stored norm: with norm=input |x|; with every other rule that of least squares in
 * the metric, |x| <y, c>_M / <c, c>_M. Cost a vector: the codec's own search, then up to three times N d
 * multiply-adds and 2 d^2. One thread. */
FQ_MUST_CHECK fq_status fq_codec_metric_encode(const fq_codec_metric *metric, uint8_t *codes, const float *x,
                                               size_t n);

#endif
