/* fibquant results: rows of a results file as text, CSV or JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "failure.h"
#include "memory.h"
#include "options.h"
#include "printable.h"
#include "result_store.h"
#include "results_typeset.h"
#include "sweep_store.h"
#include "verb.h"
#include "verb_support.h"

static fq_option_list where, chosen;
static const char *table_name;
static bool csv, markdown, latex, json;

static const fq_option options[] = {
    {.name = "table",
     .kind = FQ_OPTION_TEXT,
     .value = &table_name,
     .argument = "NAME",
     .help = "an experiment, or failures; default: the only experiment with rows"},
    {.name = "where",
     .kind = FQ_OPTION_LIST,
     .value = &where,
     .argument = "COLUMN OP VALUE",
     .help = "keeps rows for which it holds; OP is =, !=, <, <=, >, >=; repeatable"},
    {.name = "column",
     .kind = FQ_OPTION_LIST,
     .value = &chosen,
     .argument = "NAME",
     .help = "prints this column; repeatable; default: parameters and values"},
    {.name = "csv", .kind = FQ_OPTION_FLAG, .value = &csv, .help = "comma-separated values"},
    {.name = "markdown",
     .kind = FQ_OPTION_FLAG,
     .value = &markdown,
     .help = "a Markdown table; X and X_se in one cell, as 0.104936(49)"},
    {.name = "latex", .kind = FQ_OPTION_FLAG, .value = &latex, .help = "the same as a LaTeX tabular"},
    FQ_OPTION_JSON(json),
    {0}};

static const fq_usage usage = {
    .verb = "results",
    .summary = "Lists and exports the rows of a results file, also while a sweep writes it.",
    .notes =
        "On a terminal columns are aligned and numbers rounded to six digits; into a pipe or file go values "
        "separated by tabs, numbers in full. Control characters are spelt out (\\n, \\t, \\x1b). --where "
        "compares as numbers where a column holds numbers or whole numbers as text (seeds), else as text.",
    .arguments = "RESULTS.h5",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .examples =
        "fibquant results rd.h5 --where 'rate<=2' --where block=4\n"
        "fibquant results rd.h5 --csv --column codec --column distortion > rd.csv\n"
        "fibquant results rd.h5 --markdown --column codec --column distortion --column distortion_se\n"
        "fibquant results rd.h5 --table failures"};

typedef struct condition {
    size_t column;
    char op;    /* = ! < l(<=) > g(>=) */
    bool whole; /* a text column of whole numbers, like seed */
    double number;
    char text[512];
} condition;

/* Whether a text is a whole number as programs write it, and small enough for 64 bits with a sign. */
static bool is_whole(const char *text) {
    const char *digits = text + (*text == '-');
    const size_t length = strlen(digits);
    return length >= 1 && length <= 20 && strspn(digits, "0123456789") == length;
}

/* Text columns that hold nothing but whole numbers: seeds are kept so, since 64 bits do not fit a double. */
static bool holds_whole_numbers(const fq_table *table, size_t column) {
    for (size_t r = 0; r < table->count; r++)
        if (!is_whole(fq_table_text(table, r, column)))
            return false;
    return table->count > 0;
}

/* Sign of a - b for two whole numbers written out, of any size. */
static int compare_whole(const char *a, const char *b) {
    const bool a_negative = *a == '-', b_negative = *b == '-';
    a += a_negative;
    b += b_negative;
    a += strspn(a, "0");
    b += strspn(b, "0");
    const size_t la = strlen(a), lb = strlen(b);
    if (la == 0 && lb == 0)
        return 0;
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    const int order = la != lb ? (la < lb ? -1 : 1) : strcmp(a, b);
    return a_negative ? -order : order;
}

