/* fibquant perplexity: the experiment perplexity from the command line, one point a codec, and its table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "failure.h"
#include "options.h"
#include "output_check.h"
#include "perplexity_summary.h"
#include "printable.h"
#include "result_store.h"
#include "sweep_engine.h"
#include "verb.h"
#include "verb_support.h"

static const char *model_path, *text_path, *output, *value_codec = "same", *treatment = "none", *cache_folder;
static fq_option_list codecs;
static size_t window = 512, windows = 8, skip = 64, jobs;
static bool resume, retry_failed, force, mixed, json, quiet, no_progress;

static const fq_option options[] = {
    {.name = "model",
     .letter = 'm',
     .kind = FQ_OPTION_TEXT,
     .value = &model_path,
     .argument = "FILE",
     .required = true,
     .help = "checkpoint: a GGUF file, or the safetensors file in a model's folder"},
    {.name = "text",
     .letter = 't',
     .kind = FQ_OPTION_TEXT,
     .value = &text_path,
     .argument = "FILE",
     .required = true,
     .help = "text to score, UTF-8"},
    {.name = "codec",
     .letter = 'c',
     .kind = FQ_OPTION_LIST,
     .value = &codecs,
     .argument = "SPEC",
     .required = true,
     .help = "codec of the keys (and values); repeatable, a row each"},
    {.name = "value-codec",
     .kind = FQ_OPTION_TEXT,
     .value = &value_codec,
     .argument = "SPEC",
     .help = "codec of the values of every row, or same"},
    {.name = "treatment",
     .kind = FQ_OPTION_TEXT,
     .value = &treatment,
     .argument = "STEPS",
     .help = "what is done around the codec, such as mean+metric+classes+window:tokens=16 (fibquant help "
             "treatments)"},
    {.name = "window",
     .kind = FQ_OPTION_SIZE,
     .value = &window,
     .argument = "T",
     .least = 2,
     .most = 1e6,
     .help = "tokens of a window"},
    {.name = "windows",
     .kind = FQ_OPTION_SIZE,
     .value = &windows,
     .argument = "W",
     .least = 2,
     .most = 1e5,
     .help = "windows, evenly spread over the text"},
    {.name = "skip",
     .kind = FQ_OPTION_SIZE,
     .value = &skip,
     .argument = "T",
     .least = 0,
     .most = 1e6,
     .help = "tokens at the start of a window that are context alone"},
    {.name = "output",
     .letter = 'o',
     .kind = FQ_OPTION_TEXT,
     .value = &output,
     .argument = "RESULTS.h5",
     .required = true,
     .help = "results file"},
    {.name = "resume",
     .kind = FQ_OPTION_FLAG,
     .value = &resume,
     .help = "goes on with an existing results file; stored points are not computed again"},
    {.name = "retry-failed",
     .kind = FQ_OPTION_FLAG,
     .value = &retry_failed,
     .help = "like --resume, and computes failed points once more"},
    {.name = "force", .kind = FQ_OPTION_FLAG, .value = &force, .help = "computes every point again"},
    {.name = "allow-mixed-build",
     .kind = FQ_OPTION_FLAG,
     .value = &mixed,
     .help = "keeps points that another build computed"},
    {.name = "jobs",
     .letter = 'j',
     .kind = FQ_OPTION_SIZE,
     .value = &jobs,
     .argument = "J",
     .least = 0,
     .most = 4096,
     .help = "worker processes, each with the model in memory; 0: all cores"},
    {.name = "cache-folder",
     .kind = FQ_OPTION_TEXT,
     .value = &cache_folder,
     .argument = "FOLDER",
     .help = "where codebooks are kept between runs"},
    FQ_OPTION_JSON(json),
    FQ_OPTION_NO_PROGRESS(no_progress),
    FQ_OPTION_QUIET(quiet),
    {0}};

static const fq_usage usage = {
    .verb = "perplexity",
    .summary =
        "Perplexity of a model whose whole KV cache is compressed as it is written, beside the uncompressed\n"
        "model on the same tokens: change, KL divergence, agreement of the most likely token; standard\n"
        "errors by window.",
    .options = options,
    .notes = "The table has the rows of the results file that share model and text (by SHA-256), windows and "
             "skip with\nthis run. The same points stand in a manifest as experiment: perplexity (fibquant "
             "sweep --list).",
    .examples =
        "fibquant perplexity -m model.gguf -t book.txt -c fp16 -c fib:k=4,N=256 -c tq:b=2 -o ppl.h5\n"
        "fibquant perplexity -m model.gguf -t book.txt -c fib:k=2,N=256 --value-codec fib:k=4,N=256 \\\n"
        "    --treatment mean+classes+window:tokens=32 -o ppl.h5 --resume",
    .exit_status = "5 some points failed; the rest is stored"};

/* The options as a manifest: JSON is YAML. NULL when memory ran out. */
static char *manifest_text(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < codecs.count; i++)
        json_array_append_new(list, json_string(codecs.items[i]));
    json_t *manifest = json_pack(
        "{s:s, s:{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:I}}", "experiment", "perplexity", "grid", "model",
        model_path, "text", text_path, "codec", list, "value_codec", value_codec, "treatment", treatment,
        "window", (json_int_t)window, "windows", (json_int_t)windows, "skip", (json_int_t)skip);
    char *text = manifest ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
    json_decref(manifest);
    return text;
}

