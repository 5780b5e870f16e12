#include "scalar_quantizer.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <gsl/gsl_sf_gamma.h>

#include "beta_quantile.h"
#include "memory.h"
#include "source.h"

/* Only the positive half is solved for. With L levels the half holds H = ceil(L/2) of them; for even
 * L its left edge is the threshold 0, for odd L the level 0 whose cell reaches to -t_0. Its unknowns
 * are the thresholds t_0 < ... < t_{n-1} in (0,1), n = floor((L-1)/2). */
enum { NODES = 12 };

typedef struct half {
    double dim, log_constant, exponent;
    bool odd;
    size_t n;
    double *t;     /* [n] */
    double *level; /* [n+1], from the middle outwards; level[0] = 0 if odd */
    double *mass;  /* [n+1], probability of each level's cell on the positive side */
} half;

static double upper_tail(double d, double x) {
    return x >= 1 ? 0 : x <= 0 ? 0.5 : 0.5 * gsl_cdf_beta_Q(x * x, 0.5, (d - 1) / 2);
}

double fq_scalar_cell_probability(size_t dim, double a, double b) {
    const double d = (double)dim;
    return upper_tail(d, a) - upper_tail(d, b);
}

static double log_density_constant(double d) {
    return gsl_sf_lngamma(d / 2) - gsl_sf_lngamma((d - 1) / 2) - 0.5 * log(M_PI);
}

/* integral_a^b x f = C/(d-1) [(1-a^2)^{(d-1)/2} - (1-b^2)^{(d-1)/2}] */
static double cell_moment(double d, double log_constant, double a, double b) {
    const double power = (d - 1) / 2;
    const double low = power * log1p(-a * a);
    if (b >= 1)
        return exp(log_constant + low) / (d - 1);
    return -exp(log_constant + low) * expm1(power * (log1p(-b * b) - log1p(-a * a))) / (d - 1);
}

double fq_scalar_cell_moment(size_t dim, double a, double b) {
    const double d = (double)dim;
    return cell_moment(d, log_density_constant(d), a, b);
}

static double density(const half *h, double x) {
    return x >= 1 ? 0 : exp(h->log_constant + h->exponent * log1p(-x * x));
}

/* Mass and mean of f over [a,b] by Gauss-Legendre quadrature on pieces narrow beside the law's own
 * scale 1/sqrt(d): the difference of two distribution functions would lose the digits that narrow
 * cells need. The last cell has the closed form. */
static void cell(const half *h, const gsl_integration_glfixed_table *rule, double a, double b, double *mass,
                 double *mean) {
    if (b >= 1) {
        *mass = upper_tail(h->dim, a);
        *mean = cell_moment(h->dim, h->log_constant, a, b) / *mass;
        return;
    }
    const double middle = (a + b) / 2;
    const size_t pieces = (size_t)ceil((b - a) * 2 * sqrt(h->dim)) + 1;
    double sum = 0, moment = 0;
    for (size_t p = 0; p < pieces; p++) {
        const double low = a + (b - a) * (double)p / (double)pieces;
        const double high = a + (b - a) * (double)(p + 1) / (double)pieces;
        for (size_t i = 0; i < rule->n; i++) {
            double x, weight;
            gsl_integration_glfixed_point(low, high, i, &x, &weight, rule);
            const double w = weight * density(h, x);
            sum += w;
            moment += w * (x - middle);
        }
    }
    *mass = sum;
    *mean = middle + moment / sum;
}

/* Sets level and mass from the thresholds; false if a cell has lost its probability. */
static bool centroids(half *h, const gsl_integration_glfixed_table *rule) {
    for (size_t i = 0; i <= h->n; i++) {
        const double a = i == 0 ? 0 : h->t[i - 1], b = i == h->n ? 1 : h->t[i];
        cell(h, rule, a, b, &h->mass[i], &h->level[i]);
        if (!(h->mass[i] > 0))
            return false;
        h->level[i] = i == 0 && h->odd ? 0 : fmin(fmax(h->level[i], a), b);
    }
    return true;
}

/* One Newton step on r_i = t_i - (c_i + c_{i+1})/2 = 0, whose Jacobian is tridiagonal:
 * dc/db = f(b) (b - c)/p and dc/da = f(a) (c - a)/p for the mean c of a cell (a, b) of mass p.
 * Solves by elimination without pivoting (the matrix is diagonally dominant near the solution).
 * step, diagonal and upper are work space for n. Returns the largest residual. */
static double newton_step(const half *h, double *step, double *diagonal, double *upper) {
    double worst = 0, below = 0; /* below: sub-diagonal entry of the current row */
    for (size_t i = 0; i < h->n; i++) {
        const double t = h->t[i], f = density(h, t);
        const double left = i == 0 && h->odd ? 0 : f * (t - h->level[i]) / h->mass[i];
        const double right = f * (h->level[i + 1] - t) / h->mass[i + 1];
        const double residual = t - (h->level[i] + h->level[i + 1]) / 2;
        worst = fmax(worst, fabs(residual));
        diagonal[i] = 1 - (left + right) / 2;
        step[i] = -residual;
        if (i > 0) { /* row i: -(dc_i/dt_{i-1})/2 below the diagonal */
            const double before = h->t[i - 1];
            below = -density(h, before) * (h->level[i] - before) / h->mass[i] / 2;
            const double factor = below / diagonal[i - 1];
            diagonal[i] -= factor * upper[i - 1];
            step[i] -= factor * step[i - 1];
        }
        if (i + 1 < h->n) { /* above it: -(dc_{i+1}/dt_{i+1})/2 */
            const double after = h->t[i + 1];
            upper[i] = -density(h, after) * (after - h->level[i + 1]) / h->mass[i + 1] / 2;
        }
    }
    for (size_t i = h->n; i-- > 0;) {
        if (i + 1 < h->n)
            step[i] -= upper[i] * step[i + 1];
        step[i] /= diagonal[i];
    }
    return worst;
}

