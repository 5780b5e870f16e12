/* Means over heads and positions, with standard errors that do not take single positions for independent.
 *
 * Values come in cells (head, block): heads are key-value heads of all layers, a layer's next to each other
 * (the query heads of a group share keys and values, so they are one), blocks are runs of neighbouring
 * positions, long enough for what one position has in common with the next to stay inside a block (batch
 * means).
 *
 *   mean          sum of all values over their number
 *   se_layers     standard deviation of the layers' means over sqrt(layers): how far another model's layers
 * of this kind would be; all layers of this model are measured. Heads of a layer have much in common, so it
 * is layers that are taken for independent; with one layer alone its heads are se_positions  standard
 * deviation of the blocks' means over sqrt(blocks): how far another stretch of text would be; a trend with
 * the position counts as scatter, so it is rather too large se            sqrt(se_layers^2 + se_positions^2):
 * layers and blocks both drawn at random. What is particular to a cell counts twice, so it is rather too
 * large half95        half width of the interval of 95 per cent: se times Student's quantile for as many
 * degrees of freedom as both scatters have together (Welch and Satterthwaite), (Va + Vb)^2 / (Va^2/(A-1) +
 *                 Vb^2/(B-1)) with A layers and B blocks; 1.96 se where there are many of both
 *
 * The errors of two codecs on the same heads and positions are strongly correlated: their difference is
 * known better than these errors say. Empty clusters are left out; with fewer than two the error is NaN.
 */
#ifndef FQ_TWO_WAY_ERROR_H
#define FQ_TWO_WAY_ERROR_H

#include "status.h"

typedef struct fq_two_way {
    size_t layers, heads, blocks; /* heads: of all layers */
    double *sum, *count;          /* [heads][blocks] */
} fq_two_way;

typedef struct fq_two_way_estimate {
    double mean, se, se_layers, se_positions, half95;
} fq_two_way_estimate;

/* An empty collection of layers with so many heads each; clear accepts a struct of zeros. */
FQ_MUST_CHECK fq_status fq_two_way_init(fq_two_way *t, size_t layers, size_t heads_per_layer, size_t blocks);
void fq_two_way_clear(fq_two_way *t);

/* Adds count values that sum to sum to a cell; head and block below their numbers. */
void fq_two_way_add(fq_two_way *t, size_t head, size_t block, double sum, double count);

/* The block of item i of n when n items are cut into blocks of equal length, but for one. */
size_t fq_two_way_block(size_t i, size_t n, size_t blocks);

fq_two_way_estimate fq_two_way_mean(const fq_two_way *t);

/* mean(a) / mean(b), errors by linearisation: the scatter of (a - ratio b) / mean(b) over the clusters.
 * a and b have the same heads and blocks. */
fq_two_way_estimate fq_two_way_ratio(const fq_two_way *a, const fq_two_way *b);

/* The square root of an estimate that is >= 0, errors by linearisation (0 at 0). */
fq_two_way_estimate fq_two_way_sqrt(fq_two_way_estimate e);

/* Mean of one head over its blocks; NaN if it has no values. */
double fq_two_way_head_mean(const fq_two_way *t, size_t head);

#endif