/* Whether a row is of a point of this run. */
static bool is_ours(const fq_plan *plan, const fq_table *table, size_t row, size_t point) {
    for (size_t i = 0; i < plan->count; i++)
        if (strcmp(plan->points[i].id, fq_table_text(table, row, point)) == 0)
            return true;
    return false;
}

/* Leaves in the store's tables what this run is about: failures of its points, and rows that share model,
 * text and windows with its points. */
static fq_status keep_ours(fq_results *store, const fq_plan *plan) {
    fq_table *const rows = fq_results_table(store, "perplexity"), *const failures = fq_results_table(
                                                                      store, FQ_FAILURES_TABLE);
    size_t point = failures ? fq_table_find(failures, "point") : 0, kept = 0, ours = 0;
    for (size_t row = 0; failures && point < failures->column_count && row < failures->count; row++)
        if (is_ours(plan, failures, row, point))
            memmove(failures->records + kept++ * failures->record_bytes,
                    failures->records + row * failures->record_bytes, failures->record_bytes);
    if (failures)
        failures->count = kept;
    if (!rows)
        return FQ_OK;
    point = fq_table_find(rows, "point");
    while (ours < rows->count && !(point < rows->column_count && is_ours(plan, rows, ours, point)))
        ours++;
    if (ours < rows->count)
        return fq_perplexity_summary_keep(rows, ours);
    rows->count = 0;
    return FQ_OK;
}

static void print_failures(const fq_table *t) {
    const size_t label = t ? fq_table_find(t, "label") : 0, error = t ? fq_table_find(t, "error") : 0;
    for (size_t row = 0; t && row < t->count; row++) {
        char line[4096], raw[1600];
        snprintf(raw, sizeof raw, "%s (%s)", fq_table_text(t, row, error), fq_table_text(t, row, label));
        fq_printable(line, sizeof line, raw);
        fprintf(stderr, "fibquant perplexity: %s\n", line);
    }
}

