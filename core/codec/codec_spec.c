#include "codec_spec.h"

#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "text_builder.h"

/* b is kept as a whole number of millionths, so that its decimal name is exact. */
#define MILLIONTHS 1e6

typedef struct word_list {
    const char *words[4];
} word_list;

static const word_list rotation_words = {{"haar", "hadamard"}};
static const word_list packing_words = {{"bits", "radix"}};
static const word_list norm_words = {{"input", "ls", "match"}};
static const word_list recipe_words = {{"population", "paper", "initial", "product"}};

/* The grammar's keys in canonical order; key number i is bit 1 << i. */
static const struct key {
    const char *name;
    const char *allowed;
    const word_list *words; /* NULL: a number */
} keys[] = {
    {"k", "a whole number from 1 to 1024", NULL},
    {"N", "a whole number from 1 to 1048576", NULL},
    {"recipe", "population, paper, initial or product", &recipe_words},
    {"b", "a number from 0.25 to 8 with at most six decimals", NULL},
    {"rot", "haar or hadamard", &rotation_words},
    {"pack", "bits or radix", &packing_words},
    {"norm", "input, ls or match", &norm_words},
    {"seed", "a whole number from 0 to 18446744073709551615", NULL},
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static bool is_power_of_two(size_t n) {
    return n > 0 && (n & (n - 1)) == 0;
}

static fq_packing default_packing(const fq_codec_family *family, const fq_codec_spec *spec) {
    const bool whole = !(family->keys & FQ_KEY_CODEWORDS) || is_power_of_two(spec->codewords);
    return whole ? FQ_PACK_BITS : FQ_PACK_RADIX;
}

/* All fields but the family, and but those without a default. */
static void set_defaults(fq_codec_spec *spec) {
    spec->recipe = FQ_RECIPE_POPULATION;
    spec->rotation = FQ_ROTATION_HAAR;
    spec->packing = FQ_PACK_BITS;
    spec->norm = FQ_NORM_INPUT;
    spec->seed = 1;
}

static fq_status fail_key(size_t key, const char *value, size_t length, const char *allowed) {
    char argument[FQ_ERROR_NAME_MAX];
    fq_text text = fq_text_begin(argument, sizeof argument);
    fq_text_add(&text, keys[key].name);
    fq_text_add(&text, "=");
    fq_text_add_span(&text, value, length);
    return FQ_FAIL(FQ_ERR_SPEC, argument, allowed);
}

static fq_status fail_keys_of(const fq_codec_family *family, const char *argument) {
    char allowed[FQ_ERROR_TEXT_MAX];
    fq_text text = fq_text_begin(allowed, sizeof allowed);
    fq_text_add(&text, family->keys ? "a key of " : "no keys, as ");
    fq_text_add(&text, family->name);
    fq_text_add(&text, family->keys ? ", each once:" : " has none");
    for (size_t i = 0; i < KEYS; i++) {
        if (family->keys & 1u << i) {
            fq_text_add(&text, " ");
            fq_text_add(&text, keys[i].name);
        }
    }
    return FQ_FAIL(FQ_ERR_SPEC, argument, allowed);
}

static fq_status fail_family(const char *name) {
    char allowed[FQ_ERROR_TEXT_MAX];
    fq_text text = fq_text_begin(allowed, sizeof allowed);
    fq_text_add(&text, "a codec family:");
    for (size_t i = 0; i < fq_codec_family_count(); i++) {
        fq_text_add(&text, " ");
        fq_text_add(&text, fq_codec_family_name(i));
    }
    return FQ_FAIL(FQ_ERR_SPEC, name, allowed);
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

/* Digits, optionally a point and one to six more. */
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
    *decimal = (double)(units * 1000000 + fraction) / MILLIONTHS;
    return true;
}

static bool read_word(int *number, const word_list *list, const char *from, size_t length) {
    for (int i = 0; i < 4 && list->words[i]; i++) {
        if (strlen(list->words[i]) == length && memcmp(list->words[i], from, length) == 0) {
            *number = i;
            return true;
        }
    }
    return false;
}

static bool bits_in_range(double bits) {
    return bits >= 0.25 && bits <= 8;
}

static fq_status read_value(fq_codec_spec *spec, size_t key, const char *from, size_t length) {
    uint64_t number = 0;
    int word = 0;
    bool good = false;
    if (keys[key].words)
        good = read_word(&word, keys[key].words, from, length);
    else if (1u << key == FQ_KEY_BITS)
        good = read_decimal(&spec->bits, from, length) && bits_in_range(spec->bits);
    else
        good = read_number(&number, from, length);
    switch (1u << key) {
    case FQ_KEY_BLOCK:
        good = good && number >= 1 && number <= FQ_BLOCK_MAX;
        spec->block = (size_t)number;
        break;
    case FQ_KEY_CODEWORDS:
        good = good && number >= 1 && number <= FQ_CODEWORDS_MAX;
        spec->codewords = (size_t)number;
        break;
    case FQ_KEY_RECIPE:
        spec->recipe = (fq_recipe)word;
        break;
    case FQ_KEY_ROTATION:
        spec->rotation = (fq_rotation_kind)word;
        break;
    case FQ_KEY_PACKING:
        spec->packing = (fq_packing)word;
        break;
    case FQ_KEY_NORM:
        spec->norm = (fq_norm_rule)word;
        break;
    case FQ_KEY_SEED:
        spec->seed = number;
        break;
    default:
        break;
    }
    return good ? FQ_OK : fail_key(key, from, length, keys[key].allowed);
}

fq_status fq_codec_spec_parse(fq_codec_spec *spec, const char *text) {
    if (!text)
        return FQ_FAIL(FQ_ERR_SPEC, "codec name", "a name such as fib:k=4,N=256");
    fq_codec_spec made;
    memset(&made, 0, sizeof made);
    set_defaults(&made);
    const char *colon = strchr(text, ':');
    const size_t name_length = colon ? (size_t)(colon - text) : strlen(text);
    char name[FQ_ERROR_NAME_MAX];
    fq_text name_text = fq_text_begin(name, sizeof name);
    fq_text_add_span(&name_text, text, name_length);
    const fq_codec_family *family = name_text.cut ? NULL : fq_codec_family_find(name);
    if (!family)
        return fail_family(name);
    memcpy(made.family, family->name, strlen(family->name) + 1);
    unsigned seen = 0;
    const char *at = colon ? colon + 1 : NULL;
    while (at) {
        const char *comma = strchr(at, ',');
        const size_t length = comma ? (size_t)(comma - at) : strlen(at);
        const char *equals = memchr(at, '=', length);
        char item[FQ_ERROR_NAME_MAX];
        fq_text item_text = fq_text_begin(item, sizeof item);
        fq_text_add_span(&item_text, at, length);
        size_t key = 0;
        while (key < KEYS && !(equals && strlen(keys[key].name) == (size_t)(equals - at) &&
                               memcmp(keys[key].name, at, (size_t)(equals - at)) == 0))
            key++;
        if (key == KEYS || !(family->keys & 1u << key) || (seen & 1u << key))
            return fail_keys_of(family, length ? item : "key");
        seen |= 1u << key;
        FQ_TRY(read_value(&made, key, equals + 1, length - (size_t)(equals + 1 - at)));
        at = comma ? comma + 1 : NULL;
    }
    for (size_t key = 0; key < KEYS; key++) {
        if (family->required & ~seen & 1u << key) {
            char allowed[FQ_ERROR_TEXT_MAX];
            fq_text missing = fq_text_begin(allowed, sizeof allowed);
            fq_text_add(&missing, family->name);
            fq_text_add(&missing, " needs it: ");
            fq_text_add(&missing, keys[key].allowed);
            return FQ_FAIL(FQ_ERR_SPEC, keys[key].name, allowed);
        }
    }
    if (!(seen & FQ_KEY_PACKING))
        made.packing = default_packing(family, &made);
    FQ_TRY(fq_codec_spec_check(&made));
    *spec = made;
    return FQ_OK;
}

fq_status fq_codec_spec_check(const fq_codec_spec *spec) {
    char name[FQ_FAMILY_NAME_MAX];
    memcpy(name, spec->family, sizeof name);
    name[sizeof name - 1] = '\0';
    const fq_codec_family *family = fq_codec_family_find(name);
    if (!family)
        return fail_family(name);
    const unsigned has = family->keys;
    fq_codec_spec standard;
    set_defaults(&standard);
    const struct {
        bool in_range, is_default;
        double value;
    } checks[KEYS] = {
        {spec->block >= 1 && spec->block <= FQ_BLOCK_MAX, spec->block == 0, (double)spec->block},
        {spec->codewords >= 1 && spec->codewords <= FQ_CODEWORDS_MAX, spec->codewords == 0,
         (double)spec->codewords},
        {(unsigned)spec->recipe <= FQ_RECIPE_PRODUCT, spec->recipe == standard.recipe, (double)spec->recipe},
        {bits_in_range(spec->bits) && rint(spec->bits * MILLIONTHS) / MILLIONTHS == spec->bits,
         spec->bits == 0, spec->bits},
        {(unsigned)spec->rotation <= FQ_ROTATION_HADAMARD, spec->rotation == standard.rotation,
         (double)spec->rotation},
        {(unsigned)spec->packing <= FQ_PACK_RADIX, spec->packing == standard.packing, (double)spec->packing},
        {(unsigned)spec->norm <= FQ_NORM_MATCH, spec->norm == standard.norm, (double)spec->norm},
        {true, spec->seed == standard.seed, (double)spec->seed},
    };
    for (size_t key = 0; key < KEYS; key++) {
        if (has & 1u << key) {
            if (!checks[key].in_range)
                return FQ_FAIL_VALUE(FQ_ERR_SPEC, keys[key].name, checks[key].value, keys[key].allowed);
        } else if (!checks[key].is_default) {
            return fail_keys_of(family, keys[key].name);
        }
    }
    if (family->whole_bits && spec->bits != rint(spec->bits))
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "b", spec->bits, "a whole number for this codec");
    return FQ_OK;
}

