/* Claim 21. Trellis codes of whole vectors (trellis_code.h). The payload of b d bits is a circle that the
 * states of a trellis walk round once: the state before step 0 is the one after the last step, so no bit is
 * spent on where a path begins, and a coordinate is a function of the L bits of its window alone.
 *
 * Check: states carried round the circle by the recursion w' = (w >> K) | fresh << (L-K), from the payload's
 * own last window, against windows read at their addresses; one coordinate decoded alone against all of them.
 * D of the codes that the library ships, on directions that no search and no training has met, above the
 * bound of claim 13 for codes with a gain, and with eight tries within 0.45 dB of 4^-b at b = 1 to 4 and d =
 * 64 to 128; longer vectors as they are: there a scale of its own cannot make up any more for what a code of
 * 2^(L-K) states loses at large coordinates. What each step costs, on the same vectors: a junction found by
 * one pass where all of them could be tried, windows, tries, labels that are linear where every window could
 * have a level of its own, levels in eight bits where they could be any number. Not covered: better codes of
 * the same size. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "caps_bound.h"
#include "claim.h"
#include "memory.h"
#include "metrics.h"
#include "source.h"
#include "stream_ranges.h"
#include "threads.h"
#include "trellis_encode.h"
#include "trellis_maps.h"
#include "trellis_search.h"

enum { DIM = 64, CHUNK = 256 };

/* What a row is about; window 0: the usual one. */
typedef struct setting {
    double bits;
    size_t dim;
    unsigned window, tries;
    bool exact;
} setting;

static fq_status usual_map(fq_trellis_map *map, const setting *s) {
    *map = (fq_trellis_map){.window = s->window ? s->window : fq_trellis_usual_window(s->bits)};
    map->label_bits = fq_trellis_usual_labels(s->bits, map->window);
    if (!fq_trellis_split_rate(s->bits, &map->fresh, &map->together))
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "bits", s->bits, "a rate of trellis codes");
    return fq_trellis_map_get(map);
}

/* Buffers of one thread. */
typedef struct bench {
    fq_trellis_encoder encoder;
    fq_trellis_workspace *work;
    uint8_t *payload;
    int8_t *levels;
} bench;

static void bench_clear(bench *b) {
    fq_trellis_workspace_destroy(b->work);
    fq_trellis_encoder_clear(&b->encoder);
    fq_free(b->payload);
    fq_free(b->levels);
}

static fq_status bench_init(bench *b, const fq_trellis_code *code, const fq_trellis_search *search) {
    memset(b, 0, sizeof *b);
    FQ_TRY(fq_trellis_encoder_init(&b->encoder, code, search));
    FQ_TRY(fq_trellis_workspace_create(&b->work, &b->encoder));
    FQ_TRY(fq_alloc(&b->payload, CHUNK, code->payload_bytes));
    return fq_alloc(&b->levels, code->dim, 1);
}

/* 1 - cos^2 of x and the numbers of its levels. value: by label, else NULL: the levels themselves. */
static double angle(const fq_trellis_code *code, const uint8_t *payload, const int8_t *levels, const float *x,
                    const double *value) {
    double xc = 0, cc = 0;
    for (size_t j = 0; j < code->dim; j++) {
        const size_t together = code->map.together;
        const double c = value ? value[fq_trellis_label(&code->map, (unsigned)(j % together),
                                                        fq_trellis_window_at(code, payload, j / together))]
                               : levels[j];
        xc += (double)x[j] * c;
        cc += c * c;
    }
    return cc > 0 ? 1 - xc * xc / cc : 1;
}

/* Errors of n <= CHUNK vectors, by the code's levels and, where other is given, by those of value. */
static void errors_of_chunk(bench *b, double *error, double *other, const double *value, const float *x,
                            size_t n) {
    const fq_trellis_code *const code = b->encoder.code;
    fq_trellis_encode(&b->encoder, b->work, b->payload, code->payload_bytes, x, n);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *const payload = b->payload + i * code->payload_bytes;
        fq_trellis_levels(code, b->levels, payload);
        error[i] = angle(code, payload, b->levels, x + i * code->dim, NULL);
        if (other)
            other[i] = angle(code, payload, b->levels, x + i * code->dim, value);
    }
}

