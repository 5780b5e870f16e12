/* Where rows come from: rows of one source share model, text, protocol and files, and may be compared point
 * by point; rows of different sources may not, and figures keep them apart.
 */
#ifndef FQ_SOURCES_H
#define FQ_SOURCES_H

#include "result_table.h"
#include "series.h"

typedef struct fq_sources {
    size_t count;
    size_t *of_row;  /* [rows] */
    size_t *first;   /* [count]: first row of a source */
    char **label;    /* [count]: what tells it from the others: "" if there is but one */
    fq_labels notes; /* sentences that explain the letters of labels */
} fq_sources;

/* The columns that tell sources apart in the tables of experiments. */
#define FQ_FIDELITY_SOURCES   "model_name text_name text_first context protocol cache_sha256"
#define FQ_PERPLEXITY_SOURCES "model_name text_name protocol model_sha256 text_sha256"
#define FQ_UNIVERSALITY_SOURCES                                                                              \
    "model_name text_name tokens rotations sphere_vectors family_error seed replicate cache_sha256"

/* Sources of a table by the columns named, separated by spaces, that it has: a column *_sha256 tells files
 * apart whatever their columns *_name hold, and stands in a label (its first 8 digits) where nothing else
 * does; a column whose texts are long is told by a letter, with a note. Columns that the table lacks do not
 * count. */
FQ_MUST_CHECK fq_status fq_sources_find(fq_sources *sources, const fq_table *table, const char *columns);

/* The same of some rows alone, among[rows]; the others have no source: of_row is SIZE_MAX. */
FQ_MUST_CHECK fq_status fq_sources_find_among(fq_sources *sources, const fq_table *table, const char *columns,
                                              const bool *among);
void fq_sources_clear(fq_sources *sources);

#endif
