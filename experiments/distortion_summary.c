#include "distortion_summary.h"

#include <math.h>
#include <string.h>

#include "failure.h"
#include "figure.h"
#include "scalar_quantizer.h"

typedef struct columns {
    size_t codec, family, block, codewords, recipe, source, rate, dim, distortion, se, shannon, high_rate;
    size_t every_code; /* or the number of columns: stores of older programs have none */
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->source, t, "source", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->family, t, "family", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->codewords, t, "codewords", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->recipe, t, "recipe", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->rate, t, "rate", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->distortion, t, "distortion", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "distortion_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->shannon, t, "shannon_bound", FQ_VALUE_REAL));
    c->every_code = fq_table_find(t, "every_code_bound");
    return fq_figure_column(&c->high_rate, t, "high_rate", FQ_VALUE_REAL);
}

/* The row of the same codec, dimension and source with the paper's training, or the table's count. */
static size_t of_paper(const fq_table *t, const columns *c, size_t like) {
    for (size_t row = 0; row < t->count; row++)
        if (strcmp(fq_table_text(t, row, c->recipe), "paper") == 0 &&
            strcmp(fq_table_text(t, row, c->family), fq_table_text(t, like, c->family)) == 0 &&
            strcmp(fq_table_text(t, row, c->source), fq_table_text(t, like, c->source)) == 0 &&
            fq_table_integer(t, row, c->dim) == fq_table_integer(t, like, c->dim) &&
            fq_table_integer(t, row, c->block) == fq_table_integer(t, like, c->block) &&
            fq_table_integer(t, row, c->codewords) == fq_table_integer(t, like, c->codewords))
            return row;
    return t->count;
}

/* Whether a row with the paper's training stands beside another line: one with population training. */
static bool is_beside(const fq_table *t, const columns *c, size_t row) {
    for (size_t other = 0; other < t->count; other++)
        if (strcmp(fq_table_text(t, other, c->recipe), "population") == 0 && of_paper(t, c, other) == row)
            return true;
    return false;
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
            "Normalised distortion D on fresh samples (D = 1 at rate 0); lower is better. Of blocks of the "
            "source, "
            "or of whole\nvectors where it says so; paper's: the same code with the paper's training; any "
            "code: what no code of as many words in a\nblock goes below, and how far above it D is.\n"
            "%4s %-28s %7s %10s %10s %10s %10s %10s %10s %10s %9s\n",
            "d", "codec", "rate", "D", "std error", "paper's", "scalar", "Shannon", "high rate", "any code",
            "above it");
    for (size_t row = 0; row < t->count; row++) {
        if (is_beside(t, &c, row))
            continue;
        const double distortion = fq_table_real(t, row, c.distortion);
        const double rate = fq_table_real(t, row, c.rate), shannon = fq_table_real(t, row, c.shannon);
        const size_t paper =
            strcmp(fq_table_text(t, row, c.recipe), "population") == 0 ? of_paper(t, &c, row) : t->count;
        const bool vectors = strcmp(fq_table_text(t, row, c.source), "vector") == 0;
        char codec[240];
        snprintf(codec, sizeof codec, "%s%s", fq_table_text(t, row, c.codec), vectors ? " (vectors)" : "");
        fprintf(to, "%4lld %-28s %7.4f", (long long)fq_table_integer(t, row, c.dim), codec, rate);
        print_value(to, distortion);
        print_value(to, fq_table_real(t, row, c.se));
        print_value(to, paper < t->count ? fq_table_real(t, paper, c.distortion) : (double)NAN);
        print_value(to, of_scalar((size_t)fq_table_integer(t, row, c.dim), rate));
        print_value(to, shannon);
        print_value(to, fq_table_real(t, row, c.high_rate));
        const double bound =
            c.every_code < t->column_count ? fq_table_real(t, row, c.every_code) : (double)NAN;
        print_value(to, bound);
        if (isnan(bound))
            fprintf(to, " %9s\n", "-");
        else
            fprintf(to, " %7.2f %%\n", 100 * (distortion / bound - 1));
    }
    return FQ_OK;
}
