/* Exit statuses are what scripts go by: each of the library's statuses has one of those that --help lists. */
#include "check.h"
#include "failure.h"

static void given_each_status_expect_its_exit_status(void) {
    static const struct {
        fq_status status;
        int exit_code;
    } cases[] = {
        {FQ_OK, 0},           {FQ_ERR_ARGUMENT, 2},    {FQ_ERR_SPEC, 2},          {FQ_ERR_USAGE, 2},
        {FQ_ERR_INPUT, 3},    {FQ_ERR_CORRUPT, 3},     {FQ_ERR_NONFINITE, 3},     {FQ_ERR_RANGE, 3},
        {FQ_ERR_MEMORY, 3},   {FQ_ERR_UNSUPPORTED, 3}, {FQ_ERR_OVERFLOW, 3},      {FQ_ERR_OUTPUT, 4},
        {FQ_ERR_INTERNAL, 5}, {FQ_ERR_CONVERGENCE, 5}, {FQ_ERR_INTERRUPTED, 130},
    };
    size_t listed = 0;
#define COUNT(name, number, text) listed++;
    FQ_STATUS_LIST(COUNT)
#undef COUNT
    FQ_CHECK(listed == sizeof cases / sizeof cases[0]);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        FQ_CHECK_NEAR(fq_failure_exit_code(cases[i].status), cases[i].exit_code, 0);
}

static const fq_test tests[] = {
    {"exit statuses", given_each_status_expect_its_exit_status},
    {0},
};
const fq_suite fq_suite_failure = {"failure", tests};
