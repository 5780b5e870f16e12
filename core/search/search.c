#include "search_path.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "search_planar.h"
#include "search_pruned.h"
#include "search_words.h"

struct fq_search {
    fq_search_words words;
    fq_search_path path;
    const fq_search_kernels *kernels; /* of an exhaustive path */
    fq_search_planar *planar;         /* path FQ_SEARCH_PLANAR */
    fq_search_pruned *pruned;         /* path FQ_SEARCH_PRUNED or FQ_SEARCH_PRUNED_AVX512 */
};

const char *fq_search_path_name(fq_search_path path) {
    static const char *const names[FQ_SEARCH_PATHS] = {"best", "portable", "avx2",   "avx512",
                                                       "neon", "planar",   "pruned", "pruned-avx512"};
    return names[path];
}

static bool is_pruned(fq_search_path path) {
    return path == FQ_SEARCH_PRUNED || path == FQ_SEARCH_PRUNED_AVX512;
}

bool fq_search_path_available(fq_search_path path, size_t block) {
    if (path == FQ_SEARCH_PLANAR)
        return block == 2;
    if (is_pruned(path))
        return fq_search_pruned_available(path, block);
    return path < FQ_SEARCH_PATHS && fq_search_kernels_of(path) != NULL;
}

static fq_status check(const float *words, size_t codewords, size_t block) {
    FQ_TRY(fq_check_size("codewords", codewords, 1, FQ_CODEWORDS_MAX));
    FQ_TRY(fq_check_size("block", block, 1, FQ_BLOCK_MAX));
    for (size_t i = 0; i < codewords * block; i++)
        if (!isfinite(words[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "words", i, "finite elements; this one is not");
    return FQ_OK;
}

/* The path that BEST means for so many points. */
static fq_search_path best_path(size_t codewords, size_t block, size_t points) {
    if (block == 2 && points >= fq_search_planar_worth(codewords))
        return FQ_SEARCH_PLANAR;
    if (fq_search_pruned_pays(codewords, block, points))
        return fq_search_pruned_best();
    return fq_search_kernels_of(FQ_SEARCH_BEST)->path;
}

/* Lays the words out and makes what the path wanted needs, or falls back where BEST was asked for. */
static fq_status create(fq_search *made, const float *words, size_t codewords, size_t block,
                        fq_search_path path, size_t points) {
    const fq_search_path wanted = path == FQ_SEARCH_BEST ? best_path(codewords, block, points) : path;
    FQ_TRY(fq_search_words_init(&made->words, words, codewords, block));
    if (wanted == FQ_SEARCH_PLANAR)
        FQ_TRY(fq_search_planar_create(&made->planar, &made->words));
    if (is_pruned(wanted))
        FQ_TRY(fq_search_pruned_create(&made->pruned, wanted, &made->words, words));
    made->path = wanted;
    if (made->planar || made->pruned)
        return FQ_OK;
    if (path == FQ_SEARCH_PLANAR)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "path", path,
                             "planar only for words that are spread about the plane");
    if (is_pruned(path))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "path", path, "pruned only for words of 2^-40 to 2^50");
    if (wanted == FQ_SEARCH_PLANAR || is_pruned(wanted))
        made->path = fq_search_kernels_of(FQ_SEARCH_BEST)->path;
    made->kernels = fq_search_kernels_of(made->path);
    return FQ_OK;
}

static fq_status create_checked(fq_search **search, const float *words, size_t codewords, size_t block,
                                fq_search_path path, size_t points) {
    fq_search *made = NULL;
    FQ_TRY(check(words, codewords, block));
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    const fq_status status = create(made, words, codewords, block, path, points);
    if (status != FQ_OK) {
        fq_search_destroy(made);
        return status;
    }
    *search = made;
    return FQ_OK;
}

fq_status fq_search_create(fq_search **search, const float *words, size_t codewords, size_t block,
                           size_t points) {
    return create_checked(search, words, codewords, block, FQ_SEARCH_BEST, points);
}

fq_status fq_search_create_path(fq_search **search, const float *words, size_t codewords, size_t block,
                                fq_search_path path) {
    if (!fq_search_path_available(path, block))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "path", path,
                             "a path that this processor and block dimension can take");
    return create_checked(search, words, codewords, block, path, SIZE_MAX);
}

void fq_search_destroy(fq_search *search) {
    if (!search)
        return;
    fq_search_planar_destroy(search->planar);
    fq_search_pruned_destroy(search->pruned);
    fq_search_words_clear(&search->words);
    fq_free(search);
}

fq_search_path fq_search_get_path(const fq_search *search) {
    return search->path;
}

void fq_search_nearest(const fq_search *search, uint32_t *index, const float *x, size_t n) {
    if (search->planar)
        fq_search_planar_nearest(search->planar, index, x, n);
    else if (search->pruned)
        fq_search_pruned_nearest(search->pruned, index, x, n);
    else
        search->kernels->nearest(index, &search->words, x, n);
}
