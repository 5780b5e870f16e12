#include "shipped_codes.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomic_file.h"
#include "codebook_bytes.h"
#include "codebook_cache.h"
#include "failure.h"
#include "memory.h"
#include "sha256.h"

enum { FILE_MAX = 4 * FQ_BLOCK_MAX * 65536 + FQ_CODEBOOK_HEADER_MAX };

void fq_shipped_code_name(char name[FQ_SHIPPED_NAME_MAX], size_t dim, size_t block, size_t codewords) {
    snprintf(name, FQ_SHIPPED_NAME_MAX, "d%zu-k%zu-N%zu.code", dim, block, codewords);
}

static bool is_folder(const char *path) {
    return access(path, R_OK | X_OK) == 0;
}

/* "" if there is none. */
static void find_folder(char folder[FQ_PATH_MAX]) {
    const char *own = getenv("FIBQUANT_CODES");
    char program[FQ_PATH_MAX];
    if (own && own[0]) {
        snprintf(folder, FQ_PATH_MAX, "%s", own);
        return;
    }
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    folder[0] = '\0';
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = '\0';
        if (snprintf(folder, FQ_PATH_MAX, "%s/../" FQ_INSTALLED_CODES, program) >= FQ_PATH_MAX)
            folder[0] = '\0';
    }
    if (!is_folder(folder))
        snprintf(folder, FQ_PATH_MAX, "%s", FQ_SOURCE_CODES);
}

/* Lines of a header put together; what does not fit is an error in the end. */
typedef struct header {
    char text[FQ_CODEBOOK_HEADER_MAX];
    size_t length;
} header;

__attribute__((format(printf, 2, 3))) static void add(header *h, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (h->length < sizeof h->text) {
        const int n = vsnprintf(h->text + h->length, sizeof h->text - h->length, format, arguments);
        h->length += n < 0 ? sizeof h->text : (size_t)n;
    }
    va_end(arguments);
}

static void put_little_endian(unsigned char *bytes, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
}

fq_status fq_shipped_code_write(const char *path, const fq_codebook *codebook, double every_code_bound) {
    const size_t count = codebook->block * codebook->codewords;
    char sha256[FQ_SHA256_HEX];
    header h = {.length = 0};
    unsigned char *file = NULL;
    FQ_TRY(fq_alloc(&file, sizeof h.text + 4 * count, 1));
    unsigned char *const data = file + sizeof h.text;
    for (size_t i = 0; i < count; i++)
        put_little_endian(data + 4 * i, codebook->words[i]);
    fq_sha256_bytes(sha256, data, 4 * count);
    add(&h, "fibquant codebook 1\ndim %zu\nblock %zu\ncodewords %zu\n", codebook->dim, codebook->block,
        codebook->codewords);
    add(&h, "rate %.15g\n", log2((double)codebook->codewords) / (double)codebook->block);
    add(&h, "recipe %s\nseed %" PRIu64 "\ntraining %d\n", fq_recipe_name(codebook->recipe), codebook->seed,
        FQ_CODEBOOK_TRAINING_VERSION);
    add(&h, "distortion %.15g\ndistortion_se %.15g\ndistortion_samples %" PRIu64 "\n", codebook->distortion,
        codebook->distortion_se, codebook->distortion_samples);
    if (isfinite(codebook->certificate.low) && isfinite(codebook->certificate.high)) /* rounded outwards */
        add(&h, "certified_low %.15g\ncertified_high %.15g\ncertified_parts %" PRIu64 "\n",
            codebook->certificate.low * (1 - 1e-13), codebook->certificate.high * (1 + 1e-13),
            codebook->certificate.parts);
    if (isfinite(every_code_bound))
        add(&h, "every_code_bound %.6g\n", every_code_bound);
    add(&h, "sha256 %s\ndata %zu\n", sha256, 4 * count);
    fq_status status = FQ_OK;
    if (h.length >= sizeof h.text)
        status = FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "%s: a header longer than %zu bytes", path, sizeof h.text);
    if (status == FQ_OK) {
        memcpy(data - h.length, h.text, h.length);
        status = fq_atomic_file_write(path, data - h.length, h.length + 4 * count);
    }
    fq_free(file);
    return status;
}

/* The value of a line of the header, up to its end; NULL if there is none. A zero stands behind the file. */
static const char *header_value(const unsigned char *bytes, const char *key) {
    char wanted[FQ_ERROR_NAME_MAX];
    const int n = snprintf(wanted, sizeof wanted, "\n%s ", key);
    const char *const text = (const char *)bytes, *const end = strstr(text, "\ndata "),
                      *const at = strstr(text, wanted);
    return at && at < end ? at + n : NULL;
}

static fq_status read_checked(fq_codebook *codebook, const char *path, const unsigned char *bytes,
                              size_t length, bool *current) {
    char sha256[FQ_SHA256_HEX], why[FQ_ERROR_LINE_MAX];
    if (fq_codebook_from_bytes(codebook, bytes, length) != FQ_OK) {
        fq_error_text(why, sizeof why, fq_error_last());
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s", path, why);
    }
    const size_t data = 4 * codebook->block * codebook->codewords;
    const char *const stated = header_value(bytes, "sha256"), *const training =
                                                                  header_value(bytes, "training");
    fq_sha256_bytes(sha256, bytes + length - data, data);
    if (!stated || strncmp(stated, sha256, sizeof sha256 - 1) != 0) {
        fq_codebook_clear(codebook);
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: key \"sha256\": the words' is %s", path, sha256);
    }
    *current = training && strtol(training, NULL, 10) == FQ_CODEBOOK_TRAINING_VERSION;
    return FQ_OK;
}

static fq_status read_code(fq_codebook *codebook, const char *path, bool *current) {
    unsigned char *bytes = NULL;
    size_t length = 0;
    FQ_TRY(fq_file_read(path, FILE_MAX, &bytes, &length));
    const fq_status status = read_checked(codebook, path, bytes, length, current);
    fq_free(bytes);
    return status;
}

fq_status fq_shipped_code_read(fq_codebook *codebook, const char *path) {
    bool current;
    return read_code(codebook, path, &current);
}

/* Where a code made by these options would lie; false if such codes are not shipped. */
static bool place_of(char path[FQ_PATH_MAX], const fq_train_options *options) {
    char folder[FQ_PATH_MAX], name[FQ_SHIPPED_NAME_MAX];
    if (options->recipe != FQ_RECIPE_POPULATION || options->seed != 1 || options->tolerance != 0)
        return false;
    find_folder(folder);
    fq_shipped_code_name(name, options->dim, options->block, options->codewords);
    return folder[0] && snprintf(path, FQ_PATH_MAX, "%s/%s", folder, name) < FQ_PATH_MAX;
}

bool fq_shipped_code_has(const fq_train_options *options) {
    char path[FQ_PATH_MAX];
    return place_of(path, options) && access(path, R_OK) == 0;
}

fq_status fq_shipped_code_get(fq_codebook *codebook, const fq_train_options *options) {
    char path[FQ_PATH_MAX];
    bool current = false;
    if (!place_of(path, options))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "no such code is shipped");
    FQ_TRY(read_code(codebook, path, &current));
    if (current && codebook->dim == options->dim && codebook->block == options->block &&
        codebook->codewords == options->codewords && codebook->recipe == options->recipe &&
        codebook->seed == options->seed)
        return FQ_OK;
    fq_codebook_clear(codebook);
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: another code than its name says, or of another training", path);
}
