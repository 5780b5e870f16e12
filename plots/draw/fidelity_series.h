/* The rows of table fidelity by what they show: series of the frontier figure and of its summary.
 *
 * A series is a codec without the keys that set its size, from one source (cache by SHA-256, protocol): what
 * is plain, as published, under the codec's own name, all that is not (norms, other codecs for values) as one
 * more series of its family, and one for every treatment. Where some rows are of the usual protocol (the
 * model's queries, causal, a mean of the cosines of heads), all others are left out.
 */
#ifndef FQ_FIDELITY_SERIES_H
#define FQ_FIDELITY_SERIES_H

#include <stdint.h>

#include "result_table.h"
#include "series.h"
#include "sources.h"

#define FQ_NO_SERIES SIZE_MAX

typedef struct fq_fidelity_view {
    const fq_table *table;
    size_t codec, value_codec, treatment, plain, payload, stored, cosine, se, key, value; /* columns */
    size_t model, text, protocol;
    fq_sources sources;
    fq_labels kinds;               /* what is drawn in one colour: a series without its source */
    fq_labels series;              /* labels for keys and tables */
    fq_labels configs;             /* rows of one configuration differ by their seeds alone */
    size_t *series_of, *config_of; /* [rows] */
    size_t *kind_of, *source_of;   /* [series] */
    bool *used;      /* [rows]: not left out; series_of and config_of of others are FQ_NO_SERIES */
    size_t left_out; /* rows of other protocols */
} fq_fidelity_view;

/* FQ_ERR_INPUT if a column is missing or the table is empty. clear accepts a struct of zeros. */
FQ_MUST_CHECK fq_status fq_fidelity_view_of(fq_fidelity_view *view, const fq_table *table);
void fq_fidelity_view_clear(fq_fidelity_view *view);

/* Cosine and standard error of a configuration: means over its rows, those of one cache, whose errors go
 * together; *rows is how many. */
double fq_fidelity_config_cosine(const fq_fidelity_view *view, size_t config, double *se, size_t *rows);

/* Whether a row is used and the first of its configuration. */
bool fq_fidelity_first(const fq_fidelity_view *view, size_t row);

#endif
