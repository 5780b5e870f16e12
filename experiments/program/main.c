/* The program: sets up the libraries, finds the verb, hands over. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <hdf5.h>

#include "atomic_file.h"
#include "codebook_training.h"
#include "failure.h"
#include "options.h"
#include "printable.h"
#include "verb.h"

#define FQ_VERB(name) extern const fq_verb fq_verb_##name;
#include "verbs.def"
#undef FQ_VERB

static const fq_verb *const verbs[] = {
#define FQ_VERB(name) &fq_verb_##name,
#include "verbs.def"
#undef FQ_VERB
};
enum { VERBS = sizeof verbs / sizeof verbs[0], VERB_NAME_MAX = 64 };

void fq_verb_print_all(FILE *to) {
    fputs("usage: fibquant VERB [OPTION...]      (fibquant help VERB explains one)\n\n", to);
    for (int i = 0; i < VERBS; i++)
        fprintf(to, "  %-12s %s\n", verbs[i]->name, verbs[i]->summary);
    fputs("\nExit status: 0 success, 1 refuted or different, 2 usage, 3 input unreadable,\n"
          "malformed, not supported or too large for this machine, 4 output not written, 5 failed points\n"
          "or undecided claims, 130 or 143 interrupted.\n",
          to);
}

int fq_verb_fail(const char *verb_name) {
    char line[FQ_FAILURE_LINE_MAX];
    const fq_error *error = fq_error_last();
    fq_failure_line(line, error);
    fprintf(stderr, "fibquant %s: %s\n", verb_name, line);
    return fq_failure_exit_code(error->status);
}

const fq_verb *fq_verb_find(const char *name) {
    for (int i = 0; i < VERBS; i++)
        if (strcmp(name, verbs[i]->name) == 0)
            return verbs[i];
    return NULL;
}

int fq_verb_unknown(const char *given) {
    char line[4 * VERB_NAME_MAX], start[VERB_NAME_MAX];
    const char *nearest = verbs[0]->name;
    for (int i = 1; i < VERBS; i++)
        if (fq_name_distance(given, verbs[i]->name) < fq_name_distance(given, nearest))
            nearest = verbs[i]->name;
    snprintf(start, sizeof start, "%.60s", given);
    fq_printable(line, sizeof line, start);
    fprintf(stderr, "fibquant: no verb \"%s\"; nearest is \"%s\" (fibquant --help lists all)\n", line,
            nearest);
    return 2;
}

/* Threads of GNU OpenMP spin while they wait for each other; where other programs want the processors,
 * each such wait burns a time slice (a training was seen to take ten times as long). The policy is read
 * as the library is loaded, before main, so it takes starting again. A policy that is set is obeyed. */
static void let_threads_sleep(const char **argv) {
    char program[4096], **arguments;
    memcpy(&arguments, &argv, sizeof arguments); /* execv changes none of them */
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (getenv("OMP_WAIT_POLICY") || length <= 0 || setenv("OMP_WAIT_POLICY", "passive", 0) != 0)
        return;
    program[length] = 0;
    execv(program, arguments); /* returns only if it cannot: then this process goes on, correct but slower */
}

/* A descriptor of 0 to 2 that is closed would be given to the next file or socket, which what is meant for
 * people would then be written into. Output to 1 still fails: descriptor 1 is opened for reading. */
static bool open_standard_descriptors(void) {
    for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; wanted++)
        if (fcntl(wanted, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", wanted == STDERR_FILENO ? O_WRONLY : O_RDONLY) != wanted)
            return false;
    return true;
}

int fq_verb_interrupted(int signal_number) {
    return signal_number == SIGINT ? 130 : 143;
}

/* Ctrl-C and the like, for verbs that have no way of their own: half-written files are removed, the exit
 * status is the shell's for SIGINT and SIGTERM. */
static pid_t main_process;
static void on_signal(int number) {
    static const char line[] = "fibquant: interrupted\n";
    fq_atomic_files_remove();
    if (getpid() == main_process)
        (void)!write(STDERR_FILENO, line, sizeof line - 1);
    _exit(fq_verb_interrupted(number));
}

static void catch_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action;
    main_process = getpid();
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct sigaction usual;
        if (sigaction(numbers[i], NULL, &usual) == 0 && usual.sa_handler != SIG_IGN) /* as nohup wants it */
            sigaction(numbers[i], &action, NULL);
    }
}

/* The exit status, or that of an output that could not be written where all else went well. */
static int printed(const char *name, int exit_code) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return exit_code;
    fprintf(stderr, "%s: standard output could not be written\n", name);
    return exit_code ? exit_code : 4;
}

int main(int argc, const char **argv) {
    if (!open_standard_descriptors())
        return 4;
    let_threads_sleep(argv);
    fq_training_install();
    gsl_set_error_handler_off();
    catch_signals();
    signal(SIGXFSZ, SIG_IGN);    /* a file size limit is a failed write like any other: exit status 4 */
    openblas_set_num_threads(1); /* threads are ours: what its sums are may depend on how many it uses */
    H5dont_atexit();             /* we close what we open; after a failed write its clean-up never ends */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (argc < 2) {
        fq_verb_print_all(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        fq_verb_print_all(stdout);
        return printed("fibquant", 0);
    }
    const fq_verb *verb = fq_verb_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (!verb)
        return fq_verb_unknown(argv[1]);
    char name[VERB_NAME_MAX + 16];
    snprintf(name, sizeof name, "fibquant %s", verb->name);
    argv[1] = name;
    const int exit_code = verb->run(argc - 1, argv + 1);
    return printed(name, exit_code);
}
