#include "ball_formulas.h"

#include <math.h>

long fq_ball_reach(long with_balls, long with_doubles) {
    return fq_ball_verdict() == FQ_VERDICT_CERTIFIED ? with_balls : with_doubles;
}

fq_ball fq_ball_log_constant(fq_balls *w, long d, long k) {
    const fq_ball gammas = fq_ball_subtract(w, fq_ball_log_gamma(w, fq_ball_ratio(w, d, 2)),
                                            fq_ball_log_gamma(w, fq_ball_ratio(w, d - k, 2)));
    const fq_ball pi_power = fq_ball_multiply(w, fq_ball_ratio(w, k, 2), fq_ball_log(w, fq_ball_pi(w)));
    return fq_ball_subtract(w, gammas, pi_power);
}

fq_ball fq_ball_log_sphere_area(fq_balls *w, long k) {
    const fq_ball half = fq_ball_ratio(w, k, 2);
    const fq_ball pi_power = fq_ball_multiply(w, half, fq_ball_log(w, fq_ball_pi(w)));
    return fq_ball_add(w, fq_ball_log(w, fq_ball_integer(w, 2)),
                       fq_ball_subtract(w, pi_power, fq_ball_log_gamma(w, half)));
}

fq_ball fq_ball_entropy(fq_balls *w, long d, long k) {
    const fq_ball digammas = fq_ball_subtract(w, fq_ball_digamma(w, fq_ball_ratio(w, d - k, 2)),
                                              fq_ball_digamma(w, fq_ball_ratio(w, d, 2)));
    const fq_ball sum = fq_ball_add(w, fq_ball_log_constant(w, d, k),
                                    fq_ball_multiply(w, fq_ball_ratio(w, d - k - 2, 2), digammas));
    return fq_ball_subtract(w, fq_ball_integer(w, 0), sum);
}

fq_ball fq_ball_total_correlation(fq_balls *w, long d, long k) {
    const fq_ball scalars = fq_ball_multiply(w, fq_ball_integer(w, k), fq_ball_entropy(w, d, 1));
    return fq_ball_subtract(w, scalars, fq_ball_entropy(w, d, k));
}

fq_ball fq_ball_log_power_integral(fq_balls *w, long d, long k, fq_ball t) {
    const fq_ball half = fq_ball_ratio(w, k, 2);
    const fq_ball one_more =
        fq_ball_add(w, fq_ball_multiply(w, fq_ball_ratio(w, d - k - 2, 2), t), fq_ball_integer(w, 1));
    const fq_ball gammas = fq_ball_subtract(w, fq_ball_log_gamma(w, one_more),
                                            fq_ball_log_gamma(w, fq_ball_add(w, one_more, half)));
    const fq_ball pi_power = fq_ball_multiply(w, half, fq_ball_log(w, fq_ball_pi(w)));
    return fq_ball_add(w, fq_ball_multiply(w, t, fq_ball_log_constant(w, d, k)),
                       fq_ball_add(w, pi_power, gammas));
}

fq_ball fq_ball_log_norm(fq_balls *w, long d, long k) {
    const fq_ball a = fq_ball_ratio(w, k, k + 2);
    return fq_ball_divide(w, fq_ball_log_power_integral(w, d, k, a), a);
}

static fq_ball ball_volume_power(fq_balls *w, long k) { /* Gamma(k/2+1)^{2/k} / pi */
    const fq_ball log_power =
        fq_ball_multiply(w, fq_ball_ratio(w, 2, k), fq_ball_log_gamma(w, fq_ball_ratio(w, k + 2, 2)));
    return fq_ball_divide(w, fq_ball_exp(w, log_power), fq_ball_pi(w));
}

fq_ball fq_ball_sphere_bound(fq_balls *w, long k) {
    return fq_ball_divide(w, ball_volume_power(w, k), fq_ball_integer(w, k + 2));
}

fq_ball fq_ball_zador_bound(fq_balls *w, long k) {
    const fq_ball gamma = fq_ball_exp(w, fq_ball_log_gamma(w, fq_ball_ratio(w, k + 2, k)));
    return fq_ball_divide(w, fq_ball_multiply(w, ball_volume_power(w, k), gamma), fq_ball_integer(w, k));
}

fq_ball fq_ball_shannon_bound(fq_balls *w, long d, long k, long n) {
    const fq_ball nats = fq_ball_subtract(w, fq_ball_entropy(w, d, k), fq_ball_log(w, fq_ball_integer(w, n)));
    const fq_ball power = fq_ball_exp(w, fq_ball_multiply(w, fq_ball_ratio(w, 2, k), nats));
    const fq_ball scale =
        fq_ball_multiply(w, fq_ball_integer(w, 2), fq_ball_multiply(w, fq_ball_pi(w), fq_ball_e(w)));
    return fq_ball_divide(w, fq_ball_multiply(w, fq_ball_integer(w, d), power), scale);
}

fq_ball fq_ball_high_rate_limit(fq_balls *w, long d, long k, fq_ball cell) {
    const fq_ball scale = fq_ball_multiply(w, fq_ball_integer(w, d), cell);
    return fq_ball_multiply(w, scale, fq_ball_exp(w, fq_ball_log_norm(w, d, k)));
}

fq_ball fq_ball_half_probability(fq_balls *w, long d, fq_ball x) {
    const fq_ball beta =
        fq_ball_beta(w, fq_ball_ratio(w, 1, 2), fq_ball_ratio(w, d - 1, 2), fq_ball_multiply(w, x, x));
    return fq_ball_divide(w, beta, fq_ball_integer(w, 2));
}

/* C (1-x^2)^{(d-1)/2} / (d-1), the moment beyond x; 0 at x = 1 exactly, indeterminate where x may exceed 1.
 */
static fq_ball moment_beyond(fq_balls *w, long d, fq_ball x) {
    const fq_ball rest = fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_multiply(w, x, x));
    if (fq_ball_is_zero(w, rest))
        return fq_ball_integer(w, 0);
    if (fq_ball_sign(w, rest) <= 0)
        return fq_ball_double(w, (double)NAN);
    const fq_ball log_value =
        fq_ball_add(w, fq_ball_log_constant(w, d, 1),
                    fq_ball_multiply(w, fq_ball_ratio(w, d - 1, 2), fq_ball_log(w, rest)));
    return fq_ball_divide(w, fq_ball_exp(w, log_value), fq_ball_integer(w, d - 1));
}

fq_ball fq_ball_cell_moment(fq_balls *w, long d, fq_ball a, fq_ball b) {
    return fq_ball_subtract(w, moment_beyond(w, d, a), moment_beyond(w, d, b));
}

fq_ball fq_ball_corner_moment(fq_balls *w, long d, fq_ball a, fq_ball c) {
    /* With y = s t, s^2 = 1 - a^2, the integrand is s^{d-1} (1-t^2)^{(d-2)/2}: f_{d+1,1} but for its
     * constant. */
    const fq_ball square = fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_multiply(w, a, a));
    const fq_ball s = fq_ball_sqrt(w, square);
    const fq_ball log_scale =
        fq_ball_add(w, fq_ball_subtract(w, fq_ball_log_constant(w, d, 2), fq_ball_log_constant(w, d + 1, 1)),
                    fq_ball_multiply(w, fq_ball_ratio(w, d - 1, 2), fq_ball_log(w, square)));
    const fq_ball probability = fq_ball_half_probability(w, d + 1, fq_ball_divide(w, c, s));
    return fq_ball_divide(w, fq_ball_multiply(w, fq_ball_exp(w, log_scale), probability),
                          fq_ball_integer(w, d - 2));
}
