/* The sweep engine through its command line, on cheap points. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "command.h"

#define EXAMPLE "${FIBQUANT}_example"
#define MPI     "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n %d "

static void write_manifest(const char *name, const char *text) {
    FQ_CHECK(fq_command("cat > %s <<'END'\n%s\nEND\n", name, text)->exit_code == 0);
}

static bool ran(const fq_command_result *result, int wanted) {
    const bool ok = FQ_CHECK(result->exit_code == wanted);
    if (!ok)
        fprintf(stderr, "  exit %d, wanted %d\n%s%s", result->exit_code, wanted, result->out, result->err);
    return ok;
}

static const char grid[] = "experiment: rate-distortion\nseeds: [1, 2]\nreplicates: 2\ngrid:\n"
                           "  - {codec: ['tq:b=1', 'tq:b=2']}\n"
                           "  - {codec: ['tq:b=1.5', 'tqprod:b=2'], source: vector, samples: 600}\n";

static void given_threads_and_ranks_expect_the_same_values(void) {
    write_manifest("m.yaml", grid);
    ran(fq_command("OMP_NUM_THREADS=1 $FIBQUANT sweep m.yaml -o one.h5 -j 1 -q"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o two.h5 -j 2 -q"), 0);
    ran(fq_command("OMP_NUM_THREADS=3 $FIBQUANT sweep m.yaml -o threads.h5 -j 1 -q"), 0);
    ran(fq_command("$FIBQUANT diff one.h5 two.h5"), 0);
    FQ_CHECK(strstr(fq_command("$FIBQUANT diff one.h5 threads.h5")->out, "16 rows compared, 0 diff") != NULL);
    if (!fq_command_has_mpi()) {
        printf("       no mpirun here: ranks not tested\n");
        return;
    }
    ran(fq_command(MPI "$FIBQUANT sweep m.yaml -o rank.h5 -q", 1), 0);
    ran(fq_command(MPI "$FIBQUANT sweep m.yaml -o ranks.h5 -q", 3), 0);
    ran(fq_command("$FIBQUANT diff one.h5 rank.h5"), 0);
    ran(fq_command("$FIBQUANT diff one.h5 ranks.h5"), 0);
}

/* The bytes of all value columns and parameters, codebooks trained by each run for itself. */
static void given_threads_and_ranks_expect_the_same_bytes(void) {
    static const char *const runs[][3] = {
        {"t1", "", "OMP_NUM_THREADS=1 $FIBQUANT sweep m.yaml -j 1"},
        {"t2", "", "OMP_NUM_THREADS=2 $FIBQUANT sweep m.yaml -j 1"},
        {"w2", "", "$FIBQUANT sweep m.yaml -j 2"},
        {"r1", "mpi", "mpirun --oversubscribe -n 1 $FIBQUANT sweep m.yaml"},
        {"r3", "mpi", "mpirun --oversubscribe -n 3 $FIBQUANT sweep m.yaml"}};
    char names[64] = "";
    write_manifest("m.yaml", "experiments:\n"
                             "  - {experiment: rate-distortion, grid: {dim: 16, samples: 20000, "
                             "codec: ['fib:k=2,N=16,recipe=paper', 'fib:k=4,N=32,recipe=paper', 'tq:b=2']}}\n"
                             "  - {experiment: source-law, grid: {dim: 16, block: [1, 4], samples: 20000}}\n"
                             "  - {experiment: cells, grid: {dim: 16, codewords: 8, recipe: paper}}\n");
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        if (runs[i][1][0] && !fq_command_has_mpi())
            continue;
        ran(fq_command("export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; %s -o %s.h5 "
                       "--cache-folder cache_%s -q",
                       runs[i][2], runs[i][0], runs[i][0]),
            0);
        snprintf(names + strlen(names), sizeof names - strlen(names), " %s.h5", runs[i][0]);
    }
    const fq_command_result *result =
        fq_command("/usr/bin/python3 - %s <<'END'\n"
                   "import h5py, hashlib, sys\n"
                   "def digest(name):\n"
                   "    h, n, f = hashlib.sha256(), 0, h5py.File(name, 'r')\n"
                   "    for t in sorted(f):\n"
                   "        if t in ('provenance', 'failures'): continue\n"
                   "        for c, role in zip(f[t].attrs['columns'], f[t].attrs['roles']):\n"
                   "            if role != 'bookkeeping':\n"
                   "                b = f[t][c].tobytes(); h.update(b); n += len(b)\n"
                   "    return h.hexdigest(), n\n"
                   "all = {digest(n) for n in sys.argv[1:]}\n"
                   "assert len(all) == 1 and min(n for _, n in all) > 1000, all\n"
                   "print(len(sys.argv) - 1, 'runs,', [n for _, n in all][0], 'bytes each')\n"
                   "END\n",
                   names);
    if (ran(result, 0))
        printf("       %s", result->out);
}

