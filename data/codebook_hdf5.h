/* Codebooks in HDF5 files, as `fibquant codebook` writes them: the library libfibquant_hdf5 (pkg-config
 * fibquant-hdf5, CMake target fibquant::hdf5), apart from libfibquant so that a codec needs no HDF5.
 *
 * A program that ships a trained codebook reads it here and hands it to fq_codec_create:
 *
 *     fq_codebook codebook;
 *     fq_codebook_init(&codebook);
 *     if (fq_codebook_hdf5_read(&codebook, "fib.h5") != FQ_OK) ...
 *     fq_codec_create(&codec, &spec, codebook.dim, &(fq_codec_parts){.codebook = &codebook});
 *
 * Words that are in memory already go into a codebook by fq_codebook_set (codebook.h). As HDF5 itself usually
 * is, these functions are for one thread at a time.
 *
 * Stability: kept within a minor version (0.1.x): nothing declared here changes its meaning.
 */
#ifndef FQ_CODEBOOK_HDF5_H
#define FQ_CODEBOOK_HDF5_H

#include "codebook.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills an empty codebook from the dataset /codebook (N x k, float32) of a file and its attributes: dim,
 * block, codewords, rate, distortion, distortion_se, recipe, seed. Everything is checked: attributes against
 * each other and the words, words to be in the unit ball, the digest where there is one. FQ_ERR_INPUT names
 * file and key; the codebook stays empty then. The file is read once in a child process (fork) before it is
 * read here, so that damage that crashes the HDF5 library does not crash the caller. Free it with
 * fq_codebook_clear. */
FQ_MUST_CHECK fq_status fq_codebook_hdf5_read(fq_codebook *codebook, const char *path);

/* Writes such a file in one step: under another name first, so that a file that was there is replaced as a
 * whole or not at all. FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_codebook_hdf5_write(const char *path, const fq_codebook *codebook);

#ifdef __cplusplus
}
#endif
#endif
