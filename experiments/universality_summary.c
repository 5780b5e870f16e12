#include "universality_summary.h"

#include <math.h>
#include <string.h>

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>

#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "sources.h"

typedef struct columns {
    size_t cache, codec, kind, rotations, tokens, layer, head, ratio, t, p, worth, threshold, tests, deviates,
        canonical;
    size_t family_error, model, text;
    const fq_sources *sources;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->cache, t, "cache_sha256", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->kind, t, "kind", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->rotations, t, "rotations", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->tokens, t, "tokens", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->layer, t, "layer", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->head, t, "head", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->ratio, t, "ratio", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->t, t, "t", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->p, t, "p", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->worth, t, "effective_vectors", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->threshold, t, "threshold", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->tests, t, "tests", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->deviates, t, "deviates", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->canonical, t, "canonical", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->family_error, t, "family_error", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    return fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT);
}

static bool same_group(const fq_table *t, const columns *c, size_t a, size_t b) {
    return c->sources->of_row[a] == c->sources->of_row[b] &&
           strcmp(fq_table_text(t, a, c->codec), fq_table_text(t, b, c->codec)) == 0 &&
           strcmp(fq_table_text(t, a, c->kind), fq_table_text(t, b, c->kind)) == 0;
}

static bool is_first(const fq_table *t, const columns *c, size_t row) {
    for (size_t before = 0; before < row; before++)
        if (same_group(t, c, before, row))
            return false;
    return true;
}

/* ratio, t and worth: [t->count] each, for the group's values. */
static void print_group(FILE *to, const fq_table *t, const columns *c, size_t first, double *ratio,
                        double *score, double *worth) {
    size_t n = 0, deviating = 0;
    for (size_t row = first; row < t->count; row++) {
        if (!same_group(t, c, first, row))
            continue;
        ratio[n] = fq_table_real(t, row, c->ratio);
        score[n] = fq_table_real(t, row, c->t);
        worth[n++] = fq_table_real(t, row, c->worth);
        deviating += fq_table_integer(t, row, c->deviates) != 0;
    }
    gsl_sort(worth, 1, n);
    fprintf(to, "%-30s %-6s %9.6f %6zu %9.4f %9.4f %9.2f %9.1f %9zu\n", fq_table_text(t, first, c->codec),
            fq_table_text(t, first, c->kind), fq_table_real(t, first, c->canonical), n,
            gsl_stats_min(ratio, 1, n), gsl_stats_max(ratio, 1, n),
            n > 1 ? gsl_stats_sd(score, 1, n) : (double)NAN, gsl_stats_median_from_sorted_data(worth, 1, n),
            deviating);
    for (size_t row = first; row < t->count; row++)
        if (same_group(t, c, first, row) && fq_table_integer(t, row, c->deviates) != 0)
            fprintf(to, "    deviates: layer %lld, head %lld: ratio %.4f, t = %.1f, p = %.1e\n",
                    (long long)fq_table_integer(t, row, c->layer),
                    (long long)fq_table_integer(t, row, c->head), fq_table_real(t, row, c->ratio),
                    fq_table_real(t, row, c->t), fq_table_real(t, row, c->p));
}

/* Caches and settings apart: a heading for each. */
static void print_source(FILE *to, const fq_table *t, const columns *c, const fq_sources *s, size_t source,
                         double *work) {
    const size_t first = s->first[source];
    fprintf(
        to,
        "%sUniversality on the KV cache of %s over %s%s%s%s: D of each layer and head over the canonical "
        "source's.\n"
        "%lld tokens a head, %lld rotations; deviates: |t| > %.2f, a false alarm in any of %lld tests with "
        "probability %g.\n"
        "%-30s %-6s %9s %6s %9s %9s %9s %9s %9s\n",
        source ? "\n" : "", fq_table_text(t, first, c->model), fq_table_text(t, first, c->text),
        s->label[source][0] ? " (" : "", s->label[source], s->label[source][0] ? ")" : "",
        (long long)fq_table_integer(t, first, c->tokens), (long long)fq_table_integer(t, first, c->rotations),
        fq_table_real(t, first, c->threshold), (long long)fq_table_integer(t, first, c->tests),
        fq_table_real(t, first, c->family_error), "codec", "kind", "canonical", "heads", "least", "largest",
        "sd of t", "worth", "deviate");
    for (size_t row = 0; row < t->count; row++)
        if (s->of_row[row] == source && is_first(t, c, row))
            print_group(to, t, c, row, work, work + t->count, work + 2 * t->count);
}

fq_status fq_universality_summary_print(FILE *to, const fq_results *store) {
    const fq_table *t = fq_results_table(store, "universality");
    double *work = NULL;
    fq_sources sources;
    columns c;
    if (!t || t->count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "no table universality, or an empty one");
    FQ_TRY(find(&c, t));
    FQ_TRY(fq_sources_find(&sources, t, FQ_UNIVERSALITY_SOURCES));
    c.sources = &sources;
    const fq_status status = fq_alloc(&work, t->count, 3 * sizeof *work);
    for (size_t source = 0; source < sources.count && status == FQ_OK; source++)
        print_source(to, t, &c, &sources, source, work);
    fq_free(work);
    fq_sources_clear(&sources);
    return status;
}
