#include "compressor.h"

#include <math.h>
#include <string.h>

#include "compressor_family.h"
#include "memory.h"
#include "metrics.h"
#include "random_reflections.h"
#include "source.h"
#include "spec_keys.h"
#include "stream_ranges.h"

#define FQ_COMPRESSOR(name) extern const fq_compressor_family fq_compressor_family_##name;
#include "compressor/compressors.def"
#undef FQ_COMPRESSOR

static const fq_compressor_family *const families[] = {
#define FQ_COMPRESSOR(name) &fq_compressor_family_##name,
#include "compressor/compressors.def"
#undef FQ_COMPRESSOR
};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* A name as read: a family with its values, or a codec. */
typedef struct parsed {
    const fq_compressor_family *family; /* NULL: a codec */
    double value[FQ_SPEC_VALUES_MAX];
    fq_codec_spec spec;
} parsed;

struct fq_compressor {
    parsed what;
    size_t dim;
    fq_compressor_about about;
    fq_codec *codec; /* NULL: a family */
    double own[2];   /* of a codec, by form: what a decoded direction is multiplied by */
};

size_t fq_compressor_family_count(void) {
    return FAMILIES;
}

const char *fq_compressor_family_name(size_t i) {
    return i < FAMILIES ? families[i]->name : NULL;
}

const char *fq_compressor_family_summary(size_t i) {
    return i < FAMILIES ? families[i]->summary : NULL;
}

static fq_status parse(parsed *p, const char *name) {
    const char *colon = strchr(name, ':');
    const size_t length = colon ? (size_t)(colon - name) : strlen(name);
    memset(p, 0, sizeof *p);
    for (size_t i = 0; i < FAMILIES; i++)
        if (strlen(families[i]->name) == length && memcmp(families[i]->name, name, length) == 0) {
            p->family = families[i];
            return fq_keys_read(p->value, p->family->keys, p->family->name, colon ? colon + 1 : NULL,
                                colon ? strlen(colon + 1) : 0);
        }
    return fq_codec_spec_parse(&p->spec, name);
}

bool fq_compressor_is_codec(fq_codec_spec *spec, const char *name) {
    parsed p;
    if (parse(&p, name) != FQ_OK || p.family)
        return false;
    *spec = p.spec;
    return true;
}

fq_status fq_compressor_name(char text[FQ_SPEC_TEXT_MAX], const char *name) {
    parsed p;
    FQ_TRY(parse(&p, name));
    if (!p.family)
        return fq_codec_spec_format(text, &p.spec);
    fq_text out = fq_text_begin(text, FQ_SPEC_TEXT_MAX);
    fq_text_add(&out, p.family->name);
    fq_keys_write(&out, p.value, p.family->keys);
    return out.cut ? FQ_FAIL(FQ_ERR_SPEC, "compressor", "a shorter name") : FQ_OK;
}

static fq_status check_dim(size_t dim) {
    return dim < 1 || dim > FQ_DIM_MAX
               ? FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim, "1 to the largest dimension")
               : FQ_OK;
}

fq_status fq_compressor_check(const char *name, size_t dim) {
    parsed p;
    fq_compressor_about about;
    fq_codec_cost cost;
    FQ_TRY(check_dim(dim));
    FQ_TRY(parse(&p, name));
    return p.family ? p.family->about(&about, p.value, dim) : fq_codec_plan(&cost, &p.spec, dim);
}

/* The codec's D if the family knows it exactly, else NaN. */
static double exact_distortion(const fq_codec_spec *spec, size_t dim) {
    fq_codec_description about;
    fq_codebook code;
    double distortion = (double)NAN;
    if (fq_codec_describe(&about, spec, dim) != FQ_OK || about.kind == FQ_CODE_VECTORS || about.trained ||
        spec->norm != FQ_NORM_INPUT || spec->norm_format != FQ_NORM_HALF)
        return distortion;
    fq_codebook_init(&code);
    if (fq_codec_block_code(&code, spec, dim, NULL) == FQ_OK && code.distortion_se == 0.0)
        distortion = code.distortion;
    fq_codebook_clear(&code);
    return distortion;
}

enum { CHUNK = 1024 };

/* Means over directions uniform on the sphere of <y,y^> and |y^|^2, and of the ratio's error
 * (|y^|^2 - (q/s) 2 <y,y^> + ...)/s^2, whose scatter is the standard error of q/s^2 to first order. */
