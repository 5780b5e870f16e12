/* The claims hold as stated; how rows are compared and summed up. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ball.h"
#include "check.h"
#include "claim.h"
#include "gains.h"

/* A row of enclosures; of an equality with a double its right side alone. */
typedef struct kept_row {
    char parameters[FQ_EVIDENCE_TEXT];
    double left, right, error;
} kept_row;

typedef struct tally {
    const fq_claim *claim;
    fq_claim_summary summary;
    size_t malformed, undescribed;
    /* Of each series, by its place in the claim's table: rows, those that are measured, those that name d, k,
     * N and the rate. */
    size_t rows[64], measured[64], named[64][4];
    size_t ordered[64], equal[64], unbounded[64]; /* rows of balls compared by < or >, rows compared by =,
                                                     rows of balls whose left side may be anything */
    kept_row kept[64][2];                         /* of each series the first and the last of them */
    bool stop_at_once;
    char refuted[FQ_EVIDENCE_TEXT];
} tally;

/* The numbers that the rows of a series are made of, for the golden file. */
static void keep(kept_row kept[2], const fq_evidence *row) {
    const bool of_balls = row->precision > 0;
    const char *const from_doubles[] = {"margin", "enclosed"}; /* in their leading digits */
    for (size_t i = 0; i < 2; i++)
        if (strstr(row->series, from_doubles[i]))
            return;
    if (row->relation == FQ_RELATION_REPORT ||
        (!of_balls && (row->verdict != FQ_VERDICT_COMPUTED || row->relation != FQ_RELATION_EQUAL)))
        return;
    kept_row *const to = &kept[kept[0].parameters[0] ? 1 : 0];
    *to = (kept_row){.left = of_balls ? row->left : 0,
                     .right = row->right,
                     .error = (of_balls ? row->left_error : 0) + row->right_error};
    snprintf(to->parameters, sizeof to->parameters, "%s", row->parameters);
}

static fq_status count(void *context, const fq_evidence *row) {
    tally *const t = context;
    const fq_series *const series = t->claim ? fq_claim_series(t->claim, row->series) : NULL;
    fq_claim_summary_add(&t->summary, row, series ? series->part : FQ_PART_STATEMENT);
    t->undescribed += !series;
    if (series && series - t->claim->series < 64) {
        t->rows[series - t->claim->series]++;
        t->measured[series - t->claim->series] += row->verdict == FQ_VERDICT_MEASURED;
        keep(t->kept[series - t->claim->series], row);
        const bool order = row->relation == FQ_RELATION_LESS || row->relation == FQ_RELATION_GREATER;
        t->ordered[series - t->claim->series] += order && row->precision > 0;
        t->equal[series - t->claim->series] += row->relation == FQ_RELATION_EQUAL;
        t->unbounded[series - t->claim->series] +=
            row->precision > 0 && isinf(row->least) && isinf(row->most);
        const double names[] = {row->dim, row->block, row->codewords, row->rate};
        for (size_t i = 0; i < 4; i++)
            t->named[series - t->claim->series][i] += isnan(names[i]) ? 0 : 1;
    }
    if (!row->series[0] || !row->parameters[0] || !(row->seconds >= 0) ||
        (row->verdict == FQ_VERDICT_CERTIFIED && row->precision < 64) ||
        (row->verdict == FQ_VERDICT_MEASURED && row->samples == 0))
        t->malformed++;
    if (row->verdict == FQ_VERDICT_REFUTED && !row->finding[0])
        snprintf(t->refuted, sizeof t->refuted, "%s", row->parameters);
    return t->stop_at_once ? FQ_FAIL(FQ_ERR_INTERRUPTED, "claim", "no such row") : FQ_OK;
}

static tally run_claim(const fq_claim *claim) {
    tally t = {.claim = claim};
    fq_claim_summary_init(&t.summary);
    fq_claim_context context;
    fq_claim_context_init(&context, fq_test_seed(), count, &t);
    context.quick = true;
    FQ_CHECK_OK(claim->run(&context));
    return t;
}

