/* Whether noise of scores alone tells what compressed keys cost: table perplexity, rows of keys compressed
 * with the values as they are beside keys with injected noise. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec_label.h"
#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "series.h"

typedef struct columns {
    size_t family, codec, value_codec, treatment, noise, loss, se, model, text, model_sha, text_sha, protocol;
} columns;

/* A setting on the plane of noise and loss. */
typedef struct setting {
    double noise, loss, se;
    size_t row, series;
} setting;

typedef struct plan {
    const fq_table *table;
    columns c;
    setting *curve, *other; /* injected noise without a treatment by rising noise, and all else */
    size_t curve_count, other_count, negative;
    fq_labels series;
} plan;

static fq_status find(columns *c, const fq_table *t) {
    FQ_TRY(fq_figure_column(&c->family, t, "family", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->codec, t, "codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->value_codec, t, "value_codec", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->treatment, t, "treatment", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->noise, t, "score_noise", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->loss, t, "loss_change", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->se, t, "loss_change_se", FQ_VALUE_REAL));
    FQ_TRY(fq_figure_column(&c->model, t, "model_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->text, t, "text_name", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->model_sha, t, "model_sha256", FQ_VALUE_TEXT));
    FQ_TRY(fq_figure_column(&c->text_sha, t, "text_sha256", FQ_VALUE_TEXT));
    return fq_figure_column(&c->protocol, t, "protocol", FQ_VALUE_TEXT);
}

static bool is_noise(const plan *p, size_t row) {
    return strcmp(fq_table_text(p->table, row, p->c.family), "noise") == 0;
}

/* Whether two rows differ by keys alone. */
static bool comparable(const plan *p, size_t a, size_t b) {
    const size_t alike[] = {p->c.value_codec, p->c.model_sha, p->c.text_sha, p->c.protocol};
    for (size_t i = 0; i < sizeof alike / sizeof alike[0]; i++)
        if (strcmp(fq_table_text(p->table, a, alike[i]), fq_table_text(p->table, b, alike[i])) != 0)
            return false;
    return true;
}

static fq_status name_series(plan *p, setting *s) {
    char label[FQ_CODEC_LABEL_MAX];
    const char *treatment = fq_table_text(p->table, s->row, p->c.treatment);
    fq_codec_treated_kind(label, fq_table_text(p->table, s->row, p->c.codec), true, treatment);
    return fq_labels_add(&p->series, label, &s->series);
}

/* Sorts the rows that can be set beside the first injected noise; those whose loss falls have no place. */
static fq_status gather(plan *p) {
    size_t first = 0;
    while (first < p->table->count && !is_noise(p, first))
        first++;
    for (size_t row = 0; first < p->table->count && row < p->table->count; row++) {
        setting s = {fq_table_real(p->table, row, p->c.noise), fq_table_real(p->table, row, p->c.loss),
                     fq_table_real(p->table, row, p->c.se), row, 0};
        if (!comparable(p, first, row) || !(s.noise > 0.0))
            continue;
        if (!(s.loss > 0.0)) {
            p->negative++;
            continue;
        }
        const bool bare = strcmp(fq_table_text(p->table, row, p->c.treatment), "none") == 0;
        FQ_TRY(name_series(p, &s));
        if (!is_noise(p, row) || !bare) {
            p->other[p->other_count++] = s;
            continue;
        }
        size_t at = p->curve_count++;
        for (; at > 0 && p->curve[at - 1].noise > s.noise; at--)
            p->curve[at] = p->curve[at - 1];
        p->curve[at] = s;
    }
    return FQ_OK;
}

/* Logarithm of the loss that the curve of injected noise has there, between its points; NaN beyond them. */
static double foretold(const plan *p, double noise) {
    for (size_t i = 0; i + 1 < p->curve_count; i++) {
        const setting a = p->curve[i], b = p->curve[i + 1];
        if (noise < a.noise || noise > b.noise || b.noise <= a.noise)
            continue;
        const double t = log(noise / a.noise) / log(b.noise / a.noise);
        return (1.0 - t) * log(a.loss) + t * log(b.loss);
    }
    return (double)NAN;
}

/* Part of the variance of log loss that the curve tells, without one setting (SIZE_MAX: with all); *n:
 * settings, *square: mean square of the difference of logarithms. */
static double part_told(const plan *p, size_t without, size_t *n, double *square) {
    double sum = 0.0, squares = 0.0, residual = 0.0;
    *n = 0;
    for (size_t i = 0; i < p->other_count; i++) {
        const double y = log(p->other[i].loss), guess = foretold(p, p->other[i].noise);
        if (i == without || isnan(guess))
            continue;
        sum += y;
        squares += y * y;
        residual += (y - guess) * (y - guess);
        ++*n;
    }
    *square = residual / (double)*n;
    return 1.0 - residual / (squares - sum * sum / (double)*n);
}

/* The sentence that answers the question, with the jackknife's error over settings. */
static void say_how_well(const fq_figure_job *job, const plan *p) {
    size_t n, unused, beyond = 0;
    double square, ignored, mean = 0.0, spread = 0.0, own = 0.0;
    const double told = part_told(p, SIZE_MAX, &n, &square);
    if (n < 3) {
        fq_figure_say(
            job, "Fewer than three settings within the curve: nothing is said of how well it tells them.");
        return;
    }
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < p->other_count; i++) {
            const double guess = foretold(p, p->other[i].noise);
            if (isnan(guess))
                continue;
            const double one = part_told(p, i, &unused, &ignored),
                         relative = p->other[i].se / p->other[i].loss;
            if (pass == 0) {
                mean += one / (double)n;
                own += relative * relative / (double)n;
                beyond += fabs(log(p->other[i].loss) - guess) > 2.0 * relative;
            } else {
                spread += (one - mean) * (one - mean) * (double)(n - 1) / (double)n;
            }
        }
    fq_figure_say(
        job,
        "The curve of injected noise tells %.3f +- %.3f (jackknife over settings) of the variance of "
        "log loss over %zu settings of codes and treatments; they are off it by a factor of %.2f (root "
        "mean square), of which their own errors are %.2f; %zu are off by more than 2 SE.",
        told, sqrt(spread), n, exp(sqrt(square)), exp(sqrt(own)), beyond);
}

static void write_series(const fq_figure_job *job, const plan *p, size_t series, fq_range *x, fq_range *y) {
    fq_figure_begin_block(job, p->series.label[series]);
    for (int side = 0; side < 2; side++) {
        const setting *all = side == 0 ? p->curve : p->other;
        for (size_t i = 0; i < (side == 0 ? p->curve_count : p->other_count); i++) {
            if (all[i].series != series)
                continue;
            const double se = isnan(all[i].se) ? 0.0 : all[i].se,
                         low = fmax(all[i].loss - 2.0 * se, 0.2 * all[i].loss);
            fq_figure_values(job, 4,
                             (const double[]){all[i].noise, all[i].loss, low, all[i].loss + 2.0 * se});
            fq_range_add(x, all[i].noise);
            fq_range_add(y, low);
            fq_range_add(y, all[i].loss + 2.0 * se);
            fq_figure_show(job, all[i].row);
        }
    }
    fq_figure_end_block(job);
}

static void write_all(const fq_figure_job *job, const plan *p) {
    fq_range x = FQ_RANGE_EMPTY, y = FQ_RANGE_EMPTY;
    const size_t first = p->curve[0].row;
    size_t keys = 0;
    char where[320];
    for (size_t i = 0; i < p->series.count; i++) {
        write_series(job, p, i, &x, &y);
        fq_figure_series_style(job, i);
        fq_figure_key(job, &keys, i, p->series.label[i]);
    }
    fq_figure_end_key(job, keys);
    fq_figure_number(job, "series", (double)p->series.count);
    fq_figure_number(job, "curve", (double)p->curve[0].series);
    fq_figure_range(job, "x", x, 0.05, true);
    fq_figure_range(job, "y", y, 0.05, true);
    fq_figure_number(job, "height", 7.9 + 0.31 * (double)keys);
    snprintf(where, sizeof where, "%s; %s", fq_table_text(p->table, first, p->c.model),
             fq_table_text(p->table, first, p->c.text));
    fq_figure_text(job, "where", where);
    fq_figure_say(job, "%s. Protocol: %s; values: %s.", where, fq_table_text(p->table, first, p->c.protocol),
                  fq_table_text(p->table, first, p->c.value_codec));
    if (p->negative)
        fq_figure_say(job, "Left out: %zu rows whose loss did not rise.", p->negative);
    say_how_well(job, p);
}

static fq_status feed(const fq_figure_job *job, const fq_table *t) {
    plan p = {.table = t};
    FQ_TRY(find(&p.c, t));
    fq_status status = fq_alloc(&p.curve, t->count, sizeof *p.curve);
    if (status == FQ_OK)
        status = fq_alloc(&p.other, t->count, sizeof *p.other);
    if (status == FQ_OK)
        status = gather(&p);
    if (status == FQ_OK && p.curve_count < 2)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: fewer than two rows with injected noise (codec noise)",
                              t->name);
    if (status == FQ_OK)
        write_all(job, &p);
    fq_labels_clear(&p.series);
    fq_free(p.curve);
    fq_free(p.other);
    return status;
}

const fq_figure fq_figure_damage = {
    .name = "damage",
    .table = "perplexity",
    .script = "damage.gp",
    .shows =
        "Rise of the loss against the noise of scores, both logarithmic, for codes and for normal noise put "
        "into keys in place of a code (line), values alike; bars: 2 SE over windows",
    .feed = feed,
};
