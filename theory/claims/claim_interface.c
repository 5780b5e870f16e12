/* Claim 10. A code of norm and rotated blocks is an interface: inner products and attention outputs can be
 * formed in the rotated domain, <q, x^> = <Pi q, y^> and sum p_j v^_j = Pi^T sum p_j y^_j, and the error of
 * the stored norm and of the codes carries through to scores and outputs by explicit bounds.
 *
 *   |x - x^| <= nu (|y - y^| + u |y^|), y = Pi x/nu, y^ the decoded direction, u = 2^-11/(1 + 2^-11) the
 *   largest relative rounding error of a normal fp16;
 *   |score error| <= |q| |k - k^| / sqrt(d);   outputs: see attention_bound.h.
 *
 * Check: u over every normal half (exact in doubles); the softmax lemma, proved in attention_bound.h,
 * spot-checked: its extreme case in ball arithmetic, and random distributions; then for every head of a cache
 * (verify --cache FILE; random heads with outliers without one) and several codecs: rotated against plain
 * scores and outputs, the reconstruction bound, and the output bound at queries spread over the positions
 * (causal). Rows give the largest of error / bound over a head; medians are reported, and how much of the gap
 * is the triangle inequality's alone. float32 arithmetic of rotations: scores agree to (2 d^{3/2} + d) 2^-24
 * + 1e-6 d of |q| |x^|, the worst case of rounding and of Pi's own departure from orthogonality. Not covered:
 * an upper bound on how often an output error is large, which needs the law of the cache. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "attention_bound.h"
#include "claim_balls.h"
#include "codec.h"
#include "fp16.h"
#include "memory.h"
#include "stream_ranges.h"

enum { QUERIES = 24 };

typedef struct softmax_case {
    double window;
    fq_perturbation perturbation;
} softmax_case;

/* p = (1/(1 + e^{W/2}), rest); ratios with logarithms W/2 and -W/2 swap the two. */
static void softmax_extreme(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const softmax_case *const p = parameters;
    const fq_ball window = fq_ball_double(w, p->window), one = fq_ball_integer(w, 1);
    const fq_ball half = fq_ball_exp(w, fq_ball_divide(w, window, fq_ball_integer(w, 2)));
    const fq_ball small = fq_ball_divide(w, one, fq_ball_add(w, one, half));
    const fq_ball scaled = fq_ball_multiply(w, small, fq_ball_exp(w, window));
    const fq_ball large = fq_ball_divide(w, scaled, fq_ball_add(w, scaled, fq_ball_subtract(w, one, small)));
    *left = fq_ball_subtract(w, large, small);
    /* tanh(W/4) = (e^{W/2} - 1)/(e^{W/2} + 1) */
    *right = fq_ball_multiply(w, fq_ball_divide(w, fq_ball_subtract(w, half, one), fq_ball_add(w, half, one)),
                              fq_ball_double(w, p->perturbation.constant));
}

static fq_status run_softmax(fq_claim_context *context) {
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_SOFTMAX, 0);
    for (int i = 0; i < (context->quick ? 10 : 100); i++) {
        const softmax_case p = {10 * fq_stream_uniform(&stream), context->perturbation};
        fq_evidence row;
        fq_evidence_init(&row, "softmax_extreme", "W=%.6g", p.window);
        row.relation = FQ_RELATION_EQUAL;
        row.least = 0;
        row.most = 1;
        row.tolerance = 1e-12;
        row.seed = context->seed;
        FQ_TRY(fq_ball_emit(context, &row, softmax_extreme, &p));
    }
    double worst = 0;
    const int trials = context->quick ? 1000 : 100000;
    for (int i = 0; i < trials; i++) {
        double score[40], delta[40], variation, window;
        const size_t n = 2 + (size_t)fq_stream_below(&stream, 39);
        const double spread = 4 * fq_stream_uniform(&stream), noise = 3 * fq_stream_uniform(&stream);
        for (size_t j = 0; j < n; j++) {
            score[j] = spread * fq_stream_normal(&stream);
            delta[j] =
                i % 2 ? noise * fq_stream_normal(&stream) : (fq_stream_below(&stream, 2) ? noise : -noise);
        }
        fq_softmax_variation(&variation, &window, score, delta, n);
        if (window > 1e-6)
            worst = fmax(worst, variation / fq_softmax_variation_bound(window));
    }
    fq_evidence row;
    fq_evidence_init(&row, "softmax_lemma", "%d random distributions, largest of variation / bound", trials);
    row.relation = FQ_RELATION_LESS;
    row.left = worst;
    row.left_error = 1e-9;
    row.right = context->perturbation.constant + 2e-9; /* the extreme case attains 1 */
    row.right_error = 0;
    row.seed = context->seed;
    return fq_claim_emit(context, &row);
}

