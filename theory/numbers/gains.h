/* High-rate theory of the spherical-Beta source: Zador's and Bennett's constants, gains, bounds.
 *
 * Notation: d dim, k block, b rate in bits a coordinate; D normalised by the coordinate variance
 * 1/d. Sources: Zador 1982, Gersho 1979, Conway and Sloane 1999, Agrell and Allen
 * 2023, Lee and Kim (arXiv 2605.11478).
 */
#ifndef FQ_GAINS_H
#define FQ_GAINS_H

#include "source.h"
#include "status.h"

/* ln ||f_{d,k}||_{k/(k+2)}, from integral f^a = C^a pi^{k/2} Gamma(ma+1) / Gamma(ma+1+k/2) with
 * a = k/(k+2), m = (d-k-2)/2. FQ_ERR_ARGUMENT unless 1 <= k <= d-1 (finite for all of these). */
FQ_MUST_CHECK fq_status fq_gains_log_norm(double *log_norm, const fq_source *source);

/* What a cell constant rests on, from the firmest to the weakest. */
typedef enum fq_cell_basis {
    FQ_CELL_PROVED,    /* optimal among all cells (k = 1, 2), closed form */
    FQ_CELL_CLOSED,    /* closed form of a lattice */
    FQ_CELL_PUBLISHED, /* a decimal of the literature, rounded up */
    FQ_CELL_SAMPLED    /* a published Monte Carlo estimate, its error added */
} fq_cell_basis;

/* Normalised second moment G_k of the best known k-dimensional cell, its name ("hexagon", "E8") and what it
 * rests on (numbers/cells.def). For a k without a listed lattice the best product of listed ones is used,
 * each factor scaled to the same error per coordinate: G = prod G_i^{k_i/k}; its basis is its weakest
 * factor's. 1 <= block <= FQ_BLOCK_MAX. Cost about 15 k. */
typedef struct fq_cell {
    double second_moment;
    const char *name; /* static storage */
    fq_cell_basis basis;
} fq_cell;

/* "proved", "closed form", "published", "sampled"; static. */
const char *fq_cell_basis_name(fq_cell_basis basis);

FQ_MUST_CHECK fq_status fq_gains_best_cell(fq_cell *cell, size_t block);

/* The best cell among lines whose basis is no weaker than `weakest` and their products, and *part: the
 * dimension of one listed factor of it (k itself if k is listed); what is left is the best such cell of k -
 * part. */
FQ_MUST_CHECK fq_status fq_gains_cell_resting_on(fq_cell *cell, size_t *part, size_t block,
                                                 fq_cell_basis weakest);

/* Lower bound on G_k (the ball's) and Zador's upper bound. */
double fq_gains_sphere_bound(size_t block);
double fq_gains_zador_bound(size_t block);

/* High-rate distortion of the best code, d G ||f|| 4^{-b}, with cell constant G. */
FQ_MUST_CHECK fq_status fq_gains_high_rate_distortion(double *distortion, const fq_source *source,
                                                      double rate, double second_moment);

/* Shannon lower bound d exp(2h/k) / (2 pi e) 4^{-b}; and the Gaussian 4^{-b} is no bound here. */
double fq_gains_shannon_bound(const fq_source *source, double rate);

/* Gain over the scalar product code = shaping x density. */
typedef struct fq_gain {
    double shaping; /* (1/12) / G_k */
    double density; /* ||f_{d,1}||_{1/3} / ||f_{d,k}||_{k/(k+2)} */
    double total;
} fq_gain;
FQ_MUST_CHECK fq_status fq_gains_over_product(fq_gain *gain, size_t dim, size_t block, double second_moment);

#endif
