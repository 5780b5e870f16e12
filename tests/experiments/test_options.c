#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "options.h"

static size_t dim;
static uint64_t seed;
static double bits;
static bool json;
static const char *output, *recipe;
static fq_option_list sets;

static const fq_option options[] = {
    {.name = "dim",
     .letter = 'd',
     .kind = FQ_OPTION_SIZE,
     .value = &dim,
     .argument = "D",
     .least = 2,
     .most = 16384,
     .required = true,
     .help = "vector dimension"},
    {.name = "seed", .kind = FQ_OPTION_UINT64, .value = &seed, .argument = "S", .help = "seed"},
    {.name = "bits",
     .kind = FQ_OPTION_REAL,
     .value = &bits,
     .argument = "B",
     .least = 0.25,
     .most = 8,
     .help = "bits a coordinate"},
    {.name = "json", .kind = FQ_OPTION_FLAG, .value = &json, .help = "print JSON"},
    {.name = "output",
     .letter = 'o',
     .kind = FQ_OPTION_TEXT,
     .value = &output,
     .argument = "FILE.h5",
     .help = "file to write"},
    {.name = "recipe",
     .kind = FQ_OPTION_CHOICE,
     .value = &recipe,
     .argument = "NAME",
     .choices = "population|paper",
     .help = "training recipe"},
    {.name = "set", .kind = FQ_OPTION_LIST, .value = &sets, .argument = "KEY=VALUE", .help = "override"},
    {0},
};
static const fq_usage usage = {.verb = "sample",
                               .summary = "Tests options.",
                               .arguments = "[FILE]",
                               .most_arguments = 1,
                               .options = options,
                               .examples = "fibquant sample --dim 64\nfibquant sample -d 2 FILE"};

typedef struct outcome {
    bool run;
    int exit_code;
    fq_arguments arguments;
    char out[8192], err[2048];
} outcome;

static void slurp(const char *path, char *text, size_t room) {
    FILE *file = fopen(path, "r");
    const size_t got = file ? fread(text, 1, room - 1, file) : 0;
    text[got] = '\0';
    if (file)
        fclose(file);
}

/* Parses with standard output and error caught in files. */
static outcome parse(int argc, const char **argv) {
    static outcome result;
    char paths[2][300];
    int saved[2];
    memset(&result, 0, sizeof result);
    dim = 64, seed = 1, bits = 2, json = false, output = NULL, recipe = "population", sets.count = 0;
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/std%d", fq_test_folder(), i);
        const int file = open(paths[i], O_WRONLY | O_CREAT | O_TRUNC, 0600);
        saved[i] = dup(i + 1);
        dup2(file, i + 1);
        close(file);
    }
    result.run = fq_options_parse(&usage, argc, argv, &result.arguments, &result.exit_code);
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        dup2(saved[i], i + 1);
        close(saved[i]);
    }
    slurp(paths[0], result.out, sizeof result.out);
    slurp(paths[1], result.err, sizeof result.err);
    return result;
}

#define PARSE(...)                                                                                           \
    parse((int)(sizeof((const char *[]){"fibquant sample", __VA_ARGS__}) / sizeof(char *)),                  \
          (const char *[]){"fibquant sample", __VA_ARGS__, NULL})

static void given_good_options_expect_their_values(void) {
    const outcome o = PARSE("-d", "128", "--seed=18446744073709551615", "--bits", "2.5", "--json", "-ox.h5",
                            "--recipe", "paper", "--set", "a=1", "--set", "b=2", "--", "--odd-name");
    FQ_CHECK(o.run);
    FQ_CHECK(dim == 128 && seed == UINT64_MAX && json && sets.count == 2);
    FQ_CHECK_NEAR(bits, 2.5, 0);
    FQ_CHECK(output && strcmp(output, "x.h5") == 0 && strcmp(recipe, "paper") == 0);
    FQ_CHECK(sets.count == 2 && strcmp(sets.items[0], "a=1") == 0 && strcmp(sets.items[1], "b=2") == 0);
    FQ_CHECK(o.arguments.count == 1 && strcmp(o.arguments.items[0], "--odd-name") == 0);
    FQ_CHECK(o.err[0] == '\0' && o.out[0] == '\0');
}

