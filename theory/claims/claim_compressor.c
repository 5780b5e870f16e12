/* Claim 17. Codecs as compressors of distributed optimisation (compressor.h). With a rotation drawn anew for
 * every vector the law of a codec's output depends on x through its direction alone, and is symmetric about
 * it: E C(x) = s x and E|C(x)|^2 = q |x|^2 with one s and one q for all x. Words that are centroids give E<y
 * - y^, y^> = 0, s = q = 1 - D. Hence E|C(x) - x|^2 = D |x|^2 for every x             contractive, alpha = 1
 * - D E C(x)/s = x, E|C(x)/s - x|^2 = D/(1-D) |x|^2   unbiased, omega = D/(1-D) with equality, and
 * TurboQuant's inner-product form, unbiased as it is, has omega = (pi/2 - 1/d) D(b-1): the sketch's error of
 * a residual r is (pi/2 |r|^2 |q|^2 - <r,q>^2)/d for a query q; summed over d orthogonal queries (pi d/2 -
 * 1)|r|^2/d. Without a fresh rotation none of it holds: for the vector that the rotation takes to e_1 the
 * 1-bit code with the norm stored has error 1 - 2c + d c^2 > 1, c its level. With the gain stored (norm=ls)
 * the error is 1 - cos^2 <= 1 - 1/d, since the signs of y have <y, signs>^2 = |y|_1^2 >= |y|^2. No code of B
 * bits has omega below 1/m^2 - 1 (claim 13), and bits times (1 + omega) = b/(1 - D), what a given accuracy
 * costs where omega enters as 1 + omega, falls along simplices (claim 12) towards 1/ln 4 = 0.7213 a
 * coordinate. Baselines: bounds of Top-K, Rand-K, natural compression, signs and QSGD, at vectors that attain
 * them and at random ones.
 *
 * Check: as said; D of scalar codes certified, of others measured on uniform directions, which no rotation of
 * the left side has seen. Definitions: Richtarik et al. 2021, Li et al. 2020; statements about codecs: own.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ball_averages.h"
#include "ball_scalar.h"
#include "caps_bound.h"
#include "claim_balls.h"
#include "compressor.h"
#include "memory.h"
#include "metrics.h"
#include "source.h"
#include "stream_ranges.h"

enum { DIM = 64, BATCH = 256, MOST = 16384, SKETCHED = 16 };

typedef enum shape { ONE, EQUAL, FALLING, THIRDS, SHAPES } shape;
static const char *const shape_names[SHAPES] = {"e1", "all equal", "falling", "4/3 all"};

static void fill(double *x, shape s) {
    for (size_t i = 0; i < DIM; i++)
        x[i] = s == ONE      ? (i == 0 ? 1.0 : 0.0)
               : s == EQUAL  ? 1.0
               : s == THIRDS ? 4.0 / 3.0
                             : 1.0 / (1.0 + (double)i);
}

/* What a compressor makes of one vector, over |x|^2: its error, <C(x), x>, and <C(x), w> for a vector w of
 * the same length across. */
typedef struct outcome {
    double error[MOST], along[MOST], across[MOST];
} outcome;

/* w = |x| times the normalised part of e_2 - e_1 (or e_2 where x has no other) across x. */
static void across(double *w, const double *x) {
    double product = 0, square = 0, rest = 0;
    for (size_t i = 0; i < DIM; i++)
        square += x[i] * x[i];
    product = x[1] - x[0];
    for (size_t i = 0; i < DIM; i++) {
        w[i] = (i == 1 ? 1.0 : i == 0 ? -1.0 : 0.0) - product / square * x[i];
        rest += w[i] * w[i];
    }
    for (size_t i = 0; i < DIM; i++)
        w[i] *= sqrt(square / rest);
}

