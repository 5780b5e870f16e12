/* Codebooks in HDF5.
 *
 *   /codebook    N x k float32, codewords in the closed unit ball; attributes dim, block, codewords,
 *                rate = log2(N)/k, distortion and distortion_se (population D on samples never
 *                trained on; NaN if not measured), distortion_samples, recipe, seed; units, axes,
 *                description; content_sha256 over all of these. Where D of the words was enclosed also
 *                certified_low, certified_high, certified_parts, and certified_sha256 over these, the sizes
 *                and the words: a certificate is of these words alone
 *   /provenance  see provenance.h
 *
 * Reading checks every attribute against the others and the words, and content_sha256 where it is
 * there (files made elsewhere may leave it out): FQ_ERR_INPUT names file and key.
 */
#ifndef FQ_CODEBOOK_FILE_H
#define FQ_CODEBOOK_FILE_H

#include "codebook.h"
#include "hdf5_util.h"
#include "provenance.h"

/* Writes a file in one step. provenance may be NULL. FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_codebook_file_write(const char *path, const fq_codebook *codebook,
                                               const fq_provenance *provenance);

/* Fills an empty codebook. On failure it stays empty. */
FQ_MUST_CHECK fq_status fq_codebook_file_read(fq_codebook *codebook, const char *path);

/* The dataset alone, in a file that holds other things as well (codes). */
FQ_MUST_CHECK fq_status fq_codebook_dataset_write(hid_t where, const fq_codebook *codebook);
FQ_MUST_CHECK fq_status fq_codebook_dataset_read(const fq_h5_file *file, fq_codebook *codebook);

#endif