static bool rising(const double *t, const double *step, double scale, size_t n) {
    double last = 0;
    for (size_t i = 0; i < n; i++) {
        const double moved = t[i] + scale * step[i];
        if (!(moved > last && moved < 1))
            return false;
        last = moved;
    }
    return true;
}

/* Newton's method on the thresholds, with a Lloyd step, which always descends, wherever it does not. */
static fq_status solve(half *h, const gsl_integration_glfixed_table *rule, double *step, double *diagonal,
                       double *upper) {
    enum { ITERATIONS = 10000 };
    const double tolerance = 1e-15;
    double last = HUGE_VAL;
    for (int iteration = 0; iteration < ITERATIONS; iteration++) {
        if (!centroids(h, rule))
            return FQ_FAIL_VALUE(FQ_ERR_CONVERGENCE, "levels", h->n,
                                 "few enough that every cell has probability in double precision");
        const double worst = newton_step(h, step, diagonal, upper);
        if (worst <= tolerance || (worst < 1e-13 && worst >= last))
            return FQ_OK;
        const bool newton = worst < last && rising(h->t, step, 1, h->n);
        last = newton ? worst : HUGE_VAL;
        for (size_t i = 0; i < h->n; i++) /* otherwise a Lloyd step, which always descends */
            h->t[i] = newton ? h->t[i] + step[i] : (h->level[i] + h->level[i + 1]) / 2;
    }
    return FQ_FAIL_VALUE(FQ_ERR_CONVERGENCE, "iterations", ITERATIONS, "fewer");
}

/* Bennett's companding: thresholds at equal steps of the law with density proportional to f^{1/3},
 * for which X^2 is Beta(1/2, (d-3)/6 + 1). */
static void companded_thresholds(half *h, size_t levels) {
    for (size_t i = 0; i < h->n; i++) {
        const double q = (double)(2 * (i + 1) - (h->odd ? 1 : 0)) / (double)levels;
        h->t[i] = sqrt(fq_beta_quantile(q, 0.5, (h->dim - 3) / 6 + 1));
    }
}

static void unfold(fq_scalar_quantizer *q, const half *h) {
    const size_t levels = q->levels;
    double sum = 0;
    for (size_t i = 0; i <= h->n; i++) {
        const size_t up = levels / 2 + i; /* even L: level[0] is the first positive one */
        q->level[up] = h->level[i];
        q->level[levels - 1 - up] = -h->level[i];
        sum += 2 * h->mass[i] * h->level[i] * h->level[i];
    }
    for (size_t i = 0; i + 1 < levels; i++)
        q->threshold[i] = (q->level[i] + q->level[i + 1]) / 2;
    q->distortion = 1 - h->dim * sum;
}

fq_status fq_scalar_quantizer_init(fq_scalar_quantizer *quantizer, size_t dim, size_t levels) {
    FQ_TRY(fq_check_size("dim", dim, 2, FQ_DIM_MAX));
    FQ_TRY(fq_check_size("levels", levels, 1, FQ_LEVELS_MAX));
    const double d = (double)dim;
    half h = {.dim = d,
              .log_constant = log_density_constant(d),
              .exponent = (d - 3) / 2,
              .odd = levels % 2 == 1,
              .n = (levels - 1) / 2};
    fq_scalar_quantizer q = {.dim = dim, .levels = levels};
    double *work = NULL;
    gsl_integration_glfixed_table *rule = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&work, 4 * h.n + 2 * (h.n + 1), sizeof *work), done);
    FQ_TRY_GOTO(status, fq_alloc(&q.level, levels, sizeof *q.level), done);
    FQ_TRY_GOTO(status, fq_alloc(&q.threshold, levels, sizeof *q.threshold), done);
    h.t = work;
    h.level = work + 4 * h.n;
    h.mass = h.level + h.n + 1;
    companded_thresholds(&h, levels);
    rule = gsl_integration_glfixed_table_alloc(NODES);
    if (!rule) {
        status = FQ_FAIL_VALUE(FQ_ERR_MEMORY, "nodes", NODES, "what the machine has free");
        goto done;
    }
    FQ_TRY_GOTO(status, solve(&h, rule, work + h.n, work + 2 * h.n, work + 3 * h.n), done);
    unfold(&q, &h);
    *quantizer = q;
    q = (fq_scalar_quantizer){0};
done:
    if (rule)
        gsl_integration_glfixed_table_free(rule);
    fq_scalar_quantizer_clear(&q);
    fq_free(work);
    return status;
}

void fq_scalar_quantizer_clear(fq_scalar_quantizer *quantizer) {
    fq_free(quantizer->level);
    fq_free(quantizer->threshold);
    memset(quantizer, 0, sizeof *quantizer);
}

size_t fq_scalar_quantizer_index(const fq_scalar_quantizer *quantizer, double x) {
    size_t low = 0, high = quantizer->levels - 1;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (x > quantizer->threshold[middle])
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
