/* The law of a block's radius: the density of f_{d,k} beside a histogram of drawn samples.
 *
 * One row a bin. The histogram's standard error is the binomial one of the bin's exact probability.
 */
#include <math.h>

#include "experiment.h"
#include "memory.h"
#include "source.h"

static const fq_parameter parameters[] = {
    {.name = "dim",
     .type = FQ_PARAMETER_INTEGER,
     .least = 3,
     .most = FQ_DIM_MAX,
     .description = "vector dimension d"},
    {.name = "block",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1,
     .most = FQ_BLOCK_MAX,
     .description = "block dimension k, at most d-1"},
    {.name = "samples",
     .type = FQ_PARAMETER_INTEGER,
     .least = 1000,
     .most = 1e9,
     .fallback = "200000",
     .description = "how many blocks are drawn"},
    {.name = "bins",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 10000,
     .fallback = "40",
     .description = "bins of equal width between radius 0 and the 0.99995 quantile"},
    {0}};

static const fq_value_column columns[] = {
    {.name = "radius", .type = FQ_VALUE_REAL, .units = "1", .description = "middle of the bin"},
    {.name = "density",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "density of R = |X| at the middle of the bin"},
    {.name = "bin_density",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "exact probability of the bin over its width"},
    {.name = "histogram",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "share of the samples in the bin over its width"},
    {.name = "histogram_se",
     .type = FQ_VALUE_REAL,
     .units = "1",
     .description = "standard error of histogram"},
    {0}};

static fq_status check(const fq_point *point) {
    if (fq_point_size(point, "block") >= fq_point_size(point, "dim"))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", fq_point_integer(point, "block"),
                             "1 to dim-1: at k = d the source lies on the sphere");
    return FQ_OK;
}

static fq_point_cost cost(const fq_point *point) {
    const double samples = fq_point_real(point, "samples"), block = fq_point_real(point, "block");
    return (fq_point_cost){.seconds = samples * (6e-8 + 1e-8 * block), .memory_bytes = 4096 * block * 4};
}

/* Samples are drawn in chunks of this many, so that memory does not grow with their number. */
enum { CHUNK = 4096 };

static void count(uint64_t *counts, size_t bins, double width, const float *x, size_t n, size_t k) {
    for (size_t i = 0; i < n; i++) {
        double squared = 0;
        for (size_t j = 0; j < k; j++)
            squared += (double)x[i * k + j] * (double)x[i * k + j];
        const double bin = sqrt(squared) / width;
        if (bin < (double)bins)
            counts[(size_t)bin]++;
    }
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    (void)resources;
    const size_t k = fq_point_size(point, "block"), bins = fq_point_size(point, "bins");
    const size_t samples = fq_point_size(point, "samples");
    fq_source source;
    FQ_TRY(fq_source_init(&source, fq_point_size(point, "dim"), k));
    const double width = fq_source_radial_quantile(&source, 0.99995) / (double)bins;
    float *x = NULL;
    uint64_t *counts = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&x, CHUNK * k, sizeof *x), done);
    FQ_TRY_GOTO(status, fq_alloc_zero(&counts, bins, sizeof *counts), done);
    for (size_t first = 0; first < samples; first += CHUNK) {
        const size_t n = samples - first < CHUNK ? samples - first : CHUNK;
        fq_source_sample(&source, fq_point_seed(point), FQ_PURPOSE_EVALUATE, first, n, x);
        count(counts, bins, width, x, n, k);
        fq_rows_progress(rows, (double)(first + n) / (double)samples);
    }
    for (size_t i = 0; i < bins; i++) {
        const double low = (double)i * width, high = low + width;
        const double probability = fq_source_radial_cdf(&source, high) - fq_source_radial_cdf(&source, low);
        const double scale = width * (double)samples;
        FQ_TRY_GOTO(status, fq_rows_add(rows), done);
        fq_rows_real(rows, "radius", (low + high) / 2);
        fq_rows_real(rows, "density", fq_source_radial_density(&source, (low + high) / 2));
        fq_rows_real(rows, "bin_density", probability / width);
        fq_rows_real(rows, "histogram", (double)counts[i] / scale);
        fq_rows_real(rows, "histogram_se", sqrt((double)samples * probability * (1 - probability)) / scale);
    }
done:
    fq_free(counts);
    fq_free(x);
    return status;
}

const fq_experiment fq_experiment_source_law = {
    .name = "source-law",
    .summary = "density of a block's radius beside a histogram of drawn samples",
    .version = 1,
    .parameters = parameters,
    .columns = columns,
    .check = check,
    .cost = cost,
    .run = run,
};