/* The same for any number of vectors, on all threads. */
static fq_status errors_of(double *error, double *other, const double *value, const fq_trellis_code *code,
                           const fq_trellis_search *search, const float *x, size_t n) {
    fq_status failed = FQ_OK;
    fq_error failure;
#pragma omp parallel num_threads(fq_threads_get())
    {
        bench b;
        const fq_status status = bench_init(&b, code, search);
        if (status != FQ_OK) {
#pragma omp critical(fq_claim_trellis_failure)
            {
                failed = status;
                failure = *fq_error_last();
            }
        }
#pragma omp for schedule(dynamic)
        for (size_t first = 0; first < n; first += CHUNK)
            if (status == FQ_OK)
                errors_of_chunk(&b, error + first, other ? other + first : NULL, value, x + first * code->dim,
                                n - first < CHUNK ? n - first : CHUNK);
        bench_clear(&b);
    }
    return failed == FQ_OK ? FQ_OK : fq_error_restore(&failure);
}

/* Vectors of claim's runs: evaluation samples, which neither searches nor training draw. */
static fq_status draw(float **x, size_t dim, size_t n, uint64_t seed) {
    fq_source source;
    FQ_TRY(fq_source_init(&source, dim, dim));
    FQ_TRY(fq_alloc(x, n * dim, sizeof **x));
    fq_source_sample(&source, seed, FQ_PURPOSE_EVALUATE, 0, n, *x);
    return FQ_OK;
}

static void describe(fq_evidence *row, const fq_claim_context *context, const char *series, const setting *s,
                     const char *more) {
    const unsigned window = s->window ? s->window : fq_trellis_usual_window(s->bits);
    fq_evidence_init(row, series, "d=%zu b=%g L=%u tries=%u%s", s->dim, s->bits, window, s->tries, more);
    row->dim = (double)s->dim;
    row->rate = s->bits;
    row->seed = context->seed;
}

static fq_status emit_measured(fq_claim_context *context, fq_evidence *row, fq_estimate e, size_t samples,
                               fq_relation relation, double right, double right_error) {
    fq_evidence_measured(row, context, e.mean, e.se, samples);
    row->relation = relation;
    row->right = right * context->perturbation.constant;
    row->right_error = right_error * context->perturbation.constant;
    return fq_claim_emit(context, row);
}

/* D against the bound that no code with a gain is below. */
static fq_status emit_distortion(fq_claim_context *context, const setting *s, fq_estimate e, size_t samples,
                                 const char *more) {
    fq_evidence row;
    fq_caps_bound caps;
    FQ_TRY(fq_caps_bound_init(&caps, s->dim, s->bits * (double)s->dim));
    describe(&row, context, "distortion_above_caps", s, more);
    row.least = 0;
    row.most = 1;
    return emit_measured(context, &row, e, samples, FQ_RELATION_GREATER, caps.free_gain, caps.error);
}

/* 10 log10 (4^b D). */
static fq_status emit_distance(fq_claim_context *context, const setting *s, fq_estimate e, size_t samples) {
    const double factor = pow(4, s->bits), decibel = 10 / log(10);
    const bool promised = s->dim <= 128;
    fq_evidence row;
    describe(&row, context, promised ? "within_0_45_db" : "distance_of_long_vectors", s, "");
    e.se *= decibel / e.mean;
    e.mean = decibel * log(e.mean * factor);
    return promised ? emit_measured(context, &row, e, samples, FQ_RELATION_LESS, 0.45, 0)
                    : emit_measured(context, &row, e, samples, FQ_RELATION_REPORT, (double)NAN, 0);
}

static fq_status run_distortion(fq_claim_context *context, const setting *s, size_t samples) {
    fq_trellis_map map;
    fq_trellis_code code;
    double distortion = 0, error = 0;
    FQ_TRY(usual_map(&map, s));
    FQ_TRY(fq_trellis_code_init(&code, &map, s->dim));
    const fq_trellis_search search = {.tries = s->tries, .exact = s->exact};
    const fq_status status = fq_trellis_measure(&distortion, &error, &code, &search, context->seed,
                                                FQ_PURPOSE_EVALUATE, 0, samples);
    fq_trellis_code_clear(&code);
    FQ_TRY(status);
    const fq_estimate e = {distortion, error};
    FQ_TRY(emit_distortion(context, s, e, samples, ""));
    return s->tries == 8 ? emit_distance(context, s, e, samples) : FQ_OK;
}

