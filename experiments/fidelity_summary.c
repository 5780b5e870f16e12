#include "fidelity_summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "failure.h"
#include "fidelity_series.h"
#include "memory.h"
#include "pareto.h"
#include "treatment.h"

typedef struct claim {
    double compression, cosine;
} claim;

/* Sorts of series: ours and others' that learn from the prompt at most, that learn from more, codes as
 * published, and the formats that people run. */
typedef enum fq_sort { UNIVERSAL = 0, CALIBRATED, AS_PUBLISHED, AS_RUN, SORTS } fq_sort;

/* First tokens that any prompt has. */
enum { PROMPT = 64 };

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

/* The label of a series without its source, which the heading names. */
static const char *label_of(const fq_fidelity_view *v, size_t series) {
    return v->kinds.label[v->kind_of[series]];
}

/* The curve of a series over the compression of everything stored: the configurations that none beats, x
 * rising and y falling. Returns how many. */
static size_t curve_of(const fq_fidelity_view *v, size_t series, fq_curve_point *curve) {
    size_t n = 0, rows;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->series_of[row] == series && fq_fidelity_first(v, row)) {
            curve[n].x = fq_table_real(v->table, row, v->stored);
            curve[n].y = fq_fidelity_config_cosine(v, v->config_of[row], &curve[n].se, &rows);
            n++;
        }
    return fq_pareto(curve, n, 0.0);
}

static double loss_of(fq_curve_point p) {
    return fmax(1.0 - p.y, 1e-12);
}

/* Cosine of a curve at a compression: between its points log(1 - cosine) goes straight over the logarithm of
 * the compression. The errors of neighbouring points go together. y is NaN outside the curve. */
static fq_curve_point cosine_at(const fq_curve_point *curve, size_t n, double compression) {
    for (size_t i = 0; i + 1 < n; i++) {
        const fq_curve_point a = curve[i], b = curve[i + 1];
        if (compression < a.x || compression > b.x)
            continue;
        const double t = b.x > a.x ? log(compression / a.x) / log(b.x / a.x) : 0.0;
        const double loss = exp((1.0 - t) * log(loss_of(a)) + t * log(loss_of(b)));
        const double relative = (1.0 - t) * a.se / loss_of(a) + t * b.se / loss_of(b);
        return (fq_curve_point){compression, 1.0 - loss, loss * relative};
    }
    return (fq_curve_point){compression, (double)NAN, (double)NAN};
}

/* The compression at which a curve reaches a cosine, by the same straight lines, with its error: that of the
 * logarithm of the loss over the slope. x is NaN where the curve does not cross it. */
static fq_curve_point compression_at(const fq_curve_point *curve, size_t n, double cosine) {
    const double wanted = log(1.0 - cosine);
    for (size_t i = 0; i + 1 < n; i++) {
        const fq_curve_point a = curve[i], b = curve[i + 1];
        const double from = log(loss_of(a)), to = log(loss_of(b));
        if (wanted < from || wanted > to || to <= from)
            continue;
        const double t = (wanted - from) / (to - from), x = a.x * pow(b.x / a.x, t),
                     relative = (1.0 - t) * a.se / loss_of(a) + t * b.se / loss_of(b);
        return (fq_curve_point){x, cosine, x * relative * log(b.x / a.x) / (to - from)};
    }
    return (fq_curve_point){(double)NAN, cosine, (double)NAN};
}

/* How far a series keeps a cosine: measured points, of payload and of everything stored, then between points
 * of its curve. */
static void print_reach(FILE *to, const fq_fidelity_view *v, size_t series, double cosine,
                        fq_curve_point *curve) {
    const size_t payload = farthest(v, series, v->payload, cosine),
                 stored = farthest(v, series, v->stored, cosine);
    const fq_curve_point reach = compression_at(curve, curve_of(v, series, curve), cosine);
    if (payload == v->table->count)
        fprintf(to, " %8s %8s", "-", "-");
    else
        fprintf(to, " %7.2fx %7.2fx", fq_table_real(v->table, payload, v->payload),
                fq_table_real(v->table, stored, v->stored));
    if (isnan(reach.x))
        fputs("  not crossed\n", to);
    else
        fprintf(to, "  %5.2fx +- %.2f\n", reach.x, reach.se);
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
    fprintf(to, "  %s: ", label_of(v, series));
    print_name(to, v, row);
    fputc('\n', to);
}

