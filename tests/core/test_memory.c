#include <stdint.h>

#include "check.h"
#include "memory.h"

static void given_a_size_when_allocated_expect_alignment_and_zeros(void) {
    for (size_t n = 0; n < 300; n++) {
        unsigned char *p = NULL;
        if (!FQ_CHECK_OK(fq_alloc_zero(&p, n, 3)))
            return;
        bool zero = true;
        for (size_t i = 0; i < 3 * n; i++)
            zero = zero && p[i] == 0;
        FQ_CHECK(p != NULL && (uintptr_t)p % FQ_ALIGNMENT == 0 && zero);
        fq_free(p);
    }
    fq_free(NULL);
}

static void given_a_hostile_size_expect_an_error_and_an_untouched_pointer(void) {
    char here;
    void *p = &here;
    FQ_CHECK_FAILS(fq_alloc(&p, SIZE_MAX, 2), FQ_ERR_OVERFLOW);
    FQ_CHECK_FAILS(fq_alloc(&p, SIZE_MAX, 1), FQ_ERR_OVERFLOW);
    FQ_CHECK_FAILS(fq_alloc(&p, SIZE_MAX / 4, 1), FQ_ERR_MEMORY);
    FQ_CHECK(p == &here);
    size_t product = 7;
    FQ_CHECK_FAILS(fq_size_multiply(&product, SIZE_MAX / 2, 3, "n"), FQ_ERR_OVERFLOW);
    FQ_CHECK(product == 7);
    FQ_CHECK_OK(fq_size_multiply(&product, SIZE_MAX, 1, "n"));
    FQ_CHECK(product == SIZE_MAX);
}

static void given_an_injected_fault_expect_only_the_nth_allocation_to_fail(void) {
    fq_alloc_fail_at(3);
    for (int i = 1; i <= 5; i++) {
        void *p = NULL;
        FQ_CHECK_FAILS(fq_alloc(&p, 8, 8), i == 3 ? FQ_ERR_MEMORY : FQ_OK);
        fq_free(p);
    }
    FQ_CHECK(fq_alloc_fail_at(0) == 5);
}

static const fq_test tests[] = {
    {"alignment and zeros", given_a_size_when_allocated_expect_alignment_and_zeros},
    {"hostile sizes", given_a_hostile_size_expect_an_error_and_an_untouched_pointer},
    {"injected fault", given_an_injected_fault_expect_only_the_nth_allocation_to_fail},
    {0},
};
const fq_suite fq_suite_memory = {"memory", tests};
