/* The verb workers: the same end point on any number of ranks, and that of the experiment's sweep. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "check.h"
#include "command.h"
#include "result_store.h"

#define MPI "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n %d "

typedef struct end {
    char point[80];
    double gradient, bits;
    long long ranks;
} end;

static end run(const char *launcher, const char *arguments) {
    end e = {.ranks = 0};
    const fq_command_result *r = fq_command("%s$FIBQUANT workers --json %s", launcher, arguments);
    if (!FQ_CHECK(r->exit_code == 0)) {
        fprintf(stderr, "%s\n", r->err);
        return e;
    }
    json_t *root = json_loads(r->out, 0, NULL);
    const char *point = json_string_value(json_object_get(root, "point_sha256"));
    if (FQ_CHECK(point != NULL))
        snprintf(e.point, sizeof e.point, "%s", point);
    e.gradient = json_number_value(json_object_get(root, "gradient"));
    e.bits = json_number_value(json_object_get(root, "bits_a_worker"));
    e.ranks = json_integer_value(json_object_get(root, "ranks"));
    json_decref(root);
    return e;
}

/* Seven workers on one, two and three ranks: 2, 2 and 3 of them, 3 and 4, all. */
static void ranks_do_not_matter(void) {
    static const char *const runs[] = {
        "--method ef21-sgdm --compressor tq:b=1 --workers 7 --noise 0.2 --gamma 0.1 --block 32 --rounds 20",
        "--method ef14 --compressor topk:K=4 --workers 7 --problem logistic --rounds 20",
        "--method adiana --compressor randk:K=8 --workers 7 --step 64 --rounds 20 --shared"};
    /* a build without MPI, or no launcher: one rank is all there is */
    const bool mpi =
        strstr(fq_command(MPI "$FIBQUANT workers --json --method sgd --compressor none --rounds 1", 2)->out,
               "\"ranks\": 2") != NULL;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const end alone = run("", runs[i]);
        FQ_CHECK(strlen(alone.point) == 64 && alone.ranks == 1 && alone.gradient > 0);
        for (int ranks = 2; mpi && ranks <= 3; ranks++) {
            char launcher[200];
            snprintf(launcher, sizeof launcher, MPI, ranks);
            const end together = run(launcher, runs[i]);
            FQ_CHECK(together.ranks == ranks);
            FQ_CHECK(strcmp(together.point, alone.point) == 0 && together.gradient == alone.gradient &&
                     together.bits == alone.bits);
        }
    }
}

static void a_sweep_ends_there_too(void) {
    char path[512];
    fq_results results;
    memset(&results, 0, sizeof results);
    fq_command(
        "printf 'experiment: error-feedback\\nseed: 5\\ngrid: {problem: quadratic, method: ef21, compressor: "
        "\"tq:b=1\", workers: 3, rounds: 25, repeats: 1}\\n' > s.yaml");
    FQ_CHECK(fq_command("$FIBQUANT sweep s.yaml -o s.h5 -q")->exit_code == 0);
    snprintf(path, sizeof path, "%s/s.h5", fq_test_folder());
    if (!FQ_CHECK_OK(fq_store_read(path, &results)))
        return;
    const fq_table *t = fq_results_table(&results, "error-feedback");
    const end e = run("", "--method ef21 --compressor tq:b=1 --workers 3 --rounds 25 --seed 5");
    FQ_CHECK_NEAR(fq_table_real(t, t->count - 1, fq_table_find(t, "gradient")), e.gradient, 0);
    FQ_CHECK_NEAR(fq_table_real(t, t->count - 1, fq_table_find(t, "bits")), e.bits, 0);
    fq_results_clear(&results);
}

static void bad_runs_are_refused(void) {
    static const struct {
        const char *arguments, *says;
    } wrong[] = {{"--method ef21", "--compressor"},
                 {"--method ef21 --compressor nosuch", "nosuch"},
                 {"--method ef21 --compressor sign --block 48", "does not divide"},
                 {"--method ef21 --compressor sign --noise 1", "exact gradients"},
                 {"--method adiana --compressor sign", "biased"},
                 {"--method adiana --compressor none --problem logistic", "strongly convex"},
                 {"--method ef21 --compressor sign --problem network --dim 256", "smoothness"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const fq_command_result *r = fq_command("$FIBQUANT workers %s", wrong[i].arguments);
        if (!FQ_CHECK((r->exit_code == 2 || r->exit_code == 3) && strstr(r->err, wrong[i].says) != NULL))
            fprintf(stderr, "%s: exit %d, %s\n", wrong[i].arguments, r->exit_code, r->err);
    }
}

static const fq_test tests[] = {
    {"ranks do not matter", ranks_do_not_matter},
    {"a sweep ends there too", a_sweep_ends_there_too},
    {"bad runs are refused", bad_runs_are_refused},
    {0},
};
const fq_suite fq_suite_workers = {"workers", tests};