/* Series that quick runs leave out: of stores, and of sample sizes that they do not reach. */
static bool only_in_full_runs(const char *name) {
    static const char *const names[] = {"stored_point",       "stored_point_every_code",
                                        "stored_gap",         "hadamard_seen_from_haar",
                                        "simplex_below_cube", "over_scalar",
                                        "stored_certificate", "stored_measurement"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* One line each, no name twice, and none that the claim does not emit. */
static void every_series_is_described(const fq_claim *claim, const tally *t) {
    for (const fq_series *s = claim->series; s->name; s++) {
        FQ_CHECK(fq_claim_series(claim, s->name) == s && strlen(s->name) < FQ_EVIDENCE_SERIES);
        FQ_CHECK(s->meaning && strlen(s->meaning) > 10 && strlen(s->meaning) < 160 &&
                 !strchr(s->meaning, '\n'));
        if (!FQ_CHECK(s - claim->series < 64 &&
                      (t->rows[s - claim->series] > 0 || only_in_full_runs(s->name))))
            fprintf(stderr, "claim %s: no row of series %s\n", claim->id, s->name);
    }
}

#define GOLDEN_ROWS "tests/golden/claim_rows.txt"

/* Every series of every claim with its number of rows in a quick run, how many of them are measured, and how
 * many name d, k, N and the rate, one a line, for the seed that tests have unless told otherwise: a claim
 * that compares less must say so in that file (tests/golden/make_codes.sh). With FQ_GOLDEN_WRITE set to a
 * folder the list is written there instead.
 */
static void rows_are_golden(const char *made) {
    char golden[1 << 14] = "", path[1024];
    FILE *const from = fopen(FQ_SOURCE_DIR "/" GOLDEN_ROWS, "r");
    if (!FQ_CHECK(from != NULL))
        return;
    golden[fread(golden, 1, sizeof golden - 1, from)] = '\0';
    fclose(from);
    if (getenv("FQ_GOLDEN_WRITE")) {
        snprintf(path, sizeof path, "%s/claim_rows.txt", getenv("FQ_GOLDEN_WRITE"));
        FILE *const to = fopen(path, "w");
        FQ_CHECK(to && fputs(made, to) >= 0 && fclose(to) == 0);
        return;
    }
    for (const char *a = made, *b = golden; *a || *b;) {
        const size_t in_a = strcspn(a, "\n"), in_b = strcspn(b, "\n");
        if (!FQ_CHECK(in_a == in_b && strncmp(a, b, in_a) == 0)) {
            fprintf(stderr, "  made \"%.*s\", " GOLDEN_ROWS " has \"%.*s\"\n", (int)in_a, a, (int)in_b, b);
            return;
        }
        a += in_a + (a[in_a] == '\n');
        b += in_b + (b[in_b] == '\n');
    }
}

enum { CLAIMS_MAX = 64 };
static tally tallies[CLAIMS_MAX]; /* of quick runs, by the claim's place; no claim: not run yet */

static const struct {
    const char *claim, *series, *other_claim, *other_series;
} second_routes[] = {
#define FQ_SECOND_ROUTE(claim, series, other_claim, other_series) {claim, series, other_claim, other_series},
#include "second_routes.def"
#undef FQ_SECOND_ROUTE
};

/* An order of enclosures is worth what their formulas are: each series of them names another route to its
 * left side, and that series has equalities, or is the same whole number held from its other side. */
static void orders_have_second_routes(void) {
    for (size_t i = 0; i < fq_claim_count(); i++)
        for (const fq_series *s = tallies[i].claim->series; s->name; s++) {
            const fq_claim *const claim = tallies[i].claim;
            bool found = tallies[i].ordered[s - claim->series] == 0;
            for (size_t j = 0; !found && j < sizeof second_routes / sizeof second_routes[0]; j++) {
                const fq_claim *const other = fq_claim_find(second_routes[j].other_claim);
                const fq_series *const route =
                    other ? fq_claim_series(other, second_routes[j].other_series) : NULL;
                if (strcmp(second_routes[j].claim, claim->id) != 0 ||
                    strcmp(second_routes[j].series, s->name) != 0 || !route)
                    continue;
                size_t at = 0;
                while (fq_claim_get(at) != other)
                    at++;
                found = tallies[at].equal[route - other->series] > 0 ||
                        (other == claim && tallies[at].ordered[route - other->series] > 0);
            }
            if (!FQ_CHECK(found))
                fprintf(stderr,
                        "claim %s: series %s has no line in tests/theory/second_routes.def whose other "
                        "series has rows\n",
                        claim->id, s->name);
        }
}

#define GOLDEN_VALUES "tests/golden/claim_values.txt"

/* Both sides of the first and of the last row of each of a claim's series of enclosures, and of equalities
 * with one, in a quick run. What an order of two numbers does not show, that either is another number than it
 * was, this does. Lines are "claim series left right parameters"; new ones come from
 * tests/golden/make_codes.sh. */
static void write_values(FILE *to, const tally *t) {
    for (const fq_series *s = t->claim->series; s->name; s++)
        for (int j = 0; j < 2; j++) {
            const kept_row *const row = &t->kept[s - t->claim->series][j];
            if (row->parameters[0])
                fprintf(to, "%s %s %.15g %.15g %s\n", t->claim->id, s->name, row->left, row->right,
                        row->parameters);
        }
}

static void values_are_golden(const tally *t) {
    static kept_row golden[64][2];
    char line[512], claim[64], series[64];
    FILE *const from = fopen(FQ_SOURCE_DIR "/" GOLDEN_VALUES, "r");
    if (!FQ_CHECK(from != NULL))
        return;
    memset(golden, 0, sizeof golden);
    while (fgets(line, sizeof line, from)) {
        kept_row one = {.parameters = ""};
        int at = 0;
        if (sscanf(line, "%63s %63s %lf %lf %n", claim, series, &one.left, &one.right, &at) < 4 ||
            strcmp(claim, t->claim->id) != 0)
            continue;
        snprintf(one.parameters, sizeof one.parameters, "%.*s", (int)strcspn(line + at, "\n"), line + at);
        const fq_series *const s = fq_claim_series(t->claim, series);
        if (FQ_CHECK(s != NULL))
            golden[s - t->claim->series][golden[s - t->claim->series][0].parameters[0] ? 1 : 0] = one;
    }
    fclose(from);
    for (const fq_series *s = t->claim->series; s->name; s++)
        for (int j = 0; j < 2; j++) {
            const kept_row *const row = &t->kept[s - t->claim->series][j];
            const kept_row *const old = &golden[s - t->claim->series][j];
            const double slack = 1e-3 * row->error;
            if (!FQ_CHECK(strcmp(row->parameters, old->parameters) == 0) ||
                !FQ_CHECK(fabs(row->left - old->left) <= 1e-9 * fabs(old->left) + slack) ||
                !FQ_CHECK(fabs(row->right - old->right) <= 1e-9 * fabs(old->right) + slack))
                fprintf(stderr,
                        "  claim %s, %s: %.15g, %.15g (%s); " GOLDEN_VALUES " has %.15g, %.15g (%s)\n",
                        t->claim->id, s->name, row->left, row->right, row->parameters, old->left, old->right,
                        old->parameters);
        }
}

/* A left side that can be of either sign and of any size. */
static bool may_be_anything(const char *series) {
    static const char *const names[] = {"total_correlation",   "entropy_by_integral", "enclosure_width",
                                        "bennett_functional",  "log_concavity",       "fixed_point_margin",
                                        "thresholds_enclosed", "optimum_enclosed"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(series, names[i]) == 0)
            return true;
    return false;
}

/* Distortions, probabilities, means of cosines, norms: what cannot be is refuted, whatever it is compared
 * with. */
static void enclosures_have_ranges(void) {
    for (size_t i = 0; i < fq_claim_count(); i++)
        for (const fq_series *s = tallies[i].claim->series; s->name; s++)
            if (!FQ_CHECK(tallies[i].unbounded[s - tallies[i].claim->series] == 0 ||
                          may_be_anything(s->name)))
                fprintf(stderr, "claim %s: rows of %s set neither least nor most\n", tallies[i].claim->id,
                        s->name);
}

/* Other seeds draw other sizes; without Arb claims reach less far. */
static bool as_golden(void) {
    return fq_test_seed() == FQ_TEST_SEED_DEFAULT && fq_ball_reach(1, 0) == 1;
}

static void claim_holds_and_is_described(const char *id) {
    size_t at = 0;
    while (at < fq_claim_count() && strcmp(fq_claim_get(at)->id, id) != 0)
        at++;
    if (!FQ_CHECK(at < fq_claim_count() && at < CLAIMS_MAX))
        return;
    const fq_claim *const claim = fq_claim_get(at);
    tally *const t = &tallies[at];
    *t = run_claim(claim);
    /* Doubles cannot decide all that balls do: without Arb rows may stay open, but none is refuted. */
    const bool decided = t->summary.verdict < FQ_VERDICT_UNDECIDED || !FQ_HAVE_ARB;
    if (!FQ_CHECK(t->summary.refuted == 0 && decided) || !FQ_CHECK(t->malformed == 0))
        fprintf(stderr, "claim %s: %zu refuted, %zu undecided, %zu malformed\n", claim->id,
                t->summary.refuted, t->summary.undecided, t->malformed);
    FQ_CHECK(fq_claim_find(claim->id) == claim);
    char number[16];
    snprintf(number, sizeof number, "%d", claim->number);
    FQ_CHECK(fq_claim_find(number) == claim);
    FQ_CHECK(at == 0 || fq_claim_get(at - 1)->number < claim->number);
    FQ_CHECK(claim->title && claim->statement && claim->domain && claim->citation && claim->checked &&
             claim->not_covered);
    if (!FQ_CHECK(t->summary.unexpected == 0) || !FQ_CHECK(t->undescribed == 0))
        fprintf(stderr, "claim %s: %zu expected exceptions hold, %zu rows of series it does not describe\n",
                claim->id, t->summary.unexpected, t->undescribed);
    every_series_is_described(claim, t);
    if (as_golden() && !getenv("FQ_GOLDEN_WRITE"))
        values_are_golden(t);
}

#define FQ_CLAIM(name)                                                                                       \
    static void holds_##name(void) {                                                                         \
        claim_holds_and_is_described(#name);                                                                 \
    }
#include "claims/claims.def"
#undef FQ_CLAIM

/* What takes all claims together. */
static void every_claim(void) {
    static char rows[1 << 14], path[1024];
    size_t length = 0;
    for (size_t i = 0; i < fq_claim_count(); i++)
        if (!tallies[i].claim)
            claim_holds_and_is_described(fq_claim_get(i)->id);
    for (size_t i = 0; i < fq_claim_count(); i++) {
        const tally *const t = &tallies[i];
        for (const fq_series *s = t->claim->series; s->name && FQ_CHECK(length + 150 < sizeof rows); s++) {
            const size_t at = (size_t)(s - t->claim->series), *const named = t->named[at];
            length += (size_t)snprintf(rows + length, sizeof rows - length, "%s %s %zu %zu %zu %zu %zu %zu\n",
                                       t->claim->id, s->name, t->rows[at], t->measured[at], named[0],
                                       named[1], named[2], named[3]);
        }
    }
    orders_have_second_routes();
    enclosures_have_ranges();
    if (as_golden())
        rows_are_golden(rows);
    if (as_golden() && getenv("FQ_GOLDEN_WRITE")) {
        snprintf(path, sizeof path, "%s/claim_values.txt", getenv("FQ_GOLDEN_WRITE"));
        FILE *const to = fopen(path, "w");
        for (size_t i = 0; to && i < fq_claim_count(); i++)
            write_values(to, &tallies[i]);
        FQ_CHECK(to && fclose(to) == 0);
    }
    FQ_CHECK(!fq_claim_find("no such claim") && !fq_claim_find("") && !fq_claim_find("99"));
}

static fq_verdict compared(fq_relation relation, fq_verdict kind, double left, double left_error,
                           double right, double right_error, double tolerance) {
    fq_evidence row;
    fq_evidence_init(&row, "x", "y");
    row.relation = relation;
    row.verdict = kind;
    row.left = left;
    row.left_error = left_error;
    row.right = right;
    row.right_error = right_error;
    row.tolerance = tolerance;
    fq_claim_compare(&row);
    return row.verdict;
}

static void comparisons(void) {
    const fq_verdict certified = FQ_VERDICT_CERTIFIED, measured = FQ_VERDICT_MEASURED;
    const fq_verdict refuted = FQ_VERDICT_REFUTED, undecided = FQ_VERDICT_UNDECIDED;
    const fq_relation less = FQ_RELATION_LESS, greater = FQ_RELATION_GREATER;
    const fq_relation equal = FQ_RELATION_EQUAL;
    FQ_CHECK(compared(less, certified, 1, 0.1, 2, 0.1, 0) == certified);
    FQ_CHECK(compared(less, certified, 2, 0.1, 1, 0.1, 0) == refuted);
    FQ_CHECK(compared(less, certified, 1, 0.6, 2, 0.6, 0) == undecided);
    FQ_CHECK(compared(less, certified, 1, 0, 1, 0, 0) == refuted);
    FQ_CHECK(compared(greater, certified, 2, 0, 1, 0, 0) == certified);
    FQ_CHECK(compared(greater, measured, 2, 0.1, 1, 0.1, 0) == measured);
    FQ_CHECK(compared(greater, measured, 2, 0.2, 1, 0.2, 0) == undecided);
    FQ_CHECK(compared(equal, measured, 2, 0.1, 1, 0.1, 1) == refuted);
    FQ_CHECK(compared(equal, measured, 1.5, 0.1, 1, 0.1, 1) == measured);
    FQ_CHECK(compared(equal, measured, 1.5, 0.1, 1, 0.1, 0.05) == undecided);
    FQ_CHECK(compared(equal, certified, (double)NAN, 0, 1, 0, 1) == undecided);
    FQ_CHECK(compared(less, certified, 1, 0, (double)NAN, 0, 1) == undecided);
    FQ_CHECK(compared(less, certified, 1, (double)NAN, 2, 0, 1) == undecided);
    FQ_CHECK(compared(less, certified, -HUGE_VAL, 0, 2, 0, 1) == undecided);
}

static void exceptions_and_values_do_not_count_as_comparisons(void) {
    fq_claim_summary summary;
    fq_claim_summary_init(&summary);
    fq_evidence row;
    fq_evidence_init(&row, "x", "y");
    row.verdict = FQ_VERDICT_REFUTED;
    strcpy(row.finding, "F1");
    fq_claim_summary_add(&summary, &row, FQ_PART_STATEMENT);
    FQ_CHECK(summary.exceptions == 1 && summary.verdict == FQ_VERDICT_UNDECIDED);
    row.verdict = FQ_VERDICT_COMPUTED; /* a value without comparison decides nothing */
    fq_claim_summary_add(&summary, &row, FQ_PART_STATEMENT);
    FQ_CHECK(summary.values == 1 && summary.computed == 0 && summary.verdict == FQ_VERDICT_UNDECIDED);
    row.relation = FQ_RELATION_LESS;
    row.verdict = FQ_VERDICT_CERTIFIED;
    fq_claim_summary_add(&summary, &row, FQ_PART_STATEMENT);
    FQ_CHECK(summary.verdict == FQ_VERDICT_CERTIFIED && summary.certified == 1);
    row.relation = FQ_RELATION_REPORT;
    row.verdict = FQ_VERDICT_MEASURED; /* nor does it weaken what is decided */
    fq_claim_summary_add(&summary, &row, FQ_PART_STATEMENT);
    FQ_CHECK(summary.verdict == FQ_VERDICT_CERTIFIED && summary.values == 2 && summary.measured == 0);
    row.relation = FQ_RELATION_LESS;
    row.verdict = FQ_VERDICT_REFUTED;
    row.finding[0] = '\0';
    fq_claim_summary_add(&summary, &row, FQ_PART_STATEMENT);
    FQ_CHECK(summary.refuted == 1 && summary.verdict == FQ_VERDICT_REFUTED);
}

/* Practice and checks weaken the verdict on a statement only when they fail; an exception that holds is
 * noted. */
static void parts_and_expected_exceptions(void) {
    fq_claim_summary summary;
    fq_evidence row;
    fq_evidence_init(&row, "x", "y");
    row.relation = FQ_RELATION_LESS;
    fq_claim_summary_init(&summary);
    row.verdict = FQ_VERDICT_MEASURED;
    fq_claim_summary_add(&summary, &row, FQ_PART_PRACTICE);
    FQ_CHECK(summary.verdict == FQ_VERDICT_MEASURED); /* nothing stated yet */
    row.verdict = FQ_VERDICT_CERTIFIED;
    fq_claim_summary_add(&summary, &row, FQ_PART_STATEMENT);
    row.verdict = FQ_VERDICT_COMPUTED;
    fq_claim_summary_add(&summary, &row, FQ_PART_CHECK);
    FQ_CHECK(summary.verdict == FQ_VERDICT_CERTIFIED);
    FQ_CHECK(summary.part_verdict[FQ_PART_STATEMENT] == FQ_VERDICT_CERTIFIED);
    FQ_CHECK(summary.part_verdict[FQ_PART_CHECK] == FQ_VERDICT_COMPUTED);
    FQ_CHECK(summary.part_verdict[FQ_PART_PRACTICE] == FQ_VERDICT_MEASURED);
    FQ_CHECK(summary.part_rows[0] == 1 && summary.part_rows[1] == 1 && summary.part_rows[2] == 1);
    strcpy(row.finding, "F9");
    row.sometimes = true;
    fq_claim_summary_add(&summary, &row, FQ_PART_PRACTICE);
    FQ_CHECK(summary.unexpected == 0);
    row.sometimes = false;
    fq_claim_summary_add(&summary, &row, FQ_PART_PRACTICE);
    FQ_CHECK(summary.unexpected == 1 && summary.exceptions == 0);
    row.finding[0] = '\0';
    row.verdict = FQ_VERDICT_UNDECIDED;
    fq_claim_summary_add(&summary, &row, FQ_PART_CHECK);
    FQ_CHECK(summary.verdict == FQ_VERDICT_UNDECIDED);
    row.verdict = FQ_VERDICT_REFUTED;
    fq_claim_summary_add(&summary, &row, FQ_PART_PRACTICE);
    FQ_CHECK(summary.verdict == FQ_VERDICT_REFUTED && summary.refuted == 1);
}

/* A left side that cannot be: a probability above one, by more than its error. No finding excuses it. */
static void impossible_values_are_refuted(void) {
    fq_evidence row;
    for (int within = 0; within < 2; within++) {
        fq_evidence_init(&row, "x", "y");
        row.relation = FQ_RELATION_GREATER;
        row.left = 1.1;
        row.left_error = within ? 0.2 : 0.05;
        row.right = row.right_error = 0;
        row.least = 0;
        row.most = 1;
        strcpy(row.finding, "F9");
        fq_claim_compare(&row);
        FQ_CHECK(row.verdict == (within ? FQ_VERDICT_COMPUTED : FQ_VERDICT_REFUTED));
        FQ_CHECK((row.finding[0] != 0) == (within == 1));
    }
}

/* A point just below the Shannon bound is refuted by name; one above it by little more than its noise is
 * not; one within its noise is undecided. */
static void stored_points_are_held_against_the_shannon_bound(void) {
    fq_source source;
    FQ_CHECK_OK(fq_source_init(&source, 64, 4));
    const double bound = fq_gains_shannon_bound(&source, 2);
    const struct {
        double factor, se;
        size_t measured, undecided, refuted;
    } cases[] = {
        {1.01, 1e-3, 1, 0, 0}, {0.99, 1e-3, 0, 0, 1}, {1.004, 1e-3, 0, 1, 0}, {0.999999, 0, 0, 0, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const fq_claim_point point = {.source = "my experiment: fib:k=4,N=256",
                                      .dim = 64,
                                      .block = 4,
                                      .rate = 2,
                                      .distortion = cases[i].factor * bound,
                                      .distortion_se = cases[i].se * bound,
                                      .samples = 1000};
        tally t = {.stop_at_once = true}; /* stored points come first */
        fq_claim_summary_init(&t.summary);
        fq_claim_context context;
        fq_claim_context_init(&context, fq_test_seed(), count, &t);
        context.data = (fq_claim_data){.point_count = 1, .points = &point};
        FQ_CHECK(fq_claim_find("finite_rate")->run(&context) == FQ_ERR_INTERRUPTED);
        FQ_CHECK(t.summary.measured == cases[i].measured);
        FQ_CHECK(t.summary.undecided == cases[i].undecided && t.summary.refuted == cases[i].refuted);
        FQ_CHECK(!cases[i].refuted || strcmp(t.refuted, point.source) == 0);
    }
}

/* At d = 64: 4^-b is a bound at b = 1 and 2, open at 3, none at 4. */
typedef struct decided {
    size_t holds, open, fails;
} decided;

static fq_status note_decision(void *context, const fq_evidence *row) {
    decided *const found = context;
    const double b = row->rate;
    if (row->dim != 64)
        return FQ_OK;
    found->holds +=
        strcmp(row->series, "lower_bound_holds") == 0 && row->verdict < FQ_VERDICT_MEASURED && b <= 2;
    found->open += strncmp(row->series, "open_", 5) == 0 && b == 3;
    found->fails += strcmp(row->series, "lower_bound") == 0 && row->verdict == FQ_VERDICT_REFUTED &&
                    strcmp(row->finding, "F9") == 0 && b == 4;
    return FQ_OK;
}

static void lower_bound_is_decided(void) {
    decided found = {0, 0, 0};
    fq_claim_context context;
    fq_claim_context_init(&context, fq_test_seed(), note_decision, &found);
    context.quick = true;
    FQ_CHECK_OK(fq_claim_find("turboquant_lower")->run(&context));
    FQ_CHECK(found.holds == 2 && found.open == 2 && found.fails == 1);
}

typedef struct stored_rows {
    size_t above, below, near;
} stored_rows;

static fq_status note_stored(void *context, const fq_evidence *row) {
    stored_rows *const found = context;
    if (strcmp(row->series, "stored_point_every_code") == 0) {
        found->above += row->verdict == FQ_VERDICT_MEASURED;
        found->below += row->verdict == FQ_VERDICT_REFUTED && !row->finding[0];
    } else if (strcmp(row->series, "stored_gap") == 0) {
        found->near += row->relation == FQ_RELATION_REPORT;
    } else if (strcmp(row->series, "stored_point") != 0) {
        return FQ_FAIL(FQ_ERR_INTERRUPTED, "claim", "stored points come first");
    }
    return FQ_OK;
}

/* Above the Shannon bound and below what any code has is refuted; the square's own distortion is within its
 * noise. */
static void stored_points_are_held_against_every_code(void) {
    static const double distortions[] = {0.3700, 0.3500, 0.3584};
    for (size_t i = 0; i < 3; i++) {
        const fq_claim_point point = {.source = "fib:k=2,N=4",
                                      .dim = 64,
                                      .block = 2,
                                      .rate = 1,
                                      .distortion = distortions[i],
                                      .distortion_se = 1e-4,
                                      .samples = 1000};
        stored_rows found = {0, 0, 0};
        fq_claim_context context;
        fq_claim_context_init(&context, fq_test_seed(), note_stored, &found);
        context.data = (fq_claim_data){.point_count = 1, .points = &point};
        FQ_CHECK(fq_claim_find("finite_rate")->run(&context) == FQ_ERR_INTERRUPTED);
        FQ_CHECK(found.above == (i == 0) && found.below == (i == 1) && found.near == (i == 2));
    }
}

static fq_status count_keys(void *context, const fq_evidence *row) {
    size_t *const n = context;
    n[0] += strstr(row->parameters, "key of long keys") != NULL;
    n[1] += row->verdict == FQ_VERDICT_REFUTED && !row->finding[0];
    return FQ_OK;
}

/* Rotations of a cache's keys follow the law of unit vectors however long the keys are. */
static void keys_of_a_cache_are_unit_vectors_to_the_source(void) {
    enum { TOKENS = 3, DIM = 64 };
    static float keys[TOKENS * DIM];
    for (size_t i = 0; i < TOKENS * DIM; i++)
        keys[i] = (float)(i % 7) * 100 - 250;
    const fq_claim_head head = {
        .name = "long keys", .tokens = TOKENS, .dim = DIM, .key = keys, .value = keys};
    size_t n[2] = {0};
    fq_claim_context context;
    fq_claim_context_init(&context, fq_test_seed(), count_keys, n);
    context.quick = true;
    context.data = (fq_claim_data){.head_count = 1, .heads = &head};
    FQ_CHECK_OK(fq_claim_find("source")->run(&context));
    FQ_CHECK(n[0] > 0 && n[1] == 0);
}

static const fq_test tests[] = {
    {"comparisons", comparisons},
    {"exceptions and values", exceptions_and_values_do_not_count_as_comparisons},
    {"parts and expected exceptions", parts_and_expected_exceptions},
    {"impossible values", impossible_values_are_refuted},
#define FQ_CLAIM(name) {"claim " #name, holds_##name},
#include "claims/claims.def"
#undef FQ_CLAIM
    {"every claim", every_claim},
    {"TurboQuant's lower bound is decided", lower_bound_is_decided},
    {"stored points and every code", stored_points_are_held_against_every_code},
    {"keys of a cache", keys_of_a_cache_are_unit_vectors_to_the_source},
    {"stored points", stored_points_are_held_against_the_shannon_bound},
    {0},
};
const fq_suite fq_suite_claims = {"claims", tests};
