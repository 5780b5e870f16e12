/* What verification is handed from files: stored measurements, heads of a KV cache, codebooks. */
#ifndef FQ_CLAIM_INPUTS_H
#define FQ_CLAIM_INPUTS_H

#include "arena.h"
#include "claim.h"

typedef struct fq_claim_inputs {
    fq_claim_data data; /* points into the arena */
    size_t skipped;     /* rows of stores without a code of a block, or not finished */
    fq_arena arena;
} fq_claim_inputs;

void fq_claim_inputs_init(fq_claim_inputs *inputs);
void fq_claim_inputs_clear(fq_claim_inputs *inputs);

/* Adds every row of every table of a result store that gives the distortion of a code of a block on the
 * canonical source: columns dim, block, rate, distortion, distortion_se and, if there, codec and samples.
 * FQ_ERR_INPUT if the file cannot be read or holds no such row. */
FQ_MUST_CHECK fq_status fq_claim_inputs_add_store(fq_claim_inputs *inputs, const char *path);

/* Adds every query head of every layer, with the key and value head it reads, over at most 1024 positions
 * from the first. Memory: 4 tokens d (query heads + 2 heads) bytes a layer. */
FQ_MUST_CHECK fq_status fq_claim_inputs_add_cache(fq_claim_inputs *inputs, const char *path);

/* Adds a codebook file with its certificate, if it has one. FQ_ERR_INPUT if it cannot be read, or is damaged.
 */
FQ_MUST_CHECK fq_status fq_claim_inputs_add_codebook(fq_claim_inputs *inputs, const char *path);

#endif