static void given_help_expect_defaults_ranges_examples_on_stdout(void) {
    static const char *const wanted[] = {"usage: fibquant sample [OPTION...] [FILE]",
                                         "-d, --dim D",
                                         "2 to 16384 (required)",
                                         "(default 2)",
                                         "population|paper",
                                         "(default population)",
                                         "fibquant sample -d 2 FILE",
                                         "Exit status: 0 success",
                                         "(may be repeated)"};
    const outcome o = PARSE("--help");
    FQ_CHECK(!o.run && o.exit_code == 0 && o.err[0] == '\0');
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (!FQ_CHECK(strstr(o.out, wanted[i]) != NULL))
            fprintf(stderr, "no \"%s\" in:\n%s\n", wanted[i], o.out);
}

static void refused(outcome o, const char *what, const char *remedy) {
    const char *newline = strchr(o.err, '\n');
    const bool good = FQ_CHECK(!o.run && o.exit_code == 2) && FQ_CHECK(newline && newline[1] == '\0') &&
                      FQ_CHECK(strncmp(o.err, "fibquant sample: ", 17) == 0) &&
                      FQ_CHECK(strstr(o.err, what) != NULL) && FQ_CHECK(strstr(o.err, remedy) != NULL) &&
                      FQ_CHECK(o.out[0] == '\0');
    if (!good)
        fprintf(stderr, "wanted \"%s\" and \"%s\" in: %s\n", what, remedy, o.err);
}

static void given_wrong_usage_expect_one_line_naming_it(void) {
    refused(PARSE("--dmi", "3"), "--dmi", "nearest is --dim");
    refused(PARSE("--recipes=paper"), "--recipes", "nearest is --recipe");
    refused(PARSE("-x"), "-x", "nearest is");
    refused(PARSE("--json"), "--dim D is missing", "--help");
    refused(PARSE("--dim"), "--dim", "its value is missing");
    refused(PARSE("--dim", "3", "--dim", "4"), "--dim", "given twice");
    refused(PARSE("--dim", "3", "-d", "4"), "--dim", "given twice");
    refused(PARSE("--dim", "3", "--json", "--json"), "--json", "given twice");
    refused(PARSE("--dim", "3", "--json=yes"), "--json", "fibquant sample --help");
    refused(PARSE("--dim", "3", "--recipe", "papier"), "papier", "nearest is \"paper\"");
    refused(PARSE("--dim", "3", "-o", ""), "--output", "allowed is a text");
    refused(PARSE("--dim", "3", "a", "b"), "unexpected argument \"b\"", "[FILE]");
}

static void given_bad_numbers_expect_refusal(void) {
    static const char *const bad_sizes[] = {
        "",       " 64", "64 ", "64x", "+64", "-64", "6.4e1", "0x40", "1", "16385", "99999999999999999999999",
        "--json", "nan"};
    static const char *const bad_reals[] = {"", " 2", "2 ", "2,5", "inf", "nan", "1e999", "0.2", "8.01", "b"};
    static const char *const bad_seeds[] = {"-1", "18446744073709551616", "1e3", ""};
    for (size_t i = 0; i < sizeof bad_sizes / sizeof bad_sizes[0]; i++)
        refused(PARSE("--dim", bad_sizes[i]), "--dim", "2 to 16384");
    for (size_t i = 0; i < sizeof bad_reals / sizeof bad_reals[0]; i++)
        refused(PARSE("--dim", "3", "--bits", bad_reals[i]), "--bits", "0.25 to 8");
    for (size_t i = 0; i < sizeof bad_seeds / sizeof bad_seeds[0]; i++)
        refused(PARSE("--dim", "3", "--seed", bad_seeds[i]), "--seed", "whole number");
}

static void edit_distances(void) {
    FQ_CHECK(fq_edit_distance("", "") == 0);
    FQ_CHECK(fq_edit_distance("abc", "") == 3);
    FQ_CHECK(fq_edit_distance("kitten", "sitting") == 3);
    FQ_CHECK(fq_edit_distance("codebok", "codebook") == 1);
}

static const fq_test tests[] = {
    {"good options", given_good_options_expect_their_values},
    {"help", given_help_expect_defaults_ranges_examples_on_stdout},
    {"wrong usage", given_wrong_usage_expect_one_line_naming_it},
    {"bad numbers", given_bad_numbers_expect_refusal},
    {"edit distances", edit_distances},
    {0},
};
const fq_suite fq_suite_options = {"options", tests};