static fq_status run_distortions(fq_claim_context *context) {
    static const double others[] = {0.25, 0.5, 0.75, 1.5, 2.5};
    static const size_t dims[] = {DIM, 128, 96, 80, 256, 576};
    const size_t samples = context->quick ? 512 : 4096;
    for (size_t i = 0; i < (context->quick ? 1 : sizeof dims / sizeof dims[0]); i++)
        for (unsigned b = 1; b <= 4; b++)
            FQ_TRY(run_distortion(context, &(setting){.bits = b, .dim = dims[i], .tries = 8},
                                  dims[i] > 128 ? samples / 4 : samples));
    if (context->quick)
        return run_distortion(context, &(setting){.bits = 1, .dim = 256, .tries = 8}, 64);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        FQ_TRY(run_distortion(context, &(setting){.bits = others[i], .dim = DIM, .tries = 4}, 16384));
    for (unsigned b = 1; b <= 4; b++)
        FQ_TRY(run_distortion(context, &(setting){.bits = b, .dim = DIM, .tries = 4}, 32768));
    return run_distortion(context, &(setting){.bits = 2, .dim = DIM, .window = 8, .tries = 4},
                          context->many ? 10000000 : 100000);
}

/* How many steps' windows are not what the recursion round the circle comes to, and how many coordinates
 * alone are not what all of them are. */
static void count_wrong(const fq_trellis_code *code, const uint8_t *payload, int8_t *levels, size_t *windows,
                        size_t *coordinates) {
    const fq_trellis_map *const map = &code->map;
    const unsigned kept = map->window - map->fresh;
    unsigned w = fq_trellis_window_at(code, payload, code->steps - 1);
    for (size_t t = 0; t < code->steps; t++) {
        unsigned fresh = 0;
        for (unsigned i = 0; i < map->fresh; i++) {
            const size_t bit = map->fresh * t + i;
            fresh |= (payload[bit / 8] >> bit % 8 & 1u) << i;
        }
        w = w >> map->fresh | fresh << kept;
        *windows += w != fq_trellis_window_at(code, payload, t);
    }
    *windows += w != fq_trellis_window_at(code, payload, code->steps - 1);
    fq_trellis_levels(code, levels, payload);
    for (size_t j = 0; j < code->dim; j++)
        *coordinates += fq_trellis_level_at(code, payload, j) != levels[j];
}

static fq_status run_circle(fq_claim_context *context, const setting *s, size_t n) {
    fq_trellis_map map;
    fq_trellis_code code;
    bench b = {0};
    float *x = NULL;
    size_t wrong[2] = {0};
    fq_status status;
    FQ_TRY(usual_map(&map, s));
    FQ_TRY(fq_trellis_code_init(&code, &map, s->dim));
    FQ_TRY_GOTO(status, draw(&x, s->dim, n, context->seed), done);
    FQ_TRY_GOTO(status, bench_init(&b, &code, &(fq_trellis_search){.tries = s->tries}), done);
    fq_trellis_encode(&b.encoder, b.work, b.payload, code.payload_bytes, x, n);
    for (size_t i = 0; i < n; i++)
        count_wrong(&code, b.payload + i * code.payload_bytes, b.levels, &wrong[0], &wrong[1]);
    for (size_t i = 0; i < 2; i++) {
        fq_evidence row;
        describe(&row, context, i ? "read_alone" : "windows_are_states", s, "");
        row.relation = FQ_RELATION_EQUAL;
        row.verdict = FQ_VERDICT_COMPUTED;
        row.left = (double)wrong[i];
        row.right = 1 - 1 / context->perturbation.constant;
        row.left_error = row.right_error = 0;
        FQ_TRY_GOTO(status, fq_claim_emit(context, &row), done);
    }
done:
    bench_clear(&b);
    fq_free(x);
    fq_trellis_code_clear(&code);
    return status;
}

static fq_status run_circles(fq_claim_context *context) {
    static const setting settings[] = {
        {2, 64, 0, 1, false},   {0.75, 80, 0, 1, false}, {3, 33, 12, 1, false}, {1.25, 36, 10, 1, false},
        {2.5, 96, 8, 1, false}, {5, 16, 10, 1, false},   {1, 20, 10, 1, false}, {0.25, 576, 12, 1, false},
        {4, 128, 12, 1, false}, {8, 2, 10, 1, false},
    };
    for (size_t i = 0; i < (context->quick ? 5 : sizeof settings / sizeof settings[0]); i++)
        FQ_TRY(run_circle(context, &settings[i], context->quick ? 16 : CHUNK));
    return FQ_OK;
}

