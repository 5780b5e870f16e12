/* How many points a manifest has, which is the i-th, and where a value was given. */
#include <stdio.h>

#include "failure.h"
#include "manifest.h"

void fq_manifest_where(char where[FQ_MANIFEST_WHERE_MAX], const fq_manifest *manifest, int line) {
    if (line > 0)
        snprintf(where, FQ_MANIFEST_WHERE_MAX, "%s:%d", manifest->path, line);
    else
        snprintf(where, FQ_MANIFEST_WHERE_MAX, "--set");
}

fq_status fq_manifest_block_points(size_t *points, const fq_manifest *manifest,
                                   const fq_manifest_block *block) {
    size_t product = 1;
    bool fits = true;
    for (size_t g = 0; fits && g < block->group_count; g++)
        fits = !__builtin_mul_overflow(product, block->groups[g].count, &product) &&
               product <= FQ_MANIFEST_POINTS_MAX;
    fits = fits && !__builtin_mul_overflow(product, block->seed_count, &product) &&
           product <= FQ_MANIFEST_POINTS_MAX;
    fits = fits && !__builtin_mul_overflow(product, block->replicates, &product) &&
           product <= FQ_MANIFEST_POINTS_MAX;
    if (!fits)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s:%d: key \"grid\": too many points; allowed: up to %d, in several "
                            "manifests if need be",
                            manifest->path, block->line, FQ_MANIFEST_POINTS_MAX);
    *points = product;
    return FQ_OK;
}

fq_status fq_manifest_points(size_t *points, const fq_manifest *manifest) {
    size_t sum = 0;
    for (size_t b = 0; b < manifest->block_count; b++) {
        size_t here = 0;
        FQ_TRY(fq_manifest_block_points(&here, manifest, &manifest->blocks[b]));
        sum += here;
        if (sum > FQ_MANIFEST_POINTS_MAX)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: too many points; allowed: up to %d in all", manifest->path,
                                FQ_MANIFEST_POINTS_MAX);
    }
    *points = sum;
    return FQ_OK;
}

void fq_manifest_point(const fq_manifest_block *block, size_t i, size_t *chosen, uint64_t *seed,
                       size_t *replicate) {
    *replicate = i % block->replicates;
    i /= block->replicates;
    *seed = block->seeds[i % block->seed_count];
    i /= block->seed_count;
    for (size_t g = block->group_count; g-- > 0;) {
        chosen[g] = i % block->groups[g].count;
        i /= block->groups[g].count;
    }
}
