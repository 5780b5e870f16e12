/* Vectors of trellis codes (trellis_code.h) to float32, fast: y_j = level_j (norm unit), both products in
 * float32, the same bits from every kernel. What a kernel cannot read is left to the portable one. */
#ifndef FQ_TRELLIS_DECODE_H
#define FQ_TRELLIS_DECODE_H

#include "trellis_code.h"

enum {
    FQ_TRELLIS_DECODE_CHUNK = 64,     /* coordinates at a time */
    FQ_TRELLIS_DECODE_CHUNKS_MAX = 8, /* of a vector that kernels take in chunks */
    FQ_TRELLIS_DECODE_PAYLOAD_MAX = 128
};

/* How a chunk's labels come from bytes. With F = P V functions, 1, 2, 4 or 8, of the coordinates of a period
 * (trellis_code.h's matrices), a chunk is 64/F periods; place 64/F f + i holds the label of function f of
 * period i, so that eight places in a row have the same matrix. */
typedef struct fq_trellis_places {
    unsigned reach; /* bytes that a label comes from, 1 to 3 */
    size_t functions;
    uint64_t matrix[FQ_TRELLIS_REACH_MAX][8];       /* of each eight places */
    uint8_t nibble[FQ_TRELLIS_REACH_MAX][8][2][16]; /* their products with a byte's low and high four bits */
    uint8_t order[FQ_TRELLIS_DECODE_CHUNK];         /* the place of each coordinate */
    uint8_t byte[FQ_TRELLIS_DECODE_CHUNKS_MAX][FQ_TRELLIS_REACH_MAX][FQ_TRELLIS_DECODE_CHUNK]; /* of places */
    int8_t level[FQ_TRELLIS_LEVELS_MAX];
} fq_trellis_places;

typedef struct fq_trellis_decoder fq_trellis_decoder;

/* A kernel: n vectors, payloads stride bytes apart, y rows y_stride numbers apart. */
typedef void fq_trellis_decode_kernel(const fq_trellis_decoder *decoder, float *y, size_t y_stride,
                                      const uint8_t *payloads, size_t stride, const float *norms, size_t n);

struct fq_trellis_decoder {
    const fq_trellis_code *code;
    bool in_places; /* the code's shape has them */
    fq_trellis_places places;
};

typedef enum fq_trellis_decode_level {
    FQ_TRELLIS_DECODE_PORTABLE,
    FQ_TRELLIS_DECODE_NEON,
    FQ_TRELLIS_DECODE_AVX2,
    FQ_TRELLIS_DECODE_AVX512, /* x86-64 with AVX-512F, BW, DQ, VL, VBMI and GFNI */
    FQ_TRELLIS_DECODE_LEVELS
} fq_trellis_decode_level;

fq_trellis_decode_kernel fq_trellis_decode_portable;
#if defined(__x86_64__)
fq_trellis_decode_kernel fq_trellis_decode_avx2, fq_trellis_decode_avx512;
#elif defined(__aarch64__)
fq_trellis_decode_kernel fq_trellis_decode_neon;
#endif

/* code must outlive it. */
void fq_trellis_decoder_init(fq_trellis_decoder *decoder, const fq_trellis_code *code);

/* The kernel of that level for this code; NULL where the processor or the code's shape does not allow it. */
fq_trellis_decode_kernel *fq_trellis_decode_kernel_of(const fq_trellis_decoder *decoder,
                                                      fq_trellis_decode_level level);

/* By the best kernel. */
fq_trellis_decode_kernel fq_trellis_decode_vectors;

#endif
