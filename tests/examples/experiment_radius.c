/* How to add an experiment: this file, and the line FQ_EXPERIMENT(radius) in experiments/experiments.def.
 *
 * It measures E|X|^2 of the canonical source by sampling and sets the exact k/d beside it. The
 * parameter trouble is for the tests: it makes a point fail in a chosen way.
 */
#include <math.h>
#include <signal.h>
#include <string.h>

#include "experiment.h"
#include "failure.h"
#include "memory.h"
#include "source.h"

static const fq_parameter parameters[] = {
    {.name = "dim", .type = FQ_PARAMETER_INTEGER, .least = 2, .most = 16384, .description = "dimension d"},
    {.name = "block", .type = FQ_PARAMETER_INTEGER, .least = 1, .most = 1024, .description = "block k"},
    {.name = "samples",
     .type = FQ_PARAMETER_INTEGER,
     .least = 2,
     .most = 1e7,
     .fallback = "1000",
     .description = "samples"},
    {.name = "trouble",
     .type = FQ_PARAMETER_TEXT,
     .allowed = "none|error|crash|no_row",
     .fallback = "none",
     .description = "how the point shall fail"},
    {0}};

static const fq_value_column columns[] = {
    {"mean", FQ_VALUE_REAL, 0, "1", "sample mean of |X|^2", FQ_ROLE_VALUE},
    {"mean_se", FQ_VALUE_REAL, 0, "1", "its standard error", FQ_ROLE_VALUE},
    {"exact", FQ_VALUE_REAL, 0, "1", "k/d", FQ_ROLE_VALUE},
    {0}};

static fq_status check(const fq_point *point) {
    if (fq_point_size(point, "block") <= fq_point_size(point, "dim"))
        return FQ_OK;
    return FQ_FAIL_TEXT(FQ_ERR_ARGUMENT, "key \"block\": %zu; allowed: up to dim = %zu",
                        fq_point_size(point, "block"), fq_point_size(point, "dim"));
}

static fq_status run(const fq_point *point, fq_resources *resources, fq_rows *rows) {
    const size_t dim = fq_point_size(point, "dim"), block = fq_point_size(point, "block");
    const size_t n = fq_point_size(point, "samples");
    const char *trouble = fq_point_text(point, "trouble");
    fq_source source;
    float *x = NULL;
    double sum = 0.0, squares = 0.0;
    (void)resources;
    if (strcmp(trouble, "error") == 0)
        return FQ_FAIL_TEXT(FQ_ERR_CONVERGENCE, "as asked for");
    if (strcmp(trouble, "crash") == 0)
        raise(SIGKILL);
    if (strcmp(trouble, "no_row") == 0)
        return FQ_OK;
    FQ_TRY(fq_source_init(&source, dim, block));
    FQ_TRY(fq_alloc(&x, n * block, sizeof *x));
    fq_source_sample(&source, fq_point_seed(point), FQ_PURPOSE_EVALUATE, 0, n, x);
    for (size_t i = 0; i < n; i++) {
        double r2 = 0.0;
        for (size_t j = 0; j < block; j++)
            r2 += (double)x[i * block + j] * (double)x[i * block + j];
        sum += r2;
        squares += r2 * r2;
    }
    fq_free(x);
    const double mean = sum / (double)n;
    FQ_TRY(fq_rows_add(rows));
    fq_rows_real(rows, "mean", mean);
    fq_rows_real(rows, "mean_se", sqrt(fmax(squares / (double)n - mean * mean, 0.0) / (double)(n - 1)));
    fq_rows_real(rows, "exact", fq_source_mean_squared_radius(&source));
    return FQ_OK;
}

const fq_experiment fq_experiment_radius = {.name = "radius",
                                            .summary = "mean squared radius of the canonical source",
                                            .version = 1,
                                            .parameters = parameters,
                                            .columns = columns,
                                            .check = check,
                                            .run = run};
