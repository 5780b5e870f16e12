/* Groups of channels quantised by one code: the layout of their bytes, for kernels that work on these
 * themselves, and what makes, encodes and decodes them.
 *
 * A code is the codes of the codec's groups one after the other (one group, or two when channels are
 * split for a fractional rate; none for fp16, whose code is the d halves themselves). The code of one
 * group, from byte_offset on:
 *
 *   [norm]                                2 bytes, fp16 little-endian, or 1: codec_norm.h
 *   [residual norm / norm, fp16]          2 bytes, only if sketch_rows > 0
 *   [packed indices]                      packing.bytes, see packing.h: little-endian bit order,
 *                                         zero padding up to a byte
 *   [signs of the sketch]                 sketch_rows bits, one a row, set if negative; same order
 *                                         and padding; only if sketch_rows > 0
 *
 * A stored norm of zero means a zero vector, and all other bytes of the group are zero; a residual
 * norm of zero means all sign bits are zero. Rotated-domain reconstruction of a group:
 *   y = norm (c_{i_0}, c_{i_1}, ...) + norm rho sqrt(pi/2)/m S^T s, rho the stored ratio, s = +-1.
 * A group with bytes = 0 stores nothing and decodes to zero.
 *
 * A group of a trellis code (trellis_code.h) has its payload in place of indices, and
 *   y_j = level_j (norm unit), two float32 products;
 * its block, codewords and packing are all zero.
 */
#ifndef FQ_CODEC_GROUPS_H
#define FQ_CODEC_GROUPS_H

#include "codec.h"
#include "dense.h"
#include "packing.h"
#include "rotation.h"
#include "search.h"
#include "trellis_decode.h"
#include "trellis_encode.h"

/* What a group of a trellis code has in place of words and a search. */
typedef struct fq_codec_trellis {
    fq_trellis_code code;
    fq_trellis_encoder encoder;
    fq_trellis_decoder decoder;
} fq_codec_trellis;

typedef struct fq_codec_group {
    size_t dim;    /* d_g, channels of the group */
    size_t offset; /* where its coordinates start in the rotated domain, and its channels in order */
    size_t block, codewords, blocks; /* k, N, d_g/k */
    const float *words;              /* [N][k] */
    fq_search *search;
    fq_codec_trellis *trellis; /* NULL: blocks */
    fq_rotation *rotation;     /* of R^{d_g} */
    fq_packing_plan packing;
    size_t sketch_rows;   /* m; 0 without a sketch */
    fq_dense sketch;      /* S, m x d_g */
    fq_dense sketch_back; /* S^T sqrt(pi/2)/m, d_g x m */
    fq_norm_format norm;  /* of the norm's bytes: codec_norm.h */
    size_t byte_offset;   /* of the norm in the code */
    size_t index_offset;  /* of the packed indices in the code */
    size_t sign_offset;   /* of the sketch's signs in the code */
    size_t bytes; /* of the group's code; of the payload of a trellis code: those from index_offset on */
    /* Where every byte of the packed indices holds whole indices, 8 / w of them, and all its values are
     * valid: the codewords of each value side by side, [256][table_width]; NULL where not, or where that is
     * large. */
    float *byte_table;
    size_t table_width;   /* 8 k / w */
    bool summed_by_bytes; /* decodes by the second rule of codec.h */
} fq_codec_group;

enum { FQ_CODEC_GROUPS_MAX = 2 };

/* Work space of one thread, for FQ_CODEC_CHUNK vectors. */
enum { FQ_CODEC_CHUNK = 96 };
struct fq_codec_scratch {
    const fq_codec *codec;         /* that it was made for */
    float *a, *b, *c;              /* [FQ_CODEC_CHUNK][d] each */
    uint32_t *index;               /* [FQ_CODEC_CHUNK][d] */
    uint32_t *tried;               /* [FQ_CODEC_CHUNK][d], of an encoder that tries scales */
    double *norm;                  /* [FQ_CODEC_CHUNK] */
    fq_trellis_workspace *trellis; /* of an encoder by a trellis code */
};

