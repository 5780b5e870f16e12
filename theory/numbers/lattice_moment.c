#include "lattice_moment.h"

#include <math.h>

#include "stream_ranges.h"

static const double layer_distance = 0.573; /* a of AE9; its second moment is stationary there */

/* What a coordinate costs at its nearest whole number, at the next one, and the former's parity. */
typedef struct choice {
    double error, extra;
    int odd;
} choice;

static choice choose(double x) {
    const double nearest = rint(x), off = fabs(x - nearest);
    return (choice){off * off, (1 - off) * (1 - off) - off * off, (int)(fabs(fmod(nearest, 2)) > 0.5)};
}

/* Nearest point of shift + { z : sum z of the given parity }. */
static double to_checkerboard(size_t n, const double *x, double shift, int parity) {
    double sum = 0, least = HUGE_VAL;
    int odd = parity;
    for (size_t i = 0; i < n; i++) {
        const choice c = choose(x[i] - shift);
        sum += c.error;
        odd ^= c.odd;
        least = fmin(least, c.extra);
    }
    return odd ? sum + least : sum;
}

static double to_cubic(size_t n, const double *x, double shift) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += choose(x[i] - shift).error;
    return sum;
}

/* Nearest point of glue [t] + A_n, x[n+1] of sum zero: the first n+1-t coordinates of [t] are t/(n+1), the
 * rest t/(n+1) - 1. */
static double to_root_a(size_t n, const double *x, size_t t) {
    double off[FQ_LATTICE_DIM_MAX + 1], total = 0, sum = 0;
    for (size_t i = 0; i <= n; i++) {
        const double glue = (double)t / (double)(n + 1) - (i + t > n ? 1 : 0);
        const double y = x[i] - glue, nearest = rint(y);
        off[i] = y - nearest;
        total += nearest;
    }
    /* Too large a sum: lower the coordinates that were rounded up most; or the other way round. */
    for (; fabs(total) > 0.5; total -= total > 0 ? 1 : -1) {
        size_t best = 0;
        const double sign = total > 0 ? 1 : -1;
        for (size_t i = 1; i <= n; i++)
            if (sign * off[i] < sign * off[best])
                best = i;
        off[best] += sign;
    }
    for (size_t i = 0; i <= n; i++)
        sum += off[i] * off[i];
    return sum;
}

static double to_layers(const double *x) {
    double best = HUGE_VAL;
    for (int side = 0; side < 2; side++) { /* nearest layer of each kind */
        const double height = x[8] / (2 * layer_distance) - 0.5 * side;
        const double off = 2 * layer_distance * (height - rint(height));
        best = fmin(best, off * off + to_checkerboard(8, x, 0.5 * side, 0));
    }
    return best;
}

/* Glue of three A_2 side by side: every (g_1, g_2, g_3) whose sum is a multiple of three. */
static double to_e6_dual(const double *x) {
    double part[3][3], best = HUGE_VAL;
    for (size_t i = 0; i < 3; i++)
        for (size_t g = 0; g < 3; g++)
            part[i][g] = to_root_a(2, x + 3 * i, g);
    for (size_t g = 0; g < 9; g++)
        best = fmin(best, part[0][g % 3] + part[1][g / 3] + part[2][(6 - g % 3 - g / 3) % 3]);
    return best;
}

static double to_glued_pair(const double *x) {
    static const double shift[4] = {0, 0.5, 0, 0.5};
    static const int parity[4] = {0, 0, 1, 1}, partner[4] = {0, 2, 3, 1};
    double best = HUGE_VAL;
    for (int i = 0; i < 4; i++) {
        const int j = partner[i];
        best = fmin(best, to_checkerboard(6, x, shift[i], parity[i]) +
                              to_checkerboard(6, x + 6, shift[j], parity[j]));
    }
    return best;
}

/* Bit i of a word of the Reed-Muller code RM(1,4), i = 0..15. */
static unsigned reed_muller(unsigned word, unsigned i) {
    const unsigned shared = (word >> 1) & i;
    return (word ^ shared ^ (shared >> 1) ^ (shared >> 2) ^ (shared >> 3)) & 1;
}

/* As the checkerboard lattice, but that the first coordinate's points are sqrt 2 apart and not 2. */
static double to_l15_dual(const double *x) {
    double best = HUGE_VAL;
    for (unsigned word = 0; word < 32; word++) {
        const double first = (double)(reed_muller(word, 0) + reed_muller(word, 1));
        const choice c = choose(x[0] / M_SQRT2 - 0.5 * first);
        double sum = 2 * c.error, least = 2 * c.extra;
        int odd = c.odd;
        for (unsigned i = 2; i < 16; i++) {
            const choice other = choose(0.5 * (x[i - 1] - (double)reed_muller(word, i)));
            sum += 4 * other.error;
            odd ^= other.odd;
            least = fmin(least, 4 * other.extra);
        }
        best = fmin(best, odd ? sum + least : sum);
    }
    return best;
}

static double to_barnes_wall(const double *x) {
    double best = HUGE_VAL;
    for (unsigned word = 0; word < 32; word++) {
        double y[16];
        for (unsigned i = 0; i < 16; i++)
            y[i] = 0.5 * (x[i] - (double)reed_muller(word, i));
        best = fmin(best, 4 * to_checkerboard(16, y, 0, 0));
    }
    return best;
}

/* Word of the extended Golay code: multiples of x^11+x^10+x^6+x^5+x^4+x^2+1 and a parity bit. */
static uint32_t golay_word(uint32_t message) {
    uint32_t word = 0;
    for (int i = 0; i < 12; i++)
        if (message >> i & 1)
            word ^= (uint32_t)0xC75 << i;
    uint32_t parity = word;
    for (int shift = 16; shift; shift /= 2)
        parity ^= parity >> shift;
    return word | (parity & 1) << 23;
}

