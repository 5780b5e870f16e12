/* fibquant perplexity: the experiment perplexity from the command line, one point a codec, and its table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "failure.h"
#include "options.h"
#include "output_check.h"
#include "perplexity_summary.h"
#include "result_store.h"
#include "sweep_engine.h"
#include "verb.h"

static const char *model_path, *text_path, *output, *value_codec = "same", *cache_folder;
static fq_option_list codecs;
static size_t keep_first, keep_recent, centre_keys, window = 512, windows = 8, skip = 64, jobs;
static bool resume, force, mixed, quiet, no_bar;

static const fq_option options[] = {
    {.name = "model",
     .letter = 'm',
     .kind = FQ_OPTION_TEXT,
     .value = &model_path,
     .argument = "FILE",
     .required = true,
     .help = "checkpoint: a GGUF file, a safetensors file or a folder with them"},
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
    {.name = "keep-first",
     .kind = FQ_OPTION_SIZE,
     .value = &keep_first,
     .argument = "T",
     .least = 0,
     .most = 1e6,
     .help = "first tokens of a window kept uncompressed"},
    {.name = "keep-recent",
     .kind = FQ_OPTION_SIZE,
     .value = &keep_recent,
     .argument = "T",
     .least = 0,
     .most = 1e6,
     .help = "most recent tokens read uncompressed, the current one included"},
    {.name = "centre-keys",
     .kind = FQ_OPTION_SIZE,
     .value = &centre_keys,
     .argument = "T",
     .least = 0,
     .most = 1e6,
     .help = "later keys are encoded as differences to the mean of this many first ones"},
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
    {.name = "quiet", .letter = 'q', .kind = FQ_OPTION_FLAG, .value = &quiet, .help = "no progress"},
    {.name = "no-progress", .kind = FQ_OPTION_FLAG, .value = &no_bar, .help = "plain lines instead of a bar"},
    {0}};

static const fq_usage usage = {
    .verb = "perplexity",
    .summary =
        "Perplexity of a model whose whole KV cache is compressed as it is written, beside the uncompressed\n"
        "model on the same tokens: change, KL divergence, agreement of the most likely token; standard\n"
        "errors by window.",
    .options = options,
    .notes = "The same points stand in a manifest as experiment: perplexity (fibquant sweep --list).",
    .examples =
        "fibquant perplexity -m model.gguf -t book.txt -c fp16 -c fib:k=4,N=256 -c tq:b=2 -o ppl.h5\n"
        "fibquant perplexity -m model.gguf -t book.txt -c fib:k=2,N=256 --value-codec fib:k=4,N=256 \\\n"
        "    --keep-first 4 --keep-recent 32 -o ppl.h5 --resume",
    .exit_status = "5 some points failed; the rest is stored"};

/* The options as a manifest: JSON is YAML. NULL when memory ran out. */
static char *manifest_text(void) {
    json_t *list = json_array();
    for (size_t i = 0; i < codecs.count; i++)
        json_array_append_new(list, json_string(codecs.items[i]));
    json_t *manifest =
        json_pack("{s:s, s:{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I}}", "experiment", "perplexity",
                  "grid", "model", model_path, "text", text_path, "codec", list, "value_codec", value_codec,
                  "keep_first", (json_int_t)keep_first, "keep_recent", (json_int_t)keep_recent, "centre_keys",
                  (json_int_t)centre_keys, "window", (json_int_t)window, "windows", (json_int_t)windows,
                  "skip", (json_int_t)skip);
    char *text = manifest ? json_dumps(manifest, JSON_INDENT(1)) : NULL;
    json_decref(manifest);
    return text;
}

static void print_failures(const fq_results *store) {
    const fq_table *t = fq_results_table(store, FQ_FAILURES_TABLE);
    const size_t label = t ? fq_table_find(t, "label") : 0, error = t ? fq_table_find(t, "error") : 0;
    for (size_t row = 0; t && row < t->count; row++)
        fprintf(stderr, "fibquant perplexity: %s\n  (%s)\n", fq_table_text(t, row, error),
                fq_table_text(t, row, label));
}

static fq_status print_outcome(void) {
    fq_results store;
    memset(&store, 0, sizeof store);
    fq_status status = fq_store_read(output, &store);
    if (status == FQ_OK)
        (void)fq_results_keep_newest(&store);
    if (status == FQ_OK && fq_results_table(&store, "perplexity"))
        status = fq_perplexity_summary_print(stdout, &store);
    if (status == FQ_OK)
        print_failures(&store);
    fq_results_clear(&store);
    return status;
}

static fq_status run_points(const char *text, int argc, const char **argv, fq_sweep_summary *summary) {
    fq_manifest manifest = {0};
    fq_plan plan = {0};
    fq_provenance provenance;
    const fq_sweep_options o = {.results = output,
                                .cache_folder = cache_folder,
                                .jobs = jobs,
                                .quiet = quiet,
                                .no_bar = no_bar,
                                .store = {resume, false, force, mixed}};
    FQ_TRY(fq_manifest_parse(&manifest, "the command line", text, strlen(text)));
    fq_status status = fq_plan_create(&plan, &manifest);
    if (status == FQ_OK)
        status = fq_provenance_gather(&provenance, argc, argv, 1, manifest.text);
    if (status == FQ_OK) {
        status = fq_sweep_run(&plan, &provenance, &o, summary);
        fq_provenance_clear(&provenance);
    }
    fq_plan_clear(&plan);
    fq_manifest_clear(&manifest);
    return status;
}

static int run(int argc, const char **argv) {
    int exit_code = 0;
    fq_sweep_summary summary = {0};
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_STORE}, {0}};
    const fq_input inputs[] = {{.option = "--model", .path = model_path, .folder_too = true},
                               {.option = "--text", .path = text_path},
                               {0}};
    if (!fq_outputs_good(&usage, outputs, inputs, &exit_code))
        return exit_code;
    char *text = manifest_text();
    fq_status status = text ? run_points(text, argc, argv, &summary)
                            : FQ_FAIL_TEXT(FQ_ERR_MEMORY, "no memory for the list of points");
    free(text);
    if (status == FQ_OK && summary.writer)
        status = print_outcome();
    if (status != FQ_OK)
        return fq_verb_fail("perplexity");
    return summary.interrupted ? 130 : summary.failed ? 5 : 0;
}

const fq_verb fq_verb_perplexity = {"perplexity", "perplexity with a compressed KV cache", run};
