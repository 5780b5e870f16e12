#include "fidelity_summary.h"

#include <math.h>
#include <string.h>

#include "failure.h"
#include "fidelity_series.h"
#include "memory.h"
#include "pareto.h"

typedef struct claim {
    double compression, cosine;
} claim;

/* Mean cosine of a row's configuration: of rows that differ by their seeds alone none is picked out. */
static double cosine_of(const fq_fidelity_view *v, size_t row) {
    double se;
    size_t rows;
    return fq_fidelity_config_cosine(v, v->config_of[row], &se, &rows);
}

/* The row of a series with the best cosine at this compression or more, or the table's count. */
static size_t best_at(const fq_fidelity_view *v, size_t series, size_t column, double least) {
    size_t best = v->table->count;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->series_of[row] == series && fq_table_real(v->table, row, column) >= least &&
            (best == v->table->count || cosine_of(v, row) > cosine_of(v, best)))
            best = row;
    return best;
}

/* The row with the largest compression among those of at least this cosine, or the table's count. */
static size_t farthest(const fq_fidelity_view *v, size_t series, size_t column, double cosine) {
    size_t best = v->table->count;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->series_of[row] == series && cosine_of(v, row) >= cosine &&
            (best == v->table->count ||
             fq_table_real(v->table, row, column) > fq_table_real(v->table, best, column)))
            best = row;
    return best;
}

static void print_point(FILE *to, const fq_fidelity_view *v, size_t row, size_t compression) {
    double se = (double)NAN;
    size_t rows;
    if (row == v->table->count) {
        fprintf(to, " %24s", "-");
        return;
    }
    const double cosine = fq_fidelity_config_cosine(v, v->config_of[row], &se, &rows);
    fprintf(to, " %7.4f +- %.4f (%5.2fx)", cosine, se, fq_table_real(v->table, row, compression));
}

static void print_reach(FILE *to, const fq_fidelity_view *v, size_t series, double cosine) {
    const size_t payload = farthest(v, series, v->payload, cosine),
                 stored = farthest(v, series, v->stored, cosine);
    if (payload == v->table->count)
        fprintf(to, " %8s %8s\n", "-", "-");
    else
        fprintf(to, " %7.2fx %7.2fx\n", fq_table_real(v->table, payload, v->payload),
                fq_table_real(v->table, stored, v->stored));
}

/* The codecs of a row and what was done besides. */
static void print_name(FILE *to, const fq_fidelity_view *v, size_t row) {
    const char *value = fq_table_text(v->table, row, v->value_codec),
               *treatment = fq_table_text(v->table, row, v->treatment);
    fputs(fq_table_text(v->table, row, v->codec), to);
    if (strcmp(value, "same") != 0)
        fprintf(to, "; values %s", value);
    if (strcmp(treatment, "none") != 0)
        fprintf(to, "; %s", treatment);
}

/* Which codecs stand behind the second column, as their names are long. */
static void print_codec(FILE *to, const fq_fidelity_view *v, size_t series, double compression) {
    const size_t row = best_at(v, series, v->payload, compression);
    if (row == v->table->count)
        return;
    fprintf(to, "  %s: ", v->series.label[series]);
    print_name(to, v, row);
    fputc('\n', to);
}

/* Every variant at the payload rate of 2 bits: what helps, and what does not. */
static void print_variants(FILE *to, const fq_fidelity_view *v) {
    fprintf(to, "\nAll at 8x of payload (2 bits a coordinate):\n%8s %8s %8s %8s %8s\n", "cosine", "SE",
            "K alone", "V alone", "stored");
    for (size_t row = 0; row < v->table->count; row++) {
        if (fabs(fq_table_real(v->table, row, v->payload) - 8.0) > 0.05)
            continue;
        fprintf(to, "%8.4f %8.4f %8.4f %8.4f %7.2fx  ", fq_table_real(v->table, row, v->cosine),
                fq_table_real(v->table, row, v->se), fq_table_real(v->table, row, v->key),
                fq_table_real(v->table, row, v->value), fq_table_real(v->table, row, v->stored));
        print_name(to, v, row);
        const char *where = v->sources.label[v->sources.of_row[row]];
        fprintf(to, "%s%s%s\n", where[0] ? " (" : "", where, where[0] ? ")" : "");
    }
}

/* Cosine of a series at a compression of everything stored: between the points of its curve (those that none
 * beats) log(1 - cosine) goes straight over the logarithm of the compression. NaN outside the curve. */