/* The same vector, samples times, each with randomness of its own. */
static fq_status sample(outcome *o, const fq_compressor *c, fq_compressor_form form, const double *x,
                        uint64_t seed, size_t samples) {
    double *in = NULL, *out = NULL, w[DIM], square = 0;
    uint64_t number[BATCH];
    fq_status status;
    across(w, x);
    for (size_t i = 0; i < DIM; i++)
        square += x[i] * x[i];
    FQ_TRY(fq_alloc(&in, BATCH, DIM * sizeof *in));
    FQ_TRY_GOTO(status, fq_alloc(&out, BATCH, DIM * sizeof *out), done);
    for (size_t v = 0; v < BATCH; v++)
        memcpy(in + v * DIM, x, DIM * sizeof *in);
    for (size_t first = 0; first < samples; first += BATCH) {
        const size_t n = samples - first < BATCH ? samples - first : BATCH;
        for (size_t v = 0; v < n; v++)
            number[v] = first + v;
        FQ_TRY_GOTO(status, fq_compressor_apply(c, form, out, in, n, seed, number), done);
        for (size_t v = 0; v < n; v++) {
            double e = 0, a = 0, b = 0;
            for (size_t i = 0; i < DIM; i++) {
                const double y = out[v * DIM + i];
                e += (y - x[i]) * (y - x[i]);
                a += y * x[i];
                b += y * w[i];
            }
            o->error[first + v] = e / square;
            o->along[first + v] = a / square;
            o->across[first + v] = b / square;
        }
    }
    status = FQ_OK;
done:
    fq_free(out);
    fq_free(in);
    return status;
}

static void describe(fq_evidence *row, const fq_claim_context *context, const char *series, const char *name,
                     const char *vector) {
    fq_evidence_init(row, series, "d=%d %s%s%s", DIM, name, vector[0] ? ", " : "", vector);
    row->dim = DIM;
    row->seed = context->seed;
}

static fq_status emit_measured(fq_claim_context *context, fq_evidence *row, const double *values,
                               size_t samples, fq_relation relation, double right, double right_error) {
    const fq_estimate e = fq_estimate_of(values, samples);
    fq_evidence_measured(row, context, e.mean, e.se, samples);
    row->relation = relation;
    row->right = right * context->perturbation.constant;
    row->right_error = right_error * context->perturbation.constant;
    return fq_claim_emit(context, row);
}

static void certified_distortion(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const fq_scalar_box *const box = parameters;
    *left = fq_scalar_box_distortion(w, box);
    *right = fq_ball_integer(w, 1);
}

/* D of tq:b=.. in balls. */
static fq_status scalar_distortion(double *distortion, double *error, long bits, long cap) {
    fq_scalar_box box;
    fq_evidence row;
    FQ_TRY(fq_scalar_box_init(&box, DIM, (size_t)1 << (bits - 1)));
    fq_evidence_init(&row, "contraction", "D");
    row.relation = FQ_RELATION_LESS;
    FQ_TRY(fq_ball_decide(&row, certified_distortion, &box, cap));
    *distortion = row.left;
    *error = row.left_error;
    return FQ_OK;
}

/* What a codec's own output is on uniform directions: s, q and the error, with the standard errors. */
typedef struct own {
    fq_estimate error, omega; /* 1 - 2 s + q and q/s^2 - 1 */
    double bits;              /* of indices, a vector */
} own;

static fq_status measure_own(own *m, const char *name, uint64_t seed, size_t samples) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    float *x = NULL, *y = NULL;
    uint8_t *codes = NULL;
    double *e = NULL, *s = NULL, *q = NULL;
    fq_source source;
    fq_status status;
    FQ_TRY(fq_codec_spec_parse(&spec, name));
    FQ_TRY(fq_source_init(&source, DIM, DIM));
    FQ_TRY(fq_codec_create(&codec, &spec, DIM, NULL));
    m->bits = (double)fq_codec_get_cost(codec).index_bits;
    FQ_TRY_GOTO(status, fq_alloc(&x, samples, DIM * sizeof *x), done);
    FQ_TRY_GOTO(status, fq_alloc(&y, samples, DIM * sizeof *y), done);
    FQ_TRY_GOTO(status, fq_alloc(&codes, samples, fq_codec_get_cost(codec).code_bytes), done);
    FQ_TRY_GOTO(status, fq_alloc(&e, 3 * samples, sizeof *e), done);
    s = e + samples;
    q = s + samples;
    fq_source_sample(&source, seed, FQ_PURPOSE_EVALUATE, 0, samples, x);
    FQ_TRY_GOTO(status, fq_codec_encode(codec, codes, x, samples), done);
    FQ_TRY_GOTO(status, fq_codec_decode(codec, y, codes, samples), done);
    for (size_t v = 0; v < samples; v++) {
        e[v] = s[v] = q[v] = 0;
        for (size_t i = v * DIM; i < (v + 1) * DIM; i++) {
            const double a = (double)x[i], b = (double)y[i];
            e[v] += (a - b) * (a - b);
            s[v] += a * b;
            q[v] += b * b;
        }
    }
    m->error = fq_estimate_of(e, samples);
    const double mean = fq_estimate_of(s, samples).mean, size = fq_estimate_of(q, samples).mean;
    for (size_t v = 0; v < samples; v++)
        e[v] = (q[v] - 2 * size / mean * s[v]) / (mean * mean);
    m->omega = (fq_estimate){size / (mean * mean) - 1, fq_estimate_of(e, samples).se};
