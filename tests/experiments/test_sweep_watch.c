/* What people see of a sweep: its bar, its status from another terminal, its expected cost; and the ready
 * manifests and scripts for many machines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "command.h"

static bool ran(const fq_command_result *result, int wanted) {
    const bool ok = FQ_CHECK(result->exit_code == wanted);
    if (!ok)
        fprintf(stderr, "  exit %d, wanted %d\n%s%s", result->exit_code, wanted, result->out, result->err);
    return ok;
}

static const char manifest[] = "cat > m.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 40\n"
                               "grid: {codec: 'tq:b=1.5', dim: 32, source: vector, samples: 40000}\nEND\n";

static void given_a_running_sweep_expect_its_status_from_outside(void) {
    ran(fq_command("%s", manifest), 0);
    ran(fq_command(
            "$FIBQUANT sweep m.yaml -o s.h5 -q -j 2 & p=$!\n"
            "for t in $(seq 1500); do grep -q '^done [1-9]' s.h5.lock 2>/dev/null && break; sleep 0.02; "
            "done\n"
            "$FIBQUANT status s.h5 > text; $FIBQUANT status s.h5 --json > json; kill -9 $p; wait $p\n"
            "$FIBQUANT status s.h5 > killed; $FIBQUANT status s.h5 --json > killed.json\n"
            "$FIBQUANT sweep m.yaml -o s.h5 -q --resume; $FIBQUANT status s.h5 --json > done.json\n"
            "cat text; /usr/bin/python3 - $p <<'END'\n"
            "import json, sys\n"
            "s, k, d = (json.load(open(n)) for n in ('json', 'killed.json', 'done.json'))\n"
            "assert s['state'] == 'running' and s['pid'] == int(sys.argv[1]), s\n"
            "assert s['total'] == 40 and s['done'] >= 1 and s['failed'] == 0 and s['left_seconds'] > 0, s\n"
            "assert s['points_per_second'] > 0 and 1 <= s['running'] <= 2 and s['stored_before'] == 0, s\n"
            "assert k['state'] == 'killed' and k['rows']['rate-distortion'] >= s['done'], k\n"
            "assert d['rows']['rate-distortion'] == 40 and d['state'] == 'idle', d\n"
            "text = open('text').read()\n"
            "assert ' of 40 points' in text and 'points/s' in text and ' left' in text, text\n"
            "assert 'go on with --resume' in open('killed').read()\n"
            "END\n"),
        0);
}

/* watch.py COLUMNS COMMAND...: runs it on a terminal of so many columns and prints what it wrote, escape
 * sequences as <ESC>, each redrawing of a line on a line of its own; exits as the command does. Once it has
 * written $STOP it is told to end. */
static const char watcher[] =
    "cat > watch.py <<'END'\n"
    "import fcntl, os, pty, signal, struct, sys, termios\n"
    "pid, fd = pty.fork()\n"
    "if pid == 0:\n"
    "    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))\n"
    "    os.execvp(sys.argv[2], sys.argv[2:])\n"
    "seen, stop = b'', os.environ.get('STOP', '').encode()\n"
    "while True:\n"
    "    try: piece = os.read(fd, 4096)\n"
    "    except OSError: break\n"
    "    if not piece: break\n"
    "    seen += piece\n"
    "    if stop and stop in seen: os.kill(pid, signal.SIGTERM); stop = b''\n"
    "print(seen.decode().replace('\\r\\n', '\\n').replace('\\r', '\\n').replace('\\x1b', '<ESC>'))\n"
    "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\nEND\n";

static bool have_terminals(void) {
    if (fq_command("/usr/bin/python3 -c 'import pty; pty.openpty()'")->exit_code == 0)
        return true;
    printf("       no terminals here: bars are not tested\n");
    return false;
}

/* Lines that start with "sweep  ": redrawings of the bar. Each must be no longer than that. */
static size_t count_bars(const char *text, size_t longest) {
    size_t bars = 0;
    for (const char *at = text; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != '\0')) {
        if (strncmp(at, "sweep  ", 7) != 0)
            continue;
        const char *end = strstr(at, "<ESC>[K");
        bars++;
        if (!FQ_CHECK(end && (size_t)(end - at) <= longest))
            fprintf(stderr, "  %.*s\n", (int)strcspn(at, "\n"), at);
    }
    return bars;
}

