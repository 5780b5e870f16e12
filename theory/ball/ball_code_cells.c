/* Errors of rounding. A mass or moment of an interval is the difference of two table entries, each within
 * half of TABLE_ERROR of the truth; over the interval's mass that is off by less than `error` = 4 TABLE_ERROR
 * / mass. A part's mass and conditional moments, products of those of at most 9 intervals, are off by E =
 * e^sum - 1 at most, sum that of its intervals' errors; a_i(m) and y_i are then off by less than 6 E and 12
 * E, |phi| <= 3, so that a part with n words left contributes with an error below its mass times 12 n E.
 * Variances are made larger by what their error may be. Some hundred operations on doubles below 3 in size
 * add less than 1e-13 a word, sums over parts 2^-52 of the terms' sizes for each term. All of this widens the
 * enclosure. */
#include "ball_code_cells.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "ball_impl.h"
#include "memory.h"
#include "threads.h"

#if FQ_HAVE_ARB
#include "ball_arb.h"
static const double TABLE_ERROR = 0x1p-52;
#else
static const double TABLE_ERROR = 1e-11; /* of the doubles in place of balls */
#endif

enum {
    K = FQ_CELLS_BLOCK_MAX,
    GRID = 1024,         /* smallest intervals of a coordinate */
    COORDINATES = K + 1, /* radius and the nodes of the tree */
    MOMENTS = 5,
    FIRST_CUTS = 10, /* 2^10 tasks for threads */
    DEPTH_MAX = COORDINATES * 10 + 1
};

typedef enum kind { RADIUS, SIGN, ANGLE, SPLIT } kind;

/* A coordinate: cumulative moments at the grid's points, and the places of points and mid-points.
 *   RADIUS  mass, E r, E r^2;                           place = r
 *   ANGLE   mass, E cos, E sin, E cos^2, E sin cos;     sine, cosine of the place
 *   SPLIT   mass, E sin, E cos, E sin^2, E sin cos;     sine, cosine of the place
 * `half` is half the length of a smallest interval. */
typedef struct coordinate {
    kind kind;
    size_t dim, left, right; /* of SPLIT: coordinates of the two parts */
    double half;
    double moment[GRID + 1][MOMENTS];
    double place[2 * GRID + 1], sine[2 * GRID + 1], cosine[2 * GRID + 1];
} coordinate;

typedef struct interval {
    int low, high;
} interval;

typedef struct part {
    interval at[COORDINATES];
} part;

/* What is needed of a part. */
typedef struct figures {
    double mass, error;
    double mean[K], second[K][K], middle[K]; /* of x; middle: a point of the part */
    double reach;                            /* no point of the part is farther from the middle */
    size_t longest;                          /* coordinate to halve */
} figures;

typedef struct setting {
    size_t d, k, codewords, coordinates;
    const float *words;
    double *square; /* [N], |w|^2 */
    coordinate *tree;
    double tail; /* at least 1.01 times the mass beyond the last radius */
    double gap;  /* of a part whose two sides differ by less, no halves are made */
} setting;

typedef struct sums {
    double low, high, mass, error;
    uint64_t parts;
} sums;

/* A tree for S^{n-1}: the number of its root. */
static size_t plant(setting *s, size_t n) {
    const size_t here = s->coordinates++;
    coordinate *const c = &s->tree[here];
    c->dim = n;
    c->kind = n == 1 ? SIGN : n == 2 ? ANGLE : SPLIT;
    if (n > 2) {
        c->left = plant(s, n / 2);
        s->tree[here].right = plant(s, n - n / 2);
    }
    return here;
}

/* A ball's nearest double; worse: what it may be off by. */
static double rounded(const fq_balls *w, fq_ball a, double *worst) {
    double value, error;
    if (fq_ball_get(w, a, &value, &error) != FQ_OK)
        value = error = (double)NAN;
    if (!(error <= *worst))
        *worst = isnan(error) ? HUGE_VAL : error;
    return value;
}

