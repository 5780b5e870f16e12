#include "stream_ranges.h"

#include <assert.h>

static const fq_stream_range_about ranges[FQ_STREAM_RANGE_COUNT] = {
#define FQ_STREAM_RANGE_ROW(name, purpose, first, count)                                                     \
    [FQ_RANGE_##name] = {#name, FQ_PURPOSE_##purpose, (first), (count)},
    FQ_STREAM_RANGES(FQ_STREAM_RANGE_ROW)
#undef FQ_STREAM_RANGE_ROW
};

const fq_stream_range_about *fq_stream_range_get(fq_stream_range range) {
    return &ranges[range];
}

uint64_t fq_stream_number(fq_stream_range range, uint64_t i) {
    assert(i < ranges[range].count);
    return ranges[range].first + i;
}

void fq_stream_init_in(fq_stream *s, uint64_t seed, fq_stream_range range, uint64_t i) {
    fq_stream_init(s, seed, ranges[range].purpose, fq_stream_number(range, i));
}
