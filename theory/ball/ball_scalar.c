#include "ball_scalar.h"

#include <math.h>

#include "ball_formulas.h"
#include "scalar_quantizer.h"
#include "source.h"

/* v > 0 with v - J v = 1, J the Jacobian of T at the quantizer: moving the thresholds by e v moves
 * T by e (v - 1), so the box [t - e v, t + e v] passes as soon as e exceeds the error of t. */
static fq_status safe_direction(double *v, const fq_scalar_quantizer *q, size_t half) {
    fq_source source;
    FQ_TRY(fq_source_init(&source, q->dim, 1));
    const double *const level = q->level + half;
    double below[FQ_BALL_HALF_MAX] = {0}, above[FQ_BALL_HALF_MAX] = {0}, own[FQ_BALL_HALF_MAX] = {0};
    for (size_t i = 1; i < half; i++) {
        const double *const t = q->threshold + (half - 1);
        const double end = i + 1 < half ? t[i + 1] : 1;
        const double f = exp(fq_source_log_density(&source, t[i]));
        const double left = fq_scalar_cell_probability(q->dim, t[i - 1], t[i]);
        const double right = fq_scalar_cell_probability(q->dim, t[i], end);
        own[i] = 0.5 * f * ((t[i] - level[i - 1]) / left + (level[i] - t[i]) / right);
        below[i] =
            i == 1 ? 0
                   : 0.5 * exp(fq_source_log_density(&source, t[i - 1])) * (level[i - 1] - t[i - 1]) / left;
        above[i] =
            i + 1 == half ? 0 : 0.5 * exp(fq_source_log_density(&source, end)) * (end - level[i]) / right;
    }
    /* Thomas' elimination: diagonally dominant, since own + below + above < 1. */
    double upper[FQ_BALL_HALF_MAX] = {0};
    v[0] = 0;
    for (size_t i = 1; i < half; i++) {
        const double pivot = 1 - own[i] - below[i] * upper[i - 1];
        upper[i] = above[i] / pivot;
        v[i] = (1 + below[i] * v[i - 1]) / pivot;
    }
    for (size_t i = half - 1; i-- > 1;)
        v[i] += upper[i] * v[i + 1];
    return FQ_OK;
}

/* Whether the box's margin is positive, at whatever precision shows it first. */
static fq_status certify(fq_scalar_box *box) {
    box->certified = false;
    for (size_t i = 1; i <= box->half; i++)
        if (!(box->low[i - 1] < box->low[i] && box->high[i - 1] < box->high[i] &&
              box->low[i] <= box->high[i]))
            return FQ_OK;
    fq_balls *w = NULL;
    FQ_TRY(fq_balls_create(&w, 64));
    fq_status status = FQ_OK;
    for (long precision = 64; precision <= 512 && !box->certified && status == FQ_OK; precision *= 2) {
        double value, error;
        fq_balls_reset(w, precision);
        const fq_ball margin = fq_scalar_box_margin(w, box, 0);
        status = fq_ball_get(w, margin, &value, &error);
        box->certified = status == FQ_OK && fq_ball_sign(w, margin) > 0;
    }
    fq_balls_destroy(w);
    return status;
}

fq_status fq_scalar_box_init_wide(fq_scalar_box *box, size_t dim, size_t half, double width, double off) {
    if (half < 1 || half > FQ_BALL_HALF_MAX || dim < 3)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "half", half, "1 to 128, with dim at least 3");
    fq_scalar_quantizer q = {0};
    FQ_TRY(fq_scalar_quantizer_init(&q, dim, 2 * half));
    *box = (fq_scalar_box){.d = (long)dim, .half = half};
    double v[FQ_BALL_HALF_MAX] = {0};
    fq_status status = safe_direction(v, &q, half);
    const double scale = width * q.level[2 * half - 1];
    for (size_t i = 1; i < half; i++) {
        box->low[i] = q.threshold[half - 1 + i] - (1 - off) * scale * v[i];
        box->high[i] = q.threshold[half - 1 + i] + (1 + off) * scale * v[i];
    }
    box->low[half] = box->high[half] = 1;
    fq_scalar_quantizer_clear(&q);
    if (status == FQ_OK)
        status = certify(box);
    return status;
}

fq_status fq_scalar_box_init(fq_scalar_box *box, size_t dim, size_t half) {
    /* Sums in doubles are not good enough to show the margin of a narrow box. */
    return fq_scalar_box_init_wide(box, dim, half, fq_ball_verdict() == FQ_VERDICT_CERTIFIED ? 1e-10 : 1e-8,
                                   0);
}

fq_ball fq_ball_cell_probability(fq_balls *w, long d, fq_ball p, fq_ball q) {
    return fq_ball_subtract(w, fq_ball_half_probability(w, d, q), fq_ball_half_probability(w, d, p));
}

static fq_ball mean(fq_balls *w, long d, fq_ball p, fq_ball q) {
    return fq_ball_divide(w, fq_ball_cell_moment(w, d, p, q), fq_ball_cell_probability(w, d, p, q));
}

