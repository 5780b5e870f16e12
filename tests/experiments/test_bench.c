/* The verb bench as its users run it, on sizes that take no time, and its statistics. Nothing here
 * depends on how fast anything is. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "bench_statistics.h"
#include "check.h"
#include "command.h"
#include "stream.h"

static void order_statistics_of_known_samples(void) {
    double few[] = {5, 1, 9, 3};
    fq_bench_summary s = fq_bench_summarise(few, 4);
    FQ_CHECK(s.median == 4 && s.minimum == 1 && s.median_low == 1 && s.median_high == 9);
    FQ_CHECK(s.lower == 2.5 && s.upper == 6);
    double nine[] = {9, 8, 7, 6, 5, 4, 3, 2, 1}; /* P(Binomial(9,1/2) < 2) = 10/512 < 0.025 < 46/512 */
    s = fq_bench_summarise(nine, 9);
    FQ_CHECK(s.median == 5 && s.median_low == 2 && s.median_high == 8 && s.lower == 3 && s.upper == 7);
    double eight[] = {2, 3, 4, 5, 6, 7, 8, 1}; /* the median of an even number; 1/256 < 0.025 < 9/256 */
    s = fq_bench_summarise(eight, 8);
    FQ_CHECK(s.median == 4.5 && s.median_low == 1 && s.median_high == 8);
    double one[] = {7};
    s = fq_bench_summarise(one, 1);
    FQ_CHECK(s.median == 7 && s.median_low == 7 && s.median_high == 7 && s.minimum == 7);
    FQ_CHECK(isnan(fq_bench_summarise(NULL, 0).median));
}

/* The interval holds the true median in at least 95 % of samples: of 4000 it misses at most 5 % plus six
 * standard deviations (false alarm 1e-9). */
static void interval_covers_the_median(void) {
    enum { TRIALS = 4000, N = 25 };
    size_t missed = 0;
    for (uint64_t t = 0; t < TRIALS; t++) {
        double sample[N];
        fq_stream stream;
        fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 7000000 + t);
        for (size_t i = 0; i < N; i++)
            sample[i] = -log(fq_stream_uniform(&stream));
        const fq_bench_summary s = fq_bench_summarise(sample, N);
        missed += !(s.median_low <= log(2) && log(2) <= s.median_high);
    }
    FQ_CHECK((double)missed <= TRIALS * 0.05 + 6 * sqrt(TRIALS * 0.05 * 0.95));
    FQ_CHECK((double)missed >= TRIALS * 0.02); /* 4.3 % are expected: not far too wide either */
}

static const fq_command_result *expect(const char *program, int exit_code, const char *arguments,
                                       const char *names) {
    const fq_command_result *const r = fq_command("$%s bench %s", program, arguments);
    const bool good = FQ_CHECK(r->exit_code == exit_code) &&
                      FQ_CHECK(strstr(r->out, names) != NULL || strstr(r->err, names) != NULL);
    if (!good)
        fprintf(stderr, "bench %s: exit %d, wanted %d and \"%s\"\nout: %.1500s\nerr: %s\n", arguments,
                r->exit_code, exit_code, names, r->out, r->err);
    return r;
}

#define EXAMPLE "{FIBQUANT}_example"

static void rows_are_verified_and_printed(void) {
    const fq_command_result *r =
        expect(EXAMPLE, 0, "--only sum:right --rounds 5 --quiet", "sum right: a thousand");
    FQ_CHECK(strstr(r->out, "backward") && strstr(r->out, ": met") && strstr(r->out, "share") &&
             strstr(r->out, "1 met, 1 missed"));
    FQ_CHECK(!strstr(r->out, "WRONG") && !strstr(r->out, "broken") && !strstr(r->out, "machine"));
    r = expect("FIBQUANT", 0, "--only nearest:k=2,N=64 --quick --quiet", "nearest k=2,N=64");
    FQ_CHECK(strstr(r->out, "OpenBLAS") && strstr(r->out, "naive loops") && strstr(r->out, "FMA peak"));
    expect("FIBQUANT", 0, "--only machine --quick --quiet", "Clock: ");
}

/* Memory is what the system says of a child process; its peak is right only if the work is. */
static void memory_is_measured_in_children(void) {
    const fq_command_result *const r =
        expect("FIBQUANT", 0, "--only memory --only lloyd:k=2,N=64 --quick --quiet", "200000 samples");
    FQ_CHECK(strstr(r->out, "40000 vectors") && strstr(r->out, "tolerance 1/50") && !strstr(r->out, "WRONG"));
}

