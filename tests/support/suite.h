/* What a test file offers the runner: one suite, listed in tests/suites.def. */
#ifndef FQ_SUITE_H
#define FQ_SUITE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct fq_test {
    const char *name; /* given_..._expect_... or a plain statement */
    void (*run)(void);
} fq_test;

typedef struct fq_suite {
    const char *name;
    const fq_test *tests; /* ends with a NULL name */
} fq_suite;

enum { FQ_TEST_SEED_DEFAULT = 20260511 };

/* The --seed of this run (FQ_TEST_SEED_DEFAULT unless given), and how much more than usual to do (--mult, >=
 * 1). */
uint64_t fq_test_seed(void);
unsigned fq_test_multiplier(void);

/* Threads that the library may use from now on; nothing in a build without OpenMP. And how
 * many it may use. */
void fq_test_set_threads(int threads);
int fq_test_get_threads(void);

/* The program under test and a fresh empty scratch folder of the running test (made on first use,
 * removed when the test passes). */
const char *fq_test_program(void);
const char *fq_test_folder(void);

#endif
