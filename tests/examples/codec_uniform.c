/* How to add a codec: this file, and the line FQ_CODEC_FAMILY(uni, codec_uniform) in
 * core/codec/codec_table.def. It quantises every block of k rotated coordinates on a grid of N = m^k points:
 * m levels a coordinate in the middle of equal cells over four standard deviations to each side. Its keys are
 * declared here; checks, packing, norm rules, rotated decoding, measurement and conformance come with the
 * table. */
#include <math.h>

#include "codec_family.h"
#include "memory.h"

enum { K, N };
static const fq_codec_key keys[] = {
    [K] = {.name = "k",
           .help = "coordinates of a block",
           .type = FQ_TYPE_INTEGER,
           .required = true,
           .least = 1,
           .most = 8},
    [N] = {.name = "N",
           .help = "points of its grid, a k-th power",
           .type = FQ_TYPE_INTEGER,
           .required = true,
           .least = 2,
           .most = 65536},
    {0},
};

static fq_status create(fq_codec *codec, const fq_codec_parts *parts) {
    (void)parts;
    const size_t d = codec->cost.dim, k = (size_t)codec->spec.value[K], n = (size_t)codec->spec.value[N];
    const size_t levels = (size_t)rint(pow((double)n, 1.0 / (double)k));
    const double reach = fmin(1, 4 / sqrt((double)d));
    float *words = NULL;
    if (d % k)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "k", k, "a divisor of the dimension");
    if ((size_t)rint(pow((double)levels, (double)k)) != n)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "N", n, "a k-th power");
    FQ_TRY(fq_alloc(&words, n * k, sizeof *words));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0, rest = i; j < k; j++, rest /= levels)
            words[i * k + j] = (float)(reach * ((2 * (double)(rest % levels) + 1) / (double)levels - 1));
    const fq_status status = fq_codec_add_group(codec, d, k, n, words, 0);
    fq_free(words);
    return status;
}

static const fq_codec_example examples[] = {
    {"uni:k=1,N=16", 64}, {"uni:k=2,N=9,norm=ls", 10}, {"uni:k=4,N=16,rot=hadamard", 64}, {0}};

const fq_codec_family fq_codec_family_uni = {
    .name = "uni",
    .summary = "uniform grid: N points a block of k coordinates, over four standard deviations",
    .title = "uniform grid",
    .keys = keys,
    .common = FQ_KEY_ROTATION | FQ_KEY_PACKING | FQ_KEY_NORM | FQ_KEY_TRIES | FQ_KEY_SEED,
    .examples = examples,
    .create = create,
};
