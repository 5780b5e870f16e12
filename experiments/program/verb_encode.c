/* fibquant encode: vectors in, codes out. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codebook_cache.h"
#include "codebook_file.h"
#include "codec.h"
#include "encode_check.h"
#include "failure.h"
#include "memory.h"
#include "output_check.h"
#include "progress_bar.h"
#include "vectors_file.h"
#include "verb.h"
#include "verb_support.h"

static const char *codec_name, *codebook_path, *output;
static bool json;

static const fq_option options[] = {
    {.name = "codec",
     .letter = 'c',
     .kind = FQ_OPTION_TEXT,
     .value = &codec_name,
     .argument = "NAME",
     .required = true,
     .help = "codec, e.g. fib:k=4,N=256 or tq:b=2"},
    {.name = "codebook",
     .kind = FQ_OPTION_TEXT,
     .value = &codebook_path,
     .argument = "FILE.h5",
     .help =
         "codebook for a codec that has one (recipe and seed, where the codec's name leaves them out, are "
         "then the codebook's); without it, it is trained or taken from the cache folder"},
    FQ_OPTION_OUTPUT(output, true),
    FQ_OPTION_JSON(json),
    {0},
};
static const fq_usage usage = {
    .verb = "encode",
    .summary =
        "Encodes the dataset /vectors (n x d) of an HDF5 file. The codes carry the codec's name and its\n"
        "codebook, so that fibquant decode needs nothing else.",
    .arguments = "VECTORS.h5",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .examples = "fibquant encode --codec fib:k=4,N=256 -o codes.h5 vectors.h5\n"
                "fibquant encode --codec tq:b=2 -o codes.h5 vectors.h5",
};

/* Samples a codebook is measured on when it is trained here: enough for three digits. */
enum { MEASURE_SAMPLES = 1 << 18 };

static fq_status train_codebook(fq_codebook *codebook, const fq_codec_spec *spec, size_t dim) {
    fq_codec_description about;
    fq_progress_bar bar;
    FQ_TRY(fq_codec_describe(&about, spec, dim));
    if (!about.trained)
        return FQ_OK;
    fq_progress_bar_start(&bar, "training", NULL, FQ_PROGRESS_STEPS, fq_options_quiet(),
                          fq_options_no_progress());
    about.training.progress = fq_progress_bar_hook(&bar);
    const fq_status status =
        fq_codebook_cache_get(codebook, &about.training, NULL, spec->seed, MEASURE_SAMPLES, NULL);
    fq_progress_bar_finish(&bar);
    return status;
}

/* Gives the codec's name a key that it leaves out. */
static void adopt(fq_codec_spec *spec, const char *key, const char *value) {
    char name[2 * FQ_SPEC_TEXT_MAX], wanted[FQ_SPEC_TEXT_MAX];
    fq_codec_spec changed;
    const char *written = codec_name;
    const size_t length = strlen(key);
    while ((written = strstr(written, key)) != NULL && written[length] != '=')
        written += length;
    if (written || fq_codec_spec_format(wanted, spec) != FQ_OK)
        return;
    snprintf(name, sizeof name, "%s%c%s=%s", wanted, strchr(wanted, ':') ? ',' : ':', key, value);
    if (fq_codec_spec_parse(&changed, name) == FQ_OK)
        *spec = changed;
}

/* The codes' name says what their codebook is: recipe and seed that the name leaves open are the codebook's
 * own; whatever else it says must be true of the codebook. */
static fq_status name_codebook(fq_codec_spec *spec, const fq_codebook *codebook, size_t dim) {
    fq_codec_description about;
    char seed[24];
    FQ_TRY(fq_codec_describe(&about, spec, dim));
    if (!about.trained)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "--codebook %s: codec %s has no codebook; allowed: without --codebook",
                            codebook_path, codec_name);
    snprintf(seed, sizeof seed, "%" PRIu64, codebook->seed);
    adopt(spec, "recipe", fq_recipe_name(codebook->recipe));
    adopt(spec, "seed", seed);
    FQ_TRY(fq_codec_describe(&about, spec, dim));
    const fq_train_options *wanted = &about.training;
    if (codebook->dim != wanted->dim || codebook->block != wanted->block ||
        codebook->codewords != wanted->codewords)
        return FQ_FAIL_TEXT(
            FQ_ERR_USAGE,
            "--codebook %s: is for d = %zu, k = %zu, N = %zu; allowed for %s and these vectors: "
            "d = %zu, k = %zu, N = %zu",
            codebook_path, codebook->dim, codebook->block, codebook->codewords, codec_name, wanted->dim,
            wanted->block, wanted->codewords);
    if (codebook->recipe != wanted->recipe || codebook->seed != wanted->seed)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "--codebook %s: is of recipe %s and seed %" PRIu64
                            ", but %s says recipe %s and seed "
                            "%" PRIu64 "; leave both out to take the codebook's",
                            codebook_path, fq_recipe_name(codebook->recipe), codebook->seed, codec_name,
                            fq_recipe_name(wanted->recipe), wanted->seed);
    return FQ_OK;
}

