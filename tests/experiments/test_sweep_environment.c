/* What a sweep makes of the environment it is started in: launchers' variables, closed descriptors, cores. */
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

static const char manifest[] = "cat > m.yaml <<'END'\nexperiment: rate-distortion\nreplicates: 4\n"
                               "grid: {codec: 'tq:b=1.5', dim: 32, source: vector, samples: 400}\nEND\n";
#define LONGER " --set replicates=40 --set samples=40000 "

/* A rank variable alone is left over; with the variables of a job of one, MPI starts by itself, which leaves
 * a process of its own behind as long as this one lives. */
static void given_ranks_without_launcher_expect_an_end(void) {
    static const char *const variables[] = {"PMI_RANK=0", "PMIX_RANK=0", "OMPI_COMM_WORLD_RANK=0",
                                            "OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1",
                                            "PMI_RANK=0 PMI_SIZE=1"};
    ran(fq_command("%s", manifest), 0);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        ran(fq_command("rm -f r.h5; %s timeout -k 1 60 $FIBQUANT sweep m.yaml -o r.h5 -q", variables[i]), 0);
        FQ_CHECK(strstr(fq_command("$FIBQUANT status r.h5")->out, "4 rows") != NULL);
    }
}

/* Processes that were started together and do not know of each other. */
static void given_tasks_that_mpi_does_not_see_expect_a_refusal(void) {
    static const char *const variables[] = {
        "PMI_RANK=1 PMI_SIZE=3", "OMPI_COMM_WORLD_RANK=2 OMPI_COMM_WORLD_SIZE=3",
        "SLURM_STEP_ID=0 SLURM_PROCID=1 SLURM_NTASKS=3", "SLURM_STEP_ID=0 SLURM_STEP_NUM_TASKS=3"};
    ran(fq_command("%s", manifest), 0);
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const fq_command_result *result =
            fq_command("%s timeout -k 1 60 $FIBQUANT sweep m.yaml -o r.h5 -q", variables[i]);
        ran(result, 2);
        FQ_CHECK(strstr(result->err, "3 tasks were started together") &&
                 strstr(result->err, "srun --mpi=pmix"));
    }
    FQ_CHECK(fq_command("test ! -e r.h5")->exit_code == 0);
    /* the script that calls srun, not a step of it */
    ran(fq_command("SLURM_NTASKS=3 SLURM_PROCID=0 $FIBQUANT sweep m.yaml -o r.h5 -q"), 0);
}

/* A signal ends the sweep in order while it computes, also where MPI has started. */
static void given_a_signal_under_mpi_expect_143(void) {
    if (!fq_command_has_mpi())
        printf("       built without MPI: only the signal is tested\n");
    ran(fq_command("%s", manifest), 0);
    ran(fq_command("OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=1 $FIBQUANT sweep m.yaml -o s.h5 -q" LONGER
                   "& p=$!; for t in $(seq 1500); do test -s s.h5.journal && break; sleep 0.02; done; kill "
                   "-TERM $p\n"
                   "for i in $(seq 300); do kill -0 $p 2>/dev/null || break; sleep 0.05; done\n"
                   "kill -9 $p 2>/dev/null; wait $p"),
        143);
    ran(fq_command("test ! -e s.h5.journal && test ! -e s.h5.lock"), 0);
}

/* Descriptors 0, 1 and 2 are never a worker's socket or a file, whichever of them were closed. */
static void given_closed_descriptors_expect_dev_null(void) {
    ran(fq_command("%s", manifest), 0);
    for (int closed = 0; closed < 3; closed++) {
        const fq_command_result *result =
            fq_command("$FIBQUANT sweep m.yaml -o d.h5 --force --no-progress" LONGER "%d<&- & p=$!\n"
                       "for t in $(seq 1500); do test -s d.h5.journal && break; sleep 0.02; done\n"
                       "readlink /proc/$p/fd/%d; for w in $(pgrep -P $p); do readlink /proc/$w/fd/%d; done; "
                       "kill $p; wait $p; rm -f d.h5*",
                       closed, closed, closed);
        int lines = 0;
        for (const char *at = result->out; *at; at = strchr(at, '\n') + 1, lines++)
            if (!FQ_CHECK(strncmp(at, "/dev/null\n", 10) == 0))
                break;
        FQ_CHECK(lines >= 2); /* the sweep and a worker */
    }
    ran(fq_command("$FIBQUANT sweep --list >&-"), 4); /* output that goes nowhere is not written */
    ran(fq_command("$FIBQUANT sweep m.yaml -o e.h5 2>&- && $FIBQUANT diff e.h5 e.h5"), 0);
}

static long workers_of(const char *command) {
    const fq_command_result *result = fq_command("%s", command);
    const char *at = strstr(result->out, " on ");
    ran(result, 0);
    return FQ_CHECK(at != NULL) ? strtol(at + strlen(" on "), NULL, 10) : -1;
}

/* Workers: no more than points, cores or --jobs, whatever OMP_NUM_THREADS says. */
static void given_threads_and_jobs_expect_workers_for_the_points(void) {
    ran(fq_command("%s", manifest), 0);
    const long cores = strtol(fq_command("env -u OMP_NUM_THREADS nproc")->out, NULL, 10);
    const long most = cores < 4 ? cores : 4; /* points */
    FQ_CHECK(workers_of("OMP_NUM_THREADS=1 $FIBQUANT sweep m.yaml --dry-run") == most);
    FQ_CHECK(workers_of("OMP_NUM_THREADS=3000 $FIBQUANT sweep m.yaml --dry-run") == most);
    FQ_CHECK(workers_of("$FIBQUANT sweep m.yaml --dry-run -j 500") == most);
    FQ_CHECK(workers_of("taskset -c 0 $FIBQUANT sweep m.yaml --dry-run") == 1);
    FQ_CHECK(workers_of("$FIBQUANT sweep m.yaml --dry-run --set replicates=1") == 1);
    FQ_CHECK(workers_of("$FIBQUANT sweep m.yaml --dry-run -j 1") == 1);
    /* and so many are started */
    const fq_command_result *result =
        fq_command("OMP_NUM_THREADS=3000 $FIBQUANT sweep m.yaml -o w.h5 -q -j 500" LONGER
                   "--set replicates=1 --set samples=200000 & p=$!\n"
                   "for t in $(seq 1500); do test -s w.h5.journal && break; sleep 0.02; done; pgrep -c -P "
                   "$p; kill $p; wait $p");
    FQ_CHECK(strcmp(result->out, "1\n") == 0);
    /* threads inside a worker */
    ran(fq_command("OMP_NUM_THREADS=1 $FIBQUANT sweep m.yaml -o t.h5 -q -j 1"), 0);
    FQ_CHECK(strcmp(fq_command("$FIBQUANT results t.h5 --csv --column threads | sort -u")->out,
                    "1\nthreads\n") == 0);
}

static const fq_test tests[] = {
    {"ranks without launcher", given_ranks_without_launcher_expect_an_end},
    {"tasks that MPI does not see", given_tasks_that_mpi_does_not_see_expect_a_refusal},
    {"signal under MPI", given_a_signal_under_mpi_expect_143},
    {"closed descriptors", given_closed_descriptors_expect_dev_null},
    {"workers", given_threads_and_jobs_expect_workers_for_the_points},
    {0},
};
const fq_suite fq_suite_sweep_environment = {"sweep_environment", tests};