/* The smaller of two, or either if they cannot be told apart (then neither decides a sign alone). */
static fq_ball smaller(fq_balls *w, fq_ball a, fq_ball b) {
    const int sign = fq_ball_sign(w, fq_ball_subtract(w, a, b));
    return sign < 0 ? a : sign > 0 ? b : fq_ball_union(w, a, b);
}

fq_ball fq_scalar_box_margin(fq_balls *w, const fq_scalar_box *box, double shift) {
    fq_ball least = fq_ball_integer(w, 1);
    for (int side = 0; side < 2; side++) {
        const double *const t = side ? box->high : box->low;
        fq_ball p[FQ_BALL_HALF_MAX + 1];
        for (size_t i = 0; i <= box->half; i++) {
            p[i] = fq_ball_double(w, t[i]);
            if (shift != 0 && i > 0 && i < box->half)
                p[i] = fq_ball_add(w, p[i], fq_ball_double(w, shift));
        }
        fq_ball before = mean(w, box->d, p[0], p[1]);
        for (size_t i = 1; i < box->half; i++) {
            const fq_ball after = mean(w, box->d, p[i], p[i + 1]);
            const fq_ball image = fq_ball_divide(w, fq_ball_add(w, before, after), fq_ball_integer(w, 2));
            least =
                smaller(w, least, side ? fq_ball_subtract(w, p[i], image) : fq_ball_subtract(w, image, p[i]));
            before = after;
        }
    }
    return least;
}

static fq_ball indeterminate(fq_balls *w) {
    return fq_ball_double(w, (double)NAN);
}

fq_ball fq_scalar_box_threshold(fq_balls *w, const fq_scalar_box *box, size_t i) {
    if (!box->certified)
        return indeterminate(w);
    if (box->low[i] == box->high[i])
        return fq_ball_double(w, box->low[i]);
    return fq_ball_union(w, fq_ball_double(w, box->low[i]), fq_ball_double(w, box->high[i]));
}

fq_ball fq_scalar_box_level(fq_balls *w, const fq_scalar_box *box, size_t i) {
    if (!box->certified)
        return indeterminate(w);
    const fq_ball low = mean(w, box->d, fq_ball_double(w, box->low[i]), fq_ball_double(w, box->low[i + 1]));
    if (box->half == 1)
        return low;
    const fq_ball high =
        mean(w, box->d, fq_ball_double(w, box->high[i]), fq_ball_double(w, box->high[i + 1]));
    return fq_ball_union(w, low, high);
}

fq_ball fq_ball_scalar_distortion(fq_balls *w, long d, size_t half, const fq_ball *p) {
    fq_ball sum = fq_ball_integer(w, 0);
    for (size_t i = 0; i < half; i++) {
        const fq_ball moment = fq_ball_cell_moment(w, d, p[i], p[i + 1]);
        sum = fq_ball_add(w, sum,
                          fq_ball_divide(w, fq_ball_multiply(w, moment, moment),
                                         fq_ball_cell_probability(w, d, p[i], p[i + 1])));
    }
    return fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_multiply(w, fq_ball_integer(w, 2 * d), sum));
}

fq_ball fq_scalar_box_distortion(fq_balls *w, const fq_scalar_box *box) {
    if (!box->certified)
        return indeterminate(w);
    fq_ball middle[FQ_BALL_HALF_MAX + 1];
    for (size_t i = 0; i <= box->half; i++)
        middle[i] = fq_ball_double(w, box->low[i] + 0.5 * (box->high[i] - box->low[i]));
    fq_ball sum = fq_ball_scalar_distortion(w, box->d, box->half, middle);
    if (box->half == 1)
        return sum;
    const fq_ball one = fq_ball_integer(w, 1), log_constant = fq_ball_log_constant(w, box->d, 1);
    fq_ball before = fq_scalar_box_level(w, box, 0);
    for (size_t i = 1; i < box->half; i++) {
        const fq_ball t = fq_scalar_box_threshold(w, box, i), after = fq_scalar_box_level(w, box, i);
        const fq_ball log_rest = fq_ball_log(w, fq_ball_subtract(w, one, fq_ball_multiply(w, t, t)));
        const fq_ball log_f =
            fq_ball_add(w, log_constant, fq_ball_multiply(w, fq_ball_ratio(w, box->d - 3, 2), log_rest));
        const fq_ball off = fq_ball_subtract(w, fq_ball_add(w, t, t), fq_ball_add(w, before, after));
        const fq_ball slope =
            fq_ball_multiply(w, fq_ball_multiply(w, fq_ball_integer(w, 2 * box->d), fq_ball_exp(w, log_f)),
                             fq_ball_multiply(w, fq_ball_subtract(w, after, before), off));
        sum = fq_ball_add(w, sum, fq_ball_multiply(w, slope, fq_ball_subtract(w, t, middle[i])));
        before = after;
    }
    return sum;
}
