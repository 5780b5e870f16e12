/* Folders of safetensors files as checkpoints. */
#include "checkpoint_internal.h"
#include "failure.h"

fq_status fq_checkpoint_open_folder(fq_checkpoint *c) {
    return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: folders of safetensors files are not read by this build",
                        c->folder);
}