done:
    fq_free(e);
    fq_free(codes);
    fq_free(y);
    fq_free(x);
    fq_codec_destroy(codec);
    return status;
}

/* A codec on three vectors: error and means against D of its own. bits: of a scalar code, otherwise 0. */
static fq_status run_codec(fq_claim_context *context, const char *name, long bits, outcome *o,
                           size_t samples) {
    fq_compressor *c = NULL;
    double x[DIM], distortion = 0, error = 0, omega = 0, omega_error = 0, bits_sent = 0;
    fq_status status = FQ_OK;
    FQ_TRY(fq_compressor_create(&c, name, DIM, NULL));
    const fq_compressor_about about = fq_compressor_get_about(c);
    if (bits) {
        status = scalar_distortion(&distortion, &error, bits, context->precision_cap);
        omega = distortion / (1 - distortion);
        omega_error = error / ((1 - distortion) * (1 - distortion));
        bits_sent = (double)(bits * DIM);
    } else {
        own m = {0};
        status = measure_own(&m, name, context->seed, 4 * samples);
        /* the contractive form is scaled to s^2/q */
        omega = m.omega.mean;
        omega_error = hypot(m.omega.se, about.omega_se);
        distortion = omega / (1 + omega);
        error = omega_error / ((1 + omega) * (1 + omega));
        bits_sent = m.bits;
    }
    for (shape s = ONE; status == FQ_OK && s <= FALLING; s++) {
        fq_evidence row;
        fill(x, s);
        FQ_TRY_GOTO(status, sample(o, c, FQ_COMPRESSOR_CONTRACTIVE, x, context->seed, samples), done);
        describe(&row, context, "contraction", name, shape_names[s]);
        FQ_TRY_GOTO(status,
                    emit_measured(context, &row, o->error, samples, FQ_RELATION_EQUAL, distortion, error),
                    done);
        FQ_TRY_GOTO(status, sample(o, c, FQ_COMPRESSOR_UNBIASED, x, context->seed, samples), done);
        describe(&row, context, "omega", name, shape_names[s]);
        FQ_TRY_GOTO(status,
                    emit_measured(context, &row, o->error, samples, FQ_RELATION_EQUAL, omega, omega_error),
                    done);
        describe(&row, context, "unbiased_along", name, shape_names[s]);
        FQ_TRY_GOTO(
            status,
            emit_measured(context, &row, o->along, samples, FQ_RELATION_EQUAL, 1, bits ? 0 : omega_error),
            done);
        describe(&row, context, "unbiased_across", name, shape_names[s]);
        FQ_TRY_GOTO(status, emit_measured(context, &row, o->across, samples, FQ_RELATION_EQUAL, 0, 0), done);
    }
    if (status == FQ_OK) {
        fq_caps_bound caps;
        fq_evidence row;
        FQ_TRY_GOTO(status, fq_caps_bound_init(&caps, DIM, bits_sent), done);
        const double least = caps.fixed_words / (1 - caps.fixed_words);
        describe(&row, context, "omega_above_caps", name, "falling");
        row.rate = bits_sent / DIM;
        status = emit_measured(context, &row, o->error, samples, FQ_RELATION_GREATER, least, 1e-9);
    }
done:
    fq_compressor_destroy(c);
    return status;
}

/* |y - y^|^2 of a codec and sketch of their own seed, mean over uniform directions. */
static fq_status sketch_error(double *error, const char *name, uint64_t seed, size_t first, float *x,
                              float *y) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    uint8_t codes[SKETCHED * DIM * 4];
    fq_source source;
    fq_status status;
    FQ_TRY(fq_codec_spec_parse(&spec, name));
    FQ_TRY(fq_source_init(&source, DIM, DIM));
    spec.seed = seed + first;
    FQ_TRY(fq_codec_create(&codec, &spec, DIM, NULL));
    fq_source_sample(&source, seed, FQ_PURPOSE_EVALUATE, first * SKETCHED, SKETCHED, x);
    FQ_TRY_GOTO(status, fq_codec_encode(codec, codes, x, SKETCHED), done);
    FQ_TRY_GOTO(status, fq_codec_decode(codec, y, codes, SKETCHED), done);
    *error = 0;
    for (size_t i = 0; i < SKETCHED * DIM; i++)
        *error += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]) / SKETCHED;
