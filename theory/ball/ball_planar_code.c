#include "ball_planar_code.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "ball_impl.h"
#include "memory.h"

#if FQ_HAVE_ARB

#include "ball_arb.h"

/* What one call needs again and again. */
typedef struct work {
    const float *words;
    const size_t *distinct; /* [count], numbers of words of which no two are equal */
    size_t count;
    slong d, precision;
    arb_ptr x, y, square; /* [count], exact where the precision allows */
    arb_t c, length_square, low, high, end, a, b, t, sum;
    arb_t h, h_square, s_square, l, p_square, power, term, result, half_way;
} work;

/* result = 2 pi times the integral of g l^2/r^2 from 0 to l on the line at distance h. */
static void primitive(work *w) {
    const slong precision = w->precision;
    const bool even = w->d % 2 == 0;
    arb_mul(w->p_square, w->l, w->l, precision);
    arb_sub(w->p_square, w->s_square, w->p_square, precision);
    if (!arb_is_nonnegative(w->p_square)) { /* at the rim: only rounding is below 0 */
        arb_zero(w->term);
        arb_max(w->p_square, w->p_square, w->term, precision);
    }
    arb_sqrtpos(w->power, w->p_square, precision);
    if (even) { /* even d: c_1 = l; the power is p^2 for m = 3 */
        arb_set(w->term, w->l);
        arb_atan2(w->result, w->l, w->h, precision);
        arb_set(w->power, w->p_square);
    } else { /* odd d: c_0 = atan2(l, p); the power is p for m = 2 */
        arb_atan2(w->term, w->l, w->power, precision);
        arb_mul(w->t, w->h, w->power, precision);
        arb_atan2(w->result, w->l, w->t, precision);
    }
    arb_mul(w->result, w->result, w->h, precision);
    arb_neg(w->result, w->result);
    for (slong m = even ? 3 : 2; m <= w->d - 1; m += 2) { /* term is c_{m-2} */
        arb_addmul(w->result, w->h_square, w->term, precision);
        arb_mul(w->term, w->term, w->s_square, precision);
        arb_mul_si(w->term, w->term, m - 1, precision);
        arb_addmul(w->term, w->power, w->l, precision);
        arb_div_si(w->term, w->term, m, precision);
        arb_mul(w->power, w->power, w->p_square, precision);
    }
    arb_add(w->result, w->result, w->term, precision);
}

/* On the line between words i and j, x = (c v / |v|^2 + 2 l v') / 2, v = w_j - w_i, v' = v turned by 90
 * degrees, word m leaves those l with a l <= b: a = 2 |v|^2 <v', u>, b = q |v|^2 - c <v, u>, u = w_m - w_i,
 * q = |w_m|^2 - |w_i|^2, c = |w_j|^2 - |w_i|^2. */
static void side_of(work *w, size_t i, size_t j, size_t m) {
    const slong precision = w->precision;
    arb_t vx, vy, ux, uy;
    arb_init(vx);
    arb_init(vy);
    arb_init(ux);
    arb_init(uy);
    arb_sub(vx, w->x + j, w->x + i, precision);
    arb_sub(vy, w->y + j, w->y + i, precision);
    arb_sub(ux, w->x + m, w->x + i, precision);
    arb_sub(uy, w->y + m, w->y + i, precision);
    arb_mul(w->a, vx, uy, precision);
    arb_submul(w->a, vy, ux, precision);
    arb_mul(w->a, w->a, w->length_square, precision);
    arb_mul_2exp_si(w->a, w->a, 1);
    arb_mul(w->t, vx, ux, precision);
    arb_addmul(w->t, vy, uy, precision);
    arb_sub(w->b, w->square + m, w->square + i, precision);
    arb_mul(w->b, w->b, w->length_square, precision);
    arb_submul(w->b, w->c, w->t, precision);
    arb_clear(vx);
    arb_clear(vy);
    arb_clear(ux);
    arb_clear(uy);
}

/* c and |v|^2 of a pair of words. */
static void set_pair(work *w, size_t i, size_t j) {
    const slong precision = w->precision;
    arb_sub(w->c, w->square + j, w->square + i, precision);
    arb_sub(w->t, w->x + j, w->x + i, precision);
    arb_mul(w->length_square, w->t, w->t, precision);
    arb_sub(w->t, w->y + j, w->y + i, precision);
    arb_addmul(w->length_square, w->t, w->t, precision);
}

