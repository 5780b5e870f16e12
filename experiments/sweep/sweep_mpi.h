/* Workers on other ranks. Rank 0 hands out points and is the only one that writes; every rank,
 * rank 0 too, computes with its own pool of worker processes, forked before MPI starts and knowing
 * nothing of it. Used only when started under mpirun or srun; a build without MPI has the same
 * functions and never is.
 */
#ifndef FQ_SWEEP_MPI_H
#define FQ_SWEEP_MPI_H

#include <stdbool.h>

#include "sweep_pool.h"

typedef struct fq_mpi {
    bool active;
    int rank, size;
    size_t *slots; /* [size]: workers of each rank; owned */
} fq_mpi;

/* Whether a launcher started this process as a rank of a job: known from its environment, before MPI starts.
 * A rank without a size or a name of the job (a variable left over) is none. */
bool fq_mpi_launched(void);

/* This process's rank: what MPI says once it has started, else what the environment does; 0 without launcher.
 */
int fq_mpi_rank(void);

/* How many tasks the environment says were started together; 1 if it says nothing. *variable is who says so.
 * More than MPI sees means that each of them believes to be alone. */
size_t fq_mpi_promised(const char **variable);

/* Starts MPI if launched (else: inactive, rank 0 of 1). All ranks must have the same plan: a
 * different digest (64 hexadecimal digits) on any rank is FQ_ERR_INPUT on all. */
FQ_MUST_CHECK fq_status fq_mpi_start(fq_mpi *mpi, const char *digest, size_t slots);

/* Rank 0: gives a slot of another rank a point; hands every outcome that has arrived to done
 * (worker = slot, rank in *from before the call); tells the others to end. */
FQ_MUST_CHECK fq_status fq_mpi_assign(const fq_mpi *mpi, int rank, size_t slot, size_t point, int threads);
FQ_MUST_CHECK fq_status fq_mpi_poll(const fq_mpi *mpi, int *from, fq_pool_done done, void *context);

/* Other ranks: computes what rank 0 hands out until told to end, or until *stop. */
FQ_MUST_CHECK fq_status fq_mpi_serve(const fq_mpi *mpi, fq_pool *pool, const volatile int *stop);

/* Ends: rank 0 tells the others. orderly = false leaves at once without waiting for anybody. */
void fq_mpi_end(fq_mpi *mpi, bool orderly);

/* "Open MPI v4.1.4, ..." or "none". */
const char *fq_mpi_library(void);

#endif
