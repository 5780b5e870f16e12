/* fibquant codebook: trains one, or finds a trellis code's map, measures it on samples it never saw, and
 * writes it. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "code_certificate.h"
#include "codebook_cache.h"
#include "codebook_export.h"
#include "codebook_file.h"
#include "codebook_trellis.h"
#include "every_code.h"
#include "gains.h"
#include "output_check.h"
#include "progress_bar.h"
#include "scalar_quantizer.h"
#include "shipped_codes.h"
#include "trellis_code.h"
#include "verb.h"
#include "verb_support.h"

static size_t dim, block, codewords, samples, window, labels, tries = 4, evaluations = 24000;
static double bits;
static uint64_t seed = 1;
static double tolerance;
static const char *family = "fib", *recipe = "population", *output, *form = "hdf5";
static bool json, no_cache, improve, certify, shipped;
static size_t parts;

static const fq_option options[] = {
    {.name = "family",
     .kind = FQ_OPTION_CHOICE,
     .value = &family,
     .argument = "NAME",
     .choices = "fib|trellis",
     .help = "what the codebook is for: blocks of k coordinates, or trellis codes"},
    {.name = "dim",
     .letter = 'd',
     .kind = FQ_OPTION_SIZE,
     .value = &dim,
     .argument = "D",
     .least = 2,
     .most = FQ_DIM_MAX,
     .help = "vector dimension; fib needs it, trellis is searched and measured at 64 without it"},
    {.name = "block",
     .letter = 'k',
     .kind = FQ_OPTION_SIZE,
     .value = &block,
     .argument = "K",
     .least = 1,
     .most = FQ_BLOCK_MAX,
     .help = "block dimension; fib needs it"},
    {.name = "codewords",
     .letter = 'N',
     .kind = FQ_OPTION_SIZE,
     .value = &codewords,
     .argument = "N",
     .least = 1,
     .most = 1 << 20,
     .help = "number of codewords; fib needs it"},
    {.name = "bits",
     .letter = 'b',
     .kind = FQ_OPTION_REAL,
     .value = &bits,
     .argument = "B",
     .least = 0.25,
     .most = 8,
     .help = "bits a coordinate; trellis needs it"},
    {.name = "window",
     .kind = FQ_OPTION_SIZE,
     .value = &window,
     .argument = "L",
     .least = FQ_TRELLIS_WINDOW_MIN,
     .most = FQ_TRELLIS_WINDOW_MAX,
     .help = "trellis: bits that a coordinate depends on; without it the codec's own default"},
    {.name = "labels",
     .kind = FQ_OPTION_SIZE,
     .value = &labels,
     .argument = "M",
     .least = FQ_TRELLIS_LABEL_BITS_MIN,
     .most = FQ_TRELLIS_LABEL_BITS_MAX,
     .help = "trellis: bits of a label; without it the codec's own default"},
    {.name = "evaluations",
     .kind = FQ_OPTION_SIZE,
     .value = &evaluations,
     .argument = "E",
     .least = 64,
     .most = 1e9,
     .help = "trellis: maps to try"},
    {.name = "improve",
     .kind = FQ_OPTION_FLAG,
     .value = &improve,
     .help = "trellis: start from the library's map, not from maps drawn at random"},
    {.name = "tries",
     .kind = FQ_OPTION_SIZE,
     .value = &tries,
     .argument = "T",
     .least = 1,
     .most = FQ_TRIES_MAX,
     .help = "trellis: of the encoder that measures"},
    {.name = "recipe",
     .kind = FQ_OPTION_CHOICE,
     .value = &recipe,
     .argument = "NAME",
     .choices = "population|paper|initial|product|shell|lattice",
     .help = "training recipe"},
    {.name = "seed", .kind = FQ_OPTION_UINT64, .value = &seed, .argument = "S", .help = "seed of training"},
    {.name = "tolerance",
     .kind = FQ_OPTION_REAL,
     .value = &tolerance,
     .argument = "T",
     .least = 0,
     .most = 1,
     .help = "relative excess distortion aimed at; 0 is the library's own choice"},
    {.name = "samples",
     .kind = FQ_OPTION_SIZE,
     .value = &samples,
     .argument = "M",
     .least = 2,
     .most = 1e12,
     .help = "fresh samples to measure the distortion on; without it 1048576, or 65536 vectors of a trellis "
             "code"},
    {.name = "certify",
     .kind = FQ_OPTION_FLAG,
     .value = &certify,
     .help = "enclose the distortion in interval arithmetic, k = 2 to 8, N up to 4096; kept in the file"},
    {.name = "parts",
     .kind = FQ_OPTION_SIZE,
     .value = &parts,
     .argument = "P",
     .least = 0,
     .most = 1e9,
     .help = "parts of the source that an enclosure may take for k > 2: more make it narrower; 0: four "
             "million, one million from k = 5 on"},
    FQ_OPTION_OUTPUT(output, false),
    {.name = "form",
     .kind = FQ_OPTION_CHOICE,
     .value = &form,
     .argument = "FORM",
     .choices = "hdf5|code|csv|c",
     .help = "of the output: HDF5, the form in which codes are shipped, a table, a header for C"},
    {.name = "shipped",
     .kind = FQ_OPTION_FLAG,
     .value = &shipped,
     .help = "the code that comes with the program, or none: nothing is trained or searched"},
    {.name = "no-cache",
     .kind = FQ_OPTION_FLAG,
     .value = &no_cache,
     .help = "train even if the cache folder has it, and keep nothing there"},
    FQ_OPTION_JSON(json),
    {0},
};
static const fq_usage usage = {
    .verb = "codebook",
    .summary =
        "Trains a codebook for blocks of unit vectors and measures its distortion D (mean squared error a\n"
        "coordinate over the coordinate variance 1/d) on samples it was not trained on. With --family "
        "trellis it\n"
        "searches a map of a trellis code and trains its levels.",
    .options = options,
    .notes = "The cache folder is $FIBQUANT_CACHE, else $XDG_CACHE_HOME/fibquant, else ~/.cache/fibquant.",
    .examples = "fibquant codebook --dim 64 --block 4 --codewords 256 -o d64-k4-N256.h5\n"
                "fibquant codebook -d 128 -k 2 -N 16 --recipe paper --json\n"
                "fibquant codebook --family trellis -b 2 --window 8 --evaluations 4000 -o b2.h5\n"
                "fibquant codebook -d 64 -k 2 -N 16 --certify -o d64-k2-N16.h5",
};

static void print_certificate(const fq_codebook *c) {
    if (!fq_codebook_is_certified(c))
        return;
    if (c->certificate.parts == 0)
        printf("  certified D       %.15g, to %.0e (closed form)\n",
               0.5 * (c->certificate.low + c->certificate.high), c->certificate.high - c->certificate.low);
    else
        printf("  certified D       %.7f to %.7f (%" PRIu64 " parts of the source)\n", c->certificate.low,
               c->certificate.high, c->certificate.parts);
}

static fq_status print(const fq_codebook *c) {
    fq_source source;
    fq_cell cell = {.second_moment = (double)NAN, .name = "none"};
    const double rate = log2((double)c->codewords) / (double)c->block;
    double high_rate = (double)NAN, shannon = (double)NAN, every_code = (double)NAN;
    FQ_TRY(fq_source_init(&source, c->dim, c->block));
    if (c->block < c->dim) { /* k = d is the sphere itself: no density */
        shannon = fq_gains_shannon_bound(&source, rate);
        FQ_TRY(fq_every_code_bound(&every_code, c->dim, c->block, c->codewords));
        FQ_TRY(fq_gains_best_cell(&cell, c->block));
        FQ_TRY(fq_gains_high_rate_distortion(&high_rate, &source, rate, cell.second_moment));
    }
    if (json)
        return fq_verb_print_json(json_pack(
            "{s:s, s:I, s:I, s:I, s:o, s:s, s:s, s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:s, s:o}",
            "schema", "fibquant codebook 1", "dim", (json_int_t)c->dim, "block", (json_int_t)c->block,
            "codewords", (json_int_t)c->codewords, "rate", fq_json_number(rate), "rate_units",
            "bits per coordinate", "recipe", fq_recipe_name(c->recipe), "distortion",
            fq_json_number(c->distortion), "distortion_se", fq_json_number(c->distortion_se),
            "distortion_samples", (json_int_t)c->distortion_samples, "certified_low",
            fq_json_number(c->certificate.low), "certified_high", fq_json_number(c->certificate.high),
            "certified_parts", (json_int_t)c->certificate.parts, "every_code_bound",
            fq_json_number(every_code), "every_code_excess", fq_json_number(c->distortion / every_code - 1),
            "shannon_bound", fq_json_number(shannon), "high_rate", fq_json_number(high_rate),
            "high_rate_cell", cell.name, "output", fq_json_text(output)));
    printf("d = %zu, k = %zu, N = %zu: %.6g bits a coordinate, recipe %s, seed %" PRIu64 "\n", c->dim,
           c->block, c->codewords, rate, fq_recipe_name(c->recipe), c->seed);
    printf("  distortion D      %.6f, standard error %.1e (%" PRIu64 " fresh samples)\n", c->distortion,
           c->distortion_se, c->distortion_samples);
    print_certificate(c);
    if (c->block < c->dim) {
        if (isfinite(every_code))
            printf("  any code of N     %.6f at least: D is %.2f %% above what no code can beat\n",
                   every_code, 100 * (c->distortion / every_code - 1));
        printf("  Shannon bound     %.6f (D is %.3f times that)\n", shannon, c->distortion / shannon);
        printf("  high-rate value   %.6f (cell: %s)\n", high_rate, cell.name);
    }
    return FQ_OK;
}

