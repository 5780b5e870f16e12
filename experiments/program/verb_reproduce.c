/* fibquant reproduce: everything that has a figure, one command line after another, exactly as a user
 * could type them. The manifests are written into the folder first, so each step can be repeated alone.
 */
#include <assert.h>
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
#include "checkpoint.h"
#include "distortion_summary.h"
#include "embedded_text.h"
#include "failure.h"
#include "fidelity_summary.h"
#include "kv_cache_file.h"
#include "model_text.h"
#include "options.h"
#include "output_check.h"
#include "perplexity_summary.h"
#include "result_store.h"
#include "universality_summary.h"
#include "verb.h"
#include "verb_support.h"

extern const fq_embedded_text fq_manifests[];

static const char *folder, *model, *text_path, *other;
static bool quick, json;
static bool second_part;   /* the text is long enough for the cache cache_b.h5 */
static json_t *steps_done; /* for --json */

static const fq_option options[] = {
    {.name = "output",
     .letter = 'o',
     .kind = FQ_OPTION_TEXT,
     .value = &folder,
     .argument = "FOLDER",
     .help = "where results and figures go (default reproduction, with --quick reproduction-quick)"},
    {.name = "model",
     .letter = 'm',
     .kind = FQ_OPTION_TEXT,
     .value = &model,
     .argument = "FILE",
     .help = "checkpoint whose KV cache is taken: a GGUF file, or the safetensors file in a model's folder"},
    {.name = "text",
     .letter = 't',
     .kind = FQ_OPTION_TEXT,
     .value = &text_path,
     .argument = "FILE",
     .help = "text to run the model over, UTF-8"},
    {.name = "quick", .kind = FQ_OPTION_FLAG, .value = &quick, .help = "fewer points and tokens"},
    {.name = "compare",
     .kind = FQ_OPTION_TEXT,
     .value = &other,
     .argument = "OTHER.h5",
     .help = "at the end lists values that differ from another machine's or version's by over four standard "
             "errors (fibquant diff --errors 4)"},
    FQ_OPTION_JSON(json),
    {0}};

static const fq_usage usage = {
    .verb = "reproduce",
    .summary =
        "Runs the experiments of the canonical source, those on the KV cache of a model, and the theory\n"
        "checks, stores every point in FOLDER/results.h5, draws the figures and prints a summary. Run\n"
        "again, it goes on where it stopped; a folder is for one model and one text.",
    .arguments = "",
    .options = options,
    .notes = "./reproduce fetches the default model and text and names them here. Without them the parts "
             "that need\n"
             "a real cache are left out, and the end says so.",
    .examples = "fibquant reproduce -m model.gguf -t book.txt -o reproduction\n"
                "fibquant reproduce -m model.gguf -t book.txt --compare theirs/results.h5",
};

enum { PATH = FQ_PATH_MAX, ARGUMENTS = 16, POINTS_FAILED = 5 };

/* Tokens of the caches: what things are chosen on, and of the second part of the text, what they are shown
 * on. */
enum { QUICK_TOKENS = 512, TOKENS = 1024, LONG_TOKENS = 8192, SECOND_PART = 100000 };

/* A command line of this program. */
typedef struct command {
    const char *words[ARGUMENTS + 1];
    size_t count;
} command;

static void add(command *c, const char *word) {
    assert(c->count < ARGUMENTS);
    c->words[c->count++] = word;
}

static command command_of(const char *verb) {
    command c = {.words = {"fibquant", verb}, .count = 2};
    if (fq_options_quiet())
        add(&c, "--quiet");
    if (fq_options_no_progress())
        add(&c, "--no-progress");
    return c;
}

