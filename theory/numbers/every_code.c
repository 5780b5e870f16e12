#include "every_code.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <gsl/gsl_sf_gamma.h>

#include "beta_quantile.h"
#include "memory.h"

enum { KNOTS = FQ_EVERY_CODE_KNOTS, RADII = 128, ROUNDS = 400 };

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

/* A distribution of words' radii. */
typedef struct radii {
    size_t count;
    double rho[RADII], share[RADII];
} radii;

/* The c at which the caps of N words with these radii share the sphere of radius r, and not more: N sum mu P
 * = 1. By bisection, begun at the interval [low, high] widened until it holds c. */
static double sharing_level(const fq_every_code *code, const radii *mu, double r, double guess,
                            double width) {
    double low = guess - width, high = guess + width;
    for (int side = 0, tries = 0; side < 2 && tries < 60;) {
        double sum = 0;
        const double c = side ? high : low;
        for (size_t i = 0; i < mu->count; i++)
            sum += mu->share[i] * fq_cap_probability(code->block, (mu->rho[i] + c / mu->rho[i]) / (2 * r));
        if (side ? (double)code->codewords * sum <= 1 : (double)code->codewords * sum >= 1) {
            side++;
            continue;
        }
        tries++;
        width *= 2;
        *(side ? &high : &low) = side ? high + width : low - width;
    }
    for (int step = 0; step < 45 && high - low > 1e-15; step++) {
        const double c = 0.5 * (low + high);
        double sum = 0;
        for (size_t i = 0; i < mu->count; i++)
            sum += mu->share[i] * fq_cap_probability(code->block, (mu->rho[i] + c / mu->rho[i]) / (2 * r));
        *((double)code->codewords * sum > 1 ? &low : &high) = c;
    }
    return 0.5 * (low + high);
}

/* Radii whose share has become nothing are left out. */
static void prune(radii *mu) {
    size_t kept = 0;
    for (size_t i = 0; i < mu->count; i++)
        if (mu->share[i] > 1e-10) {
            mu->rho[kept] = mu->rho[i];
            mu->share[kept++] = mu->share[i];
        }
    mu->count = kept;
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

/* Levels, bound and dual of these radii, and H at each. The best bound so far is kept. */
static void evaluate(fq_every_code *best, fq_every_code *code, double h[RADII], const radii *mu) {
    const double scale = (double)code->dim / (double)code->block, n = (double)code->codewords;
    const bool first = best->codewords == 0;
    for (size_t j = 1; j < KNOTS; j++)
        code->level[j] =
            sharing_level(code, mu, code->knot[j], first ? 0 : code->level[j], first ? 0.1 : 1e-4);
    code->level[0] = 2 * code->level[1] - code->level[2];
    double mean = 0, average = 0;
    for (size_t j = 0; j < KNOTS; j++)
        mean += code->weight[j] * code->level[j];
    code->supremum = 0;
    for (size_t i = 0; i <= 2 * RADII; i++) /* between the radii as well */
        code->supremum =
            fmax(code->supremum, fq_every_code_excess(code, code->knot[KNOTS - 2] * (double)i / (2 * RADII)));
    for (size_t i = 0; i < mu->count; i++) {
        h[i] = fq_every_code_excess(code, mu->rho[i]);
        average += mu->share[i] * h[i];
    }
    code->bound = 1 - scale * (mean + n * code->supremum);
    code->dual = 1 - scale * (mean + n * average);
    const double dual = first ? code->dual : fmin(best->dual, code->dual);
    if (first || code->bound > best->bound)
        *best = *code;
    best->dual = dual;
}

/* Shares multiplied by (H / mean H)^step: towards the radii that limit the bound. */
static void shift(radii *mu, const double h[RADII], double step) {
    double average = 0, total = 0;
    for (size_t i = 0; i < mu->count; i++)
        average += mu->share[i] * h[i];
    for (size_t i = 0; i < mu->count; i++)
        total += mu->share[i] *= pow(h[i] / average, step);
    for (size_t i = 0; i < mu->count; i++)
        mu->share[i] /= total;
    prune(mu);
}

fq_status fq_every_code_init(fq_every_code *code, size_t dim, size_t block, size_t codewords) {
    if (block < 2 || block > FQ_EVERY_CODE_BLOCK_MAX || block >= dim)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "2 to 32, below dim");
    if (codewords < 2 || codewords > 1 << 20)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codewords", codewords, "2 to 1048576");
    fq_every_code now = {.dim = dim, .block = block, .codewords = codewords};
    double h[RADII], step = 1, before = HUGE_VAL, h_before[RADII] = {0};
    radii mu = {.count = RADII}, mu_before;
    *code = (fq_every_code){0};
    FQ_TRY(place_knots(&now));
    for (size_t i = 0; i < RADII; i++) {
        mu.rho[i] = now.knot[KNOTS - 2] * (double)(i + 1) / RADII;
        mu.share[i] = 1.0 / RADII;
    }
    mu_before = mu;
    for (int round = 0; round < ROUNDS; round++) {
        evaluate(code, &now, h, &mu);
        if (code->dual - code->bound < 1e-6 * code->bound)
            break;
        if (now.dual > before) { /* too far: from where it was, half as far */
            mu = mu_before;
            step *= 0.5;
            shift(&mu, h_before, step);
            continue;
        }
        before = now.dual;
        mu_before = mu;
        memcpy(h_before, h, sizeof h);
        step *= 1.2;
        shift(&mu, h, step);
    }
    const double found = code->supremum;
    code->supremum = largest_excess(code);
    code->bound -= (double)dim / (double)block * (double)codewords * (code->supremum - found);
    return FQ_OK;
}
