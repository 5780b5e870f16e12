/* How to add a suite: this file in tests/core, and the line FQ_SUITE(core, uniform) in tests/suites.def. It
 * tests the codec of codec_uniform.c. */
#include <math.h>
#include <stdint.h>

#include "check.h"
#include "codec.h"
#include "metrics.h"
#include "stream.h"

static void given_a_grid_expect_the_distortion_of_cells_of_half_a_standard_deviation(void) {
    enum { N = 500, DIM = 64 };
    static float x[N * DIM], back[N * DIM];
    static uint8_t codes[N * DIM];
    fq_stream stream;
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    fq_metrics metrics = {0};
    fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 0);
    for (int i = 0; i < N * DIM; i++)
        x[i] = (float)fq_stream_normal(&stream);
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "uni:k=2,N=256"));
    if (!FQ_CHECK_OK(fq_codec_create(&codec, &spec, DIM, NULL)))
        return;
    FQ_CHECK(fq_codec_get_cost(codec).code_bytes == 2 + DIM / 2);
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, N));
    FQ_CHECK_OK(fq_codec_decode(codec, back, codes, N));
    FQ_CHECK_OK(fq_metrics_measure(&metrics, DIM, x, back, N, NULL, 0));
    FQ_CHECK_NEAR(metrics.distortion.mean, 1.0 / 48,
                  0.05 / 48); /* (1/2)^2 / 12; tails beyond 4 hardly count */
    fq_codec_destroy(codec);
}

static void given_a_grid_that_is_none_expect_a_refusal(void) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_FAILS(fq_codec_spec_parse(&spec, "uni:k=2,N=4.5"), FQ_ERR_SPEC);
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "uni:k=2,N=15")); /* no square, which only the codec knows */
    FQ_CHECK_FAILS(fq_codec_create(&codec, &spec, 64, NULL), FQ_ERR_SPEC);
}

static const fq_test tests[] = {
    {"given a grid, expect the distortion of cells of half a standard deviation",
     given_a_grid_expect_the_distortion_of_cells_of_half_a_standard_deviation},
    {"given a grid that is none, expect a refusal", given_a_grid_that_is_none_expect_a_refusal},
    {0}};

const fq_suite fq_suite_uniform = {"uniform", tests};
