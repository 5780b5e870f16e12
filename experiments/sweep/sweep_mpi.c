#include "sweep_mpi.h"

#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"

#if FQ_HAVE_MPI
#include <mpi.h>
#endif

static const char *const rank_variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
static const char *const job_variables[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_NAMESPACE", "PMI_SIZE", "PMI_FD"};
static const char *const size_variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};

static int started_rank = -1; /* what MPI said */

/* The first variable of a list that is set, or NULL. */
static const char *first_set(const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (getenv(names[i]))
            return names[i];
    return NULL;
}

#define FIRST_SET(names) first_set(names, sizeof(names) / sizeof *(names))

bool fq_mpi_launched(void) {
    return FQ_HAVE_MPI && FIRST_SET(rank_variables) && FIRST_SET(job_variables);
}

int fq_mpi_rank(void) {
    if (started_rank >= 0)
        return started_rank;
    return fq_mpi_launched() ? atoi(getenv(FIRST_SET(rank_variables))) : 0;
}

size_t fq_mpi_promised(const char **variable) {
    *variable = FIRST_SET(size_variables);
    if (!*variable && getenv("SLURM_STEP_ID")) /* a step of srun, and not the script that calls it */
        *variable = getenv("SLURM_STEP_NUM_TASKS") ? "SLURM_STEP_NUM_TASKS" : "SLURM_NTASKS";
    const char *text = *variable ? getenv(*variable) : NULL;
    const unsigned long count = text ? strtoul(text, NULL, 10) : 1;
    return count > 1 ? (size_t)count : 1;
}

#if FQ_HAVE_MPI

enum { TAG_ORDER = 1, TAG_DONE, TAG_END };

typedef struct order {
    uint64_t point, slot;
    int64_t threads;
} order;

typedef struct hello {
    char digest[FQ_POINT_ID_TEXT + 7];
    uint64_t slots;
} hello;

fq_status fq_mpi_start(fq_mpi *mpi, const char *digest, size_t slots) {
    *mpi = (fq_mpi){.size = 1};
    if (!fq_mpi_launched())
        return FQ_OK;
    int given = 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS)
        return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "MPI could not be started");
    mpi->active = true;
    MPI_Comm_rank(MPI_COMM_WORLD, &mpi->rank);
    started_rank = mpi->rank;
    MPI_Comm_size(MPI_COMM_WORLD, &mpi->size);
    hello mine = {.slots = slots}, *all = NULL;
    strncpy(mine.digest, digest, sizeof mine.digest - 1);
    FQ_TRY(fq_alloc_zero(&all, (size_t)mpi->size, sizeof *all));
    fq_status status = fq_alloc_zero(&mpi->slots, (size_t)mpi->size, sizeof *mpi->slots);
    if (status == FQ_OK && MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE,
                                         MPI_COMM_WORLD) != MPI_SUCCESS)
        status = FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "MPI: the ranks could not meet");
    for (int r = 0; status == FQ_OK && r < mpi->size; r++) {
        mpi->slots[r] = (size_t)all[r].slots;
        if (memcmp(all[r].digest, all[0].digest, sizeof all[r].digest) != 0)
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT,
                                  "rank %d sees other points than rank 0: the manifest, the files it "
                                  "names and the program must be the same on every machine",
                                  r);
    }
    fq_free(all);
    return status;
}

fq_status fq_mpi_assign(const fq_mpi *mpi, int rank, size_t slot, size_t point, int threads) {
    const order o = {.point = point, .slot = slot, .threads = threads};
    (void)mpi;
    if (MPI_Send(&o, sizeof o, MPI_BYTE, rank, TAG_ORDER, MPI_COMM_WORLD) != MPI_SUCCESS)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "MPI: rank %d cannot be reached", rank);
    return FQ_OK;
}