/* B(a/2, b/2) / B(c/2, e/2). */
static fq_ball beta_ratio(fq_balls *w, long a2, long b2, long c2, long e2) {
    const long halves[6] = {a2, b2, c2 + e2, a2 + b2, c2, e2};
    fq_ball sum = fq_ball_integer(w, 0);
    for (int i = 0; i < 6; i++) {
        const fq_ball g = fq_ball_log_gamma(w, fq_ball_ratio(w, halves[i], 2));
        sum = i < 3 ? fq_ball_add(w, sum, g) : fq_ball_subtract(w, sum, g);
    }
    return fq_ball_exp(w, sum);
}

/* E[t^{p/2} (1-t)^{q/2}; t <= x] of a law Beta(a/2, b/2) for many x. */
typedef struct beta_moment {
    fq_ball whole, a, b;
} beta_moment;

static beta_moment beta_moment_of(fq_balls *w, long a, long b, long p, long q) {
    return (beta_moment){beta_ratio(w, a + p, b + q, a, b), fq_ball_ratio(w, a + p, 2),
                         fq_ball_ratio(w, b + q, 2)};
}

static fq_ball beta_moment_at(fq_balls *w, beta_moment m, fq_ball x) {
    return fq_ball_multiply(w, m.whole, fq_ball_beta(w, m.a, m.b, x));
}

/* The radius beyond which next to nothing lies, from the doubles of GSL; what lies there is found as a ball.
 */
static void fill_radius(fq_balls *w, setting *s, double *worst) {
    coordinate *const c = &s->tree[0];
    const long k = (long)s->k, rest = (long)(s->d - s->k);
    const double spread = sqrt((double)k / (double)s->d) + 7 / sqrt((double)s->d);
    const double top = fmin(1, ceil(GRID * spread) / GRID); /* its multiples by j / GRID are exact doubles */
    c->kind = RADIUS;
    c->half = 0.5 * top / GRID;
    for (int j = 0; j <= 2 * GRID; j++)
        c->place[j] = top * j / (2 * GRID);
    beta_moment moments[3];
    fq_balls_reset(w, fq_balls_precision(w));
    for (int p = 0; p < 3; p++)
        moments[p] = beta_moment_of(w, k, rest, p, 0);
    for (int j = 0; j <= GRID; j++) {
        const fq_ball r = fq_ball_double(w, c->place[2 * j]), square = fq_ball_multiply(w, r, r);
        for (int p = 0; p < 3; p++)
            c->moment[j][p] = rounded(w, beta_moment_at(w, moments[p], square), worst);
    }
    s->tail = 1.01 * (fmax(0, 1 - c->moment[GRID][0]) + 4 * TABLE_ERROR);
}

/* Sine and cosine of pi numerator / denominator. */
static void sine_and_cosine(fq_balls *w, fq_ball *sine, fq_ball *cosine, long numerator, long denominator) {
#if FQ_HAVE_ARB
    const fq_ball x = fq_ball_ratio(w, numerator, denominator);
    *sine = fq_ball_fresh(w);
    *cosine = fq_ball_fresh(w);
    arb_sin_cos_pi(fq_ball_raw(w, *sine), fq_ball_raw(w, *cosine), fq_ball_raw(w, x), fq_balls_precision(w));
#else
    const double x = M_PI * (double)numerator / (double)denominator;
    *sine = fq_ball_with_error(w, sin(x), 1e-15);
    *cosine = fq_ball_with_error(w, cos(x), 1e-15);
#endif
}

static void put_place(fq_balls *w, coordinate *c, int j, long numerator, long denominator, double *worst) {
    fq_ball sine, cosine;
    sine_and_cosine(w, &sine, &cosine, numerator, denominator);
    c->place[j] = M_PI * (double)numerator / (double)denominator;
    c->sine[j] = rounded(w, sine, worst);
    c->cosine[j] = rounded(w, cosine, worst);
}

