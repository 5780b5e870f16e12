/* Results as HDF5 files: tables and where they came from.
 *
 *   /                attributes format = "fibquant results", schema_version,
 *                    journal_generation, store (32 hexadecimal digits drawn when the store was made, which
 * its journal repeats; none in files that no store has written), content_sha256 over all of the file
 * (result_digest.h; checked where it is there) /TABLE           one compound dataset a table, one row a
 * record; attributes columns, units, descriptions, roles: arrays of strings, one a column
 *   /provenance/run_00001, ...   one group a run; its texts as attributes, long ones as datasets
 *
 * A file is built in memory and put in place by writing RESULTS.h5.new, fsync, rename: whoever
 * opens RESULTS.h5, at any moment, finds a whole file. Reading goes through memory as well, and
 * believes no size that the file's own length does not bear out.
 */
#ifndef FQ_RESULT_FILE_H
#define FQ_RESULT_FILE_H

#include "result_table.h"

enum { FQ_STORE_ID_TEXT = 33 };
enum { FQ_RESULT_SCHEMA = 1, FQ_RESULT_TABLES_MAX = 256, FQ_RESULT_RUNS_MAX = 99999 };

typedef struct fq_result_text {
    const char *name, *value;
} fq_result_text;

typedef struct fq_result_run {
    size_t count;
    fq_result_text *texts;
} fq_result_run;

typedef struct fq_results {
    size_t table_count, run_count;
    fq_table *tables;    /* [FQ_RESULT_TABLES_MAX] once there is one; owned */
    fq_result_run *runs; /* in arena */
    size_t run_room;
    uint64_t generation;          /* of the journal that continues this file; see result_store.h */
    char store[FQ_STORE_ID_TEXT]; /* which store this is; "": none yet */
    fq_arena arena;
} fq_results;

void fq_results_clear(fq_results *results);

/* The table of a name, or NULL. */
fq_table *fq_results_table(const fq_results *results, const char *name);

/* The column that says which version of its experiment's definition a row is of; tables of sweeps have it. */
#define FQ_VERSION_COLUMN "version"

/* Leaves only rows of the newest version in each table that has that column: what figures and summaries
 * show. A store may hold older ones, which no point of today's definition would give. Returns how many
 * rows went. */
size_t fq_results_keep_newest(fq_results *results);

/* Adds an empty table; the pointer is good until the results are cleared. */
FQ_MUST_CHECK fq_status fq_results_add_table(fq_results *results, fq_table **table, const char *name,
                                             const fq_value_column *columns, size_t count);

/* Adds copies of a run's texts; *number counts from 1. */
FQ_MUST_CHECK fq_status fq_results_add_run(fq_results *results, const fq_result_text *texts, size_t count,
                                           size_t *number);

/* Adds a text to a run (which counts from 1), or replaces the one of that name. */
FQ_MUST_CHECK fq_status fq_results_set_run_text(fq_results *results, size_t run, const char *name,
                                                const char *value);

/* Value of a run's text (run counts from 1), or NULL. */
const char *fq_results_run_text(const fq_results *results, size_t run, const char *name);

/* Writes the file. FQ_ERR_OUTPUT names the file and what the system said; the old file then stands
 * as it was. */
FQ_MUST_CHECK fq_status fq_result_file_write(const char *path, const fq_results *results);

/* Reads a file. FQ_ERR_INPUT names the file and the part that is wrong. */
FQ_MUST_CHECK fq_status fq_result_file_read(const char *path, fq_results *results);

#endif
