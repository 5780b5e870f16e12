/* Calls of the C library made to fail under the whole program (support/failing_calls.c): the n-th write, the
 * n-th allocation of any library, a wall clock that jumps. */
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "command.h"

#ifdef FQ_FAILING_CALLS
#define PRELOAD "LD_PRELOAD=" FQ_FAILING_CALLS " "

static const char manifest[] = "cat > m.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 4\n"
                               "grid: {codec: 'tq:b=1.5', dim: 16, source: vector, samples: 500}\nEND\n";

static bool ran(const fq_command_result *result, int wanted) {
    const bool ok = FQ_CHECK(result->exit_code == wanted);
    if (!ok)
        fprintf(stderr, "  exit %d, wanted %d\n%s%s", result->exit_code, wanted, result->out, result->err);
    return ok;
}

/* Allocations and writes of a command when nothing fails. */
static void count(const char *command, unsigned *allocations, unsigned *writes) {
    ran(fq_command("rm -f r.h5*; " PRELOAD "COUNT_FILE=count %s && cat count", command), 0);
    *allocations = *writes = 0;
    const fq_command_result *result = fq_command("cat count");
    FQ_CHECK(sscanf(result->out, "%u %u", allocations, writes) == 2);
}

/* What is stored after a failure is whole, and going on without failures ends with the same values. */
static void go_on(void) {
    if (fq_command("test -e r.h5 || test -e r.h5.journal")->exit_code == 0)
        ran(fq_command("test ! -e r.h5 || $FIBQUANT status r.h5"), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o r.h5 -j 1 --retry-failed -q"), 0);
    ran(fq_command("$FIBQUANT diff whole.h5 r.h5"), 0);
    ran(fq_command("rm -f r.h5*"), 0);
}

static void given_every_write_failing_once_expect_nothing_lost(void) {
    unsigned allocations = 0, writes = 0, refused = 0;
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -j 1 -q"), 0);
    count("$FIBQUANT sweep m.yaml -o r.h5 -j 1 -q", &allocations, &writes);
    FQ_CHECK(writes >= 12);
    ran(fq_command("rm -f r.h5*"), 0);
    for (unsigned n = 1; n <= writes; n++) {
        const bool stays = n % 2 == 0;
        const fq_command_result *result =
            fq_command(PRELOAD "FAIL_WRITE=%u FAIL_FROM=%d $FIBQUANT sweep m.yaml -o r.h5 -j 1 -q", n, stays);
        /* 0: the failure hit what only informs, the lock's text, or was made good by the next write. */
        FQ_CHECK(result->exit_code == 4 || result->exit_code == 0);
        if (result->exit_code == 4) {
            refused++;
            FQ_CHECK(strstr(result->err, "No space left on device") != NULL &&
                     strstr(result->err, "r.h5") != NULL);
            const char *newline = strchr(result->err, '\n');
            FQ_CHECK(newline && newline[1] == '\0');
        }
        go_on();
    }
    FQ_CHECK(refused >= writes / 2);
    printf("       %u writes failed in turn: %u times exit 4, nothing lost\n", writes, refused);
}

static void given_a_jumping_clock_expect_the_same_values(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q"), 0);
    ran(fq_command(PRELOAD "CLOCK_JUMP=1000000000 $FIBQUANT sweep m.yaml -o r.h5 -j 2"), 0);
    ran(fq_command("$FIBQUANT diff whole.h5 r.h5"), 0);
    ran(fq_command(
            "$FIBQUANT results r.h5 --json --column wall_seconds --column cpu_seconds | /usr/bin/python3 -c "
            "\""
            "import json, sys; rows = json.load(sys.stdin)['rows']; assert len(rows) == 4;"
            "assert all(0 <= r['wall_seconds'] < 60 and 0 <= r['cpu_seconds'] < 60 for r in rows), rows\""),
        0);
}

/* Steps through the allocations of a command. Those of fibquant's own that fail are tested one by one in
 * other suites; here any library's may. HDF5 1.10 crashes on some of its own: then, as after a kill, what is
 * stored must be whole. An exit status of 0 must mean what it says. */
static void fail_allocations(const char *command, bool writes_store) {
    unsigned allocations = 0, writes = 0, refused = 0, crashed = 0, tries = 0;
    count(command, &allocations, &writes);
    ran(fq_command("rm -f r.h5*; %s > expected", command), 0);
    ran(fq_command("rm -f r.h5*"), 0);
    const unsigned wanted = 12 * fq_test_multiplier(), step = allocations / wanted + 1;
    for (unsigned n = 1 + (unsigned)(fq_test_seed() % step); n <= allocations; n += step) {
        const fq_command_result *result =
            fq_command(PRELOAD "FAIL_MALLOC=%u timeout 60 %s > got", n, command);
        const int code = result->exit_code;
        tries++;
        refused += code != 0 && code < 128;
        crashed += code >= 128;
        if (!FQ_CHECK(code != 124)) /* it hangs */
            fprintf(stderr, "  allocation %u of %u: does not end\n", n, allocations);
        if (code == 0)
            FQ_CHECK(fq_command("cmp got expected")->exit_code == 0);
        if (writes_store)
            go_on();
    }
    printf("       %u of %u allocations failed in turn: %u refusals, %u crashes of a library, nothing lost\n",
           tries, allocations, refused, crashed);
}

static void given_failing_allocations_expect_nothing_lost(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -j 1 -q"), 0);
    fail_allocations("$FIBQUANT sweep m.yaml --dry-run", false);
    fail_allocations("$FIBQUANT results whole.h5 --csv", false);
    fail_allocations("$FIBQUANT results whole.h5 --json", false);
    fail_allocations("$FIBQUANT sweep m.yaml -o r.h5 -j 1 -q", true);
}
#else
static void not_here(void) {
    printf("       calls cannot be made to fail under sanitizers or without glibc: not tested\n");
    FQ_CHECK(true);
}
#endif

static const fq_test tests[] = {
#ifdef FQ_FAILING_CALLS
    {"failing writes", given_every_write_failing_once_expect_nothing_lost},
    {"jumping clock", given_a_jumping_clock_expect_the_same_values},
    {"failing allocations", given_failing_allocations_expect_nothing_lost},
#else
    {"not here", not_here},
#endif
    {0},
};
const fq_suite fq_suite_sweep_injection = {"sweep_injection", tests};
