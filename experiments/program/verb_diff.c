/* fibquant diff: are the values of two results files the same? */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"
#include "options.h"
#include "result_store.h"
#include "verb.h"

static double absolute, relative;
static bool quiet;

static const fq_option options[] = {
    {.name = "absolute",
     .kind = FQ_OPTION_REAL,
     .value = &absolute,
     .argument = "A",
     .least = 0,
     .most = 1e300,
     .help = "reals may differ by A"},
    {.name = "relative",
     .kind = FQ_OPTION_REAL,
     .value = &relative,
     .argument = "R",
     .least = 0,
     .most = 1,
     .help = "or by R times the larger magnitude"},
    {.name = "quiet", .letter = 'q', .kind = FQ_OPTION_FLAG, .value = &quiet, .help = "exit status only"},
    {0}};

static const fq_usage usage = {
    .verb = "diff",
    .summary = "Compares the value columns of two results files, row by row. Rows belong together "
               "when their parameters, seed, replicate and row number are equal; time, memory, host "
               "and order do not matter. Without tolerances values must be identical.",
    .arguments = "A.h5 B.h5",
    .least_arguments = 2,
    .most_arguments = 2,
    .options = options,
    .examples = "fibquant diff one_rank.h5 three_ranks.h5\n"
                "fibquant diff avx2.h5 portable.h5 --relative 1e-9",
    .exit_status = "0 the same, 1 different"};

typedef struct keyed {
    char *key; /* parameters as text */
    size_t row;
} keyed;

static int by_key(const void *a, const void *b) {
    return strcmp(((const keyed *)a)->key, ((const keyed *)b)->key);
}

static fq_status make_keys(fq_arena *arena, const fq_table *table, keyed **keys) {
    FQ_TRY(fq_arena_alloc(arena, keys, table->count, sizeof **keys));
    for (size_t r = 0; r < table->count; r++) {
        char buffer[FQ_TABLE_VALUE_TEXT];
        size_t length = 1;
        for (int pass = 0; pass < 2; pass++) {
            char *at = (*keys)[r].key;
            for (size_t c = 0; c < table->column_count; c++) {
                if (table->columns[c].role != FQ_ROLE_PARAMETER)
                    continue;
                const char *text = fq_table_format(table, r, c, buffer);
                const size_t n = strlen(text) + strlen(table->columns[c].name) + 3;
                if (pass)
                    at += snprintf(at, n + 1, "%s=%s, ", table->columns[c].name, text);
                else
                    length += n;
            }
            if (!pass)
                FQ_TRY(fq_arena_alloc(arena, &(*keys)[r].key, length, 1));
        }
        (*keys)[r].row = r;
    }
    if (table->count)
        qsort(*keys, table->count, sizeof **keys, by_key);
    return FQ_OK;
}

static bool same_value(const fq_table *a, size_t ra, size_t ca, const fq_table *b, size_t rb, size_t cb) {
    if (a->columns[ca].type != b->columns[cb].type)
        return false;
    switch (a->columns[ca].type) {
    case FQ_VALUE_TEXT:
        return strcmp(fq_table_text(a, ra, ca), fq_table_text(b, rb, cb)) == 0;
    case FQ_VALUE_INTEGER:
        return fq_table_integer(a, ra, ca) == fq_table_integer(b, rb, cb);
    case FQ_VALUE_REAL:
        break;
    }
    const double x = fq_table_real(a, ra, ca), y = fq_table_real(b, rb, cb);
    if ((isnan(x) && isnan(y)) || x == y)
        return true;
    const double off = fabs(x - y); /* NaN or infinity on one side only: never within tolerance */
    return off <= absolute || off <= relative * fmax(fabs(x), fabs(y));
}

static void say(const char *table, const char *key, const char *what) {
    if (!quiet)
        printf("%s: %s%s\n", table, key, what);
}

static size_t compare_rows(const fq_table *a, const keyed *ka, const fq_table *b, const keyed *kb) {
    size_t differences = 0;
    for (size_t c = 0; c < a->column_count; c++) {
        const size_t d = fq_table_find(b, a->columns[c].name);
        if (a->columns[c].role != FQ_ROLE_VALUE)
            continue;
        char x[FQ_TABLE_VALUE_TEXT], y[FQ_TABLE_VALUE_TEXT], what[400];
        if (d < b->column_count && same_value(a, ka->row, c, b, kb->row, d))
            continue;
        differences++;
        snprintf(what, sizeof what, "%s: %.120s | %.120s", a->columns[c].name,
                 fq_table_format(a, ka->row, c, x),
                 d < b->column_count ? fq_table_format(b, kb->row, d, y) : "(no such column)");
        say(a->name, ka->key, what);
    }
    return differences;
}

static fq_status compare_tables(const fq_table *a, const fq_table *b, size_t *differences, size_t *compared) {
    fq_arena arena = {0};
    keyed *ka = NULL, *kb = NULL;
    fq_status status = make_keys(&arena, a, &ka);
    if (status == FQ_OK)
        status = make_keys(&arena, b, &kb);
    size_t i = 0, j = 0;
    while (status == FQ_OK && (i < a->count || j < b->count)) {
        const int order = i == a->count ? 1 : j == b->count ? -1 : strcmp(ka[i].key, kb[j].key);
        if (order == 0) {
            *differences += compare_rows(a, &ka[i++], b, &kb[j++]);
            ++*compared;
        } else {
            ++*differences;
            say(a->name, order < 0 ? ka[i].key : kb[j].key,
                order < 0 ? "only in the first file" : "only in the second file");
            i += order < 0;
            j += order > 0;
        }
    }
    fq_arena_clear(&arena);
    return status;
}

static fq_status compare(const fq_results *a, const fq_results *b, size_t *differences, size_t *compared) {
    static const fq_table empty;
    for (size_t t = 0; t < a->table_count; t++) {
        const fq_table *other = fq_results_table(b, a->tables[t].name);
        FQ_TRY(compare_tables(&a->tables[t], other ? other : &empty, differences, compared));
    }
    for (size_t t = 0; t < b->table_count; t++)
        if (!fq_results_table(a, b->tables[t].name))
            FQ_TRY(compare_tables(&empty, &b->tables[t], differences, compared));
    return FQ_OK;
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    fq_results a = {0}, b = {0};
    size_t differences = 0, compared = 0;
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    fq_status status = fq_store_read(arguments.items[0], &a);
    if (status == FQ_OK)
        status = fq_store_read(arguments.items[1], &b);
    if (status == FQ_OK)
        status = compare(&a, &b, &differences, &compared);
    exit_code = status == FQ_OK ? differences > 0 : fq_verb_fail("diff");
    if (status == FQ_OK && !quiet)
        printf("%zu rows compared, %zu differences\n", compared, differences);
    fq_results_clear(&a);
    fq_results_clear(&b);
    return exit_code;
}

const fq_verb fq_verb_diff = {"diff", "compare the values of two results files", run};
