/* Injected faults: kills, full disks, removed and replaced files, interrupts. Nothing may be lost. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "stream.h"

#define MPI "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 3 "

static const char manifest[] = "cat > m.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 40\n"
                               "grid: {codec: 'tq:b=1.5', dim: 32, source: vector, samples: 6000}\nEND\n";

/* Long enough to do something to it while it runs; and what to wait for before doing so. */
#define LONGER          " --set samples=40000 "
#define UNDER_WAY(file) "until test -s " file ".journal; do sleep 0.02; done; sleep 0.1; "

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
    if (fq_command("command -v mpirun >/dev/null")->exit_code != 0)
        return;
    kill_and_resume(MPI, "pkill -9 -s $group", 2 * fq_test_multiplier());
    /* One rank, the last one: mpirun then ends the others. */
    kill_and_resume(MPI, "kill -9 $(pgrep -P $(pgrep -s $group -x mpirun) | tail -n 1)",
                    2 * fq_test_multiplier());
}

static void given_an_interrupt_expect_130_and_a_clean_store(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q" LONGER), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o i.h5 -q" LONGER
                   "& p=$!; " UNDER_WAY("i.h5") "kill -TERM $p; wait $p"),
        130);
    ran(fq_command("test ! -e i.h5.journal && test ! -e i.h5.lock"), 0);
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
    {"interrupt", given_an_interrupt_expect_130_and_a_clean_store},
    {"two sweeps", given_a_second_sweep_expect_a_refusal},
    {"full disk", given_a_full_disk_expect_4_and_a_whole_store},
    {"removed and replaced", given_a_store_removed_or_replaced_expect_nothing_lost},
    {"unwritable places", given_places_that_cannot_be_written_expect_4},
    {"damaged stores", given_damaged_stores_expect_a_status_and_no_crash},
    {0},
};
const fq_suite fq_suite_sweep_faults = {"sweep_faults", tests};
