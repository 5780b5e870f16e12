/* fibquant cache: runs a model over a text and writes queries, keys and values of every layer and head. */
#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "kv_cache_file.h"
#include "memory.h"
#include "model_text.h"
#include "options.h"
#include "output_check.h"
#include "printable.h"
#include "progress_bar.h"
#include "verb.h"
#include "verb_support.h"

static const char *model_path, *text_path, *output;
static size_t tokens = 1024, skip;
static bool json, full;

static const fq_option options[] = {
    {.name = "model",
     .letter = 'm',
     .kind = FQ_OPTION_TEXT,
     .value = &model_path,
     .argument = "FILE",
     .required = true,
     .help = "checkpoint: a GGUF file or a folder with safetensors"},
    {.name = "text",
     .letter = 't',
     .kind = FQ_OPTION_TEXT,
     .value = &text_path,
     .argument = "FILE",
     .required = true,
     .help = "text to run the model over, UTF-8"},
    {.name = "tokens",
     .kind = FQ_OPTION_SIZE,
     .value = &tokens,
     .argument = "T",
     .least = 1,
     .most = 1 << 20,
     .help = "tokens of the cache; at most the model's context"},
    {.name = "skip",
     .kind = FQ_OPTION_SIZE,
     .value = &skip,
     .argument = "T",
     .least = 0,
     .most = 1e9,
     .help = "tokens at the beginning of the text to leave out"},
    {.name = "float32", .kind = FQ_OPTION_FLAG, .value = &full, .help = "store float32 instead of float16"},
    {.name = "output",
     .letter = 'o',
     .kind = FQ_OPTION_TEXT,
     .value = &output,
     .argument = "CACHE.h5",
     .required = true,
     .help = "file to write, replaced in one step"},
    FQ_OPTION_JSON(json),
    {0},
};

static const fq_usage usage = {
    .verb = "cache",
    .summary = "Runs a model over a text and writes its KV cache: queries and keys after the position "
               "encoding, and\n"
               "values, of every layer and head.",
    .options = options,
    .notes = "The file's layout is documented in data/kv_cache_file.h; h5py can write such a file as well.",
    .examples = "fibquant cache --model model.gguf --text book.txt --tokens 2048 -o cache.h5",
};

typedef struct recorder {
    fq_kv_writer *writer;
    fq_progress_bar *bar;
} recorder;

static fq_status record(void *context, size_t layer, size_t first, size_t n, const float *query,
                        const float *key, const float *value) {
    recorder *r = context;
    FQ_TRY(fq_kv_writer_put(r->writer, layer, FQ_KV_QUERY, first, n, query));
    FQ_TRY(fq_kv_writer_put(r->writer, layer, FQ_KV_KEY, first, n, key));
    FQ_TRY(fq_kv_writer_put(r->writer, layer, FQ_KV_VALUE, first, n, value));
    fq_progress_bar_update(r->bar, layer + 1);
    return FQ_OK;
}

static fq_status run_model(const fq_model_text *m, fq_kv_writer *writer, fq_progress_bar *bar) {
    const fq_model_config *c = &m->model.config;
    fq_kv_store *store = NULL;
    uint32_t *window = NULL;
    float *hidden = NULL;
    recorder r = {writer, bar};
    const fq_transformer_observer observer = {record, &r};
    fq_status status = fq_kv_store_create(&store, c->layers, c->kv_heads, c->head_dim, tokens, NULL);
    if (status == FQ_OK)
        status = fq_alloc(&window, tokens, sizeof *window);
    if (status == FQ_OK)
        status = fq_alloc(&hidden, tokens, c->width * sizeof *hidden);
    if (status == FQ_OK)
        status = fq_model_text_window(m, window, skip, tokens);
    if (status == FQ_OK)
        status = fq_transformer_run(&m->model, store, window, tokens, hidden, &observer);
    fq_free(hidden);
    fq_free(window);
    fq_kv_store_destroy(store);
    return status;
}