static double to_leech(const double *x) {
    double best = HUGE_VAL;
    for (int m = 0; m < 2; m++) {
        choice c[24][2];
        for (int i = 0; i < 24; i++)
            for (int bit = 0; bit < 2; bit++)
                c[i][bit] = choose(0.25 * (x[i] - m - 2 * bit));
        for (uint32_t message = 0; message < 4096; message++) {
            const uint32_t word = golay_word(message);
            double sum = 0, least = HUGE_VAL;
            int odd = m;
            for (int i = 0; i < 24; i++) {
                const choice *const at = &c[i][word >> i & 1];
                sum += at->error;
                odd ^= at->odd;
                least = fmin(least, at->extra);
            }
            best = fmin(best, 16 * (odd ? sum + least : sum));
        }
    }
    return best;
}

double fq_lattice_distance(fq_lattice lattice, size_t n, size_t cosets, const double *x) {
    double best = HUGE_VAL;
    switch (lattice) {
    case FQ_LATTICE_D:
        return to_checkerboard(n, x, 0, 0);
    case FQ_LATTICE_D_PLUS:
        return fmin(to_checkerboard(n, x, 0, 0), to_checkerboard(n, x, 0.5, 0));
    case FQ_LATTICE_D_STAR:
        return fmin(to_cubic(n, x, 0), to_cubic(n, x, 0.5));
    case FQ_LATTICE_COXETER:
        for (size_t t = 0; t < cosets; t++)
            best = fmin(best, to_root_a(n, x, t * (n + 1) / cosets));
        return best;
    case FQ_LATTICE_AE9:
        return to_layers(x);
    case FQ_LATTICE_BW16:
        return to_barnes_wall(x);
    case FQ_LATTICE_LEECH:
        return to_leech(x);
    case FQ_LATTICE_E6_STAR:
        return to_e6_dual(x);
    case FQ_LATTICE_D6_PAIR:
        return to_glued_pair(x);
    case FQ_LATTICE_L15_DUAL:
        return to_l15_dual(x);
    }
    return (double)NAN;
}

/* Side of a cube that is a union of fundamental regions (of the first coordinate: see draw), and ln of the
 * volume of one. */
static double period(fq_lattice lattice) {
    switch (lattice) {
    case FQ_LATTICE_LEECH:
        return 8;
    case FQ_LATTICE_BW16:
    case FQ_LATTICE_L15_DUAL:
        return 4;
    default:
        return 2;
    }
}

static double log_volume(fq_lattice lattice, size_t n, size_t cosets) {
    switch (lattice) {
    case FQ_LATTICE_D:
        return M_LN2;
    case FQ_LATTICE_D_PLUS:
        return 0;
    case FQ_LATTICE_D_STAR:
        return -M_LN2;
    case FQ_LATTICE_COXETER:
        return 0.5 * log((double)(n + 1)) - log((double)cosets);
    case FQ_LATTICE_AE9:
        return log(2 * layer_distance);
    case FQ_LATTICE_BW16:
        return 12 * M_LN2;
    case FQ_LATTICE_LEECH:
        return 36 * M_LN2;
    case FQ_LATTICE_E6_STAR:
        return -0.5 * log(3);
    case FQ_LATTICE_D6_PAIR:
        return 0;
    case FQ_LATTICE_L15_DUAL:
        return 10.5 * M_LN2;
    }
    return (double)NAN;
}

/* x[n+1] = sum u_i (e_i - e_{i+1}): uniform over a cell of A_n. */
static void draw_root_a(double *x, size_t n, fq_stream *stream) {
    double before = 0;
    for (size_t i = 0; i < n; i++) {
        const double u = fq_stream_uniform(stream);
        x[i] = u - before;
        before = u;
    }
    x[n] = -before;
}

static void draw(double *x, fq_lattice lattice, size_t n, fq_stream *stream) {
    if (lattice == FQ_LATTICE_COXETER) {
        draw_root_a(x, n, stream);
        return;
    }
    if (lattice == FQ_LATTICE_E6_STAR) {
        for (size_t i = 0; i < 3; i++)
            draw_root_a(x + 3 * i, 2, stream);
        return;
    }
    for (size_t i = 0; i < n; i++)
        x[i] = period(lattice) * fq_stream_uniform(stream);
    if (lattice == FQ_LATTICE_AE9)
        x[8] *= layer_distance;
    if (lattice == FQ_LATTICE_L15_DUAL)
        x[0] /= M_SQRT2; /* of period 2 sqrt 2 */
}

void fq_lattice_moment(double *moment, double *se, fq_lattice lattice, size_t n, size_t cosets, uint64_t seed,
                       uint64_t count) {
    fq_stream stream;
    fq_stream_init_in(&stream, seed, FQ_RANGE_CLAIM_LATTICES, 40 * (uint64_t)lattice + n);
    double sum = 0, squares = 0;
    for (uint64_t i = 0; i < count; i++) {
        double x[FQ_LATTICE_DIM_MAX + 1];
        draw(x, lattice, n, &stream);
        const double distance = fq_lattice_distance(lattice, n, cosets, x);
        sum += distance;
        squares += distance * distance;
    }
    const double c = (double)count, mean = sum / c;
    const double scale = exp(-2 * log_volume(lattice, n, cosets) / (double)n) / (double)n;
    *moment = scale * mean;
    *se = scale * sqrt((squares / c - mean * mean) / (c - 1));
}
