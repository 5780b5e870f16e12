/* What every verb asks of its outputs before it does any work. */
#ifndef FQ_OUTPUT_CHECK_H
#define FQ_OUTPUT_CHECK_H

#include "options.h"
#include "status.h"

typedef enum fq_output_kind {
    FQ_OUTPUT_FILE = 0, /* replaced in one step (atomic_file.h) */
    FQ_OUTPUT_NEW,      /* the same, and nothing may be there yet */
    FQ_OUTPUT_STORE,    /* a results file, extended if it is there: then it must be one, and nobody may be
                           writing it; it may be read by the same command, for what it holds stays */
    FQ_OUTPUT_FOLDER,   /* a folder of figures, made if missing; no input may be a file of it by one of their
                           names (figures.def) */
    FQ_OUTPUT_PART      /* whoever writes it checks it: only compared with the inputs */
} fq_output_kind;

/* A file or folder of the command line. */
typedef struct fq_output {
    const char *option; /* as the user knows it: "--output" */
    const char *path;   /* NULL: not given */
    fq_output_kind kind;
} fq_output;

typedef struct fq_input {
    const char *option; /* "--reference", "VECTORS.h5" */
    const char *path;   /* NULL: not given */
    bool folder_too;    /* a model: unless it is a GGUF file, what lies in its folder (HDF5 files excepted)
                           may be read as well */
    bool store;         /* a results file that is read before anything is written */
} fq_input;

/* True if every output can be written and none is an input, or another output, of the command (compared by
 * device and inode, so through links; names where nothing is yet by folder and name). Otherwise it has said
 * why in one line, and *exit_code is 2 (one file twice, naming both options), 3 (a results file that is
 * none) or 4. Leaves nothing behind. Both lists end with an option of NULL; inputs may be NULL, for none. */
bool fq_outputs_good(const fq_usage *usage, const fq_output *outputs, const fq_input *inputs, int *exit_code);

#endif
