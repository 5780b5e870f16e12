/* Bounds on the error of an attention output when keys and values are replaced by reconstructions.
 *
 * One query q, positions j = 0..T-1, scores s_j = <q, k_j>/sqrt(d), weights p = softmax(s), output
 * o = sum p_j v_j; hats for reconstructions, e_j = |k_j - k^_j|, f_j = |v_j - v^_j|,
 * eps_j = |q| e_j / sqrt(d) >= |s_j - s^_j|. Then |o^ - o| <= bound, where
 *
 *   bound = min(sum p_j g_j f_j, max f_j) + min(sum p_j h_j |v_j - o|, 2 tanh(max eps / 2) max |v_j - o|)
 *   g_j = e^{eps_j} / A >= p^_j/p_j,  A = sum p_i e^{-eps_i},  B = sum p_i e^{eps_i},
 *   h_j = max(e^{eps_j}/A - 1, 1 - e^{-eps_j}/B) >= |p^_j/p_j - 1|.
 *
 * Proof: o^ - o = sum p^_j (v^_j - v_j) + sum (p^_j - p_j)(v_j - o), and p^_j/p_j = e^{s^_j - s_j}/Z with
 * Z = sum p_i e^{s^_i - s_i} between A and B. For the last term, sum |p^_j - p_j| is twice the total
 * variation, at most tanh(W/4) for log-ratios in a window of width W <= 2 max eps: with ratios r_j of mean 1
 * in [l, l e^W] total variation is largest when r takes the ends only, (l e^W - 1)(1 - l)/(l (e^W - 1)), and
 * over l at l = e^{-W/2}. Two positions attain it, whatever W.
 *
 * Every branch of the bound is attained, or approached without limit: the first sum by parallel errors of
 * values under exact keys, max f_j by equal ones; the second sum by one position of vanishing weight, its
 * other branch by two positions of equal weight as eps tends to 0. */
#ifndef FQ_ATTENTION_BOUND_H
#define FQ_ATTENTION_BOUND_H

#include "status.h"

typedef struct fq_attention_case {
    size_t tokens, dim;
    const float *query;                       /* [d] */
    const float *key, *value;                 /* [T][d] */
    const float *key_decoded, *value_decoded; /* [T][d] */
} fq_attention_case;

typedef struct fq_attention_error {
    double error;        /* |o^ - o| */
    double bound;        /* from |q|, e_j, f_j and the true attention */
    double known_scores; /* sum p^_j f_j + sum |p^_j - p_j| |v_j - o|: the triangle inequality alone */
    double output;       /* |o| */
    double
        score_ratio; /* mean of (s^_j - s_j)^2 d / (mean of eps_j^2): 1 if errors of keys have no direction */
} fq_attention_error;

/* workspace[6 T + 2 d] doubles of scratch. Sums in double: relative rounding error about 1e-13. */
void fq_attention_bound(fq_attention_error *result, const fq_attention_case *attention, double *workspace);

/* |x - x^| <= nu (|y - y^| + u |y^|) for x = nu y, |y| = 1, x^ = nu^ y^, nu^ the fp16 nearest to nu, a normal
 * number: u = 2^-11/(1 + 2^-11) = 1/2049 is the largest relative rounding error. Attained where y^ is a
 * multiple above 1 of y and nu lies just beyond the middle between a power of two and the next half. */
double fq_reconstruction_bound(double norm, double direction_error, double direction_length);

/* tanh(W/4), the largest total variation between softmax(s) and softmax(s + delta) over all s and all delta
 * with max delta - min delta = W. */
double fq_softmax_variation_bound(double window);

/* Total variation of softmax(s) and softmax(s + delta), and the width of delta's window. */
void fq_softmax_variation(double *variation, double *window, const double *score, const double *delta,
                          size_t n);

#endif