static fq_status make(fq_codebook *codebook) {
    fq_progress_bar bar;
    fq_train_options train = {
        .dim = dim, .block = block, .codewords = codewords, .seed = seed, .tolerance = tolerance};
    fq_cache_outcome outcome = FQ_CACHE_TRAINED;
    FQ_TRY(fq_recipe_parse(&train.recipe, recipe));
    if (shipped)
        return fq_shipped_code_get(codebook, &train);
    fq_progress_bar_start(&bar, "training", NULL, FQ_PROGRESS_STEPS, fq_options_quiet(),
                          fq_options_no_progress());
    train.progress = fq_progress_bar_hook(&bar);
    const fq_status status = fq_codebook_cache_get(codebook, &train, no_cache ? "" : NULL, seed,
                                                   samples ? samples : 1 << 20, &outcome);
    fq_progress_bar_finish(&bar);
    if (status == FQ_OK && outcome == FQ_CACHE_REPLACED)
        fq_options_note(&usage, "the cached codebook was damaged; trained again");
    if (status == FQ_OK && outcome == FQ_CACHE_UNWRITABLE && !no_cache)
        fq_options_note(&usage, "the cache folder cannot be written; the codebook is not kept there");
    return status;
}

static fq_status write(const fq_codebook *codebook, const fq_provenance *provenance) {
    double every_code = (double)NAN;
    if (!fq_codebook_form_is_export(form))
        return fq_codebook_file_write(output, codebook, provenance);
    if (codebook->block < codebook->dim)
        FQ_TRY(fq_every_code_bound(&every_code, codebook->dim, codebook->block, codebook->codewords));
    return fq_codebook_export(output, form, codebook, every_code);
}

