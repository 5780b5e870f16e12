/* Benchmarks: a piece of work, several ways to do it, each verified and then timed in turns.
 *
 * One file bench_<name>.c each, defining
 *     const fq_bench fq_bench_<name> = {...};
 * and one line FQ_BENCH(<name>) in benches.def, which also puts the file in the build. Its run goes
 * through its cases:
 *
 *     if (!fq_bench_wanted(session, "k=4,N=256"))   // before anything is prepared
 *         continue;
 *     ... prepare the work and the expected output, from streams of purpose FQ_PURPOSE_BENCH
 *     fq_bench_begin(session, &(fq_bench_case){.name = "k=4,N=256", .unit = "blocks", ...});
 *     fq_bench_add_peak(session);                   // machine limits that bound this work
 *     fq_bench_add(session, &(fq_bench_variant){.name = "naive loop", .kind = FQ_BENCH_NAIVE, ...});
 *     fq_bench_add(session, &(fq_bench_variant){.name = "avx2", .kind = FQ_BENCH_OURS, ...});
 *     FQ_TRY_GOTO(status, fq_bench_measure(session), done);
 *
 * measure runs each variant once on spoilt output and checks what it wrote. A variant whose output is
 * wrong is marked so, never timed, and makes the program exit with 1. The others are warmed up, their
 * runs grouped into samples of at least FQ_BENCH_SAMPLE_S seconds, and timed round by round, in a new
 * random order each round, so that drift and load hit all alike; in the last round the output is
 * spoilt and checked again. Ratios are medians of the ratios within a round.
 *
 * fq_bench_begin to fq_bench_measure copy nothing: texts and contexts must live until measure returns.
 * One thread calls; a variant runs with the OpenMP threads it asks for, OpenBLAS with one.
 */
#ifndef FQ_BENCH_H
#define FQ_BENCH_H

#include <stdint.h>

#include "status.h"

enum {
    FQ_BENCH_VARIANTS_MAX = 24,
    FQ_BENCH_WHY_MAX = 160,
    FQ_BENCH_NAME_MAX = 64,
    FQ_BENCH_ROUNDS_MAX = 1000
};
#define FQ_BENCH_SAMPLE_S 0.01

typedef struct fq_bench_session fq_bench_session;

typedef enum fq_bench_kind {
    FQ_BENCH_LIMIT = 0, /* what the machine can do at most; does its own work, not the case's */
    FQ_BENCH_NAIVE,     /* plain loops; the first is what the others' ratios refer to */
    FQ_BENCH_LIBRARY,   /* a tuned library on the same work; likewise */
    FQ_BENCH_OURS,      /* one for each dispatch path; the first is the whole that stages are part of */
    FQ_BENCH_STAGE      /* a part of ours, timed alone: its share of the whole is reported */
} fq_bench_kind;

/* "limit", "naive", "library", "ours", "stage". */
const char *fq_bench_kind_name(fq_bench_kind kind);

/* What a variant is meant to reach; shown and compared, no failure if missed. */
typedef enum fq_bench_goal {
    FQ_GOAL_NONE = 0,
    FQ_GOAL_OF_PEAK, /* at least value of the FMA peak, by the case's flops */
    FQ_GOAL_OF_COPY, /* at least value of the copy bandwidth, by the case's bytes */
    FQ_GOAL_RATE,    /* at least value units a second on a core of 3.4 GHz, scaled to this one's clock */
    FQ_GOAL_TIMES,   /* at least value times as fast as the variant named other */
    FQ_GOAL_SHARE,   /* a stage: at most value of the whole */
    FQ_GOAL_SECONDS, /* at most value seconds a run */
    FQ_GOAL_VALUE    /* fq_bench_note: at most value */
} fq_bench_goal;

typedef struct fq_bench_target {
    fq_bench_goal goal;
    double value;
    const char *other; /* FQ_GOAL_TIMES */
} fq_bench_target;

typedef struct fq_bench_case {
    const char *name; /* the parameters that tell it apart: "k=4,N=256" */
    const char *work; /* one line: what a run does and how its work is counted */
    const char *unit; /* plural: "blocks" */
    double amount;    /* units of a whole run */
    double flops;     /* of a whole run, held against the FMA peak; 0: not */
    double bytes;     /* of a whole run, held against the copy bandwidth; 0: not */
    bool once;        /* takes seconds: one round, run once, checked after it was timed */
    /* One point of a curve of the scaling figure; axis NULL: none. The time a unit is expected to grow
     * as value^slope. */
    const char *axis;
    double axis_value, axis_slope;
} fq_bench_case;

typedef struct fq_bench_variant {
    const char *name;
    fq_bench_kind kind;
    fq_status (*run)(void *context);
    /* Whether the output is right; if not, says in why what is wrong. NULL only for limits. */
    bool (*check)(void *context, char why[FQ_BENCH_WHY_MAX]);
    void *context;
    void *output; /* what run writes: overwritten before it is checked; NULL only for limits */
    size_t output_bytes;
    double share;        /* of the case's work that a run does; 0 means all of it */
    size_t threads;      /* 0 means 1 */
    double flops, bytes; /* limits: what a run does, one of the two */
    fq_bench_target target;
    fq_bench_target also; /* FQ_GOAL_TIMES or none: must be met besides */
} fq_bench_variant;

typedef struct fq_bench {
    const char *name;
    const char *summary; /* one line for --list */
    bool scaling;        /* runs only with --scaling, or when named */
    fq_status (*run)(fq_bench_session *session);
} fq_bench;

/* Whether the user wants this case of the running benchmark: ask once for each, in a fixed order. */
bool fq_bench_wanted(fq_bench_session *session, const char *case_name);

/* small if the user asked for --quick: sizes that show that everything works, not how fast it is. */
size_t fq_bench_size(const fq_bench_session *session, size_t full, size_t small);

uint64_t fq_bench_seed(const fq_bench_session *session);
size_t fq_bench_threads(const fq_bench_session *session); /* --threads: most to use, at least 1 */

void fq_bench_begin(fq_bench_session *session, const fq_bench_case *the_case);
void fq_bench_add(fq_bench_session *session, const fq_bench_variant *variant); /* copies the struct */

/* The limits, as variants of the case; several threads are held against as many times the rate of one. */
void fq_bench_add_peak(fq_bench_session *session); /* multiply-adds in registers */
void fq_bench_add_copy(fq_bench_session *session); /* memcpy between arrays larger than the caches;
                                                      bytes are those written */

FQ_MUST_CHECK fq_status fq_bench_measure(fq_bench_session *session);

/* A row that is no time: value in unit, such as bytes of memory. Between begin and measure or alone
 * after begin. good false marks it wrong, with the reason. */
FQ_MUST_CHECK fq_status fq_bench_note(fq_bench_session *session, const char *variant, double value,
                                      const char *unit, const fq_bench_target *target, bool good,
                                      const char *why);

/* The table benches.def. */
size_t fq_bench_count(void);
const fq_bench *fq_bench_get(size_t i);

#endif
