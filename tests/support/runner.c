/* The one test program: runs the suites of suites.def and says honestly whether all passed. Exit 0
 * only if something was asserted and nothing failed; 1 for a failure of any kind; 2 for wrong usage. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/Basic.h>
#include <cblas.h>
#include <gsl/gsl_errno.h>
#include <hdf5.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "check.h"
#include "codebook_training.h"
#include "memory.h"
#include "suite.h"

#define FQ_SUITE(folder, name) extern const fq_suite fq_suite_##name;
#include "suites.def"
#undef FQ_SUITE

static const fq_suite *const suites[] = {
#define FQ_SUITE(folder, name) &fq_suite_##name,
#include "suites.def"
#undef FQ_SUITE
};
enum { SUITES = sizeof suites / sizeof suites[0] };

static uint64_t seed = FQ_TEST_SEED_DEFAULT;
static unsigned multiplier = 1;
static char folder[64];

uint64_t fq_test_seed(void) {
    return seed;
}

unsigned fq_test_multiplier(void) {
    return multiplier;
}

void fq_test_set_threads(int threads) {
#ifdef _OPENMP
    omp_set_num_threads(threads);
#else
    (void)threads;
#endif
}

int fq_test_get_threads(void) {
#ifdef _OPENMP
    return omp_get_max_threads();
#else
    return 1;
#endif
}

const char *fq_test_program(void) {
    const char *program = getenv("FIBQUANT");
    return program ? program : "./fibquant";
}

const char *fq_test_folder(void) {
    if (!folder[0]) {
        strcpy(folder, "/tmp/fibquant-test-XXXXXX");
        if (!mkdtemp(folder)) {
            perror("mkdtemp");
            exit(1);
        }
    }
    return folder;
}

static void remove_folder(void) {
    if (!folder[0])
        return;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        fprintf(stderr, "could not remove %s\n", folder);
    folder[0] = '\0';
}

bool fq_check_true(bool ok, const char *expression, const char *file, unsigned line) {
    CU_assertImplementation(ok, line, expression, file, "", CU_FALSE);
    return ok;
}

bool fq_check_near(double actual, double expected, double tolerance, const char *expression, const char *file,
                   unsigned line) {
    const double error = fabs(actual - expected);
    const bool ok = actual == expected || error <= tolerance; /* false if anything is NaN */
    if (!ok)
        fprintf(stderr, "%s:%u: %s: got %.17g, expected %.17g, off by %.3g, allowed %.3g\n", file, line,
                expression, actual, expected, error, tolerance);
    return fq_check_true(ok, expression, file, line);
}

bool fq_check_status(fq_status status, fq_status wanted, const char *expression, const char *file,
                     unsigned line) {
    const bool ok = status == wanted;
    if (!ok) {
        const fq_error *e = fq_error_last();
        fprintf(stderr, "%s:%u: %s: got \"%s\", wanted \"%s\"; %s%s %s %g; %s (%s:%d)\n", file, line,
                expression, fq_status_message(status), fq_status_message(wanted), e->text, e->argument,
                e->has_value ? "=" : "", e->value, e->allowed, e->source_file ? e->source_file : "",
                e->source_line);
    }
    return fq_check_true(ok, expression, file, line);
}

/* What a test allocated by memory.h must be free again when it ends; in a test that has failed already it
 * need not. */
static size_t live_before;
static unsigned failures_before;

static void remember_live(void) {
    live_before = fq_alloc_live();
    failures_before = CU_get_number_of_failures();
}

static void compare_live(void) {
    const size_t live = fq_alloc_live();
    if (live != live_before && CU_get_number_of_failures() == failures_before)
        fprintf(stderr, "%zu allocations before the test, %zu after it: memory leaks\n", live_before, live);
    if (CU_get_number_of_failures() == failures_before)
        fq_check_true(live == live_before, "everything allocated is freed", __FILE__, __LINE__);
}

static void test_complete(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord fail) {
    printf("  %-4s %s / %s\n", fail ? "FAIL" : "ok", suite->pName, test->pName);
    for (CU_pFailureRecord f = fail; f; f = f->pNext)
        printf("       %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
    if (fail)
        printf("       again: --filter '%s/%s' --seed %" PRIu64 " --mult %u%s%s\n", suite->pName, test->pName,
               seed, multiplier, folder[0] ? "; files kept in " : "", folder);
    else
        remove_folder();
    folder[0] = '\0';
    fflush(stdout);
}

static _Noreturn void usage(const char *why) {
    fprintf(stderr, "tests: %s; usage: [--list] [--filter SUITE[/TEST-PART]] [--seed N] [--mult N]\n", why);
    exit(2);
}

static uint64_t whole_number(const char *text, uint64_t least, uint64_t most, const char *what) {
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text ? text : "", &end, 10);
    if (!text || !*text || *end || *text == '-' || errno || value < least || value > most)
        usage(what);
    return value;
}

static bool selected(const char *filter, const char *suite, const char *test) {
    if (!filter)
        return true;
    const char *slash = strchr(filter, '/');
    const size_t length = slash ? (size_t)(slash - filter) : strlen(filter);
    if (strlen(suite) != length || strncmp(filter, suite, length) != 0)
        return false;
    return !slash || strstr(test, slash + 1) != NULL;
}

int main(int argc, char **argv) {
    const char *filter = NULL;
    bool list = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--list") == 0)
            list = true;
        else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc)
            filter = argv[++i];
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = whole_number(argv[++i], 0, UINT64_MAX, "--seed takes 0..2^64-1");
        else if (strcmp(argv[i], "--mult") == 0 && i + 1 < argc)
            multiplier = (unsigned)whole_number(argv[++i], 1, 100000, "--mult takes 1..100000");
        else
            usage("unknown or incomplete option");
    }
    openblas_set_num_threads(1); /* as in the program */
    fq_training_install();
    gsl_set_error_handler_off();
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (CU_initialize_registry() != CUE_SUCCESS) {
        fprintf(stderr, "tests: %s\n", CU_get_error_msg());
        return 1;
    }
    unsigned added = 0;
    for (int s = 0; s < SUITES; s++) {
        CU_pSuite suite = NULL;
        for (const fq_test *test = suites[s]->tests; test->name; test++) {
            if (!selected(filter, suites[s]->name, test->name))
                continue;
            if (list) {
                printf("%s/%s\n", suites[s]->name, test->name);
            } else {
                if (!suite)
                    suite = CU_add_suite_with_setup_and_teardown(suites[s]->name, NULL, NULL, remember_live,
                                                                 compare_live);
                if (!suite || !CU_add_test(suite, test->name, test->run)) {
                    fprintf(stderr, "tests: %s\n", CU_get_error_msg());
                    return 1;
                }
            }
            added++;
        }
    }
    if (added == 0)
        usage("no test matches the filter");
    if (list) {
        CU_cleanup_registry();
        return 0;
    }
    CU_set_test_complete_handler(test_complete);
    const CU_ErrorCode error = CU_run_all_tests();
    const unsigned failed_tests = CU_get_number_of_tests_failed();
    const unsigned failed_suites = CU_get_number_of_suites_failed();
    const unsigned run = CU_get_number_of_tests_run();
    const unsigned asserts = CU_get_number_of_asserts();
    CU_cleanup_registry();
    printf("%u checks in %u tests\n%u passed, %u failed\n", asserts, run, run - failed_tests, failed_tests);
    const bool good =
        error == CUE_SUCCESS && failed_tests == 0 && failed_suites == 0 && asserts > 0 && run == added;
    return good ? 0 : 1;
}
