/* fibquant diff: are the values of two results files the same? */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"
#include "options.h"
#include "printable.h"
#include "result_store.h"
#include "verb.h"
#include "verb_support.h"

static double absolute, relative, errors;
static bool quiet, summary, json;
static json_t *tables; /* for --json */

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
    {.name = "errors",
     .kind = FQ_OPTION_REAL,
     .value = &errors,
     .argument = "Z",
     .least = 0,
     .most = 100,
     .help = "or by Z times sqrt(a^2 + b^2), a and b the standard errors X_se that both files have beside X; "
             "the errors themselves are then not compared"},
    {.name = "summary",
     .kind = FQ_OPTION_FLAG,
     .value = &summary,
     .help = "per table rows equal, different and in one file only; per column the largest difference"},
    {.name = "quiet", .letter = 'q', .kind = FQ_OPTION_FLAG, .value = &quiet, .help = "exit status only"},
    FQ_OPTION_JSON(json),
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
                "fibquant diff avx2.h5 portable.h5 --relative 1e-9\n"
                "fibquant diff mine.h5 theirs.h5 --errors 4\n"
                "fibquant diff monday.h5 friday.h5 --summary",
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

/* How far a column of two tables is apart, over all rows that both have. */
typedef struct apart {
    size_t rows;                      /* that differ */
    double largest, largest_relative; /* of reals and whole numbers */
} apart;

typedef struct comparison {
    const char *name;
    const fq_table *a, *b;               /* without columns where a file has no such table */
    apart columns[FQ_TABLE_COLUMNS_MAX]; /* of a's */
    size_t equal, different, only_a, only_b, columns_missing;
} comparison;

static double number_at(const fq_table *t, size_t row, size_t column) {
    return t->columns[column].type == FQ_VALUE_INTEGER ? (double)fq_table_integer(t, row, column)
                                                       : fq_table_real(t, row, column);
}

/* sqrt(a^2 + b^2) of the standard errors that both rows have beside a column; 0 where one has none. */
static double joint_error(const fq_table *a, size_t ra, size_t ca, const fq_table *b, size_t rb) {
    const size_t i = fq_table_find_error(a, ca);
    const size_t j = i < a->column_count ? fq_table_find(b, a->columns[i].name) : b->column_count;
    if (j == b->column_count || b->columns[j].type != FQ_VALUE_REAL)
        return 0;
    const double error = hypot(fq_table_real(a, ra, i), fq_table_real(b, rb, j));
    return isfinite(error) ? error : 0;
}

/* Whether a column is the standard error of another, which --errors judges instead of it. */
static bool is_error_column(const fq_table *t, size_t column) {
    char name[FQ_TABLE_NAME_MAX + 1];
    const size_t length = strlen(t->columns[column].name);
    if (length < 4 || strcmp(t->columns[column].name + length - 3, "_se") != 0)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)length - 3, t->columns[column].name);
    return fq_table_find(t, name) < t->column_count;
}

/* Whether two values are the same as far as the tolerances say; if not, *off says how far apart they are. */
static bool same_value(const fq_table *a, size_t ra, size_t ca, const fq_table *b, size_t rb, size_t cb,
                       double *off, double *off_relative) {
    *off = *off_relative = 0.0;
    if (a->columns[ca].type != b->columns[cb].type)
        return false;
    if (a->columns[ca].type == FQ_VALUE_TEXT)
        return strcmp(fq_table_text(a, ra, ca), fq_table_text(b, rb, cb)) == 0;
    if (a->columns[ca].type == FQ_VALUE_INTEGER && fq_table_integer(a, ra, ca) == fq_table_integer(b, rb, cb))
        return true;
    const double x = number_at(a, ra, ca), y = number_at(b, rb, cb);
    if (a->columns[ca].type == FQ_VALUE_REAL && ((isnan(x) && isnan(y)) || x == y))
        return true;
    *off = fabs(x - y); /* NaN or infinity on one side only: never within tolerance */
    *off_relative = *off / fmax(fabs(x), fabs(y));
    if (a->columns[ca].type == FQ_VALUE_INTEGER)
        return false;
    return *off <= absolute || *off <= relative * fmax(fabs(x), fabs(y)) ||
           *off <= errors * joint_error(a, ra, ca, b, rb);
}