static void fill_angle(fq_balls *w, coordinate *c, double *worst) {
    c->half = M_PI / GRID * (1 + 1e-12);
    for (int j = 0; j <= 2 * GRID; j++) {
        fq_balls_reset(w, fq_balls_precision(w));
        put_place(w, c, j, j, GRID, worst);
        if (j % 2)
            continue;
        double *const m = c->moment[j / 2];
        const fq_ball two_pi = fq_ball_multiply(w, fq_ball_pi(w), fq_ball_integer(w, 2));
        fq_ball sine, cosine;
        sine_and_cosine(w, &sine, &cosine, j, GRID);
        m[0] = (double)j / (2 * GRID);
        m[1] = rounded(w, fq_ball_divide(w, sine, two_pi), worst);
        m[2] = -rounded(w, fq_ball_divide(w, cosine, two_pi), worst);
        /* theta/(4 pi) + sin cos / (4 pi); sin^2 / (4 pi) */
        const fq_ball both = fq_ball_divide(w, fq_ball_multiply(w, sine, cosine), two_pi);
        m[3] = rounded(
            w, fq_ball_divide(w, fq_ball_add(w, both, fq_ball_ratio(w, j, 2 * GRID)), fq_ball_integer(w, 2)),
            worst);
        m[4] = rounded(w,
                       fq_ball_divide(w, fq_ball_divide(w, fq_ball_multiply(w, sine, sine), two_pi),
                                      fq_ball_integer(w, 2)),
                       worst);
    }
}

/* Grid points are those at which sin^2 is the nearest double: off from equal spacing by 1e-15, which `half`
 * covers. */
static void fill_split(fq_balls *w, coordinate *c, double *worst) {
    static const int powers[MOMENTS][2] = {{0, 0}, {1, 0}, {0, 1}, {2, 0}, {1, 1}};
    const long a = (long)(c->dim / 2), b = (long)(c->dim - c->dim / 2);
    beta_moment moments[MOMENTS];
    c->half = M_PI / 4 / GRID * (1 + 1e-10);
    fq_balls_reset(w, fq_balls_precision(w));
    for (int p = 0; p < MOMENTS; p++)
        moments[p] = beta_moment_of(w, a, b, powers[p][0], powers[p][1]);
    for (int j = 0; j <= 2 * GRID; j++) {
        put_place(w, c, j, j, 4 * GRID, worst);
        if (j % 2)
            continue;
        const double t = j == 0 ? 0 : j == 2 * GRID ? 1 : c->sine[j] * c->sine[j];
        const fq_ball x = fq_ball_double(w, t);
        for (int p = 0; p < MOMENTS; p++)
            c->moment[j / 2][p] = rounded(w, beta_moment_at(w, moments[p], x), worst);
    }
}

/* All tables with balls of so many bits. Returns the largest error. */
static double fill_with(fq_balls *w, setting *s) {
    double worst = 0;
    fill_radius(w, s, &worst);
    for (size_t i = 1; i < s->coordinates; i++) {
        coordinate *const c = &s->tree[i];
        size_t same = 1;
        while (same < i && s->tree[same].dim != c->dim)
            same++;
        if (same < i) {
            const coordinate kept = *c;
            *c = s->tree[same];
            c->left = kept.left;
            c->right = kept.right;
        } else if (c->kind == ANGLE) {
            fill_angle(w, c, &worst);
        } else if (c->kind == SPLIT) {
            fill_split(w, c, &worst);
        }
    }
    return worst;
}

/* Incomplete betas of large dimensions lose bits: more are taken until the tables are as exact as they must
 * be. */
static fq_status fill_tables(setting *s) {
    fq_balls *w = NULL;
    double worst = HUGE_VAL;
    for (long precision = 96; precision <= 6144 && !(worst <= 0.5 * TABLE_ERROR); precision *= 2) {
        FQ_TRY(fq_balls_create(&w, precision));
        worst = fill_with(w, s);
        fq_balls_destroy(w);
    }
    if (!(worst <= 0.5 * TABLE_ERROR))
        return FQ_FAIL(FQ_ERR_CONVERGENCE, "certificate", "moments that 6144 bits enclose");
    return FQ_OK;
}

/* Of the directions of a part: mean and second moments, one of them, and the squared distance that none is
 * farther from it than. */
typedef struct direction {
    double mean[K], second[K][K], middle[K], reach_square;
} direction;

static void moments_of(const coordinate *c, interval at, double m[MOMENTS], figures *f) {
    for (int p = 0; p < MOMENTS; p++)
        m[p] = c->moment[at.high][p] - c->moment[at.low][p];
    const double mass = fmax(m[0], 4 * TABLE_ERROR);
    for (int p = 1; p < MOMENTS; p++)
        m[p] /= mass;
    f->mass *= mass;
    f->error += 4 * TABLE_ERROR / mass;
}