/* The codec's groups, 0 to FQ_CODEC_GROUPS_MAX; valid as long as the codec. */
const fq_codec_group *fq_codec_get_groups(const fq_codec *codec, size_t *count);

/* Channel of the vector that comes i-th, [d]; NULL: channel i. */
const uint32_t *fq_codec_get_channel_order(const fq_codec *codec);

/* Appends a group of dim channels with the codec's next rotation, quantised by words[N][k] (copied; not read
 * with plan_only), and sketch_rows rows of Gaussian sketch of the residual (0: none). Adds to the codec's
 * cost. */
FQ_MUST_CHECK fq_status fq_codec_add_group(fq_codec *codec, size_t dim, size_t block, size_t codewords,
                                           const float *words, size_t sketch_rows);

/* The same with the Lloyd-Max code of f_{dim,1} of that many bits, 1..16 a coordinate (0: one level): given,
 * if not NULL, else made. */
FQ_MUST_CHECK fq_status fq_codec_add_scalar_group(fq_codec *codec, const fq_codebook *given, size_t dim,
                                                  unsigned bits, size_t rows);

/* Appends a group of dim channels quantised by a trellis code. map is copied; with plan_only only its numbers
 * K, V, L, m are read. exact as in fq_trellis_search. */
FQ_MUST_CHECK fq_status fq_codec_add_trellis_group(fq_codec *codec, size_t dim, const fq_trellis_map *map,
                                                   bool exact);

/* Appends a group of dim channels of which nothing is stored. */
FQ_MUST_CHECK fq_status fq_codec_add_empty_group(fq_codec *codec, size_t dim);

/* Copies parts->channel_order in, if given; FQ_ERR_ARGUMENT if it is no permutation of 0..d-1. */
FQ_MUST_CHECK fq_status fq_codec_set_channel_order(fq_codec *codec, const uint32_t *order);

/* Channels that get the finer of two whole bit widths so that the mean is b: the nearest number to
 * (b - floor b) dim that leaves each group 0 or at least 2 channels (a coarser width of 0 needs
 * none); 0 if b is whole. */
size_t fq_codec_finer_channels(size_t dim, double bits);

/* The shared pipeline on n <= FQ_CODEC_CHUNK vectors. rotated: leave out the inverse rotation. beyond: x is a
 * part of more than the caches hold, so write it past them where that helps. */
FQ_MUST_CHECK fq_status fq_codec_groups_encode(const fq_codec *codec, fq_codec_scratch *scratch,
                                               uint8_t *codes, const float *x, size_t first, size_t n);
FQ_MUST_CHECK fq_status fq_codec_groups_decode(const fq_codec *codec, fq_codec_scratch *scratch, float *x,
                                               const uint8_t *codes, size_t first, size_t n, bool rotated,
                                               bool beyond);
/* The channels of the group, in order, to where they stand in a vector. */
void fq_codec_scatter(const fq_codec *codec, const fq_codec_group *group, float *x, const float *part);

/* Norm and residual ratio (with a sketch only) of a group of a vector's code; false if no encoder writes such
 * bytes. */
bool fq_codec_read_norms(const fq_codec_group *group, const uint8_t *code, float *norm, float *ratio);

/* Records FQ_ERR_CORRUPT for that vector. */
FQ_MUST_CHECK fq_status fq_codec_fail_corrupt(size_t vector);

/* Decoding n vectors of a codec for which tables pay, on all threads: the same numbers as by groups. done:
 * false, and nothing was decoded, if there is no memory for the tables. */
bool fq_codec_tables_pay(const fq_codec *codec, size_t n);
FQ_MUST_CHECK fq_status fq_codec_decode_by_tables(const fq_codec *codec, float *x, const uint8_t *codes,
                                                  size_t n, bool beyond, bool *done);

void fq_codec_groups_rotate(const fq_codec *codec, fq_codec_scratch *scratch, float *y, const float *x,
                            size_t n, bool back);
void fq_codec_groups_clear(fq_codec *codec);

#endif
