/* SHA-256 over all that a results file says: the journal's generation, tables with their columns and every
 * value, runs with their texts. Equal for results written and read back. */
#ifndef FQ_RESULT_DIGEST_H
#define FQ_RESULT_DIGEST_H

#include "result_file.h"
#include "sha256.h"

void fq_results_digest(char hex[FQ_SHA256_HEX], const fq_results *results);

#endif