/* The largest relative error is at the mid-points between halves. All numbers here are exact doubles, up to
 * the division. */
static fq_status run_fp16(fq_claim_context *context) {
    double worst = 0;
    for (uint16_t half = 0x0400; half < 0x7bff; half++) {
        const double below = (double)fq_fp16_to_float(half);
        const double above = (double)fq_fp16_to_float((uint16_t)(half + 1));
        const double middle = 0.5 * (below + above);
        const double stored = (double)fq_fp16_to_float(fq_fp16_from_float((float)middle));
        worst = fmax(worst, fabs(stored - middle) / middle);
    }
    fq_evidence row;
    fq_evidence_init(&row, "norm_rounding", "every normal half");
    row.relation = FQ_RELATION_EQUAL;
    row.left = worst;
    row.left_error = 1e-19;
    row.right = context->perturbation.constant / 2049;
    row.right_error = 1e-19;
    row.tolerance = 1e-12;
    return fq_claim_emit(context, &row);
}

/* Everything of one head under one codec. */
typedef struct work {
    float *key, *value;                 /* decoded [T][d] */
    float *key_rotated, *value_rotated; /* decoded, rotated domain */
    float *query_rotated, *plain_rotated, *output, *output_rotated;
    uint8_t *codes;
    double *workspace;
} work;

static void work_clear(work *w) {
    fq_free(w->key);
    fq_free(w->value);
    fq_free(w->key_rotated);
    fq_free(w->value_rotated);
    fq_free(w->query_rotated);
    fq_free(w->plain_rotated);
    fq_free(w->output);
    fq_free(w->output_rotated);
    fq_free(w->codes);
    fq_free(w->workspace);
}

static fq_status work_init(work *w, size_t tokens, size_t dim, size_t code_bytes) {
    *w = (work){0};
    FQ_TRY(fq_alloc(&w->key, tokens * dim, sizeof *w->key));
    FQ_TRY(fq_alloc(&w->value, tokens * dim, sizeof *w->value));
    FQ_TRY(fq_alloc(&w->key_rotated, tokens * dim, sizeof *w->key_rotated));
    FQ_TRY(fq_alloc(&w->value_rotated, tokens * dim, sizeof *w->value_rotated));
    FQ_TRY(fq_alloc(&w->query_rotated, dim, sizeof *w->query_rotated));
    FQ_TRY(fq_alloc(&w->plain_rotated, tokens * dim, sizeof *w->plain_rotated));
    FQ_TRY(fq_alloc(&w->output, dim, sizeof *w->output));
    FQ_TRY(fq_alloc(&w->output_rotated, dim, sizeof *w->output_rotated));
    FQ_TRY(fq_alloc(&w->codes, tokens, code_bytes));
    return fq_alloc(&w->workspace, 6 * tokens + 2 * dim, sizeof *w->workspace);
}

static fq_status reconstruct(const fq_codec *codec, float *plain, float *rotated, uint8_t *codes,
                             const float *x, size_t n) {
    FQ_TRY(fq_codec_encode(codec, codes, x, n));
    FQ_TRY(fq_codec_decode(codec, plain, codes, n));
    return fq_codec_decode_rotated(codec, rotated, codes, n);
}

