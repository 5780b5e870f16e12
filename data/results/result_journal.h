/* The journal of a result store: records appended one by one, each with a checksum. Private to the
 * store.
 *
 *   "fqjournal2\n" padded to 16 bytes, generation (8 bytes, little endian), the store's identity (32 digits),
 *   16 bytes of SHA-256 over all that
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

typedef enum fq_journal_state {
    FQ_JOURNAL_NONE = 0, /* there is none, or nothing in it */
    FQ_JOURNAL_OLD,      /* all of it is in the file already */
    FQ_JOURNAL_IN_USE,   /* its rows were added */
    FQ_JOURNAL_FOREIGN   /* of another store, one that was removed or replaced: nothing was added */
} fq_journal_state;

/* Reads path, if there is one, and adds what it holds to results, whose store and generation it must have (an
 * older journal, or a torn one, adds nothing more; a newer one is FQ_ERR_INPUT). A store without a file has
 * no journal either: results->store is "" then. */
FQ_MUST_CHECK fq_status fq_journal_replay(const char *path, fq_results *results, fq_journal_state *state);

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
