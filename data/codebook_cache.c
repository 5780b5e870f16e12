#include "codebook_cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "codebook_file.h"
#include "failure.h"
#include "sha256.h"

void fq_codebook_cache_name(char name[FQ_CACHE_NAME_MAX], const fq_train_options *options,
                            uint64_t evaluate_seed) {
    char text[300], hex[FQ_SHA256_HEX];
    snprintf(text, sizeof text,
             "training %d dim %zu block %zu codewords %zu recipe %s seed %" PRIu64 " tolerance %a measured with %" PRIu64,
             FQ_CODEBOOK_TRAINING_VERSION, options->dim, options->block, options->codewords,
             fq_recipe_name(options->recipe), options->seed, options->tolerance, evaluate_seed);
    fq_sha256_bytes(hex, text, strlen(text));
    snprintf(name, FQ_CACHE_NAME_MAX, "codebook-d%zu-k%zu-N%zu-%.24s.h5", options->dim, options->block,
             options->codewords, hex);
}

static bool default_folder(char folder[FQ_PATH_MAX]) {
    const char *own = getenv("FIBQUANT_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (own && own[0])
        length = snprintf(folder, FQ_PATH_MAX, "%s", own);
    else if (xdg && xdg[0] == '/')
        length = snprintf(folder, FQ_PATH_MAX, "%s/fibquant", xdg);
    else if (home && home[0])
        length = snprintf(folder, FQ_PATH_MAX, "%s/.cache/fibquant", home);
    return length > 0 && length < FQ_PATH_MAX;
}

/* Makes the folder and those above it; whether it worked shows when the file is written. */
static void make_folders(const char *folder) {
    char part[FQ_PATH_MAX];
    snprintf(part, sizeof part, "%s", folder);
    for (char *at = part + 1; *at; at++)
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(part, 0777);
            *at = '/';
        }
    (void)mkdir(part, 0777);
}

static bool fits(const fq_codebook *codebook, const fq_train_options *options) {
    return codebook->dim == options->dim && codebook->block == options->block &&
           codebook->codewords == options->codewords && codebook->recipe == options->recipe &&
           codebook->seed == options->seed;
}

fq_status fq_codebook_cache_get(fq_codebook *codebook, const fq_train_options *options,
                                const char *folder, uint64_t evaluate_seed, uint64_t evaluate_samples,
                                fq_cache_outcome *outcome) {
    char own[FQ_PATH_MAX], name[FQ_CACHE_NAME_MAX], path[FQ_PATH_MAX] = "";
    fq_cache_outcome what = FQ_CACHE_TRAINED;
    const bool have_folder = folder ? folder[0] != '\0' : default_folder(own);
    fq_codebook_cache_name(name, options, evaluate_seed);
    if (have_folder && snprintf(path, sizeof path, "%s/%s", folder ? folder : own, name) >= (int)sizeof path)
        path[0] = '\0';
    if (path[0] && access(path, F_OK) == 0) {
        if (fq_codebook_file_read(codebook, path) == FQ_OK && fits(codebook, options))
            what = FQ_CACHE_HIT;
        else
            what = FQ_CACHE_REPLACED;
    }
    if (what != FQ_CACHE_HIT) {
        fq_codebook_clear(codebook);
        fq_codebook_init(codebook);
        FQ_TRY(fq_codebook_train(codebook, options));
    }
    if (what == FQ_CACHE_HIT && codebook->distortion_samples == evaluate_samples) {
        if (outcome)
            *outcome = what;
        return FQ_OK;
    }
    FQ_TRY(fq_codebook_measure(codebook, evaluate_seed, evaluate_samples));
    if (path[0])
        make_folders(folder ? folder : own);
    if (!path[0] || fq_codebook_file_write(path, codebook, NULL) != FQ_OK)
        what = FQ_CACHE_UNWRITABLE;
    if (outcome)
        *outcome = what;
    return FQ_OK;
}