/* All parameters and values of each row, by the names of their columns. */
static json_t *rows_as_json(const fq_table *t) {
    json_t *rows = json_array();
    for (size_t r = 0; t && r < t->count; r++) {
        json_t *row = json_object();
        for (size_t c = 0; c < t->column_count; c++) {
            const fq_value_column *column = &t->columns[c];
            if (column->role == FQ_ROLE_BOOKKEEPING)
                continue;
            json_object_set_new(row, column->name,
                                column->type == FQ_VALUE_REAL      ? fq_json_number(fq_table_real(t, r, c))
                                : column->type == FQ_VALUE_INTEGER ? json_integer(fq_table_integer(t, r, c))
                                                                   : fq_json_text(fq_table_text(t, r, c)));
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static fq_status print_outcome(const fq_plan *plan) {
    fq_results store;
    memset(&store, 0, sizeof store);
    fq_status status = fq_store_read(output, &store);
    if (status == FQ_OK)
        (void)fq_results_keep_newest(&store);
    if (status == FQ_OK)
        status = keep_ours(&store, plan);
    const fq_table *rows = fq_results_table(&store, "perplexity"),
                   *failures = fq_results_table(&store, FQ_FAILURES_TABLE);
    if (status == FQ_OK && json)
        status = fq_verb_print_json(json_pack("{s:s, s:s, s:o, s:o}", "schema", "fibquant perplexity 1",
                                              "output", output, "rows", rows_as_json(rows), "failures",
                                              rows_as_json(failures)));
    else if (status == FQ_OK && rows)
        status = fq_perplexity_summary_print(stdout, &store);
    if (status == FQ_OK)
        print_failures(failures);
    fq_results_clear(&store);
    return status;
}

/* What the manifest reader would say of its lines, said of options. */
static bool options_are_good(int *exit_code) {
    char why[FQ_FAILURE_LINE_MAX];
    const char *name = "codec";
    fq_codec_spec spec;
    fq_status status = FQ_OK;
    size_t i = 0;
    *exit_code = 2;
    for (; i < codecs.count && status == FQ_OK; i++)
        status = fq_codec_spec_parse(&spec, codecs.items[i]);
    const char *text = i ? codecs.items[i - 1] : "";
    if (status == FQ_OK && strcmp(value_codec, "same") != 0) {
        status = fq_codec_spec_parse(&spec, text = value_codec);
        name = "value-codec";
    }
    if (status != FQ_OK) {
        fq_failure_line(why, fq_error_last());
        fq_options_refuse(&usage, "--%s \"%.100s\": %s", name, text, why);
        return false;
    }
    if (skip + 1 < window)
        return true;
    fq_options_refuse(&usage, "--skip %zu: allowed is 0 to --window - 2, %zu, so that something is scored",
                      skip, window - 2);
    return false;
}

/* "the command line:4: key "model": m.gguf: cannot be opened" is of --model for who typed it. */
static void speak_of_options(void) {
    static const char manifest[] = "the command line:";
    const fq_error last = *fq_error_last();
    const char *key = strstr(last.text, "key \"");
    if (strncmp(last.text, manifest, strlen(manifest)) != 0 || !key)
        return;
    key += strlen("key \"");
    const size_t length = strcspn(key, "\"");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)length, key);
    for (char *c = name; *c; c++)
        *c = *c == '_' ? '-' : *c;
    (void)!FQ_FAIL_TEXT(last.status, "--%s%s", name, key + length + (key[length] == '"'));
}

static fq_status run_plan(const fq_plan *plan, const char *manifest, int argc, const char **argv,
                          fq_sweep_summary *summary) {
    fq_provenance provenance;
    const fq_sweep_options o = {.results = output,
                                .cache_folder = cache_folder,
                                .jobs = jobs,
                                .quiet = quiet,
                                .no_bar = no_progress,
                                .store = {resume, retry_failed, force, mixed}};
    FQ_TRY(fq_provenance_gather(&provenance, argc, argv, 1, manifest));
    fq_status status = fq_sweep_run(plan, &provenance, &o, summary);
    fq_provenance_clear(&provenance);
    if (status == FQ_OK && summary->writer)
        status = print_outcome(plan);
    return status;
}

static fq_status work(const char *text, int argc, const char **argv, fq_sweep_summary *summary) {
    fq_manifest manifest = {0};
    fq_plan plan = {0};
    FQ_TRY(fq_manifest_parse(&manifest, "the command line", text, strlen(text)));
    fq_status status = fq_plan_create(&plan, &manifest);
    if (status == FQ_OK)
        status = run_plan(&plan, manifest.text, argc, argv, summary);
    else
        speak_of_options();
    fq_plan_clear(&plan);
    fq_manifest_clear(&manifest);
    return status;
}

static int run(int argc, const char **argv) {
    int exit_code = 0;
    fq_sweep_summary summary = {0};
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code) || !options_are_good(&exit_code))
        return exit_code;
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_STORE}, {0}};
    const fq_input inputs[] = {{.option = "--model", .path = model_path, .folder_too = true},
                               {.option = "--text", .path = text_path},
                               {0}};
    if (!fq_outputs_good(&usage, outputs, inputs, &exit_code))
        return exit_code;
    fq_verb_note_encoding(&usage, text_path);
    char *text = manifest_text();
    const fq_status status = text ? work(text, argc, argv, &summary)
                                  : FQ_FAIL_TEXT(FQ_ERR_MEMORY, "no memory for the list of points");
    free(text);
    if (status != FQ_OK)
        return fq_verb_fail("perplexity");
    return summary.interrupted                      ? fq_verb_interrupted(summary.interrupted)
           : summary.failed + summary.failed_before ? 5
                                                    : 0;
}

const fq_verb fq_verb_perplexity = {"perplexity", "perplexity with a compressed KV cache", run};
