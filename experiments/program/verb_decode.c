/* fibquant decode: codes in, vectors out; and how far they are from the originals. */
#include <math.h>
#include <stdio.h>

#include "codec.h"
#include "failure.h"
#include "memory.h"
#include "output_check.h"
#include "progress_bar.h"
#include "vectors_file.h"
#include "verb.h"
#include "verb_support.h"

static const char *output, *reference;
static bool json;

static const fq_option options[] = {
    FQ_OPTION_OUTPUT(output, true),
    {.name = "reference",
     .kind = FQ_OPTION_TEXT,
     .value = &reference,
     .argument = "VECTORS.h5",
     .help = "the original vectors: print normalised error and cosine"},
    FQ_OPTION_JSON(json),
    {0},
};
static const fq_usage usage = {
    .verb = "decode",
    .summary =
        "Decodes what fibquant encode wrote into the dataset /vectors (n x d, float32) of an HDF5 file.",
    .arguments = "CODES.h5",
    .least_arguments = 1,
    .most_arguments = 1,
    .options = options,
    .notes =
        "Error and cosine are means over the vectors that are not zero, with standard errors; the error is\n"
        "|x - y|^2 / |x|^2, which for unit vectors is the normalised distortion D.",
    .examples =
        "fibquant decode -o back.h5 codes.h5\nfibquant decode -o back.h5 --reference vectors.h5 codes.h5",
};

typedef struct mean {
    double sum, squares;
    size_t n;
} mean;

static void add(mean *m, double value) {
    m->sum += value;
    m->squares += value * value;
    m->n++;
}

static double value_of(const mean *m) {
    return m->n ? m->sum / (double)m->n : (double)NAN;
}

static double error_of(const mean *m) {
    const double n = (double)m->n, average = value_of(m);
    return m->n > 1 ? sqrt(fmax(0, m->squares / n - average * average) / (n - 1)) : (double)NAN;
}

static void compare(const fq_vectors *x, const fq_vectors *y, mean *error, mean *cosine) {
    for (size_t i = 0; i < x->count; i++) {
        double xx = 0, yy = 0, xy = 0, off = 0;
        for (size_t j = i * x->dim; j < (i + 1) * x->dim; j++) {
            const double a = (double)x->x[j], b = (double)y->x[j];
            xx += a * a;
            yy += b * b;
            xy += a * b;
            off += (a - b) * (a - b);
        }
        if (xx > 0) {
            add(error, off / xx);
            add(cosine, yy > 0 ? xy / sqrt(xx * yy) : 0);
        }
    }
}

/* Reads the originals and sets the decoded vectors beside them. */
static fq_status compare_with_reference(const fq_vectors *decoded, mean *error, mean *cosine) {
    fq_vectors original = {0};
    FQ_TRY(fq_vectors_read(&original, reference));
    const bool fit = original.count == decoded->count && original.dim == decoded->dim;
    if (fit)
        compare(&original, decoded, error, cosine);
    const size_t count = original.count, dim = original.dim;
    fq_vectors_clear(&original);
    return fit ? FQ_OK
               : FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: vectors: is %zu x %zu, the codes decode to %zu x %zu",
                              reference, count, dim, decoded->count, decoded->dim);
}

static fq_status print(const fq_codes *codes, const fq_vectors *decoded, const mean *error,
                       const mean *cosine) {
    if (json)
        return fq_verb_print_json(
            json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "schema", "fibquant decode 1", "codec",
                      codes->codec, "vectors", (json_int_t)decoded->count, "dim", (json_int_t)decoded->dim,
                      "error", fq_json_number(value_of(error)), "error_se", fq_json_number(error_of(error)),
                      "cosine", fq_json_number(value_of(cosine)), "cosine_se",
                      fq_json_number(error_of(cosine)), "output", fq_json_text(output)));
    printf("%zu vectors of dimension %zu from %s\n", decoded->count, decoded->dim, codes->codec);
    if (reference)
        printf("  error   %.6f, standard error %.1e\n  cosine  %.6f, standard error %.1e\n", value_of(error),
               error_of(error), value_of(cosine), error_of(cosine));
    return FQ_OK;
}