static void say(const char *table, const char *key, const char *what) {
    char line[2048], name[4 * FQ_TABLE_NAME_MAX];
    if (quiet || summary || json)
        return;
    fq_printable(name, sizeof name, table);
    fq_printable(line, sizeof line, key);
    printf("%s: %s", name, line);
    fq_printable(line, sizeof line, what);
    puts(line);
}

/* NaN counts as the largest of all differences. */
static double larger(double a, double b) {
    return isnan(a) || a > b ? a : b;
}

static void compare_rows(comparison *c, const keyed *ka, const keyed *kb) {
    size_t differences = 0;
    for (size_t i = 0; i < c->a->column_count; i++) {
        const fq_value_column *column = &c->a->columns[i];
        const size_t j = fq_table_find(c->b, column->name);
        double off = 0.0, off_relative = 0.0;
        char x[FQ_TABLE_VALUE_TEXT], y[FQ_TABLE_VALUE_TEXT], what[400];
        if (column->role != FQ_ROLE_VALUE || j == c->b->column_count ||
            (errors > 0 && is_error_column(c->a, i)) ||
            same_value(c->a, ka->row, i, c->b, kb->row, j, &off, &off_relative))
            continue;
        differences++;
        c->columns[i].rows++;
        c->columns[i].largest = larger(off, c->columns[i].largest);
        c->columns[i].largest_relative = larger(off_relative, c->columns[i].largest_relative);
        snprintf(what, sizeof what, "%s: %.120s | %.120s", column->name, fq_table_format(c->a, ka->row, i, x),
                 fq_table_format(c->b, kb->row, j, y));
        say(c->name, ka->key, what);
    }
    c->equal += differences == 0;
    c->different += differences > 0;
}

/* Value columns that one of two tables alone has: said once, not row by row. */
static size_t missing_columns(const comparison *c, const fq_table *from, const fq_table *in,
                              const char *where) {
    size_t missing = 0;
    for (size_t i = 0; from->column_count && in->column_count && i < from->column_count; i++)
        if (from->columns[i].role == FQ_ROLE_VALUE &&
            fq_table_find(in, from->columns[i].name) == in->column_count) {
            char key[FQ_TABLE_NAME_MAX + 16];
            snprintf(key, sizeof key, "column %s ", from->columns[i].name);
            say(c->name, key, where);
            missing++;
        }
    return missing;
}

static fq_status compare_tables(comparison *c) {
    fq_arena arena = {0};
    keyed *ka = NULL, *kb = NULL;
    fq_status status = make_keys(&arena, c->a, &ka);
    if (status == FQ_OK)
        status = make_keys(&arena, c->b, &kb);
    size_t i = 0, j = 0;
    c->columns_missing = missing_columns(c, c->a, c->b, "only in the first file") +
                         missing_columns(c, c->b, c->a, "only in the second file");
    while (status == FQ_OK && (i < c->a->count || j < c->b->count)) {
        const int order = i == c->a->count ? 1 : j == c->b->count ? -1 : strcmp(ka[i].key, kb[j].key);
        if (order == 0) {
            compare_rows(c, &ka[i++], &kb[j++]);
        } else {
            say(c->name, order < 0 ? ka[i].key : kb[j].key,
                order < 0 ? "only in the first file" : "only in the second file");
            c->only_a += order < 0;
            c->only_b += order > 0;
            i += order < 0;
            j += order > 0;
        }
    }
    fq_arena_clear(&arena);
    return status;
}

