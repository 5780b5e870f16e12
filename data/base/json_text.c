#include "json_text.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "memory.h"

/* Deepest nesting outside strings; a text that is no JSON gives some number, and the parser refuses it. */
static size_t nesting(const unsigned char *bytes, size_t size, size_t *where) {
    size_t depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (in_string) {
            if (bytes[i] == '\\')
                i++;
            else if (bytes[i] == '"')
                in_string = false;
        } else if (bytes[i] == '"') {
            in_string = true;
        } else if (bytes[i] == '{' || bytes[i] == '[') {
            if (++depth > deepest) {
                deepest = depth;
                *where = i;
            }
        } else if ((bytes[i] == '}' || bytes[i] == ']') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

/* Writes the whole number of n >= 19 digits at digits as a real of as many characters: "d.ddd...e(n-1)". */
static void write_as_real(unsigned char *digits, size_t n) {
    char exponent[24];
    const int length = snprintf(exponent, sizeof exponent, "e%zu", n - 1);
    memmove(digits + 2, digits + 1, n - 2 - (size_t)length);
    digits[1] = '.';
    memcpy(digits + n - (size_t)length, exponent, (size_t)length);
}

/* Turns whole numbers beyond 64 bits, which jansson refuses, into reals in place; every byte offset stays.
 * Other programs write such numbers for "no limit". */
static void whole_numbers_to_reals(unsigned char *bytes, size_t size) {
    enum { ALWAYS_FITS = 18 };
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"')
            in_string = !in_string;
        else if (in_string && bytes[i] == '\\')
            i++;
        if (in_string || !isdigit(bytes[i]))
            continue;
        size_t end = i;
        bool whole = true;
        for (; end < size && (isalnum(bytes[end]) || strchr(".+-", bytes[end]) != NULL) && bytes[end]; end++)
            whole = whole && isdigit(bytes[end]);
        if (whole && end - i > ALWAYS_FITS) {
            errno = 0;
            char number[24] = "";
            memcpy(number, bytes + i, end - i < sizeof number - 1 ? end - i : sizeof number - 1);
            (void)strtoll(number, NULL, 10);
            if (errno == ERANGE)
                write_as_real(bytes + i, end - i);
        }
        i = end - 1;
    }
}

/* Parses again what failed for a number too large. NULL if it fails still, or memory runs out. */
static json_t *parse_large_numbers(const unsigned char *bytes, size_t size, size_t flags,
                                   json_error_t *error) {
    unsigned char *copy = NULL;
    if (fq_alloc(&copy, size, 1) != FQ_OK)
        return NULL;
    memcpy(copy, bytes, size);
    whole_numbers_to_reals(copy, size);
    json_t *value = json_loadb((const char *)copy, size, flags, error);
    fq_free(copy);
    return value;
}

fq_status fq_json_parse(json_t **out, const char *file, const unsigned char *bytes, size_t size,
                        size_t offset, size_t most) {
    if (size > most)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: JSON of %zu bytes; allowed: %zu", file, offset, size,
                            most);
    size_t where = 0;
    if (nesting(bytes, size, &where) > FQ_JSON_MAX_DEPTH)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: JSON nested deeper than %d", file, offset + where,
                            FQ_JSON_MAX_DEPTH);
    json_error_t error;
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
    json_t *value = json_loadb(size ? (const char *)bytes : "", size, flags, &error);
    if (!value && json_error_code(&error) == json_error_numeric_overflow)
        value = parse_large_numbers(bytes, size, flags, &error);
    if (!value)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: JSON: %s", file,
                            offset + (error.position > 0 ? (size_t)error.position : 0), error.text);
    if (!json_is_object(value)) {
        json_decref(value);
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: byte %zu: JSON: not an object", file, offset);
    }
    *out = value;
    return FQ_OK;
}

size_t fq_json_find_key(const unsigned char *bytes, size_t size, const char *key) {
    const size_t length = strlen(key);
    for (size_t i = 0; i + length + 2 <= size; i++) {
        const unsigned char *quote = memchr(bytes + i, '"', size - i);
        if (!quote)
            break;
        i = (size_t)(quote - bytes);
        if (i + length + 2 <= size && memcmp(quote + 1, key, length) == 0 && quote[length + 1] == '"')
            return i;
    }
    return size;
}

static fq_status find(const json_t *object, const char *file, const char *key, bool *found,
                      const json_t **out) {
    *out = json_object_get(object, key);
    if (json_is_null(*out))
        *out = NULL;
    if (found)
        *found = *out != NULL;
    else if (!*out)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: the key %s is missing", file, key);
    return FQ_OK;
}

fq_status fq_json_get_size(const json_t *object, const char *file, const char *key, size_t least, size_t most,
                           size_t *out, bool *found) {
    const json_t *value = NULL;
    FQ_TRY(find(object, file, key, found, &value));
    if (!value)
        return FQ_OK;
    const json_int_t number = json_integer_value(value);
    if (json_is_real(value))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: is %.17g; allowed: whole numbers %zu to %zu", file, key,
                            json_real_value(value), least, most);
    if (!json_is_integer(value) || number < 0 || (uint64_t)number < least || (uint64_t)number > most)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: is %lld%s; allowed: whole numbers %zu to %zu", file, key,
                            (long long)number, json_is_integer(value) ? "" : " or no number", least, most);
    *out = (size_t)number;
    return FQ_OK;
}

fq_status fq_json_get_real(const json_t *object, const char *file, const char *key, double least, double most,
                           double *out, bool *found) {
    const json_t *value = NULL;
    FQ_TRY(find(object, file, key, found, &value));
    if (!value)
        return FQ_OK;
    const double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= least && number <= most))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: is %g%s; allowed: %g to %g", file, key, number,
                            json_is_number(value) ? "" : " or no number", least, most);
    *out = number;
    return FQ_OK;
}

fq_status fq_json_get_bool(const json_t *object, const char *file, const char *key, bool *out, bool *found) {
    const json_t *value = NULL;
    FQ_TRY(find(object, file, key, found, &value));
    if (!value)
        return FQ_OK;
    if (!json_is_boolean(value))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: allowed: true, false", file, key);
    *out = json_is_true(value);
    return FQ_OK;
}

fq_status fq_json_get_text(const json_t *object, const char *file, const char *key, const char **out,
                           bool *found) {
    const json_t *value = NULL;
    FQ_TRY(find(object, file, key, found, &value));
    if (!value)
        return FQ_OK;
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: %s: allowed: a text without zero characters", file, key);
    *out = json_string_value(value);
    return FQ_OK;
}
