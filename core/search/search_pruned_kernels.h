/* What the making of a pruned search hands its kernels, and their table. */
#ifndef FQ_SEARCH_PRUNED_KERNELS_H
#define FQ_SEARCH_PRUNED_KERNELS_H

#include "search_pruned.h"
#include "search_words.h"

enum {
    FQ_PRUNED_VECTOR_WORDS = 16, /* words of a vector: a group of coordinates of each, a byte apiece */
    FQ_PRUNED_VECTORS = 16,      /* vectors of a band */
    FQ_PRUNED_BAND = FQ_PRUNED_VECTOR_WORDS * FQ_PRUNED_VECTORS,
    FQ_PRUNED_BLOCK_MAX = 64,
};

/* What all words of a band have: upper limits. */
typedef struct fq_pruned_band {
    double offset;    /* of h_i */
    double magnitude; /* of |h_i| */
    double size;      /* of |c_i| */
    double rounded;   /* of |a q_i| */
    double error;     /* of |e_i| */
} fq_pruned_band;

/* What it takes to score a word, in one place of memory. */
typedef struct fq_pruned_row {
    float offset;   /* h_i */
    uint32_t index; /* i */
    float word[];   /* c_i */
} fq_pruned_row;

/* Of one instruction set. */
typedef struct fq_pruned_kernels {
    fq_search_path path;
    unsigned needs; /* of cpu.h */
    size_t group;   /* coordinates whose products an instruction sums */
    void (*nearest)(const struct fq_search_pruned *pruned, uint32_t *index, const float *x, size_t n);
} fq_pruned_kernels;

struct fq_search_pruned {
    const fq_pruned_kernels *kernels;
    size_t block, groups; /* groups of coordinates, the last one filled up with zero */
    size_t bands;
    double step;          /* a */
    double reach;         /* the largest |q_i| */
    fq_pruned_band *band; /* [bands] */
    uint8_t *bytes;       /* q + 128: [bands][groups][VECTORS][VECTOR_WORDS][group] */
    size_t row_bytes;
    char *row;                    /* fq_pruned_row: [bands BAND], the last band filled up with copies */
    const fq_search_words *words; /* all, for points out of range */
    fq_search_words seeds;        /* where each point starts: every so many words of the bands */
    uint32_t *seed;               /* their places in row */
    const fq_search_kernels *exhaustive;
};

static inline fq_pruned_row *fq_pruned_row_at(const struct fq_search_pruned *pruned, size_t place) {
    return (fq_pruned_row *)(void *)(pruned->row + place * pruned->row_bytes);
}

#if defined(__x86_64__)
extern const fq_pruned_kernels fq_pruned_kernels_avx2, fq_pruned_kernels_avx512;
#endif

#endif
