#include "every_code.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <gsl/gsl_sf_gamma.h>

#include "beta_quantile.h"
#include "memory.h"

enum { KNOTS = FQ_EVERY_CODE_KNOTS, RADII = 256, STEPS = 100 };

/* Of the bound: where the path of barriers ends. */
static const double precision = 3e-6;

/* C of f_{k,1}: 1/pi, 1/2, then C_k = C_{k-2} (k-2)/(k-3). */
static double coordinate_constant(size_t block) {
    double c = block % 2 ? 0.5 : 1 / M_PI;
    for (size_t k = block % 2 ? 5 : 4; k <= block; k += 2)
        c *= (double)(k - 2) / (double)(k - 3);
    return c;
}

/* From k = 2, 3 up by P_k = P_{k-2} - C_k/(k-2) t (1-t^2)^{(k-3)/2}. */
double fq_cap_probability(size_t block, double t) {
    if (!(fabs(t) < 1))
        return t >= 1 ? 0 : 1;
    const double square = (1 - t) * (1 + t);
    const bool odd = block % 2;
    double p = odd ? 0.5 * (1 - t) : acos(t) / M_PI, c = odd ? 0.5 : 1 / M_PI,
           power = odd ? square : sqrt(square);
    for (size_t k = odd ? 5 : 4; k <= block; k += 2) {
        c *= (double)(k - 2) / (double)(k - 3);
        p -= c / (double)(k - 2) * t * power;
        power *= square;
    }
    return p;
}

double fq_cap_moment(size_t block, double t) {
    if (!(fabs(t) < 1))
        return 0;
    return coordinate_constant(block) / (double)(block - 1) *
           pow((1 - t) * (1 + t), 0.5 * (double)(block - 1));
}

static double excess_at(size_t block, double rho, double r, double c) {
    const double a = 2 * rho * r, s = rho * rho + c;
    if (s >= a)
        return 0;
    return s <= -a ? -s : a * fq_cap_moment(block, s / a) - s * fq_cap_probability(block, s / a);
}

double fq_every_code_excess(const fq_every_code *code, double rho) {
    double sum = 0;
    for (size_t j = 0; j < KNOTS; j++)
        sum += code->weight[j] * excess_at(code->block, rho, code->knot[j], code->level[j]);
    return sum;
}

/* Knots evenly spaced to where 1e-11 of the mass is left, and 1; means of the hat functions by incomplete
 * betas. */
static fq_status place_knots(fq_every_code *code) {
    const double p = 0.5 * (double)code->block, q = 0.5 * (double)(code->dim - code->block);
    const double mean = exp(gsl_sf_lnbeta(p + 0.5, q) - gsl_sf_lnbeta(p, q)); /* E R */
    const double top = sqrt(fq_beta_quantile(1 - 1e-11, p, q));
    double below[2][KNOTS]; /* mass and moment of R below each knot */
    for (size_t j = 0; j < KNOTS; j++) {
        const double r = j + 1 < KNOTS ? top * (double)j / (KNOTS - 2) : 1;
        code->knot[j] = r;
        code->weight[j] = 0;
        below[0][j] = j + 1 < KNOTS ? gsl_sf_beta_inc(p, q, r * r) : 1;
        below[1][j] = mean * (j + 1 < KNOTS ? gsl_sf_beta_inc(p + 0.5, q, r * r) : 1);
    }
    for (size_t j = 0; j + 1 < KNOTS; j++) {
        const double width = code->knot[j + 1] - code->knot[j];
        const double mass = below[0][j + 1] - below[0][j], moment = below[1][j + 1] - below[1][j];
        code->weight[j] += (code->knot[j + 1] * mass - moment) / width;
        code->weight[j + 1] += (moment - code->knot[j] * mass) / width;
    }
    return FQ_OK;
}

/* Shares of words' radii, and what they make of the sphere of each knot's radius. */
typedef struct shares {
    double rho[RADII], mu[RADII];
    double cap[KNOTS][RADII]; /* P of radius i on knot j's sphere at its level */
    double thinning[KNOTS];   /* -d/dc of sum mu P there */
    double h[RADII];          /* H */
} shares;

/* N sum mu P at c on the sphere of radius r, and minus its derivative. */
static double shared_at(const fq_every_code *code, const shares *s, double r, double c, double cap[RADII],
                        double *thinning) {
    const double n = (double)code->codewords, constant = coordinate_constant(code->block),
                 power = 0.5 * ((double)code->block - 3);
    double sum = 0;
    *thinning = 0;
    for (size_t i = 0; i < RADII; i++) {
        const double a = 2 * s->rho[i] * r, t = (s->rho[i] * s->rho[i] + c) / a;
        cap[i] = fq_cap_probability(code->block, t);
        sum += s->mu[i] * cap[i];
        if (fabs(t) < 1)
            *thinning += s->mu[i] * constant * pow((1 - t) * (1 + t), power) / a;
    }
    return n * sum;
}

