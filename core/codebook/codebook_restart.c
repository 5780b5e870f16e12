#include "codebook_restart.h"

#include <string.h>

#include "memory.h"
#include "rotation.h"
#include "stream_ranges.h"

fq_status fq_train_report(const fq_progress *progress, double fraction) {
    if (progress->report && !progress->report(progress->context, fraction))
        return FQ_FAIL(FQ_ERR_INTERRUPTED, "training", "a progress listener that goes on");
    return FQ_OK;
}

fq_status fq_train_rotate(float *words, size_t codewords, size_t block, uint64_t seed, uint64_t number) {
    fq_rotation *rotation = NULL;
    float *rotated = NULL;
    fq_status status;
    FQ_TRY_GOTO(status,
                fq_rotation_create(&rotation, FQ_ROTATION_HAAR, block, seed,
                                   fq_stream_number(FQ_RANGE_RESTART_ROTATIONS, number)),
                done);
    FQ_TRY_GOTO(status, fq_alloc(&rotated, codewords * block, sizeof *rotated), done);
    fq_rotation_apply(rotation, rotated, words, codewords);
    memcpy(words, rotated, codewords * block * sizeof *words);
done:
    fq_free(rotated);
    fq_rotation_destroy(rotation);
    return status;
}

double fq_train_assign_work(size_t N, size_t k) {
    return 2.0 * (double)N * (double)k + 500 + 50 * (double)k;
}

double fq_train_sample_work(size_t N, size_t k) {
    return fq_train_assign_work(N, k) + 2000 + 250 * (double)k;
}
