/* IEEE 754 binary16 and back, without hardware or with it: the same bits either way.
 *
 * Rounding is to nearest, ties to even. Values of magnitude 65520 and above become infinity,
 * magnitudes of 2^-25 and below become zero, in between subnormals are kept. A NaN stays a quiet NaN
 * with its sign and the top bits of its payload. Thread-safe.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_FP16_H
#define FQ_FP16_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FQ_FP16_MAX 65504.0 /* the largest finite half */

/* Nearest half of value, and the value of half (exact). */
uint16_t fq_fp16_from_float(float value);
float fq_fp16_to_float(uint16_t half);

/* The half stored little-endian in two bytes, at any address. */
void fq_fp16_store(uint8_t bytes[2], uint16_t half);
uint16_t fq_fp16_load(const uint8_t bytes[2]);

/* n numbers at once, little-endian pairs of bytes on the encoded side, any alignment, no overlap.
 * Uses the F16C instructions where the processor has them; the bits are the same. */
void fq_fp16_encode(uint8_t *bytes, const float *values, size_t n);
void fq_fp16_decode(float *values, const uint8_t *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