/* What --summary prints, for --json. */
static void note_table(const comparison *c) {
    json_t *columns = json_array();
    for (size_t i = 0; i < c->a->column_count; i++) {
        const apart *off = &c->columns[i];
        const bool text = c->a->columns[i].type == FQ_VALUE_TEXT;
        if (off->rows)
            json_array_append_new(
                columns, json_pack("{s:o, s:I, s:o, s:o}", "column", fq_json_text(c->a->columns[i].name),
                                   "rows_different", (json_int_t)off->rows, "largest",
                                   text ? json_null() : fq_json_number(off->largest), "largest_relative",
                                   text ? json_null() : fq_json_number(off->largest_relative)));
    }
    json_array_append_new(
        tables, json_pack("{s:o, s:I, s:I, s:I, s:I, s:I, s:o}", "table", fq_json_text(c->name), "rows_equal",
                          (json_int_t)c->equal, "rows_different", (json_int_t)c->different, "only_in_first",
                          (json_int_t)c->only_a, "only_in_second", (json_int_t)c->only_b,
                          "columns_in_one_only", (json_int_t)c->columns_missing, "columns", columns));
}

static void print_summary(const comparison *c) {
    char name[4 * FQ_TABLE_NAME_MAX];
    if (json)
        note_table(c);
    if (quiet || json || !summary)
        return;
    fq_printable(name, sizeof name, c->name);
    printf("%s: %zu rows equal, %zu different, %zu only in the first file, %zu only in the second", name,
           c->equal, c->different, c->only_a, c->only_b);
    if (c->columns_missing)
        printf("; %zu columns in one file only", c->columns_missing);
    putchar('\n');
    for (size_t i = 0; i < c->a->column_count; i++) {
        const apart *off = &c->columns[i];
        if (!off->rows)
            continue;
        fq_printable(name, sizeof name, c->a->columns[i].name);
        printf("  %-24s %zu rows differ", name, off->rows);
        if (c->a->columns[i].type != FQ_VALUE_TEXT)
            printf(", by up to %.3g (relative %.3g)", off->largest, off->largest_relative);
        putchar('\n');
    }
}

static fq_status compare(const fq_results *a, const fq_results *b, size_t *differences, size_t *compared) {
    static const fq_table empty;
    static comparison c; /* too large for the stack */
    for (size_t t = 0; t < a->table_count + b->table_count; t++) {
        const bool first = t < a->table_count;
        const fq_table *table = first ? &a->tables[t] : &b->tables[t - a->table_count];
        const fq_table *other = fq_results_table(first ? b : a, table->name);
        if (!first && other)
            continue; /* compared already */
        c = (comparison){.name = table->name, .a = first ? table : &empty, .b = first ? other : table};
        if (!c.b)
            c.b = &empty;
        FQ_TRY(compare_tables(&c));
        print_summary(&c);
        *compared += c.equal + c.different;
        *differences += c.only_a + c.only_b + c.columns_missing;
        for (size_t i = 0; i < c.a->column_count; i++)
            *differences += c.columns[i].rows;
    }
    return FQ_OK;
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    fq_results a = {0}, b = {0};
    size_t differences = 0, compared = 0;
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    tables = json_array();
    fq_status status = fq_store_read(arguments.items[0], &a);
    if (status == FQ_OK)
        status = fq_store_read(arguments.items[1], &b);
    if (status == FQ_OK)
        status = compare(&a, &b, &differences, &compared);
    if (status == FQ_OK && json)
        status = fq_verb_print_json(json_pack("{s:s, s:I, s:I, s:O}", "schema", "fibquant diff 1",
                                              "rows_compared", (json_int_t)compared, "differences",
                                              (json_int_t)differences, "tables", tables));
    exit_code = status == FQ_OK ? differences > 0 : fq_verb_fail("diff");
    json_decref(tables);
    if (status == FQ_OK && !quiet && !json)
        printf("%zu rows compared, %zu differences\n", compared, differences);
    fq_results_clear(&a);
    fq_results_clear(&b);
    return exit_code;
}

const fq_verb fq_verb_diff = {"diff", "compare the values of two results files", run};
