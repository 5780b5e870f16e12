/* Running programs in tests. */
#ifndef FQ_COMMAND_H
#define FQ_COMMAND_H

#include "suite.h"

typedef struct fq_command_result {
    int exit_code;              /* 128 + signal if killed by one; -1 if it could not be run */
    char out[16384], err[8192]; /* cut to fit, terminated */
} fq_command_result;

/* Runs a shell command, made from the format, in the test's scratch folder, with FIBQUANT set to the
 * program's absolute name and FIBQUANT_CACHE to a folder below. The result is valid until the next call. */
#if defined(__GNUC__)
__attribute__((format(printf, 1, 2)))
#endif
const fq_command_result *
fq_command(const char *format, ...);

/* Whether the program was built with MPI and there is a launcher for it. */
bool fq_command_has_mpi(void);

#endif