static double norm(const float *x, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

static double inner(const float *x, const float *y, size_t d) {
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

/* Largest of |x - x^| / (nu (|y - y^| + u |y^|)), x_rotated = Pi x. */
static double reconstruction_ratio(const float *x, const float *x_rotated, const float *decoded,
                                   const float *rotated, size_t n, size_t d) {
    double worst = 0;
    for (size_t j = 0; j < n; j++) {
        const double nu = norm(x + j * d, d);
        const double stored = (double)fq_fp16_to_float(fq_fp16_from_float((float)nu));
        if (!(stored >= 0x1p-14)) /* zero or a subnormal norm has no relative bound */
            continue;
        double squared = 0, off = 0, length = 0;
        for (size_t i = 0; i < d; i++) {
            const double error = (double)x[j * d + i] - (double)decoded[j * d + i];
            const double y = (double)rotated[j * d + i] / stored;
            const double direction = (double)x_rotated[j * d + i] / nu - y;
            squared += error * error;
            off += direction * direction;
            length += y * y;
        }
        worst = fmax(worst, sqrt(squared) / fq_reconstruction_bound(nu, sqrt(off), sqrt(length)));
    }
    return worst;
}

static fq_status emit_ratio(fq_claim_context *context, const char *series, const fq_claim_head *head,
                            const char *codec, double left, double error, double right) {
    fq_evidence row;
    fq_evidence_init(&row, series, "%s, %s", head->name, codec);
    row.dim = (double)head->dim;
    row.relation = isnan(right) ? FQ_RELATION_REPORT : FQ_RELATION_LESS;
    row.left = left;
    row.left_error = error;
    row.right = right;
    row.right_error = isnan(right) ? (double)NAN : 0;
    row.seed = context->seed;
    return fq_claim_emit(context, &row);
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *value, size_t n) {
    qsort(value, n, sizeof *value, compare);
    return n % 2 ? value[n / 2] : 0.5 * (value[n / 2 - 1] + value[n / 2]);
}

/* One query at its position: rotated against plain, and the bound. Ratios by which the largest is taken. */
static fq_status try_query(double ratio[3], double *known, double *isotropy, const fq_codec *codec,
                           const fq_claim_head *head, const float *query, size_t position, work *w) {
    const size_t d = head->dim, n = position + 1;
    const fq_attention_case attention = {n, d, query, head->key, head->value, w->key, w->value};
    fq_attention_error e;
    fq_attention_bound(&e, &attention, w->workspace);
    /* workspace[3 T ..] holds the weights of the decoded scores: the same weights for both outputs. */
    const double *const weight = w->workspace + 3 * n;
    FQ_TRY(fq_codec_rotate_queries(codec, w->query_rotated, query, 1));
    const double length = norm(query, d);
    double score = 0, size = 0;
    for (size_t j = 0; j < n; j++) {
        const double scale = length * norm(w->key + j * d, d);
        const double off =
            inner(w->query_rotated, w->key_rotated + j * d, d) - inner(query, w->key + j * d, d);
        if (scale > 0)
            score = fmax(score, fabs(off) / scale);
        size += weight[j] * norm(w->value + j * d, d);
    }
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += weight[j] * (double)w->value_rotated[j * d + i];
        w->output_rotated[i] = (float)sum;
    }
    FQ_TRY(fq_codec_rotate_back(codec, w->output, w->output_rotated, 1));
    double squared = 0;
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += weight[j] * (double)w->value[j * d + i];
        squared += (sum - (double)w->output[i]) * (sum - (double)w->output[i]);
    }
    ratio[0] = score;
    ratio[1] = size > 0 ? sqrt(squared) / size : 0;
    ratio[2] = e.bound > 0 ? e.error / e.bound : 0;
    *known = e.known_scores > 0 ? e.error / e.known_scores : 0;
    *isotropy = e.score_ratio;
    return FQ_OK;
}

