/* Who draws which random streams: every use of a purpose that shares it with another has a range of indices
 * of its own here, and a test proves them disjoint. Numbers stay as they are, since stored results hang on
 * them; a new use gets a new line.
 *
 * Samples of the source, numbered from 0 without end (fq_source_sample with FQ_PURPOSE_TRAIN, _VALIDATE or
 * _EVALUATE), have their purposes to themselves.
 */
#ifndef FQ_STREAM_RANGES_H
#define FQ_STREAM_RANGES_H

#include "stream.h"

/* X(name, purpose, first index, number of indices). */
#define FQ_STREAM_RANGES(X)                                                                                  \
    /* Rotations of codecs, by group; of claim 1's samples; of restarts of training. */                      \
    X(CODEC_ROTATIONS, ROTATION, 0, 100)                                                                     \
    X(CLAIM_ROTATIONS, ROTATION, 100, (1 << 20) - 100)                                                       \
    X(RESTART_ROTATIONS, ROTATION, 1 << 20, 1 << 20)                                                         \
    X(CLASS_ROTATIONS, ROTATION, 1 << 21, 1 << 20) /* groups-max class + group, from class 1 on */           \
    /* Rows of sketches: 2^32 group + row. */                                                                \
    X(CODEC_SKETCHES, SKETCH, 0, UINT64_C(1) << 34)                                                          \
    /* Training: starts of candidates, and what shakes them; repairs by iteration. */                        \
    X(CANDIDATE_STARTS, RESTART, 1000, 1000)                                                                 \
    X(CANDIDATE_SHAKES, RESTART, 2000, 1000)                                                                 \
    X(TRELLIS_STARTS, RESTART, 3000, 1000)                                                                   \
    X(TRELLIS_CLIMBS, RESTART, 4000, 1000)                                                                   \
    X(PAPER_REPAIRS, REPAIR, 0, 10000)                                                                       \
    X(POPULATION_REPAIRS, REPAIR, 10000, UINT64_C(1) << 32)                                                  \
    /* Claims: single streams by claim, then families of them. */                                            \
    X(CLAIM_DENSITY, CLAIM, 3, 1)                                                                            \
    X(CLAIM_IMPROVEMENT, CLAIM, 5, 1)                                                                        \
    X(CLAIM_FINITE_RATE, CLAIM, 6, 1)                                                                        \
    X(CLAIM_LLOYD_MAX, CLAIM, 8, 1)                                                                          \
    X(CLAIM_TURBOQUANT, CLAIM, 9, 1)                                                                         \
    X(CLAIM_SOFTMAX, CLAIM, 10, 1)                                                                           \
    X(CLAIM_RATES, CLAIM, 11, 1)                                                                             \
    X(CLAIM_LOW_RATE, CLAIM, 12, 1)                                                                          \
    X(CLAIM_CAPS, CLAIM, 13, 1)                                                                              \
    X(CLAIM_GAIN, CLAIM, 14, 1)                                                                              \
    X(CLAIM_ANY_CORNER, CLAIM, 15, 1)                                                                        \
    X(CLAIM_COMPRESSOR, CLAIM, 17, 1)                                                                        \
    X(CLAIM_ERROR_FEEDBACK, CLAIM, 18, 1)                                                                    \
    X(CLAIM_TRELLIS, CLAIM, 21, 1)                                                                           \
    X(CLAIM_LATTICES, CLAIM, 400, 500)        /* 40 lattice + dimension */                                   \
    X(CLAIM_PRODUCTS, CLAIM, 900, 100)        /* bits */                                                     \
    X(CLAIM_SPHERE_HOLES, CLAIM, 5500, 500)   /* k */                                                        \
    X(CLAIM_SPHERE_PROBES, CLAIM, 6000, 1000) /* k */                                                        \
    X(CLAIM_SPHERE_SETS, CLAIM, 7000, 2000)   /* 100 k + set */                                              \
    X(CLAIM_SPHERE_WRONG, CLAIM, 9000, 1000)  /* k */                                                        \
    X(CLAIM_QUERIES, CLAIM, 10000, 100)                                                                      \
    X(CLAIM_HEADS, CLAIM, 10100, 100)                             /* dimension's place */                    \
    X(CLAIM_ONE_ROUND, CLAIM, 1000000, 1000000)                   /* rotation */                             \
    X(CLAIM_SHRINKAGE, CLAIM, 2000000, 100000000)                 /* 1000000 (b - 1) + vector */             \
    X(CLAIM_CORNERS, CLAIM, UINT64_C(1) << 32, UINT64_C(1) << 32) /* 64 d + half the levels */               \
    /* Benchmarks: points, then words, vectors and values of theirs, and the order of the rounds. */         \
    X(BENCH_POINTS, BENCH, 0, UINT64_C(1) << 40)                                                             \
    X(BENCH_WORDS, BENCH, UINT64_C(1) << 40, UINT64_C(1) << 40)                                              \
    X(BENCH_VECTORS, BENCH, UINT64_C(1) << 41, 1)                                                            \
    X(BENCH_STREAMED, BENCH, UINT64_C(1) << 42, UINT64_C(1) << 40)                                           \
    X(BENCH_ORDER, BENCH, UINT64_C(1) << 43, 1 << 20)                                                        \
    /* Vectors that are sent, numbered by who sends them. */                                                 \
    X(COMPRESSED_VECTORS, COMPRESS, 0, UINT64_C(1) << 60)                                                    \
    /* Distributed problems: their data; noise of gradients; coins of methods. */                            \
    X(OPTIMISE_PROBLEM, OPTIMISE, 0, 1)                                                                      \
    X(OPTIMISE_COINS, OPTIMISE, UINT64_C(1) << 60, UINT64_C(1) << 32) /* by run and round */                 \
    X(OPTIMISE_NOISE, OPTIMISE, UINT64_C(1) << 32, UINT64_C(1) << 52) /* by run, round and worker */

typedef enum fq_stream_range {
#define FQ_STREAM_RANGE_ENUM(name, purpose, first, count) FQ_RANGE_##name,
    FQ_STREAM_RANGES(FQ_STREAM_RANGE_ENUM)
#undef FQ_STREAM_RANGE_ENUM
        FQ_STREAM_RANGE_COUNT
} fq_stream_range;

typedef struct fq_stream_range_about {
    const char *name;
    fq_purpose purpose;
    uint64_t first, count;
} fq_stream_range_about;

const fq_stream_range_about *fq_stream_range_get(fq_stream_range range);

/* The index that the range's i-th stream has; asserts i < count. */
uint64_t fq_stream_number(fq_stream_range range, uint64_t i);

/* fq_stream_init of the range's i-th stream. */
void fq_stream_init_in(fq_stream *s, uint64_t seed, fq_stream_range range, uint64_t i);

#endif