/* What doubles think of a pair: the ends of its piece and the words that set them, SIZE_MAX where none does.
 * A word that shuts the whole line out sets both. Stops as soon as nothing is left. */
static void guess(const work *w, size_t i, size_t j, double *low, double *high, size_t *at_low,
                  size_t *at_high) {
    const float *const wi = w->words + 2 * w->distinct[i], *const wj = w->words + 2 * w->distinct[j];
    const double x = (double)wi[0], y = (double)wi[1], vx = (double)wj[0] - x, vy = (double)wj[1] - y;
    const double own = x * x + y * y, v2 = vx * vx + vy * vy;
    const double c = (double)wj[0] * (double)wj[0] + (double)wj[1] * (double)wj[1] - own;
    *low = -HUGE_VAL;
    *high = HUGE_VAL;
    *at_low = *at_high = SIZE_MAX;
    for (size_t m = 0; m < w->count; m++) {
        if (m == i || m == j)
            continue;
        const float *const wm = w->words + 2 * w->distinct[m];
        const double ux = (double)wm[0] - x, uy = (double)wm[1] - y;
        const double q = (double)wm[0] * (double)wm[0] + (double)wm[1] * (double)wm[1] - own;
        const double a = 2 * v2 * (vx * uy - vy * ux), b = q * v2 - c * (vx * ux + vy * uy);
        if (a == 0 && b < 0) {
            *at_low = *at_high = m;
            *low = 1;
            *high = 0;
            return;
        }
        if (a > 0 && b / a < *high) {
            *high = b / a;
            *at_high = m;
        } else if (a < 0 && b / a > *low) {
            *low = b / a;
            *at_low = m;
        }
        if (*low > *high)
            return;
    }
}

/* Whether the two words alone leave nothing of the line between i and j, for certain. */
static bool surely_empty(work *w, size_t i, size_t j, size_t at_low, size_t at_high) {
    bool have_low = false, have_high = false;
    for (int side = 0; side < 2; side++) {
        side_of(w, i, j, side ? at_high : at_low);
        if (arb_is_zero(w->a) && arb_is_negative(w->b))
            return true;
        if (arb_is_positive(w->a)) {
            arb_div(w->high, w->b, w->a, w->precision);
            have_high = true;
        } else if (arb_is_negative(w->a)) {
            arb_div(w->low, w->b, w->a, w->precision);
            have_low = true;
        }
    }
    return have_low && have_high && arb_gt(w->low, w->high);
}

/* Adds 2 |w_i - w_j| times the integral over the pair's piece, times 2 pi, to sum: of l' = l / |v| from low
 * to high, cut to the disc. A piece whose ends are not in order for certain counts as 0 or what it has. */
static void add_piece(work *w, size_t i, size_t j) {
    const slong precision = w->precision;
    bool doubtful = false;
    arb_mul(w->t, w->c, w->c, precision); /* h^2 = c^2 / (4 |v|^2) */
    arb_div(w->h_square, w->t, w->length_square, precision);
    arb_mul_2exp_si(w->h_square, w->h_square, -2);
    arb_sub_si(w->s_square, w->h_square, 1, precision);
    arb_neg(w->s_square, w->s_square);
    if (arb_is_nonpositive(w->s_square))
        return;
    if (!arb_is_nonnegative(w->s_square)) {
        arb_zero(w->t);
        arb_max(w->s_square, w->s_square, w->t, precision);
    }
    arb_sqrtpos(w->h, w->h_square, precision);
    arb_div(w->high, w->s_square, w->length_square, precision);
    arb_sqrtpos(w->high, w->high, precision);
    arb_neg(w->low, w->high);
    for (size_t m = 0; m < w->count; m++) {
        if (m == i || m == j)
            continue;
        side_of(w, i, j, m);
        arb_div(w->end, w->b, w->a, precision);
        if (arb_is_positive(w->a)) {
            arb_min(w->high, w->high, w->end, precision);
        } else if (arb_is_negative(w->a)) {
            arb_max(w->low, w->low, w->end, precision);
        } else if (arb_is_zero(w->a)) {
            if (arb_is_negative(w->b))
                return;
            doubtful = doubtful || !arb_is_nonnegative(w->b);
        } else {
            doubtful = true; /* leaves all of the line, or not */
        }
    }
    arb_sqrt(w->end, w->length_square, precision);
    arb_mul(w->l, w->low, w->end, precision);
    primitive(w);
    arb_set(w->half_way, w->result);
    arb_mul(w->l, w->high, w->end, precision);
    primitive(w);
    arb_sub(w->result, w->result, w->half_way, precision);
    arb_zero(w->t);
    arb_max(w->result, w->result, w->t, precision);
    if (doubtful)
        arb_union(w->result, w->result, w->t, precision);
    arb_mul(w->result, w->result, w->end, precision);
    arb_mul_2exp_si(w->result, w->result, 1);
    arb_add(w->sum, w->sum, w->result, precision);
}