static fq_status measure_direction(double *s, double *q, double *omega_se, const fq_codec *codec,
                                   size_t dim) {
    const size_t bytes = fq_codec_get_cost(codec).code_bytes;
    float *x = NULL, *y = NULL;
    uint8_t *codes = NULL;
    double *product = NULL, *size = NULL;
    fq_source source;
    fq_status status;
    FQ_TRY(fq_source_init(&source, dim, dim));
    FQ_TRY_GOTO(status, fq_alloc(&x, CHUNK, dim * sizeof *x), done);
    FQ_TRY_GOTO(status, fq_alloc(&y, CHUNK, dim * sizeof *y), done);
    FQ_TRY_GOTO(status, fq_alloc(&codes, CHUNK, bytes), done);
    FQ_TRY_GOTO(status, fq_alloc(&product, FQ_COMPRESSOR_CALIBRATION, sizeof *product), done);
    FQ_TRY_GOTO(status, fq_alloc(&size, FQ_COMPRESSOR_CALIBRATION, sizeof *size), done);
    for (size_t first = 0; first < FQ_COMPRESSOR_CALIBRATION; first += CHUNK) {
        fq_source_sample(&source, FQ_COMPRESSOR_CALIBRATION, FQ_PURPOSE_VALIDATE, first, CHUNK, x);
        FQ_TRY_GOTO(status, fq_codec_encode(codec, codes, x, CHUNK), done);
        FQ_TRY_GOTO(status, fq_codec_decode(codec, y, codes, CHUNK), done);
        for (size_t i = 0; i < CHUNK; i++) {
            double a = 0.0, b = 0.0;
            for (size_t c = i * dim; c < (i + 1) * dim; c++) {
                a += (double)x[c] * (double)y[c];
                b += (double)y[c] * (double)y[c];
            }
            product[first + i] = a;
            size[first + i] = b;
        }
    }
    *s = fq_estimate_of(product, FQ_COMPRESSOR_CALIBRATION).mean;
    *q = fq_estimate_of(size, FQ_COMPRESSOR_CALIBRATION).mean;
    for (size_t i = 0; i < FQ_COMPRESSOR_CALIBRATION; i++)
        size[i] = (size[i] - 2.0 * *q / *s * product[i]) / (*s * *s);
    *omega_se = fq_estimate_of(size, FQ_COMPRESSOR_CALIBRATION).se;
done:
    fq_free(size);
    fq_free(product);
    fq_free(codes);
    fq_free(y);
    fq_free(x);
    return status;
}

/* Bits: those of the codec's indices and norms, and |x| as a float32. The one half that a codec of a group
 * stores as the norm of a direction is always 1 and is not sent. */
static double codec_bits(const fq_compressor *c) {
    const fq_codec_cost cost = fq_codec_get_cost(c->codec);
    fq_codec_description about;
    const bool unit = fq_codec_describe(&about, &c->what.spec, c->dim) == FQ_OK && about.rotated &&
                      c->what.spec.norm == FQ_NORM_INPUT && cost.norm_bits == 16;
    return (double)(cost.index_bits + cost.norm_bits) - (unit ? 16.0 : 0.0) + 32.0;
}

static fq_status create_codec(fq_compressor *c, const fq_codebook *codebook) {
    const fq_codec_parts parts = {.codebook = codebook};
    FQ_TRY(fq_codec_create(&c->codec, &c->what.spec, c->dim, &parts));
    const double distortion = exact_distortion(&c->what.spec, c->dim);
    double s = 1.0 - distortion, q = s, se = 0.0;
    if (isnan(distortion))
        FQ_TRY(measure_direction(&s, &q, &se, c->codec, c->dim));
    if (!(s > 0.0 && q > 0.0))
        return FQ_FAIL(FQ_ERR_UNSUPPORTED, c->what.spec.family, "codecs that keep some of a vector");
    c->own[FQ_COMPRESSOR_CONTRACTIVE] = s / q;
    c->own[FQ_COMPRESSOR_UNBIASED] = 1.0 / s;
    c->about = (fq_compressor_about){.bits = codec_bits(c),
                                     .alpha = s * s / q,
                                     .omega = q / (s * s) - 1.0,
                                     .omega_se = se,
                                     .exact = true,
                                     .random = true};
    return FQ_OK;
}

fq_status fq_compressor_create(fq_compressor **compressor, const char *name, size_t dim,
                               const fq_codebook *codebook) {
    fq_compressor *c = NULL;
    FQ_TRY(check_dim(dim));
    FQ_TRY(fq_alloc_zero(&c, 1, sizeof *c));
    c->dim = dim;
    fq_status status = parse(&c->what, name);
    if (status == FQ_OK)
        status =
            c->what.family ? c->what.family->about(&c->about, c->what.value, dim) : create_codec(c, codebook);
    if (status == FQ_OK)
        *compressor = c;
    else
        fq_compressor_destroy(c);
    return status;
}

void fq_compressor_destroy(fq_compressor *compressor) {
    if (!compressor)
        return;
    fq_codec_destroy(compressor->codec);
    fq_free(compressor);
}

fq_compressor_about fq_compressor_get_about(const fq_compressor *compressor) {
    return compressor->about;
}

