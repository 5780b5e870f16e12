#include "distortion_summary.h"

#include <math.h>
#include <string.h>

#include "failure.h"
#include "figure.h"
#include "scalar_quantizer.h"

typedef struct columns {
    size_t family, block, codewords, recipe, rate, dim, distortion, se, shannon, high_rate;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->family, t, "family", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->codewords, t, "codewords", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->recipe, t, "recipe", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->rate, t, "rate", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->distortion, t, "distortion", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "distortion_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->shannon, t, "shannon_bound", FQ_VALUE_REAL));
    return fq_figure_column(&c->high_rate, t, "high_rate", FQ_VALUE_REAL);
}

static bool is_fib(const fq_table *t, const columns *c, size_t row, const char *recipe) {
    return strcmp(fq_table_text(t, row, c->family), "fib") == 0 &&
           strcmp(fq_table_text(t, row, c->recipe), recipe) == 0;
}

/* D of the paper's recipe at the same (d, k, N), or NaN. */
static double of_paper(const fq_table *t, const columns *c, size_t like) {
    for (size_t row = 0; row < t->count; row++)
        if (is_fib(t, c, row, "paper") &&
            fq_table_integer(t, row, c->dim) == fq_table_integer(t, like, c->dim) &&
            fq_table_integer(t, row, c->block) == fq_table_integer(t, like, c->block) &&
            fq_table_integer(t, row, c->codewords) == fq_table_integer(t, like, c->codewords))
            return fq_table_real(t, row, c->distortion);
    return (double)NAN;
}

/* D of the scalar code at a whole rate, or NaN. */
static double of_scalar(size_t dim, double rate) {
    fq_scalar_quantizer q;
    if (rate != floor(rate) || rate < 1 || rate > 16 ||
        fq_scalar_quantizer_init(&q, dim, (size_t)exp2(rate)) != FQ_OK)
        return (double)NAN;
    const double distortion = q.distortion;
    fq_scalar_quantizer_clear(&q);
    return distortion;
}

static void print_value(FILE *to, double value) {
    if (isnan(value))
        fprintf(to, " %10s", "-");
    else
        fprintf(to, " %10.6f", value);
}

fq_status fq_distortion_summary_print(FILE *to, const fq_results *store) {
    const fq_table *t = fq_results_table(store, "rate-distortion");
    if (!t)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "no table rate-distortion");
    columns c;
    FQ_TRY(find(&c, t));
    fprintf(to,
            "Normalised distortion D on fresh samples (D = 1 at rate 0); lower is better.\n"
            "%4s %3s %6s %7s %10s %10s %10s %10s %10s %10s %9s\n",
            "d", "k", "N", "rate", "population", "std error", "paper's", "scalar", "Shannon", "high rate",
            "/Shannon");
    for (size_t row = 0; row < t->count; row++) {
        if (!is_fib(t, &c, row, "population"))
            continue;
        const double distortion = fq_table_real(t, row, c.distortion);
        const double rate = fq_table_real(t, row, c.rate), shannon = fq_table_real(t, row, c.shannon);
        fprintf(to, "%4lld %3lld %6lld %7.4f", (long long)fq_table_integer(t, row, c.dim),
                (long long)fq_table_integer(t, row, c.block),
                (long long)fq_table_integer(t, row, c.codewords), rate);
        print_value(to, distortion);
        print_value(to, fq_table_real(t, row, c.se));
        print_value(to, of_paper(t, &c, row));
        print_value(to, of_scalar((size_t)fq_table_integer(t, row, c.dim), rate));
        print_value(to, shannon);
        print_value(to, fq_table_real(t, row, c.high_rate));
        fprintf(to, " %9.4f\n", distortion / shannon);
    }
    return FQ_OK;
}
