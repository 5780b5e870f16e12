/* How long-running library calls report progress and can be stopped. */
#ifndef FQ_PROGRESS_H
#define FQ_PROGRESS_H

#include <stdbool.h>

/* Called now and then from the calling thread with fraction in [0,1]; returning false stops the
 * call, which then fails with FQ_ERR_INTERRUPTED. */
typedef struct fq_progress {
    bool (*report)(void *context, double fraction);
    void *context;
} fq_progress;

#endif
