/* Trellis codes: what their bits mean, and how to read them.
 *
 * A vector of d coordinates is V T coordinates in T steps of V each ("together"). Its payload is B = K T
 * bits, K "fresh" ones a step, b = K/V bits a coordinate. Bit i of the payload is bit i%8, counted from the
 * lowest, of byte i/8; padding bits up to a whole byte are zero. The payload is a circle: bit B is bit 0, bit
 * -1 is bit B-1. B >= L.
 *
 *   fresh bits of step t     bits K t ... K t + K - 1
 *   window of step t         the L bits that end there, w = sum_{i<L} bit(K (t+1) - L + i) 2^i:
 *                            window bit 0 is the oldest, bit L-1 the newest, window bits L-K ... L-1 are
 * fresh label of coordinate v    the sum over GF(2), XOR, of column[v][i] over the bits i that are set in w:
 * m bits coordinate V t + v       level[label] step / sqrt(d), for a direction of norm 1
 *
 * So w_{t+1} = (w_t >> K) | (fresh bits of step t+1) << (L-K), and the trellis has 2^(L-K) states, w >> K
 * after step t, whose predecessor's bits are w mod 2^(L-K). Whether a payload is turned by whole steps or
 * not, its coordinates only move: bits turned by K s are coordinates turned by V s.
 *
 * A map (columns, levels and step) does not depend on d. Levels are whole numbers, -127 to 127, times one
 * step, so that products with them can be summed exactly.
 *
 * Where this comes from: trellis-coded quantisation (Marcellin and Fischer, IEEE Trans. Commun. 38, 1990),
 * bit-shift trellises with computed codes (Tseng et al., QTIP, arXiv 2406.11235), quantisers from linear
 * codes (Kudryashov and Yurkov, arXiv 0805.2379).
 */
#ifndef FQ_TRELLIS_CODE_H
#define FQ_TRELLIS_CODE_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    FQ_TRELLIS_FRESH_MAX = 8,
    FQ_TRELLIS_TOGETHER_MAX = 4,
    FQ_TRELLIS_WINDOW_MIN = 6,
    FQ_TRELLIS_WINDOW_MAX = 14,
    FQ_TRELLIS_LABEL_BITS_MIN = 3,
    FQ_TRELLIS_LABEL_BITS_MAX = 8,
    FQ_TRELLIS_LEVELS_MAX = 1 << FQ_TRELLIS_LABEL_BITS_MAX
};

typedef struct fq_trellis_map {
    unsigned fresh;                                                 /* K, 1..8 */
    unsigned together;                                              /* V, 1..4 */
    unsigned window;                                                /* L, 6..14, at least K */
    unsigned label_bits;                                            /* m, 3..8 */
    uint8_t column[FQ_TRELLIS_TOGETHER_MAX][FQ_TRELLIS_WINDOW_MAX]; /* [v][window bit], below 2^m */
    int8_t level[FQ_TRELLIS_LEVELS_MAX];                            /* by label, -127..127, 2^m of them */
    double step; /* value of level 1 where coordinates have variance 1 */
} fq_trellis_map;

/* The map used for vectors of one dimension; immutable, threads may share it. */
typedef struct fq_trellis_code {
    fq_trellis_map map;
    size_t dim, steps;                  /* d, T */
    size_t payload_bits, payload_bytes; /* B, ceil(B/8) */
    float unit;                         /* float32(step / sqrt(d)) */
    int8_t *window_levels;              /* [2^L][V]: the levels of every window, owned */
} fq_trellis_code;

/* Lays a copy of map out for dimension dim. FQ_ERR_ARGUMENT names what is out of range: the map's numbers, a
 * column of 2^m or more, a level of -128, all levels zero, a step that is not positive and finite, V not
 * dividing dim, B < L. Memory V 2^L bytes. */
FQ_MUST_CHECK fq_status fq_trellis_code_init(fq_trellis_code *code, const fq_trellis_map *map, size_t dim);
void fq_trellis_code_clear(fq_trellis_code *code); /* accepts a struct of zeros */

/* K and V of a rate: the smallest V of 1, 2, 4 for which b V is a whole number, at most 8. False if there is
 * none. */
bool fq_trellis_split_rate(double bits, unsigned *fresh, unsigned *together);

/* The label of coordinate v < V for a window w < 2^L, by the definition. */
unsigned fq_trellis_label(const fq_trellis_map *map, unsigned v, unsigned w);

/* The window of step t < T. */
unsigned fq_trellis_window_at(const fq_trellis_code *code, const uint8_t *payload, size_t t);

/* The level of coordinate j < d alone, by at most three bytes of the payload (more where the window passes
 * the end of the circle). */
int fq_trellis_level_at(const fq_trellis_code *code, const uint8_t *payload, size_t j);

/* The levels of all coordinates. Cost: one look-up a step. */
void fq_trellis_levels(const fq_trellis_code *code, int8_t *levels, const uint8_t *payload);

/* The payload of T groups of K fresh bits, fresh[t] < 2^K; bit i of fresh[t] is bit K t + i of the payload.
 * Padding is zeroed. */
void fq_trellis_write(const fq_trellis_code *code, uint8_t *payload, const uint8_t *fresh);

/* Whether the bits after the payload's last one are zero, as every encoder writes them. */
bool fq_trellis_padding_is_zero(const fq_trellis_code *code, const uint8_t *payload);

/* Labels by products of 8x8 bit matrices with whole bytes of the payload, where B is a multiple of 8.
 *
 * Steps come in periods of P = 8 / gcd(8, K), whose fresh bits fill Q = K / gcd(8, K) bytes. With F the byte
 * in which the fresh bits of phase p end,
 *
 *   label(v, step P i + p) = sum_{r < reach} matrix[v][p][r] payload[(Q i + F[p] - r) mod (B/8)]  over GF(2).
 *
 * A matrix is a number of 64 bits as the instruction gf2p8affineqb takes it: bit c of byte 7 - r of it is row
 * r, column c, so bit r of the product is the parity of (byte 7 - r of the matrix) & (the payload's byte).
 * Bits of the labels from m on are zero. */
enum { FQ_TRELLIS_PHASES_MAX = 8, FQ_TRELLIS_REACH_MAX = 3 };

typedef struct fq_trellis_matrices {
    unsigned phases;                          /* P, 1, 2, 4 or 8 */
    unsigned bytes;                           /* Q */
    unsigned reach;                           /* bytes that the longest window touches, 1..3 */
    uint8_t last_byte[FQ_TRELLIS_PHASES_MAX]; /* F */
    uint64_t matrix[FQ_TRELLIS_TOGETHER_MAX][FQ_TRELLIS_PHASES_MAX][FQ_TRELLIS_REACH_MAX];
} fq_trellis_matrices;

/* For a map that fq_trellis_code_init accepts. */
void fq_trellis_matrices_of(fq_trellis_matrices *matrices, const fq_trellis_map *map);

/* One such product, in plain C. */
uint8_t fq_trellis_multiply(uint64_t matrix, uint8_t byte);

#ifdef __cplusplus
}
#endif
#endif