/* In pieces, so that there is something to show. */
static fq_status decode_all(const fq_codec *codec, const fq_codes *codes, fq_vectors *vectors) {
    const size_t piece = fq_verb_piece(codes->dim);
    fq_progress_bar bar;
    fq_status status = FQ_OK;
    fq_progress_bar_start(&bar, "decode", "vectors", codes->count, fq_options_quiet(),
                          fq_options_no_progress());
    for (size_t i = 0; i < codes->count && status == FQ_OK; i += piece) {
        const size_t n = codes->count - i < piece ? codes->count - i : piece;
        status = fq_codec_decode(codec, vectors->x + i * codes->dim, codes->bytes + i * codes->code_bytes, n);
        fq_progress_bar_update(&bar, i + n);
    }
    fq_progress_bar_finish(&bar);
    if (status != FQ_OK && status != FQ_ERR_MEMORY) /* once more as a whole: failures count from the first */
        status = fq_codec_decode(codec, vectors->x, codes->bytes, codes->count);
    return status;
}

static fq_status decode(const fq_codes *codes, const char *input, fq_vectors *vectors) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    const fq_codec_parts parts = {.codebook = codes->codebook.words ? &codes->codebook : NULL};
    char line[FQ_FAILURE_LINE_MAX];
    fq_status status = fq_codec_spec_parse(&spec, codes->codec);
    fq_codec_description about = {0};
    if (status == FQ_OK)
        status = fq_codec_describe(&about, &spec, codes->dim);
    if (status == FQ_OK && about.trained && !codes->codebook.words)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: codebook: missing, and %s needs it", input, codes->codec);
    if (status == FQ_OK)
        fq_verb_note_rotation(&usage, &spec, codes->dim, false);
    if (status == FQ_OK)
        status = fq_codec_create(&codec, &spec, codes->dim, &parts);
    if (status == FQ_ERR_SPEC || status == FQ_ERR_ARGUMENT) {
        fq_failure_line(line, fq_error_last());
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: codes: attribute codec \"%s\": %s", input, codes->codec, line);
    }
    FQ_TRY(status);
    if (fq_codec_get_cost(codec).code_bytes != codes->code_bytes)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: codes: has %zu bytes a vector, %s takes %zu", input,
                              codes->code_bytes, codes->codec, fq_codec_get_cost(codec).code_bytes);
    vectors->count = codes->count;
    vectors->dim = codes->dim;
    size_t elements = 0;
    if (status == FQ_OK)
        status = fq_size_multiply(&elements, codes->count, codes->dim, "vectors");
    if (status == FQ_OK)
        status = fq_alloc(&vectors->x, elements, sizeof *vectors->x);
    if (status == FQ_OK)
        status = decode_all(codec, codes, vectors);
    if (status == FQ_ERR_CORRUPT) {
        fq_failure_line(line, fq_error_last());
        status = FQ_FAIL_TEXT(FQ_ERR_CORRUPT, "%s: codes: %s", input, line);
    }
    fq_codec_destroy(codec);
    return status;
}

static fq_status work(const char *input, int argc, const char **argv) {
    fq_vectors vectors = {0};
    fq_codes codes;
    fq_provenance provenance;
    FQ_TRY(fq_codes_read(&codes, input));
    fq_status status = fq_verb_provenance(&provenance, argc, argv, 0);
    if (status == FQ_OK) {
        mean error = {0}, cosine = {0};
        status = decode(&codes, input, &vectors);
        if (status == FQ_OK && reference) /* before anything is written */
            status = compare_with_reference(&vectors, &error, &cosine);
        if (status == FQ_OK)
            status = fq_vectors_write(output, &vectors, &provenance);
        if (status == FQ_OK)
            status = print(&codes, &vectors, &error, &cosine);
        fq_provenance_clear(&provenance);
    }
    fq_vectors_clear(&vectors);
    fq_codes_clear(&codes);
    return status;
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_FILE}, {0}};
    const fq_input inputs[] = {{.option = "CODES.h5", .path = arguments.items[0]},
                               {.option = "--reference", .path = reference},
                               {0}};
    if (!fq_outputs_good(&usage, outputs, inputs, &exit_code))
        return exit_code;
    return work(arguments.items[0], argc, argv) == FQ_OK ? 0 : fq_verb_fail("decode");
}

const fq_verb fq_verb_decode = {"decode", "decode codes of an HDF5 file", run};
