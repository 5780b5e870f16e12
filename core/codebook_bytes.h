/* Codebooks as bytes: the form in which codes are shipped, readable in ten lines of any language.
 *
 *   fibquant codebook 1     the first line, exactly; then lines "key value", in any order:
 *   dim 64
 *   block 4
 *   codewords 256
 *   ...
 *   data 4096               the last line: bytes that follow, 4 block codewords
 *   (bytes)                 words[codewords][block], float32, little-endian, and nothing more
 *
 * dim, block, codewords and data are needed; recipe, seed, distortion, distortion_se,
 * distortion_samples and certified_low, certified_high, certified_parts (an enclosure of D) are read where
 * they stand; other keys are for people and other programs (every_code_bound, sha256 of the data) and passed
 * over. Lines end with one newline (0x0a); the header is ASCII and at most 4096 bytes; real numbers have at
 * most 15 digits and are read as the nearest double, whatever the locale. Scalar levels are codebooks of
 * block 1. Nothing here touches a file: a program hands over what it has read.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_CODEBOOK_BYTES_H
#define FQ_CODEBOOK_BYTES_H

#include "codebook.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { FQ_CODEBOOK_HEADER_MAX = 4096 };

/* Fills an empty codebook from bytes[length]. FQ_ERR_CORRUPT names the key (or "header", "data") that is
 * wrong; FQ_ERR_RANGE and FQ_ERR_NONFINITE as fq_codebook_set. On failure it stays empty. */
FQ_MUST_CHECK fq_status fq_codebook_from_bytes(fq_codebook *codebook, const uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif
#endif
