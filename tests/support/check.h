/* Comparisons that cannot pass by accident: NaN fails, equal infinities are equal, and a failure
 * prints both sides and how to run the test again. */
#ifndef FQ_CHECK_H
#define FQ_CHECK_H

#include <CUnit/CUnit.h>

#include "status.h"
#include "suite.h"

/* Records a pass or failure at file:line; returns ok. */
bool fq_check_true(bool ok, const char *expression, const char *file, unsigned line);

/* |actual - expected| <= tolerance, prints both otherwise. */
bool fq_check_near(double actual, double expected, double tolerance, const char *expression, const char *file,
                   unsigned line);

/* status == wanted; prints the error record otherwise. */
bool fq_check_status(fq_status status, fq_status wanted, const char *expression, const char *file,
                     unsigned line);

#define FQ_CHECK(condition) fq_check_true((condition), #condition, __FILE__, __LINE__)
#define FQ_CHECK_NEAR(actual, expected, tolerance)                                                           \
    fq_check_near((actual), (expected), (tolerance), #actual " = " #expected, __FILE__, __LINE__)
#define FQ_CHECK_OK(call)            fq_check_status((call), FQ_OK, #call, __FILE__, __LINE__)
#define FQ_CHECK_FAILS(call, wanted) fq_check_status((call), (wanted), #call, __FILE__, __LINE__)

#endif
