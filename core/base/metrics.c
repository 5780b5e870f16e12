#include "metrics.h"

#include <math.h>

#include "memory.h"
#include "parallel.h"
#include "threads.h"

enum { DISTORTION, COSINE, GAIN, BIAS, SQUARED_ERROR, VALUES };

fq_estimate fq_estimate_of(const double *value, size_t n) {
    fq_estimate estimate = {(double)NAN, (double)NAN};
    if (n == 0)
        return estimate;
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += value[i];
    estimate.mean = sum / (double)n;
    for (size_t i = 0; i < n; i++)
        squares += (value[i] - estimate.mean) * (value[i] - estimate.mean);
    if (n > 1)
        estimate.se = sqrt(squares / (double)(n - 1) / (double)n);
    return estimate;
}

static double dot(const float *a, const float *b, size_t d) {
    double sum = 0;
    for (size_t j = 0; j < d; j++)
        sum += (double)a[j] * (double)b[j];
    return sum;
}

static fq_status check_finite(const float *x, size_t n, const char *argument) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, argument, i,
                                 "finite numbers; the value is the first other one's index");
    return FQ_OK;
}

/* The VALUES numbers of one vector; y - x is taken coordinate by coordinate, which keeps small
 * errors that differences of large inner products would lose. */
static void measure_vector(double *value, size_t dim, const float *x, const float *y, double norm,
                           const float *queries, const double *query_norm, size_t m) {
    double error = 0;
    for (size_t j = 0; j < dim; j++)
        error += ((double)y[j] - (double)x[j]) * ((double)y[j] - (double)x[j]);
    const double squared = norm * norm, xy = dot(x, y, dim), y_norm = sqrt(dot(y, y, dim));
    value[DISTORTION] = error / squared;
    value[COSINE] = y_norm > 0 ? xy / (norm * y_norm) : 0;
    value[GAIN] = xy / squared;
    double sum = 0, squares = 0;
    for (size_t t = 0; t < m; t++) {
        double product = 0;
        for (size_t j = 0; j < dim; j++)
            product += (double)queries[t * dim + j] * ((double)y[j] - (double)x[j]);
        product /= query_norm[t] * norm;
        sum += product;
        squares += product * product;
    }
    value[BIAS] = sum / (double)m;
    value[SQUARED_ERROR] = squares / (double)m;
}

/* Vectors to measure, and who measures which. */
typedef struct measure_job {
    size_t dim, n, m, workers;
    const float *x, *y, *queries;
    const double *query_norm; /* [m] */
    double *norm, *value;     /* [n], [n][VALUES] */
} measure_job;

static void measure_share(void *context, size_t worker) {
    const measure_job *j = context;
    const fq_slice slice = fq_slice_of(j->n, j->workers, worker);
    for (size_t i = slice.first; i < slice.end; i++) {
        const float *x = j->x + i * j->dim;
        j->norm[i] = sqrt(dot(x, x, j->dim));
        if (j->norm[i] > 0)
            measure_vector(j->value + i * VALUES, j->dim, x, j->y + i * j->dim, j->norm[i], j->queries,
                           j->query_norm, j->m);
    }
}

fq_status fq_metrics_measure(fq_metrics *metrics, size_t dim, const float *x, const float *y, size_t n,
                             const float *queries, size_t m) {
    size_t elements = 0, query_elements = 0;
    FQ_TRY(fq_size_multiply(&elements, n, dim, "n"));
    FQ_TRY(fq_size_multiply(&query_elements, m, dim, "m"));
    FQ_TRY(check_finite(x, elements, "x"));
    FQ_TRY(check_finite(y, elements, "y"));
    FQ_TRY(check_finite(queries, query_elements, "queries"));
    double *norm = NULL, *query_norm = NULL, *value = NULL, *column = NULL;
    fq_status status;
    FQ_TRY_GOTO(status, fq_alloc(&norm, n, sizeof *norm), done);
    FQ_TRY_GOTO(status, fq_alloc(&query_norm, m, sizeof *query_norm), done);
    FQ_TRY_GOTO(status, fq_alloc(&value, n, VALUES * sizeof *value), done);
    FQ_TRY_GOTO(status, fq_alloc(&column, n, sizeof *column), done);
    for (size_t t = 0; t < m; t++) {
        query_norm[t] = sqrt(dot(queries + t * dim, queries + t * dim, dim));
        if (!(query_norm[t] > 0)) {
            status = FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "queries", t, "queries other than zero");
            goto done;
        }
    }
    measure_job job = {.dim = dim,
                       .n = n,
                       .m = m,
                       .workers = (size_t)fq_threads_get(),
                       .x = x,
                       .y = y,
                       .queries = queries,
                       .query_norm = query_norm,
                       .norm = norm,
                       .value = value};
    fq_parallel(job.workers, measure_share, &job);
    fq_metrics made = {0};
    fq_estimate *const estimates[VALUES] = {&made.distortion, &made.cosine, &made.gain, &made.product_bias,
                                            &made.product_squared_error};
    for (size_t v = 0; v < VALUES; v++) {
        made.vectors = 0;
        for (size_t i = 0; i < n; i++)
            if (norm[i] > 0)
                column[made.vectors++] = value[i * VALUES + v];
        *estimates[v] = fq_estimate_of(column, made.vectors);
    }
    made.zero_vectors = n - made.vectors;
    *metrics = made;
done:
    fq_free(column);
    fq_free(value);
    fq_free(query_norm);
    fq_free(norm);
    return status;
}
