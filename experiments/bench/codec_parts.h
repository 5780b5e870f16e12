/* The encoding and decoding that benchmarks time, and plain references for both. Codecs of one group
 * without a sketch (fib and tq with whole bits), d coordinates in natural order. */
#ifndef FQ_BENCH_CODEC_WORK_H
#define FQ_BENCH_CODEC_WORK_H

#include "bench.h"
#include "codec_groups.h"

typedef struct fq_codec_work {
    fq_codec *codec;
    const fq_codec_group *group;
    size_t d, n, code_bytes;
    float *x;              /* [n][d] Gaussian vectors of length about sqrt(d) */
    float *matrix;         /* [d][d], row-major: y = matrix x is the rotation */
    float *offset;         /* [N], -|c|^2/2 */
    uint8_t *codes;        /* [n][code_bytes], written by encoders */
    uint8_t *given;        /* the same, to decode */
    float *decoded;        /* [n][d], written by decoders */
    double *error;         /* [n], squared error of the naive encoder's codes */
    double *expected;      /* [n][d], the naive reconstruction of given, rotated or not */
    float *unit, *rotated; /* [n][d]: inputs of the stages, and what the first of them writes */
    uint32_t *index;       /* [n][d/k] */
    uint8_t *packed;       /* [n][packing.bytes] */
    float *rotated_out;    /* [n][d] */
    uint32_t *index_out;
    float *scores; /* OpenBLAS */
} fq_codec_work;

/* The codecs that encoding and decoding are timed with: the name that is shown, and the specification,
 * with the initial codebook, which needs no training and costs the same. */
typedef struct fq_codec_work_case {
    const char *name, *spec;
} fq_codec_work_case;
enum { FQ_CODEC_WORK_CASES = 6 };
extern const fq_codec_work_case fq_codec_work_cases[FQ_CODEC_WORK_CASES];

/* Of one vector's rotation: 2d^2 for haar, 2d log2 d for hadamard (d a power of two). */
double fq_codec_rotation_flops(const fq_codec_work *work);

/* encode: what encoders and their stages need; else what decoders need. */
FQ_MUST_CHECK fq_status fq_codec_work_init(fq_codec_work *work, const char *spec, size_t d, size_t n,
                                           bool encode, bool rotated, uint64_t seed);
void fq_codec_work_clear(fq_codec_work *work); /* accepts zeros */

/* Variants; context is the work. */
fq_status fq_codec_naive_encode(void *work);
fq_status fq_codec_blas_encode(void *work);
fq_status fq_codec_naive_decode(void *work);
fq_status fq_codec_blas_decode(void *work);
fq_status fq_codec_naive_lookup(void *work); /* decode without the inverse rotation */

/* Codes decode to an error no larger than that of the naive encoder's, up to rounding, for every vector. */
bool fq_codec_check_codes(void *work, char why[FQ_BENCH_WHY_MAX]);

/* The rotation alone, in the codec's chunks, of the directions in unit; rotated as the naive encoder has it,
 * to 1e-5. */
fq_status fq_codec_rotate(void *work);
bool fq_codec_check_rotated(void *work, char why[FQ_BENCH_WHY_MAX]);

/* Every coordinate as the naive decoder has it in double, to 1e-5 of the norm. */
bool fq_codec_check_decoded(void *work, char why[FQ_BENCH_WHY_MAX]);

#endif