done:
    fq_codec_destroy(codec);
    return status;
}

/* The inner-product form of b bits against its formula and against the rescaled MSE form of b bits. The
 * formula is of the mean over sketches: a sketch alone departs from it by some percent. */
static fq_status run_product(fq_claim_context *context, long bits, outcome *o, float *x, size_t sketches) {
    char name[32], other[32];
    double distortion = 1, error = 0, whole, whole_error;
    fq_evidence row;
    snprintf(name, sizeof name, "tqprod:b=%ld", bits);
    snprintf(other, sizeof other, "tq:b=%ld", bits);
    if (bits > 1)
        FQ_TRY(scalar_distortion(&distortion, &error, bits - 1, context->precision_cap));
    FQ_TRY(scalar_distortion(&whole, &whole_error, bits, context->precision_cap));
    const double constant = 0.5 * acos(-1.0) - 1.0 / DIM, part = bits == 1 ? 0.4 : 0.25;
    for (size_t r = 0; r < sketches; r++)
        FQ_TRY(sketch_error(&o->error[r], name, context->seed, r, x, x + SKETCHED * DIM));
    describe(&row, context, "product_form", name, "over sketches");
    FQ_TRY(emit_measured(context, &row, o->error, sketches, FQ_RELATION_EQUAL, constant * distortion,
                         constant * error));
    describe(&row, context, "product_form_varies_more", name, other);
    for (size_t r = 0; r < sketches; r++)
        o->error[r] *= part;
    return emit_measured(context, &row, o->error, sketches, FQ_RELATION_GREATER, whole / (1 - whole),
                         whole_error / ((1 - whole) * (1 - whole)));
}

/* 1 - 2c + d c^2 of the 1-bit code. */
static void expansion(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const fq_scalar_box *const box = parameters;
    const fq_ball c = fq_scalar_box_level(w, box, 0), one = fq_ball_integer(w, 1);
    const fq_ball square = fq_ball_multiply(w, fq_ball_integer(w, box->d), fq_ball_multiply(w, c, c));
    *left = fq_ball_add(w, fq_ball_subtract(w, one, fq_ball_add(w, c, c)), square);
    *right = one;
}

typedef struct scaled_box {
    fq_scalar_box box;
    double constant;
} scaled_box;

static void expands(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const scaled_box *const p = parameters;
    expansion(w, &p->box, left, right);
    *right = fq_ball_multiply(w, *right, fq_ball_double(w, p->constant));
}

static void expansion_on_the_right(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const scaled_box *const p = parameters;
    expansion(w, &p->box, right, left);
    *right = fq_ball_multiply(w, *right, fq_ball_double(w, p->constant));
}

/* |x - x^|^2 for unit x[n][DIM] by a codec with its own, fixed rotation. from_rotated: x is Pi^T of it. */
static fq_status fixed_errors(double *error, const char *name, const float *x, size_t n, bool from_rotated) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    float *in = NULL, *out = NULL;
    uint8_t *codes = NULL;
    fq_status status;
    FQ_TRY(fq_codec_spec_parse(&spec, name));
    FQ_TRY(fq_codec_create(&codec, &spec, DIM, NULL));
    FQ_TRY_GOTO(status, fq_alloc(&in, n, DIM * sizeof *in), done);
    FQ_TRY_GOTO(status, fq_alloc(&out, n, DIM * sizeof *out), done);
    FQ_TRY_GOTO(status, fq_alloc(&codes, n, fq_codec_get_cost(codec).code_bytes), done);
    if (from_rotated)
        FQ_TRY_GOTO(status, fq_codec_rotate_back(codec, in, x, n), done);
    else
        memcpy(in, x, n * DIM * sizeof *in);
    FQ_TRY_GOTO(status, fq_codec_encode(codec, codes, in, n), done);
    FQ_TRY_GOTO(status, fq_codec_decode(codec, out, codes, n), done);
    for (size_t v = 0; v < n; v++) {
        double e = 0, s = 0;
        for (size_t i = v * DIM; i < (v + 1) * DIM; i++) {
            e += ((double)in[i] - (double)out[i]) * ((double)in[i] - (double)out[i]);
            s += (double)in[i] * (double)in[i];
        }
        error[v] = e / s;
    }
