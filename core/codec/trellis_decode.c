#include "trellis_decode.h"

#include <string.h>

#include "cpu.h"
#include "size_limits.h"

enum { CHUNK = FQ_TRELLIS_DECODE_CHUNK };

/* For each place of a chunk, which byte of the payload is r before the last one of its label. Places of
 * coordinates behind the vector's end read any. */
static void find_bytes(fq_trellis_places *places, const fq_trellis_code *code,
                       const fq_trellis_matrices *matrices, size_t chunk, size_t functions) {
    const size_t periods = CHUNK / functions, bytes = code->payload_bytes;
    for (size_t place = 0; place < CHUNK; place++) {
        const size_t f = place / periods, period = periods * chunk + place % periods;
        const size_t last = matrices->bytes * period + matrices->last_byte[f / code->map.together];
        for (size_t r = 0; r < matrices->reach; r++)
            places->byte[chunk][r][place] = (uint8_t)((last + FQ_TRELLIS_REACH_MAX * bytes - r) % bytes);
    }
}

void fq_trellis_decoder_init(fq_trellis_decoder *decoder, const fq_trellis_code *code) {
    const size_t together = code->map.together, chunks = (code->dim + CHUNK - 1) / CHUNK;
    fq_trellis_matrices matrices;
    fq_trellis_places *places = &decoder->places;
    *decoder = (fq_trellis_decoder){.code = code};
    fq_trellis_matrices_of(&matrices, &code->map);
    const size_t functions = matrices.phases * together;
    if (code->payload_bits % 8 != 0 || code->payload_bytes > FQ_TRELLIS_DECODE_PAYLOAD_MAX ||
        chunks > FQ_TRELLIS_DECODE_CHUNKS_MAX || functions > 8 || 8 % functions != 0)
        return;
    decoder->in_places = true;
    places->reach = matrices.reach;
    places->functions = functions;
    memcpy(places->level, code->map.level, sizeof places->level);
    for (size_t eight = 0; eight < 8; eight++) {
        const size_t f = eight * functions / 8;
        for (size_t r = 0; r < matrices.reach; r++) {
            const uint64_t matrix = matrices.matrix[f % together][f / together][r];
            places->matrix[r][eight] = matrix;
            for (unsigned i = 0; i < 16; i++) {
                places->nibble[r][eight][0][i] = fq_trellis_multiply(matrix, (uint8_t)i);
                places->nibble[r][eight][1][i] = fq_trellis_multiply(matrix, (uint8_t)(i << 4));
            }
        }
    }
    for (size_t j = 0; j < CHUNK; j++)
        places->order[j] = (uint8_t)(j % functions * (CHUNK / functions) + j / functions);
    for (size_t chunk = 0; chunk < chunks; chunk++)
        find_bytes(places, code, &matrices, chunk, functions);
}

void fq_trellis_decode_portable(const fq_trellis_decoder *decoder, float *y, size_t y_stride,
                                const uint8_t *payloads, size_t stride, const float *norms, size_t n) {
    int8_t level[FQ_DIM_MAX];
    for (size_t i = 0; i < n; i++) {
        const float scale = norms[i] * decoder->code->unit;
        fq_trellis_levels(decoder->code, level, payloads + i * stride);
        for (size_t j = 0; j < decoder->code->dim; j++)
            y[i * y_stride + j] = (float)level[j] * scale;
    }
}

static const struct {
    fq_trellis_decode_kernel *kernel; /* NULL: not made for this machine */
    unsigned needs;
} kernels[FQ_TRELLIS_DECODE_LEVELS] = {
    [FQ_TRELLIS_DECODE_PORTABLE] = {fq_trellis_decode_portable, 0},
#if defined(__x86_64__)
    [FQ_TRELLIS_DECODE_AVX2] = {fq_trellis_decode_avx2, FQ_CPU_AVX2},
    [FQ_TRELLIS_DECODE_AVX512] = {fq_trellis_decode_avx512, FQ_CPU_AVX2 | FQ_CPU_AVX512F | FQ_CPU_AVX512BW |
                                                                FQ_CPU_AVX512DQ | FQ_CPU_AVX512VL |
                                                                FQ_CPU_VBMI | FQ_CPU_GFNI},
#elif defined(__aarch64__)
    [FQ_TRELLIS_DECODE_NEON] = {fq_trellis_decode_neon, FQ_CPU_NEON},
#endif
};

fq_trellis_decode_kernel *fq_trellis_decode_kernel_of(const fq_trellis_decoder *decoder,
                                                      fq_trellis_decode_level level) {
    if (level != FQ_TRELLIS_DECODE_PORTABLE && !decoder->in_places)
        return NULL;
    return fq_cpu_has(kernels[level].needs) ? kernels[level].kernel : NULL;
}

void fq_trellis_decode_vectors(const fq_trellis_decoder *decoder, float *y, size_t y_stride,
                               const uint8_t *payloads, size_t stride, const float *norms, size_t n) {
    for (int level = FQ_TRELLIS_DECODE_LEVELS - 1; level >= 0; level--) {
        fq_trellis_decode_kernel *const kernel =
            fq_trellis_decode_kernel_of(decoder, (fq_trellis_decode_level)level);
        if (kernel) {
            kernel(decoder, y, y_stride, payloads, stride, norms, n);
            return;
        }
    }
}