/* D of the Lloyd-Max code of one coordinate comes from quadrature, with no error to speak of. */
static fq_status know_exactly(fq_codebook *codebook) {
    fq_scalar_quantizer quantizer = {0};
    FQ_TRY(fq_scalar_quantizer_init(&quantizer, codebook->dim, codebook->codewords));
    codebook->distortion = quantizer.distortion;
    codebook->distortion_se = 0;
    fq_scalar_quantizer_clear(&quantizer);
    return FQ_OK;
}

static fq_status work(int argc, const char **argv) {
    fq_codebook codebook;
    fq_provenance provenance;
    FQ_TRY(fq_verb_provenance(&provenance, argc, argv, seed));
    fq_codebook_init(&codebook);
    fq_status status = make(&codebook);
    if (status == FQ_OK && codebook.block == 1 && codebook.recipe == FQ_RECIPE_PRODUCT)
        status = know_exactly(&codebook);
    if (status == FQ_OK && certify)
        status = fq_codebook_certify(&codebook, (double)parts);
    if (status == FQ_OK && output)
        status = write(&codebook, &provenance);
    if (status == FQ_OK)
        status = print(&codebook);
    fq_codebook_clear(&codebook);
    fq_provenance_clear(&provenance);
    return status;
}

static fq_status work_trellis(const fq_trellis_request *request, int argc, const char **argv) {
    fq_provenance provenance;
    FQ_TRY(fq_verb_provenance(&provenance, argc, argv, seed));
    const fq_status status = fq_codebook_trellis(request, &provenance);
    fq_provenance_clear(&provenance);
    return status;
}

