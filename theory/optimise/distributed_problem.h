/* What n workers minimise together: f = (1/n) sum f_i on R^d, each f_i known to worker i alone.
 *
 *   quadratic     f_i(x) = <x, A x>/2 - <b_i, x>, A with eigenvalues spread evenly on a logarithmic scale
 * from L/kappa to L = 1 in a random basis; the b_i differ by `spread` and have the mean A x* logistic f_i(x)
 * = mean_j log(1 + exp(-y_ij <a_ij, x>)) + lambda sum_c x_c^2/(1 + x_c^2), lambda = 0.1, not convex; made
 * data of FQ_PROBLEM_SAMPLES samples a worker whose features fall off and whose labels lean to one side, more
 * so on later workers network       f_i(x) = mean_j |W_2 tanh(W_1 a_ij) - t_ij|^2/2 with 16 hidden units, 11
 * inputs and a constant, 4 outputs: d = 256; targets from a random network of that kind three-points  f_i(x)
 * = |x|^2/2 with noise uniform on {(2,0), (0,1), (-2,-1)} sqrt(3/10) times `noise` in the first two
 * coordinates: the counterexample of the EF21-SGDM paper (recalled; mean 0 and variance noise^2 are checked)
 *
 * Stochastic gradients are the gradient and noise of variance noise^2 (normal but for three-points). Made
 * from stream (seed, FQ_PURPOSE_OPTIMISE); doubles throughout, sums in a fixed order.
 */
#ifndef FQ_DISTRIBUTED_PROBLEM_H
#define FQ_DISTRIBUTED_PROBLEM_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"
#include "stream.h"

typedef enum fq_problem_kind {
    FQ_PROBLEM_QUADRATIC = 0,
    FQ_PROBLEM_LOGISTIC = 1,
    FQ_PROBLEM_NETWORK = 2,
    FQ_PROBLEM_THREE_POINTS = 3
} fq_problem_kind;

/* "quadratic|logistic|network|three-points", and the kind of one of these. */
#define FQ_PROBLEM_NAMES "quadratic|logistic|network|three-points"
fq_problem_kind fq_problem_kind_of(const char *name);

enum { FQ_PROBLEM_SAMPLES = 64, FQ_PROBLEM_NETWORK_DIM = 256 };

typedef struct fq_problem_options {
    fq_problem_kind kind;
    size_t dim, workers; /* dim of a network is FQ_PROBLEM_NETWORK_DIM; three-points take 2 and more */
    double kappa;        /* of a quadratic, at least 1 */
    double spread;       /* of a quadratic: root mean square of |b_i - mean b| */
    double noise;        /* standard deviation of a stochastic gradient */
    uint64_t seed;
} fq_problem_options;

typedef struct fq_problem {
    fq_problem_options of;
    double smooth;      /* L: f is L-smooth */
    double smooth_mean; /* L~ = sqrt(mean L_i^2) */
    double smooth_most; /* largest L_i */
    double convex;      /* mu > 0 where f is strongly convex, else 0 */
    double least;       /* inf f, or a lower bound of it (0) where that is not known */
    double *start;      /* x_0[dim] */
    double *data;       /* private */
} fq_problem;

/* L, L~ and mu of a network are not known: NaN. FQ_ERR_ARGUMENT for sizes out of range. */
FQ_MUST_CHECK fq_status fq_problem_create(fq_problem *problem, const fq_problem_options *options);
void fq_problem_clear(fq_problem *problem); /* accepts one that is all zero */

/* g[dim] = grad f_i(x), exactly. */
void fq_problem_gradient(const fq_problem *problem, size_t worker, const double *x, double *g);

/* Adds noise to a gradient. */
void fq_problem_add_noise(const fq_problem *problem, double *g, fq_stream *stream);

/* f(x), and g[dim] = grad f(x); work[dim]. */
double fq_problem_value(const fq_problem *problem, const double *x);
void fq_problem_full_gradient(const fq_problem *problem, const double *x, double *g, double *work);

#endif
