/* The identity of a point: SHA-256 over everything that determines its result.
 *
 *   "fibquant point 1\n"
 *   "experiment=NAME\n" "version=V\n" "training=FQ_CODEBOOK_TRAINING_VERSION\n" "seed=S\n" "replicate=R\n"
 *   "PARAMETER=VALUE\n" for every parameter, sorted by name
 *
 * with values in canonical form: integers in decimal, reals as the shortest decimal that reads back
 * the same, codecs by their canonical name, files as "sha256:" and the digest of their bytes. Not
 * in it: the place in the grid, paths, threads, ranks, time. So a point is never computed twice, and
 * a row of an older experiment, or of codebooks trained otherwise, is never taken for a new one.
 */
#ifndef FQ_POINT_IDENTITY_H
#define FQ_POINT_IDENTITY_H

#include <stdint.h>

#include "status.h"

enum { FQ_POINT_ID_BYTES = 32, FQ_POINT_ID_TEXT = 65 };

typedef struct fq_identity_pair {
    const char *name, *value;
} fq_identity_pair;

/* id = the lower-case hexadecimal digest. pairs need not be sorted; names are unique. */
FQ_MUST_CHECK fq_status fq_point_identity(char id[FQ_POINT_ID_TEXT], const char *experiment, int version,
                                          uint64_t seed, size_t replicate, const fq_identity_pair *pairs,
                                          size_t count);

/* The seed that replicate r of a manifest seed runs with: the seed itself for r = 0, else the first
 * 8 bytes (little endian) of SHA-256 of "fibquant replicate 1\nseed=S\nreplicate=R\n". */
uint64_t fq_point_replicate_seed(uint64_t seed, size_t replicate);

#endif
