#include "sweep_clock.h"

#include <time.h>

static double now(clockid_t clock) {
    struct timespec t = {0, 0};
    clock_gettime(clock, &t); /* cannot fail for these two clocks */
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double fq_clock_monotonic(void) {
    return now(CLOCK_MONOTONIC);
}

double fq_clock_wall(void) {
    return now(CLOCK_REALTIME);
}