/* Ids of points as their definition says (golden/make_point_identities.py): whatever else changes, rows that
 * are stored somewhere stay findable. */
static void given_manifests_expect_the_golden_identities(void) {
    char line[400], manifest[400];
    unsigned cases = 0;
    FILE *file = fopen(FQ_SOURCE_DIR "/tests/golden/point_identities.txt", "r");
    ran(fq_command("echo 'a file that points name' > some.file"), 0);
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(manifest, sizeof manifest, "%s", line + 65);
        line[64] = '\0';
        write_manifest("g.yaml", manifest);
        const fq_command_result *result = fq_command("$FIBQUANT sweep g.yaml --dry-run");
        if (!ran(result, 0) || !FQ_CHECK(strncmp(result->out, line, 12) == 0))
            fprintf(stderr,
                    "  %s: %.12s, wanted %.12s; on purpose? then run tests/golden/make_point_identities.py\n",
                    manifest, result->out, line);
        cases++;
    }
    if (file)
        fclose(file);
    FQ_CHECK(cases >= 12);
    /* the whole id, as it is stored */
    ran(fq_command(
            "head -n 1 %s/tests/golden/point_identities.txt | tee first | cut -c 66- > g.yaml; $FIBQUANT "
            "sweep "
            "g.yaml -o g.h5 -q && test $($FIBQUANT results g.h5 --csv --column point | tail -n 1) = $(cut -c "
            "1-64 first)",
            FQ_SOURCE_DIR),
        0);
}

/* Values of cheap points, column by column, to nine digits. */
static void given_a_manifest_expect_the_golden_values(void) {
    ran(fq_command("$FIBQUANT sweep %s/tests/golden/sweep_values.yaml -o v.h5 -q", FQ_SOURCE_DIR), 0);
    ran(fq_command("/usr/bin/python3 %s/tests/golden/sweep_values.py v.h5 > values.txt && diff values.txt "
                   "%s/tests/golden/sweep_values.txt",
                   FQ_SOURCE_DIR, FQ_SOURCE_DIR),
        0);
    /* columns that follow from others */
    ran(fq_command(
            "/usr/bin/python3 - <<'END'\n"
            "import h5py, numpy\n"
            "t = h5py.File('v.h5')['rate-distortion'][:]\n"
            "assert len(t) == 12\n"
            "block = t['source'] == b'block'\n"
            "fib = (t['family'] == b'fib') & block\n"
            "assert fib.sum() == 4 and numpy.allclose(t['rate'][fib], numpy.log2(t['codewords'][fib]) / "
            "t['block'][fib], rtol=1e-15)\n"
            "assert numpy.allclose(t['compression_payload'], 16 / t['rate'], rtol=1e-15)\n"
            "assert numpy.allclose(t['compression_stored'], 16 / t['rate_stored'], rtol=1e-15)\n"
            /* a norm of 16 bits a vector; two where channels are in groups, or a residual has its own */
            "two = numpy.isin(t['codec'], [b'tq:b=1.5', b'tqprod:b=2'])\n"
            "stored = t['rate'] + 16 / t['dim'] * (1 + two)\n"
            "assert two.sum() == 4 and numpy.allclose(t['rate_stored'], stored, rtol=1e-15)\n"
            "exact = t['distortion_se'] == 0\n"
            "assert (t['codec'][exact] == b'tq:b=2').all() and (t['distortion'] > t['distortion_se']).all()\n"
            "END\n"),
        0);
}

