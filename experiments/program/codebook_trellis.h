/* fibquant codebook --family trellis: searches a map, trains its levels, measures, prints and writes it. */
#ifndef FQ_CODEBOOK_TRELLIS_H
#define FQ_CODEBOOK_TRELLIS_H

#include "options.h"
#include "provenance.h"

typedef struct fq_trellis_request {
    double bits;
    size_t window, label_bits; /* 0: the usual number */
    size_t dim, tries, samples, evaluations;
    uint64_t seed;
    const char *output; /* NULL: none */
    const char *form;   /* of the output: "hdf5" or "c" */
    bool improve;       /* start from the library's map */
    bool shipped;       /* take the library's map as it is */
    bool json;
} fq_trellis_request;

/* Refuses numbers that do not fit together; true, and nothing printed, if they do. */
bool fq_codebook_trellis_good(const fq_usage *usage, const fq_trellis_request *request, int *exit_code);

FQ_MUST_CHECK fq_status fq_codebook_trellis(const fq_trellis_request *request,
                                            const fq_provenance *provenance);

#endif
