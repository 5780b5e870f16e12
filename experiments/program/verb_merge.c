/* fibquant merge: several results files into one. */
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "memory.h"
#include "options.h"
#include "output_check.h"
#include "result_store.h"
#include "text_set.h"
#include "verb.h"
#include "verb_support.h"

static const char *output;
static bool json;

static const fq_option options[] = {{.name = "output",
                                     .letter = 'o',
                                     .kind = FQ_OPTION_TEXT,
                                     .value = &output,
                                     .argument = "ALL.h5",
                                     .required = true,
                                     .help = "file to write; must not exist"},
                                    FQ_OPTION_JSON(json),
                                    {0}};

static const fq_usage usage = {
    .verb = "merge",
    .summary = "Joins results files of machines that worked apart. A point that is in several files "
               "is taken from the first that has it; every row keeps its provenance.",
    .arguments = "A.h5 B.h5...",
    .least_arguments = 1,
    .most_arguments = 1000,
    .options = options,
    .examples = "fibquant merge node1.h5 node2.h5 -o all.h5"};

/* What has been joined so far, and which points it has, table by table. */
typedef struct joined {
    fq_results all;
    fq_text_set points[FQ_RESULT_TABLES_MAX]; /* as all.tables */
} joined;

static void clear(joined *j) {
    for (size_t t = 0; t < j->all.table_count; t++)
        fq_text_set_clear(&j->points[t]);
    fq_results_clear(&j->all);
}

static fq_status add_table(joined *j, const fq_table *from, size_t runs_before) {
    fq_table *to = fq_results_table(&j->all, from->name);
    if (!to)
        FQ_TRY(fq_results_add_table(&j->all, &to, from->name, from->columns, from->column_count));
    else if (!fq_table_same_columns(to, from))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s has other columns in one of the files", from->name);
    fq_text_set *points = &j->points[to - j->all.tables];
    const size_t known = to->count, id = fq_table_find(to, "point"), run = fq_table_find(to, "run");
    const bool has_id = id < to->column_count && to->columns[id].type == FQ_VALUE_TEXT;
    const bool has_run = run < to->column_count && to->columns[run].type == FQ_VALUE_INTEGER;
    for (size_t r = 0; r < from->count; r++) {
        if (has_id && fq_text_set_has(points, fq_table_text(from, r, id)))
            continue;
        FQ_TRY(fq_table_append(to, from->records + r * from->record_bytes, 1));
        if (has_run)
            fq_table_set_integer(to, to->count - 1, run,
                                 fq_table_integer(from, r, run) + (int64_t)runs_before);
    }
    for (size_t r = known; has_id && r < to->count; r++) /* only now: a point may have several rows */
        FQ_TRY(fq_text_set_add(points, fq_table_text(to, r, id)));
    return FQ_OK;
}

static fq_status add_file(joined *j, const char *path) {
    fq_results one = {0};
    size_t number = 0;
    const size_t runs_before = j->all.run_count;
    FQ_TRY(fq_store_read(path, &one));
    fq_status status = FQ_OK;
    for (size_t t = 0; status == FQ_OK && t < one.table_count; t++)
        status = add_table(j, &one.tables[t], runs_before);
    for (size_t r = 0; status == FQ_OK && r < one.run_count; r++)
        status = fq_results_add_run(&j->all, one.runs[r].texts, one.runs[r].count, &number);
    fq_results_clear(&one);
    return status;
}

static fq_status print_json(const fq_results *all) {
    json_t *rows = json_object();
    for (size_t t = 0; t < all->table_count; t++)
        json_object_set_new(rows, all->tables[t].name, json_integer((json_int_t)all->tables[t].count));
    return fq_verb_print_json(json_pack("{s:s, s:o, s:I, s:o}", "schema", "fibquant merge 1", "output",
                                        fq_json_text(output), "runs", (json_int_t)all->run_count, "rows",
                                        rows));
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    static joined j; /* too large for the stack */
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_NEW}, {0}};
    if (!fq_outputs_good(&usage, outputs, NULL, &exit_code)) /* what is there cannot be new */
        return exit_code;
    fq_status status = FQ_OK;
    for (size_t i = 0; status == FQ_OK && i < arguments.count; i++)
        status = add_file(&j, arguments.items[i]);
    if (status == FQ_OK)
        status = fq_result_file_write(output, &j.all);
    if (status == FQ_OK && json)
        status = print_json(&j.all);
    exit_code = status == FQ_OK ? 0 : fq_verb_fail("merge");
    clear(&j);
    return exit_code;
}

const fq_verb fq_verb_merge = {"merge", "join results files", run};
