#include "verb_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#if FQ_HAVE_ARB
#include <flint/flint.h>
#if FQ_ARB_IN_FLINT
#include <flint/arb.h>
#else
#include <arb.h>
#endif
#endif

#include "atomic_file.h"
#include "codec.h"
#include "failure.h"
#include "memory.h"
#include "printable.h"
#include "text_encoding.h"

fq_status fq_verb_provenance(fq_provenance *provenance, int argc, const char *const *argv, uint64_t seed) {
    FQ_TRY(fq_provenance_gather(provenance, argc, argv, seed, NULL));
#if FQ_HAVE_ARB
    fq_status status = fq_provenance_set(provenance, "flint", FLINT_VERSION);
    if (status == FQ_OK)
        status = fq_provenance_set(provenance, "arb", arb_version);
#else
    fq_status status = fq_provenance_set(provenance, "flint", "not built in");
#endif
    if (status != FQ_OK)
        fq_provenance_clear(provenance);
    return status;
}

size_t fq_verb_piece(size_t dim) {
    const size_t coordinates = (size_t)1 << 22;
    return dim < coordinates ? coordinates / dim : 1;
}

void fq_verb_note_rotation(const fq_usage *usage, const fq_codec_spec *spec, size_t dim, bool chosen) {
    enum { LONG_DIM = 1024 };
    static const double seconds_per_cube = 1.0e-9; /* one core; an order of magnitude */
    fq_codec_description about;
    if (dim < LONG_DIM || spec->rotation != FQ_ROTATION_HAAR ||
        fq_codec_describe(&about, spec, dim) != FQ_OK || !about.rotated)
        return;
    const double d = (double)dim;
    fq_options_note(usage, "a Haar rotation of dimension %zu takes about %.1g s to make (d^3)%s", dim,
                    fmax(d * d * d * seconds_per_cube, 1),
                    chosen ? "; rot=hadamard in the codec's name takes none" : "");
}

void fq_verb_note_encoding(const fq_usage *usage, const char *path) {
    const size_t limit = (size_t)256 << 20; /* as fq_model_text_load */
    char doubt[FQ_TEXT_DOUBT_MAX];
    unsigned char *bytes = NULL;
    size_t length = 0;
    if (fq_file_read(path, limit, &bytes, &length) != FQ_OK)
        return;
    if (fq_text_encoding_doubt(bytes, length, doubt))
        fq_options_note(usage, "%s: %s; texts are read as UTF-8", path, doubt);
    fq_free(bytes);
}

json_t *fq_json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *fq_json_text(const char *text) {
    char line[FQ_FAILURE_LINE_MAX];
    json_t *value = text ? json_string(text) : json_null();
    if (value)
        return value;
    fq_printable(line, sizeof line, text);
    return json_string(line);
}

fq_status fq_verb_print_json(json_t *document) {
    char *text = document ? json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(document);
    if (!text)
        return FQ_FAIL(FQ_ERR_MEMORY, "json", "enough memory");
    puts(text);
    free(text);
    return FQ_OK;
}
