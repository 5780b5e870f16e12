#include "spec_keys.h"

#include <math.h>
#include <string.h>

size_t fq_key_count(const fq_codec_key *keys) {
    size_t count = 0;
    while (keys && keys[count].name)
        count++;
    return count;
}

void fq_codec_key_allowed(char allowed[FQ_ERROR_TEXT_MAX], const fq_codec_key *key) {
    fq_text text = fq_text_begin(allowed, FQ_ERROR_TEXT_MAX);
    switch (key->type) {
    case FQ_TYPE_INTEGER:
    case FQ_TYPE_REAL:
        fq_text_add(&text, key->type == FQ_TYPE_INTEGER ? "a whole number from " : "a number from ");
        fq_text_add_decimal(&text, key->least);
        fq_text_add(&text, " to ");
        fq_text_add_decimal(&text, key->most);
        fq_text_add(&text, key->type == FQ_TYPE_INTEGER ? "" : " with at most six decimals");
        break;
    case FQ_TYPE_CHOICE:
        for (size_t i = 0; key->words[i]; i++) {
            fq_text_add(&text, i == 0 ? "" : key->words[i + 1] ? ", " : " or ");
            fq_text_add(&text, key->words[i]);
        }
        break;
    case FQ_TYPE_SEED:
        fq_text_add(&text, "a whole number from 0 to 18446744073709551615");
        break;
    }
}

static size_t words_of(const fq_codec_key *key) {
    size_t count = 0;
    while (key->words[count])
        count++;
    return count;
}

static fq_status fail_key(const fq_codec_key *key, const char *value, size_t length) {
    char argument[FQ_ERROR_NAME_MAX], allowed[FQ_ERROR_TEXT_MAX];
    fq_text text = fq_text_begin(argument, sizeof argument);
    fq_text_add(&text, key->name);
    fq_text_add(&text, "=");
    fq_text_add_span(&text, value, length);
    fq_codec_key_allowed(allowed, key);
    return FQ_FAIL(FQ_ERR_SPEC, argument, allowed);
}

/* Digits only, no sign, no overflow. */
static bool read_number(uint64_t *number, const char *from, size_t length) {
    uint64_t value = 0;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (from[i] < '0' || from[i] > '9')
            return false;
        const uint64_t digit = (uint64_t)(from[i] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *number = value;
    return true;
}

/* Digits, optionally a point and one to six more: a whole number of millionths, so that the decimal name of a
 * value is exact. */
static bool read_decimal(double *decimal, const char *from, size_t length) {
    size_t whole = 0;
    while (whole < length && from[whole] != '.')
        whole++;
    uint64_t units = 0, fraction = 0;
    if (whole > 6 || !read_number(&units, from, whole))
        return false;
    if (whole < length) {
        const size_t places = length - whole - 1;
        if (places > 6 || !read_number(&fraction, from + whole + 1, places))
            return false;
        for (size_t i = places; i < 6; i++)
            fraction *= 10;
    }
    *decimal = (double)(units * 1000000 + fraction) / FQ_MILLIONTHS;
    return true;
}

static bool read_word(int *number, const char *const *words, const char *from, size_t length) {
    for (int i = 0; words[i]; i++) {
        if (strlen(words[i]) == length && memcmp(words[i], from, length) == 0) {
            *number = i;
            return true;
        }
    }
    return false;
}

double fq_key_fallback(const fq_codec_key *key, const double *value) {
    return key->fallback_of ? key->fallback_of(value) : key->fallback;
}

bool fq_key_in_range(const fq_codec_key *key, double value) {
    switch (key->type) {
    case FQ_TYPE_INTEGER:
        return value >= key->least && value <= key->most && value == rint(value);
    case FQ_TYPE_REAL:
        return value >= key->least && value <= key->most &&
               rint(value * FQ_MILLIONTHS) / FQ_MILLIONTHS == value;
    case FQ_TYPE_CHOICE:
        return value >= 0 && value < (double)words_of(key) && value == rint(value);
    case FQ_TYPE_SEED:
        return true;
    }
    return false;
}

fq_status fq_key_read(double *value, uint64_t *seed, const fq_codec_key *key, const char *from,
                      size_t length) {
    uint64_t number = 0;
    double read = 0;
    int word = 0;
    bool good = false;
    switch (key->type) {
    case FQ_TYPE_INTEGER:
        good = read_number(&number, from, length);
        read = (double)number;
        break;
    case FQ_TYPE_REAL:
        good = read_decimal(&read, from, length);
        break;
    case FQ_TYPE_CHOICE:
        good = read_word(&word, key->words, from, length);
        read = word;
        break;
    case FQ_TYPE_SEED:
        good = read_number(&number, from, length);
        break;
    }
    if (!good || !fq_key_in_range(key, read))
        return fail_key(key, from, length);
    *value = read;
    if (key->type == FQ_TYPE_SEED)
        *seed = number;
    return FQ_OK;
}

void fq_key_write(fq_text *text, const fq_codec_key *key, double value) {
    if (key->type == FQ_TYPE_CHOICE)
        fq_text_add(text, key->words[(size_t)value]);
    else
        fq_text_add_decimal(text, value);
}

static fq_status fail_item(const fq_codec_key *keys, const char *owner, const char *at, size_t length) {
    char whole[FQ_ERROR_NAME_MAX], allowed[FQ_ERROR_TEXT_MAX];
    fq_text item = fq_text_begin(whole, sizeof whole), text = fq_text_begin(allowed, sizeof allowed);
    fq_text_add_span(&item, at, length);
    fq_text_add(&text, fq_key_count(keys) ? "a key of " : "no keys, as ");
    fq_text_add(&text, owner);
    fq_text_add(&text, fq_key_count(keys) ? ", each once:" : " has none");
    for (size_t i = 0; i < fq_key_count(keys); i++) {
        fq_text_add(&text, " ");
        fq_text_add(&text, keys[i].name);
    }
    return FQ_FAIL(FQ_ERR_SPEC, length ? whole : "key", allowed);
}

fq_status fq_keys_read(double *value, const fq_codec_key *keys, const char *owner, const char *at,
                       size_t length) {
    const size_t count = fq_key_count(keys);
    bool seen[FQ_SPEC_VALUES_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        value[i] = fq_key_fallback(&keys[i], value);
    while (at) {
        const char *comma = memchr(at, ',', length);
        const size_t item = comma ? (size_t)(comma - at) : length;
        const char *equals = memchr(at, '=', item);
        const size_t name = equals ? (size_t)(equals - at) : 0;
        size_t key = 0;
        while (key < count &&
               !(equals && strlen(keys[key].name) == name && memcmp(keys[key].name, at, name) == 0))
            key++;
        if (key == count || seen[key])
            return fail_item(keys, owner, at, item);
        seen[key] = true;
        FQ_TRY(fq_key_read(&value[key], NULL, &keys[key], equals + 1, item - name - 1));
        length -= comma ? item + 1 : item;
        at = comma ? comma + 1 : NULL;
    }
    for (size_t i = 0; i < count; i++)
        if (keys[i].required && !seen[i])
            return fail_item(keys, owner, "", 0);
    return FQ_OK;
}

void fq_keys_write(fq_text *text, const double *value, const fq_codec_key *keys) {
    const char *separator = ":";
    for (size_t i = 0; i < fq_key_count(keys); i++) {
        if (!keys[i].required && value[i] == fq_key_fallback(&keys[i], value))
            continue;
        fq_text_add(text, separator);
        fq_text_add(text, keys[i].name);
        fq_text_add(text, "=");
        fq_key_write(text, &keys[i], value[i]);
        separator = ",";
    }
}