static fq_status run_head(fq_claim_context *context, const fq_claim_head *head, const fq_codec *codec,
                          const char *name, work *w) {
    const size_t n = head->tokens, d = head->dim;
    FQ_TRY(reconstruct(codec, w->value, w->value_rotated, w->codes, head->value, n));
    FQ_TRY(fq_codec_rotate_queries(codec, w->plain_rotated, head->value, n));
    double reconstruction =
        reconstruction_ratio(head->value, w->plain_rotated, w->value, w->value_rotated, n, d);
    FQ_TRY(reconstruct(codec, w->key, w->key_rotated, w->codes, head->key, n));
    FQ_TRY(fq_codec_rotate_queries(codec, w->plain_rotated, head->key, n));
    reconstruction =
        fmax(reconstruction, reconstruction_ratio(head->key, w->plain_rotated, w->key, w->key_rotated, n, d));
    /* For tests: decoded numbers that are not what the codec stored. */
    for (size_t i = 0; context->perturbation.bias != 0 && i < n * d; i++) {
        w->key_rotated[i] *= (float)(1 + context->perturbation.bias);
        w->value_rotated[i] *= (float)(1 + context->perturbation.bias);
    }
    double worst[3] = {0, 0, 0}, tightness[QUERIES] = {0}, known[QUERIES] = {0}, isotropy[QUERIES] = {0};
    fq_stream stream;
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_QUERIES, 0);
    float *query;
    FQ_TRY(fq_alloc(&query, d, sizeof *query));
    fq_status status = FQ_OK;
    for (size_t i = 0; i < QUERIES && status == FQ_OK; i++) {
        /* not the first few, whose attention has no choice */
        const size_t first = n > 32 ? 16 : 0;
        const size_t position = i == 0 ? n - 1 : first + (size_t)fq_stream_below(&stream, n - first);
        for (size_t j = 0; j < d; j++)
            query[j] = head->query ? head->query[position * d + j] : (float)(2 * fq_stream_normal(&stream));
        double ratio[3] = {0, 0, 0};
        status = try_query(ratio, &known[i], &isotropy[i], codec, head, query, position, w);
        for (int j = 0; j < 3 && status == FQ_OK; j++)
            worst[j] = fmax(worst[j], ratio[j]);
        tightness[i] = ratio[2];
    }
    fq_free(query);
    FQ_TRY(status);
    const double dim = (double)d;
    const double rounding = (2 * dim * sqrt(dim) + dim) * 0x1p-24 + 1e-6 * dim;
    FQ_TRY(emit_ratio(context, "rotated_scores", head, name, worst[0], 1e-12, rounding));
    FQ_TRY(emit_ratio(context, "rotated_outputs", head, name, worst[1], 1e-12, rounding));
    /* Pi x is rounded as well, which a fine code's error of 2^-11 does not hide. */
    FQ_TRY(emit_ratio(context, "reconstruction_bound", head, name, reconstruction, 1e-12,
                      context->perturbation.constant + 100 * rounding));
    /* At most 1: equality where one position has all the weight. */
    FQ_TRY(emit_ratio(context, "output_bound", head, name, worst[2], 1e-10,
                      context->perturbation.constant + 1e-9));
    FQ_TRY(
        emit_ratio(context, "output_bound_median", head, name, median(tightness, QUERIES), 0, (double)NAN));
    FQ_TRY(emit_ratio(context, "known_scores_median", head, name, median(known, QUERIES), 0, (double)NAN));
    return emit_ratio(context, "score_error_isotropy", head, name, median(isotropy, QUERIES), 0, (double)NAN);
}

static fq_status run_heads(fq_claim_context *context, const fq_claim_head *heads, size_t count) {
    static const char *const names[] = {"tq:b=2", "fib:k=2,N=64,recipe=paper", "tq:b=4,rot=hadamard",
                                        "fib:k=4,N=256,recipe=initial"};
    for (size_t c = 0; c < (context->quick ? 2 : 4); c++) {
        fq_codec_spec spec;
        fq_codec *codec = NULL;
        FQ_TRY(fq_codec_spec_parse(&spec, names[c]));
        fq_status status = FQ_OK;
        for (size_t i = 0; i < count && status == FQ_OK; i++) {
            const fq_claim_head *const head = &heads[i];
            fq_codec_cost cost;
            if (fq_codec_plan(&cost, &spec, head->dim) == FQ_ERR_SPEC)
                continue; /* k does not divide d */
            if (!codec || fq_codec_get_cost(codec).dim != head->dim) {
                fq_codec_destroy(codec);
                codec = NULL;
                status = fq_codec_create(&codec, &spec, head->dim, NULL);
            }
            work w = {0};
            if (status == FQ_OK)
                status = work_init(&w, head->tokens, head->dim, fq_codec_get_cost(codec).code_bytes);
            if (status == FQ_OK)
                status = run_head(context, head, codec, names[c], &w);
            work_clear(&w);
        }
        fq_codec_destroy(codec);
        FQ_TRY(status);
    }
    return FQ_OK;
}

