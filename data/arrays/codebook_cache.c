#include "codebook_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "codebook_file.h"
#include "codebook_training.h"
#include "failure.h"
#include "sha256.h"
#include "shipped_codes.h"

void fq_codebook_cache_name(char name[FQ_CACHE_NAME_MAX], const fq_train_options *options,
                            uint64_t evaluate_seed) {
    char text[300], hex[FQ_SHA256_HEX];
    snprintf(text, sizeof text,
             "training %d dim %zu block %zu codewords %zu recipe %s seed %" PRIu64
             " tolerance %a measured with %" PRIu64,
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

/* The entry's file; "" where there is no folder for it. folder becomes the one in use. */
static void entry_path(char path[FQ_PATH_MAX], const fq_train_options *options, char own[FQ_PATH_MAX],
                       const char **folder, uint64_t evaluate_seed) {
    char name[FQ_CACHE_NAME_MAX];
    const bool have_folder = *folder ? (*folder)[0] != '\0' : default_folder(own);
    if (!*folder)
        *folder = own;
    fq_codebook_cache_name(name, options, evaluate_seed);
    if (!have_folder || snprintf(path, FQ_PATH_MAX, "%s/%s", *folder, name) >= FQ_PATH_MAX)
        path[0] = '\0';
}

bool fq_codebook_cache_has(const fq_train_options *options, const char *folder, uint64_t evaluate_seed) {
    char own[FQ_PATH_MAX], path[FQ_PATH_MAX];
    entry_path(path, options, own, &folder, evaluate_seed);
    return (folder[0] && fq_shipped_code_has(options)) || (path[0] && access(path, F_OK) == 0);
}

/* The code that comes with the program, if there is one; measured anew if more samples are wanted than its
 * file speaks of. */
static bool get_shipped(fq_codebook *codebook, const fq_train_options *options, uint64_t evaluate_seed,
                        uint64_t evaluate_samples) {
    if (!fq_shipped_code_has(options) || fq_shipped_code_get(codebook, options) != FQ_OK)
        return false;
    if (codebook->distortion_samples >= evaluate_samples ||
        fq_codebook_measure(codebook, evaluate_seed, evaluate_samples) == FQ_OK)
        return true;
    fq_codebook_clear(codebook);
    return false;
}

static bool read_entry(fq_codebook *codebook, const char *path, const fq_train_options *options,
                       fq_cache_outcome *what) {
    if (!path[0] || access(path, F_OK) != 0)
        return false;
    *what = fq_codebook_file_read(codebook, path) == FQ_OK && fits(codebook, options) ? FQ_CACHE_HIT
                                                                                      : FQ_CACHE_REPLACED;
    return *what == FQ_CACHE_HIT;
}

/* Waits until nobody else trains the entry; -1 where that cannot be known, which costs time at most. */
static int lock_entry(char lock[FQ_PATH_MAX], const char *path) {
    if (!path[0] || snprintf(lock, FQ_PATH_MAX, "%s.lock", path) >= FQ_PATH_MAX)
        return -1;
    const int file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (file >= 0 && fcntl(file, F_SETLKW, &whole) != 0)
        if (errno != EINTR) {
            close(file);
            return -1;
        }
    return file;
}

static void unlock_entry(int file, const char *lock) {
    if (file < 0)
        return;
    unlink(lock); /* who waits for it looks for the entry first */
    close(file);
}

static fq_status get(fq_codebook *codebook, const fq_train_options *options, const char *path,
                     uint64_t evaluate_seed, uint64_t evaluate_samples, fq_cache_outcome *what) {
    if (!read_entry(codebook, path, options, what)) {
        fq_codebook_clear(codebook);
        fq_codebook_init(codebook);
        FQ_TRY(fq_codebook_train(codebook, options));
    } else if (codebook->distortion_samples == evaluate_samples) {
        return FQ_OK;
    }
    FQ_TRY(fq_codebook_measure(codebook, evaluate_seed, evaluate_samples));
    if (!path[0] || fq_codebook_file_write(path, codebook, NULL) != FQ_OK)
        *what = FQ_CACHE_UNWRITABLE;
    return FQ_OK;
}

fq_status fq_codebook_cache_get(fq_codebook *codebook, const fq_train_options *options, const char *folder,
                                uint64_t evaluate_seed, uint64_t evaluate_samples,
                                fq_cache_outcome *outcome) {
    char own[FQ_PATH_MAX], path[FQ_PATH_MAX], lock[FQ_PATH_MAX];
    fq_cache_outcome what = FQ_CACHE_TRAINED;
    fq_status status = FQ_OK;
    entry_path(path, options, own, &folder, evaluate_seed);
    if (folder[0] && get_shipped(codebook, options, evaluate_seed, evaluate_samples)) {
        if (outcome)
            *outcome = FQ_CACHE_HIT;
        return FQ_OK;
    }
    const bool found = read_entry(codebook, path, options, &what);
    if (!found || codebook->distortion_samples != evaluate_samples) {
        fq_codebook_clear(codebook);
        fq_codebook_init(codebook);
        if (path[0])
            make_folders(folder);
        const bool damaged = what == FQ_CACHE_REPLACED;
        const int locked = lock_entry(lock, path);
        what = FQ_CACHE_TRAINED;
        status = get(codebook, options, path, evaluate_seed, evaluate_samples, &what);
        unlock_entry(locked, lock);
        if (damaged && what == FQ_CACHE_HIT)
            what = FQ_CACHE_REPLACED;
    }
    if (status == FQ_OK && outcome)
        *outcome = what;
    return status;
}
