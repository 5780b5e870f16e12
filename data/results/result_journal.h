/* The journal of a result store: records appended one by one, each with a checksum. Private to the
 * store.
 *
 *   "fqjournal1\n" padded to 16 bytes, generation (8 bytes, little endian)
 *   records: kind, length (8 bytes each), payload, 16 bytes of SHA-256 over generation, kind,
 *   length and payload
 */
#ifndef FQ_RESULT_JOURNAL_H
#define FQ_RESULT_JOURNAL_H

#include "result_file.h"

typedef struct fq_journal {
    int file; /* -1: closed */
    uint64_t generation;
    uint64_t good; /* bytes known to be whole */
    char path[4200];
} fq_journal;

/* Reads path, if there is one, and adds what it holds to results, whose generation it must have
 * (an older journal, or a torn one, adds nothing more; a newer one is FQ_ERR_INPUT). *good_bytes is
 * the length of the whole part, 0 if the journal is not in use. */
FQ_MUST_CHECK fq_status fq_journal_replay(const char *path, fq_results *results, bool file_exists,
                                          uint64_t *good_bytes);

/* Puts a fresh journal in place, describing the tables of results. */
FQ_MUST_CHECK fq_status fq_journal_start(fq_journal *journal, const char *path, const fq_results *results,
                                         uint64_t generation);
void fq_journal_close(fq_journal *journal);

/* Appends rows of a table; on failure the journal is cut back to what it was. */
FQ_MUST_CHECK fq_status fq_journal_append(fq_journal *journal, const fq_table *table,
                                          const unsigned char *records, size_t count);

/* Whether path still names the open journal. */
bool fq_journal_in_place(const fq_journal *journal);

#endif