static fq_status parse_condition(condition *c, const fq_table *table, const char *text) {
    char name[FQ_TABLE_NAME_MAX + 1];
    size_t n = strcspn(text, "=!<> ");
    snprintf(name, sizeof name, "%.*s", (int)n, text);
    c->column = fq_table_find(table, name);
    if (c->column == table->column_count)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--where %.200s: no column \"%s\" in table %s", text, name,
                            table->name);
    n += strspn(text + n, " ");
    const bool equals = text[n] && text[n + 1] == '=';
    c->op = text[n] == '<' && equals ? 'l' : text[n] == '>' && equals ? 'g' : text[n];
    if (!c->op || !strchr("=!<>lg", c->op) || (c->op == '!' && !equals))
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "--where %.200s: no comparison; allowed: COLUMN OP VALUE, OP one of = != < "
                            "<= > >=",
                            text);
    n += equals ? 2 : 1;
    n += strspn(text + n, " ");
    snprintf(c->text, sizeof c->text, "%s", text + n);
    const bool is_text = table->columns[c->column].type == FQ_VALUE_TEXT;
    if (is_text && !holds_whole_numbers(table, c->column))
        return FQ_OK;
    char *end = NULL;
    c->number = strtod(c->text, &end);
    c->whole = is_text;
    if (end == c->text || *end)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--where %.200s: \"%.60s\" is no number", text, c->text);
    return FQ_OK;
}

/* Sign of value - wanted for one row; 2 where one of them is NaN and the other is not. */
static int compare_value(const condition *c, const fq_table *table, size_t row) {
    if (table->columns[c->column].type == FQ_VALUE_TEXT) {
        const char *text = fq_table_text(table, row, c->column);
        const int order = strcmp(text, c->text);
        if (!c->whole)
            return (order > 0) - (order < 0);
        if (is_whole(c->text))
            return compare_whole(text, c->text);
    }
    const double value = c->whole ? strtod(fq_table_text(table, row, c->column), NULL)
                         : table->columns[c->column].type == FQ_VALUE_INTEGER
                             ? (double)fq_table_integer(table, row, c->column)
                             : fq_table_real(table, row, c->column);
    if (isnan(value) || isnan(c->number))
        return isnan(value) && isnan(c->number) ? 0 : 2;
    return (value > c->number) - (value < c->number);
}

static bool holds(const condition *c, const fq_table *table, size_t row) {
    const int order = compare_value(c, table, row);
    const bool unordered =
        order == 2 || isnan(c->number); /* NaN is equal to itself and related to nothing else */
    switch (c->op) {
    case '=':
        return order == 0;
    case '!':
        return order != 0;
    case '<':
        return !unordered && order < 0;
    case 'l':
        return !unordered && order <= 0;
    case '>':
        return !unordered && order > 0;
    default:
        return !unordered && order >= 0;
    }
}