/* D, from the pieces of all pairs of words. */
static void distortion(arb_t result, work *w) {
    const slong precision = w->precision;
    arb_zero(w->sum);
    for (size_t i = 0; i < w->count; i++)
        for (size_t j = i + 1; j < w->count; j++) {
            double low, high;
            size_t at_low, at_high;
            guess(w, i, j, &low, &high, &at_low, &at_high);
            set_pair(w, i, j);
            if (!(low > high && surely_empty(w, i, j, at_low, at_high)))
                add_piece(w, i, j);
        }
    arb_const_pi(w->t, precision);
    arb_mul_2exp_si(w->t, w->t, 1);
    arb_div(w->sum, w->sum, w->t, precision);
    arb_set(w->t, w->square);
    for (size_t i = 1; i < w->count; i++)
        arb_min(w->t, w->t, w->square + i, precision);
    arb_sub(w->sum, w->sum, w->t, precision);
    arb_mul_si(w->sum, w->sum, w->d, precision);
    arb_mul_2exp_si(w->sum, w->sum, -1);
    arb_sub_si(w->sum, w->sum, 1, precision);
    arb_neg(result, w->sum);
}

static size_t find_distinct(size_t *distinct, size_t codewords, const float *words) {
    size_t count = 0;
    for (size_t n = 0; n < codewords; n++) {
        bool seen = false;
        for (size_t i = 0; i < count && !seen; i++)
            seen = words[2 * distinct[i]] == words[2 * n] && words[2 * distinct[i] + 1] == words[2 * n + 1];
        if (!seen)
            distinct[count++] = n;
    }
    return count;
}

fq_ball fq_ball_planar_code_distortion(fq_balls *balls, long d, size_t codewords, const float *words) {
    size_t *distinct = NULL;
    if (d < 3 || codewords < 1 || codewords > FQ_PLANAR_CODEWORDS_MAX ||
        fq_alloc(&distinct, codewords, sizeof *distinct) != FQ_OK)
        return fq_ball_double(balls, (double)NAN);
    work w = {.words = words, .distinct = distinct, .d = d, .precision = fq_balls_precision(balls)};
    w.count = find_distinct(distinct, codewords, words);
    arb_ptr const all[] = {w.c,     w.length_square, w.low,    w.high,     w.end,      w.a, w.b,
                           w.t,     w.sum,           w.h,      w.h_square, w.s_square, w.l, w.p_square,
                           w.power, w.term,          w.result, w.half_way};
    const size_t locals = sizeof all / sizeof all[0];
    for (size_t i = 0; i < locals; i++)
        arb_init(all[i]);
    w.x = _arb_vec_init((slong)w.count);
    w.y = _arb_vec_init((slong)w.count);
    w.square = _arb_vec_init((slong)w.count);
    for (size_t i = 0; i < w.count; i++) {
        arb_set_d(w.x + i, (double)words[2 * distinct[i]]);
        arb_set_d(w.y + i, (double)words[2 * distinct[i] + 1]);
        arb_mul(w.square + i, w.x + i, w.x + i, w.precision);
        arb_addmul(w.square + i, w.y + i, w.y + i, w.precision);
    }
    const fq_ball result = fq_ball_fresh(balls);
    distortion(fq_ball_raw(balls, result), &w);
    _arb_vec_clear(w.x, (slong)w.count);
    _arb_vec_clear(w.y, (slong)w.count);
    _arb_vec_clear(w.square, (slong)w.count);
    for (size_t i = 0; i < locals; i++)
        arb_clear(all[i]);
    fq_free(distinct);
    return result;
}

#else

fq_ball fq_ball_planar_code_distortion(fq_balls *w, long d, size_t codewords, const float *words) {
    (void)d;
    (void)codewords;
    (void)words;
    return fq_ball_double(w, (double)NAN);
}

#endif
