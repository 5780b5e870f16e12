#include "search_words.h"

#include <math.h>
#include <string.h>

#include "cpu.h"
#include "memory.h"

static const fq_search_kernels *const kernels[] = {
    &fq_search_kernels_portable,
#if defined(__x86_64__)
    &fq_search_kernels_avx2,
    &fq_search_kernels_avx512,
#elif defined(__aarch64__)
    &fq_search_kernels_neon,
#endif
};
enum { KERNELS = sizeof kernels / sizeof kernels[0] };

const fq_search_kernels *fq_search_kernels_of(fq_search_path path) {
    for (size_t k = KERNELS; k-- > 0;)
        if ((path == FQ_SEARCH_BEST || kernels[k]->path == path) && fq_cpu_has(kernels[k]->needs))
            return kernels[k];
    return NULL;
}

float fq_search_offset(const float *word, size_t block) {
    double sum = 0;
    for (size_t j = 0; j < block; j++)
        sum += (double)word[j] * (double)word[j];
    return (float)(-0.5 * sum);
}

fq_status fq_search_words_init(fq_search_words *made, const float *words, size_t codewords, size_t block) {
    made->block = block;
    made->codewords = codewords;
    made->groups = (codewords + FQ_SEARCH_LANES - 1) / FQ_SEARCH_LANES;
    FQ_TRY(fq_alloc_zero(&made->lanes, made->groups * block * FQ_SEARCH_LANES, sizeof(float)));
    FQ_TRY(fq_alloc(&made->offset, made->groups * FQ_SEARCH_LANES, sizeof(float)));
    for (size_t i = 0; i < made->groups * FQ_SEARCH_LANES; i++) {
        const size_t group = i / FQ_SEARCH_LANES, lane = i % FQ_SEARCH_LANES;
        made->offset[i] = -HUGE_VALF;
        if (i >= codewords)
            continue;
        made->offset[i] = fq_search_offset(words + i * block, block);
        for (size_t j = 0; j < block; j++)
            made->lanes[(group * block + j) * FQ_SEARCH_LANES + lane] = words[i * block + j];
    }
    return FQ_OK;
}

void fq_search_words_clear(fq_search_words *words) {
    fq_free(words->lanes);
    fq_free(words->offset);
    memset(words, 0, sizeof *words);
}