static void add_decimal(fq_text *text, double decimal) {
    const uint64_t millionths = (uint64_t)llround(decimal * MILLIONTHS);
    uint64_t fraction = millionths % 1000000, place = 100000;
    fq_text_add_number(text, millionths / 1000000);
    if (fraction)
        fq_text_add(text, ".");
    for (; fraction; fraction %= place, place /= 10)
        fq_text_add_number(text, fraction / place);
}

fq_status fq_codec_spec_format(char text[FQ_SPEC_TEXT_MAX], const fq_codec_spec *spec) {
    FQ_TRY(fq_codec_spec_check(spec));
    const fq_codec_family *family = fq_codec_family_find(spec->family);
    fq_codec_spec standard;
    set_defaults(&standard);
    const bool written[KEYS] = {
        true,
        true,
        spec->recipe != standard.recipe,
        true,
        spec->rotation != standard.rotation,
        spec->packing != default_packing(family, spec),
        spec->norm != standard.norm,
        spec->seed != standard.seed,
    };
    const int word[KEYS] = {
        0, 0, (int)spec->recipe, 0, (int)spec->rotation, (int)spec->packing, (int)spec->norm, 0};
    const uint64_t number[KEYS] = {spec->block, spec->codewords, 0, 0, 0, 0, 0, spec->seed};
    fq_text out = fq_text_begin(text, FQ_SPEC_TEXT_MAX);
    fq_text_add(&out, family->name);
    const char *separator = ":";
    for (size_t key = 0; key < KEYS; key++) {
        if (!(family->keys & 1u << key) || !written[key])
            continue;
        fq_text_add(&out, separator);
        fq_text_add(&out, keys[key].name);
        fq_text_add(&out, "=");
        if (keys[key].words)
            fq_text_add(&out, keys[key].words->words[word[key]]);
        else if (1u << key == FQ_KEY_BITS)
            add_decimal(&out, spec->bits);
        else
            fq_text_add_number(&out, number[key]);
        separator = ",";
    }
    return FQ_OK;
}
