/* A claim of the paper or of its baseline, and the evidence for or against it.
 *
 * A claim is one file claims/claim_<id>.c and one line in claims/claims.def. Its function computes
 * both sides of the statement over a grid of parameters and emits one evidence row for each
 * comparison. Every row belongs to a series, which the claim describes in one line and assigns to a part:
 * the statement itself, a second route to a number that the statement's rows use, or practice (what was
 * trained, what this program's codecs do, what rests on constants of the literature). The verdict on the
 * statement is that of its weakest row. A row that fails where the statement is known to fail names the
 * finding (theory/FINDINGS.md) that explains it: it is then an exception and does not make the program fail;
 * if it stops failing, that is reported and the program fails.
 *
 * Notation of rows: dim d, block k, codewords N, rate in bits per coordinate.
 */
#ifndef FQ_CLAIM_H
#define FQ_CLAIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codebook.h"
#include "status.h"
#include "verdict.h"

typedef enum fq_relation {
    FQ_RELATION_LESS = 0,    /* left < right */
    FQ_RELATION_GREATER = 1, /* left > right */
    FQ_RELATION_EQUAL = 2,   /* left = right: certified means that both enclosures overlap and that
                                either is narrower than the row's tolerance, see fq_claim_compare */
    FQ_RELATION_REPORT = 3   /* no comparison: left is a value for figures */
} fq_relation;

const char *fq_relation_sign(fq_relation relation); /* "<", ">", "=", "value" */

typedef enum fq_part {
    FQ_PART_STATEMENT = 0, /* what is claimed */
    FQ_PART_CHECK = 1,     /* a second route to a number that the statement's rows use */
    FQ_PART_PRACTICE = 2   /* what was trained, what codecs do, what rests on others' constants */
} fq_part;
enum { FQ_PARTS = 3 };

const char *fq_part_name(fq_part part); /* "statement", "check", "practice" */

typedef struct fq_series {
    const char *name;
    fq_part part;
    const char *meaning; /* one line: what left and right are */
} fq_series;

enum { FQ_EVIDENCE_TEXT = 96, FQ_EVIDENCE_SERIES = 40, FQ_EVIDENCE_FINDING = 8, FQ_EVIDENCE_RESTS_ON = 48 };

/* One comparison. Fields without a meaning for a row: NaN, 0 or "". fq_evidence_init sets all so. */
typedef struct fq_evidence {
    char series[FQ_EVIDENCE_SERIES];    /* which quantity: lower case words joined by _ */
    char parameters[FQ_EVIDENCE_TEXT];  /* "d=64 k=4 N=256", for people */
    double dim, block, codewords, rate; /* the same for figures */
    double left, left_error;            /* mid-point and half width, error estimate or std. error */
    double right, right_error;
    fq_relation relation;
    double tolerance;   /* EQUAL: largest half width (certified, computed) that still decides */
    fq_verdict verdict; /* in: what kind of numbers these are; out of fq_claim_compare: outcome */
    long precision;     /* bits of ball arithmetic; 0 if none */
    uint64_t samples;   /* Monte Carlo; 0 if none */
    uint64_t seed;
    char finding[FQ_EVIDENCE_FINDING];   /* "F2" if this row fails as that finding says */
    bool sometimes;                      /* with a finding: fails for some seeds only */
    char rests_on[FQ_EVIDENCE_RESTS_ON]; /* what it takes from elsewhere: "published constant of AE9" */
    double least, most; /* the left side can be nothing else, whatever is compared (-inf, inf: anything) */
    char enclosure[FQ_EVIDENCE_TEXT]; /* left side with its certified digits */
    double seconds;                   /* filled by fq_claim_emit: since the previous row */
} fq_evidence;

/* For tests: makes the statement wrong. Checkers multiply the stated constant by `constant`, add
 * `exponent` to the stated exponent, and shift sampled values by `bias` standard deviations.
 * {1, 0, 0} is the statement itself. */
typedef struct fq_perturbation {
    double constant, exponent, bias;
} fq_perturbation;

/* What a run may hand to claims about measured things; all may be empty. Memory is the caller's. */
typedef struct fq_claim_point {
    const char *source; /* experiment and codec, for the row's text */
    size_t dim, block;
    double rate, distortion, distortion_se;
    uint64_t samples; /* 0 if computed */
} fq_claim_point;
typedef struct fq_claim_head {
    const char *name; /* "layer 3 head 5" */
    size_t tokens, dim;
    const float *query, *key, *value; /* [tokens][dim]; query may be NULL */
} fq_claim_head;
typedef struct fq_claim_codebook {
    const char *name; /* its file */
    fq_codebook codebook;
} fq_claim_codebook;
typedef struct fq_claim_data {
    size_t point_count, head_count, codebook_count;
    const fq_claim_point *points;
    const fq_claim_head *heads;
    const fq_claim_codebook *codebooks;
} fq_claim_data;