static void consider(figures *f, double *length, double candidate, size_t i, interval at) {
    if (at.high - at.low > 1 && candidate > *length) {
        *length = candidate;
        f->longest = i;
    }
}

/* Directions in the tree below coordinate i: mass and error go into f, and the longest interval, whose
 * lengths count times scale. */
static void direct(const setting *s, const part *b, size_t i, double scale, direction *u, figures *f,
                   double *length) {
    const coordinate *const c = &s->tree[i];
    const interval at = b->at[i];
    const double half = c->half * (at.high - at.low);
    const int middle = at.low + at.high;
    double m[MOMENTS];
    if (c->kind == SIGN) { /* one sign alone: parts begin with it */
        u->mean[0] = u->middle[0] = at.low ? 1 : -1;
        u->second[0][0] = 1;
        u->reach_square = 0;
        f->mass *= 0.5;
        return;
    }
    consider(f, length, half * scale, i, at);
    moments_of(c, at, m, f);
    const double sine = c->sine[middle], cosine = c->cosine[middle];
    if (c->kind == ANGLE) {
        u->mean[0] = m[1];
        u->mean[1] = m[2];
        u->second[0][0] = m[3];
        u->second[0][1] = u->second[1][0] = m[4];
        u->second[1][1] = 1 - m[3];
        u->middle[0] = cosine;
        u->middle[1] = sine;
        u->reach_square = fmin(half * half, 4);
        return;
    }
    direction a, z;
    const size_t left = c->dim / 2, right = c->dim - left;
    /* The largest sine is at the upper end, the largest cosine at the lower. */
    const double most_sine = c->sine[2 * at.high] + 1e-12, most_cosine = c->cosine[2 * at.low] + 1e-12;
    direct(s, b, c->left, scale * most_sine, &a, f, length);
    direct(s, b, c->right, scale * most_cosine, &z, f, length);
    for (size_t p = 0; p < left; p++) {
        u->mean[p] = m[1] * a.mean[p];
        u->middle[p] = sine * a.middle[p];
        for (size_t q = 0; q < left; q++)
            u->second[p][q] = m[3] * a.second[p][q];
        for (size_t q = 0; q < right; q++)
            u->second[p][left + q] = u->second[left + q][p] = m[4] * a.mean[p] * z.mean[q];
    }
    for (size_t p = 0; p < right; p++) {
        u->mean[left + p] = m[2] * z.mean[p];
        u->middle[left + p] = cosine * z.middle[p];
        for (size_t q = 0; q < right; q++)
            u->second[left + p][left + q] = (1 - m[3]) * z.second[p][q];
    }
    u->reach_square = half * half + most_sine * sine * a.reach_square + most_cosine * cosine * z.reach_square;
}

static void measure(const setting *s, const part *b, figures *f) {
    direction u;
    double m[MOMENTS], length = 0;
    const coordinate *const c = &s->tree[0];
    const interval at = b->at[0];
    const double half = c->half * (at.high - at.low), middle = c->place[at.low + at.high],
                 most = c->place[2 * at.high];
    *f = (figures){.mass = 1, .longest = SIZE_MAX};
    consider(f, &length, half, 0, at);
    moments_of(c, at, m, f);
    direct(s, b, 1, most, &u, f, &length);
    for (size_t p = 0; p < s->k; p++) {
        f->mean[p] = m[1] * u.mean[p];
        f->middle[p] = middle * u.middle[p];
        for (size_t q = 0; q < s->k; q++)
            f->second[p][q] = m[2] * u.second[p][q];
    }
    for (size_t p = 0; p < s->k; p++)
        for (size_t q = 0; q < s->k; q++)
            f->second[p][q] -= f->mean[p] * f->mean[q];
    f->reach = sqrt(half * half + most * middle * u.reach_square) * (1 + 1e-12) + 1e-12;
}

static double score(const setting *s, size_t word, const double x[K]) {
    double sum = 0;
    for (size_t p = 0; p < s->k; p++)
        sum += x[p] * (double)s->words[word * s->k + p];
    return 2 * sum - s->square[word];
}

