/* Counter-based random streams: Philox4x32-10 (Salmon et al., SC 2011; Random123).
 *
 * A stream is addressed by (seed, purpose, index) and owes nothing to any other: results do not
 * depend on threads, ranks or the order in which things are computed. Purposes are disjoint, so a
 * number used to train is never used to measure.
 *
 * Stability: for experiments; may change in any version.
 */
#ifndef FQ_STREAM_H
#define FQ_STREAM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Numbers are part of the file formats' meaning: never reuse one. */
typedef enum fq_purpose {
    FQ_PURPOSE_ROTATION = 1,   /* index: rotation number */
    FQ_PURPOSE_TRAIN = 2,      /* index: sample number */
    FQ_PURPOSE_VALIDATE = 3,   /* index: sample number; chooses between candidates in training */
    FQ_PURPOSE_EVALUATE = 4,   /* index: sample number; never seen by training */
    FQ_PURPOSE_RESTART = 5,    /* index: restart number; initial perturbations */
    FQ_PURPOSE_REPAIR = 6,     /* index: iteration; empty-cell repair */
    FQ_PURPOSE_SKETCH = 7,     /* index: row of the QJL matrix */
    FQ_PURPOSE_CLAIM = 8,      /* index: claim's own numbering; theory checks */
    FQ_PURPOSE_BENCH = 9,      /* index: free; benchmark data */
    FQ_PURPOSE_TEST = 10,      /* index: free; tests */
    FQ_PURPOSE_WINDOW = 11,    /* index: window number; choice of text windows and positions */
    FQ_PURPOSE_BOOTSTRAP = 12, /* index: resample number */
    FQ_PURPOSE_QUERY = 13,     /* index: query head's number; random queries */
    FQ_PURPOSE_NOISE = 14,     /* index: a hash of the vector; noise in place of a code */
    FQ_PURPOSE_COMPRESS = 15,  /* index: the caller's; compressors of vectors that are sent */
    FQ_PURPOSE_OPTIMISE = 16,  /* index: the experiment's; problems, gradients' noise, coins */
    FQ_PURPOSE_RECALL = 17     /* index: trial; tokens of needles in a context */
} fq_purpose;

/* A value type: copy it to fork, no clean-up. Draws 2^34 words before repeating. */
typedef struct fq_stream {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    uint32_t used; /* words of block already given out */
} fq_stream;

/* Points s at the start of stream (seed, purpose, index). Cost: none to speak of. */
void fq_stream_init(fq_stream *s, uint64_t seed, fq_purpose purpose, uint64_t index);

/* Uniform over 0..2^32-1, and over 0..2^64-1. */
uint32_t fq_stream_u32(fq_stream *s);
uint64_t fq_stream_u64(fq_stream *s);

/* Uniform integer in 0..bound-1, exactly (by rejection); bound >= 1. */
uint64_t fq_stream_below(fq_stream *s, uint64_t bound);

/* Uniform in the open interval (0,1), 53 bits. */
double fq_stream_uniform(fq_stream *s);

/* Standard normal: the ziggurat of Marsaglia and Tsang as GSL has it, the same draws to the bit. */
double fq_stream_normal(fq_stream *s);

#ifdef __cplusplus
}
#endif
#endif