/* Waits for the child to end, however often a signal interrupts the waiting. */
static int wait_for(pid_t child) {
    int state = 0;
    while (waitpid(child, &state, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

static void tell(const command *c, int exit_code) {
    json_t *words = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(words, fq_json_text(c->words[i]));
    json_array_append_new(steps_done, json_pack("{s:o, s:i}", "command", words, "exit_status", exit_code));
}

/* Runs this program again with other arguments; its exit status, or -1. With --json standard output is kept
 * for the document. */
static int run_self(const command *c) {
    FILE *const to = json ? stderr : stdout;
    if (!json || !fq_options_quiet()) {
        fputs("\n$ fibquant", to);
        for (size_t i = 1; i < c->count; i++)
            fprintf(to, " %s", c->words[i]);
        putc('\n', to);
    }
    fflush(NULL);
    void (*const usual)(int) =
        signal(SIGINT, SIG_IGN); /* Ctrl-C is the child's, which finishes what it must */
    const pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, usual == SIG_IGN ? SIG_IGN : SIG_DFL);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* and what ends this process ends it, too */
        if (json)
            dup2(STDERR_FILENO, STDOUT_FILENO);
        char *copies[ARGUMENTS + 1] = {0};
        for (size_t i = 0; i < c->count; i++)
            copies[i] = strdup(c->words[i]);
        execv("/proc/self/exe", copies);
        _exit(127);
    }
    const int exit_code = child > 0 ? wait_for(child) : -1;
    signal(SIGINT, usual);
    tell(c, exit_code);
    return exit_code;
}

static fq_status make_folder(const char *path) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", path, strerror(errno));
    return FQ_OK;
}

/* Sweeps a manifest of the folder into its results, with the quick form of it if there is one. */
static int sweep(const char *manifest_folder, const char *name, bool has_quick, const char *results) {
    char path[2 * PATH], model_axis[PATH + 8], text_axis[PATH + 8];
    command c = command_of("sweep");
    snprintf(path, sizeof path, "%s/%s%s.yaml", manifest_folder, name, quick && has_quick ? "_quick" : "");
    add(&c, "-o");
    add(&c, results);
    add(&c, "--resume");
    if (strcmp(name, "perplexity") == 0) {
        snprintf(model_axis, sizeof model_axis, "model=%s", model);
        snprintf(text_axis, sizeof text_axis, "text=%s", text_path);
        add(&c, "--set");
        add(&c, model_axis);
        add(&c, "--set");
        add(&c, text_axis);
    }
    add(&c, "--"); /* a folder's name may begin with a dash */
    add(&c, path);
    return run_self(&c);
}

/* The cache of the model over the text from token skip on, where the manifests expect it; made once. */
static int make_cache(const char *name, size_t tokens, size_t skip) {
    char path[PATH + 16], length[24], first[24];
    command c = command_of("cache");
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (access(path, F_OK) == 0)
        return 0;
    snprintf(length, sizeof length, "%zu", tokens);
    snprintf(first, sizeof first, "%zu", skip);
    const char *const words[] = {"-m",   model,    "-t",  text_path, "--tokens",
                                 length, "--skip", first, "-o",      path};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        add(&c, words[i]);
    return run_self(&c);
}

/* Tokens of the long cache over the text's second part, on which nothing was chosen: the model's context, up
 * to LONG_TOKENS; 0 where the text is too short for it. */
static fq_status plan_second_part(size_t *tokens) {
    fq_model_text m;
    *tokens = 0;
    FQ_TRY(fq_model_text_load(&m, model, text_path));
    const size_t context = m.model.config.context, wanted = context < LONG_TOKENS ? context : LONG_TOKENS;
    if (wanted >= TOKENS && fq_model_text_check(&m, SECOND_PART, wanted) == FQ_OK)
        *tokens = wanted;
    fq_model_text_clear(&m);
    return FQ_OK;
}

/* Both caches, the second one where the text has a second part. */
static int make_caches(bool *second) {
    char path[PATH + 16];
    size_t tokens = 0;
    *second = false;
    int code = make_cache("cache.h5", quick ? QUICK_TOKENS : TOKENS, 0);
    if (code != 0 || quick)
        return code;
    snprintf(path, sizeof path, "%s/cache_b.h5", folder);
    if (access(path, F_OK) != 0 && plan_second_part(&tokens) != FQ_OK)
        return fq_verb_fail("reproduce");
    *second = access(path, F_OK) == 0 || tokens > 0;
    return *second ? make_cache("cache_b.h5", tokens, SECOND_PART) : 0;
}

/* Whether model and text can be read, and a folder that was begun before was begun with the same model, text
 * and number of tokens: figures and summary are of one. If not, or if its cache cannot be read, it has said
 * so. */