/* Of words[count] the winner at the part's mean first, then those that it does not beat in the whole part;
 * and the part's two sides over its mass. Returns how many words are left. */
static size_t sides(const setting *s, const figures *f, uint16_t *words, size_t count, double *low,
                    double *high) {
    size_t winner = 0, kept = 1;
    double best = -HUGE_VAL, beyond = 0, farthest = 0;
    const double off = expm1(f->error);
    for (size_t n = 0; n < count; n++) {
        const double value = score(s, words[n], f->mean);
        if (value > best) {
            best = value;
            winner = n;
        }
    }
    const uint16_t w = words[winner];
    words[winner] = words[0];
    words[0] = w;
    const double at_middle = score(s, w, f->middle);
    const float *const own = s->words + (size_t)w * s->k;
    for (size_t n = 1; n < count; n++) {
        const float *const other = s->words + (size_t)words[n] * s->k;
        double v[K], length_square = 0, variance = 0;
        for (size_t p = 0; p < s->k; p++) {
            v[p] = (double)other[p] - (double)own[p];
            length_square += v[p] * v[p];
        }
        const double most =
            score(s, words[n], f->middle) - at_middle + 2 * sqrt(length_square) * f->reach + 1e-12;
        if (most < 0)
            continue;
        farthest = fmax(farthest, most);
        for (size_t p = 0; p < s->k; p++)
            for (size_t q = 0; q < s->k; q++)
                variance += v[p] * f->second[p][q] * v[q];
        variance = 4 * (fmax(variance, 0) + length_square * (32 * off + 1e-14));
        const double y = score(s, words[n], f->mean) - best;
        beyond += 0.5 * (y + sqrt(y * y + variance));
        words[kept++] = words[n];
    }
    *low = best;
    *high = best + fmin(beyond, farthest); /* in the whole part no word is better by more than the farthest */
    return kept;
}

/* Adds a part, or its halves where its two sides are apart. words[count] are those that may win in it, with
 * room for as many behind them. */
static void descend(const setting *s, part *b, uint16_t *words, size_t count, int depth, sums *into) {
    figures f;
    double low, high;
    measure(s, b, &f);
    const size_t kept = sides(s, &f, words, count, &low, &high);
    if (f.longest == SIZE_MAX || depth == DEPTH_MAX || !(f.mass * (high - low) > s->gap)) {
        into->low += f.mass * low;
        into->high += f.mass * high;
        into->mass += f.mass;
        into->error += f.mass * (double)kept * (12 * expm1(f.error) + 1e-13);
        into->parts++;
        return;
    }
    const interval whole = b->at[f.longest];
    const int middle = (whole.low + whole.high) / 2;
    for (int side = 0; side < 2; side++) {
        b->at[f.longest] = side ? (interval){middle, whole.high} : (interval){whole.low, middle};
        memcpy(words + kept, words, kept * sizeof *words);
        descend(s, b, words + kept, kept, depth + 1, into);
    }
    b->at[f.longest] = whole;
}

/* Parts to share out: both values of every sign, each cut in the middle of its longest interval a fixed
 * number of times. Returns how many. */
static size_t first_parts(const setting *s, part *parts, size_t room) {
    size_t count = 1;
    for (size_t i = 0; i < s->coordinates; i++)
        parts[0].at[i] = (interval){0, s->tree[i].kind == SIGN ? 1 : GRID};
    for (size_t i = 0; i < s->coordinates; i++)
        if (s->tree[i].kind == SIGN)
            for (size_t n = count; n-- > 0; count++) {
                parts[n].at[i] = (interval){0, 1};
                parts[count] = parts[n];
                parts[count].at[i] = (interval){1, 2};
            }
    while (2 * count <= room) {
        const size_t now = count;
        for (size_t n = 0; n < now; n++) {
            figures f;
            measure(s, &parts[n], &f);
            interval *const at = &parts[n].at[f.longest];
            const int middle = (at->low + at->high) / 2;
            parts[count] = parts[n];
            parts[count++].at[f.longest].low = middle;
            at->high = middle;
        }
    }
    return count;
}