/* Up to n vectors of a codec: each direction through a rotation of its own, coded, decoded, rotated back. */
static fq_status apply_codec(const fq_compressor *c, double scale, double *y, const double *x, size_t n,
                             uint64_t seed, const uint64_t *number) {
    const size_t d = c->dim, room = fq_reflections_size(d);
    double *reflections = NULL, *norm = NULL;
    float *direction = NULL, *decoded = NULL;
    uint8_t *codes = NULL;
    fq_status status;
    FQ_TRY(fq_alloc(&reflections, n, room * sizeof *reflections));
    FQ_TRY_GOTO(status, fq_alloc(&norm, n, sizeof *norm), done);
    FQ_TRY_GOTO(status, fq_alloc(&direction, n, d * sizeof *direction), done);
    FQ_TRY_GOTO(status, fq_alloc(&decoded, n, d * sizeof *decoded), done);
    FQ_TRY_GOTO(status, fq_alloc(&codes, n, fq_codec_get_cost(c->codec).code_bytes), done);
    for (size_t v = 0; v < n; v++) {
        double *rotated = y + v * d, square = 0.0;
        fq_stream stream;
        fq_stream_init_in(&stream, seed, FQ_RANGE_COMPRESSED_VECTORS, number[v]);
        fq_reflections_draw(reflections + v * room, d, &stream);
        for (size_t i = 0; i < d; i++)
            square += x[v * d + i] * x[v * d + i];
        norm[v] = sqrt(square);
        for (size_t i = 0; i < d; i++)
            rotated[i] = norm[v] > 0.0 ? x[v * d + i] / norm[v] : 0.0;
        fq_reflections_apply(reflections + v * room, rotated, d, false);
        for (size_t i = 0; i < d; i++)
            direction[v * d + i] = (float)rotated[i];
    }
    FQ_TRY_GOTO(status, fq_codec_encode(c->codec, codes, direction, n), done);
    FQ_TRY_GOTO(status, fq_codec_decode(c->codec, decoded, codes, n), done);
    for (size_t v = 0; v < n; v++) {
        for (size_t i = 0; i < d; i++)
            y[v * d + i] = scale * (double)(float)norm[v] * (double)decoded[v * d + i];
        fq_reflections_apply(reflections + v * room, y + v * d, d, true);
    }
done:
    fq_free(codes);
    fq_free(decoded);
    fq_free(direction);
    fq_free(norm);
    fq_free(reflections);
    return status;
}

static void apply_family(const fq_compressor *c, double scale, double *y, const double *x, size_t n,
                         uint64_t seed, const uint64_t *number) {
    for (size_t v = 0; v < n; v++) {
        fq_stream stream;
        fq_stream_init_in(&stream, seed, FQ_RANGE_COMPRESSED_VECTORS, number[v]);
        c->what.family->apply(c->what.value, y + v * c->dim, x + v * c->dim, c->dim, &stream);
        for (size_t i = v * c->dim; i < (v + 1) * c->dim; i++)
            y[i] *= scale;
    }
}

/* Finite, and short enough for squares in double and a norm in float32. */
static fq_status check_vectors(const double *x, size_t n, size_t dim) {
    for (size_t v = 0; v < n; v++) {
        double square = 0.0;
        for (size_t i = v * dim; i < (v + 1) * dim; i++) {
            if (!isfinite(x[i]))
                return FQ_FAIL_VALUE(FQ_ERR_NONFINITE, "x", i,
                                     "finite numbers; this is the place of the first other");
            square += x[i] * x[i];
        }
        if (!(sqrt(square) < 1e37))
            return FQ_FAIL_VALUE(FQ_ERR_RANGE, "norm", sqrt(square), "below 1e37");
    }
    return FQ_OK;
}

fq_status fq_compressor_apply(const fq_compressor *compressor, fq_compressor_form form, double *y,
                              const double *x, size_t n, uint64_t seed, const uint64_t *number) {
    const fq_compressor_about *about = &compressor->about;
    FQ_TRY(check_vectors(x, n, compressor->dim));
    if (form == FQ_COMPRESSOR_UNBIASED && isnan(about->omega))
        return FQ_FAIL(FQ_ERR_UNSUPPORTED, compressor->what.family->name,
                       "compressors with an unbiased form");
    if (!compressor->codec) {
        const bool shrink = form == FQ_COMPRESSOR_CONTRACTIVE && !isnan(about->omega);
        apply_family(compressor, shrink ? about->alpha : 1.0, y, x, n, seed, number);
        return FQ_OK;
    }
    for (size_t first = 0; first < n; first += CHUNK) {
        const size_t count = n - first < CHUNK ? n - first : CHUNK, at = first * compressor->dim;
        FQ_TRY(apply_codec(compressor, compressor->own[form], y + at, x + at, count, seed, number + first));
    }
    return FQ_OK;
}