/* Heads as models have them: channels of unequal size, one channel and the first token far out. */
static void fill_head(float *x, size_t tokens, size_t dim, double scale, fq_stream *stream) {
    double channel[256];
    for (size_t i = 0; i < dim; i++)
        channel[i] = scale * exp(0.5 * fq_stream_normal(stream)) * (i == 3 ? 8 : 1);
    for (size_t j = 0; j < tokens; j++)
        for (size_t i = 0; i < dim; i++)
            x[j * dim + i] = (float)(channel[i] * (fq_stream_normal(stream) + (i == 3)) * (j ? 1 : 5));
}

static fq_status run_random(fq_claim_context *context) {
    static const size_t dims[] = {64, 128, 80, 16};
    const size_t tokens = context->quick ? 48 : 512;
    for (size_t c = 0; c < (context->quick ? 1 : 4); c++) {
        const size_t dim = dims[c];
        float *x;
        FQ_TRY(fq_alloc(&x, 3 * tokens * dim, sizeof *x));
        fq_stream stream;
        fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_HEADS, c);
        fill_head(x, tokens, dim, 1, &stream);
        fill_head(x + tokens * dim, tokens, dim, 0.5, &stream);
        fill_head(x + 2 * tokens * dim, tokens, dim, 1, &stream);
        char name[40];
        snprintf(name, sizeof name, "random head d=%zu", dim);
        const fq_claim_head head = {name, tokens, dim, x, x + tokens * dim, x + 2 * tokens * dim};
        const fq_status status = run_heads(context, &head, 1);
        fq_free(x);
        FQ_TRY(status);
    }
    return FQ_OK;
}

static fq_status run(fq_claim_context *context) {
    FQ_TRY(run_fp16(context));
    FQ_TRY(run_softmax(context));
    if (context->data.head_count)
        return run_heads(context, context->data.heads, context->data.head_count);
    return run_random(context);
}

static const fq_series series[] = {
    {"norm_rounding", FQ_PART_STATEMENT, "largest relative rounding error of a normal fp16 norm = 1/2049"},
    {"softmax_extreme", FQ_PART_STATEMENT,
     "total variation of two positions with weights 1/(1 + e^{W/2}) and ratios e^{W/2}, e^{-W/2} = "
     "tanh(W/4)"},
    {"softmax_lemma", FQ_PART_STATEMENT,
     "largest total variation over tanh(W/4) among random distributions, at most 1"},
    {"rotated_scores", FQ_PART_PRACTICE,
     "largest difference of scores in the rotated and the plain domain over |q| |k^|, below float32 "
     "rounding"},
    {"rotated_outputs", FQ_PART_PRACTICE,
     "largest difference of outputs in the rotated and the plain domain over the mean |v^|, below float32 "
     "rounding"},
    {"reconstruction_bound", FQ_PART_STATEMENT, "largest of |x - x^| over its bound, at most 1"},
    {"output_bound", FQ_PART_STATEMENT, "largest error of an attention output over its bound, at most 1"},
    {"output_bound_median", FQ_PART_PRACTICE, "median of that ratio over queries"},
    {"known_scores_median", FQ_PART_PRACTICE,
     "median error of an output over what the triangle inequality allows given the true score errors"},
    {"score_error_isotropy", FQ_PART_PRACTICE,
     "median over queries of mean squared score error times d over its Cauchy-Schwarz bound: 1 if errors "
     "have no direction"},
    {0},
};

const fq_claim fq_claim_interface = {
    .number = 10,
    .id = "interface",
    .title = "Rotation and norm as an interface; errors of scores and outputs",
    .statement = "Scores and attention outputs can be formed in the rotated domain, and "
                 "|x - x^| <= nu (|y - y^| + 2^-11 |y^|) carries through to scores and outputs by explicit "
                 "bounds.",
    .domain = "any orthogonal rotation; norms that fp16 holds as normal numbers",
    .citation = "Lee and Kim 2026, section 3; softmax lemma derived here",
    .checked = "fp16 rounding over every normal half, the softmax lemma, and on every head of a cache "
               "(--cache FILE; else random heads) rotated against plain arithmetic and the bounds.",
    .not_covered = "How often an output error is large; bounds are for the worst case, and loose.",
    .series = series,
    .run = run,
};