/* Every variant of a source at the payload rate of 2 bits: what helps, and what does not. */
static void print_variants(FILE *to, const fq_fidelity_view *v, size_t source) {
    fprintf(to, "\nAll at 8x of payload (2 bits a coordinate):\n%8s %8s %8s %8s %8s\n", "cosine", "SE",
            "K alone", "V alone", "stored");
    for (size_t row = 0; row < v->table->count; row++) {
        if (v->sources.of_row[row] != source || fabs(fq_table_real(v->table, row, v->payload) - 8.0) > 0.05)
            continue;
        fprintf(to, "%8.4f %8.4f %8.4f %8.4f %7.2fx  ", fq_table_real(v->table, row, v->cosine),
                fq_table_real(v->table, row, v->se), fq_table_real(v->table, row, v->key),
                fq_table_real(v->table, row, v->value), fq_table_real(v->table, row, v->stored));
        print_name(to, v, row);
        fputc('\n', to);
    }
}

/* Whether the treatment of a series learns from more than a prompt's first tokens: from a text of its own or
 * from the whole cache. */
static bool is_calibrated(const fq_fidelity_view *v, size_t series) {
    const size_t given = fq_table_find(v->table, "calibration_sha256");
    fq_treatment treatment;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->series_of[row] == series)
            return (given < v->table->column_count && fq_table_text(v->table, row, given)[0]) ||
                   fq_treatment_parse(&treatment, fq_table_text(v->table, row, v->treatment)) != FQ_OK ||
                   fq_treatment_prefix(&treatment, FQ_OF_KEYS) > PROMPT ||
                   fq_treatment_prefix(&treatment, FQ_OF_VALUES) > PROMPT;
    return false;
}

/* What a series is to somebody who chooses. */
static fq_sort sort_of(const fq_fidelity_view *v, size_t series) {
    for (size_t row = 0; row < v->table->count; row++) {
        if (v->series_of[row] != series)
            continue;
        if (fq_table_integer(v->table, row, v->plain))
            return AS_PUBLISHED;
        if (strcmp(fq_table_text(v->table, row, v->treatment), "none") == 0)
            return strchr(fq_table_text(v->table, row, v->codec), ':') &&
                           strstr(fq_table_text(v->table, row, v->codec), "norm")
                       ? UNIVERSAL
                       : AS_RUN;
        break;
    }
    return is_calibrated(v, series) ? CALIBRATED : UNIVERSAL;
}

/* All series of a source at equal bytes. */
static void print_equal_bytes(FILE *to, const fq_fidelity_view *v, size_t source, fq_curve_point *curve) {
    static const double compressions[] = {2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0};
    enum { COLUMNS = sizeof compressions / sizeof compressions[0] };
    fprintf(to,
            "\nCosine at equal compression, everything stored counted (between points of a curve):\n%-60s",
            "");
    for (size_t c = 0; c < COLUMNS; c++)
        fprintf(to, " %6gx", compressions[c]);
    fputc('\n', to);
    for (size_t series = 0; series < v->series.count; series++) {
        if (v->source_of[series] != source)
            continue;
        fprintf(to, "%-60s", label_of(v, series));
        const size_t n = curve_of(v, series, curve);
        for (size_t c = 0; c < COLUMNS; c++) {
            const double cosine = cosine_at(curve, n, compressions[c]).y;
            if (isnan(cosine))
                fprintf(to, " %7s", "-");
            else
                fprintf(to, " %7.4f", cosine);
        }
        fputc('\n', to);
    }
}

/* The measured row of a series whose compression is the least that is this or more, for its settings; the
 * table's count if there is none. */
static size_t row_beyond(const fq_fidelity_view *v, size_t series, double compression) {
    size_t best = v->table->count;
    for (size_t row = 0; row < v->table->count; row++)
        if (v->series_of[row] == series && fq_table_real(v->table, row, v->stored) >= compression &&
            (best == v->table->count || cosine_of(v, row) > cosine_of(v, best)))
            best = row;
    return best;
}

/* One sort of series at a compression: the best, its settings, and what they store of a long context. A curve
 * that begins beyond that compression counts with its first point. */