fq_status fq_mpi_poll(const fq_mpi *mpi, int *from, fq_pool_done done, void *context) {
    int there = 1;
    while (mpi->active && mpi->size > 1) {
        MPI_Status message;
        int length = 0;
        unsigned char *bytes = NULL;
        MPI_Iprobe(MPI_ANY_SOURCE, TAG_DONE, MPI_COMM_WORLD, &there, &message);
        if (!there)
            break;
        MPI_Get_count(&message, MPI_BYTE, &length);
        if (length < (int)sizeof(uint64_t))
            return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "MPI: a message without content");
        FQ_TRY(fq_alloc(&bytes, (size_t)length, 1));
        MPI_Recv(bytes, length, MPI_BYTE, message.MPI_SOURCE, TAG_DONE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        uint64_t slot = 0;
        memcpy(&slot, bytes, sizeof slot);
        *from = message.MPI_SOURCE;
        const fq_status status =
            done(context, (size_t)slot, bytes + sizeof slot, (size_t)length - sizeof slot);
        fq_free(bytes);
        FQ_TRY(status);
    }
    return FQ_OK;
}

/* A pool's outcome, prefixed with its slot, to rank 0. */
static fq_status forward(void *context, size_t worker, const unsigned char *bytes, size_t length) {
    const uint64_t slot = worker;
    unsigned char *message = NULL;
    (void)context;
    if (length > (size_t)(1 << 30))
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "outcome bytes", length, "up to 1 GiB");
    FQ_TRY(fq_alloc(&message, sizeof slot + length, 1));
    memcpy(message, &slot, sizeof slot);
    memcpy(message + sizeof slot, bytes, length);
    const int sent = MPI_Send(message, (int)(sizeof slot + length), MPI_BYTE, 0, TAG_DONE, MPI_COMM_WORLD);
    fq_free(message);
    return sent == MPI_SUCCESS ? FQ_OK : FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "MPI: rank 0 is gone");
}

fq_status fq_mpi_serve(const fq_mpi *mpi, fq_pool *pool, const volatile int *stop) {
    (void)mpi;
    while (!*stop) {
        int there = 0;
        MPI_Status message;
        MPI_Iprobe(0, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &message);
        if (there) {
            order o = {0};
            MPI_Recv(&o, sizeof o, MPI_BYTE, 0, message.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            if (message.MPI_TAG == TAG_END)
                return FQ_OK;
            if (o.slot >= pool->count || o.point >= pool->plan->count)
                return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "MPI: an order for nobody");
            FQ_TRY(fq_pool_assign(pool, (size_t)o.slot, (size_t)o.point, (int)o.threads));
            continue;
        }
        FQ_TRY(fq_pool_wait(pool, 2, forward, NULL));
    }
    return FQ_FAIL(FQ_ERR_INTERRUPTED, "sweep", NULL);
}

void fq_mpi_end(fq_mpi *mpi, bool orderly) {
    if (mpi->active && orderly) {
        const order o = {0};
        for (int r = 1; mpi->rank == 0 && r < mpi->size; r++)
            MPI_Send(&o, sizeof o, MPI_BYTE, r, TAG_END, MPI_COMM_WORLD);
        MPI_Finalize();
    }
    fq_free(mpi->slots);
    mpi->slots = NULL;
    mpi->active = false;
}

const char *fq_mpi_library(void) {
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    if (!text[0])
        MPI_Get_library_version(text, &length);
    return text;
}

#else

fq_status fq_mpi_start(fq_mpi *mpi, const char *digest, size_t slots) {
    (void)digest;
    (void)slots;
    *mpi = (fq_mpi){.size = 1};
    return FQ_OK;
}

fq_status fq_mpi_assign(const fq_mpi *mpi, int rank, size_t slot, size_t point, int threads) {
    (void)mpi;
    (void)slot;
    (void)point;
    (void)threads;
    return FQ_FAIL_VALUE(FQ_ERR_UNSUPPORTED, "rank", rank, "0: built without MPI");
}

fq_status fq_mpi_poll(const fq_mpi *mpi, int *from, fq_pool_done done, void *context) {
    (void)mpi;
    (void)from;
    (void)done;
    (void)context;
    return FQ_OK;
}

fq_status fq_mpi_serve(const fq_mpi *mpi, fq_pool *pool, const volatile int *stop) {
    (void)mpi;
    (void)pool;
    (void)stop;
    return FQ_FAIL(FQ_ERR_UNSUPPORTED, "MPI", "a build with MPI");
}

void fq_mpi_end(fq_mpi *mpi, bool orderly) {
    (void)orderly;
    mpi->active = false;
}

const char *fq_mpi_library(void) {
    return "none";
}

#endif