/* Work of the comparisons: the same vectors for both sides. */
typedef struct pair {
    float *x;
    double *error[2];
    size_t samples;
} pair;

/* (D of error[0]) / (D of error[1]) - 1, with the error of the mean difference. */
static fq_estimate excess(pair *p) {
    const double mean = fq_estimate_of(p->error[1], p->samples).mean;
    for (size_t i = 0; i < p->samples; i++)
        p->error[0][i] = (p->error[0][i] - p->error[1][i]) / mean;
    return fq_estimate_of(p->error[0], p->samples);
}

static fq_status errors_of_setting(double *error, const setting *s, const pair *p) {
    fq_trellis_map map;
    fq_trellis_code code;
    FQ_TRY(usual_map(&map, s));
    FQ_TRY(fq_trellis_code_init(&code, &map, DIM));
    const fq_status status =
        errors_of(error, NULL, NULL, &code, &(fq_trellis_search){.tries = s->tries, .exact = s->exact}, p->x,
                  p->samples);
    fq_trellis_code_clear(&code);
    return status;
}

/* What the first setting costs against the second. */
static fq_status compare(fq_claim_context *context, pair *p, const char *series, const setting *s,
                         const setting *than, const char *more) {
    fq_evidence row;
    for (size_t i = 0; i < 2; i++) {
        const setting *const here = i ? than : s;
        FQ_TRY(errors_of_setting(p->error[i], here, p));
        FQ_TRY(emit_distortion(context, here, fq_estimate_of(p->error[i], p->samples), p->samples,
                               here->exact ? ", all states" : ""));
    }
    describe(&row, context, series, s, more);
    return emit_measured(context, &row, excess(p), p->samples, FQ_RELATION_GREATER, 0, 0);
}

static fq_status run_steps(fq_claim_context *context, pair *p) {
    static const double rates[] = {2, 1, 3, 4};
    char more[32];
    for (size_t i = 0; i < (context->quick ? 1 : 2); i++) {
        const setting one = {.bits = rates[i], .dim = DIM, .window = 8, .tries = 1};
        setting all = one;
        all.exact = true;
        FQ_TRY(compare(context, p, "junction_found_by_a_pass", &one, &all, ", all states"));
    }
    for (size_t i = 0; i < (context->quick ? 1 : sizeof rates / sizeof rates[0]); i++) {
        const setting wide = {.bits = rates[i], .dim = DIM, .window = 12, .tries = 4};
        setting narrow = wide;
        for (narrow.window = 8; narrow.window < (context->quick ? 10 : 12); narrow.window += 2) {
            if (rates[i] == 1 && narrow.window == 10) /* as good as 12 */
                continue;
            snprintf(more, sizeof more, ", L=%u", wide.window);
            FQ_TRY(compare(context, p, "window_cut", &narrow, &wide, more));
        }
    }
    for (unsigned tries = 1; tries < (context->quick ? 8 : 16); tries = tries == 1 ? 4 : 2 * tries) {
        const setting few = {.bits = 2, .dim = DIM, .window = 10, .tries = tries};
        setting more_of_them = few;
        more_of_them.tries = tries == 1 ? 4 : 2 * tries;
        snprintf(more, sizeof more, ", %u tries", more_of_them.tries);
        FQ_TRY(compare(context, p, "fewer_tries", &few, &more_of_them, more));
    }
    return FQ_OK;
}

/* A map whose labels are the windows themselves: any level for each. */
static fq_status free_map(fq_trellis_map *map, const fq_trellis_map *linear, bool from_linear,
                          uint64_t seed) {
    const unsigned windows = 1u << linear->window;
    fq_stream stream;
    *map = *linear;
    map->label_bits = map->window;
    for (unsigned i = 0; i < map->window; i++)
        map->column[0][i] = (uint8_t)(1u << i);
    fq_stream_init_in(&stream, seed, FQ_RANGE_CLAIM_TRELLIS, 0);
    for (unsigned w = 0; w < windows; w++)
        map->level[w] = from_linear ? linear->level[fq_trellis_label(linear, 0, w)]
                                    : (int8_t)lrint(fmax(-127, fmin(127, 40 * fq_stream_normal(&stream))));
    if (!from_linear)
        map->step = 1.0 / 40;
    for (int round = 0; round < 6; round++)
        FQ_TRY(fq_trellis_train_levels(map, DIM, &(fq_trellis_search){.tries = 1}, seed,
                                       (uint64_t)round * 4096, 4096));
    return FQ_OK;
}

