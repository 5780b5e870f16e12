/* Sweep manifests: which experiments to run over which grids.
 *
 *     experiment: rate-distortion        # or experiments: [{experiment: ..., grid: ...}, ...]
 *     description: what this is for
 *     seed: 1                            # or seeds: a list or a range
 *     replicates: 3
 *     codecs: [fp16, {family: fib, k: [2, 4], N: [16, 256]}]   # the axis "codec" of every grid
 *     caches: [gpt2.h5]                                        # the axis "cache" of every grid
 *     grid:                              # one product, or a list of products
 *       dim: [64, 128]                   # a value, a list, or a range:
 *       samples: {from: 1000, to: 8000, factor: 2}     # or step: or count:
 *       zip: {block: [2, 4], codewords: [16, 256]}     # equal lengths, walked together
 *     outputs: {results: rd.h5}
 *
 * This module knows the manifest's own schema; names and values of axes are texts here, checked by
 * the sweep engine against the experiment's parameters. Every value knows its line. Relative file
 * names in a manifest are relative to the manifest's folder.
 *
 * Hostile input: at most FQ_MANIFEST_BYTES_MAX bytes, FQ_MANIFEST_NODES_MAX nodes and values after
 * aliases are followed, FQ_MANIFEST_DEPTH_MAX lists and mappings inside each other, FQ_MANIFEST_VALUES_MAX
 * values an axis and FQ_MANIFEST_POINTS_MAX points. Anything else is FQ_ERR_INPUT: "FILE:LINE: key ...: ...;
 * allowed:".
 */
#ifndef FQ_MANIFEST_H
#define FQ_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"

enum {
    FQ_MANIFEST_BYTES_MAX = 256 * 1024,
    FQ_MANIFEST_NODES_MAX = 200000,
    FQ_MANIFEST_ANCHORS_MAX = 1000,
    FQ_MANIFEST_DEPTH_MAX = 32,
    FQ_MANIFEST_TEXT_MAX = 4096,
    FQ_MANIFEST_VALUES_MAX = 100000,
    FQ_MANIFEST_BLOCKS_MAX = 1000,
    FQ_MANIFEST_POINTS_MAX = 1000000,
    FQ_MANIFEST_REPLICATES_MAX = 100000
};

typedef struct fq_manifest_value {
    const char *text;
    int line; /* 0: given on the command line */
} fq_manifest_value;

typedef struct fq_manifest_axis {
    const char *name;
    int line;
    size_t count;
    fq_manifest_value *values;
} fq_manifest_axis;

/* Axes walked together: all have the group's count. A plain axis is a group of one. */
typedef struct fq_manifest_group {
    size_t axis_count, count;
    fq_manifest_axis *axes;
} fq_manifest_group;

/* One product of one experiment: groups x seeds x replicates, the last running fastest. */
typedef struct fq_manifest_block {
    const char *experiment;
    int line;
    size_t group_count, seed_count, replicates;
    fq_manifest_group *groups;
    uint64_t *seeds;
} fq_manifest_block;

typedef struct fq_manifest {
    const char *path;        /* as given; for messages */
    const char *text;        /* verbatim, for provenance */
    const char *description; /* "" if none */
    const char *results;     /* outputs: results, as written; NULL if none */
    size_t block_count;
    fq_manifest_block *blocks;
    fq_arena arena; /* owns all of the above */
} fq_manifest;

/* Reads a file; or text of length bytes, named path in messages. On failure nothing is kept. */
FQ_MUST_CHECK fq_status fq_manifest_load(fq_manifest *manifest, const char *path);
FQ_MUST_CHECK fq_status fq_manifest_parse(fq_manifest *manifest, const char *path, const char *text,
                                          size_t length);
void fq_manifest_clear(fq_manifest *manifest);

/* Applies "key=value" as --set does: key is seed, seeds, replicates, or an axis; value is written as
 * in a manifest. An axis replaces the one of that name (in a zip: a single value stands for all) in
 * every block for which accepts(experiment, key, context) is true, or is added to it.
 * FQ_ERR_USAGE if no block accepts it. */
FQ_MUST_CHECK fq_status fq_manifest_set(fq_manifest *manifest, const char *assignment,
                                        bool (*accepts)(const char *experiment, const char *key,
                                                        void *context),
                                        void *context);

/* Points of a block, and of all blocks: FQ_ERR_INPUT above FQ_MANIFEST_POINTS_MAX. */
FQ_MUST_CHECK fq_status fq_manifest_block_points(size_t *points, const fq_manifest *manifest,
                                                 const fq_manifest_block *block);
FQ_MUST_CHECK fq_status fq_manifest_points(size_t *points, const fq_manifest *manifest);

/* Point i of a block: chosen[g] = position in group g (group_count of them), seed and replicate. */
void fq_manifest_point(const fq_manifest_block *block, size_t i, size_t *chosen, uint64_t *seed,
                       size_t *replicate);

/* "FILE:LINE" of a value, or "--set" where it came from the command line. */
enum { FQ_MANIFEST_WHERE_MAX = 512 };
void fq_manifest_where(char where[FQ_MANIFEST_WHERE_MAX], const fq_manifest *manifest, int line);

#endif
