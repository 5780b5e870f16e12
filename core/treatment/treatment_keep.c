#include <math.h>
#include <stdlib.h>

#include "fp16.h"
#include "memory.h"
#include "treatment_family.h"

enum { RUN = 32 };

const char *const fq_treatment_keep_words[] = {"8.5", "16", NULL};

double fq_treatment_keep_bits(double choice) {
    return choice == 0 ? 8.5 : 16.0;
}

double fq_treatment_keep_cost(size_t dim, double bits) {
    return bits > 8.5 ? 16.0 * (double)dim : 8.0 * (double)dim + 16.0 * (double)((dim + RUN - 1) / RUN);
}

/* Up to 32 neighbours as whole multiples of a half, as llama.cpp's q8_0 stores them. */
static void round_run(float *kept, const float *x, size_t n) {
    float most = 0.0F;
    for (size_t i = 0; i < n; i++)
        most = fabsf(x[i]) > most ? fabsf(x[i]) : most;
    const float step = fq_fp16_to_float(fq_fp16_from_float(most / 127.0F));
    const float inverse = most > 0.0F ? 127.0F / most : 0.0F;
    for (size_t i = 0; i < n; i++)
        kept[i] = step * roundf(x[i] * inverse);
}

void fq_treatment_keep_round(float *kept, const float *x, size_t n, size_t dim, double bits) {
    if (bits > 8.5) {
        for (size_t i = 0; i < n * dim; i++)
            kept[i] = fq_fp16_to_float(fq_fp16_from_float(x[i]));
        return;
    }
    for (size_t t = 0; t < n; t++)
        for (size_t i = 0; i < dim; i += RUN)
            round_run(kept + t * dim + i, x + t * dim + i, dim - i < RUN ? dim - i : RUN);
}

static int by_value(const void *a, const void *b) {
    const double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static double norm_of(const float *x, size_t dim) {
    double sum = 0.0;
    for (size_t i = 0; i < dim; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

fq_status fq_treatment_median_norm(double *median, const float *x, size_t n, size_t dim) {
    double *norms = NULL;
    FQ_TRY(fq_alloc(&norms, n, sizeof *norms));
    for (size_t t = 0; t < n; t++)
        norms[t] = norm_of(x + t * dim, dim);
    qsort(norms, n, sizeof *norms, by_value);
    *median = n % 2 ? norms[n / 2] : 0.5 * (norms[n / 2 - 1] + norms[n / 2]);
    fq_free(norms);
    return FQ_OK;
}

bool fq_treatment_in_pool(const fq_treatment_keep *keep, const float *const *value, const double *median,
                          size_t heads, size_t dim) {
    double mean = 0.0;
    for (size_t h = 0; h < heads; h++)
        mean += median[h] > 0.0 ? norm_of(value[h], dim) / median[h] : 1.0;
    return mean / (double)heads < keep->pool_below;
}