static void print_csv_text(const char *text) {
    if (!strpbrk(text, ",\"\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

typedef struct selection {
    const fq_table *table;
    size_t columns[FQ_TABLE_COLUMNS_MAX], count;
    condition conditions[FQ_OPTION_LIST_MAX];
} selection;

static bool selected(const selection *s, size_t row) {
    for (size_t i = 0; i < where.count; i++)
        if (!holds(&s->conditions[i], s->table, row))
            return false;
    return true;
}

/* The rows that were chosen, in the language of documents. */
static fq_status typeset_rows(const selection *s) {
    size_t *rows = NULL, count = 0;
    FQ_TRY(fq_alloc(&rows, s->table->count + 1, sizeof *rows));
    for (size_t r = 0; r < s->table->count; r++)
        if (selected(s, r))
            rows[count++] = r;
    fq_results_typeset(stdout, latex ? FQ_TYPESET_LATEX : FQ_TYPESET_MARKDOWN, s->table, s->columns, s->count,
                       rows, count);
    fq_free(rows);
    return FQ_OK;
}

static void print_rows(const selection *s) {
    const char *separator = csv ? "," : "\t";
    static char shown[4 * FQ_TABLE_TEXT_MAX + 1];
    char buffer[FQ_TABLE_VALUE_TEXT];
    for (size_t c = 0; c < s->count; c++)
        printf("%s%s", c ? separator : "", s->table->columns[s->columns[c]].name);
    putchar('\n');
    for (size_t r = 0; r < s->table->count; r++) {
        if (!selected(s, r))
            continue;
        for (size_t c = 0; c < s->count; c++) {
            const char *text = fq_table_format(s->table, r, s->columns[c], buffer);
            if (c)
                fputs(separator, stdout);
            if (csv) {
                print_csv_text(text);
                continue;
            }
            fq_printable(shown, sizeof shown, text);
            fputs(shown, stdout);
        }
        putchar('\n');
    }
}

/* For people: numbers of six digits, texts of what a terminal may be sent, cut to a sensible length. */
enum { CELL_ROOM = 4 * 64 + 8, CELL_COLUMNS = 64 };

static const char *cell(char shown[CELL_ROOM], const fq_table *table, size_t row, size_t column) {
    char buffer[FQ_TABLE_VALUE_TEXT];
    if (table->columns[column].type == FQ_VALUE_REAL) {
        snprintf(shown, CELL_ROOM, "%.6g", fq_table_real(table, row, column));
        return shown;
    }
    fq_printable(shown, CELL_ROOM, fq_table_format(table, row, column, buffer));
    size_t at = 0;
    for (size_t columns = 0; shown[at] && columns < CELL_COLUMNS; columns++) {
        at++;
        while (((unsigned char)shown[at] & 0xc0) == 0x80)
            at++;
    }
    if (shown[at])
        strcpy(shown + at, "..");
    return shown;
}

static size_t columns_of(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void print_cell(const char *text, size_t width, bool right, bool last) {
    const int pad = (int)(width - columns_of(text));
    printf("%*s%s%*s", right ? pad : 0, "", text, right || last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static void print_aligned(const selection *s) {
    static size_t widths[FQ_TABLE_COLUMNS_MAX];
    char shown[CELL_ROOM];
    for (size_t c = 0; c < s->count; c++) {
        widths[c] = columns_of(s->table->columns[s->columns[c]].name);
        for (size_t r = 0; r < s->table->count; r++) {
            const size_t width = selected(s, r) ? columns_of(cell(shown, s->table, r, s->columns[c])) : 0;
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t c = 0; c < s->count; c++)
        print_cell(s->table->columns[s->columns[c]].name, widths[c],
                   s->table->columns[s->columns[c]].type != FQ_VALUE_TEXT, c + 1 == s->count);
    for (size_t r = 0; r < s->table->count; r++)
        for (size_t c = 0; selected(s, r) && c < s->count; c++)
            print_cell(cell(shown, s->table, r, s->columns[c]), widths[c],
                       s->table->columns[s->columns[c]].type != FQ_VALUE_TEXT, c + 1 == s->count);
}

static json_t *json_value(const fq_table *table, size_t row, size_t column) {
    const double value =
        table->columns[column].type == FQ_VALUE_REAL ? fq_table_real(table, row, column) : 0.0;
    switch (table->columns[column].type) {
    case FQ_VALUE_REAL:
        return isfinite(value) ? json_real(value) : json_null();
    case FQ_VALUE_INTEGER:
        return json_integer(fq_table_integer(table, row, column));
    case FQ_VALUE_TEXT:
        break;
    }
    json_t *text = json_string(fq_table_text(table, row, column));
    if (!text) /* once more, in case memory was the reason */
        text = json_string(fq_table_text(table, row, column));
    return text ? text : json_string("(not UTF-8)");
}

/* The document, or NULL if memory ran out on the way: then nothing of it is printed. */
static json_t *make_json(const selection *s) {
    json_t *document = json_object(), *units = json_object(), *rows = json_array();
    bool good = json_object_set_new(document, "version", json_integer(1)) == 0 &&
                json_object_set_new(document, "table", json_string(s->table->name)) == 0;
    for (size_t c = 0; good && c < s->count; c++)
        good = json_object_set_new(units, s->table->columns[s->columns[c]].name,
                                   json_string(s->table->columns[s->columns[c]].units)) == 0;
    good = json_object_set(document, "units", units) == 0 && good;
    for (size_t r = 0; good && r < s->table->count; r++) {
        if (!selected(s, r))
            continue;
        json_t *row = json_object();
        for (size_t c = 0; good && c < s->count; c++)
            good = json_object_set_new(row, s->table->columns[s->columns[c]].name,
                                       json_value(s->table, r, s->columns[c])) == 0;
        good = json_array_append_new(rows, row) == 0 && good;
    }
    good = json_object_set(document, "rows", rows) == 0 && good;
    json_decref(units);
    json_decref(rows);
    if (good)
        return document;
    json_decref(document);
    return NULL;
}

static fq_status print_json(const selection *s) {
    json_t *document = make_json(s);
    if (!document)
        return FQ_FAIL(FQ_ERR_MEMORY, "json", "enough memory");
    const int failed = json_dumpf(document, stdout, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    json_decref(document);
    putchar('\n');
    return failed ? FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "standard output cannot be written") : FQ_OK;
}

/* The table asked for, else the only one with rows that is no list of failures; where none has rows yet, the
 * only one there is, or NULL. */
static fq_status choose_table(const fq_results *results, const fq_table **table) {
    char names[600] = "";
    size_t filled = 0, others = 0;
    const fq_table *blank = NULL;
    *table = NULL;
    for (size_t t = 0; t < results->table_count; t++) {
        const fq_table *candidate = &results->tables[t];
        const bool failures = strcmp(candidate->name, FQ_FAILURES_TABLE) == 0;
        if (strlen(names) + strlen(candidate->name) + 3 < sizeof names)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", t ? ", " : "",
                     candidate->name);
        if (table_name ? strcmp(candidate->name, table_name) == 0 : !failures && candidate->count) {
            *table = candidate;
            filled++;
        } else if (!failures) {
            blank = candidate;
            others++;
        }
    }
    if (filled == 1)
        return FQ_OK;
    if (table_name || filled > 1)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--table %s; allowed: one of %s",
                            table_name ? table_name : "is missing", names);
    *table = others == 1 ? blank : NULL;
    return FQ_OK;
}

/* A store that a sweep has just made, or whose points all failed, is no fault of the caller's. */
static void note_no_rows(const fq_results *results, const char *path) {
    const fq_table *failures = fq_results_table(results, FQ_FAILURES_TABLE);
    char name[1024];
    fq_printable(name, sizeof name, path);
    fprintf(stderr, "fibquant results: %s: no rows yet", name);
    if (failures && failures->count)
        fprintf(stderr, "; %zu points failed: --table %s", failures->count, FQ_FAILURES_TABLE);
    fputc('\n', stderr);
}

static fq_status show(const fq_results *results, selection *s, const char *path) {
    static const fq_table none;
    FQ_TRY(choose_table(results, &s->table));
    if (!s->table || (!table_name && !s->table->count))
        note_no_rows(results, path);
    if (!s->table)
        s->table = &none;
    for (size_t i = 0; s->table != &none && i < where.count; i++)
        FQ_TRY(parse_condition(&s->conditions[i], s->table, where.items[i]));
    for (size_t i = 0; s->table != &none && i < chosen.count && s->count < FQ_TABLE_COLUMNS_MAX; i++) {
        const size_t c = fq_table_find(s->table, chosen.items[i]);
        if (c == s->table->column_count)
            return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--column %.64s: no such column in table %s", chosen.items[i],
                                s->table->name);
        s->columns[s->count++] = c;
    }
    for (size_t c = 0; !chosen.count && c < s->table->column_count; c++)
        if (s->table->columns[c].role != FQ_ROLE_BOOKKEEPING)
            s->columns[s->count++] = c;
    if (json)
        return print_json(s);
    if (s->table == &none)
        return FQ_OK;
    if (markdown || latex)
        return typeset_rows(s);
    if (!csv && isatty(STDOUT_FILENO))
        print_aligned(s);
    else
        print_rows(s);
    return FQ_OK;
}

static int run(int argc, const char **argv) {
    static selection s; /* too large for the stack */
    fq_arguments arguments;
    fq_results results = {0};
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    if (csv + markdown + latex + json > 1)
        return fq_options_refuse(&usage, "--csv, --markdown, --latex, --json; allowed: one of them");
    fq_status status = fq_store_read(arguments.items[0], &results);
    if (status == FQ_OK)
        status = show(&results, &s, arguments.items[0]);
    exit_code = status == FQ_OK ? 0 : fq_verb_fail("results");
    fq_results_clear(&results);
    return exit_code;
}

const fq_verb fq_verb_results = {"results", "list and export rows of a results file", run};
