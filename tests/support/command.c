#include "command.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static void slurp(const char *name, char *text, size_t room) {
    char path[400];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    FILE *file = fopen(path, "r");
    const size_t got = file ? fread(text, 1, room - 1, file) : 0;
    text[got] = '\0';
    if (file)
        fclose(file);
}

const fq_command_result *fq_command(const char *format, ...) {
    static fq_command_result result;
    char wanted[4096], script[2 * 4096 + PATH_MAX], program[PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(wanted, sizeof wanted, format, arguments);
    va_end(arguments);
    if (!realpath(fq_test_program(), program))
        snprintf(program, sizeof program, "%s", fq_test_program());
    snprintf(script, sizeof script,
             "cd '%s' && export FIBQUANT='%s' FIBQUANT_CACHE='%s/cache' && ( %s ) > .out 2> .err",
             fq_test_folder(), program, fq_test_folder(), wanted);
    fflush(NULL);
    const int outcome = system(script);
    result.exit_code =
        WIFEXITED(outcome) ? WEXITSTATUS(outcome) : (WIFSIGNALED(outcome) ? 128 + WTERMSIG(outcome) : -1);
    slurp(".out", result.out, sizeof result.out);
    slurp(".err", result.err, sizeof result.err);
    return &result;
}

bool fq_command_has_mpi(void) {
    return fq_command("command -v mpirun && ldd \"$FIBQUANT\" | grep libmpi")->exit_code == 0;
}
