/* How long a population codebook takes to within half a percent of the optimum. */
#include <math.h>
#include <stdio.h>

#include "bench.h"
#include "codebook_training.h"

enum { DIM = 64, FRESH = 1 << 19 };
static const double half_percent = 0.005;

typedef struct train_work {
    fq_train_options options;
    fq_codebook made, reference;
    size_t fresh; /* samples that distortions are measured on */
} train_work;

static fq_status train(void *context) {
    train_work *const w = context;
    fq_codebook_clear(&w->made);
    return fq_codebook_train(&w->made, &w->options);
}

/* The reference stands for the optimum: trained longer, to a tolerance that it is known not to exceed. Both
 * are measured on the same samples, which neither was trained on. */
static bool check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    train_work *const w = context;
    if (fq_codebook_measure(&w->made, 1, w->fresh) != FQ_OK ||
        fq_codebook_measure(&w->reference, 1, w->fresh) != FQ_OK) {
        snprintf(why, FQ_BENCH_WHY_MAX, "its distortion could not be measured");
        return false;
    }
    const double excess = w->made.distortion / w->reference.distortion - 1;
    const double error = hypot(w->made.distortion_se, w->reference.distortion_se) / w->reference.distortion;
    if (excess <= half_percent + 6 * error)
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "distortion %.6g, %.2f %% above %.6g (standard error %.2f %%)",
             w->made.distortion, 100 * excess, w->reference.distortion, 100 * error);
    return false;
}

static fq_status measure(fq_bench_session *session, const char *name, size_t block, size_t codewords,
                         double seconds) {
    const size_t N = fq_bench_size(session, codewords, 16), k = fq_bench_size(session, block, 2);
    train_work work = {.fresh = fq_bench_size(session, FRESH, 1 << 15)};
    fq_codebook_init(&work.made);
    fq_codebook_init(&work.reference);
    work.options = (fq_train_options){.dim = DIM,
                                      .block = k,
                                      .codewords = N,
                                      .recipe = FQ_RECIPE_POPULATION,
                                      .seed = fq_bench_seed(session),
                                      .tolerance = half_percent};
    fq_train_options longer = work.options;
    longer.seed++;
    longer.tolerance = fq_bench_size(session, 1, 0) ? 0.002 : half_percent;
    fq_status status = fq_codebook_train(&work.reference, &longer);
    if (status == FQ_OK) {
        const fq_bench_case the_case = {
            .name = name,
            .unit = "codebooks",
            .amount = 1,
            .once = true,
            .work = "a population codebook, checked against one trained to 0.2 % on fresh samples"};
        fq_bench_begin(session, &the_case);
        const size_t threads = fq_bench_threads(session) < 2 ? 1 : 2;
        fq_bench_add(session, &(fq_bench_variant){.name = "ours, to 0.5 %",
                                                  .kind = FQ_BENCH_OURS,
                                                  .run = train,
                                                  .check = check,
                                                  .context = &work,
                                                  .threads = threads,
                                                  .target = {FQ_GOAL_SECONDS, seconds, NULL}});
        status = fq_bench_measure(session);
    }
    fq_codebook_clear(&work.made);
    fq_codebook_clear(&work.reference);
    return status;
}

static fq_status run(fq_bench_session *session) {
    if (fq_bench_wanted(session, "d=64,k=4,N=256"))
        FQ_TRY(measure(session, "d=64,k=4,N=256", 4, 256, 10));
    if (fq_bench_wanted(session, "d=64,k=8,N=4096"))
        FQ_TRY(measure(session, "d=64,k=8,N=4096", 8, 4096, 180));
    return FQ_OK;
}

const fq_bench fq_bench_codebook = {"codebook", "population codebooks to half a percent of the optimum",
                                    false, run};
