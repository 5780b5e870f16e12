/* Trellis codes to float32: every kernel against levels read one by one, to the bit. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "memory.h"
#include "stream.h"
#include "trellis_decode.h"

enum { DIM_MAX = 600, VECTORS = 5 };

static const struct {
    unsigned fresh, together, window, label_bits;
    size_t dim;
    bool in_places;
} shapes[] = {
    {2, 1, 10, 6, 64, true},   {2, 1, 10, 7, 64, true},   {2, 1, 8, 7, 128, true},   {1, 1, 10, 7, 64, true},
    {1, 1, 14, 8, 72, true},   {3, 1, 10, 7, 64, true},   {3, 1, 12, 8, 96, true},   {4, 1, 10, 8, 64, true},
    {4, 1, 12, 8, 128, true},  {5, 1, 10, 8, 80, true},   {8, 1, 14, 8, 80, true},   {8, 1, 10, 3, 33, true},
    {4, 2, 10, 7, 68, true},   {2, 2, 10, 7, 80, true},   {2, 1, 6, 3, 4, true},     {2, 1, 10, 7, 512, true},
    {8, 4, 10, 8, 100, true},  {6, 1, 10, 8, 20, true},   {1, 1, 8, 6, 16, true},    {3, 2, 10, 7, 64, false},
    {1, 4, 10, 7, 128, false}, {2, 1, 10, 7, 576, false}, {8, 1, 10, 7, 130, false}, {3, 1, 10, 7, 33, false},
};

static fq_trellis_map random_map(fq_stream *s, size_t shape) {
    fq_trellis_map map = {.fresh = shapes[shape].fresh,
                          .together = shapes[shape].together,
                          .window = shapes[shape].window,
                          .label_bits = shapes[shape].label_bits,
                          .step = 0.02};
    for (unsigned v = 0; v < map.together; v++)
        for (unsigned i = 0; i < map.window; i++)
            map.column[v][i] = (uint8_t)fq_stream_below(s, 1u << map.label_bits);
    for (unsigned i = 0; i < 1u << map.label_bits; i++)
        map.level[i] = (int8_t)((int)fq_stream_below(s, 255) - 127);
    return map;
}

/* Whether a kernel gives what the levels say, and touches nothing else. */
static bool agrees(const fq_trellis_decoder *decoder, fq_trellis_decode_kernel *kernel,
                   const uint8_t *payload, size_t stride, const float *norms) {
    static float y[VECTORS * (DIM_MAX + 3)];
    const size_t d = decoder->code->dim, y_stride = d + 3;
    bool good = true;
    for (size_t i = 0; i < VECTORS * y_stride; i++)
        y[i] = 12345;
    kernel(decoder, y, y_stride, payload, stride, norms, VECTORS);
    for (size_t i = 0; i < VECTORS; i++)
        for (size_t j = 0; j < y_stride; j++) {
            const float scale = norms[i] * decoder->code->unit;
            const float wanted =
                j < d ? (float)fq_trellis_level_at(decoder->code, payload + i * stride, j) * scale : 12345;
            good = good && memcmp(&wanted, &y[i * y_stride + j], sizeof wanted) == 0;
        }
    return good;
}

/* Nothing behind the last payload is read: it ends where the memory does, which a sanitizer watches; nor does
 * how many vectors there are change one. */
static bool agrees_at_the_end(const fq_trellis_decoder *decoder, fq_trellis_decode_kernel *kernel,
                              const uint8_t *payload, const float *norms) {
    const size_t bytes = decoder->code->payload_bytes, d = decoder->code->dim;
    static float y[VECTORS * DIM_MAX], one[DIM_MAX];
    uint8_t *copy = NULL;
    if (!FQ_CHECK_OK(fq_alloc(&copy, VECTORS, bytes)))
        return false;
    memcpy(copy, payload, VECTORS * bytes);
    kernel(decoder, y, d, copy, bytes, norms, VECTORS);
    bool good = true;
    for (size_t i = 0; i < VECTORS; i++) {
        kernel(decoder, one, d, copy + i * bytes, bytes, norms + i, 1);
        good = good && memcmp(one, y + i * d, d * sizeof *one) == 0;
    }
    fq_free(copy);
    return good;
}

static void every_kernel_reads_every_shape(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7201);
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++) {
        const fq_trellis_map map = random_map(&s, shape);
        fq_trellis_code code;
        fq_trellis_decoder decoder;
        uint8_t payload[VECTORS * (DIM_MAX + 2)];
        float norms[VECTORS];
        if (!FQ_CHECK_OK(fq_trellis_code_init(&code, &map, shapes[shape].dim)))
            continue;
        fq_trellis_decoder_init(&decoder, &code);
        FQ_CHECK(decoder.in_places == shapes[shape].in_places);
        for (size_t i = 0; i < sizeof payload; i++)
            payload[i] = (uint8_t)fq_stream_below(&s, 256);
        for (size_t i = 0; i < VECTORS; i++)
            norms[i] = (float)fq_stream_uniform(&s);
        const size_t stride = code.payload_bytes + 2;
        for (int level = 0; level < FQ_TRELLIS_DECODE_LEVELS; level++) {
            fq_trellis_decode_kernel *const kernel =
                fq_trellis_decode_kernel_of(&decoder, (fq_trellis_decode_level)level);
            if (!kernel)
                continue;
            if (!FQ_CHECK(agrees(&decoder, kernel, payload, stride, norms)))
                printf("shape %zu, level %d\n", shape, level);
            FQ_CHECK(agrees_at_the_end(&decoder, kernel, payload, norms));
            if (level == FQ_TRELLIS_DECODE_PORTABLE || map.label_bits < 6)
                continue;
            const fq_trellis_places kept = decoder.places; /* on purpose: another function's */
            decoder.places.matrix[0][0] ^= 0x8040201008040201;
            for (size_t i = 0; i < 16; i++)
                decoder.places.nibble[0][0][0][i] ^= (uint8_t)i;
            FQ_CHECK(!agrees(&decoder, kernel, payload, stride, norms));
            decoder.places = kept;
        }
        FQ_CHECK(agrees(&decoder, fq_trellis_decode_vectors, payload, stride, norms));
        fq_trellis_code_clear(&code);
    }
}

static const fq_test tests[] = {
    {"every kernel reads every shape", every_kernel_reads_every_shape},
    {0},
};
const fq_suite fq_suite_trellis_decode = {"trellis_decode", tests};
