#include "perplexity_summary.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "failure.h"
#include "figure.h"
#include "memory.h"
#include "printable.h"
#include "sources.h"

enum { SETTING_TEXTS = 2, SETTING_NUMBERS = 3, NAME_ROOM = 4 * FQ_VALUE_TEXT_WIDTH + 1 };

typedef struct columns {
    size_t texts[SETTING_TEXTS], numbers[SETTING_NUMBERS]; /* what rows of one part share */
    size_t text_name;
    size_t codec, value_codec, treatment, family, payload, stored, scored, model;
    size_t reference, perplexity, perplexity_se, change, change_se, kl, kl_se, agreement;
} columns;

static fq_status find(columns *c, const fq_table *t) {
    const struct {
        size_t *column;
        const char *name;
        fq_value_type type;
    } wanted[] = {{&c->texts[0], "model_sha256", FQ_VALUE_TEXT},
                  {&c->texts[1], "text_sha256", FQ_VALUE_TEXT},
                  {&c->numbers[0], "window", FQ_VALUE_INTEGER},
                  {&c->numbers[1], "windows", FQ_VALUE_INTEGER},
                  {&c->numbers[2], "skip", FQ_VALUE_INTEGER},
                  {&c->text_name, "text_name", FQ_VALUE_TEXT},
                  {&c->codec, "codec", FQ_VALUE_TEXT},
                  {&c->value_codec, "value_codec", FQ_VALUE_TEXT},
                  {&c->treatment, "treatment", FQ_VALUE_TEXT},
                  {&c->family, "family", FQ_VALUE_TEXT},
                  {&c->payload, "compression_payload", FQ_VALUE_REAL},
                  {&c->stored, "compression_stored", FQ_VALUE_REAL},
                  {&c->scored, "scored", FQ_VALUE_INTEGER},
                  {&c->model, "model_name", FQ_VALUE_TEXT},
                  {&c->reference, "perplexity_reference", FQ_VALUE_REAL},
                  {&c->perplexity, "perplexity", FQ_VALUE_REAL},
                  {&c->perplexity_se, "perplexity_se", FQ_VALUE_REAL},
                  {&c->change, "perplexity_change", FQ_VALUE_REAL},
                  {&c->change_se, "perplexity_change_se", FQ_VALUE_REAL},
                  {&c->kl, "kl", FQ_VALUE_REAL},
                  {&c->kl_se, "kl_se", FQ_VALUE_REAL},
                  {&c->agreement, "agreement", FQ_VALUE_REAL}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        FQ_TRY(fq_figure_column(wanted[i].column, t, wanted[i].name, wanted[i].type));
    return FQ_OK;
}

static bool share_setting(const fq_table *t, const columns *c, size_t a, size_t b) {
    for (size_t i = 0; i < SETTING_TEXTS; i++)
        if (strcmp(fq_table_text(t, a, c->texts[i]), fq_table_text(t, b, c->texts[i])) != 0)
            return false;
    for (size_t i = 0; i < SETTING_NUMBERS; i++)
        if (fq_table_integer(t, a, c->numbers[i]) != fq_table_integer(t, b, c->numbers[i]))
            return false;
    return true;
}

fq_status fq_perplexity_summary_keep(fq_table *table, size_t row) {
    columns c;
    bool *keep = NULL;
    FQ_TRY(find(&c, table));
    FQ_TRY(fq_alloc(&keep, table->count, sizeof *keep));
    for (size_t r = 0; r < table->count; r++)
        keep[r] = share_setting(table, &c, row, r);
    size_t kept = 0;
    for (size_t r = 0; r < table->count; r++)
        if (keep[r])
            memmove(table->records + kept++ * table->record_bytes, table->records + r * table->record_bytes,
                    table->record_bytes);
    table->count = kept;
    fq_free(keep);
    return FQ_OK;
}

/* "fib:k=4,N=256", "fib:k=4,N=256 / tq:b=2; mean+window" */
static void describe(char *text, size_t size, const fq_table *t, const columns *c, size_t row) {
    const char *value = fq_table_text(t, row, c->value_codec),
               *treatment = fq_table_text(t, row, c->treatment);
    const bool same = strcmp(value, "same") == 0, none = strcmp(treatment, "none") == 0;
    snprintf(text, size, "%s%s%s%s%s", fq_table_text(t, row, c->codec), same ? "" : " / ", same ? "" : value,
             none ? "" : "; ", none ? "" : treatment);
}

static void print_row(FILE *to, const fq_table *t, const columns *c, size_t row) {
    char name[3 * FQ_VALUE_TEXT_WIDTH];
    describe(name, sizeof name, t, c, row);
    fprintf(to, "%7.2f %7.2f %10.4f %8.4f %10.4f %8.4f %10.2e %9.4f  %s\n", fq_table_real(t, row, c->payload),
            fq_table_real(t, row, c->stored), fq_table_real(t, row, c->perplexity),
            fq_table_real(t, row, c->perplexity_se), fq_table_real(t, row, c->change),
            fq_table_real(t, row, c->change_se), fq_table_real(t, row, c->kl),
            fq_table_real(t, row, c->agreement), name);
}

/* Row of the first row's part, of the family with this payload compression and the least perplexity, plain
 * rows alone; t->count if none. */
static size_t best_at(const fq_table *t, const columns *c, size_t first, const char *family,
                      double compression) {
    size_t best = t->count;
    for (size_t row = 0; row < t->count; row++) {
        const bool plain = strcmp(fq_table_text(t, row, c->value_codec), "same") == 0 &&
                           !strstr(fq_table_text(t, row, c->codec), "norm=") &&
                           strcmp(fq_table_text(t, row, c->treatment), "none") == 0;
        if (!plain || !share_setting(t, c, first, row) ||
            strcmp(fq_table_text(t, row, c->family), family) != 0 ||
            fabs(fq_table_real(t, row, c->payload) - compression) > 1e-9)
            continue;
        if (best == t->count || fq_table_real(t, row, c->perplexity) < fq_table_real(t, best, c->perplexity))
            best = row;
    }
    return best;
}

static void print_beside_paper(FILE *to, const fq_table *t, const columns *c, size_t first) {
    const size_t at4 = best_at(t, c, first, "fib", 4), fib8 = best_at(t, c, first, "fib", 8),
                 tq8 = best_at(t, c, first, "tq", 8);
    if (at4 < t->count)
        fprintf(to,
                "At 4x: the paper has FibQuant within 0.10 perplexity of fp16 (TinyLlama-1.1B); here %s "
                "changes it by "
                "%.3f (standard error %.3f).\n",
                fq_table_text(t, at4, c->codec), fq_table_real(t, at4, c->change),
                fq_table_real(t, at4, c->change_se));
    if (fib8 < t->count && tq8 < t->count) {
        const double a = fq_table_real(t, tq8, c->perplexity), b = fq_table_real(t, fib8, c->perplexity);
        fprintf(to,
                "At 8x: the paper has TurboQuant's perplexity 3.6 times FibQuant's; here %.2f times (%s "
                "%.2f, %s %.2f; "
                "uncompressed %.2f).\n",
                a / b, fq_table_text(t, tq8, c->codec), a, fq_table_text(t, fib8, c->codec), b,
                fq_table_real(t, fib8, c->reference));
    }
}

/* The row of a part with the least divergence among those that store at least so many times less; bare:
 * codecs without a treatment alone. t->count if there is none. */
static size_t least_divergent(const fq_table *t, const columns *c, size_t first, double compression,
                              bool bare) {
    size_t best = t->count;
    for (size_t row = 0; row < t->count; row++)
        if (share_setting(t, c, first, row) && fq_table_real(t, row, c->stored) >= compression &&
            (!bare || strcmp(fq_table_text(t, row, c->treatment), "none") == 0) &&
            (best == t->count || fq_table_real(t, row, c->kl) < fq_table_real(t, best, c->kl)))
            best = row;
    return best;
}

/* What to take at a compression of everything stored: measured rows alone, nothing between them. */
static void print_recommendation(FILE *to, const fq_table *t, const columns *c, size_t first) {
    static const double compressions[] = {3.0, 4.0, 6.0, 8.0, 12.0};
    fputs("What to take (of what stores at least so many times less, the least divergence):\n", to);
    for (size_t i = 0; i < sizeof compressions / sizeof compressions[0]; i++)
        for (int bare = 0; bare < 2; bare++) {
            const size_t row = least_divergent(t, c, first, compressions[i], bare);
            char name[3 * FQ_VALUE_TEXT_WIDTH];
            fprintf(to, "  %4gx %-18s ", compressions[i], bare ? "without treatment" : "of all");
            if (row == t->count) {
                fputs("nothing measured stores so little\n", to);
                continue;
            }
            describe(name, sizeof name, t, c, row);
            fprintf(to, "perplexity %+.3f +- %.3f, KL %.4f +- %.4f, same token %.3f (%.2fx): %s\n",
                    fq_table_real(t, row, c->change), fq_table_real(t, row, c->change_se),
                    fq_table_real(t, row, c->kl), fq_table_real(t, row, c->kl_se),
                    fq_table_real(t, row, c->agreement), fq_table_real(t, row, c->stored), name);
        }
}

/* The part of the table whose first row is given; where tells it from parts of other sources. */
static void print_part(FILE *to, const fq_table *t, const columns *c, size_t first, const char *where) {
    char model[NAME_ROOM], text[NAME_ROOM];
    fq_printable(model, sizeof model, fq_table_text(t, first, c->model));
    fq_printable(text, sizeof text, fq_table_text(t, first, c->text_name));
    fprintf(to,
            "Perplexity of %s with its whole KV cache compressed, over %" PRId64 " tokens of %s (%" PRId64
            " windows of %" PRId64 ")%s%s%s; uncompressed %.4f.\n",
            model, fq_table_integer(t, first, c->scored), text, fq_table_integer(t, first, c->numbers[1]),
            fq_table_integer(t, first, c->numbers[0]), where[0] ? " (" : "", where, where[0] ? ")" : "",
            fq_table_real(t, first, c->reference));
    fprintf(to, "%7s %7s %10s %8s %10s %8s %10s %9s  %s\n", "payload", "stored", "perplexity", "std err",
            "change", "std err", "KL (nat)", "agreement", "keys / values");
    for (size_t row = first; row < t->count; row++)
        if (share_setting(t, c, first, row))
            print_row(to, t, c, row);
    print_beside_paper(to, t, c, first);
    print_recommendation(to, t, c, first);
}

fq_status fq_perplexity_summary_print(FILE *to, const fq_results *store) {
    const fq_table *t = fq_results_table(store, "perplexity");
    columns c;
    if (!t)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "no table perplexity");
    if (t->count == 0)
        return FQ_OK;
    FQ_TRY(find(&c, t));
    fq_sources sources;
    FQ_TRY(fq_sources_find(&sources, t, "model_name text_name window windows skip model_sha256 text_sha256"));
    for (size_t row = 0; row < t->count; row++) {
        size_t first = 0;
        while (!share_setting(t, &c, first, row))
            first++;
        if (first == row)
            print_part(to, t, &c, row, sources.label[sources.of_row[row]]);
    }
    fq_sources_clear(&sources);
    return FQ_OK;
}
