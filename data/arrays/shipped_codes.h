/* The codes that come with the program: data/codes in the source, share/fibquant/codes where it is installed.
 *
 * A folder of files as core/codebook_bytes.h has them, named NAME.code, where NAME says what the code is:
 * dDIM, then kK-NN for codebooks. Their headers say by which version of training they were made, what was
 * measured and proved of them, and the SHA-256 of their words. The folder is $FIBQUANT_CODES, else
 * ../share/fibquant/codes from where the program lies, else the source's, if the program was built there.
 */
#ifndef FQ_SHIPPED_CODES_H
#define FQ_SHIPPED_CODES_H

#include <stdbool.h>

#include "codebook.h"

/* Name of a code's file, without the folder: "d64-k4-N256.code". */
enum { FQ_SHIPPED_NAME_MAX = 64 };
void fq_shipped_code_name(char name[FQ_SHIPPED_NAME_MAX], size_t dim, size_t block, size_t codewords);

/* Writes a codebook in one step. every_code_bound: a lower bound on D of every code of these sizes, NaN for
 * none. FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_shipped_code_write(const char *path, const fq_codebook *codebook,
                                              double every_code_bound);

/* Fills an empty codebook; the words' SHA-256 must be the header's. FQ_ERR_INPUT names file and key. */
FQ_MUST_CHECK fq_status fq_shipped_code_read(fq_codebook *codebook, const char *path);

/* Whether a code is shipped that training with these options would give, word for word. */
bool fq_shipped_code_has(const fq_train_options *options);

/* Fills an empty codebook with it; FQ_ERR_INPUT if there is none or its file is damaged. */
FQ_MUST_CHECK fq_status fq_shipped_code_get(fq_codebook *codebook, const fq_train_options *options);

#endif
