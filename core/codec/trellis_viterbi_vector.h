/* A pass through the trellis: the one source of every instruction set's kernel. The including file defines
 *   TARGET              the function attribute of its instruction set
 *   LANES, SPREAD       as in trellis_viterbi.h
 *   VECTOR              LANES whole numbers of 16 bits, and on them
 *   v_load, v_store, v_set
 *   v_add, v_sub        saturating
 *   v_min, v_max
 *   v_shift_left(a, h)  times 2^h
 *   v_square_high(a)    a^2 >> 16
 *   v_less(a, b)        the lanes where a < b, as bits l << SPREAD
 *   NAME, NEEDS, KERNELS  name and needs of the table at the end, and what it is called */
#include <stdbool.h>
#include <string.h>

#include "cpu.h"
#include "trellis_viterbi.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum { LEAST = -32768, IMPOSSIBLE = 32767 };

/* Costs of every level at one coordinate. */
TARGET static ALWAYS_INLINE void make_costs_of(const fq_trellis_pass *pass, int16_t *cost, VECTOR x,
                                               VECTOR excess, bool clamped) {
    const int largest = (pass->together > 2 ? 23170 : 32767) >> pass->shift;
    const VECTOR most = v_set((int16_t)largest), least = v_set((int16_t)-largest);
    for (size_t i = 0; i < (size_t)1 << pass->label_bits; i++) {
        VECTOR e = v_sub(x, v_set(pass->value[i]));
        if (clamped)
            e = v_shift_left(v_max(v_min(e, most), least), pass->shift);
        v_store(cost + i * LANES, v_sub(v_square_high(e), excess));
    }
}

/* Costs of every level at step t's coordinates, less the amount that brings the least metric back down. */
TARGET static ALWAYS_INLINE void make_costs(const fq_trellis_pass *pass, size_t t, VECTOR excess) {
    for (unsigned v = 0; v < pass->together; v++) {
        const VECTOR x = v_load(pass->x + (t * pass->together + v) * LANES);
        int16_t *cost = pass->cost + ((size_t)v << pass->label_bits) * LANES;
        if (pass->shift || pass->together > 2)
            make_costs_of(pass, cost, x, excess, true);
        else
            make_costs_of(pass, cost, x, excess, false);
        excess = v_set(0);
    }
}

/* What the trees below hand down. */
typedef struct tree_inputs {
    const VECTOR *metric; /* of the predecessors, the first of them p = 0 */
    const char *cost;
    size_t cost_stride;
    const uint16_t *offset; /* of the first of the 2^K windows */
    uint32_t *choice;
} tree_inputs;

/* The metric of the path from predecessor p. */
TARGET static ALWAYS_INLINE VECTOR path(const tree_inputs *in, unsigned together, unsigned p) {
    VECTOR metric = in->metric[p];
    for (unsigned v = 0; v < together; v++) {
        const void *cost = in->cost + v * in->cost_stride + in->offset[p * together + v];
        metric = v_add(metric, v_load((const int16_t *)cost));
    }
    return metric;
}

TARGET static ALWAYS_INLINE VECTOR better(const tree_inputs *in, unsigned node, VECTOR left, VECTOR right) {
    in->choice[node] = v_less(right, left);
    return v_min(left, right);
}

/* The best of 2^depth paths from predecessor p on. */
TARGET static ALWAYS_INLINE VECTOR tree1(const tree_inputs *in, unsigned together, unsigned node,
                                         unsigned p) {
    const VECTOR left = path(in, together, p);
    return better(in, node, left, path(in, together, p + 1));
}
TARGET static ALWAYS_INLINE VECTOR tree2(const tree_inputs *in, unsigned together, unsigned node,
                                         unsigned p) {
    const VECTOR left = tree1(in, together, 2 * node, p);
    return better(in, node, left, tree1(in, together, 2 * node + 1, p + 2));
}
TARGET static ALWAYS_INLINE VECTOR tree3(const tree_inputs *in, unsigned together, unsigned node,
                                         unsigned p) {
    const VECTOR left = tree2(in, together, 2 * node, p);
    return better(in, node, left, tree2(in, together, 2 * node + 1, p + 4));
}
TARGET static ALWAYS_INLINE VECTOR tree4(const tree_inputs *in, unsigned together, unsigned node,
                                         unsigned p) {
    const VECTOR left = tree3(in, together, 2 * node, p);
    return better(in, node, left, tree3(in, together, 2 * node + 1, p + 8));
}

/* Sixteen predecessors at a time, then the subtrees above them. */
TARGET static ALWAYS_INLINE VECTOR tree_large(const tree_inputs *in, unsigned fresh, unsigned together) {
    VECTOR best[1 << (FQ_TRELLIS_FRESH_MAX - 4)];
    unsigned nodes = 1u << (fresh - 4);
    for (unsigned i = 0; i < nodes; i++)
        best[i] = tree4(in, together, nodes + i, 16 * i);
    for (; nodes > 1; nodes /= 2)
        for (unsigned i = 0; i < nodes / 2; i++)
            best[i] = better(in, nodes / 2 + i, best[2 * i], best[2 * i + 1]);
    return best[0];
}

