/* A folder of trained codebooks, so that each is trained once on a machine; codes that come with the program
 * (shipped_codes.h) are taken from there.
 *
 * The folder is $FIBQUANT_CACHE, else $XDG_CACHE_HOME/fibquant, else ~/.cache/fibquant; made when
 * needed. An entry's name is a hash of everything training depends on: dim, block, codewords, recipe,
 * seed, tolerance, and FQ_CODEBOOK_TRAINING_VERSION. Entries are codebook files, put in place in one step:
 * concurrent programs may share the folder, and of those that need the same entry at once one trains it while
 * the others wait (NAME.lock, a record lock: gone with the process that holds it). A folder that cannot be
 * written only means training again.
 */
#ifndef FQ_CODEBOOK_CACHE_H
#define FQ_CODEBOOK_CACHE_H

#include <stdbool.h>

#include "codebook.h"

/* Raised whenever training gives other words for the same options. */
enum { FQ_CODEBOOK_TRAINING_VERSION = 2 };

typedef enum fq_cache_outcome {
    FQ_CACHE_HIT = 0,       /* was there */
    FQ_CACHE_TRAINED = 1,   /* trained and kept */
    FQ_CACHE_REPLACED = 2,  /* what was there was damaged: trained anew, and kept; say so */
    FQ_CACHE_UNWRITABLE = 3 /* trained, could not be kept; the error record says why */
} fq_cache_outcome;

/* Fills an empty codebook from the folder (NULL: the default one) or by training, and with its
 * distortion measured on samples evaluate_samples (>= 2) of evaluate_seed. A cached measurement on
 * fewer samples, or another number of them, is made anew; a shipped code's stands if it took as many. Folder
 * "": trained, whatever there is, and kept nowhere. outcome may be NULL. */
FQ_MUST_CHECK fq_status fq_codebook_cache_get(fq_codebook *codebook, const fq_train_options *options,
                                              const char *folder, uint64_t evaluate_seed,
                                              uint64_t evaluate_samples, fq_cache_outcome *outcome);

/* Whether the folder has the entry, whatever is in it. */
bool fq_codebook_cache_has(const fq_train_options *options, const char *folder, uint64_t evaluate_seed);

/* Name of the entry, without the folder: "codebook-d64-k4-N256-HASH.h5". */
enum { FQ_CACHE_NAME_MAX = 128 };
void fq_codebook_cache_name(char name[FQ_CACHE_NAME_MAX], const fq_train_options *options,
                            uint64_t evaluate_seed);

#endif
