/* The inverse of the regularised incomplete beta function, for every shape we meet. */
#ifndef FQ_BETA_QUANTILE_H
#define FQ_BETA_QUANTILE_H

#ifdef __cplusplus
extern "C" {
#endif

/* x in [0,1] with I_x(a,b) = probability, a, b > 0; 0 and 1 outside of (0,1). Newton's method held in
 * a bracket, on I_x or its complement, whichever is smaller; relative error about 1e-14 of the slope's
 * scale. (GSL's own inverse gives up for b of some hundreds.) Cost about 8 incomplete beta functions. */
double fq_beta_quantile(double probability, double a, double b);

#ifdef __cplusplus
}
#endif
#endif
