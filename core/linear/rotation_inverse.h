/* Ways to undo a rotation that only decoding needs. */
#ifndef FQ_ROTATION_INVERSE_H
#define FQ_ROTATION_INVERSE_H

#include "dense.h"
#include "rotation.h"

/* fq_rotation_apply_transpose for y that is not read again soon: past the caches where that helps, and other
 * threads see y after the fence of vector_kernels.h alone. x and work[n][d] are work space. */
void fq_rotation_apply_transpose_beyond(const fq_rotation *rotation, float *y, float *x, float *work,
                                        size_t n);

/* Pi^T if it is kept as a matrix, else NULL. */
const fq_dense *fq_rotation_get_transpose(const fq_rotation *rotation);

#endif
