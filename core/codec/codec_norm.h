/* How the norm of a vector is stored: as a half, or as a byte on a logarithmic scale.
 *
 * FQ_NORM_HALF   fp16, little-endian: relative error up to 2^-11, norms up to 65504
 * FQ_NORM_BYTE   byte v = 1..255 is 2^(3 (v - 128) / 32), 2^-11.9 to 2^11.9: relative error up to 3.3 %, 1.9
 * % root mean square, which adds 0.00035 to D; v = 0 is a norm that rounds to zero A stored norm of zero
 * means that nothing else of the vector is stored.
 */
#ifndef FQ_CODEC_NORM_H
#define FQ_CODEC_NORM_H

#include "codec_spec.h"

size_t fq_norm_bytes(fq_norm_format format);

/* The largest norm that can be stored; what is above it is refused. */
double fq_norm_most(fq_norm_format format);

/* Writes a norm from 0 to that, rounded to the nearest in ratio or difference; false if that is zero. */
bool fq_norm_store(fq_norm_format format, uint8_t *code, double norm);

/* false if no encoder writes such bytes: negative, infinite or NaN. */
bool fq_norm_load(fq_norm_format format, float *norm, const uint8_t *code);

#endif
