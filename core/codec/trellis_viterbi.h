/* One pass of the Viterbi algorithm through a trellis code (trellis_code.h), in whole numbers of 16 bits, for
 * several vectors at a time: one vector in each lane, so that the states' order needs no shuffles.
 *
 * Exactly, for one lane: coordinates are whole numbers x, levels v(label) = unit level[label]. A coordinate
 * costs
 *
 *   cost = (e 2^h)^2 >> 16,   e = x - v, saturated to 16 bits and, unless h = 0 and V <= 2, cut to -most ..
 * most,
 *
 * most = 32767 >> h for V <= 2 and 23170 >> h for more, so that a step's V costs sum to at most 2^15. State s
 * has the metric M_t[s], -32768 to 32767, and
 *
 *   M_{t+1}[w >> K] = min over the windows w of  min(32767, M_t[w mod 2^(L-K)] + sum of costs - N_t),
 *
 * the smallest w where several are equal. N_t = min(32767, 32768 + min_s M_t[s]). A free pass begins with all
 * metrics equal; a forced one with -32768 at one state and 32767, which means impossible, at the others, and
 * has N_t = 0 for its first ceil((L-K)/K) steps, while there are states that cannot have been reached: they
 * stay impossible. So every kernel finds the same paths.
 */
#ifndef FQ_TRELLIS_VITERBI_H
#define FQ_TRELLIS_VITERBI_H

#include <stddef.h>
#include <stdint.h>

#include "trellis_code.h"

enum { FQ_TRELLIS_LANES_MAX = 32 };

/* What a pass reads and writes. Arrays are 64-byte aligned; LANES is the kernel's. */
typedef struct fq_trellis_pass {
    unsigned fresh, together, window, label_bits; /* K, V, L, m */
    unsigned shift;                               /* h */
    const int16_t *value;                         /* [2^m]: v */
    const uint16_t *offset; /* [2^L][V]: labels times the bytes of a row of cost: 2 LANES */
    const int16_t *x;       /* [T V][LANES], step t's coordinates at t V */
    size_t circle;          /* T */
    size_t first, steps;    /* steps first, first + 1, ... mod T */
    const uint16_t *forced; /* [LANES] the state before the first step; NULL: free */
    int16_t *cost;          /* [V][2^m][LANES] work space */
    int16_t *metric;        /* [2][2^(L-K)][LANES] work space; the result is the first half */
    int16_t *least;         /* [LANES] the least metric after the last step */
    /* [steps][2^(L-K)][2^K]: entry n, 1 <= n < 2^K, of a state is a comparison between two subtrees of its
     * 2^K predecessors, as in a heap with the root at 1: the bit of a lane is set if the best of node 2n + 1
     * is better than the best of node 2n. Nodes 2^K ... are the oldest bits of windows, w mod 2^K. */
    uint32_t *choice;
} fq_trellis_pass;

typedef struct fq_trellis_kernels {
    const char *name; /* "portable", "avx2", "avx512" */
    unsigned needs;   /* of cpu.h */
    size_t lanes;     /* at most FQ_TRELLIS_LANES_MAX */
    unsigned spread;  /* lane l is bit l << spread of a choice */
    void (*pass)(const fq_trellis_pass *pass);
} fq_trellis_kernels;

/* Those that this processor can run, slowest first; NULL at i and beyond their number. The first is plain C.
 */
const fq_trellis_kernels *fq_trellis_kernels_at(size_t i);

/* The fastest of them. */
const fq_trellis_kernels *fq_trellis_kernels_best(void);

extern const fq_trellis_kernels fq_trellis_kernels_portable;
#if defined(__x86_64__)
extern const fq_trellis_kernels fq_trellis_kernels_avx2, fq_trellis_kernels_avx512;
#endif

#endif
