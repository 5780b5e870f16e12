/* Maps of trellis codes in HDF5 (core/codec/trellis_code.h has what the numbers mean).
 *
 *   /columns     V x L bytes: what each bit of a window, the oldest first, adds to the label of each
 * coordinate of a step; attributes fresh, together, window, label_bits (K, V, L, m), rate = K/V /levels 2^m
 * signed bytes by label; attributes step (the value of level 1 where coordinates have variance 1), dim,
 * tries, distortion, distortion_se, distortion_samples (D on vectors never searched or trained on), seed and
 * evaluations of the search /provenance  see provenance.h
 */
#ifndef FQ_TRELLIS_MAP_FILE_H
#define FQ_TRELLIS_MAP_FILE_H

#include "provenance.h"
#include "trellis_search.h"

/* How a map was found, and what it was measured at. */
typedef struct fq_trellis_map_about {
    uint64_t seed, evaluations, samples;
    size_t dim;
    unsigned tries;
    double distortion, distortion_se;
} fq_trellis_map_about;

/* Writes a file in one step. provenance may be NULL. FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_trellis_map_file_write(const char *path, const fq_trellis_map *map,
                                                  const fq_trellis_map_about *about,
                                                  const fq_provenance *provenance);

#endif
