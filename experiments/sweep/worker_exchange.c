#include "worker_exchange.h"

#include "failure.h"
#include "memory.h"
#include "sweep_mpi.h"

#if FQ_HAVE_MPI
#include <mpi.h>
#endif

/* First worker of a rank: ranks take them in order, as evenly as they go. */
static size_t first_worker(const fq_exchange *x, int rank, size_t workers) {
    return workers * (size_t)rank / (size_t)x->size;
}

fq_status fq_exchange_start(fq_exchange *exchange, size_t workers) {
    *exchange = (fq_exchange){.size = 1};
#if FQ_HAVE_MPI
    if (fq_mpi_launched()) {
        if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
            return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "MPI could not be started");
        exchange->active = true;
        MPI_Comm_rank(MPI_COMM_WORLD, &exchange->rank);
        MPI_Comm_size(MPI_COMM_WORLD, &exchange->size);
    }
#endif
    if (workers < (size_t)exchange->size)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%zu workers on %d ranks; allowed: at least one for each", workers,
                            exchange->size);
    FQ_TRY(fq_alloc_zero(&exchange->counts, 2 * (size_t)exchange->size, sizeof *exchange->counts));
    exchange->places = exchange->counts + exchange->size;
    return FQ_OK;
}

#if FQ_HAVE_MPI
static fq_status gather(void *context, double *messages, size_t n, size_t dim) {
    fq_exchange *x = context;
    for (int r = 0; r < x->size; r++) {
        const size_t first = first_worker(x, r, n);
        x->places[r] = (int)(first * dim);
        x->counts[r] = (int)((first_worker(x, r + 1, n) - first) * dim);
    }
    if (MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, messages, x->counts, x->places, MPI_DOUBLE,
                       MPI_COMM_WORLD) != MPI_SUCCESS)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "MPI: the workers' messages did not arrive");
    return FQ_OK;
}
#endif

fq_team fq_exchange_team(fq_exchange *exchange, size_t workers) {
    const size_t first = first_worker(exchange, exchange->rank, workers);
    fq_team team = {.first = first, .count = first_worker(exchange, exchange->rank + 1, workers) - first};
#if FQ_HAVE_MPI
    if (exchange->active) {
        team.share = gather;
        team.context = exchange;
    }
#endif
    return team;
}

void fq_exchange_end(fq_exchange *exchange, bool orderly, int exit_code) {
#if FQ_HAVE_MPI
    if (exchange->active && orderly)
        MPI_Finalize();
    else if (exchange->active)
        MPI_Abort(MPI_COMM_WORLD, exit_code);
#else
    (void)orderly;
    (void)exit_code;
#endif
    fq_free(exchange->counts);
    *exchange = (fq_exchange){.size = 1};
}
