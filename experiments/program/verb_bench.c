/* fibquant bench: how fast it is, beside what the machine, plain loops and a tuned library do. */
#include <stdio.h>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "bench_report.h"
#include "options.h"
#include "output_check.h"
#include "verb.h"
#include "verb_support.h"

static size_t processors(void) {
#ifdef _OPENMP
    return (size_t)omp_get_num_procs();
#else
    return 1;
#endif
}

static fq_status store(const char *path, const fq_bench_report *report, int argc, const char **argv) {
    fq_provenance provenance;
    FQ_TRY(fq_verb_provenance(&provenance, argc, argv, report->seed));
    const fq_status status = fq_bench_store_write(path, report, &provenance);
    fq_provenance_clear(&provenance);
    return status;
}

static fq_status run_and_write(fq_bench_report *report, const fq_bench_settings *settings, bool json,
                               const char *output, int argc, const char **argv) {
    FQ_TRY(fq_bench_report_run(report, settings));
    if (output)
        FQ_TRY(store(output, report, argc, argv));
    if (json)
        return fq_verb_print_json(fq_bench_report_json(report));
    fq_bench_print_end(report);
    return FQ_OK;
}

/* Prints a case as soon as it is done; the head before the first. */
static void print_case(const fq_bench_report *report, size_t first) {
    if (first == 0)
        fq_bench_print_head();
    fq_bench_print_rows(report, first);
}

static int run(int argc, const char **argv) {
    bool json = false, list = false;
    const char *output = NULL;
    fq_option_list only = {0};
    fq_bench_settings settings = {.rounds = 25, .seconds = 20, .seed = 20260511, .threads = processors()};
    bool rounds_given = false;
    const fq_option options[] = {
        FQ_OPTION_JSON(json),
        {.name = "list",
         .kind = FQ_OPTION_FLAG,
         .value = &list,
         .help = "name every benchmark and its cases, and stop"},
        {.name = "only",
         .kind = FQ_OPTION_LIST,
         .value = &only,
         .argument = "NAME",
         .help = "a benchmark, or one case of it as NAME:CASE"},
        {.name = "scaling",
         .kind = FQ_OPTION_FLAG,
         .value = &settings.scaling,
         .help = "cost against N, k, d, tokens and threads instead"},
        {.name = "quick",
         .kind = FQ_OPTION_FLAG,
         .value = &settings.quick,
         .help = "small sizes: whether everything works, not how fast"},
        {.name = "output",
         .letter = 'o',
         .kind = FQ_OPTION_TEXT,
         .value = &output,
         .argument = "RESULTS.h5",
         .help = "store everything in this results file (tables bench and bench-samples)"},
        {.name = "rounds",
         .kind = FQ_OPTION_SIZE,
         .value = &settings.rounds,
         .argument = "R",
         .least = 1,
         .most = FQ_BENCH_ROUNDS_MAX,
         .given = &rounds_given,
         .help = "samples of each variant"},
        {.name = "seconds",
         .kind = FQ_OPTION_REAL,
         .value = &settings.seconds,
         .argument = "S",
         .least = 0,
         .most = 86400,
         .help = "take no more samples of a case after so many seconds, beyond five"},
        {.name = "threads",
         .kind = FQ_OPTION_SIZE,
         .value = &settings.threads,
         .argument = "T",
         .least = 1,
         .most = 1024,
         .help = "most threads that rows on several threads use; all others use one"},
        {.name = "seed",
         .kind = FQ_OPTION_UINT64,
         .value = &settings.seed,
         .argument = "SEED",
         .help = "seed of the data and of the order of variants"},
        FQ_OPTION_QUIET(settings.quiet),
        {0}};
    const fq_usage usage = {
        .verb = "bench",
        .summary =
            "Times nearest-codeword search, training, encoding, decoding and attention beside the machine's "
            "limits, naive loops and a tuned library on the same work.",
        .arguments = "",
        .options = options,
        .notes =
            "Each output is verified before it is timed; variants take turns in random order, round by "
            "round. "
            "Medians, spreads, ratios within rounds, and the fraction of the limit are reported. A target "
            "missed is shown, and is no failure.",
        .examples =
            "fibquant bench\nfibquant bench --only nearest\nfibquant bench --only nearest:k=4,N=256 --json\n"
            "fibquant bench -o bench.h5 && fibquant bench --scaling -o bench.h5 && fibquant plot bench.h5 -o "
            "figures\n",
        .exit_status = "1 an output was wrong"};
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    for (size_t i = 0; i < only.count; i++) {
        if (settings.only_count == sizeof settings.only / sizeof settings.only[0])
            return fq_options_refuse(&usage, "--only %.60s: at most 16 may be named", only.items[i]);
        settings.only[settings.only_count++] = only.items[i];
    }
    if (settings.quick && !rounds_given)
        settings.rounds = 3;
    if (list)
        return fq_bench_list(&settings) == FQ_OK ? 0 : fq_verb_fail("bench");
    const fq_output outputs[] = {{"--output", output, FQ_OUTPUT_STORE}, {0}};
    if (!fq_outputs_good(&usage, outputs, NULL, &exit_code))
        return exit_code;
    settings.finished = json ? NULL : print_case;
    fq_bench_report report;
    const fq_status status = run_and_write(&report, &settings, json, output, argc, argv);
    exit_code = status == FQ_OK ? fq_bench_report_exit_code(&report) : fq_verb_fail("bench");
    fq_bench_report_clear(&report);
    return exit_code;
}

const fq_verb fq_verb_bench = {"bench", "time everything beside the machine's limits, verified first", run};
