/* Error feedback: distributed gradient methods whose workers send compressed vectors.
 *
 *   sgd        x' = x - gamma mean C(grad_i)            (no feedback; unbiased form where there is one)
 *   ef14       u_i = e_i + gamma grad_i, x' = x - mean C(u_i), e_i' = u_i - C(u_i)       (Seide et al. 2014)
 *   ef21...    x' = x - gamma mean g_i,  v_i' = (1 - eta) v_i + eta grad_i(x'),  g_i' = g_i + C(v_i' - g_i)
 *     ef21       exact gradients, eta = 1                (Richtarik, Sokolov, Fatkhullin 2021)
 *     ef21-sgd   stochastic gradients, eta = 1
 *     ef21-sgdm  stochastic gradients, eta < 1            (Fatkhullin, Tyurin, Richtarik 2023)
 * The three start from g_i = v_i = grad_i(x_0), sent uncompressed.
 *
 * With a = sqrt(1 - alpha), theta = 1 - a, beta = (1 - alpha)/theta (as in the authors' code):
 *   E|g'-v'|^2 <= (1 - theta) |g-v|^2 + beta |v'-v|^2, attained at v' - v = (1/a - 1)(v - g) by compressors
 *   that are equalities; gamma <= 1/(L + L~ sqrt(beta/theta)) gives
 *   E|grad f(x^)|^2 <= 2 delta_0/(gamma T) + G_0/(theta T), x^ one of x_0..x_{T-1} at random, G = mean|g_i -
 *   grad f_i|^2; and with mu > 0, gamma <= min(1/(L + L~ sqrt(2 beta/theta)), theta/(2 mu)),
 *   Psi = f - inf f + (gamma/theta) G falls by 1 - gamma mu a round in the mean.
 * Momentum, constants derived here: with V = mean|g_i-v_i|^2, P = |mean v_i - grad f|^2, P~ = mean|v_i - grad
 *   f_i|^2, R = |x'-x|^2 and noise variance sigma^2,
 *   E V' <= (1 - alpha/2) V + (4 eta^2/alpha) P~ + (4 L~^2 eta^2/alpha) R + eta^2 sigma^2,
 *   E P' <= (1 - eta) P + (L^2/eta) R + eta^2 sigma^2/n,   E P~' <= (1 - eta) P~ + (L~^2/eta) R + eta^2
 * sigma^2, and with 16 gamma^2 L~^2/alpha^2 + gamma^2 L^2/eta^2 + gamma L/2 <= 1/2 and Lambda = f - inf f +
 * (2 gamma/alpha) V + (gamma/eta) P + (8 gamma eta/alpha^2) P~, E|grad f(x^)|^2 <= 2 Lambda_0/(gamma T) + 2
 * eta sigma^2/n + 4 eta^2 sigma^2/alpha + 16 eta^3 sigma^2/alpha^2.
 */
#ifndef FQ_ERROR_FEEDBACK_H
#define FQ_ERROR_FEEDBACK_H

#include "distributed_problem.h"
#include "worker_messages.h"

typedef enum fq_feedback_method {
    FQ_FEEDBACK_SGD = 0,
    FQ_FEEDBACK_EF14 = 1,
    FQ_FEEDBACK_EF21 = 2,
    FQ_FEEDBACK_EF21_SGD = 3,
    FQ_FEEDBACK_EF21_SGDM = 4
} fq_feedback_method;

#define FQ_FEEDBACK_NAMES "sgd|ef14|ef21|ef21-sgd|ef21-sgdm"
fq_feedback_method fq_feedback_method_of(const char *name);

typedef struct fq_feedback {
    const fq_problem *problem;
    fq_messages messages;
    fq_feedback_method method;
    double gamma, eta;
    size_t round;          /* rounds done */
    double bits;           /* sent by one worker so far */
    double *x;             /* [d] */
    double *v, *g;         /* [n][d]: of ef14 u and e; only the rows of this process's workers count */
    double *mean;          /* [d]: mean g_i */
    double *sent, *change; /* [n][d] */
    double *work;          /* [d] */
} fq_feedback;

/* Copies messages; its form is set by the method. Sends the start where the method has one. */
FQ_MUST_CHECK fq_status fq_feedback_create(fq_feedback *f, const fq_problem *problem,
                                           const fq_messages *messages, fq_feedback_method method,
                                           double gamma, double eta);
void fq_feedback_clear(fq_feedback *f); /* accepts one that is all zero */

FQ_MUST_CHECK fq_status fq_feedback_step(fq_feedback *f);

/* mean|g_i - v_i|^2, |mean v_i - grad f(x)|^2 and mean|v_i - grad f_i(x)|^2 of the three last methods; for a
 * process that has all workers. */
typedef struct fq_feedback_errors {
    double compression, mean, workers; /* V, P, P~ */
} fq_feedback_errors;
fq_feedback_errors fq_feedback_measure(const fq_feedback *f, double *work);

/* theta and beta above; the largest gamma that the theorems allow: ef21 and ef21-sgd by the first (strongly:
 * the second, needs mu > 0), ef21-sgdm by the condition; ef14 as ef21, whose theorem is not its own; sgd
 * 1/(L (1 + omega/n)), for biased compressors 1/L. */
void fq_feedback_constants(double alpha, double *theta, double *beta);
double fq_feedback_step_size(const fq_problem *problem, fq_feedback_method method,
                             const fq_compressor_about *about, double eta, bool strongly);

#endif
