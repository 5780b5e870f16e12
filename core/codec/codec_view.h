/* The layout of a code, for kernels that work on the bytes themselves.
 *
 * A code is the codes of the codec's groups one after the other (one group, or two when channels are
 * split for a fractional rate; none for fp16, whose code is the d halves themselves). The code of one
 * group, from byte_offset on:
 *
 *   [norm, fp16 little-endian]            2 bytes
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
 */
#ifndef FQ_CODEC_VIEW_H
#define FQ_CODEC_VIEW_H

#include "codec.h"
#include "dense.h"
#include "packing.h"
#include "rotation.h"
#include "search.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct fq_codec_group {
    size_t dim;    /* d_g, channels of the group */
    size_t offset; /* where its coordinates start in the rotated domain, and its channels in order */
    size_t block, codewords, blocks; /* k, N, d_g/k */
    const float *words;              /* [N][k] */
    fq_search *search;
    fq_rotation *rotation; /* of R^{d_g} */
    fq_packing_plan packing;
    size_t sketch_rows;   /* m; 0 without a sketch */
    fq_dense sketch;      /* S, m x d_g */
    fq_dense sketch_back; /* S^T sqrt(pi/2)/m, d_g x m */
    size_t byte_offset;   /* of the norm in the code */
    size_t index_offset;  /* of the packed indices in the code */
    size_t sign_offset;   /* of the sketch's signs in the code */
    size_t bytes;         /* of the group's code */
    /* Where every byte of the packed indices holds whole indices, 8 / w of them, and all its values are
     * valid: the codewords of each value side by side, [256][table_width]; NULL where not, or where that is
     * large. */
    float *byte_table;
    size_t table_width;   /* 8 k / w */
    bool summed_by_bytes; /* decodes by the second rule of codec.h */
} fq_codec_group;

enum { FQ_CODEC_GROUPS_MAX = 2 };

/* The codec's groups, 0 to FQ_CODEC_GROUPS_MAX; valid as long as the codec. */
const fq_codec_group *fq_codec_get_groups(const fq_codec *codec, size_t *count);

/* Channel of the vector that comes i-th, [d]; NULL: channel i. */
const uint32_t *fq_codec_get_channel_order(const fq_codec *codec);

#ifdef __cplusplus
}
#endif
#endif
