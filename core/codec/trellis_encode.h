/* Encoding by a trellis code (trellis_code.h): a payload whose coordinates c have a small angle to x.
 *
 * A payload is a circle, so a path through the trellis has to end in the state it begins in. Each try picks a
 * place of the circle and a scale; a first pass without ends, over the steps around the place, finds a likely
 * state there, and a second one the best path round the circle from that state to itself (the passes are
 * defined in trellis_viterbi.h). Of all tries' payloads the one with the largest <x,c>/|c| is kept, the first
 * of equals, and a last pass begins and ends half way round the circle from its place, in the state it has
 * there, with x scaled to its length. Places begin at a number drawn from x's own coordinates, so that no
 * coordinate of the code is worse than others, and are spread evenly; so are scales, around 0.95. With
 * `exact` a try passes once from every state, 2^(L-K) passes in place of two, and there is no last pass: what
 * it costs not to know the state can then be measured.
 *
 * The same payloads whatever the kernels, the number of vectors at a time and the place of a vector among
 * them.
 */
#ifndef FQ_TRELLIS_ENCODE_H
#define FQ_TRELLIS_ENCODE_H

#include "trellis_code.h"
#include "trellis_viterbi.h"

enum { FQ_TRELLIS_TRIES_MAX = 256 };

typedef struct fq_trellis_search {
    unsigned tries; /* 1..256 */
    bool exact;
    const fq_trellis_kernels *kernels; /* NULL: the fastest */
} fq_trellis_search;

/* Immutable; threads may share it. */
typedef struct fq_trellis_encoder {
    const fq_trellis_code *code; /* the caller's; must outlive the encoder */
    fq_trellis_search search;
    double unit;    /* whole numbers' worth of level 1 */
    double per_one; /* whole numbers' worth of a coordinate 1 of the direction */
    unsigned shift; /* h of trellis_viterbi.h */
    size_t context; /* steps of the first pass on each side of the place */
    int16_t value[FQ_TRELLIS_LEVELS_MAX];
    uint16_t *offset; /* owned */
} fq_trellis_encoder;

FQ_MUST_CHECK fq_status fq_trellis_encoder_init(fq_trellis_encoder *encoder, const fq_trellis_code *code,
                                                const fq_trellis_search *search);
void fq_trellis_encoder_clear(fq_trellis_encoder *encoder); /* accepts a struct of zeros */

/* Work space of one thread, for encoders of the same shape (K, V, L, m, d) and kernels: about 4 T 2^L bytes.
 */
typedef struct fq_trellis_workspace fq_trellis_workspace;
FQ_MUST_CHECK fq_status fq_trellis_workspace_create(fq_trellis_workspace **workspace,
                                                    const fq_trellis_encoder *encoder);
void fq_trellis_workspace_destroy(fq_trellis_workspace *workspace); /* NULL accepted */

/* payload[i] of direction x[n][d], norm 1 (any finite numbers are allowed), payloads `stride` bytes apart. */
void fq_trellis_encode(const fq_trellis_encoder *encoder, fq_trellis_workspace *workspace, uint8_t *payload,
                       size_t stride, const float *x, size_t n);

#endif
