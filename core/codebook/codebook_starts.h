/* Arrangements of words that training may start from, besides the radial-angular one: one shell, and the
 * short points of a lattice.
 *
 * shell: every word has the length sqrt(k/d) of a typical block; directions are those of codebook_initial.h
 * (variant 0) or random. As d and k grow blocks gather on that sphere.
 * lattice: the N points nearest to a centre of the hexagonal lattice (k = 2), E8 (k = 8) or D_k (integer
 * points of even sum, else), scaled; variants 0 to 3 are centred at a point, at (1,0,..), at (1/2,1/2,0,..)
 * and at (1/2,..,1/2), further ones repeat these. Which of equally near points are taken the stream decides.
 * Source: Conway and Sloane, Sphere Packings, chapter 4.
 */
#ifndef FQ_CODEBOOK_STARTS_H
#define FQ_CODEBOOK_STARTS_H

#include "source.h"
#include "stream.h"

enum { FQ_LATTICE_STARTS = 8, FQ_LATTICE_START_WORDS_MAX = 1 << 16 };

void fq_shell_words(float *words, const fq_source *source, size_t codewords, unsigned variant, fq_stream *s);

/* Root mean square length 1 before they are scaled by `scale`. FQ_ERR_ARGUMENT for more than
 * FQ_LATTICE_START_WORDS_MAX words, FQ_ERR_MEMORY. */
FQ_MUST_CHECK fq_status fq_lattice_start_words(float *words, size_t block, size_t codewords, double scale,
                                               unsigned variant, fq_stream *s);

#endif
