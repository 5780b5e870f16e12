/* Plain C. */
#include <stddef.h>
#include <stdint.h>

enum { LANES = 16 };
typedef struct lanes {
    int16_t lane[LANES];
} lanes;

#define EACH_LANE for (int l = 0; l < LANES; l++)

static inline int16_t saturate(int a) {
    return (int16_t)(a > INT16_MAX ? INT16_MAX : a < INT16_MIN ? INT16_MIN : a);
}
static inline lanes v_load(const int16_t *from) {
    lanes a;
    EACH_LANE a.lane[l] = from[l];
    return a;
}
static inline void v_store(int16_t *to, lanes a) {
    EACH_LANE to[l] = a.lane[l];
}
static inline lanes v_set(int16_t value) {
    lanes a;
    EACH_LANE a.lane[l] = value;
    return a;
}
static inline lanes v_add(lanes a, lanes b) {
    EACH_LANE a.lane[l] = saturate(a.lane[l] + b.lane[l]);
    return a;
}
static inline lanes v_sub(lanes a, lanes b) {
    EACH_LANE a.lane[l] = saturate(a.lane[l] - b.lane[l]);
    return a;
}
static inline lanes v_min(lanes a, lanes b) {
    EACH_LANE a.lane[l] = a.lane[l] < b.lane[l] ? a.lane[l] : b.lane[l];
    return a;
}
static inline lanes v_max(lanes a, lanes b) {
    EACH_LANE a.lane[l] = a.lane[l] > b.lane[l] ? a.lane[l] : b.lane[l];
    return a;
}
static inline lanes v_shift_left(lanes a, unsigned h) {
    EACH_LANE a.lane[l] = (int16_t)(a.lane[l] * (1 << h));
    return a;
}
static inline lanes v_square_high(lanes a) {
    EACH_LANE a.lane[l] = (int16_t)(a.lane[l] * a.lane[l] >> 16);
    return a;
}
static inline uint32_t v_less(lanes a, lanes b) {
    uint32_t mask = 0;
    EACH_LANE mask |= (uint32_t)(a.lane[l] < b.lane[l]) << l;
    return mask;
}

#define TARGET
#define FQ_WALK_ANY __attribute__((cold)) /* small rather than fast: 40 kB otherwise */
#define NEEDS       0
#define SPREAD      0
#define VECTOR      lanes
#define KERNELS     fq_trellis_kernels_portable
#define NAME        "portable"

#include "trellis_viterbi_vector.h"