static void print_best(FILE *to, const fq_fidelity_view *v, size_t source, fq_sort sort, double compression,
                       fq_curve_point *curve) {
    static const char *const names[] = {"universal", "calibrated", "code alone", "people run"};
    const size_t far = fq_table_find(v->table, "compression_stored_32768");
    fq_curve_point best = {0.0, -2.0, 0.0};
    size_t which = v->series.count;
    for (size_t series = 0; series < v->series.count; series++) {
        if (v->source_of[series] != source || sort_of(v, series) != sort)
            continue;
        const size_t n = curve_of(v, series, curve);
        const fq_curve_point at = compression < curve[0].x ? curve[0] : cosine_at(curve, n, compression);
        if (at.y > best.y) {
            best = at;
            which = series;
        }
    }
    if (which == v->series.count) {
        fprintf(to, "  %-10s  nothing measured reaches so far\n", names[sort]);
        return;
    }
    const size_t row = row_beyond(v, which, compression);
    fprintf(to, "  %-10s  %.4f +- %.4f  %s; next: ", names[sort], best.y, best.se, label_of(v, which));
    print_name(to, v, row);
    fprintf(to, " (%.2fx", fq_table_real(v->table, row, v->stored));
    if (far < v->table->column_count)
        fprintf(to, "; at 32768 tokens %.2fx", fq_table_real(v->table, row, far));
    fputs(")\n", to);
}

static void print_recommendation(FILE *to, const fq_fidelity_view *v, size_t source, fq_curve_point *curve) {
    static const double compressions[] = {3.0, 4.0, 6.0, 8.0, 12.0};
    fputs(
        "\nWhat to take (cosine at that compression of everything stored, +- SE, between points of the best "
        "curve of a sort, and the curve's next point):\n",
        to);
    for (size_t c = 0; c < sizeof compressions / sizeof compressions[0]; c++) {
        fprintf(to, "At %gx\n", compressions[c]);
        for (fq_sort sort = UNIVERSAL; sort < SORTS; sort++)
            print_best(to, v, source, sort, compressions[c], curve);
    }
}

static void print_claim(FILE *to, const fq_fidelity_view *v, size_t source, claim c, fq_curve_point *curve) {
    char payload[40], stored[40], reach[40];
    snprintf(payload, sizeof payload, "at >= %gx of payload", c.compression);
    snprintf(stored, sizeof stored, "at >= %gx of all stored", c.compression);
    snprintf(reach, sizeof reach, "%g up to", c.cosine);
    fprintf(to, "\nClaimed for GPT-2 small: %gx at %g. Measured here:\n%-61s %-26s %-26s %s\n", c.compression,
            c.cosine, "", payload, stored, reach);
    fprintf(to, "%-61s %-26s %-26s %8s %8s  %s\n", "", "cosine", "cosine", "payload", "stored",
            "stored, between points");
    for (size_t series = 0; series < v->series.count; series++) {
        if (v->source_of[series] != source)
            continue;
        fprintf(to, "%-60s", label_of(v, series));
        print_point(to, v, best_at(v, series, v->payload, c.compression), v->payload);
        print_point(to, v, best_at(v, series, v->stored, c.compression), v->stored);
        print_reach(to, v, series, c.cosine, curve);
    }
    for (size_t series = 0; series < v->series.count; series++)
        if (v->source_of[series] == source)
            print_codec(to, v, series, c.compression);
}

/* Everything about one source: a cache under a protocol. */
static void print_source(FILE *to, const fq_fidelity_view *v, size_t source, fq_curve_point *curve) {
    static const claim claims[] = {{5.0, 0.99}, {34.0, 0.95}};
    const fq_table *t = v->table;
    const size_t row = v->sources.first[source];
    const char *where = v->sources.label[source];
    fprintf(to,
            "%sAttention-output cosine on the KV cache of %s over %s%s%s%s\n(%s; +- SE over layers and "
            "positions).\n",
            source ? "\n" : "", fq_table_text(t, row, v->model), fq_table_text(t, row, v->text),
            where[0] ? " (" : "", where, where[0] ? ")" : "", fq_table_text(t, row, v->protocol));
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++)
        print_claim(to, v, source, claims[i], curve);
    print_equal_bytes(to, v, source, curve);
    print_recommendation(to, v, source, curve);
    print_variants(to, v, source);
}

fq_status fq_fidelity_summary_print(FILE *to, const fq_results *store) {
    const fq_table *t = fq_results_table(store, "fidelity");
    fq_curve_point *curve = NULL;
    fq_fidelity_view v;
    if (!t)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "no table fidelity");
    FQ_TRY(fq_fidelity_view_of(&v, t));
    const fq_status status = fq_alloc(&curve, t->count, sizeof *curve);
    for (size_t source = 0; status == FQ_OK && source < v.sources.count; source++)
        print_source(to, &v, source, curve);
    fq_free(curve);
    fq_fidelity_view_clear(&v);
    return status;
}
