/* fibquant results: rows of a results file as text, CSV or JSON. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "failure.h"
#include "options.h"
#include "result_store.h"
#include "sweep_store.h"
#include "verb.h"

static fq_option_list where, chosen;
static const char *table_name;
static bool csv, json;

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
    {.name = "json", .kind = FQ_OPTION_FLAG, .value = &json, .help = "one JSON document"},
    {0}};

static const fq_usage usage = {
    .verb = "results",
    .summary = "Lists and exports the rows of a results file, also while a sweep writes it.",
    .arguments = "RESULTS.h5",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .examples = "fibquant results rd.h5 --where 'rate<=2' --where block=4\n"
                "fibquant results rd.h5 --csv --column codec --column distortion > rd.csv\n"
                "fibquant results rd.h5 --table failures"};

typedef struct condition {
    size_t column;
    char op; /* = ! < l(<=) > g(>=) */
    double number;
    char text[512];
} condition;

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
    if (table->columns[c->column].type == FQ_VALUE_TEXT)
        return FQ_OK;
    char *end = NULL;
    c->number = strtod(c->text, &end);
    if (end == c->text || *end)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--where %.200s: \"%.60s\" is no number", text, c->text);
    return FQ_OK;
}

static bool holds(const condition *c, const fq_table *table, size_t row) {
    int order;
    if (table->columns[c->column].type == FQ_VALUE_TEXT) {
        order = strcmp(fq_table_text(table, row, c->column), c->text);
    } else {
        const double value = table->columns[c->column].type == FQ_VALUE_REAL
                                 ? fq_table_real(table, row, c->column)
                                 : (double)fq_table_integer(table, row, c->column);
        if (isnan(value) || isnan(c->number))
            return c->op == '=' ? isnan(value) && isnan(c->number)
                                : c->op == '!' && isnan(value) != isnan(c->number);
        order = (value > c->number) - (value < c->number);
    }
    switch (c->op) {
    case '=':
        return order == 0;
    case '!':
        return order != 0;
    case '<':
        return order < 0;
    case 'l':
        return order <= 0;
    case '>':
        return order > 0;
    default:
        return order >= 0;
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

static void print_rows(const selection *s) {
    const char *separator = csv ? "," : "\t";
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
            if (csv)
                print_csv_text(text);
            else
                fputs(text, stdout);
        }
        putchar('\n');
    }
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

static fq_status choose_table(const fq_results *results, const fq_table **table) {
    char names[600] = "";
    size_t filled = 0;
    *table = NULL;
    for (size_t t = 0; t < results->table_count; t++) {
        const fq_table *candidate = &results->tables[t];
        if (strlen(names) + strlen(candidate->name) + 3 < sizeof names)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", t ? ", " : "",
                     candidate->name);
        if (table_name ? strcmp(candidate->name, table_name) == 0
                       : strcmp(candidate->name, FQ_FAILURES_TABLE) != 0 && candidate->count) {
            *table = candidate;
            filled++;
        }
    }
    return filled == 1 ? FQ_OK
                       : FQ_FAIL_TEXT(FQ_ERR_USAGE, "--table %s; allowed: one of %s",
                                      table_name ? table_name : "is missing", names);
}

static fq_status show(const fq_results *results, selection *s) {
    FQ_TRY(choose_table(results, &s->table));
    for (size_t i = 0; i < where.count; i++)
        FQ_TRY(parse_condition(&s->conditions[i], s->table, where.items[i]));
    for (size_t i = 0; i < chosen.count && s->count < FQ_TABLE_COLUMNS_MAX; i++) {
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
    if (csv && json)
        return fq_options_refuse(&usage, "--csv and --json; allowed: one of the two");
    fq_status status = fq_store_read(arguments.items[0], &results);
    if (status == FQ_OK)
        status = show(&results, &s);
    exit_code = status == FQ_OK ? 0 : fq_verb_fail("results");
    fq_results_clear(&results);
    return exit_code;
}

const fq_verb fq_verb_results = {"results", "list and export rows of a results file", run};
