/* Injected faults: kills, full disks, removed and replaced files, interrupts. Nothing may be lost. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "stream.h"

#define MPI "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 3 "

static const char manifest[] = "cat > m.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 40\n"
                               "grid: {codec: 'tq:b=1.5', dim: 32, source: vector, samples: 6000}\nEND\n";

/* Long enough to do something to it while it runs; and what to wait for before doing so, half a minute at
 * most: a sweep that ends first fails the test. */
#define LONGER " --set samples=40000 "
#define UNDER_WAY(file)                                                                                      \
    "for t in $(seq 1500); do test -s " file ".journal && break; sleep 0.02; done; sleep 0.1; "

static bool ran(const fq_command_result *result, int wanted) {
    const bool ok = FQ_CHECK(result->exit_code == wanted);
    if (!ok)
        fprintf(stderr, "  exit %d, wanted %d\n%s%s", result->exit_code, wanted, result->out, result->err);
    return ok;
}

static long stored_rows(const char *file) {
    long rows = -1;
    const fq_command_result *result = fq_command("$FIBQUANT status %s --json", file);
    const char *at = strstr(result->out, "\"rate-distortion\": ");
    if (result->exit_code == 0 && at)
        sscanf(at, "\"rate-distortion\": %ld", &rows);
    return rows;
}

/* One round: the sweep is killed after a random time, the store is looked at, the sweep goes on. */
static void kill_and_resume(const char *launcher, const char *victim, unsigned kills) {
    long before = 0;
    unsigned effective = 0;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, strlen(launcher) + 1000 * strlen(victim));
    ran(fq_command("rm -f k.h5*"), 0);
    for (unsigned i = 0; i < kills; i++) {
        const double seconds = (launcher[0] ? 0.6 : 0.02) + (launcher[0] ? 1.6 : 0.5) * fq_stream_uniform(&s);
        /* setsid: a process group of its own, so that exactly this sweep is killed. */
        /* The launcher itself, mpirun 4.1, can wait for itself without end after a rank died while starting:
         * it is killed then. */
        fq_command("setsid sh -c '%s$FIBQUANT sweep m.yaml -o k.h5 --resume -q' >/dev/null 2>&1 & "
                   "group=$!; sleep %.3f; %s; "
                   "for i in $(seq 600); do kill -0 $group 2>/dev/null || break; sleep 0.05; done; "
                   "kill -9 -$group 2>/dev/null; wait",
                   launcher, seconds, victim);
        if (fq_command("test -e k.h5")->exit_code != 0)
            continue; /* killed before the store was made */
        const long rows = stored_rows("k.h5");
        effective++;
        if (!FQ_CHECK(rows >= before && rows <= 40)) {
            fprintf(stderr, "  kill %u: %ld rows after %ld\n", i, rows, before);
            return;
        }
        before = rows;
        if (rows == 40) { /* all done: start over */
            ran(fq_command("$FIBQUANT sweep m.yaml -o k.h5 --resume -q"), 0);
            ran(fq_command("$FIBQUANT diff whole.h5 k.h5 -q && rm -f k.h5*"), 0);
            before = 0;
        }
    }
    ran(fq_command("$FIBQUANT sweep m.yaml -o k.h5 --resume -q"), 0);
    ran(fq_command("$FIBQUANT diff whole.h5 k.h5"), 0);
    printf("       %u kills, %u of them with a store in place\n", kills, effective);
}

static void given_kills_expect_no_finished_point_lost(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q"), 0);
    kill_and_resume("", "kill -9 -$group", 5 * fq_test_multiplier());
    if (!fq_command_has_mpi())
        return;
    kill_and_resume(MPI, "pkill -9 -s $group", 2 * fq_test_multiplier());
    /* One rank, the last one: mpirun then ends the others. */
    kill_and_resume(MPI, "kill -9 $(pgrep -P $(pgrep -s $group -x mpirun) | tail -n 1)",
                    2 * fq_test_multiplier());
}

static void given_a_termination_expect_143_and_a_clean_store(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q" LONGER), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o i.h5 -q" LONGER
                   "& p=$!; " UNDER_WAY("i.h5") "kill -TERM $p; wait $p"),
        143);
    ran(fq_command("test ! -e i.h5.journal && test ! -e i.h5.lock"), 0);
    char wanted[80];
    snprintf(wanted, sizeof wanted, "interrupted, %ld of 40 points", stored_rows("i.h5"));
    FQ_CHECK(strstr(fq_command("$FIBQUANT status i.h5")->out, wanted) != NULL);
    FQ_CHECK(strstr(fq_command("$FIBQUANT status i.h5 --json")->out, "\"state\": \"interrupted\"") != NULL);
    FQ_CHECK(stored_rows("i.h5") >= 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o i.h5 --resume -q" LONGER "&& $FIBQUANT diff whole.h5 i.h5"), 0);
}

