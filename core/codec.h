/* Codecs: vectors of dimension d to fixed-size codes and back.
 *
 * Every codec stores a vector in the same number of bytes, wherever it stands, so vector i of an
 * array starts at byte i * code_bytes and is decodable from those bytes alone. Notation: x[n][d]
 * row-major float32, codes[n][code_bytes]. A codec is immutable after creation: threads may share
 * it. Encode and decode run on all OpenMP threads and give the same bytes whatever their number.
 *
 * Defined outcomes: a zero vector (or one whose norm rounds to zero in fp16, below 2^-25) decodes
 * to exactly zero; NaN or infinity is FQ_ERR_NONFINITE naming the first bad element's index; a norm
 * above 65504 (the largest fp16) is FQ_ERR_RANGE, and so is a coordinate above it for fp16 itself.
 * Subnormal fp16 norms are kept, with their larger relative error.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_CODEC_H
#define FQ_CODEC_H

#include <stdint.h>

#include "codebook.h"
#include "codec_spec.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_codec fq_codec;

/* What one vector costs. Compression of the payload is 16/rate, of everything stored
 * 16 dim / (8 code_bytes). */
typedef struct fq_codec_cost {
    size_t dim;
    size_t code_bytes; /* bytes a vector takes, everything included */
    size_t index_bits; /* bits of packed indices, before rounding up to bytes */
    size_t norm_bits;  /* bits of stored norms and other side information */
    double rate;       /* payload bits a coordinate: log2(N)/k, or b */
} fq_codec_cost;

/* What a codec may be given instead of making it itself; all NULL is fine. */
typedef struct fq_codec_parts {
    const fq_codebook *codebook;   /* of a trained codec: must match its k, N and d; copied. NULL:
                                      trained here */
    const uint32_t *channel_order; /* tq with fractional b: channels by falling importance, [d], the
                                      first go to the finer group; NULL: 0,1,2,... */
    uint32_t rotation_class;       /* codecs of one spec told apart by their rotation: which of them this
                                            is, below 2^19 */
} fq_codec_parts;

/* Creates the codec spec names for dimension dim. parts may be NULL. FQ_ERR_SPEC if spec and dim
 * do not fit together. Cost: the codebook's training unless given. */
FQ_MUST_CHECK fq_status fq_codec_create(fq_codec **codec, const fq_codec_spec *spec, size_t dim,
                                        const fq_codec_parts *parts);
void fq_codec_destroy(fq_codec *codec); /* NULL accepted */

/* What fq_codec_create would make of spec and dim, without making it: the cost, or the same failure where
 * spec and dim do not fit together. Trains nothing; cheap. */
FQ_MUST_CHECK fq_status fq_codec_plan(fq_codec_cost *cost, const fq_codec_spec *spec, size_t dim);

const fq_codec_spec *fq_codec_get_spec(const fq_codec *codec);
fq_codec_cost fq_codec_get_cost(const fq_codec *codec);

/* codes[n][code_bytes] from x[n][d]. On failure codes are undefined. No overlap allowed. */
FQ_MUST_CHECK fq_status fq_codec_encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t n);

/* x[n][d] from codes, the same bits for any n, threads and processor. With y = (c_{i_0}, c_{i_1}, ...), the
 * words of a group's indices, x = Pi^T (norm y), sums in the order of rotation.h. But where Pi is a Haar
 * matrix, there is no sketch, N = 2^w with w dividing 8, and a group's indices fill at most 32 whole bytes,
 * each of 4 to 32 coordinates, x_i = fma(norm, ((t_0 + t_1) + t_2) + ..., 0), t_p the chain of fused
 * multiply-adds, from 0 and in order, of Pi^T's row i with byte p's coordinates of y: sums that tables can
 * do. FQ_ERR_CORRUPT names the first vector whose bytes no encoder writes (an index at or above N, a norm
 * that is negative or not finite, padding bits set). */
FQ_MUST_CHECK fq_status fq_codec_decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t n);

/* The same for servers: on the calling thread alone, without allocating, locking or waiting. The work space
 * is one thread's at a time and may be used again and again with the codec that it was made for, which must
 * outlive it; another's is FQ_ERR_ARGUMENT. Outputs say how much they hold, codes in bytes, vectors in
 * numbers: less than n vectors need is FQ_ERR_RANGE and nothing is written. The results are those of the
 * functions without a work space, to the bit. Memory about 2000 d bytes, for trellis codes some hundred
 * kilobytes more. */
