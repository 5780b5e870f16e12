/* fibquant reproduce: everything that has a figure, one command line after another, exactly as a user
 * could type them. The manifests are written into the folder first, so each step can be repeated alone.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomic_file.h"
#include "distortion_summary.h"
#include "embedded_text.h"
#include "failure.h"
#include "fidelity_summary.h"
#include "options.h"
#include "perplexity_summary.h"
#include "result_store.h"
#include "universality_summary.h"
#include "verb.h"

extern const fq_embedded_text fq_manifests[];

static const char *folder = "reproduction", *model, *text_path;
static bool quick;

static const fq_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = FQ_OPTION_TEXT,
     .value = &folder,
     .argument = "FOLDER",
     .help = "where results and figures go"},
    {.name = "model",
     .letter = 'm',
     .kind = FQ_OPTION_TEXT,
     .value = &model,
     .argument = "FILE",
     .help = "checkpoint whose KV cache is taken: GGUF or safetensors"},
    {.name = "text",
     .letter = 't',
     .kind = FQ_OPTION_TEXT,
     .value = &text_path,
     .argument = "FILE",
     .help = "text to run the model over, UTF-8"},
    {.name = "quick", .kind = FQ_OPTION_FLAG, .value = &quick, .help = "fewer points and tokens"},
    {0}};

static const fq_usage usage = {
    .verb = "reproduce",
    .summary =
        "Runs the experiments of the canonical source, those on the KV cache of a model, and the theory\n"
        "checks, stores every point in FOLDER/results.h5, draws the figures and prints a summary. Run\n"
        "again, it goes on where it stopped.",
    .arguments = "",
    .options = options,
    .notes = "./reproduce fetches the default model and text and names them here. Without them the parts "
             "that need\n"
             "a real cache are left out, and the end says so.",
    .examples = "fibquant reproduce -m model.gguf -t book.txt -o reproduction",
};

enum { PATH = FQ_PATH_MAX, ARGUMENTS = 12, POINTS_FAILED = 5 };

/* Runs this program again with other arguments; its exit status, or -1. */
static int run_self(const char *const *arguments) {
    fputs("\n$ fibquant", stdout);
    for (size_t i = 1; arguments[i]; i++)
        printf(" %s", arguments[i]);
    putchar('\n');
    fflush(stdout);
    void (*const usual)(int) =
        signal(SIGINT, SIG_IGN); /* Ctrl-C is the child's, which finishes what it must */
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, usual == SIG_IGN ? SIG_IGN : SIG_DFL);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* and what ends this process ends it, too */
        char *copies[ARGUMENTS + 1] = {0};
        for (size_t i = 0; arguments[i] && i < ARGUMENTS; i++)
            copies[i] = strdup(arguments[i]);
        execv("/proc/self/exe", copies);
        _exit(127);
    }
    int state = 0;
    bool waiting = child > 0;
    while (waiting && waitpid(child, &state, 0) < 0)
        if (errno != EINTR) {
            state = -1;
            waiting = false;
        }
    signal(SIGINT, usual);
    return child > 0 && WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static fq_status make_folder(const char *path) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", path, strerror(errno));
    return FQ_OK;
}

/* Sweeps a manifest of the folder into its results, with the quick form of it if there is one. */
static int sweep(const char *manifest_folder, const char *name, bool has_quick, const char *results) {
    char path[2 * PATH], model_axis[PATH + 8], text_axis[PATH + 8];
    const char *arguments[ARGUMENTS] = {"fibquant", "sweep", path, "-o", results, "--resume"};
    snprintf(path, sizeof path, "%s/%s%s.yaml", manifest_folder, name, quick && has_quick ? "_quick" : "");
    if (strcmp(name, "perplexity") == 0) {
        snprintf(model_axis, sizeof model_axis, "model=%s", model);
        snprintf(text_axis, sizeof text_axis, "text=%s", text_path);
        arguments[6] = "--set";
        arguments[7] = model_axis;
        arguments[8] = "--set";
        arguments[9] = text_axis;
    }
    return run_self(arguments);
}

/* The cache of the model over the text, where the manifests expect it; made once. */
static int make_cache(void) {
    char path[PATH + 16];
    snprintf(path, sizeof path, "%s/cache.h5", folder);
    if (access(path, F_OK) == 0)
        return 0;
    return run_self((const char *const[]){"fibquant", "cache", "-m", model, "-t", text_path, "--tokens",
                                          quick ? "512" : "1024", "-o", path, NULL});
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
        (void)fq_results_keep_newest(&store); /* plot has said how many */
    if (status == FQ_OK)
        status = fq_distortion_summary_print(stdout, &store);
    if (status == FQ_OK && fq_results_table(&store, "fidelity")) {
        putchar('\n');
        status = fq_fidelity_summary_print(stdout, &store);
    }
    if (status == FQ_OK && fq_results_table(&store, "universality")) {
        putchar('\n');
        status = fq_universality_summary_print(stdout, &store);
    }
    if (status == FQ_OK && fq_results_table(&store, "perplexity")) {
        putchar('\n');
        status = fq_perplexity_summary_print(stdout, &store);
    }
    fq_results_clear(&store);
    return status;
}

static int run_sweeps(const char *manifest_folder, const char *results) {
    static const struct {
        const char *name;
        bool has_quick, needs_model;
    } steps[] = {{"source_law", false, false}, {"cells", false, false},      {"rate_distortion", true, false},
                 {"frontier", true, true},     {"universality", true, true}, {"perplexity", true, true}};
    int code = model && text_path ? make_cache() : 0, failed = 0;
    for (size_t i = 0; code == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i].needs_model && !(model && text_path))
            continue;
        code = sweep(manifest_folder, steps[i].name, steps[i].has_quick, results);
        if (code == POINTS_FAILED) { /* the others are stored and worth drawing */
            failed = code;
            code = 0;
        }
    }
    return code ? code : failed;
}

static int run_steps(const char *manifest_folder) {
    char results[PATH + 16];
    snprintf(results, sizeof results, "%s/results.h5", folder);
    const int code = run_sweeps(manifest_folder, results);
    if (code != 0 && code != POINTS_FAILED)
        return code;
    const int verdict =
        run_self(quick ? (const char *const[]){"fibquant", "verify", "--quick", "-o", results, NULL}
                       : (const char *const[]){"fibquant", "verify", "-o", results, NULL});
    if (verdict < 0 || verdict > 128)
        return verdict; /* interrupted */
    const int drawn = run_self((const char *const[]){"fibquant", "plot", results, "-o", folder, NULL});
    if (print_summary(results) != FQ_OK)
        return fq_verb_fail("reproduce");
    if (!model || !text_path)
        printf("\nLeft out, for want of --model and --text: the frontier, universality and perplexity of a "
               "real cache.\n");
    printf("\nFigures and data are in %s, every point in %s.\n", folder, results);
    return drawn != 0 ? drawn : verdict != 0 ? verdict : code;
}

static int run(int argc, const char **argv) {
    int exit_code;
    char manifest_folder[PATH];
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    if (snprintf(manifest_folder, sizeof manifest_folder, "%s/manifests", folder) >= PATH - 64)
        return fq_options_refuse(&usage, "--output: a path shorter than %d bytes", PATH - 64);
    if (!model != !text_path)
        return fq_options_refuse(&usage, "--%s is missing; allowed: --model and --text, or neither",
                                 model ? "text" : "model");
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
