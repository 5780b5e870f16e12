/* Distortion against rate: table rate-distortion, a panel for each dimension. A series is a codec without the
 * keys that set its rate; its colour and point say family and k, its dash the rest. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "series.h"

typedef struct columns {
    size_t codec, dim, block, source, rate, distortion, se, shannon, high_rate;
    size_t every_code, caps; /* or the number of columns: stores of older programs have none */
} columns;

/* Keys of a codec that move it along the axis of rates, and the seed, of which all draws belong together. */
#define RATE_KEYS "N b seed"

typedef struct plan {
    const fq_table *table;
    columns c;
    fq_labels series, groups, rests; /* what is drawn; family and k; the other keys */
    size_t *of_row;                  /* [rows]: series, or none */
    size_t none;
    bool two_sources;
} plan;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->dim, t, "dim", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->block, t, "block", FQ_VALUE_INTEGER));
    FQ_TRY(fq_figure_column(&c->source, t, "source", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->rate, t, "rate", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->distortion, t, "distortion", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "distortion_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->shannon, t, "shannon_bound", FQ_VALUE_REAL));
    c->every_code = fq_table_find(t, "every_code_bound");
    c->caps = fq_table_find(t, "caps_bound");
    return fq_figure_column(&c->high_rate, t, "high_rate", FQ_VALUE_REAL);
}

static double decibels(double distortion, double rate) {
    return 10.0 * log10(distortion) + 20.0 * log10(2.0) * rate;
}

/* Family and k: what shares a colour. */
static void group_of(char text[FQ_CODEC_LABEL_MAX], const plan *p, size_t row) {
    snprintf(
        text, FQ_CODEC_LABEL_MAX, "%.*s %lld", (int)strcspn(fq_table_text(p->table, row, p->c.codec), ":"),
        fq_table_text(p->table, row, p->c.codec), (long long)fq_table_integer(p->table, row, p->c.block));
}

/* Everything else that tells series of a group apart: what shares a dash. */
static void rest_of(char text[FQ_CODEC_LABEL_MAX + 32], const plan *p, size_t row) {
    char spec[FQ_CODEC_LABEL_MAX];
    fq_codec_without(spec, fq_table_text(p->table, row, p->c.codec), RATE_KEYS " k");
    snprintf(text, FQ_CODEC_LABEL_MAX + 32, "%s %s", strchr(spec, ':') ? strchr(spec, ':') : "",
             p->two_sources ? fq_table_text(p->table, row, p->c.source) : "");
}

static void label_of(char text[FQ_CODEC_LABEL_MAX + 32], const plan *p, size_t row) {
    char label[FQ_CODEC_LABEL_MAX];
    fq_codec_label(label, fq_table_text(p->table, row, p->c.codec), RATE_KEYS);
    snprintf(text, FQ_CODEC_LABEL_MAX + 32, "%s%s", label,
             p->two_sources && strcmp(fq_table_text(p->table, row, p->c.source), "vector") == 0 ? ", vectors"
                                                                                                : "");
}

static bool can_be_drawn(const plan *p, size_t row) {
    return fq_table_real(p->table, row, p->c.distortion) > 0.0 &&
           isfinite(fq_table_real(p->table, row, p->c.rate));
}

/* Chooses rows, series and styles. Rows at 16 bits are no compression: beside others they would only squeeze
 * them into a corner. */
static fq_status make_plan(plan *p, const fq_figure_job *job) {
    const fq_table *t = p->table;
    size_t compressed = 0, uncompressed = 0, odd = 0;
    for (size_t row = 0; row < t->count; row++) {
        compressed += can_be_drawn(p, row) && fq_table_real(t, row, p->c.rate) < 16.0;
        p->two_sources = p->two_sources ||
                         strcmp(fq_table_text(t, row, p->c.source), fq_table_text(t, 0, p->c.source)) != 0;
    }
    p->none = SIZE_MAX;
    for (size_t row = 0; row < t->count; row++) {
        char text[FQ_CODEC_LABEL_MAX + 32], group[FQ_CODEC_LABEL_MAX];
        size_t colour, dash;
        p->of_row[row] = p->none;
        if (!can_be_drawn(p, row)) {
            odd++;
            continue;
        }
        if (compressed && !(fq_table_real(t, row, p->c.rate) < 16.0)) {
            uncompressed++;
            continue;
        }
        group_of(group, p, row);
        FQ_TRY(fq_labels_add(&p->groups, group, &colour));
        rest_of(text, p, row);
        FQ_TRY(fq_labels_add(&p->rests, text, &dash));
        label_of(text, p, row);
        const size_t before = p->series.count;
        FQ_TRY(fq_labels_add(&p->series, text, &p->of_row[row]));
        if (p->series.count > before) {
            fq_figure_style(job, before, colour, dash, colour + 9 * dash);
            fq_figure_text_of(job, "label", before, text);
        }
        fq_figure_show(job, row);
    }
    if (uncompressed)
        fq_figure_say(job, "Left out: %zu points at 16 bits and more, which compress nothing.", uncompressed);
    if (odd)
        fq_figure_say(job, "Left out: %zu points without a positive distortion.", odd);
    return FQ_OK;
}

/* The least rate of a series in a dimension above the given one, or infinity. */
static double next_rate(const plan *p, size_t series, int64_t dim, double above) {
    double next = HUGE_VAL;
    for (size_t row = 0; row < p->table->count; row++) {
        const double rate = fq_table_real(p->table, row, p->c.rate);
        if (p->of_row[row] == series && fq_table_integer(p->table, row, p->c.dim) == dim && rate > above)
            next = fmin(next, rate);
    }
    return next;
}

/* Two blocks: every row as rate, D, standard error; then one line a rate, the mean of its rows with weights
 * 1 / SE^2 (equal ones if a row has none). Returns how many rows at most stand behind a mean. */
static size_t write_series(const fq_figure_job *job, const plan *p, size_t series, int64_t dim, fq_range *x,
                           fq_range *y) {
    const fq_table *t = p->table;
    size_t most = 0;
    for (int means = 0; means < 2; means++) {
        fq_figure_begin_block(job, p->series.label[series]);
        for (double rate = next_rate(p, series, dim, -1.0); isfinite(rate);
             rate = next_rate(p, series, dim, rate)) {
            double weighted = 0.0, weights = 0.0, sum = 0.0;
            size_t n = 0;
            for (size_t row = 0; row < t->count; row++) {
                if (p->of_row[row] != series || fq_table_integer(t, row, p->c.dim) != dim ||
                    fq_table_real(t, row, p->c.rate) != rate)
                    continue;
                const double d = fq_table_real(t, row, p->c.distortion), se = fq_table_real(t, row, p->c.se);
                if (!means)
                    fq_figure_values(job, 3, (const double[]){rate, d, isnan(se) ? 0.0 : se});
                weighted += se > 0.0 ? d / (se * se) : (double)NAN;
                weights += se > 0.0 ? 1.0 / (se * se) : (double)NAN;
                sum += d;
                n++;
                fq_range_add(x, rate);
                fq_range_add(y, decibels(d, rate));
            }
            if (means)
                fq_figure_values(
                    job, 2, (const double[]){rate, isnan(weights) ? sum / (double)n : weighted / weights});
            most = n > most ? n : most;
        }
        fq_figure_end_block(job);
    }
    return most;
}

/* High-rate distortion times 4^b does not depend on the rate: a level in dB for each group, in the group's
 * colour. */
static void write_levels(const fq_figure_job *job, const plan *p, int64_t dim, fq_range *y, size_t panel) {
    const fq_table *t = p->table;
    size_t lines = 0;
    char name[48];
    for (size_t row = 0; row < t->count; row++) {
        const double rate = fq_table_real(t, row, p->c.rate), high = fq_table_real(t, row, p->c.high_rate);
        const int64_t block = fq_table_integer(t, row, p->c.block);
        bool first = p->of_row[row] != p->none && fq_table_integer(t, row, p->c.dim) == dim && high > 0.0;
        for (size_t before = 0; before < row; before++)
            first = first && !(p->of_row[before] != p->none && fq_table_integer(t, before, p->c.dim) == dim &&
                               fq_table_integer(t, before, p->c.block) == block);
        if (!first)
            continue;
        snprintf(name, sizeof name, "level%zu_%zu", panel, lines);
        fq_figure_number(job, name, decibels(high, rate));
        snprintf(name, sizeof name, "level_style%zu_%zu", panel, lines++);
        fq_figure_number(job, name, (double)(FQ_STYLE_FIRST + p->of_row[row]));
        fq_range_add(y, decibels(high, rate));
    }
    fq_figure_number_of(job, "levels", panel, (double)lines);
}

/* What no code like the row's goes below: equal caps, for codes of blocks Shannon's bound where it is higher.
 * NaN where the row has neither. */
static double limit_of(const plan *p, size_t row) {
    const fq_table *t = p->table;
    const double shannon = fq_table_real(t, row, p->c.shannon);
    const double caps = p->c.caps < t->column_count ? fq_table_real(t, row, p->c.caps) : (double)NAN;
    const bool vector = strcmp(fq_table_text(t, row, p->c.source), "vector") == 0;
    return vector ? caps : fmax(caps, shannon); /* the other one where one is no number */
}

/* The lowest of all rows' limits at a rate, NaN where there is none. */
static double lowest_limit(const plan *p, int64_t dim, double rate) {
    double lowest = (double)NAN;
    for (size_t row = 0; row < p->table->count; row++)
        if (p->of_row[row] != p->none && fq_table_integer(p->table, row, p->c.dim) == dim &&
            fq_table_real(p->table, row, p->c.rate) == rate && limit_of(p, row) > 0.0)
            lowest = fmin(lowest, limit_of(p, row));
    return lowest;
}

/* The least rate of any series in a dimension above the given one, or infinity. */
static double next_rate_of_all(const plan *p, int64_t dim, double above) {
    double next = HUGE_VAL;
    for (size_t series = 0; series < p->series.count; series++)
        next = fmin(next, next_rate(p, series, dim, above));
    return next;
}

static void add_limits(const plan *p, int64_t dim, fq_range *y) {
    for (double rate = next_rate_of_all(p, dim, -1.0); isfinite(rate); rate = next_rate_of_all(p, dim, rate))
        if (lowest_limit(p, dim, rate) > 0.0)
            fq_range_add(y, decibels(lowest_limit(p, dim, rate), rate));
}

/* One block: the panel's rates, and what no code shown there goes below. */
static void write_limits(const fq_figure_job *job, const plan *p, int64_t dim) {
    fq_figure_begin_block(job, "limit");
    for (double rate = next_rate_of_all(p, dim, -1.0); isfinite(rate); rate = next_rate_of_all(p, dim, rate))
        fq_figure_values(job, 2, (const double[]){rate, lowest_limit(p, dim, rate)});
    fq_figure_end_block(job);
}

static bool has_bound(const plan *p, size_t row, int64_t dim) {
    return p->c.every_code < p->table->column_count && p->of_row[row] != p->none &&
           fq_table_integer(p->table, row, p->c.dim) == dim &&
           fq_table_real(p->table, row, p->c.every_code) > 0.0;
}

/* What no code of as many words in a block goes below: for each k a block of the panel's rates, each once and
 * rising, in the style of the first series of that k. Returns how many blocks. */
static size_t write_bounds(const fq_figure_job *job, const plan *p, int64_t dim, size_t panel,
                           size_t before) {
    const fq_table *t = p->table;
    size_t lines = 0;
    char name[48];
    for (size_t first = 0; first < t->count; first++) {
        const int64_t block = fq_table_integer(t, first, p->c.block);
        bool seen = !has_bound(p, first, dim);
        for (size_t row = 0; row < first; row++)
            seen = seen || (has_bound(p, row, dim) && fq_table_integer(t, row, p->c.block) == block);
        if (seen)
            continue;
        fq_figure_begin_block(job, "no code below");
        for (double above = -1.0, next = 0.0; isfinite(next); above = next) {
            double bound = (double)NAN;
            next = HUGE_VAL;
            for (size_t row = first; row < t->count; row++) {
                const double rate = fq_table_real(t, row, p->c.rate);
                if (has_bound(p, row, dim) && fq_table_integer(t, row, p->c.block) == block && rate > above &&
                    rate < next) {
                    next = rate;
                    bound = fq_table_real(t, row, p->c.every_code);
                }
            }
            if (isfinite(next))
                fq_figure_values(job, 2, (const double[]){next, bound});
        }
        fq_figure_end_block(job);
        snprintf(name, sizeof name, "bound_style%zu_%zu", panel, lines++);
        fq_figure_number(job, name, (double)(FQ_STYLE_FIRST + p->of_row[first]));
    }
    fq_figure_number_of(job, "bounds", panel, (double)lines);
    fq_figure_number_of(job, "bounds_before", panel, (double)before);
    return lines;
}

static int by_size(const void *a, const void *b) {
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The dimensions of the rows that are drawn, rising. */
static size_t dims_of(const plan *p, int64_t *dims) {
    size_t n = 0;
    for (size_t row = 0; row < p->table->count; row++) {
        const int64_t dim = fq_table_integer(p->table, row, p->c.dim);
        size_t i = 0;
        while (i < n && dims[i] != dim)
            i++;
        if (i == n && p->of_row[row] != p->none)
            dims[n++] = dim;
    }
    qsort(dims, n, sizeof *dims, by_size);
    return n;
}

static fq_status write_panels(const fq_figure_job *job, plan *p, int64_t *dims) {
    fq_range x = FQ_RANGE_EMPTY;
    size_t most = 0;
    FQ_TRY(make_plan(p, job));
    const size_t panels = dims_of(p, dims);
    if (panels == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no row with a rate and a positive distortion",
                            p->table->name);
    for (size_t panel = 0; panel < panels; panel++) {
        fq_range y = FQ_RANGE_EMPTY;
        char name[32];
        for (size_t series = 0; series < p->series.count; series++) {
            const size_t n = write_series(job, p, series, dims[panel], &x, &y);
            most = n > most ? n : most;
        }
        write_levels(job, p, dims[panel], &y, panel);
        add_limits(p, dims[panel], &y);
        fq_figure_number_of(job, "dim", panel, (double)dims[panel]);
        snprintf(name, sizeof name, "y%zu", panel);
        fq_figure_range(job, name, y, 0.05, false);
    }
    size_t bounds = 0;
    for (size_t panel = 0; panel < panels; panel++)
        bounds += write_bounds(job, p, dims[panel], panel, bounds);
    for (size_t panel = 0; panel < panels; panel++)
        write_limits(job, p, dims[panel]);
    fq_figure_number(job, "limits_before", (double)(2 * p->series.count * panels + bounds));
    fq_figure_number(job, "panels", (double)panels);
    fq_figure_number(job, "series", (double)p->series.count);
    fq_figure_number(job, "height", 0.95 + 4.8 * (double)panels + 0.6 + 0.32 * (double)(p->series.count + 3));
    fq_figure_range(job, "x", x, 0.05, false);
    if (most > 1)
        fq_figure_say(job,
                      "Up to %zu points (seeds, sample sizes) share a rate: all are marked, the curve "
                      "goes through their mean.",
                      most);
    if (p->two_sources)
        fq_figure_say(job, "Blocks of the source and whole vectors (with rotation and stored norm) are "
                           "series of their own.");
    return FQ_OK;
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.table = t};
    int64_t *dims = NULL;
    FQ_TRY(find(&p.c, t));
    FQ_TRY(fq_alloc(&p.of_row, t->count, sizeof *p.of_row));
    fq_status status = fq_alloc(&dims, t->count, sizeof *dims);
    if (status == FQ_OK)
        status = write_panels(job, &p, dims);
    fq_labels_clear(&p.series);
    fq_labels_clear(&p.groups);
    fq_labels_clear(&p.rests);
    fq_free(p.of_row);
    fq_free(dims);
    return status;
}

const fq_figure fq_figure_rate_distortion = {
    .name = "rate_distortion",
    .table = "rate-distortion",
    .script = "rate_distortion.gp",
    .shows = "Distortion D against rate on the canonical source, in dB over the Gaussian distortion-rate "
             "function 4^-b, on fresh samples with bars of 2 SE; what no code of as many bits a vector goes "
             "below, "
             "and in the colour of each k the high-rate value of the best known cell and what no code of as "
             "many words goes below",
    .feed = feed,
};