static void a_broken_variant_is_caught(void) {
    const fq_command_result *const r =
        expect(EXAMPLE, 1, "--only sum --rounds 2 --quiet", "2 rows are WRONG");
    FQ_CHECK(strstr(r->out, "forgets the last") && strstr(r->out, "the sum is 499500, not 500500"));
    FQ_CHECK(strstr(r->out, "does nothing") != NULL);
    FQ_CHECK(strstr(r->out, "3.00 apples") && strstr(r->out, "<= 2 apples: missed"));
}

static void json_holds_every_row_with_its_samples(void) {
    const fq_command_result *const r =
        expect(EXAMPLE, 1, "--only sum:broken --rounds 6 --json --quiet --seed 3", "{");
    json_error_t error;
    json_t *const root = json_loads(r->out, 0, &error);
    if (!FQ_CHECK(root != NULL))
        return;
    const json_t *const rows = json_object_get(root, "rows");
    FQ_CHECK(!strcmp(json_string_value(json_object_get(root, "format")), "fibquant bench"));
    FQ_CHECK(json_array_size(rows) == 6 && json_integer_value(json_object_get(root, "exit_code")) == 1);
    size_t i, timed = 0, wrong = 0;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const size_t samples = json_array_size(json_object_get(row, "samples_wall_s"));
        const bool good = json_is_true(json_object_get(row, "verified"));
        const double median = json_number_value(json_object_get(json_object_get(row, "seconds"), "median"));
        timed += good && samples >= 5 && median > 0; /* the sixth round is left out on a slow machine */
        wrong +=
            !good && samples == 0 && json_is_null(json_object_get(json_object_get(row, "seconds"), "median"));
        FQ_CHECK(json_array_size(json_object_get(row, "samples_cpu_s")) == samples);
    }
    FQ_CHECK(timed == 3 && wrong == 2);
    json_decref(root);
}

static const char store_script[] =
    "import h5py, statistics as s\n"
    "f = h5py.File('b.h5'); t = f['bench'][...]; x = f['bench-samples'][...]\n"
    "assert sorted(r['variant'].decode() for r in t) == ['FMA peak', 'OpenBLAS sgemm + argmax', 'backward', "
    "'forward',\n"
    "    'half', 'naive loops'] + sorted(r['variant'].decode() for r in t if r['kind'] == b'ours' and "
    "r['bench'] == b'nearest'), t\n"
    "for r in t:\n"
    "    own = [y['wall'] for y in x if all(y[n] == r[n] for n in ('bench', 'case', 'variant'))]\n"
    "    assert len(own) == r['rounds'] > 0 and r['verified'] == 1\n"
    "    assert abs(s.median(own) - r['median']) <= 1e-12 * r['median'] and min(own) == r['minimum']\n"
    "    assert abs(r['rate'] * r['median'] / r['amount'] - 1) < 1e-12\n"
    "a, b = (next(r for r in t if r['variant'] == n) for n in (b'forward', b'backward'))\n"
    "w = lambda v: [y['wall'] for y in x if y['variant'] == v]\n"
    "assert abs(s.median(p / q for p, q in zip(w(b'forward'), w(b'backward'))) / b['times_naive'] - 1) < "
    "1e-12\n"
    "assert a['times_naive'] == 1 and a['axis'] == b'terms' and a['axis_value'] == 1000\n"
    "assert 'bench' in str(f['provenance/run_00001'].attrs['argv'])\n"
    "print('agree', len(f['provenance']))\n";

static void the_store_holds_rows_and_samples(void) {
    char path[1024];
    snprintf(path, sizeof path, "%s/store.py", fq_test_folder());
    FILE *const script = fopen(path, "w");
    if (!FQ_CHECK(script != NULL))
        return;
    fputs(store_script, script);
    fclose(script);
    expect(EXAMPLE, 0, "--only sum:right --rounds 5 --quiet -o b.h5", "sum right");
    expect(EXAMPLE, 0, "--only nearest:k=2,N=16 --quick --quiet -o b.h5", "nearest");
    expect(EXAMPLE, 0, "--only sum:right --rounds 7 --quiet -o b.h5", "sum right"); /* replaces the first */
    const fq_command_result *r = fq_command("/usr/bin/python3 store.py");
    if (!FQ_CHECK(strstr(r->out, "agree 3") != NULL))
        fprintf(stderr, "%s\n", r->err);
    r = fq_command("$FIBQUANT results b.h5 --table bench --column variant --column kind --column median");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "backward") && strstr(r->out, "naive"));
    expect(EXAMPLE, 4, "--only sum:right --rounds 1 --quiet -o /absent/b.h5", "/absent/b.h5");
}

