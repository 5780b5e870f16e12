/* fibquant reproduce: everything that has a figure, one command line after another, exactly as a user
 * could type them. The manifests are written into the folder first, so each step can be repeated alone.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomic_file.h"
#include "distortion_summary.h"
#include "embedded_text.h"
#include "failure.h"
#include "options.h"
#include "result_store.h"
#include "verb.h"

extern const fq_embedded_text fq_manifests[];

static const char *folder = "reproduction";
static bool quick;

static const fq_option options[] = {
    {.name = "output", .letter = 'o', .kind = FQ_OPTION_TEXT, .value = &folder, .argument = "FOLDER",
     .help = "where results and figures go"},
    {.name = "quick", .kind = FQ_OPTION_FLAG, .value = &quick, .help = "fewer points, under three minutes"},
    {0}};

static const fq_usage usage = {
    .verb = "reproduce",
    .summary = "Runs the experiments of the canonical source and the theory checks, stores every point in "
               "FOLDER/results.h5, draws the figures and prints a summary. Run again, "
               "it goes on where it stopped.",
    .arguments = "",
    .options = options,
    .examples = "fibquant reproduce -o reproduction",
};

enum { PATH = FQ_PATH_MAX, ARGUMENTS = 12 };

/* Runs this program again with other arguments; its exit status, or -1. */
static int run_self(const char *const *arguments) {
    fputs("\n$ fibquant", stdout);
    for (size_t i = 1; arguments[i]; i++)
        printf(" %s", arguments[i]);
    putchar('\n');
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        char *copies[ARGUMENTS + 1] = {0};
        for (size_t i = 0; arguments[i] && i < ARGUMENTS; i++)
            copies[i] = strdup(arguments[i]);
        execv("/proc/self/exe", copies);
        _exit(127);
    }
    int state = 0;
    while (child > 0 && waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return -1;
    return child > 0 && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static fq_status make_folder(const char *path) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", path, strerror(errno));
    return FQ_OK;
}

/* Sweeps a manifest of the folder into its results. */
static int sweep(const char *manifest_folder, const char *manifest, const char *results) {
    char path[2 * PATH];
    snprintf(path, sizeof path, "%s/%s", manifest_folder, manifest);
    return run_self((const char *const[]){"fibquant", "sweep", path, "-o", results, "--resume", NULL});
}

static fq_status write_manifests(const char *manifest_folder) {
    for (const fq_embedded_text *text = fq_manifests; text->name; text++)
        FQ_TRY(fq_embedded_text_write(text, manifest_folder));
    return FQ_OK;
}

static fq_status print_summary(const char *results) {
    fq_results store;
    memset(&store, 0, sizeof store);
    fq_status status = fq_store_read(results, &store);
    putchar('\n');
    if (status == FQ_OK)
        status = fq_distortion_summary_print(stdout, &store);
    fq_results_clear(&store);
    return status;
}

static int run_steps(const char *manifest_folder) {
    char results[PATH + 16];
    snprintf(results, sizeof results, "%s/results.h5", folder);
    const char *const manifests[] = {"source_law.yaml", "cells.yaml",
                                     quick ? "rate_distortion_quick.yaml" : "rate_distortion.yaml"};
    for (size_t i = 0; i < sizeof manifests / sizeof manifests[0]; i++) {
        const int code = sweep(manifest_folder, manifests[i], results);
        if (code != 0)
            return code;
    }
    const int verdict = run_self(quick ? (const char *const[]){"fibquant", "verify", "--quick", NULL}
                                       : (const char *const[]){"fibquant", "verify", NULL});
    const int drawn =
        run_self((const char *const[]){"fibquant", "plot", results, "-o", folder, NULL});
    if (print_summary(results) != FQ_OK)
        return fq_verb_fail("reproduce");
    printf("\nFigures and data are in %s, every point in %s.\n", folder, results);
    return drawn != 0 ? drawn : verdict;
}

static int run(int argc, const char **argv) {
    int exit_code;
    char manifest_folder[PATH];
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    if (snprintf(manifest_folder, sizeof manifest_folder, "%s/manifests", folder) >= PATH - 64)
        return fq_options_refuse(&usage, "--output: a path shorter than %d bytes", PATH - 64);
    if (make_folder(folder) != FQ_OK || make_folder(manifest_folder) != FQ_OK ||
        write_manifests(manifest_folder) != FQ_OK)
        return fq_verb_fail("reproduce");
    exit_code = run_steps(manifest_folder);
    if (exit_code < 0) {
        FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "a step was ended by a signal; run it again to go on");
        return fq_verb_fail("reproduce");
    }
    return exit_code;
}

const fq_verb fq_verb_reproduce = {"reproduce", "everything that has a figure, with a summary", run};