/* Levels of every window's own, trained from the map's or from random ones, against the map's, K = 2, L = 8.
 */
static fq_status run_labels(fq_claim_context *context, pair *p) {
    const setting s = {.bits = 2, .dim = DIM, .window = 8, .tries = 1};
    fq_trellis_map linear;
    FQ_TRY(usual_map(&linear, &s));
    for (int from_linear = 0; from_linear < 2; from_linear++) {
        fq_trellis_map map;
        fq_trellis_code code;
        fq_evidence row;
        FQ_TRY(free_map(&map, &linear, from_linear, context->seed));
        FQ_TRY(fq_trellis_code_init(&code, &map, DIM));
        const fq_status status =
            errors_of(p->error[0], NULL, NULL, &code, &(fq_trellis_search){.tries = 1}, p->x, p->samples);
        fq_trellis_code_clear(&code);
        FQ_TRY(status);
        FQ_TRY(errors_of_setting(p->error[1], &s, p));
        const char *const more =
            from_linear ? ", free labels from the map's" : ", free labels from random ones";
        FQ_TRY(emit_distortion(context, &s, fq_estimate_of(p->error[0], p->samples), p->samples, more));
        describe(&row, context, from_linear ? "free_labels_from_the_maps" : "free_labels_from_random", &s,
                 more);
        FQ_TRY(from_linear
                   ? emit_measured(context, &row, excess(p), p->samples, FQ_RELATION_REPORT, (double)NAN, 0)
                   : emit_measured(context, &row, excess(p), p->samples, FQ_RELATION_GREATER, 0, 0));
    }
    return FQ_OK;
}

/* Means of what each label stands for, sum g x / sum g^2, g the vectors' gains: levels as doubles. */
static fq_status conditional_means(double *value, const fq_trellis_code *code,
                                   const fq_trellis_search *search, uint64_t seed, size_t n) {
    bench b;
    fq_source source;
    double up[FQ_TRELLIS_LEVELS_MAX] = {0}, down[FQ_TRELLIS_LEVELS_MAX] = {0};
    float *x = NULL;
    fq_status status = bench_init(&b, code, search);
    FQ_TRY_GOTO(status, status, done);
    FQ_TRY_GOTO(status, fq_source_init(&source, DIM, DIM), done);
    FQ_TRY_GOTO(status, fq_alloc(&x, CHUNK * DIM, sizeof *x), done);
    for (size_t first = 0; first < n; first += CHUNK) {
        fq_source_sample(&source, seed, FQ_PURPOSE_TRAIN, first, CHUNK, x);
        fq_trellis_encode(&b.encoder, b.work, b.payload, code->payload_bytes, x, CHUNK);
        for (size_t i = 0; i < CHUNK; i++) {
            const uint8_t *const payload = b.payload + i * code->payload_bytes;
            double xc = 0, cc = 0;
            fq_trellis_levels(code, b.levels, payload);
            for (size_t j = 0; j < DIM; j++) {
                xc += (double)x[i * DIM + j] * b.levels[j];
                cc += b.levels[j] * b.levels[j];
            }
            for (size_t j = 0; j < DIM; j++) {
                const unsigned label =
                    fq_trellis_label(&code->map, 0, fq_trellis_window_at(code, payload, j));
                up[label] += xc / cc * (double)x[i * DIM + j];
                down[label] += xc / cc * (xc / cc);
            }
        }
    }
    for (unsigned i = 0; i < 1u << code->map.label_bits; i++)
        value[i] = down[i] > 0 ? up[i] / down[i] : code->map.level[i];
done:
    bench_clear(&b);
    fq_free(x);
    return status;
}