static void given_a_terminal_expect_a_bar_and_a_summary(void) {
    ran(fq_command("%s%s", manifest, watcher), 0);
    const char *plain = fq_command("$FIBQUANT sweep m.yaml -o c.h5 --no-progress")->err;
    FQ_CHECK(strstr(plain, "sweep: 40 points: 0 stored before, 40 done, 0 failed in ") &&
             !strchr(plain, '\r'));
    /* time and memory of every point */
    ran(fq_command(
            "$FIBQUANT results c.h5 --json --column wall_seconds --column cpu_seconds --column "
            "peak_memory_bytes | "
            "/usr/bin/python3 -c \"import json, sys; r = json.load(sys.stdin)['rows']; assert len(r) == 40; "
            "assert all(0 < x['wall_seconds'] < 60 and x['cpu_seconds'] > 0 and 1e6 < "
            "x['peak_memory_bytes'] < 4e9 for x in r), r\""),
        0);
    if (!have_terminals())
        return;
    /* with NO_COLOR, too: a bar is no colour */
    const fq_command_result *result = fq_command(
        "NO_COLOR=1 TERM=xterm /usr/bin/python3 watch.py 100 $FIBQUANT sweep m.yaml -o b.h5 -j 1 "
        "--set samples=100000 > seen; code=$?; tail -n 60 seen; /usr/bin/python3 - <<'END'\n"
        "import re\ntext = open('seen').read()\n"
        "bars = re.findall(r'^sweep  \\[([#-]{24})\\]  +(\\d+) %%  (\\d+)/40 points, 0 failed, \\d running  "
        "\\S+/s  [^<]* left<ESC>\\[K', text, re.M)\n"
        "numbers = [int(b[2]) for b in bars]\n"
        "assert len(bars) >= 2 and numbers == sorted(numbers), text\n"
        "assert all(abs(b[0].count('#') / 24 - int(b[1]) / 100) < 0.05 for b in bars), text\n"
        "assert re.search(r'sweep: 40 points: 0 stored before, 40 done, 0 failed in .* processor time, "
        "slowest point .* MB a worker', text), text\nEND\n"
        "test $? = 0 && exit $code");
    ran(result, 0);
    FQ_CHECK(count_bars(result->out, 99) >= 2);
}

static void given_narrow_and_dumb_terminals_expect_what_fits(void) {
    static const unsigned columns[] = {10, 70};
    static const char sweep[] = "$FIBQUANT sweep m.yaml -o n.h5 --force --set samples=4000000";
    if (!have_terminals())
        return;
    ran(fq_command("%s%s", manifest, watcher), 0);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const fq_command_result *result = fq_command(
            "STOP=$(printf '\\033[K') TERM=xterm /usr/bin/python3 watch.py %u %s", columns[i], sweep);
        ran(result, 143);
        const size_t bars = count_bars(result->out, columns[i] - 1);
        FQ_CHECK(bars >= 1);
    }
    /* no escape sequence where the terminal says that it knows none */
    const fq_command_result *result =
        fq_command("TERM=dumb /usr/bin/python3 watch.py 80 timeout --preserve-status 2 %s", sweep);
    ran(result, 143);
    FQ_CHECK(!strstr(result->out, "<ESC>") && count_bars(result->out, 79) == 0);
}

/* Minutes in which no point ends are not silent: the codebook being trained is named. */
static void given_training_expect_it_named(void) {
    if (!have_terminals())
        return;
    ran(fq_command("%scat > t.yaml <<'END'\nexperiment: rate-distortion\n"
                   "grid: {dim: 64, samples: 1000, codec: 'fib:k=4,N=4095'}\nEND\n",
                   watcher),
        0);
    const fq_command_result *result = /* told to end long before it is trained */
        fq_command(
            "STOP='training d=64' TERM=xterm /usr/bin/python3 watch.py 120 $FIBQUANT sweep t.yaml -o t.h5");
    ran(result, 143);
    FQ_CHECK(strstr(result->out, "0/1 points, 0 failed, 1 running") &&
             strstr(result->out, "training d=64, k=4, N=4095, "));
}

static double core_hours(const char *command) {
    const fq_command_result *result = fq_command("%s", command);
    const char *at = strstr(result->out, " workers, ");
    ran(result, 0);
    return FQ_CHECK(at != NULL) ? strtod(at + strlen(" workers, "), NULL) : -1.0;
}

/* Training is in the estimate until it is in the cache folder, and once for all points that share it. */
static void given_a_dry_run_expect_training_counted_once(void) {
    ran(fq_command("cat > t.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 2\n"
                   "grid: {codec: 'fib:k=2,N=64,recipe=paper', dim: 16, samples: 100}\nEND\n"),
        0);
    const double one = core_hours("$FIBQUANT sweep t.yaml --dry-run --set replicates=1"),
                 two = core_hours("$FIBQUANT sweep t.yaml --dry-run");
    FQ_CHECK(one > 1e-6 && two > one && two < 1.5 * one);
    FQ_CHECK(strstr(fq_command("$FIBQUANT sweep t.yaml --dry-run")->out,
                    "1 codebooks, 1 of them to be trained") != NULL);
    FQ_CHECK(fq_command("test -e cache")->exit_code != 0); /* a look leaves nothing behind */
    ran(fq_command("$FIBQUANT sweep t.yaml -o t.h5 -q"), 0);
    FQ_CHECK(fq_command("test $(ls cache | wc -l) = 1")->exit_code == 0);
    FQ_CHECK(core_hours("$FIBQUANT sweep t.yaml --dry-run") < 0.5 * two);
    FQ_CHECK(strstr(fq_command("$FIBQUANT sweep t.yaml --dry-run")->out, "0 of them to be trained") != NULL);
}

