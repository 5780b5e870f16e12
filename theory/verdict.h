/* The outcome of a mathematical check: no error, and no pass either until one reads it. */
#ifndef FQ_VERDICT_H
#define FQ_VERDICT_H

typedef enum fq_verdict {
    FQ_VERDICT_CERTIFIED = 0, /* interval arithmetic from exact parameters to the end */
    FQ_VERDICT_COMPUTED = 1,  /* quadrature or closed form in floating point, with an error estimate */
    FQ_VERDICT_MEASURED = 2,  /* Monte Carlo or stored measurements, with a standard error */
    FQ_VERDICT_UNDECIDED = 3, /* neither side could be shown within precision or sample size */
    FQ_VERDICT_REFUTED = 4    /* the statement fails at these parameters */
} fq_verdict;

/* "certified", "computed", "measured", "undecided", "refuted"; static. */
const char *fq_verdict_name(fq_verdict verdict);

/* The weaker of two: a claim is only as good as its weakest row (the order is that of the numbers). */
fq_verdict fq_verdict_weaker(fq_verdict a, fq_verdict b);

#endif
