/* Codebooks cut out of a lattice: what the lattice codecs share. Their words are searched exactly, like those
 * of any codebook, so their encoders are exact.
 *
 *   D4   integer points of R^4 of even sum
 *   E8   points of R^8, all integers or all halves of odd integers, of even sum
 *   L24  the Leech lattice, from the extended binary Golay code (Conway and Sloane, Sphere Packings, chapter
 * 4): its origin and its 196560 shortest other points
 *
 * ball: the N shortest points (of equally long ones the first in the order of their coordinates).
 * nested: with N = q^k, of every coset of q times the lattice a shortest point, so the words fill the Voronoi
 * cell of q times the lattice (Conway and Sloane, IEEE Trans. Inf. Theory 29, 1983: Voronoi codes).
 * The words are scaled to the least mean squared error on 4096 samples of f_{d,k} that no measurement uses.
 */
#ifndef FQ_LATTICE_WORDS_H
#define FQ_LATTICE_WORDS_H

#include "codec_family.h"

typedef enum fq_lattice { FQ_LATTICE_D4, FQ_LATTICE_E8, FQ_LATTICE_LEECH } fq_lattice;

enum { FQ_LEECH_WORDS_MAX = 196561 };

/* The keys of such a family: N, and shape, ball or nested; of the Leech lattice N alone. */
extern const fq_codec_key fq_lattice_keys_d4[], fq_lattice_keys_e8[], fq_lattice_keys_leech[];

/* What such a family has as its functions. */
FQ_MUST_CHECK fq_status fq_lattice_create(fq_codec *codec, fq_lattice lattice);
FQ_MUST_CHECK fq_status fq_lattice_block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                                              fq_lattice lattice);
void fq_lattice_describe(fq_codec_description *about, const fq_codec_spec *spec, fq_lattice lattice);

/* words[N][k] before they are scaled. FQ_ERR_SPEC if a nested code's N is no k-th power. For tests. */
FQ_MUST_CHECK fq_status fq_lattice_words(float *words, fq_lattice lattice, size_t count, bool nested);

#endif