/* Every manifest of the project resolves, with files for those that want a cache or a model. */
static void given_the_ready_manifests_expect_points_and_costs(void) {
    const fq_command_result *result = fq_command(
        "echo text > some.file; for m in %s/experiments/manifests/*.yaml "
        "%s/experiments/scripts/cluster/*.yaml; do "
        "sets=; for key in cache model text calibration; do if grep -q \"^ .*$key: \\.\\./\" $m; then "
        "sets=\"$sets --set $key=some.file\"; fi; done; "
        "$FIBQUANT sweep $m --dry-run $sets > out || exit 1; grep -q 'core hours' out || exit 1; "
        "head -n 1 $m | grep -q '^# ' || { echo $m has no head comment; exit 1; }; echo "
        "\"$(basename $m) $(grep 'core hours' out)\"; done",
        FQ_SOURCE_DIR, FQ_SOURCE_DIR);
    ran(result, 0);
    FQ_CHECK(strstr(result->out, "rate_distortion.yaml") != NULL);
}

/* Hosts are folders here; ssh and scp go there. */
static void given_the_ssh_script_expect_what_one_machine_computes(void) {
    ran(fq_command("mkdir -p hosts/a hosts/b hosts/c && cat > ssh <<'END'\n#!/bin/sh\ncd hosts/$1 && shift "
                   "&& sh -c \"$*\"\nEND\n"
                   "cat > scp <<'END'\n#!/bin/sh\nplace() { case $1 in *:*) echo hosts/${1%%%%:*}/${1#*:} ;; "
                   "*) echo $1 ;; esac; }\n"
                   "cp $(place $1) $(place $2)\nEND\nchmod +x ssh scp\n"
                   "cat > m.yaml <<'END'\nexperiment: rate-distortion\nseeds: [1, 2, 3, 4]\n"
                   "grid: {codec: ['tq:b=1', 'tq:b=2.5'], source: vector, dim: 16, samples: 300}\nEND\n"),
        0);
    ran(fq_command("$FIBQUANT sweep m.yaml -o whole.h5 -q"), 0);
    ran(fq_command("SSH=./ssh SCP=./scp %s/experiments/scripts/cluster/ssh.sh m.yaml all.h5 a b c",
                   FQ_SOURCE_DIR),
        0);
    ran(fq_command("$FIBQUANT diff whole.h5 all.h5"), 0);
    ran(fq_command("SSH=./ssh SCP=./scp %s/experiments/scripts/cluster/ssh.sh m.yaml all.h5 a b c",
                   FQ_SOURCE_DIR),
        0);
}

/* The batch script with an srun that just runs: alone, and as the elements 2 and 3 of an array from 2. */
static void given_the_slurm_script_expect_the_whole_from_its_parts(void) {
    ran(fq_command("printf '#!/bin/sh\\nexec \"$@\"\\n' > srun && chmod +x srun && cat > m.yaml <<'END'\n"
                   "experiment: rate-distortion\nseeds: [1, 2, 3]\n"
                   "grid: {codec: ['tq:b=1', 'tq:b=2.5'], source: vector, dim: 16, samples: 300}\nEND\n"),
        0);
    ran(fq_command(
            "PATH=$PWD:$PATH bash %s/experiments/scripts/cluster/slurm.sh m.yaml whole.h5 && for i in 2 3; "
            "do "
            "PATH=$PWD:$PATH SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_MIN=2 SLURM_ARRAY_TASK_COUNT=2 bash "
            "%s/experiments/scripts/cluster/slurm.sh m.yaml part.h5 || exit 9; done; $FIBQUANT merge "
            "part.1.h5 "
            "part.2.h5 -o all.h5 && $FIBQUANT diff whole.h5 all.h5",
            FQ_SOURCE_DIR, FQ_SOURCE_DIR),
        0);
}

static const fq_test tests[] = {
    {"status", given_a_running_sweep_expect_its_status_from_outside},
    {"bar and summary", given_a_terminal_expect_a_bar_and_a_summary},
    {"narrow and dumb terminals", given_narrow_and_dumb_terminals_expect_what_fits},
    {"training", given_training_expect_it_named},
    {"dry run", given_a_dry_run_expect_training_counted_once},
    {"ready manifests", given_the_ready_manifests_expect_points_and_costs},
    {"slurm script", given_the_slurm_script_expect_the_whole_from_its_parts},
    {"ssh script", given_the_ssh_script_expect_what_one_machine_computes},
    {0},
};
const fq_suite fq_suite_sweep_watch = {"sweep_watch", tests};