static void every_benchmark_verifies_what_it_times(void) {
    static const char *const cases[] = {"lloyd:k=2,N=64",
                                        "lloyd:k=4,N=256",
                                        "encode:fib:k=2,N=16",
                                        "encode:tq:b=2",
                                        "encode:fib:k=4,N=256,rot=hadamard",
                                        "decode:fib:k=8,N=256",
                                        "decode:tq:b=2, rotated",
                                        "memory:decode",
                                        "memory:training samples",
                                        "scaling:encode: tokens=1024",
                                        "scaling:Lloyd: threads=1"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char arguments[128];
        snprintf(arguments, sizeof arguments, "--quick --quiet --rounds 1 --only '%s'", cases[i]);
        const fq_command_result *const r = expect("FIBQUANT", 0, arguments, " rows; targets: ");
        FQ_CHECK(!strstr(r->out, "WRONG") && strstr(r->out, "ours"));
    }
}

static off_t size_of(const char *name) {
    char path[1024];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return stat(path, &info) == 0 ? info.st_size : 0;
}

static void figures_show_what_was_stored(void) {
    expect("FIBQUANT", 0,
           "--quick --quiet --rounds 1 --only nearest:k=4,N=256 --only nearest:k=2,N=16 -o f.h5", "nearest");
    expect("FIBQUANT", 0,
           "--quick --quiet --rounds 1 --only 'scaling:search, k=4: N=16' --only 'scaling:search, k=4: N=64' "
           "--only 'scaling:encode, haar: d=16' --only 'scaling:encode, haar: d=32' "
           "--only 'scaling:encode, hadamard: d=16' -o f.h5",
           "scaling");
    const fq_command_result *stored =
        fq_command("/usr/bin/python3 -c \"import h5py; f = h5py.File('f.h5'); b = f['bench'][...]; "
                   "print(*sorted({(s, float(r['axis_slope'])) for r in b for s in ('haar', 'hadamard') "
                   "if 'encode, ' + s in r['case'].decode()}), "
                   "*[sorted({int(r['run']) for r in f[n]}) for n in sorted(f) if n.startswith('bench')], "
                   "any(b' and ' in r['target'] for r in b))\"");
    if (!FQ_CHECK(!strcmp(stored->out, "('haar', 2.0) ('hadamard', 1.0) [1, 2] [1, 2] False\n")))
        fprintf(stderr, "%s%s\n", stored->out, stored->err);
    const fq_command_result *r = fq_command("$FIBQUANT plot f.h5 -o figures");
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "%s\n", r->err);
    FQ_CHECK(size_of("figures/bench.png") > 10000 && size_of("figures/bench_scaling.png") > 10000);
    FQ_CHECK(size_of("figures/bench.pdf") > 3000 && size_of("figures/bench_scaling.pdf") > 3000);
    r = fq_command("cat figures/data/bench.tsv");
    FQ_CHECK(strstr(r->out, "\tk=4,N=256\n") && strstr(r->out, "\tk=2,N=16\n"));
    FQ_CHECK(!strstr(r->out, "portable")); /* only the first path of a case */
    r = fq_command(
        "grep -c -e 'search, k=4: ' -e 'OpenBLAS, k=4: ' -e 'encode, haar: ' figures/data/bench_scaling.tsv");
    FQ_CHECK(!strcmp(r->out, "3\n"));
}

static void wrong_usage(void) {
    expect("FIBQUANT", 2, "--only nearst", "no such benchmark; allowed are ");
    expect("FIBQUANT", 2, "--only nearest:k=3", "--only nearest:k=3: no such benchmark");
    expect("FIBQUANT", 2, "--only machine --only", "--only");
    expect("FIBQUANT", 2, "--rounds 0", "--rounds");
    expect("FIBQUANT", 2, "--threads 0", "--threads");
    const fq_command_result *const r = expect("FIBQUANT", 0, "--list", "machine: ");
    FQ_CHECK(strstr(r->out, "nearest:k=4,N=256") && strstr(r->out, "machine:core"));
}

static const fq_test tests[] = {
    {"order statistics of known samples", order_statistics_of_known_samples},
    {"interval covers the median", interval_covers_the_median},
    {"rows are verified and printed", rows_are_verified_and_printed},
    {"memory is measured in children", memory_is_measured_in_children},
    {"a broken variant is caught", a_broken_variant_is_caught},
    {"JSON holds every row with its samples", json_holds_every_row_with_its_samples},
    {"the store holds rows and samples", the_store_holds_rows_and_samples},
    {"every benchmark verifies what it times", every_benchmark_verifies_what_it_times},
    {"figures show what was stored", figures_show_what_was_stored},
    {"wrong usage", wrong_usage},
    {0},
};
const fq_suite fq_suite_bench = {"bench", tests};