done:
    fq_free(codes);
    fq_free(out);
    fq_free(in);
    fq_codec_destroy(codec);
    return status;
}

static fq_status emit_computed(fq_claim_context *context, const char *series, const char *name,
                               const char *vector, double left, double left_error, fq_relation relation,
                               double right) {
    fq_evidence row;
    describe(&row, context, series, name, vector);
    row.relation = relation;
    row.verdict = FQ_VERDICT_COMPUTED;
    row.left = left;
    row.left_error = left_error;
    row.right = right * context->perturbation.constant;
    row.right_error = 0;
    row.tolerance = 1e-3;
    return fq_claim_emit(context, &row);
}

/* float32 and a gain in fp16 move a relative error by less than this. */
#define STORED 2e-6

static fq_status run_fixed(fq_claim_context *context, float *x, double *error, size_t samples) {
    scaled_box p = {.constant = context->perturbation.constant};
    fq_evidence row;
    fq_stream stream;
    double worst = 0;
    memset(x, 0, DIM * sizeof *x);
    x[0] = 1;
    FQ_TRY(fq_scalar_box_init(&p.box, DIM, 1));
    describe(&row, context, "fixed_rotation_expands", "tq:b=1", "rotated to e1");
    row.relation = FQ_RELATION_GREATER;
    row.least = 0;
    FQ_TRY(fq_ball_emit(context, &row, expands, &p));
    FQ_TRY(fixed_errors(error, "tq:b=1", x, 1, true));
    describe(&row, context, "fixed_rotation_by_the_codec", "tq:b=1", "rotated to e1");
    row.tolerance = 1e-3;
    FQ_TRY(fq_ball_emit_value(context, &row, expansion_on_the_right, &p, error[0], 1e-4));
    FQ_TRY(fixed_errors(error, "tq:b=1,norm=ls", x, 1, true));
    FQ_TRY(emit_computed(context, "gain_attained", "tq:b=1,norm=ls", "rotated to e1", error[0], 1e-4,
                         FQ_RELATION_EQUAL, 1 - 1.0 / DIM));
    fq_stream_init_in(&stream, context->seed, FQ_RANGE_CLAIM_COMPRESSOR, 0);
    for (size_t v = 0; v < samples; v++)
        for (size_t i = 0; i < DIM; i++) { /* from one coordinate alone to all of them */
            const double g = fq_stream_normal(&stream);
            x[v * DIM + i] = (float)(i <= v % DIM ? g : 1e-3 * g);
        }
    FQ_TRY(fixed_errors(error, "tq:b=1,norm=ls", x, samples, true));
    for (size_t v = 0; v < samples; v++)
        worst = fmax(worst, error[v]);
    return emit_computed(context, "gain_contracts", "tq:b=1,norm=ls", "largest of many", worst, STORED,
                         FQ_RELATION_LESS, 1 - 1.0 / DIM + 2 * STORED);
}

/* A baseline at a vector that attains its bound, and at one that does not. */
static fq_status run_baseline(fq_claim_context *context, const char *name, shape tight, shape loose,
                              outcome *o, size_t samples) {
    fq_compressor *c = NULL;
    double x[DIM];
    fq_evidence row;
    fq_status status = FQ_OK;
    FQ_TRY(fq_compressor_create(&c, name, DIM, NULL));
    const fq_compressor_about about = fq_compressor_get_about(c);
    const bool unbiased = !isnan(about.omega);
    const double bound = unbiased ? about.omega : 1 - about.alpha;
    const fq_compressor_form form = unbiased ? FQ_COMPRESSOR_UNBIASED : FQ_COMPRESSOR_CONTRACTIVE;
    for (int i = 0; i < 2; i++) {
        const shape s = i ? loose : tight;
        const char *series = i ? "baseline_within" : "baseline_attained";
        fill(x, s);
        FQ_TRY_GOTO(status, sample(o, c, form, x, context->seed, about.random ? samples : 2), done);
        if (about.random) {
            describe(&row, context, series, name, shape_names[s]);
            FQ_TRY_GOTO(status,
                        emit_measured(context, &row, o->error, samples,
                                      i && !about.exact ? FQ_RELATION_LESS : FQ_RELATION_EQUAL, bound, 1e-6),
                        done);
        } else
            FQ_TRY_GOTO(status,
                        emit_computed(context, series, name, shape_names[s], o->error[0], 1e-6,
                                      i ? FQ_RELATION_LESS : FQ_RELATION_EQUAL, bound),
                        done);
        if (unbiased) {
            describe(&row, context, "baseline_unbiased", name, shape_names[s]);
            FQ_TRY_GOTO(status, emit_measured(context, &row, o->along, samples, FQ_RELATION_EQUAL, 1, 1e-6),
                        done);
        }
    }
done:
    fq_compressor_destroy(c);
    return status;
}

