/* Two clocks kept apart: durations and deadlines come from the monotonic one, so that setting the
 * system's time changes no rate, no estimate and no waiting; the wall clock only dates things.
 */
#ifndef FQ_SWEEP_CLOCK_H
#define FQ_SWEEP_CLOCK_H

double fq_clock_monotonic(void); /* seconds since some point in the past */
double fq_clock_wall(void);      /* Unix time in seconds */

#endif
