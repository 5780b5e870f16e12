/* One fuzz target a reader (FQ_FUZZ_READER: codebook, vectors, codes, kv_cache, results). The bytes become a
 * file; whatever the reader says, it must neither crash nor reach for memory that the file does not
 * justify. The guard that contains crashes of the HDF5 library is off here: they are what is looked for. With
 * FQ_FUZZ_GUARD set in the environment it is on, as in the program: then nothing may be found. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <hdf5.h>

#include "codebook_file.h"
#include "hdf5_util.h"
#include "kv_cache_file.h"
#include "result_file.h"
#include "vectors_file.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static char path[64];

static void remove_file(void) {
    unlink(path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    fq_h5_guard_on(getenv("FQ_FUZZ_GUARD") != NULL);
    snprintf(path, sizeof path, "/tmp/fibquant-fuzz-%ld.h5", (long)getpid());
    return atexit(remove_file);
}

static fq_status read_codebook(void) {
    fq_codebook codebook;
    fq_codebook_init(&codebook);
    const fq_status status = fq_codebook_file_read(&codebook, path);
    fq_codebook_clear(&codebook);
    return status;
}

static fq_status read_vectors(void) {
    fq_vectors vectors;
    FQ_TRY(fq_vectors_read(&vectors, path));
    fq_vectors_clear(&vectors);
    return FQ_OK;
}

static fq_status read_codes(void) {
    fq_codes codes;
    FQ_TRY(fq_codes_read(&codes, path));
    fq_codes_clear(&codes);
    return FQ_OK;
}

static fq_status read_kv_cache(void) {
    fq_kv_cache *cache = NULL;
    FQ_TRY(fq_kv_cache_open(&cache, path));
    fq_kv_cache_close(cache);
    return FQ_OK;
}

static fq_status read_results(void) {
    fq_results results = {0};
    FQ_TRY(fq_result_file_read(path, &results));
    fq_results_clear(&results);
    return FQ_OK;
}

#define FQ_JOIN_IMPL(a, b) a##b
#define FQ_JOIN(a, b)      FQ_JOIN_IMPL(a, b)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length) {
    /* Each target uses one of these. */
    fq_status (*const readers[])(void) = {read_codebook, read_vectors, read_codes, read_kv_cache,
                                          read_results};
    (void)readers;
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) {
        perror(path);
        abort();
    }
    const fq_status status = FQ_JOIN(read_, FQ_FUZZ_READER)();
    if (status != FQ_OK && status != FQ_ERR_INPUT && status != FQ_ERR_MEMORY)
        abort(); /* a file can be malformed, nothing else */
    return 0;
}
