/* The rows of table fidelity by what they show: series of the frontier figure and of its summary.
 *
 * One model, text and protocol are shown together: those of the first row. Other rows belong to no series,
 * nor do rows of other codecs (fp16, the initial codebook).
 */
#ifndef FQ_FIDELITY_SERIES_H
#define FQ_FIDELITY_SERIES_H

#include "result_table.h"
#include "status.h"

typedef enum fq_series {
    FQ_SERIES_NONE = -1,
    FQ_SERIES_TQ = 0,     /* TurboQuant, MSE form, as published */
    FQ_SERIES_TQPROD,     /* TurboQuant, inner-product form, as published */
    FQ_SERIES_PAPER,      /* FibQuant with the paper's training */
    FQ_SERIES_POPULATION, /* FibQuant with population training */
    FQ_SERIES_BEYOND, /* FibQuant that is not plain: norm rule, kept tokens, centring, other codecs for values
                       */
    FQ_SERIES_COUNT
} fq_series;

const char *fq_series_title(int series);

typedef struct fq_fidelity_view {
    const fq_table *table;
    size_t codec, value_codec, keep_first, centre, centre_tokens, family, recipe, plain, payload, stored,
        cosine, se, key, value;
    size_t model, text, protocol;
} fq_fidelity_view;

/* FQ_ERR_INPUT if a column is missing or the table is empty. */
FQ_MUST_CHECK fq_status fq_fidelity_view_of(fq_fidelity_view *view, const fq_table *table);

/* Whether the row has the first row's model, text and protocol. */
bool fq_fidelity_belongs(const fq_fidelity_view *view, size_t row);

/* FQ_SERIES_NONE for a row that does not belong, too. */
fq_series fq_fidelity_series(const fq_fidelity_view *view, size_t row);

#endif
