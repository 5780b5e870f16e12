/* Rounds and bits to a target with independent and with shared compression: table adiana. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "figure.h"
#include "series.h"

typedef struct columns {
    size_t method, compressor, randomness, workers, kappa, dim, omega, rounds, rounds_se, bits, bits_se, step;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->method, t, "method", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->compressor, t, "compressor", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->randomness, t, "randomness", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->workers, t, "workers", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->kappa, t, "kappa", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->omega, t, "omega", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->rounds, t, "target_rounds", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->rounds_se, t, "target_rounds_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->bits, t, "target_bits", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->bits_se, t, "target_bits_se", FQ_VALUE_REAL));
    return fq_figure_column(&c->step, t, "step", FQ_VALUE_REAL);
}

static bool same(const fq_table *t, size_t column, size_t a, size_t b) {
    return strcmp(fq_table_text(t, a, column), fq_table_text(t, b, column)) == 0;
}

/* Rows that differ in their step alone. */
static bool same_but_step(const fq_table *t, const columns *c, size_t a, size_t b) {
    return same(t, c->method, a, b) && same(t, c->compressor, a, b) && same(t, c->randomness, a, b) &&
           fq_table_integer(t, a, c->workers) == fq_table_integer(t, b, c->workers) &&
           fq_table_integer(t, a, c->dim) == fq_table_integer(t, b, c->dim) &&
           fq_table_real(t, a, c->kappa) == fq_table_real(t, b, c->kappa);
}

/* Whether no row that differs in the step alone needs fewer rounds; of equal ones the first. */
static bool is_best(const fq_table *t, const columns *c, size_t row) {
    const double rounds = fq_table_real(t, row, c->rounds);
    if (isnan(rounds))
        return false;
    for (size_t other = 0; other < t->count; other++) {
        const double theirs = fq_table_real(t, other, c->rounds);
        if (same_but_step(t, c, row, other) && (theirs < rounds || (theirs == rounds && other < row)))
            return false;
    }
    return true;
}

static double spread_of(const fq_table *t, const columns *c, size_t row) {
    return fq_table_real(t, row, c->omega) / sqrt((double)fq_table_integer(t, row, c->workers));
}

static void label_of(char *text, size_t size, const fq_table *t, const columns *c, size_t row) {
    const bool plain = !(fq_table_real(t, row, c->omega) > 0.0);
    snprintf(text, size, "%s, %s", fq_table_text(t, row, c->method),
             plain ? "uncompressed" : fq_table_text(t, row, c->randomness));
}

/* A block of a series by rising omega/sqrt(n): that, rounds, error, omega, bits, error. */
static void write_series(const fq_figure_job *job, const fq_table *t, const columns *c, const char *label,
                         fq_range ranges[4]) {
    char other[200];
    double before = -1.0;
    size_t last = SIZE_MAX;
    fq_figure_begin_block(job, label);
    for (;;) {
        size_t next = SIZE_MAX;
        for (size_t row = 0; row < t->count; row++) {
            const double x = spread_of(t, c, row);
            label_of(other, sizeof other, t, c, row);
            if (strcmp(label, other) != 0 || !is_best(t, c, row) || x < before ||
                (x == before && row <= last))
                continue;
            if (next == SIZE_MAX || x < spread_of(t, c, next))
                next = row;
        }
        if (next == SIZE_MAX)
            break;
        before = spread_of(t, c, next);
        last = next;
        const double omega = fq_table_real(t, next, c->omega), rounds = fq_table_real(t, next, c->rounds),
                     bits = fq_table_real(t, next, c->bits), rounds_se = fq_table_real(t, next, c->rounds_se),
                     bits_se = fq_table_real(t, next, c->bits_se);
        /* without compression at the left edge of a logarithmic scale */
        const double x = omega > 0.0 ? before : 0.05, y = omega > 0.0 ? omega : 0.2;
        fq_figure_values(job, 6,
                         (const double[]){x, rounds, isnan(rounds_se) ? 0.0 : rounds_se, y, bits,
                                          isnan(bits_se) ? 0.0 : bits_se});
        fq_figure_show(job, next);
        fq_range_add(&ranges[0], x);
        fq_range_add(&ranges[1], rounds);
        fq_range_add(&ranges[2], y);
        fq_range_add(&ranges[3], bits);
    }
    fq_figure_end_block(job);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    static const char *const axes[] = {"spread", "rounds", "omega", "bits"};
    fq_range ranges[4] = {FQ_RANGE_EMPTY, FQ_RANGE_EMPTY, FQ_RANGE_EMPTY, FQ_RANGE_EMPTY};
    char label[200], note[300];
    fq_labels series = {0};
    columns c;
    size_t left_out = 0;
    FQ_TRY(find(&c, t));
    fq_status status = FQ_OK;
    for (size_t row = 0; status == FQ_OK && row < t->count; row++) {
        size_t number;
        label_of(label, sizeof label, t, &c, row);
        if (is_best(t, &c, row))
            status = fq_labels_add(&series, label, &number);
        bool any = false, first = true;
        for (size_t other = 0; other < t->count; other++)
            if (same_but_step(t, &c, row, other)) {
                any = any || !isnan(fq_table_real(t, other, c.rounds));
                first = first && other >= row;
            }
        if (!any && first) {
            fq_figure_say(job, "%s, %s, %s, n = %lld: the target is not reached at any step.",
                          fq_table_text(t, row, c.method), fq_table_text(t, row, c.compressor),
                          fq_table_text(t, row, c.randomness),
                          (long long)fq_table_integer(t, row, c.workers));
            left_out++;
        }
    }
    for (size_t i = 0; status == FQ_OK && i < series.count; i++) {
        write_series(job, t, &c, series.label[i], ranges);
        fq_figure_text_of(job, "label", i, series.label[i]);
        fq_figure_series_style(job, i);
    }
    for (int i = 0; i < 4; i++)
        fq_figure_range(job, axes[i], ranges[i], 0.08, true);
    fq_figure_number(job, "series", (double)series.count);
    snprintf(note, sizeof note,
             "condition %g, d = %lld; uncompressed at the left edge; %zu settings never reach the target",
             fq_table_real(t, 0, c.kappa), (long long)fq_table_integer(t, 0, c.dim), left_out);
    const size_t lines = fq_figure_wrapped(job, "note", note, 60);
    fq_figure_number(job, "height", 7.2 + 0.31 * (double)(series.count + lines));
    fq_labels_clear(&series);
    return status;
}

const fq_figure fq_figure_adiana = {
    .name = "adiana",
    .table = "adiana",
    .script = "adiana.gp",
    .shows =
        "Rounds to the target against omega/sqrt(n), and bits sent by a worker until then against omega, of "
        "distributed methods with independent and with shared compression, each at the best of the steps "
        "tried; "
        "bars are 2 standard errors",
    .feed = feed,
};
