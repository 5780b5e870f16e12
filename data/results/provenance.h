/* Where a file's numbers come from: a list of names and texts, stored as attributes of /provenance.
 *
 * Gathered at the start: schema, program, git (for people), sources (the build's identity: SHA-256 over all
 * sources it was built from, see .cmake/WriteVersion.cmake), compiler, flags, build_type, hdf5, gsl,
 * openblas, cpu, cores, governor, host, os, threads, argv, rng, seed, manifest (if any), started (UTC).
 * Written with `stopped` (UTC) as of the writing. Upper layers add their own: ranks, flint, data digests.
 */
#ifndef FQ_PROVENANCE_H
#define FQ_PROVENANCE_H

#include <hdf5.h>
#include <stdint.h>

#include "arena.h"
#include "status.h"

enum { FQ_PROVENANCE_MAX = 64 };

typedef struct fq_provenance_entry {
    const char *name, *value;
} fq_provenance_entry;

typedef struct fq_provenance {
    size_t count;
    fq_provenance_entry entries[FQ_PROVENANCE_MAX];
    fq_arena arena; /* owns the texts */
} fq_provenance;

/* manifest may be NULL. On failure the list is empty. */
FQ_MUST_CHECK fq_status fq_provenance_gather(fq_provenance *provenance, int argc, const char *const *argv,
                                             uint64_t seed, const char *manifest);
void fq_provenance_clear(fq_provenance *provenance);

/* Adds copies, or replaces the value of a name that is there. FQ_ERR_OVERFLOW when full. */
FQ_MUST_CHECK fq_status fq_provenance_set(fq_provenance *provenance, const char *name, const char *value);

/* NULL if there is none of that name. */
const char *fq_provenance_get(const fq_provenance *provenance, const char *name);

/* The group /provenance. Texts of 32 KiB or more become scalar datasets of it, since attributes are
 * limited to 64 KiB. */
FQ_MUST_CHECK fq_status fq_provenance_write(const fq_provenance *provenance, hid_t file);

#endif
