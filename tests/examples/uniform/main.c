/* The codec of codec_uniform.c, found by its name: exit 0 if it behaves. */
#include <math.h>
#include <stdio.h>

#include "codec.h"
#include "metrics.h"
#include "stream.h"

int main(void) {
    enum { N = 500, DIM = 64 };
    static float x[N * DIM], back[N * DIM];
    static uint8_t codes[N * DIM];
    fq_stream stream;
    fq_stream_init(&stream, 1, FQ_PURPOSE_TEST, 0);
    for (int i = 0; i < N * DIM; i++)
        x[i] = (float)fq_stream_normal(&stream);
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    fq_metrics metrics;
    if (fq_codec_spec_parse(&spec, "uni:k=2,N=4.5") != FQ_ERR_SPEC)
        return 1;
    if (fq_codec_spec_parse(&spec, "uni:k=2,N=15") != FQ_OK || /* no square, which only the codec knows */
        fq_codec_create(&codec, &spec, DIM, NULL) != FQ_ERR_SPEC)
        return 1;
    if (fq_codec_spec_parse(&spec, "uni:k=2,N=256") != FQ_OK ||
        fq_codec_create(&codec, &spec, DIM, NULL) != FQ_OK ||
        fq_codec_get_cost(codec).code_bytes != 2 + DIM / 2 || fq_codec_encode(codec, codes, x, N) != FQ_OK ||
        fq_codec_decode(codec, back, codes, N) != FQ_OK ||
        fq_metrics_measure(&metrics, DIM, x, back, N, NULL, 0) != FQ_OK)
        return 1;
    fq_codec_destroy(codec);
    /* Cells of half a standard deviation: D near (1/2)^2/12, tails beyond 4 hardly count. */
    printf("uni:k=2,N=256 D = %.5f +- %.5f\n", metrics.distortion.mean, metrics.distortion.se);
    return fabs(metrics.distortion.mean * 48 - 1) < 0.05 ? 0 : 1;
}