static bool folder_is_of_the_same(int *exit_code) {
    char path[PATH + 16], model_sha256[FQ_SHA256_HEX], text_sha256[FQ_SHA256_HEX];
    fq_kv_cache *cache = NULL;
    fq_checkpoint *checkpoint = NULL;
    snprintf(path, sizeof path, "%s/cache.h5", folder);
    if (!model)
        return true;
    fq_status status = fq_sha256_file(model_sha256, model); /* no folder: a sweep's points read files */
    if (status == FQ_OK)
        status = fq_checkpoint_open(&checkpoint, model);
    if (status == FQ_OK)
        status = fq_checkpoint_sha256(checkpoint, model_sha256);
    fq_checkpoint_close(checkpoint);
    if (status == FQ_OK)
        status = fq_sha256_file(text_sha256, text_path);
    if (status == FQ_OK && access(path, F_OK) != 0)
        return true;
    if (status == FQ_OK)
        status = fq_kv_cache_open(&cache, path);
    if (status != FQ_OK) {
        *exit_code = fq_verb_fail("reproduce");
        return false;
    }
    const fq_kv_origin *origin = fq_kv_cache_origin(cache);
    const size_t tokens = fq_kv_cache_shape(cache)->tokens, wanted = quick ? QUICK_TOKENS : TOKENS;
    const bool other_model = strcmp(origin->model_sha256, model_sha256) != 0,
               other_text = strcmp(origin->text_sha256, text_sha256) != 0;
    *exit_code = 2;
    if (other_model || other_text)
        fq_options_refuse(&usage,
                          "--output %s: holds the reproduction of another %s (%s over %s); allowed: another "
                          "folder",
                          folder, other_model ? "model" : "text", origin->model, origin->text);
    else if (tokens != wanted)
        fq_options_refuse(&usage,
                          "--output %s: holds a reproduction %s --quick (a cache of %zu tokens, not %zu); "
                          "allowed: another folder",
                          folder, quick ? "without" : "with", tokens, wanted);
    fq_kv_cache_close(cache);
    return !other_model && !other_text && tokens == wanted;
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
    /* What a step needs beside its manifest, and whether --quick has a small form of it, or leaves it out. */
    enum { MODEL = 1, SECOND = 2, SMALL = 4, FULL = 8 };
    static const struct {
        const char *name;
        unsigned is;
    } steps[] = {{"source_law", 0},
                 {"cells", 0},
                 {"rate_distortion", SMALL},
                 {"frontier", MODEL | SMALL},
                 {"frontier_b", MODEL | SECOND | FULL},
                 {"protocols", MODEL | FULL},
                 {"universality", MODEL | SMALL},
                 {"perplexity", MODEL | SMALL}};
    const bool real = model && text_path;
    int code = real ? make_caches(&second_part) : 0, failed = 0;
    for (size_t i = 0; code == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        if (((steps[i].is & MODEL) && !real) || ((steps[i].is & SECOND) && !second_part) ||
            ((steps[i].is & FULL) && quick))
            continue;
        code = sweep(manifest_folder, steps[i].name, (steps[i].is & SMALL) != 0, results);
        if (code == POINTS_FAILED) { /* the others are stored and worth drawing */
            failed = code;
            code = 0;
        }
    }
    return code ? code : failed;
}

/* Sets the store beside another one, if there is one; the exit status so far, or that of the comparison if
 * all was well before. */
static int compare(const char *results, int exit_code) {
    command diff = command_of("diff");
    if (!other)
        return exit_code;
    const char *const words[] = {"--errors", "4", "--", results, other};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        add(&diff, words[i]);
    const int compared = run_self(&diff);
    return exit_code ? exit_code : compared;
}