/* Each family has its own options, and needs them. */
static bool options_fit(bool trellis, int *exit_code) {
    *exit_code = 2;
    if (fq_codebook_form_is_export(form) && !output)
        fq_options_refuse(&usage, "--form %s needs --output FILE", form);
    else if (trellis && fq_codebook_form_is_export(form) && strcmp(form, "csv") == 0)
        fq_options_refuse(&usage, "--form %s; allowed for a trellis code: hdf5, code, c", form);
    else if (shipped && (no_cache || improve))
        fq_options_refuse(&usage, "--shipped and --%s; allowed: one of them",
                          no_cache ? "no-cache" : "improve");
    else if (trellis && bits == 0)
        fq_options_refuse(&usage, "--bits B is missing");
    else if (trellis && (block || codewords))
        fq_options_refuse(&usage, "--%s is for --family fib", block ? "block" : "codewords");
    else if (trellis && (certify || parts))
        fq_options_refuse(&usage, "--%s is for --family fib", certify ? "certify" : "parts");
    else if (!trellis && dim == 0)
        fq_options_refuse(&usage, "--dim D is missing");
    else if (!trellis && block == 0)
        fq_options_refuse(&usage, "--block K is missing");
    else if (!trellis && codewords == 0)
        fq_options_refuse(&usage, "--codewords N is missing");
    else if (!trellis && (bits > 0 || labels || improve))
        fq_options_refuse(&usage, "--%s is for --family trellis",
                          bits > 0 ? "bits"
                          : labels ? "labels"
                                   : "improve");
    else if (!trellis && block > dim)
        fq_options_refuse(&usage, "--block %zu: allowed is 1 to --dim, %zu", block, dim);
    else
        return true;
    return false;
}

static int run(int argc, const char **argv) {
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    const bool trellis = strcmp(family, "trellis") == 0;
    if (!options_fit(trellis, &exit_code))
        return exit_code;
    const fq_trellis_request request = {.bits = bits,
                                        .window = window,
                                        .label_bits = labels,
                                        .dim = dim ? dim : 64,
                                        .tries = tries,
                                        .samples = samples ? samples : 65536,
                                        .evaluations = evaluations,
                                        .seed = seed,
                                        .output = output,
                                        .form = form,
                                        .improve = improve,
                                        .shipped = shipped,
                                        .json = json};
    if (trellis && !fq_codebook_trellis_good(&usage, &request, &exit_code))
        return exit_code;
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_FILE}, {0}};
    if (!fq_outputs_good(&usage, outputs, NULL, &exit_code))
        return exit_code;
    if (trellis)
        return work_trellis(&request, argc, argv) == FQ_OK ? 0 : fq_verb_fail("codebook");
    if (dim % block != 0)
        fq_options_note(&usage, "--block %zu does not divide --dim %zu: no codec can use this codebook",
                        block, dim);
    return work(argc, argv) == FQ_OK ? 0 : fq_verb_fail("codebook");
}

const fq_verb fq_verb_codebook = {"codebook", "train a codebook, measure it, write it", run};
