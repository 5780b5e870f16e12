#include "code_certificate.h"

#include <math.h>

#include "ball_code_cells.h"
#include "ball_every_code.h"
#include "ball_planar_code.h"
#include "ball_scalar.h"

bool fq_codebook_is_certified(const fq_codebook *codebook) {
    return isfinite(codebook->certificate.low) && isfinite(codebook->certificate.high);
}

/* The interval of doubles that holds a ball; NaN for one that decides nothing. */
static fq_status ends_of(const fq_balls *w, fq_ball a, double *low, double *high) {
    double value, error;
    FQ_TRY(fq_ball_get(w, a, &value, &error));
    *low = isfinite(error) ? nextafter(value - error, -HUGE_VAL) : (double)NAN;
    *high = isfinite(error) ? nextafter(value + error, HUGE_VAL) : (double)NAN;
    return FQ_OK;
}

static fq_status certify_planar(fq_balls *w, fq_codebook *c) {
    const fq_ball d = fq_ball_planar_code_distortion(w, (long)c->dim, c->codewords, c->words);
    c->certificate.parts = 0;
    return ends_of(w, d, &c->certificate.low, &c->certificate.high);
}

/* By parts from above; from below by parts or by what no code goes below. */
static fq_status certify_by_parts(fq_balls *w, fq_codebook *c, double parts) {
    fq_code_enclosure e;
    double bound = 0, above;
    FQ_TRY(fq_ball_code_cells(&e, c->dim, c->block, c->codewords, c->words, parts));
    if (c->codewords >= 2) {
        fq_every_code code;
        FQ_TRY(fq_every_code_init(&code, c->dim, c->block, c->codewords));
        FQ_TRY(ends_of(w, fq_ball_every_code_bound(w, &code, 1e-5), &bound, &above));
    }
    c->certificate =
        (fq_codebook_certificate){.low = bound > e.low ? bound : e.low, .high = e.high, .parts = e.parts};
    return FQ_OK;
}

fq_status fq_codebook_certify(fq_codebook *codebook, double parts) {
    if (fq_ball_verdict() != FQ_VERDICT_CERTIFIED)
        return FQ_FAIL(FQ_ERR_UNSUPPORTED, "certificate", "a build with FLINT/Arb");
    return fq_codebook_enclose(codebook, parts);
}

fq_status fq_codebook_enclose(fq_codebook *codebook, double parts) {
    if (!codebook->words || !(parts >= 1000 || parts == 0))
        return FQ_FAIL(FQ_ERR_ARGUMENT, "parts", "a codebook with words, and 1000 parts or more");
    if (parts == 0)
        parts = codebook->block <= 4 ? 4e6 : 1e6;
    if (codebook->block < 2 || codebook->block > FQ_CELLS_BLOCK_MAX || codebook->block >= codebook->dim)
        return FQ_FAIL_VALUE(FQ_ERR_UNSUPPORTED, "certificate of block", codebook->block,
                             "2 to 8, below dim");
    if (codebook->codewords > FQ_CELLS_CODEWORDS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_UNSUPPORTED, "certificate of codewords", codebook->codewords,
                             "up to 4096");
    fq_balls *w = NULL;
    FQ_TRY(fq_balls_create(&w, 128));
    fq_status status = codebook->block == 2 && fq_ball_verdict() == FQ_VERDICT_CERTIFIED
                           ? certify_planar(w, codebook)
                           : certify_by_parts(w, codebook, parts);
    fq_balls_destroy(w);
    if (status == FQ_OK && !fq_codebook_is_certified(codebook))
        status = FQ_FAIL(FQ_ERR_CONVERGENCE, "certificate", "words whose cells 128 bits can tell apart");
    return status;
}

fq_status fq_product_code_enclosure(double *low, double *high, size_t dim, size_t levels) {
    if (dim < 3)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "dim", dim, "3 or more");
    if (levels < 2 || levels % 2 || levels > 2 * FQ_BALL_HALF_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "levels", levels, "even numbers up to 256");
    fq_scalar_box box;
    fq_balls *w = NULL;
    FQ_TRY(fq_scalar_box_init(&box, dim, levels / 2));
    FQ_TRY(fq_balls_create(&w, 128));
    const fq_status status = ends_of(w, fq_scalar_box_distortion(w, &box), low, high);
    fq_balls_destroy(w);
    return status;
}
