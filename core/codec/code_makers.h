/* What makes codes that fq_codec_create is not given. It stands in the library libfibquant_training, which
 * installs it (fq_training_install); without it, what would have to be made is FQ_ERR_UNSUPPORTED.
 */
#ifndef FQ_CODE_MAKERS_H
#define FQ_CODE_MAKERS_H

#include "codebook.h"
#include "trellis_code.h"

typedef struct fq_code_makers {
    /* fq_codebook_train. */
    fq_status (*codebook)(fq_codebook *codebook, const fq_train_options *options);
    /* levels[count], rising: the Lloyd-Max code of f_{dim,1}, and its exact D. */
    fq_status (*scalar_levels)(float *levels, double *distortion, size_t dim, size_t count);
    /* x[n][block]: the first n training samples of f_{dim,block} of a seed. */
    fq_status (*samples)(float *x, size_t dim, size_t block, uint64_t seed, size_t n);
    /* Fills in columns, levels and step of a map whose K, V, L and m are set, by a short search. */
    fq_status (*trellis_map)(fq_trellis_map *map);
} fq_code_makers;

/* makers must stay; thread-safe. */
void fq_code_makers_set(const fq_code_makers *makers);

/* Never NULL. */
const fq_code_makers *fq_code_makers_get(void);

#endif
