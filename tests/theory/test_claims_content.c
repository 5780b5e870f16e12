/* Each checker refutes its statement when that is made wrong, in every series of it that is compared. Some
 * are made wrong by their content, not by a constant: a family of directions that is random, rates that are
 * not the stated ones, a transform that is one round short. Each series named with them must notice. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ball.h"
#include "check.h"
#include "claim.h"

typedef struct watch {
    const char *series;
    double block;   /* 0: any */
    size_t refuted; /* rows without a finding */
} watch;

typedef struct watches {
    watch all[8];
    size_t count;
} watches;

static fq_status note(void *context, const fq_evidence *row) {
    watches *const w = context;
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(row->series, w->all[i].series) == 0 &&
            (w->all[i].block == 0 || row->block == w->all[i].block))
            w->all[i].refuted += row->verdict == FQ_VERDICT_REFUTED && !row->finding[0];
    return FQ_OK;
}

/* Each watched series of the claim has a refuted row without a finding under this perturbation. */
static void noticed(const char *id, fq_perturbation perturbation, const watch *watched, size_t count) {
    const fq_claim *const claim = fq_claim_find(id);
    watches w = {.count = count};
    if (!FQ_CHECK(claim != NULL && count <= 8))
        return;
    memcpy(w.all, watched, count * sizeof *watched);
    fq_claim_context context;
    fq_claim_context_init(&context, fq_test_seed(), note, &w);
    context.quick = true;
    context.perturbation = perturbation;
    FQ_CHECK_OK(claim->run(&context));
    for (size_t i = 0; i < count; i++)
        if (!FQ_CHECK(w.all[i].refuted > 0))
            fprintf(stderr, "claim %s: %s (k=%g) does not notice\n", id, w.all[i].series, w.all[i].block);
}

static void directions(void) {
    static const watch random_family[] = {{"golden_covering", 2, 0}, {"golden_separation", 2, 0}};
    static const watch other_rates[] = {{"covering_at_best_rate", 2, 0},
                                        {"covering_at_best_rate", 3, 0},
                                        {"random_discrepancy_rate", 2, 0},
                                        {"random_discrepancy_rate", 3, 0}};
    static const watch no_log_factor[] = {{"random_covering_log_factor", 2, 0},
                                          {"random_covering_log_factor", 3, 0},
                                          {"random_covering_log_factor", 4, 0},
                                          {"discrepancy_falls_faster_than_random", 2, 0}};
    noticed("directions", (fq_perturbation){1, 0, 1}, random_family, 2);
    noticed("directions", (fq_perturbation){1, -0.4, 0}, other_rates, 4);
    noticed("directions", (fq_perturbation){1, 0.4, 0}, no_log_factor, 4);
}

static void source(void) {
    static const watch short_of_a_round[] = {{"hadamard_follows_its_law", 0, 0}, {"haar_mean", 0, 0}};
    static const watch other_decay[] = {{"hadamard_law_at_least", 0, 0}};
    static const watch slower_decay[] = {{"hadamard_law_at_most", 0, 0}};
    static const watch other_constant[] = {{"hadamard_entry_fourth_moment", 0, 0},
                                           {"one_round_fixes_radius", 0, 0}};
    noticed("source", (fq_perturbation){1, 0, 1}, short_of_a_round, 2);
    noticed("source", (fq_perturbation){1, -0.5, 0}, other_decay, 1);
    noticed("source", (fq_perturbation){1, 0.5, 0}, slower_decay, 1);
    noticed("source", (fq_perturbation){1 + 1e-6, 0, 0}, other_constant, 2);
}

