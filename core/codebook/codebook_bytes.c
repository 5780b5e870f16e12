#include "codebook_bytes.h"

#include <math.h>
#include <string.h>

#include "memory.h"
#include "size_limits.h"

static const char first_line[] = "fibquant codebook 1\n";

/* A line of the header: its key and value, not terminated. */
typedef struct line {
    const char *key, *value;
    size_t key_length, value_length;
} line;

/* What a header says; whole numbers, real numbers, and which of them stood there. */
typedef struct header {
    uint64_t dim, block, codewords, seed, distortion_samples, data;
    double distortion, distortion_se;
    fq_codebook_certificate certificate;
    fq_recipe recipe;
    size_t length;
} header;

/* The line at *at of text[length], of which *at then is the end; false if it is none. */
static bool read_line(line *l, const char *text, size_t length, size_t *at) {
    const char *const end = memchr(text + *at, '\n', length - *at);
    const char *const space = end ? memchr(text + *at, ' ', (size_t)(end - text) - *at) : NULL;
    if (!space || space == text + *at || space + 1 == end)
        return false;
    l->key = text + *at;
    l->key_length = (size_t)(space - l->key);
    l->value = space + 1;
    l->value_length = (size_t)(end - l->value);
    *at = (size_t)(end - text) + 1;
    return true;
}

static bool is_key(const line *l, const char *key) {
    return strlen(key) == l->key_length && memcmp(key, l->key, l->key_length) == 0;
}

static bool whole(uint64_t *number, const line *l) {
    uint64_t sum = 0;
    for (size_t i = 0; i < l->value_length; i++) {
        const unsigned digit = (unsigned)((unsigned char)l->value[i] - '0');
        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = 10 * sum + digit;
    }
    *number = sum;
    return l->value_length > 0;
}

/* A decimal of at most 15 digits whose power of ten is at most 22 either way, or nan: then one product or
 * quotient of two exact doubles, which is the nearest one (W. Clinger, PLDI 1990). */
static bool decimal(double *number, const line *l) {
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    uint64_t digits = 0;
    size_t i = 0;
    int power = 0, count = 0;
    bool point = false;
    if (l->value_length == 3 && memcmp(l->value, "nan", 3) == 0) {
        *number = (double)NAN;
        return true;
    }
    for (; i < l->value_length && (l->value[i] == '.' || (l->value[i] >= '0' && l->value[i] <= '9')); i++) {
        if (l->value[i] == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        digits = 10 * digits + (uint64_t)(l->value[i] - '0');
        count += digits > 0 || count > 0;
        power -= point;
        if (count > 15)
            return false;
    }
    if (i == (size_t)point)
        return false;
    if (i < l->value_length) {
        const size_t sign = i + 1 < l->value_length && (l->value[i + 1] == '-' || l->value[i + 1] == '+');
        const line exponent = {.value = l->value + i + 1 + sign,
                               .value_length = l->value_length - i - 1 - sign};
        uint64_t given = 0;
        if (l->value[i] != 'e' || !whole(&given, &exponent) || given > 40)
            return false;
        power += sign && l->value[i + 1] == '-' ? -(int)given : (int)given;
    }
    if (power < -22 || power > 22)
        return false;
    *number = power < 0 ? (double)digits / tens[-power] : (double)digits * tens[power];
    return true;
}

/* A key's value into the header; true for keys of others. */
static bool take(header *h, const line *l) {
    const struct {
        const char *key;
        uint64_t *to;
    } numbers[] = {{"dim", &h->dim},
                   {"block", &h->block},
                   {"codewords", &h->codewords},
                   {"seed", &h->seed},
                   {"distortion_samples", &h->distortion_samples},
                   {"certified_parts", &h->certificate.parts},
                   {"data", &h->data}};
    const struct {
        const char *key;
        double *to;
    } reals[] = {{"distortion", &h->distortion},
                 {"distortion_se", &h->distortion_se},
                 {"certified_low", &h->certificate.low},
                 {"certified_high", &h->certificate.high}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (is_key(l, numbers[i].key))
            return whole(numbers[i].to, l);
    for (size_t i = 0; i < sizeof reals / sizeof reals[0]; i++)
        if (is_key(l, reals[i].key))
            return decimal(reals[i].to, l);
    for (unsigned recipe = 0; is_key(l, "recipe"); recipe++) {
        const char *const name = fq_recipe_name((fq_recipe)recipe);
        if (!name)
            return false;
        h->recipe = (fq_recipe)recipe;
        if (strlen(name) == l->value_length && memcmp(name, l->value, l->value_length) == 0)
            return true;
    }
    return true;
}

static fq_status read_header(header *h, const uint8_t *bytes, size_t length) {
    const char *const text = (const char *)bytes;
    const size_t most = length < FQ_CODEBOOK_HEADER_MAX ? length : FQ_CODEBOOK_HEADER_MAX;
    size_t at = sizeof first_line - 1;
    if (length < at || memcmp(bytes, first_line, at) != 0)
        return FQ_FAIL(FQ_ERR_CORRUPT, "header", "\"fibquant codebook 1\" in the first line");
    *h = (header){.distortion = (double)NAN,
                  .distortion_se = (double)NAN,
                  .certificate = {.low = (double)NAN, .high = (double)NAN}};
    for (line l; read_line(&l, text, most, &at);) {
        if (!take(h, &l)) {
            char key[FQ_ERROR_NAME_MAX];
            const size_t n = l.key_length < sizeof key ? l.key_length : sizeof key - 1;
            memcpy(key, l.key, n);
            key[n] = '\0';
            return FQ_FAIL(FQ_ERR_CORRUPT, key, "a number of the key's kind, or a recipe's name");
        }
        if (is_key(&l, "data")) {
            h->length = at;
            return FQ_OK;
        }
    }
    return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "header", at,
                         "lines \"key value\" up to \"data BYTES\"; the value is an offset");
}

static float little_endian(const uint8_t *bytes) {
    const uint32_t bits =
        (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

fq_status fq_codebook_from_bytes(fq_codebook *codebook, const uint8_t *bytes, size_t length) {
    header h;
    FQ_TRY(read_header(&h, bytes, length));
    if (h.dim < 2 || h.dim > FQ_DIM_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "dim", h.dim, "2 to 16384");
    if (h.block < 1 || h.block > h.dim || h.block > FQ_BLOCK_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "block", h.block, "1 to dim, at most 1024");
    if (h.codewords < 1 || h.codewords > FQ_CODEWORDS_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "codewords", h.codewords, "1 to 1048576");
    const size_t count = (size_t)h.block * (size_t)h.codewords;
    if (h.data != 4 * count)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "data", h.data, "4 block codewords");
    if (length - h.length != h.data)
        return FQ_FAIL_VALUE(FQ_ERR_CORRUPT, "data", length - h.length, "as many bytes as its line says");
    float *words = NULL;
    FQ_TRY(fq_alloc(&words, count, sizeof *words));
    for (size_t i = 0; i < count; i++)
        words[i] = little_endian(bytes + h.length + 4 * i);
    const fq_status status = fq_codebook_set(codebook, (size_t)h.dim, (size_t)h.block, (size_t)h.codewords,
                                             words, h.recipe, h.seed);
    fq_free(words);
    if (status != FQ_OK)
        return status;
    codebook->distortion = h.distortion;
    codebook->distortion_se = h.distortion_se;
    codebook->distortion_samples = h.distortion_samples;
    codebook->certificate = h.certificate;
    return FQ_OK;
}