static double interpolated(const fq_fidelity_view *v, size_t series, double compression,
                           fq_curve_point *curve) {
    size_t n = 0;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->series_of[row] == series && fq_fidelity_first(v, row))
            curve[n++] = (fq_curve_point){fq_table_real(v->table, row, v->stored), cosine_of(v, row), 0.0};
    n = fq_pareto(curve, n, 0.0);
    for (size_t i = 0; i + 1 < n; i++) {
        const fq_curve_point a = curve[i], b = curve[i + 1]; /* compression rises, the cosine falls */
        if (compression < a.x || compression > b.x)
            continue;
        const double t = b.x > a.x ? log(compression / a.x) / log(b.x / a.x) : 0.0;
        return 1.0 - exp((1.0 - t) * log(fmax(1.0 - a.y, 1e-12)) + t * log(fmax(1.0 - b.y, 1e-12)));
    }
    return (double)NAN;
}

/* All series at equal bytes, and which is best there. */
static fq_status print_equal_bytes(FILE *to, const fq_fidelity_view *v) {
    static const double compressions[] = {2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0};
    enum { COLUMNS = sizeof compressions / sizeof compressions[0] };
    fq_curve_point *curve = NULL;
    size_t best[COLUMNS];
    double most[COLUMNS];
    FQ_TRY(fq_alloc(&curve, v->table->count, sizeof *curve));
    fprintf(to,
            "\nCosine at equal compression, everything stored counted (between points of a curve):\n%-60s",
            "");
    for (size_t c = 0; c < COLUMNS; c++) {
        fprintf(to, " %6gx", compressions[c]);
        most[c] = -2.0;
        best[c] = 0;
    }
    fputc('\n', to);
    for (size_t series = 0; series < v->series.count; series++) {
        fprintf(to, "%-60s", v->series.label[series]);
        for (size_t c = 0; c < COLUMNS; c++) {
            const double cosine = interpolated(v, series, compressions[c], curve);
            if (isnan(cosine))
                fprintf(to, " %7s", "-");
            else
                fprintf(to, " %7.4f", cosine);
            if (cosine > most[c]) {
                most[c] = cosine;
                best[c] = series;
            }
        }
        fputc('\n', to);
    }
    for (size_t c = 0; c < COLUMNS; c++)
        if (most[c] > -2.0)
            fprintf(to, "At %gx of everything stored the best here is %s (%.4f).\n", compressions[c],
                    v->series.label[best[c]], most[c]);
    fq_free(curve);
    return FQ_OK;
}

static void print_claim(FILE *to, const fq_fidelity_view *v, claim c) {
    char payload[40], stored[40], reach[40];
    snprintf(payload, sizeof payload, "at >= %gx of payload", c.compression);
    snprintf(stored, sizeof stored, "at >= %gx of all stored", c.compression);
    snprintf(reach, sizeof reach, "%g up to", c.cosine);
    fprintf(to, "\nClaimed for GPT-2 small: %gx at %g. Measured here:\n%-41s %-26s %-26s %s\n", c.compression,
            c.cosine, "", payload, stored, reach);
    fprintf(to, "%-41s %-26s %-26s %8s %8s\n", "", "cosine", "cosine", "payload", "stored");
    for (size_t series = 0; series < v->series.count; series++) {
        fprintf(to, "%-40s", v->series.label[series]);
        print_point(to, v, best_at(v, series, v->payload, c.compression), v->payload);
        print_point(to, v, best_at(v, series, v->stored, c.compression), v->stored);
        print_reach(to, v, series, c.cosine);
    }
    for (size_t series = 0; series < v->series.count; series++)
        print_codec(to, v, series, c.compression);
}

fq_status fq_fidelity_summary_print(FILE *to, const fq_results *store) {
    static const claim claims[] = {{5.0, 0.99}, {34.0, 0.95}};
    const fq_table *t = fq_results_table(store, "fidelity");
    fq_fidelity_view v;
    if (!t)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "no table fidelity");
    FQ_TRY(fq_fidelity_view_of(&v, t));
    fprintf(to,
            "Attention-output cosine on the KV cache of %s over %s\n(%s; +- SE over heads and positions).\n",
            v.sources.count == 1 ? fq_table_text(t, 0, v.model) : "several models or texts",
            v.sources.count == 1 ? fq_table_text(t, 0, v.text) : "what stands in parentheses",
            v.sources.count == 1 ? fq_table_text(t, 0, v.protocol) : "protocols below");
    for (size_t i = 0; i < v.sources.notes.count; i++)
        fprintf(to, "%s\n", v.sources.notes.label[i]);
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
        print_claim(to, &v, claims[i]);
    const fq_status status = print_equal_bytes(to, &v);
    print_variants(to, &v);
    fq_fidelity_view_clear(&v);
    return status;
}