static void print_summary(const fq_model_text *m, const fq_kv_origin *origin, double rate) {
    const fq_model_config *c = &m->model.config;
    char line[FQ_FAILURE_LINE_MAX], raw[FQ_FAILURE_LINE_MAX];
    snprintf(raw, sizeof raw,
             "cache: %s, %zu layers, %zu of %zu tokens of %s; %zu query heads, %zu key-value heads, d = %zu; "
             "%.0f tokens/s; %s",
             origin->model, c->layers, tokens, m->count, origin->text, c->heads, c->kv_heads, c->head_dim,
             rate, output);
    fq_printable(line, sizeof line, raw);
    fprintf(stderr, "%s\n", line);
}

static fq_status write_cache(const fq_model_text *m, const fq_provenance *provenance) {
    const fq_model_config *c = &m->model.config;
    const fq_kv_shape shape = {c->layers, tokens, c->heads, c->kv_heads, c->head_dim, full ? 4 : 2};
    fq_kv_origin origin;
    fq_kv_writer *writer = NULL;
    fq_progress_bar bar;
    const char *slash = strrchr(text_path, '/');
    memset(&origin, 0, sizeof origin);
    snprintf(origin.model, sizeof origin.model, "%s", c->name);
    snprintf(origin.text, sizeof origin.text, "%s", slash ? slash + 1 : text_path);
    memcpy(origin.model_sha256, m->model_sha256, sizeof origin.model_sha256);
    memcpy(origin.text_sha256, m->text_sha256, sizeof origin.text_sha256);
    origin.text_first = skip;
    origin.rope = fq_transformer_rope(c);
    origin.rope_known = true;
    FQ_TRY(fq_model_text_check(m, skip, tokens)); /* before a file of that size is made */
    FQ_TRY(fq_kv_writer_create(&writer, output, &shape, &origin, provenance));
    fq_progress_bar_start(&bar, "cache", "layers", c->layers, fq_options_quiet(), fq_options_no_progress());
    const double start = fq_clock_monotonic();
    const fq_status status = run_model(m, writer, &bar);
    const double seconds = fq_clock_monotonic() - start;
    fq_progress_bar_finish(&bar);
    if (status != FQ_OK) {
        fq_kv_writer_abandon(writer);
        return status;
    }
    char first_vanished[FQ_KV_NAME_MAX];
    const size_t vanished = fq_kv_writer_vanished(writer, first_vanished);
    FQ_TRY(fq_kv_writer_commit(writer));
    if (vanished)
        fq_options_note(&usage,
                        "%zu vectors are too small for float16 and are zero in the file, the first is %s; "
                        "--float32 keeps them",
                        vanished, first_vanished);
    if (!fq_options_quiet())
        print_summary(m, &origin, (double)tokens / seconds);
    if (json)
        return fq_verb_print_json(json_pack(
            "{s:s, s:o, s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "schema",
            "fibquant cache 1", "model", fq_json_text(origin.model), "model_sha256", origin.model_sha256,
            "text", fq_json_text(origin.text), "text_sha256", origin.text_sha256, "layers",
            (json_int_t)c->layers, "tokens", (json_int_t)tokens, "skipped", (json_int_t)skip, "query_heads",
            (json_int_t)c->heads, "heads", (json_int_t)c->kv_heads, "dim", (json_int_t)c->head_dim,
            "vectors_vanished", (json_int_t)vanished, "tokens_per_second",
            fq_json_number((double)tokens / seconds), "output", fq_json_text(output)));
    return FQ_OK;
}

static fq_status work(int argc, const char **argv) {
    fq_provenance provenance;
    fq_model_text m;
    FQ_TRY(fq_provenance_gather(&provenance, argc, argv, 0, NULL));
    fq_status status = fq_model_text_load(&m, model_path, text_path);
    if (status == FQ_OK) {
        status = write_cache(&m, &provenance);
        fq_model_text_clear(&m);
    }
    fq_provenance_clear(&provenance);
    return status;
}

static int run(int argc, const char **argv) {
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_FILE}, {0}};
    const fq_input inputs[] = {{.option = "--model", .path = model_path, .folder_too = true},
                               {.option = "--text", .path = text_path},
                               {0}};
    if (!fq_outputs_good(&usage, outputs, inputs, &exit_code))
        return exit_code;
    fq_verb_note_encoding(&usage, text_path);
    return work(argc, argv) == FQ_OK ? 0 : fq_verb_fail("cache");
}

const fq_verb fq_verb_cache = {"cache", "write the KV cache of a model over a text", run};