static void given_a_second_sweep_expect_a_refusal(void) {
    ran(fq_command("%s", manifest), 0);
    const fq_command_result *second =
        fq_command("$FIBQUANT sweep m.yaml -o t.h5 -q" LONGER
                   "& p=$!; " UNDER_WAY("t.h5") "$FIBQUANT sweep m.yaml -o t.h5 --resume -q" LONGER
                                                "; code=$?; wait $p || exit 99; exit $code");
    ran(second, 2);
    FQ_CHECK(strstr(second->err, "another sweep writes it (host ") != NULL);
    FQ_CHECK(stored_rows("t.h5") == 40);
}

/* Writes fail from a certain file size on, wherever that is: exit 4, and nothing stored is lost. */
static void given_a_full_disk_expect_4_and_a_whole_store(void) {
    long before = 0;
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q"), 0);
    const unsigned steps = 8 + 4 * fq_test_multiplier();
    for (unsigned i = 1; i <= steps; i++) {
        const fq_command_result *result =
            fq_command("ulimit -f %u; $FIBQUANT sweep m.yaml -o d.h5 --resume -q", i * 72 / steps);
        FQ_CHECK(result->exit_code == 4 || result->exit_code == 0);
        if (fq_command("test -e d.h5")->exit_code != 0)
            continue;
        const long rows = stored_rows("d.h5");
        FQ_CHECK(rows >= before);
        before = rows;
    }
    ran(fq_command("$FIBQUANT sweep m.yaml -o d.h5 --resume -q && $FIBQUANT diff whole.h5 d.h5"), 0);
}

static void given_a_store_removed_or_replaced_expect_nothing_lost(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q" LONGER), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o x.h5 -q" LONGER
                   "& p=$!; " UNDER_WAY("x.h5") "rm -f x.h5 x.h5.journal; wait $p"),
        0);
    ran(fq_command("$FIBQUANT diff whole.h5 x.h5"), 0);
    const fq_command_result *displaced =
        fq_command("$FIBQUANT sweep m.yaml -o y.h5 -q" LONGER
                   "& p=$!; " UNDER_WAY("y.h5") "echo mine > z; mv z y.h5; wait $p");
    ran(displaced, 4);
    FQ_CHECK(strstr(displaced->err, "y.h5.displaced") != NULL);
    /* It may have noticed before the last point was done: what was done is there, the rest can be. */
    FQ_CHECK(stored_rows("y.h5.displaced") > 0);
    ran(fq_command("grep -q mine y.h5 && $FIBQUANT sweep m.yaml -o y.h5.displaced --resume -q" LONGER), 0);
    ran(fq_command("$FIBQUANT diff whole.h5 y.h5.displaced"), 0);
}

/* A killed sweep's journal beside a file that was removed, and then replaced: its rows are of no other store.
 */
static void given_the_journal_of_a_removed_store_expect_it_set_aside(void) {
    ran(fq_command("%s", manifest), 0);
    for (int replaced = 0; replaced < 2; replaced++) {
        ran(fq_command("rm -f j.h5*; $FIBQUANT sweep m.yaml -o j.h5 -q" LONGER
                       "& p=$!; " UNDER_WAY("j.h5") "s=$(stat -c %%s j.h5.journal); for t in $(seq 1500); do "
                                                    "test $(stat -c %%s j.h5.journal) -gt $s && break; "
                                                    "sleep 0.02; done; kill -9 $p; wait $p; true"),
            0);
        ran(fq_command("rm j.h5 j.h5.lock; %s",
                       replaced ? "$FIBQUANT sweep m.yaml -o o.h5 -q --force --set seed=7; cp o.h5 j.h5"
                                : "true"),
            0);
        if (replaced)
            FQ_CHECK(stored_rows("j.h5") == 40); /* a reader takes nothing from it either */
        const fq_command_result *result =
            fq_command("$FIBQUANT sweep m.yaml -o j.h5 --resume --set seed=7 --set replicates=2");
        ran(result, 0);
        FQ_CHECK(strstr(result->err, "j.h5.journal.stale") != NULL);
        FQ_CHECK(strstr(result->err, replaced ? "2 stored before, 0 done" : "0 stored before, 2 done") !=
                 NULL);
        FQ_CHECK(stored_rows("j.h5") == (replaced ? 40 : 2));
        ran(fq_command("test -s j.h5.journal.stale"), 0);
    }
}

/* Rows that are only in the journal are verified like the others. */
static void given_journalled_rows_expect_verify_to_see_them(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command(
            "$FIBQUANT sweep m.yaml -o v.h5 -q --set source=block --set codec=tq:b=2 --set samples=400000 "
            "& p=$!; for t in $(seq 1500); do test $(stat -c %%s v.h5.journal 2>/dev/null || echo 0) -gt "
            "6000 && break; sleep 0.02; "
            "done; kill -9 $p; wait $p; $FIBQUANT results v.h5 --csv --column rate | tail -n +2 | wc -l > "
            "rows; "
            "test $(cat rows) -gt 0"),
        0);
    const fq_command_result *result =
        fq_command("$FIBQUANT verify finite_rate --quick --store v.h5; code=$?; "
                   "sed 's/^/verify: /; s/$/ stored points/' rows; exit $code");
    ran(result, 0);
    const char *line = strrchr(result->out, '\n') ? strstr(result->out, "verify: ") : NULL;
    char wanted[40] = "";
    if (FQ_CHECK(line != NULL))
        snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(line, "\n"), line);
    FQ_CHECK(wanted[0] && strstr(result->err, wanted) != NULL);
}