/* All parts, at the setting's gap. */
static fq_status sweep(const setting *s, const part *parts, size_t count, sums *total) {
    sums *each = NULL;
    bool enough = true;
    FQ_TRY(fq_alloc_zero(&each, count, sizeof *each));
#pragma omp parallel for schedule(dynamic, 1) num_threads(fq_threads_get())
    for (size_t n = 0; n < count; n++) {
        uint16_t *words = NULL;
        part b = parts[n];
        if (fq_alloc(&words, (DEPTH_MAX + 2) * s->codewords, sizeof *words) != FQ_OK) {
#pragma omp atomic write
            enough = false;
            continue;
        }
        for (size_t i = 0; i < s->codewords; i++)
            words[i] = (uint16_t)i;
        descend(s, &b, words, s->codewords, 0, &each[n]);
        fq_free(words);
    }
    *total = (sums){0};
    for (size_t n = 0; n < count; n++) {
        total->low += each[n].low;
        total->high += each[n].high;
        total->mass += each[n].mass;
        total->error += each[n].error + 0x1p-52 * 3 * (double)(each[n].parts + count) * (each[n].mass + 1e-6);
        total->parts += each[n].parts;
    }
    fq_free(each);
    if (!enough)
        return FQ_FAIL(FQ_ERR_MEMORY, "codebook", "enough memory");
    return FQ_OK;
}

/* How far from 1 all masses together may be. Without balls the tables are doubles, good to some 1e-8, and
 * what comes out is an estimate. */
static const double mass_slack = FQ_HAVE_ARB ? 1e-9 : 1e-7;

/* Sweeps with gaps smaller and smaller, as long as the next is to cost no more than what was asked for. */
static fq_status enclose(fq_code_enclosure *e, setting *s, double wanted) {
    enum { ROOM = 1 << FIRST_CUTS };
    part *parts = NULL;
    sums total = {0};
    FQ_TRY(fq_alloc_zero(&parts, ROOM, sizeof *parts));
    const size_t count = first_parts(s, parts, ROOM);
    fq_status status = FQ_OK;
    uint64_t before = 0;
    for (s->gap = 1e-4; status == FQ_OK; s->gap *= 0.25) {
        status = sweep(s, parts, count, &total);
        const double n = (double)total.parts, growth = before ? n / (double)before : 2;
        if (n * growth > wanted || (before && total.parts == before && s->gap < 1e-16))
            break;
        before = total.parts;
    }
    fq_free(parts);
    FQ_TRY(status);
    const double astray = fabs(total.mass + s->tail - 1);
    if (!(astray < mass_slack))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codebook", astray, "parts whose masses add up to 1");
    /* Beyond the last radius phi is at least -1 and at most 1. */
    const double scale = (double)s->d / (double)s->k,
                 error = total.error + s->tail + (FQ_HAVE_ARB ? 0 : astray);
    e->low = 1 - scale * (total.high + error) - 1e-14 * scale;
    e->high = 1 - scale * (total.low - error) + 1e-14 * scale;
    e->parts = total.parts;
    return FQ_OK;
}

fq_status fq_ball_code_cells(fq_code_enclosure *enclosure, size_t d, size_t k, size_t codewords,
                             const float *words, double parts) {
    if (k < 2 || k > FQ_CELLS_BLOCK_MAX || k >= d)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", k, "2 to 8, below dim");
    if (codewords < 1 || codewords > FQ_CELLS_CODEWORDS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codewords", codewords, "1 to 4096");
    *enclosure = (fq_code_enclosure){(double)NAN, (double)NAN, 0};
    setting s = {.d = d, .k = k, .codewords = codewords, .words = words, .coordinates = 1};
    fq_status status = FQ_OK;
    FQ_TRY_GOTO(status, fq_alloc(&s.square, codewords, sizeof *s.square), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&s.tree, COORDINATES, sizeof *s.tree), done);
    for (size_t n = 0; n < codewords; n++) {
        s.square[n] = 0;
        for (size_t p = 0; p < k; p++)
            s.square[n] += (double)words[n * k + p] * (double)words[n * k + p];
    }
    plant(&s, k);
    FQ_TRY_GOTO(status, fill_tables(&s), done);
    status = enclose(enclosure, &s, parts);
done:
    fq_free(s.square);
    fq_free(s.tree);
    return status;
}
