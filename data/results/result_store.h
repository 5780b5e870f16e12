/* The result store: a results file that loses nothing.
 *
 * Finished points go to the journal beside the file (RESULTS.h5.journal) first: appended, with a
 * checksum, and on disk when fq_store_append returns. Now and then, and at the end, the store is
 * folded: RESULTS.h5 is written anew from memory, replaced in one step (data/result_file.h), and the
 * journal starts afresh with the next generation number. A journal older than the file is already in
 * it and is ignored. So, wherever a program is killed or the disk fills up:
 *   - RESULTS.h5 is a whole file at any moment;
 *   - what fq_store_append returned for is in the file or in the journal;
 *   - a record cut off in the middle is recognised and dropped.
 * File and journal carry the identity of their store: a journal that another store left at that name adds
 * nothing; a writer sets it aside as RESULTS.h5.journal.stale.
 * Readers see file and journal together, also while a sweep is writing.
 */
#ifndef FQ_RESULT_STORE_H
#define FQ_RESULT_STORE_H

#include "result_file.h"

typedef struct fq_store fq_store;

/* Opens for writing, with what is there; a missing file is an empty store. The caller holds the
 * sweep's lock. Writes nothing yet. FQ_ERR_INPUT if file or journal are damaged. */
FQ_MUST_CHECK fq_status fq_store_open(fq_store **store, const char *path);

/* Where the journal of another store was put that lay at ours; NULL: there was none. */
const char *fq_store_set_aside(const fq_store *store);

/* Closes the files without folding; NULL accepted. */
void fq_store_close(fq_store *store);

/* File and journal in memory. The caller may reorder and remove rows before a fold. */
fq_results *fq_store_results(fq_store *store);

/* Begins writing: adds a run's provenance, folds once, so that the file exists, and opens a fresh
 * journal. *run is the run's number, from 1. */
FQ_MUST_CHECK fq_status fq_store_begin(fq_store *store, const fq_result_text *texts, size_t count,
                                       size_t *run);

/* Adds rows to a table, for good: they are on disk when this returns. FQ_ERR_OUTPUT if they could
 * not be written: the store stands as it was before the call. */
FQ_MUST_CHECK fq_status fq_store_append(fq_store *store, fq_table *table, const unsigned char *records,
                                        size_t count);

/* Folds. If the file was removed meanwhile it is written again; if another file has taken its place,
 * that one is left alone, ours goes to RESULTS.h5.displaced, and the failure (FQ_ERR_OUTPUT) says so. */
FQ_MUST_CHECK fq_status fq_store_fold(fq_store *store);

/* Folds and removes the journal. */
FQ_MUST_CHECK fq_status fq_store_finish(fq_store *store);

/* Reads a store, journal included, without writing anything; safe while a sweep writes it. */
FQ_MUST_CHECK fq_status fq_store_read(const char *path, fq_results *results);

#endif