/* A file that is replaced while points read it: none is stored under the digest of the old one. */
static void given_an_input_that_changes_expect_its_points_to_fail(void) {
    ran(fq_command("cat > c.py <<'END'\nimport h5py, numpy, os, sys\nr = "
                   "numpy.random.default_rng(int(sys.argv[2]))\n"
                   "with h5py.File('new.h5', 'w') as f:\n"
                   "    for n in 'model', 'model_sha256', 'text', 'text_sha256': f.attrs[n] = ''\n"
                   "    for n, h in ('query', 4), ('key', 2), ('value', 2):\n"
                   "        f['layer_00/' + n] = r.standard_normal((200, h, 16)).astype('f4')\n"
                   "os.rename('new.h5', sys.argv[1])\nEND\n"
                   "/usr/bin/python3 c.py c.h5 1; cp -p c.h5 kept.h5\n"
                   "cat > u.yaml <<'END'\nexperiment: universality\nreplicates: 12\n"
                   "grid: {cache: c.h5, codec: 'tq:b=2', tokens: 200, rotations: 200, sphere_vectors: "
                   "100000}\nEND\n"),
        0);
    const fq_command_result *result =
        fq_command("$FIBQUANT sweep u.yaml -o u.h5 -q -j 1 & p=$!; for t in $(seq 1500); do test -s "
                   "u.h5.journal && break; sleep 0.02; done\n"
                   "sleep 0.3; /usr/bin/python3 c.py c.h5 2; wait $p");
    ran(result, 5);
    result = fq_command("$FIBQUANT results u.h5 --table failures --column error");
    FQ_CHECK(strstr(result->out, "changed while the sweep ran (SHA-256 was ") != NULL);
    /* the old content comes back under another inode: recognised by its hash, the points are computed */
    ran(fq_command("cp kept.h5 c.h5; $FIBQUANT sweep u.yaml -o u.h5 -q -j 1 --retry-failed & p=$!\n"
                   "sleep 0.3; touch c.h5; wait $p"),
        0);
    ran(fq_command("$FIBQUANT sweep u.yaml -o v.h5 -q && $FIBQUANT diff u.h5 v.h5"), 0);
}

static void given_places_that_cannot_be_written_expect_4(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o /proc/none/r.h5 -q"), 4);
    ran(fq_command("$FIBQUANT sweep m.yaml -o missing/folder/r.h5 -q"), 4);
    ran(fq_command("echo text > t.h5; $FIBQUANT sweep m.yaml -o t.h5 --resume -q"), 3);
}

static void given_damaged_stores_expect_a_status_and_no_crash(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q --set replicates=3"), 0);
    const unsigned rounds = 25 * fq_test_multiplier();
    const fq_command_result *result = fq_command(
        "/usr/bin/python3 - <<'END'\nimport os, random, subprocess, sys\n"
        "random.seed(%llu)\ngood = open('whole.h5', 'rb').read()\nprogram = os.environ['FIBQUANT']\n"
        "for i in range(%u):\n"
        "    b = bytearray(good)\n"
        "    kind = i %% 3\n"
        "    if kind == 0: b = b[:random.randrange(len(b))]\n"
        "    if kind == 1:\n"
        "        for _ in range(random.randrange(1, 20)): b[random.randrange(len(b))] ^= 1 << "
        "random.randrange(8)\n"
        "    if kind == 2:\n"
        "        at = random.randrange(4096); b[at:at+8] = bytes(random.choice([[255]*8, [0]*8, "
        "[255]*7+[127]]))\n"
        "    open('bad.h5', 'wb').write(b)\n"
        "    p = subprocess.run([program, 'results', 'bad.h5', '--table', 'rate-distortion'], "
        "capture_output=True, timeout=200)\n"
        "    if p.returncode not in (0, 2, 3): print(i, p.returncode, p.stderr); open('crash%%d.h5' %% i, "
        "'wb').write(b); sys.exit(1)\n"
        "END\n",
        (unsigned long long)fq_test_seed(), rounds);
    ran(result, 0);
}

static const fq_test tests[] = {
    {"kill -9", given_kills_expect_no_finished_point_lost},
    {"termination", given_a_termination_expect_143_and_a_clean_store},
    {"two sweeps", given_a_second_sweep_expect_a_refusal},
    {"full disk", given_a_full_disk_expect_4_and_a_whole_store},
    {"removed and replaced", given_a_store_removed_or_replaced_expect_nothing_lost},
    {"journal of a removed store", given_the_journal_of_a_removed_store_expect_it_set_aside},
    {"verify and the journal", given_journalled_rows_expect_verify_to_see_them},
    {"input that changes", given_an_input_that_changes_expect_its_points_to_fail},
    {"unwritable places", given_places_that_cannot_be_written_expect_4},
    {"damaged stores", given_damaged_stores_expect_a_status_and_no_crash},
    {0},
};
const fq_suite fq_suite_sweep_faults = {"sweep_faults", tests};
