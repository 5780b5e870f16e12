#include "stream.h"

#include <Random123/philox.h>

void fq_stream_init(fq_stream *s, uint64_t seed, fq_purpose purpose, uint64_t index) {
    s->key[0] = (uint32_t)seed;
    s->key[1] = (uint32_t)(seed >> 32);
    s->counter[0] = 0;
    s->counter[1] = (uint32_t)purpose;
    s->counter[2] = (uint32_t)index;
    s->counter[3] = (uint32_t)(index >> 32);
    s->used = 4;
}

uint32_t fq_stream_u32(fq_stream *s) {
    if (s->used == 4) {
        const philox4x32_ctr_t counter = {{s->counter[0], s->counter[1], s->counter[2], s->counter[3]}};
        const philox4x32_key_t key = {{s->key[0], s->key[1]}};
        const philox4x32_ctr_t random = philox4x32(counter, key);
        for (int i = 0; i < 4; i++)
            s->block[i] = random.v[i];
        s->counter[0]++;
        s->used = 0;
    }
    return s->block[s->used++];
}

uint64_t fq_stream_u64(fq_stream *s) {
    const uint64_t low = fq_stream_u32(s);
    return low | (uint64_t)fq_stream_u32(s) << 32;
}

uint64_t fq_stream_below(fq_stream *s, uint64_t bound) {
    /* Reject the incomplete last run of bound values, so that every residue is equally likely. */
    const uint64_t limit = UINT64_MAX - (UINT64_MAX % bound + 1) % bound;
    uint64_t draw;
    do
        draw = fq_stream_u64(s);
    while (draw > limit);
    return draw % bound;
}

double fq_stream_uniform(fq_stream *s) {
    return ((double)(fq_stream_u64(s) >> 11) + 0.5) * 0x1p-53;
}