typedef struct simplex {
    long n;
    double constant;
} simplex;

/* b/(1 - D) of the simplex of n words in n - 1 dimensions, d = 2^17. */
static fq_ball simplex_cost(fq_balls *w, long n) {
    const fq_ball m =
        fq_ball_multiply(w, fq_ball_sqrt(w, fq_ball_ratio(w, n, n - 1)), fq_ball_mean_maximum(w, n));
    const fq_ball kept =
        fq_ball_subtract(w, fq_ball_integer(w, 1), fq_ball_equal_norm_distortion(w, 1L << 17, n - 1, m));
    const fq_ball bits =
        fq_ball_divide(w, fq_ball_log(w, fq_ball_integer(w, n)), fq_ball_log(w, fq_ball_integer(w, 2)));
    return fq_ball_divide(w, fq_ball_divide(w, bits, fq_ball_integer(w, n - 1)), kept);
}

static void cost_falls(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const simplex *const p = parameters;
    *left = simplex_cost(w, 2 * p->n);
    *right = fq_ball_multiply(w, simplex_cost(w, p->n), fq_ball_double(w, p->constant));
}

static void cost_above_limit(fq_balls *w, const void *parameters, fq_ball *left, fq_ball *right) {
    const simplex *const p = parameters;
    *left = simplex_cost(w, p->n);
    *right = fq_ball_divide(w, fq_ball_double(w, p->constant), fq_ball_log(w, fq_ball_integer(w, 4)));
}

static fq_status run_simplices(fq_claim_context *context) {
    for (long n = 2; n <= (context->quick ? 512 : 16384); n *= context->quick ? 16 : 2) {
        const simplex p = {n, context->perturbation.constant};
        static const struct {
            const char *series;
            fq_ball_sides sides;
            fq_relation relation;
        } rows[] = {{"cost_falls", cost_falls, FQ_RELATION_LESS},
                    {"cost_above_limit", cost_above_limit, FQ_RELATION_GREATER}};
        for (size_t i = 0; i < 2; i++) {
            fq_evidence row;
            fq_evidence_init(&row, rows[i].series, "d=131072 k=%ld N=%ld simplex", n - 1, n);
            row.dim = 131072;
            row.block = (double)(n - 1);
            row.codewords = (double)n;
            row.rate = log2((double)n) / (double)(n - 1);
            row.relation = rows[i].relation;
            row.least = 0;
            FQ_TRY(fq_ball_emit(context, &row, rows[i].sides, &p));
        }
    }
    return FQ_OK;
}

static fq_status run_with(fq_claim_context *context, outcome *o, float *x) {
    static const struct {
        const char *name;
        long bits;
    } codecs[] = {{"tq:b=1", 1},
                  {"fib:k=8,N=16,recipe=initial", 0},
                  {"trellis:b=1", 0},
                  {"tq:b=2", 2},
                  {"fib:k=4,N=256,recipe=initial", 0},
                  {"e8:N=256", 0},
                  {"tq:b=3", 3},
                  {"trellis:b=2", 0},
                  {"d4:N=256", 0},
                  {"iq4_nl", 0},
                  {"q4_0", 0},
                  {"nf4", 0},
                  {"fp8", 0},
                  {"crosspolytope:k=8", 0},
                  {"tq:b=1,norm=ls", 0}};
    static const struct {
        const char *name;
        shape tight, loose;
    } baselines[] = {{"topk:K=4", EQUAL, FALLING},
                     {"randk:K=4", ONE, FALLING},
                     {"natural", THIRDS, FALLING},
                     {"sign", ONE, FALLING},
                     {"qsgd:s=4", EQUAL, FALLING}};
    const size_t samples = context->quick ? 600 : MOST;
    for (size_t i = 0; i < (context->quick ? 3 : sizeof codecs / sizeof codecs[0]); i++)
        FQ_TRY(run_codec(context, codecs[i].name, codecs[i].bits, o, codecs[i].bits ? samples : samples / 4));
    for (long bits = context->quick ? 2 : 1; bits <= (context->quick ? 2 : 4); bits++)
        FQ_TRY(run_product(context, bits, o, x, context->quick ? 150 : 4096));
    FQ_TRY(run_fixed(context, x, o->error, samples));
    for (size_t i = 0; i < sizeof baselines / sizeof baselines[0]; i++)
        FQ_TRY(run_baseline(context, baselines[i].name, baselines[i].tight, baselines[i].loose, o, samples));
    return run_simplices(context);
}

