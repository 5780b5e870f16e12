/* A program that knows fibquant only as installed: three vectors there and back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <codec.h>

int main(void) {
    enum { N = 3, DIM = 64 };
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    float x[N * DIM], back[N * DIM];
    for (int i = 0; i < N * DIM; i++)
        x[i] = (float)sin(0.7 * i + 0.1 * i * i);
    if (fq_codec_spec_parse(&spec, "fib:k=2,N=256,recipe=initial") != FQ_OK ||
        fq_codec_create(&codec, &spec, DIM, NULL) != FQ_OK)
        return 1;
    uint8_t *codes = malloc(N * fq_codec_get_cost(codec).code_bytes);
    if (!codes || fq_codec_encode(codec, codes, x, N) != FQ_OK ||
        fq_codec_decode(codec, back, codes, N) != FQ_OK)
        return 1;
    double error = 0, power = 0;
    for (int i = 0; i < N * DIM; i++) {
        error += ((double)x[i] - (double)back[i]) * ((double)x[i] - (double)back[i]);
        power += (double)x[i] * (double)x[i];
    }
    printf("D = %.4f\n", error / power);
    free(codes);
    fq_codec_destroy(codec);
    return error < 0.03 * power ? 0 : 1; /* 4 bits a coordinate */
}