static fq_status get_codebook(fq_codebook *codebook, fq_codec_spec *spec, size_t dim) {
    fq_codec_cost cost;
    if (codebook_path) {
        FQ_TRY(fq_codebook_file_read(codebook, codebook_path));
        FQ_TRY(name_codebook(spec, codebook, dim));
    }
    FQ_TRY(fq_codec_plan(&cost, spec, dim)); /* before anything is trained */
    return codebook_path ? FQ_OK : train_codebook(codebook, spec, dim);
}

/* Vector by vector in pieces, so that there is something to show. */
static fq_status encode_all(const fq_codec *codec, const char *input, const fq_vectors *vectors,
                            fq_codes *codes) {
    const size_t piece = fq_verb_piece(codes->dim);
    fq_progress_bar bar;
    fq_status status = FQ_OK;
    fq_progress_bar_start(&bar, "encode", "vectors", codes->count, fq_options_quiet(),
                          fq_options_no_progress());
    for (size_t i = 0; i < codes->count && status == FQ_OK; i += piece) {
        const size_t n = codes->count - i < piece ? codes->count - i : piece;
        status = fq_codec_encode(codec, codes->bytes + i * codes->code_bytes, vectors->x + i * codes->dim, n);
        fq_progress_bar_update(&bar, i + n);
    }
    fq_progress_bar_finish(&bar);
    return fq_encode_explain(status, codec, vectors->x, codes->count, 0, input, "vector");
}

/* A norm below what 16 bits hold is a loss that nobody asked for. */
static fq_status note_vanished(const fq_codec *codec, const fq_vectors *vectors, const fq_codes *codes) {
    size_t count = 0, first = 0;
    FQ_TRY(fq_encode_vanished(codec, vectors->x, codes->bytes, codes->count, &count, &first));
    if (count)
        fq_options_note(
            &usage,
            "%zu vectors are too small for the norm that is stored, and are zero in the codes; the "
            "first is vector %zu",
            count, first);
    return FQ_OK;
}

static fq_status encode(const char *input, const fq_vectors *vectors, fq_codec_spec *spec, fq_codes *codes) {
    fq_codec *codec = NULL;
    FQ_TRY(get_codebook(&codes->codebook, spec, vectors->dim));
    FQ_TRY(fq_codec_spec_format(codes->codec, spec));
    const fq_codec_parts parts = {.codebook = codes->codebook.words ? &codes->codebook : NULL};
    fq_verb_note_rotation(&usage, spec, vectors->dim, true);
    FQ_TRY(fq_codec_create(&codec, spec, vectors->dim, &parts));
    codes->count = vectors->count;
    codes->dim = vectors->dim;
    codes->code_bytes = fq_codec_get_cost(codec).code_bytes;
    fq_status status = fq_alloc_zero(&codes->bytes, vectors->count, codes->code_bytes);
    if (status == FQ_OK)
        status = encode_all(codec, input, vectors, codes);
    if (status == FQ_OK)
        status = note_vanished(codec, vectors, codes);
    fq_codec_destroy(codec);
    return status;
}

static fq_status print(const fq_codes *codes) {
    const double ratio = 16.0 * (double)codes->dim / (8.0 * (double)codes->code_bytes);
    if (json)
        return fq_verb_print_json(
            json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:o}", "schema", "fibquant encode 1", "codec",
                      codes->codec, "vectors", (json_int_t)codes->count, "dim", (json_int_t)codes->dim,
                      "code_bytes", (json_int_t)codes->code_bytes, "compression_of_everything", ratio,
                      "output", fq_json_text(output)));
    printf("%zu vectors of dimension %zu with %s: %zu bytes a vector, %.3f times smaller than float16 "
           "(everything\n"
           "counted)\n",
           codes->count, codes->dim, codes->codec, codes->code_bytes, ratio);
    return FQ_OK;
}

static fq_status work(fq_codec_spec *spec, const char *input, int argc, const char **argv) {
    fq_vectors vectors = {0};
    fq_codes codes = {0};
    fq_provenance provenance;
    fq_codebook_init(&codes.codebook);
    FQ_TRY(fq_verb_provenance(&provenance, argc, argv, spec->seed));
    fq_status status = fq_vectors_read(&vectors, input);
    if (status == FQ_OK)
        status = encode(input, &vectors, spec, &codes);
    if (status == FQ_OK)
        status = fq_codes_write(output, &codes, &provenance);
    if (status == FQ_OK)
        status = print(&codes);
    fq_vectors_clear(&vectors);
    fq_codes_clear(&codes);
    fq_provenance_clear(&provenance);
    return status;
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    fq_codec_spec spec;
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    if (fq_codec_spec_parse(&spec, codec_name) != FQ_OK)
        return fq_verb_fail("encode");
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_FILE}, {0}};
    const fq_input inputs[] = {{.option = "VECTORS.h5", .path = arguments.items[0]},
                               {.option = "--codebook", .path = codebook_path},
                               {0}};
    if (!fq_outputs_good(&usage, outputs, inputs, &exit_code))
        return exit_code;
    return work(&spec, arguments.items[0], argc, argv) == FQ_OK ? 0 : fq_verb_fail("encode");
}

const fq_verb fq_verb_encode = {"encode", "encode vectors of an HDF5 file", run};