/* One step: the metrics `to` from the metrics `from`; the least of them. States that share their predecessors
 * come one after the other. */
TARGET static ALWAYS_INLINE VECTOR step(const fq_trellis_pass *pass, int16_t *to, const int16_t *from,
                                        uint32_t *choice, unsigned fresh, unsigned together) {
    const size_t states = (size_t)1 << (pass->window - fresh), branches = (size_t)1 << fresh;
    const size_t groups = states > branches ? states / branches : 1, members = states / groups;
    VECTOR metric[1 << FQ_TRELLIS_FRESH_MAX];
    tree_inputs in = {.metric = metric,
                      .cost = (const char *)pass->cost,
                      .cost_stride = LANES * sizeof(int16_t) * ((size_t)1 << pass->label_bits)};
    VECTOR least = v_set(IMPOSSIBLE);
    for (size_t g = 0; g < groups; g++) {
        for (size_t p = 0; p < branches; p++)
            metric[p] = v_load(from + ((g * branches + p) & (states - 1)) * LANES);
        for (size_t i = 0; i < members; i++) {
            const size_t state = g + i * groups, window = state * branches;
            in.offset = pass->offset + window * together;
            in.choice = choice + window;
            const VECTOR best = fresh == 1   ? tree1(&in, together, 1, 0)
                                : fresh == 2 ? tree2(&in, together, 1, 0)
                                : fresh == 3 ? tree3(&in, together, 1, 0)
                                : fresh == 4 ? tree4(&in, together, 1, 0)
                                             : tree_large(&in, fresh, together);
            v_store(to + state * LANES, best);
            least = v_min(least, best);
        }
    }
    return least;
}

TARGET static void begin(const fq_trellis_pass *pass, size_t states) {
    const VECTOR start = v_set(pass->forced ? IMPOSSIBLE : LEAST);
    for (size_t s = 0; s < states; s++)
        v_store(pass->metric + s * LANES, start);
    if (pass->forced)
        for (size_t l = 0; l < LANES; l++)
            pass->metric[pass->forced[l] * LANES + l] = LEAST;
}

TARGET static ALWAYS_INLINE void walk(const fq_trellis_pass *pass, unsigned fresh, unsigned together) {
    const size_t states = (size_t)1 << (pass->window - fresh), windows = (size_t)1 << pass->window;
    const size_t unsettled = pass->forced ? (pass->window - fresh + fresh - 1) / fresh : 0;
    int16_t *from = pass->metric, *to = from + states * LANES;
    begin(pass, states);
    VECTOR least = v_set(LEAST);
    size_t t = pass->first;
    for (size_t i = 0; i < pass->steps; i++) {
        const VECTOR excess = i < unsettled ? v_set(0) : v_sub(v_sub(least, v_set(-16384)), v_set(-16384));
        make_costs(pass, t, excess);
        least = step(pass, to, from, pass->choice + i * windows, fresh, together);
        int16_t *swap = from;
        from = to;
        to = swap;
        t = t + 1 < pass->circle ? t + 1 : 0;
    }
    if (from != pass->metric)
        memcpy(pass->metric, from, states * LANES * sizeof *from);
    v_store(pass->least, least);
}

#define WALK(fresh, together)                                                                                \
    TARGET static void walk_##fresh##_##together(const fq_trellis_pass *pass) {                              \
        walk(pass, fresh, together);                                                                         \
    }
WALK(1, 1)
WALK(2, 1)
WALK(3, 1)
WALK(4, 1)
WALK(1, 2)
WALK(3, 2)
WALK(1, 4)
WALK(3, 4)

/* Any other K and V; FQ_WALK_ANY may say how its includer wants that compiled. */
#ifndef FQ_WALK_ANY
#define FQ_WALK_ANY
#endif
TARGET FQ_WALK_ANY static void walk_any(const fq_trellis_pass *pass) {
    walk(pass, pass->fresh, pass->together);
}

TARGET static void pass_all(const fq_trellis_pass *pass) {
    switch (pass->fresh * 8 + pass->together) { /* the usual shapes unrolled */
    case 9:
        walk_1_1(pass);
        break;
    case 17:
        walk_2_1(pass);
        break;
    case 25:
        walk_3_1(pass);
        break;
    case 33:
        walk_4_1(pass);
        break;
    case 10:
        walk_1_2(pass);
        break;
    case 26:
        walk_3_2(pass);
        break;
    case 12:
        walk_1_4(pass);
        break;
    case 28:
        walk_3_4(pass);
        break;
    default:
        walk_any(pass);
    }
}

const fq_trellis_kernels KERNELS = {
    .name = NAME, .needs = NEEDS, .lanes = LANES, .spread = SPREAD, .pass = pass_all};
