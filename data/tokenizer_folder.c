/* Tokenizers from the files of a folder. */
#include "failure.h"
#include "tokenizer_internal.h"

fq_status fq_tokenizer_read_folder(fq_tokenizer *t, const fq_checkpoint *checkpoint) {
    (void)t;
    return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: tokenizers of folders are not read by this build",
                        checkpoint->folder);
}