/* The same payloads read with the shipped levels, and with the means as they are. */
static fq_status run_rounding(fq_claim_context *context, pair *p) {
    const setting s = {.bits = 2, .dim = DIM, .window = 10, .tries = 4};
    const fq_trellis_search search = {.tries = s.tries};
    double value[FQ_TRELLIS_LEVELS_MAX];
    fq_trellis_map map;
    fq_trellis_code code;
    fq_evidence row;
    FQ_TRY(usual_map(&map, &s));
    FQ_TRY(fq_trellis_code_init(&code, &map, DIM));
    fq_status status;
    FQ_TRY_GOTO(status,
                conditional_means(value, &code, &search, context->seed, context->quick ? 1024 : 32768), done);
    FQ_TRY_GOTO(status, errors_of(p->error[0], p->error[1], value, &code, &search, p->x, p->samples), done);
    FQ_TRY_GOTO(status,
                emit_distortion(context, &s, fq_estimate_of(p->error[1], p->samples), p->samples,
                                ", levels in doubles"),
                done);
    describe(&row, context, "levels_of_eight_bits", &s, "");
    status = emit_measured(context, &row, excess(p), p->samples, FQ_RELATION_LESS,
                           context->quick ? 0.01 : 0.002, 0);
done:
    fq_trellis_code_clear(&code);
    return status;
}

static fq_status run(fq_claim_context *context) {
    pair p = {.samples = context->quick ? 512 : 16384};
    fq_status status;
    FQ_TRY(run_circles(context));
    FQ_TRY(run_distortions(context));
    FQ_TRY_GOTO(status, draw(&p.x, DIM, p.samples, context->seed), done);
    for (size_t i = 0; i < 2; i++)
        FQ_TRY_GOTO(status, fq_alloc(&p.error[i], p.samples, sizeof *p.error[i]), done);
    FQ_TRY_GOTO(status, run_steps(context, &p), done);
    FQ_TRY_GOTO(status, run_labels(context, &p), done);
    status = run_rounding(context, &p);
done:
    for (size_t i = 0; i < 2; i++)
        fq_free(p.error[i]);
    fq_free(p.x);
    return status;
}

static const fq_series series[] = {
    {"windows_are_states", FQ_PART_STATEMENT,
     "steps whose window is not the state that the recursion carries round the circle = 0"},
    {"read_alone", FQ_PART_STATEMENT, "coordinates that read alone are not what the whole decode has = 0"},
    {"distortion_above_caps", FQ_PART_STATEMENT,
     "D on fresh vectors, above the bound of equal caps with a gain"},
    {"within_0_45_db", FQ_PART_STATEMENT, "10 log10(4^b D) with eight tries, below 0.45"},
    {"distance_of_long_vectors", FQ_PART_PRACTICE, "10 log10(4^b D) with eight tries at d above 128"},
    {"junction_found_by_a_pass", FQ_PART_PRACTICE,
     "part of D that finding one state by a pass costs where all could be tried, above 0"},
    {"window_cut", FQ_PART_PRACTICE, "part of D that a narrower window costs, above 0"},
    {"fewer_tries", FQ_PART_PRACTICE, "part of D that fewer tries cost, above 0"},
    {"free_labels_from_random", FQ_PART_PRACTICE,
     "part of D that levels of each window's own, trained from random ones, cost against a linear map, above "
     "0"},
    {"free_labels_from_the_maps", FQ_PART_PRACTICE, "the same trained from the map's own levels"},
    {"levels_of_eight_bits", FQ_PART_PRACTICE,
     "part of D that rounded levels cost against means in doubles, below 0.002 (quick: 0.01)"},
    {0},
};

const fq_claim fq_claim_trellis = {
    .number = 21,
    .id = "trellis",
    .title = "Trellis codes of whole vectors",
    .statement =
        "A tail-biting trellis code stores exactly b d bits, any coordinate is read from its own L of them, "
        "and "
        "at b = 1 to 4 and d = 64 to 128 D is within 0.45 dB of 4^-b, above the bound of equal caps.",
    .domain = "the maps of the library",
    .citation = "Marcellin and Fischer 1990; QTIP (arXiv 2406.11235); measured here",
    .checked = "The circle and reading alone on encoded vectors; D on fresh vectors; what each step of the "
               "construction "
               "costs, on the same vectors.",
    .not_covered = "Whether better maps of the same size exist.",
    .series = series,
    .run = run,
};