typedef struct fq_codec_scratch fq_codec_scratch;

FQ_MUST_CHECK fq_status fq_codec_scratch_create(fq_codec_scratch **scratch, const fq_codec *codec);
void fq_codec_scratch_destroy(fq_codec_scratch *scratch); /* NULL accepted */
FQ_MUST_CHECK fq_status fq_codec_encode_with(const fq_codec *codec, fq_codec_scratch *scratch, uint8_t *codes,
                                             size_t capacity, const float *x, size_t n);
FQ_MUST_CHECK fq_status fq_codec_decode_with(const fq_codec *codec, fq_codec_scratch *scratch, float *x,
                                             size_t capacity, const uint8_t *codes, size_t n);
FQ_MUST_CHECK fq_status fq_codec_decode_rotated_with(const fq_codec *codec, fq_codec_scratch *scratch,
                                                     float *y, size_t capacity, const uint8_t *codes,
                                                     size_t n);

/* Attention without the inverse rotation: <q, x> = <Pi q, Pi x> for the codec's own rotation Pi (of
 * each channel group on its own where there are two; the identity for fp16). decode_rotated gives
 * y[n][d] = Pi x of what decode gives, up to rounding, at the cost of looking codewords up;
 * rotate_queries gives Pi q for q[n][d]; rotate_back undoes it, for outputs that were summed in the
 * rotated domain. Same errors as decode; the last two assume finite input. No overlap allowed. */
FQ_MUST_CHECK fq_status fq_codec_decode_rotated(const fq_codec *codec, float *y, const uint8_t *codes,
                                                size_t n);
FQ_MUST_CHECK fq_status fq_codec_rotate_queries(const fq_codec *codec, float *y, const float *queries,
                                                size_t n);
FQ_MUST_CHECK fq_status fq_codec_rotate_back(const fq_codec *codec, float *x, const float *y, size_t n);

/* What a codec says of itself, so that measurements and figures need not know families. */
typedef enum fq_code_kind {
    FQ_CODE_VECTORS = 0, /* a code of whole vectors */
    FQ_CODE_BLOCKS = 1,  /* every block of k rotated coordinates by one codebook of N words */
    FQ_CODE_SCALARS = 2  /* the same with k = 1: levels */
} fq_code_kind;

typedef struct fq_codec_description {
    fq_code_kind kind;
    size_t block, codewords; /* k and N of blocks and scalars; 0 where a code of vectors has none */
    double rate;  /* payload bits a coordinate, as asked for; see fq_codec_cost for what d makes of it */
    bool rotated; /* it has a rotation, drawn by its seed */
    bool orders_channels;      /* parts.channel_order makes a difference */
    bool trained;              /* made from a codebook, which fq_codec_create trains if none is given */
    fq_train_options training; /* of that codebook, if trained */
    double operations;         /* of encoding a vector, about */
    char family[FQ_LABEL_MAX]; /* as people know it: "FibQuant" */
    char label[FQ_LABEL_MAX];  /* of this code: "FibQuant (k = 4, N = 256)" */
    char series[FQ_LABEL_MAX]; /* of codes like it at other rates: "FibQuant, k = 4" */
} fq_codec_description;

/* Trains nothing. Blocks that do not divide dim are described, too: their codebooks exist. */
FQ_MUST_CHECK fq_status fq_codec_describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim);

/* The words that quantise every block, of a codec of blocks or scalars; k need not divide dim. Makes them
 * unless parts brings them. D is set, with no error, where the family knows it exactly, NaN otherwise: see
 * fq_codebook_measure. FQ_ERR_UNSUPPORTED for a code of vectors. */
FQ_MUST_CHECK fq_status fq_codec_block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                                            const fq_codec_parts *parts);

/* How many families the codec table has, and each one's name and one-line summary. */
size_t fq_codec_family_count(void);
const char *fq_codec_family_name(size_t i);
const char *fq_codec_family_summary(size_t i);

#ifdef __cplusplus
}
#endif
#endif