/* 4^-b with other exponents, codes whose samples are shifted, other thresholds, figures printed otherwise. */
static void turboquant(void) {
    static const watch falls_faster[] = {{"mse_upper_bound", 0, 0}};
    static const watch falls_slower[] = {{"mse_lower_bound", 0, 0}};
    static const watch shifted[] = {{"product_is_unbiased", 0, 0},
                                    {"product_variance", 0, 0},
                                    {"sketch_variance", 0, 0},
                                    {"mse_of_codec", 0, 0},
                                    {"mse_form_shrinks", 0, 0}};
    static const watch larger[] = {{"optimum_enclosed", 0, 0}, {"mse_one_bit", 0, 0}};
    static const watch smaller[] = {
        {"high_rate_constant", 0, 0}, {"optimum_enclosed", 0, 0}, {"mse_one_bit", 0, 0}};
    static const watch printed[] = {{"mse_as_published", 0, 0}, {"product_variance_as_published", 0, 0}};
    noticed("turboquant", (fq_perturbation){1, 0.5, 0}, falls_faster, 1);
    noticed("turboquant", (fq_perturbation){1, -0.5, 0}, falls_slower, 1);
    noticed("turboquant", (fq_perturbation){1, 0, 2}, shifted, 5);
    noticed("turboquant", (fq_perturbation){1 + 1e-6, 0, 0}, larger, 2);
    /* Doubles follow the high-rate constant to d = 10^6 only, where it is 3e-6 from its limit. */
    noticed("turboquant", (fq_perturbation){1 - 1e-6 * (double)fq_ball_reach(1, 10), 0, 0}, smaller, 3);
    noticed("turboquant", (fq_perturbation){1.03, 0, 0}, printed, 2);
}

/* Every series of a claim that is compared, and whether a wrong statement made it refuted. */
typedef struct coverage {
    struct compared_series {
        char series[FQ_EVIDENCE_SERIES];
        bool refuted;
    } all[64];
    size_t count, overflow;
    size_t refuted; /* rows of this statement, without a finding */
} coverage;

static fq_status cover(void *context, const fq_evidence *row) {
    coverage *const c = context;
    if (row->relation == FQ_RELATION_REPORT)
        return FQ_OK;
    size_t i = 0;
    while (i < c->count && strcmp(c->all[i].series, row->series) != 0)
        i++;
    if (i == sizeof c->all / sizeof c->all[0]) {
        c->overflow++;
        return FQ_OK;
    }
    if (i == c->count)
        memcpy(c->all[c->count++].series, row->series, sizeof row->series);
    c->all[i].refuted |=
        row->verdict == FQ_VERDICT_REFUTED; /* a published one with a finding is wrong as it is */
    c->refuted += row->verdict == FQ_VERDICT_REFUTED && !row->finding[0];
    return FQ_OK;
}

/* What must be noticed: each line is a claim and a perturbation that makes its statement wrong. */
static const struct {
    const char *id;
    fq_perturbation perturbation;
} wrong[] = {
#define FQ_WRONG(id, constant, exponent, bias) {id, {constant, exponent, bias}},
#include "claims_wrong.def"
#undef FQ_WRONG
};

static void refute(const fq_claim *claim, fq_perturbation perturbation, coverage *c) {
    fq_claim_context context;
    fq_claim_context_init(&context, fq_test_seed(), cover, c);
    context.quick = true;
    context.perturbation = perturbation;
    c->refuted = 0;
    FQ_CHECK_OK(claim->run(&context));
    if (!FQ_CHECK(c->refuted > 0))
        fprintf(stderr, "claim %s: constant x %.9g, exponent + %g, bias %g not noticed\n", claim->id,
                perturbation.constant, perturbation.exponent, perturbation.bias);
}

static void every_series_refutes_a_wrong_statement(void) {
    for (size_t i = 0; i < fq_claim_count(); i++) {
        const fq_claim *const claim = fq_claim_get(i);
        coverage c = {.count = 0};
        for (size_t j = 0; j < sizeof wrong / sizeof wrong[0]; j++)
            if (strcmp(wrong[j].id, claim->id) == 0)
                refute(claim, wrong[j].perturbation, &c);
        if (!FQ_CHECK(c.count > 0 && c.overflow == 0))
            fprintf(stderr, "claim %s: no line of claims_wrong.def, or more series than this test holds\n",
                    claim->id);
        for (size_t j = 0; j < c.count; j++)
            if (!FQ_CHECK(c.all[j].refuted))
                fprintf(stderr, "claim %s: no line of claims_wrong.def makes %s refuted\n", claim->id,
                        c.all[j].series);
    }
}

static const fq_test tests[] = {
    {"every series", every_series_refutes_a_wrong_statement},
    {"directions", directions},
    {"source", source},
    {"turboquant", turboquant},
    {0},
};
const fq_suite fq_suite_claims_content = {"claims_content", tests};
