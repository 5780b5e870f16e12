/* Distributed methods with unbiased compression, for strongly convex f.
 *
 *   agd      Nesterov: y = x + (sqrt(kappa)-1)/(sqrt(kappa)+1) (x - x_before), x' = y - grad f(y)/L;
 * uncompressed cgd      x' = x - gamma mean C_i(grad f_i(x));  converges to the minimum where all f_i share
 * it diana    m_i = C_i(grad f_i(x) - h_i), x' = x - gamma mean(h_i + m_i), h_i' = h_i + m_i/(1 + omega)
 *            (Mishchenko et al. 2019)
 *   adiana   (Li, Kovalev, Qian, Richtarik 2020) x = th1 z + th2 w + (1 - th1 - th2) y,
 *            m_i = C_i(grad f_i(x) - h_i), g = mean(h_i + m_i), h_i' = h_i + a C_i(grad f_i(w) - h_i),
 *            y' = x - eta g, z' = beta z + (1 - beta) x + (gamma/eta)(y' - x), w' = y with probability p
 * Steps, all times `step` where a cap allows: of ADIANA (as recalled, the paper's text was not at hand)
 *   a = 1/(1+omega), th2 = 1/2, p = min{1, max{1, sqrt(n/(32 omega)) - 1}/(2 (1+omega))},
 *   eta = min{1/(2L), step n/(64 omega (2p(1+omega)+1)^2 L)}, th1 = min{1/4, sqrt(eta mu/p)},
 *   gamma = eta/(2 (th1 + eta mu)), beta = 1 - gamma mu;
 * of DIANA gamma = min{1/L, step/(L (1 + 6 omega/n))}, of CGD gamma = min{1/L, step/(L (1 + omega/n))}.
 * An ADIANA round sends two messages, the others one; with compressor `none` (omega = 0) eta = 1/(2L), p = 1.
 * Workers' compressors are independent, or share their randomness (fq_messages.shared): then the variance of
 * the mean of n equal vectors is omega in place of omega/n. ADIANA's rate as published:
 *   O(omega + sqrt(kappa) + sqrt((omega/n + sqrt(omega/n)) omega kappa)) up to logarithms.
 */
#ifndef FQ_ACCELERATED_H
#define FQ_ACCELERATED_H

#include "distributed_problem.h"
#include "worker_messages.h"

typedef enum fq_accelerated_method {
    FQ_ACCELERATED_AGD = 0,
    FQ_ACCELERATED_CGD = 1,
    FQ_ACCELERATED_DIANA = 2,
    FQ_ACCELERATED_ADIANA = 3
} fq_accelerated_method;

#define FQ_ACCELERATED_NAMES "agd|cgd|diana|adiana"
fq_accelerated_method fq_accelerated_method_of(const char *name);

typedef struct fq_accelerated_steps {
    double shift; /* a */
    double p, eta, th1, gamma, beta;
} fq_accelerated_steps;

/* omega: of the compressor; step: the multiple above. */
fq_accelerated_steps fq_accelerated_steps_of(fq_accelerated_method method, const fq_problem *problem,
                                             double omega, double step);

typedef struct fq_accelerated {
    const fq_problem *problem;
    fq_messages messages;
    fq_accelerated_method method;
    fq_accelerated_steps steps;
    size_t round;
    double bits;                  /* sent by one worker */
    double *x, *y, *z, *w;        /* [d]; the iterate to look at is x, of adiana y */
    double *h, *shift;            /* [n][d] of this process's workers, and their mean [d] */
    double *change, *sent, *more; /* [n][d] */
    double *mean, *work;          /* [d] */
} fq_accelerated;

FQ_MUST_CHECK fq_status fq_accelerated_create(fq_accelerated *m, const fq_problem *problem,
                                              const fq_messages *messages, fq_accelerated_method method,
                                              double step);
void fq_accelerated_clear(fq_accelerated *m); /* accepts one that is all zero */
FQ_MUST_CHECK fq_status fq_accelerated_step(fq_accelerated *m);

/* What the method has found so far, [d]. */
const double *fq_accelerated_point(const fq_accelerated *m);

/* A run until f - inf f <= target (f(x_0) - inf f), or `most` rounds, or past FQ_ACCELERATED_DIVERGED times
 * the start. */
#define FQ_ACCELERATED_DIVERGED 1e12
typedef struct fq_accelerated_run {
    size_t rounds;    /* done */
    bool reached;     /* the target */
    double excess;    /* f - inf f at the end over that at the start */
    double bits;      /* sent by one worker */
    double step_size; /* gamma; of adiana eta */
} fq_accelerated_run;
FQ_MUST_CHECK fq_status fq_accelerated_run_to(fq_accelerated_run *run, const fq_problem *problem,
                                              const fq_messages *messages, fq_accelerated_method method,
                                              double step, double target, size_t most);

/* ADIANA's published rate above, without its constants and logarithms. */
double fq_accelerated_rate(double omega, double workers, double kappa);

#endif
