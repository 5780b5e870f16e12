/* The machine's own limits: clock, multiply-adds, reading and copying in each level of memory. */
#include <stdio.h>
#include <string.h>

#include "bench_limits.h"

static bool check_clock(void *context, char why[FQ_BENCH_WHY_MAX]) {
    uint64_t cycles;
    memcpy(&cycles, context, sizeof cycles);
    if (cycles == FQ_LIMIT_CYCLES)
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "counted %llu additions", (unsigned long long)cycles);
    return false;
}

static fq_status measure_core(fq_bench_session *session) {
    uint64_t cycles = 0;
    const fq_bench_case core = {
        .name = "core",
        .work = "clock: dependent additions, one a cycle; FMA peak: multiply-adds, two flop each",
        .unit = "cycles",
        .amount = FQ_LIMIT_CYCLES};
    fq_bench_begin(session, &core);
    if (fq_limit_clock_known())
        fq_bench_add(session, &(fq_bench_variant){.name = "clock",
                                                  .kind = FQ_BENCH_LIMIT,
                                                  .run = fq_limit_clock_run,
                                                  .check = check_clock,
                                                  .context = &cycles,
                                                  .output = &cycles,
                                                  .output_bytes = sizeof cycles});
    fq_bench_add_peak(session);
    return fq_bench_measure(session);
}

typedef struct level {
    const char *name, *read_work;
    size_t bytes;
} level;

static fq_status measure_memory(fq_bench_session *session, const level *at) {
    fq_limit_memory read = {0}, copy = {0};
    fq_status status = fq_limit_memory_init(&read, at->bytes, false);
    if (status == FQ_OK)
        status = fq_limit_memory_init(&copy, at->bytes / 2, true);
    if (status == FQ_OK) {
        const fq_bench_case the_case = {.name = at->name, .work = at->read_work, .unit = "B"};
        fq_bench_begin(session, &the_case);
        fq_bench_add(session, &(fq_bench_variant){.name = "read",
                                                  .kind = FQ_BENCH_LIMIT,
                                                  .run = fq_limit_read_run,
                                                  .check = fq_limit_read_check,
                                                  .context = &read,
                                                  .output = &read.sum,
                                                  .output_bytes = sizeof read.sum,
                                                  .bytes = (double)read.bytes});
        fq_bench_add(session, &(fq_bench_variant){.name = "copy",
                                                  .kind = FQ_BENCH_LIMIT,
                                                  .run = fq_limit_copy_run,
                                                  .check = fq_limit_copy_check,
                                                  .context = &copy,
                                                  .output = copy.to,
                                                  .output_bytes = copy.bytes,
                                                  .bytes = (double)copy.bytes});
        status = fq_bench_measure(session);
    }
    fq_limit_memory_clear(&read);
    fq_limit_memory_clear(&copy);
    return status;
}

static fq_status run(fq_bench_session *session) {
    const size_t beyond = fq_bench_size(session, 2 * fq_limit_beyond_caches(), 1 << 21);
    const level levels[] = {
        {"L1", "24 KiB: summed; half of it copied to the other half, counting the bytes written", 24 << 10},
        {"L2", "384 KiB: summed; half of it copied to the other half, counting the bytes written", 384 << 10},
        {"memory", "beyond every cache: summed; half copied to the other half, counting the bytes written",
         beyond}};
    if (fq_bench_wanted(session, "core"))
        FQ_TRY(measure_core(session));
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (fq_bench_wanted(session, levels[i].name))
            FQ_TRY(measure_memory(session, &levels[i]));
    return FQ_OK;
}

const fq_bench fq_bench_machine = {
    "machine", "clock, multiply-adds, reading and copying: what bounds all else", false, run};