static void given_another_seed_expect_diff_to_see_it(void) {
    write_manifest("m.yaml", "experiment: rate-distortion\nseed: 1\ngrid: {codec: 'tq:b=1.5', "
                             "source: vector, samples: 600}");
    ran(fq_command("$FIBQUANT sweep m.yaml -o a.h5 -q"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o b.h5 -q --set samples=700"), 0);
    ran(fq_command("$FIBQUANT diff a.h5 b.h5"), 1);
    /* One bit of one value: neither hidden nor, with a tolerance, a difference. */
    ran(fq_command("cp a.h5 c.h5 && /usr/bin/python3 -c \"import h5py, numpy\n"
                   "f = h5py.File('c.h5', 'r+'); d = f['rate-distortion']; t = d[:]\n"
                   "t['distortion'] = numpy.nextafter(t['distortion'], 1); d[...] = t\""),
        0);
    ran(fq_command("$FIBQUANT diff a.h5 c.h5"), 3); /* another program changed it and left our digest */
    ran(fq_command(
            "/usr/bin/python3 -c \"import h5py; del h5py.File('c.h5', 'r+').attrs['content_sha256']\""),
        0);
    ran(fq_command("$FIBQUANT diff a.h5 c.h5"), 1);
    ran(fq_command("$FIBQUANT diff a.h5 c.h5 --relative 1e-15"), 0);
}

static void given_a_finished_store_expect_nothing_computed_twice(void) {
    write_manifest("m.yaml", grid);
    ran(fq_command("$FIBQUANT sweep m.yaml -o r.h5 -q"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o r.h5 -q"), 2);
    const fq_command_result *again = fq_command("$FIBQUANT sweep m.yaml -o r.h5 --resume");
    ran(again, 0);
    FQ_CHECK(strstr(again->err, "16 stored before, 0 done, 0 failed") != NULL);
    again = fq_command("$FIBQUANT sweep m.yaml -o r.h5 --resume --set 'seeds=[1, 2, 3]'");
    ran(again, 0);
    FQ_CHECK(strstr(again->err, "16 stored before, 8 done, 0 failed") != NULL);
    again = fq_command("$FIBQUANT sweep m.yaml -o r.h5 --force");
    ran(again, 0);
    FQ_CHECK(strstr(again->err, "0 stored before, 16 done, 0 failed") != NULL);
}

/* Rows of other sources are not mixed with ours, however the commit is called. */
static void given_rows_of_other_sources_expect_a_refusal(void) {
    static const char set[] = "/usr/bin/python3 -c \"import h5py; f = h5py.File('b.h5', 'r+'); "
                              "f.attrs.pop('content_sha256', None); a = f['provenance/run_00001'].attrs; "
                              "%s\"";
    write_manifest("m.yaml", "experiment: rate-distortion\ngrid: {codec: 'tq:b=1', samples: 100}");
    ran(fq_command("$FIBQUANT sweep m.yaml -o b.h5 -q && $FIBQUANT sweep m.yaml -o b.h5 -q --resume"), 0);
    ran(fq_command(set, "assert len(a['sources']) == 64; a['sources'] = '0' * 64"), 0);
    const fq_command_result *mixed = fq_command("$FIBQUANT sweep m.yaml -o b.h5 -q --resume");
    ran(mixed, 2);
    FQ_CHECK(strstr(mixed->err, "(sources 000000000000)") && strstr(mixed->err, "--allow-mixed-build"));
    ran(fq_command("$FIBQUANT sweep m.yaml -o b.h5 -q --resume --allow-mixed-build"), 0);
    /* a store without the hash: a changed tree is no identity */
    ran(fq_command(set, "del a['sources']; a['git'] = 'v1-dirty'"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o b.h5 -q --resume"), 2);
}

/* version.h: the same sources the same identity, whenever and wherever; one changed letter another. */
static void given_sources_expect_an_identity_of_their_contents(void) {
    const fq_command_result *result = fq_command(
        "sources() { cmake -DSOURCE_DIR=$PWD/$1 -DOUTPUT=$PWD/version.h -DVERSION=1 -DCOMPILER=c -DFLAGS= "
        "-DBUILD_TYPE=r -P '%s/.cmake/WriteVersion.cmake' && sed -n 's/.*SOURCES_SHA256 //p' version.h; }\n"
        "for t in one two; do mkdir -p $t/core/base $t/experiments $t/.cmake $t/build/core\n"
        "echo 'int a;' > $t/core/base/a.c; echo b > $t/experiments/verbs.def; echo c > $t/CMakeLists.txt\n"
        "echo d > $t/core/notes.md; done; touch -d 2001-01-01 two/core/base/a.c; echo other > "
        "two/core/notes.md\n"
        "sources one; sources two; echo ' ' >> two/core/base/a.c; sources two; mv one/core/base/a.c "
        "one/core/base/b.c; "
        "sources one; echo x >> one/experiments/verbs.def; sources one",
        FQ_SOURCE_DIR);
    char line[5][80] = {""};
    ran(result, 0);
    if (FQ_CHECK(sscanf(result->out, "%79s %79s %79s %79s %79s", line[0], line[1], line[2], line[3],
                        line[4]) == 5)) {
        FQ_CHECK(strlen(line[0]) == 66 && strcmp(line[0], line[1]) == 0);
        for (int i = 2; i < 5; i++)
            FQ_CHECK(strcmp(line[i], line[i - 1]) != 0);
    }
}

/* Parts for a job array: no point twice, none left out, and joined the same as the whole. */
static void given_shards_expect_the_whole_when_merged(void) {
    write_manifest("m.yaml", grid);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q"), 0);
    for (int i = 1; i <= 3; i++) {
        ran(fq_command("$FIBQUANT sweep m.yaml -o part%d.h5 -q --shard %d/3", i, i), 0);
        FQ_CHECK(strstr(fq_command("$FIBQUANT status part%d.h5", i)->out, i == 1 ? "6 of 6" : "5 of 5") !=
                 NULL);
    }
    ran(fq_command(
            "SLURM_STEP_ID=0 SLURM_NTASKS=3 $FIBQUANT sweep m.yaml -o part3.h5 -q --resume --shard 3/3"),
        0);
    ran(fq_command("$FIBQUANT merge part2.h5 part3.h5 part1.h5 -o all.h5 && $FIBQUANT diff whole.h5 all.h5"),
        0);
    static const char *const wrong[] = {"0/3", "4/3", "1/0", "1", "1/3/3", "-1/3", "a/b", "1/3 "};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ran(fq_command("$FIBQUANT sweep m.yaml -o w.h5 -q --shard '%s'", wrong[i]), 2);
}

static void given_points_that_fail_expect_the_others_stored(void) {
    write_manifest("f.yaml", "experiment: radius\ngrid: {dim: 16, block: [1, 2], "
                             "trouble: [none, error, crash, no_row]}");
    ran(fq_command(EXAMPLE " sweep f.yaml -o f.h5 -q"), 5);
    const fq_command_result *rows = fq_command(EXAMPLE " results f.h5 --csv --table radius --column block");
    FQ_CHECK(strcmp(rows->out, "block\n1\n2\n") == 0);
    const char *text = fq_command(EXAMPLE " results f.h5 --table failures --column error")->out;
    FQ_CHECK(strstr(text, "as asked for") != NULL && strstr(text, "signal 9") != NULL &&
             strstr(text, "gave no row") != NULL);
    const fq_command_result *again = fq_command(EXAMPLE " sweep f.yaml -o f.h5 --resume");
    ran(again, 5); /* the rows are still missing */
    FQ_CHECK(strstr(again->err, "2 stored before, 6 failed before, 0 done, 0 failed") != NULL);
    FQ_CHECK(strstr(again->err, "6 points failed before") && strstr(again->err, "--retry-failed"));
    FQ_CHECK(strstr(fq_command(EXAMPLE " status f.h5")->out, "finished, 2 of 8 points, 6 failed") != NULL);
    again = fq_command(EXAMPLE " sweep f.yaml -o f.h5 --retry-failed");
    ran(again, 5);
    FQ_CHECK(strstr(again->err, "2 stored before, 0 done, 6 failed") != NULL);
}

static void given_wrong_manifests_expect_line_key_and_allowed(void) {
    static const char *const wrong[][3] = {
        {"experiment: rate-distorsion", "w.yaml:1", "rate-distortion"},
        {"experiment: rate-distortion\ngrid: {codek: fp16}", "w.yaml:2", "no parameter"},
        {"experiment: rate-distortion\ngrid:\n  codec: fp16\n  dim: 1", "w.yaml:4", "2..16384"},
        {"experiment: rate-distortion\ngrid:\n  codec: [\n 'tq:b=1',\n 'tq:c=1']", "w.yaml:5", "\"codec\""},
        {"experiment: rate-distortion\ngrid: {codec: 'tq:b=1', source: air}", "w.yaml:2", "block|vector"},
        {"experiment: rate-distortion\ngrid: {dim: 64}", "w.yaml:2", "\"codec\": missing"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_manifest("w.yaml", wrong[i][0]);
        const fq_command_result *result = fq_command("$FIBQUANT sweep w.yaml -o w.h5");
        ran(result, 3);
        if (!FQ_CHECK(strstr(result->err, wrong[i][1]) != NULL && strstr(result->err, wrong[i][2]) != NULL))
            fprintf(stderr, "  %s", result->err);
    }
    ran(fq_command("$FIBQUANT sweep missing.yaml -o w.h5"), 3);
    write_manifest("w.yaml", grid);
    ran(fq_command("$FIBQUANT sweep w.yaml -o w.h5 --set codec=tq:b=99"), 2);
    ran(fq_command("$FIBQUANT sweep w.yaml -o w.h5 --set color=red"), 2);
    ran(fq_command("$FIBQUANT sweep w.yaml"), 2);
    FQ_CHECK(fq_command("test ! -e w.h5")->exit_code == 0);
    const fq_command_result *dry = fq_command("$FIBQUANT sweep w.yaml --dry-run");
    ran(dry, 0);
    FQ_CHECK(strstr(dry->out, "16 points; about") != NULL);
}

static void given_two_machines_expect_merge_to_join_them(void) {
    write_manifest("m.yaml", grid);
    ran(fq_command("$FIBQUANT sweep m.yaml -o all.h5 -q"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o a.h5 -q --set seeds=1"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o b.h5 -q --set 'seeds=[2, 1]'"), 0);
    ran(fq_command("$FIBQUANT merge a.h5 b.h5 -o m.h5"), 0);
    ran(fq_command("$FIBQUANT diff all.h5 m.h5"), 0);
    ran(fq_command("$FIBQUANT merge a.h5 -o m.h5"), 2);
    const char *status = fq_command("$FIBQUANT status m.h5 --json")->out;
    FQ_CHECK(strstr(status, "\"state\": \"idle\"") != NULL &&
             strstr(status, "\"rate-distortion\": 16") != NULL);
    const char *csv =
        fq_command("$FIBQUANT results m.h5 --csv --where 'rate=1' --where 'seed=2' --column codec")->out;
    FQ_CHECK(strcmp(csv, "codec\ntq:b=1\ntq:b=1\n") == 0);
    ran(fq_command("$FIBQUANT results m.h5 --json | /usr/bin/python3 -c "
                   "'import json, sys; assert len(json.load(sys.stdin)[\"rows\"]) == 16'"),
        0);
    ran(fq_command("$FIBQUANT results m.h5 --where 'no_column=1'"), 2);
}

static const fq_test tests[] = {
    {"threads and ranks", given_threads_and_ranks_expect_the_same_values},
    {"same bytes", given_threads_and_ranks_expect_the_same_bytes},
    {"golden identities", given_manifests_expect_the_golden_identities},
    {"golden values", given_a_manifest_expect_the_golden_values},
    {"diff sees differences", given_another_seed_expect_diff_to_see_it},
    {"nothing computed twice", given_a_finished_store_expect_nothing_computed_twice},
    {"rows of other sources", given_rows_of_other_sources_expect_a_refusal},
    {"identity of sources", given_sources_expect_an_identity_of_their_contents},
    {"shards", given_shards_expect_the_whole_when_merged},
    {"failing points", given_points_that_fail_expect_the_others_stored},
    {"wrong manifests", given_wrong_manifests_expect_line_key_and_allowed},
    {"merge, status, results", given_two_machines_expect_merge_to_join_them},
    {0},
};
const fq_suite fq_suite_sweep = {"sweep", tests};