typedef struct fq_claim_context {
    bool quick; /* smaller grids: all claims together within 30 s */
    bool many;  /* ten million vectors where a full run takes fewer */
    uint64_t seed;
    long precision_cap; /* bits, at least 64 */
    fq_perturbation perturbation;
    fq_claim_data data;
    /* Takes a finished row; a failing status stops the claim and is handed on. */
    fq_status (*sink)(void *sink_context, const fq_evidence *row);
    void *sink_context;
    double last_emit_s; /* private to fq_claim_emit */
} fq_claim_context;

/* seed, full grids, 2048 bits, no perturbation, no data. */
void fq_claim_context_init(fq_claim_context *context, uint64_t seed,
                           fq_status (*sink)(void *sink_context, const fq_evidence *row), void *sink_context);

typedef struct fq_claim {
    int number;
    const char *id; /* command line name, e.g. "gains" */
    const char *title;
    const char *statement; /* words and formula */
    const char *domain;    /* parameters the statement is for */
    const char *citation;
    const char *checked;     /* one sentence: what is checked */
    const char *not_covered; /* one sentence: what is not */
    const fq_series *series; /* all that run can emit; the last has no name */
    fq_status (*run)(fq_claim_context *context);
} fq_claim;

size_t fq_claim_count(void);
const fq_claim *fq_claim_get(size_t i);        /* in order of number */
const fq_claim *fq_claim_find(const char *id); /* by id or by number in decimal; NULL if none */

/* The claim's series of that name, or NULL. */
const fq_series *fq_claim_series(const fq_claim *claim, const char *name);

/* Empties a row and sets series and a formatted parameter text. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
void fq_evidence_init(fq_evidence *row, const char *series, const char *parameters_format, ...);

/* Puts a mean of samples and its standard error on the left of a row, moved by the perturbation's bias (in
 * standard deviations of a sample), with the number of samples and the context's seed. */
void fq_evidence_measured(fq_evidence *row, const fq_claim_context *context, double mean, double se,
                          uint64_t samples);

/* ln(2/1e-9): what a probability of 1e-9 on both sides together leaves to each, as exponential bounds take
 * it. */
#define FQ_LOG_FALSE_ALARM 21.416413017506358

/* Widens the left error of a measured row so that 6.1 of it are at least radius: where the mean of skew
 * numbers is known to stay within that of its own with probability 1 - 1e-9 by their law (Chernoff's bound).
 */
void fq_evidence_widen(fq_evidence *row, double radius);

/* Decides row->verdict from left, right, their errors and the relation. On entry verdict says what the
 * numbers are. With e = left_error + right_error for enclosures and estimates, and e = 6.1
 * sqrt(left_error^2 + right_error^2) for measurements (two-sided false alarm 1e-9 for normal errors, which
 * means of many not very skew numbers have; of skew ones left_error is widened by fq_evidence_widen, means
 * over few sets widen it to Student's quantile of 1e-6, fitted slopes to 1e-3, see claim_directions.c): LESS:
 * left + e < right holds, left - e
 * >= right refuted, else undecided (measured: a difference within e is undecided); GREATER likewise; EQUAL:
 * |left - right| > e refuted; else holds if both errors <= tolerance, else undecided. Anything not finite is
 * undecided. A left side that is certainly outside [least, most] is refuted, whatever the relation, and no
 * finding excuses it. */
void fq_claim_compare(fq_evidence *row);

/* Compares, fills in seconds and hands the row to the sink. */
FQ_MUST_CHECK fq_status fq_claim_emit(fq_claim_context *context, fq_evidence *row);

/* The same for a row whose verdict was decided elsewhere (claim_balls.h). */
FQ_MUST_CHECK fq_status fq_claim_emit_decided(fq_claim_context *context, fq_evidence *row);

/* The range check of fq_claim_compare, for rows decided elsewhere: true if left is within it. error: as e. */
bool fq_claim_in_range(fq_evidence *row, double error);

/* What a claim amounted to. A refuted row with a finding counts as an exception, else as refuted; a row whose
 * finding says that it fails, and which holds, is unexpected. A row without comparison (FQ_RELATION_REPORT)
 * cannot fail: it counts among values and says nothing for the verdict, unless its value could not be found,
 * when it is undecided. */
typedef struct fq_claim_summary {
    size_t certified, computed, measured, undecided, refuted, exceptions, unexpected, values;
    size_t part_rows[FQ_PARTS];        /* comparisons by part, exceptions left out */
    fq_verdict part_verdict[FQ_PARTS]; /* weakest of each; UNDECIDED if there was none */
    fq_verdict
        verdict; /* the statement's, and of checks and practice what is undecided or refuted; with no row of
                    the statement the weakest of all; exceptions left out; UNDECIDED if there was none */
    double seconds;
} fq_claim_summary;

void fq_claim_summary_init(fq_claim_summary *summary);
void fq_claim_summary_add(fq_claim_summary *summary, const fq_evidence *row, fq_part part);

#endif