/* The c at which the caps of N words share the sphere of radius r, and not more: N sum mu P = 1. By Newton's
 * steps, and by halving where they leave the interval that holds c: at its ends the sum is N and 0. */
static double sharing_level(const fq_every_code *code, shares *s, size_t knot, double guess) {
    const double r = code->knot[knot];
    double low = HUGE_VAL, high = -HUGE_VAL, c = guess;
    for (size_t i = 0; i < RADII; i++) {
        const double a = 2 * s->rho[i] * r, square = s->rho[i] * s->rho[i];
        low = fmin(low, -a - square);
        high = fmax(high, a - square);
    }
    for (int step = 0; step < 100; step++) {
        if (!(c > low && c < high))
            c = 0.5 * (low + high);
        const double excess = shared_at(code, s, r, c, s->cap[knot], &s->thinning[knot]) - 1;
        *(excess > 0 ? &low : &high) = c;
        const double next = c + excess / ((double)code->codewords * s->thinning[knot]);
        if (fabs(excess) < 1e-12 || high - low < 1e-16)
            break;
        c = next;
    }
    return c;
}

/* The largest H on a grid of radii from 0 to 1, with every peak that may be the largest climbed by thirds. */
static double largest_excess(const fq_every_code *code) {
    enum { GRID = 1024 };
    double h[GRID + 1], most = 0;
    for (size_t i = 0; i <= GRID; i++) {
        h[i] = fq_every_code_excess(code, (double)i / GRID);
        most = fmax(most, h[i]);
    }
    const double near = 0.99 * most;
    for (size_t i = 0; i <= GRID; i++) {
        if (h[i] < near || (i > 0 && h[i - 1] > h[i]) || (i < GRID && h[i + 1] > h[i]))
            continue;
        double low = (double)(i ? i - 1 : 0) / GRID, high = (double)(i < GRID ? i + 1 : GRID) / GRID;
        for (int step = 0; step < 40; step++) {
            const double a = low + (high - low) / 3, b = high - (high - low) / 3;
            const double at_a = fq_every_code_excess(code, a), at_b = fq_every_code_excess(code, b);
            most = fmax(most, fmax(at_a, at_b));
            *(at_a < at_b ? &low : &high) = at_a < at_b ? a : b;
        }
    }
    return most;
}

/* Levels, dual and H of these shares; the value that is to be made large, sum W c + N sum mu H. */
static double evaluate(fq_every_code *code, shares *s) {
    const double n = (double)code->codewords;
    for (size_t j = 1; j < KNOTS; j++)
        code->level[j] = sharing_level(code, s, j, code->level[j]);
    code->level[0] = 2 * code->level[1] - code->level[2];
    double mean = 0, average = 0;
    for (size_t j = 0; j < KNOTS; j++)
        mean += code->weight[j] * code->level[j];
    for (size_t i = 0; i < RADII; i++) {
        s->h[i] = fq_every_code_excess(code, s->rho[i]);
        average += s->mu[i] * s->h[i];
    }
    return mean + n * average;
}

