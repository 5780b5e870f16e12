/* How to add a benchmark: this file, and the line FQ_BENCH(sum) in experiments/bench/benches.def. It times a
 * sum in right ways and, in the case "broken", wrong ones. Variants that write nothing would pass if what
 * another has written were not spoilt before. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum { TERMS = 1000 };

typedef struct sum_work {
    double terms[TERMS], result, expected;
} sum_work;

static fq_status forward(void *context) {
    sum_work *const w = context;
    w->result = 0;
    for (size_t i = 0; i < TERMS; i++)
        w->result += w->terms[i];
    return FQ_OK;
}

static fq_status backward(void *context) {
    sum_work *const w = context;
    w->result = 0;
    for (size_t i = TERMS; i > 0; i--)
        w->result += w->terms[i - 1];
    return FQ_OK;
}

static fq_status forgets_the_last(void *context) {
    sum_work *const w = context;
    w->result = 0;
    for (size_t i = 0; i + 1 < TERMS; i++)
        w->result += w->terms[i];
    return FQ_OK;
}

static fq_status does_nothing(void *context) {
    (void)context;
    return FQ_OK;
}

static bool check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const sum_work *const w = context;
    if (w->result == w->expected)
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "the sum is %g, not %g", w->result, w->expected);
    return false;
}

static fq_status run(fq_bench_session *session) {
    static const char *const names[] = {"right", "broken"};
    for (size_t c = 0; c < 2; c++) {
        if (!fq_bench_wanted(session, names[c]))
            continue;
        sum_work work;
        for (size_t i = 0; i < TERMS; i++)
            work.terms[i] = (double)(i + 1);
        work.expected = TERMS * (TERMS + 1) / 2.0;
        const fq_bench_case the_case = {.name = names[c],
                                        .work = "a thousand whole numbers",
                                        .unit = "terms",
                                        .amount = TERMS,
                                        .axis = "terms",
                                        .axis_value = TERMS,
                                        .axis_slope = 1};
        fq_bench_variant v = {.name = "forward",
                              .kind = FQ_BENCH_NAIVE,
                              .run = forward,
                              .check = check,
                              .context = &work,
                              .output = &work.result,
                              .output_bytes = sizeof work.result};
        fq_bench_begin(session, &the_case);
        fq_bench_add(session, &v);
        v.name = "backward";
        v.kind = FQ_BENCH_OURS;
        v.run = backward;
        v.target = (fq_bench_target){FQ_GOAL_TIMES, 1e-6, "forward"};
        fq_bench_add(session, &v);
        v.name = "half";
        v.kind = FQ_BENCH_STAGE;
        v.target = (fq_bench_target){FQ_GOAL_SHARE, 1e-6, NULL};
        fq_bench_add(session, &v);
        v.kind = FQ_BENCH_OURS;
        v.target = (fq_bench_target){0};
        if (c == 1) {
            v.name = "forgets the last";
            v.run = forgets_the_last;
            fq_bench_add(session, &v);
            v.name = "does nothing";
            v.run = does_nothing;
            fq_bench_add(session, &v);
            FQ_TRY(fq_bench_note(session, "a number", 3, "apples", &(fq_bench_target){FQ_GOAL_VALUE, 2, NULL},
                                 true, ""));
        }
        FQ_TRY(fq_bench_measure(session));
    }
    return FQ_OK;
}

const fq_bench fq_bench_sum = {"sum", "a sum", false, run};
