#include "search.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "search_kernels.h"
#include "source.h"

struct fq_search {
    size_t block, codewords, groups;
    float *words;  /* [groups][block][FQ_SEARCH_LANES]: codewords side by side, a lane each */
    float *offset; /* [groups][FQ_SEARCH_LANES]: h_i; -inf in lanes beyond the last codeword */
    fq_search_kernel *kernel;
};

fq_status fq_search_create(fq_search **search, const float *words, size_t codewords, size_t block) {
    if (codewords < 1 || codewords > FQ_CODEWORDS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "codewords", codewords, "1 to 1048576");
    if (block < 1 || block > FQ_BLOCK_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "block", block, "1 to 1024");
    for (size_t i = 0; i < codewords * block; i++)
        if (!isfinite(words[i]))
            return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "words", i, "finite elements; this one is not");
    fq_search *made = NULL;
    FQ_TRY(fq_alloc_zero(&made, 1, sizeof *made));
    made->block = block;
    made->codewords = codewords;
    made->groups = (codewords + FQ_SEARCH_LANES - 1) / FQ_SEARCH_LANES;
    made->kernel = fq_search_kernel_best();
    fq_status status =
        fq_alloc_zero(&made->words, made->groups * block * FQ_SEARCH_LANES, sizeof(float));
    if (status == FQ_OK)
        status = fq_alloc(&made->offset, made->groups * FQ_SEARCH_LANES, sizeof(float));
    if (status != FQ_OK) {
        fq_search_destroy(made);
        return status;
    }
    for (size_t i = 0; i < made->groups * FQ_SEARCH_LANES; i++) {
        const size_t group = i / FQ_SEARCH_LANES, lane = i % FQ_SEARCH_LANES;
        made->offset[i] = -HUGE_VALF;
        if (i >= codewords)
            continue;
        made->offset[i] = fq_search_offset(words + i * block, block);
        for (size_t j = 0; j < block; j++)
            made->words[(group * block + j) * FQ_SEARCH_LANES + lane] = words[i * block + j];
    }
    *search = made;
    return FQ_OK;
}

void fq_search_destroy(fq_search *search) {
    if (!search)
        return;
    fq_free(search->words);
    fq_free(search->offset);
    fq_free(search);
}

void fq_search_nearest(const fq_search *search, uint32_t *index, const float *x, size_t n) {
    search->kernel(index, search->words, search->offset, search->groups, search->block, x, n);
}