/* A in its lower half becomes its Cholesky factor L, A = L L^T, positive definite. */
static void factorise(double (*a)[RADII]) {
    for (size_t j = 0; j < RADII; j++) {
        for (size_t i = j; i < RADII; i++) {
            double sum = a[i][j];
            for (size_t l = 0; l < j; l++)
                sum -= a[i][l] * a[j][l];
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    }
}

/* x becomes the solution of L L^T y = x. */
static void solve(double x[RADII], double (*factor)[RADII]) {
    for (size_t i = 0; i < RADII; i++) {
        for (size_t l = 0; l < i; l++)
            x[i] -= factor[i][l] * x[l];
        x[i] /= factor[i][i];
    }
    for (size_t i = RADII; i-- > 0;) {
        for (size_t l = i + 1; l < RADII; l++)
            x[i] -= factor[l][i] * x[l];
        x[i] /= factor[i][i];
    }
}

/* Newton's direction for the largest value + barrier sum ln mu on sum mu = 1. The value's gradient is N H,
 * its second derivative -N sum_j W_j P_ij P_kj / thinning_j: as a share grows, levels rise. */
static void newton_direction(const fq_every_code *code, const shares *s, double barrier, double (*a)[RADII],
                             double direction[RADII]) {
    const double n = (double)code->codewords;
    double ones[RADII], gradient_sum = 0, ones_sum = 0;
    memset(a, 0, RADII * sizeof *a);
    for (size_t j = 1; j < KNOTS; j++) {
        if (!(s->thinning[j] > 1e-290))
            continue;
        const double scale = n * code->weight[j] / s->thinning[j];
        for (size_t i = 0; i < RADII; i++)
            for (size_t l = 0; l <= i; l++)
                a[i][l] += scale * s->cap[j][i] * s->cap[j][l];
    }
    for (size_t i = 0; i < RADII; i++) {
        a[i][i] += barrier / (s->mu[i] * s->mu[i]);
        direction[i] = n * s->h[i] + barrier / s->mu[i];
        ones[i] = 1;
    }
    factorise(a);
    solve(direction, a);
    solve(ones, a);
    for (size_t i = 0; i < RADII; i++) {
        gradient_sum += direction[i];
        ones_sum += ones[i];
    }
    for (size_t i = 0; i < RADII; i++)
        direction[i] -= gradient_sum / ones_sum * ones[i];
}

static double with_barrier(const shares *s, double value, double barrier) {
    for (size_t i = 0; i < RADII; i++)
        value += barrier * log(s->mu[i]);
    return value;
}

/* One step of the path of barriers: along Newton's direction as far as all shares stay positive, or less
 * where that is worse. Returns the value there. */
static double climb(fq_every_code *code, shares *s, double value, double barrier, double (*a)[RADII],
                    double *promise) {
    double direction[RADII], before[RADII], step = 1;
    const double least = with_barrier(s, value, barrier);
    newton_direction(code, s, barrier, a, direction);
    memcpy(before, s->mu, sizeof before);
    *promise = 0;
    for (size_t i = 0; i < RADII; i++)
        *promise += direction[i] * ((double)code->codewords * s->h[i] + barrier / s->mu[i]);
    for (size_t i = 0; i < RADII; i++)
        if (direction[i] < 0)
            step = fmin(step, -0.95 * before[i] / direction[i]);
    for (int tries = 0; tries < 20; tries++, step *= 0.5) {
        for (size_t i = 0; i < RADII; i++)
            s->mu[i] = before[i] + step * direction[i];
        value = evaluate(code, s);
        if (with_barrier(s, value, barrier) >= least - 1e-13 * fabs(least))
            break;
    }
    return value;
}

static bool good_block(size_t dim, size_t block) {
    return block >= 2 && block <= FQ_EVERY_CODE_BLOCK_MAX && block < dim;
}

static bool good_codewords(size_t codewords) {
    return codewords >= 2 && codewords <= 1 << 20;
}

fq_status fq_every_code_bound(double *bound, size_t dim, size_t block, size_t codewords) {
    fq_every_code code = {.bound = (double)NAN};
    if (good_block(dim, block) && good_codewords(codewords))
        FQ_TRY(fq_every_code_init(&code, dim, block, codewords));
    *bound = code.bound;
    return FQ_OK;
}

fq_status fq_every_code_init(fq_every_code *code, size_t dim, size_t block, size_t codewords) {
    if (!good_block(dim, block))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "2 to 32, below dim");
    if (!good_codewords(codewords))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codewords", codewords, "2 to 1048576");
    const double scale = (double)dim / (double)block, n = (double)codewords;
    shares *s = NULL;
    double(*matrix)[RADII] = NULL;
    *code = (fq_every_code){.dim = dim, .block = block, .codewords = codewords};
    FQ_TRY(place_knots(code));
    FQ_TRY(fq_alloc(&s, 1, sizeof *s));
    const fq_status status = fq_alloc(&matrix, RADII, sizeof *matrix);
    if (status != FQ_OK) {
        fq_free(s);
        return status;
    }
    for (size_t i = 0; i < RADII; i++) {
        s->rho[i] = code->knot[KNOTS - 2] * (double)(i + 1) / RADII;
        s->mu[i] = 1.0 / RADII;
    }
    double value = evaluate(code, s), barrier = 0;
    for (size_t i = 0; i < RADII; i++)
        barrier += n * s->h[i] / RADII / RADII;
    for (int step = 0; step < STEPS && scale * RADII * barrier > precision * (1 - scale * value); step++) {
        double promise;
        value = climb(code, s, value, barrier, matrix, &promise);
        if (promise < barrier)
            barrier *= 0.05;
    }
    fq_free(matrix);
    fq_free(s);
    double mean = 0;
    for (size_t j = 0; j < KNOTS; j++)
        mean += code->weight[j] * code->level[j];
    code->supremum = largest_excess(code);
    code->bound = 1 - scale * (mean + n * code->supremum);
    code->dual = 1 - scale * value;
    return FQ_OK;
}
