/* A manifest: whatever is accepted has axes with values that can be picked, and takes a --set. What the sweep
 * engine makes of it is tried as well: points, parameters, identities. */
#include <string.h>

#include "fuzz_target.h"
#include "manifest.h"
#include "sweep_plan.h"

enum { POINTS_MAX = 2000 };

static void pick(const fq_manifest *m) {
    for (size_t b = 0; b < m->block_count; b++) {
        const fq_manifest_block *block = &m->blocks[b];
        size_t points = 0, chosen[64];
        if (block->group_count > 64 || fq_manifest_block_points(&points, m, block) != FQ_OK)
            continue;
        FQ_FUZZ_REQUIRE(block->seed_count > 0 && block->replicates > 0);
        for (size_t i = 0; i < points; i += 1 + points / 50) {
            uint64_t seed = 0;
            size_t replicate = 0;
            fq_manifest_point(block, i, chosen, &seed, &replicate);
            FQ_FUZZ_REQUIRE(replicate < block->replicates);
            for (size_t g = 0; g < block->group_count; g++) {
                FQ_FUZZ_REQUIRE(chosen[g] < block->groups[g].count);
                for (size_t a = 0; a < block->groups[g].axis_count; a++)
                    FQ_FUZZ_REQUIRE(strlen(block->groups[g].axes[a].values[chosen[g]].text) <=
                                    FQ_MANIFEST_TEXT_MAX);
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fq_manifest m = {0};
    char text[FQ_MANIFEST_BYTES_MAX + 2];
    if (size > FQ_MANIFEST_BYTES_MAX + 1)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const fq_status status = fq_manifest_parse(&m, "fuzz.yaml", text, size);
    FQ_FUZZ_REQUIRE(status == FQ_OK || status == FQ_ERR_INPUT || status == FQ_ERR_MEMORY);
    if (status != FQ_OK)
        return 0;
    size_t points = 0;
    pick(&m);
    if (fq_manifest_points(&points, &m) == FQ_OK && points <= POINTS_MAX) {
        fq_plan plan = {0};
        const fq_status planned = fq_plan_create(&plan, &m);
        FQ_FUZZ_REQUIRE(planned == FQ_OK || planned == FQ_ERR_INPUT || planned == FQ_ERR_MEMORY);
        if (planned == FQ_OK)
            fq_plan_clear(&plan);
    }
    const fq_status set = fq_manifest_set(&m, "dim=[16, 32]", fq_plan_accepts, NULL);
    FQ_FUZZ_REQUIRE(set == FQ_OK || set == FQ_ERR_USAGE || set == FQ_ERR_INPUT || set == FQ_ERR_MEMORY);
    if (set == FQ_OK)
        pick(&m);
    fq_manifest_clear(&m);
    return 0;
}