static int run_steps(const char *manifest_folder) {
    char results[PATH + 16];
    snprintf(results, sizeof results, "%s/results.h5", folder);
    const int code = run_sweeps(manifest_folder, results);
    if (code != 0 && code != POINTS_FAILED)
        return code;
    command verify = command_of("verify"), plot = command_of("plot");
    add(&verify, "-o");
    add(&verify, results);
    if (quick)
        add(&verify, "--quick");
    const int verdict = run_self(&verify);
    if (verdict < 0 || verdict > 128)
        return verdict; /* interrupted */
    add(&plot, "-o");
    add(&plot, folder);
    add(&plot, "--");
    add(&plot, results);
    const int drawn = run_self(&plot);
    const int worst = drawn != 0 ? drawn : verdict != 0 ? verdict : code;
    if (json)
        return compare(results, worst);
    if (print_summary(results) != FQ_OK)
        return fq_verb_fail("reproduce");
    if (!model || !text_path)
        printf("\nLeft out, for want of --model and --text: the frontier, universality and perplexity of a "
               "real cache.\n");
    else if (!quick && !second_part)
        printf("\nLeft out: the frontier on a text that nothing was chosen on, which takes %d tokens of the "
               "model's context and of the text behind its first %d.\n",
               TOKENS, SECOND_PART);
    printf("\nFigures and data are in %s, every point in %s.\n", folder, results);
    return compare(results, worst);
}

/* What will be compared in the end can be read at the beginning. */
static bool other_is_a_store(int *exit_code) {
    fq_results store = {0};
    const fq_status status = other ? fq_store_read(other, &store) : FQ_OK;
    fq_results_clear(&store);
    if (status != FQ_OK)
        *exit_code = fq_verb_fail("reproduce");
    return status == FQ_OK;
}

/* Neither model nor text is a file that will be written into the folder. */
static bool outputs_are_good(int *exit_code) {
    static char paths[64][PATH + 64];
    fq_output outputs[66] = {{"--output", folder, FQ_OUTPUT_FOLDER}};
    const fq_input inputs[] = {{.option = "--model", .path = model},
                               {.option = "--text", .path = text_path},
                               {.option = "--compare", .path = other},
                               {0}};
    size_t count = 0;
    snprintf(paths[count++], sizeof paths[0], "%s/cache.h5", folder);
    snprintf(paths[count++], sizeof paths[0], "%s/cache_b.h5", folder);
    snprintf(paths[count++], sizeof paths[0], "%s/results.h5", folder);
    for (const fq_embedded_text *text = fq_manifests; text->name && count < 64; text++)
        snprintf(paths[count++], sizeof paths[0], "%s/manifests/%s", folder, text->name);
    for (size_t i = 0; i < count; i++)
        outputs[i + 1] = (fq_output){"--output", paths[i], FQ_OUTPUT_PART};
    return fq_outputs_good(&usage, outputs, inputs, exit_code);
}

static fq_status print_json(int exit_code) {
    char results[PATH + 16];
    snprintf(results, sizeof results, "%s/results.h5", folder);
    return fq_verb_print_json(
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:O, s:i}", "schema", "fibquant reproduce 1", "output",
                  fq_json_text(folder), "results", fq_json_text(results), "model", fq_json_text(model),
                  "text", fq_json_text(text_path), "steps", steps_done, "exit_status", exit_code));
}

static int run(int argc, const char **argv) {
    int exit_code;
    char manifest_folder[PATH];
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    if (!folder)
        folder = quick ? "reproduction-quick" : "reproduction";
    if (snprintf(manifest_folder, sizeof manifest_folder, "%s/manifests", folder) >= PATH - 64)
        return fq_options_refuse(&usage, "--output: a path shorter than %d bytes", PATH - 64);
    if (!model != !text_path)
        return fq_options_refuse(&usage, "--%s is missing; allowed: --model and --text, or neither",
                                 model ? "text" : "model");
    if (!outputs_are_good(&exit_code) || !other_is_a_store(&exit_code) || !folder_is_of_the_same(&exit_code))
        return exit_code;
    steps_done = json_array();
    if (make_folder(folder) != FQ_OK || make_folder(manifest_folder) != FQ_OK ||
        write_manifests(manifest_folder) != FQ_OK)
        return fq_verb_fail("reproduce");
    exit_code = run_steps(manifest_folder);
    if (exit_code < 0) {
        FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "a step was ended by a signal; run it again to go on");
        exit_code = fq_verb_fail("reproduce");
    }
    if (json && print_json(exit_code) != FQ_OK)
        return fq_verb_fail("reproduce");
    return exit_code;
}

const fq_verb fq_verb_reproduce = {"reproduce", "everything that has a figure, with a summary", run};
