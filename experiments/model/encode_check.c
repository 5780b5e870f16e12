#include "encode_check.h"

#include <math.h>
#include <stdio.h>

#include "failure.h"
#include "memory.h"

fq_status fq_encode_explain(fq_status status, const fq_codec *codec, const float *x, size_t n, size_t first,
                            const char *where, const char *name) {
    const fq_codec_cost cost = fq_codec_get_cost(codec);
    char line[FQ_FAILURE_LINE_MAX];
    uint8_t *code = NULL;
    if (status != FQ_ERR_RANGE && status != FQ_ERR_NONFINITE)
        return status;
    fq_failure_line(line, fq_error_last());
    size_t i = n;
    if (fq_alloc(&code, cost.code_bytes, 1) == FQ_OK)
        for (i = 0; i < n && fq_codec_encode(codec, code, x + i * cost.dim, 1) == FQ_OK;)
            i++;
    fq_free(code);
    if (i == n)
        return FQ_FAIL_TEXT(status, "%s: %.500s", where, line);
    fq_failure_line(line, fq_error_last());
    return FQ_FAIL_TEXT(status, "%s %s %zu: %.500s", where, name, first + i, line);
}

/* Whether a vector's norm may round to zero where it is stored, in 16 bits or in 8: above 2^-11 it does not.
 */
static bool is_small(const float *x, size_t dim) {
    double square = 0.0;
    for (size_t c = 0; c < dim; c++)
        square += (double)x[c] * (double)x[c];
    return square > 0.0 && square < 0x1p-22;
}

fq_status fq_encode_vanished(const fq_codec *codec, const float *x, const uint8_t *codes, size_t n,
                             size_t *count, size_t *first) {
    const fq_codec_cost cost = fq_codec_get_cost(codec);
    float *decoded = NULL;
    *count = *first = 0;
    FQ_TRY(fq_alloc(&decoded, cost.dim, sizeof *decoded));
    fq_status status = FQ_OK;
    for (size_t i = 0; i < n && status == FQ_OK; i++) {
        if (!is_small(x + i * cost.dim, cost.dim))
            continue;
        status = fq_codec_decode(codec, decoded, codes + i * cost.code_bytes, 1);
        size_t c = 0;
        while (c < cost.dim && fpclassify(decoded[c]) == FP_ZERO)
            c++;
        if (status == FQ_OK && c == cost.dim && (*count)++ == 0)
            *first = i;
    }
    fq_free(decoded);
    return status;
}