static fq_status run(fq_claim_context *context) {
    outcome *o = NULL;
    float *x = NULL;
    fq_status status;
    FQ_TRY(fq_alloc(&o, 1, sizeof *o));
    FQ_TRY_GOTO(status, fq_alloc(&x, MOST, DIM * sizeof *x), done);
    status = run_with(context, o, x);
done:
    fq_free(x);
    fq_free(o);
    return status;
}

static const fq_series series[] = {
    {"contraction", FQ_PART_STATEMENT, "mean of |C(x)-x|^2/|x|^2 over rotations, for one x = D"},
    {"omega", FQ_PART_STATEMENT, "mean of |C(x)/(1-D)-x|^2/|x|^2 over rotations, for one x = D/(1-D)"},
    {"unbiased_along", FQ_PART_STATEMENT, "mean of <C(x)/(1-D), x>/|x|^2 over rotations = 1"},
    {"unbiased_across", FQ_PART_STATEMENT,
     "mean of <C(x)/(1-D), w>/|x|^2 over rotations for a w across x, |w| = |x|, = 0"},
    {"omega_above_caps", FQ_PART_STATEMENT, "omega of a codec, above 1/m^2 - 1 of its bits"},
    {"product_form", FQ_PART_STATEMENT,
     "omega of TurboQuant's inner-product form over sketches = (pi/2 - 1/d) D(b-1)"},
    {"product_form_varies_more", FQ_PART_STATEMENT,
     "a quarter (b = 1: 2/5) of that omega, above D(b)/(1-D(b)) of the rescaled MSE form"},
    {"fixed_rotation_expands", FQ_PART_STATEMENT,
     "error of the 1-bit code at the vector rotated to e_1, 1 - 2c + d c^2, above 1"},
    {"fixed_rotation_by_the_codec", FQ_PART_CHECK, "that error by the codec itself = 1 - 2c + d c^2"},
    {"gain_contracts", FQ_PART_STATEMENT,
     "largest error of the 1-bit code with the gain stored, any rotation, below 1 - 1/d"},
    {"gain_attained", FQ_PART_STATEMENT, "that error at the vector rotated to e_1 = 1 - 1/d"},
    {"baseline_attained", FQ_PART_PRACTICE, "a baseline's error at a vector of the worst kind = its bound"},
    {"baseline_within", FQ_PART_PRACTICE, "a baseline's error at another vector, within its bound"},
    {"baseline_unbiased", FQ_PART_PRACTICE, "mean of <C(x), x>/|x|^2 of an unbiased baseline = 1"},
    {"cost_falls", FQ_PART_STATEMENT, "b/(1-D) of the simplex of 2N words, below that of N words"},
    {"cost_above_limit", FQ_PART_STATEMENT, "b/(1-D) of the simplex of N words, above 1/ln 4"},
    {0},
};

const fq_claim fq_claim_compressor = {
    .number = 17,
    .id = "compressor",
    .title = "Codecs as compressors of distributed optimisation",
    .statement =
        "With a fresh rotation E|C(x)-x|^2 = D|x|^2 for every x (alpha = 1-D) and C/(1-D) is unbiased "
        "with omega = D/(1-D); the inner-product form has omega = (pi/2 - 1/d) D(b-1). With a fixed one "
        "the 1-bit code is no contraction unless its gain is stored (alpha >= 1/d).",
    .domain = "every x, every code of rotated directions whose words are centroids",
    .citation = "definitions: Richtarik et al. 2021, Li et al. 2020; statements: own derivation",
    .checked =
        "Three vectors, codecs of several families, at d = 64 over fresh rotations; bounds of baselines at "
        "vectors that attain them; cost of simplices in ball arithmetic.",
    .not_covered = "Rotations by Hadamard transforms, which are not uniform.",
    .series = series,
    .run = run,
};
