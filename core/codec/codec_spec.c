#include "codec_spec.h"

#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "spec_keys.h"

/* The common keys in canonical order; key number i is bit 1 << i of a family's common keys. */
static const char *const rotation_words[] = {"haar", "hadamard", NULL};
static const char *const packing_words[] = {"bits", "radix", NULL};
/* In the order of fq_norm_rule; what comes after its last is another word for one of them. */
static const char *const norm_words[] = {"input", "ls", "match", "unbiased", "gain", NULL};
enum { NORM_WORD_GAIN = FQ_NORM_UNBIASED + 1 };
static const char *const format_words[] = {"16", "8", NULL};
static const fq_codec_key common_keys[] = {
    {.name = "rot", .help = "the random rotation", .type = FQ_TYPE_CHOICE, .words = rotation_words},
    {.name = "pack", .help = "how indices are packed", .type = FQ_TYPE_CHOICE, .words = packing_words},
    {.name = "norm",
     .help =
         "the stored norm: the input's, the gain (ls), what keeps the norm, or the product with the input",
     .type = FQ_TYPE_CHOICE,
     .words = norm_words},
    {.name = "normbits",
     .help = "bits of the stored norm: a half, or a byte on a logarithmic scale",
     .type = FQ_TYPE_CHOICE,
     .words = format_words},
    {.name = "tries",
     .help = "scales of the input tried by the encoder, with any norm but the input's",
     .type = FQ_TYPE_INTEGER,
     .fallback = 1,
     .least = 1,
     .most = FQ_TRIES_MAX},
    {.name = "seed", .help = "of the rotation and of training", .type = FQ_TYPE_SEED, .fallback = 1},
};
enum { COMMON_KEYS = sizeof common_keys / sizeof common_keys[0] };

static size_t own_keys(const fq_codec_family *family) {
    return fq_key_count(family->keys);
}

/* Key number i of the family: own keys, then the common ones that it takes. common: which of these it is, or
 * COMMON_KEYS. */
static const fq_codec_key *key_at(const fq_codec_family *family, size_t i, size_t *common) {
    const size_t own = own_keys(family);
    *common = COMMON_KEYS;
    if (i < own)
        return &family->keys[i];
    size_t left = i - own;
    for (size_t c = 0; c < COMMON_KEYS; c++) {
        if ((family->common & 1u << c) && left-- == 0) {
            *common = c;
            return &common_keys[c];
        }
    }
    return NULL;
}

const fq_codec_key *fq_codec_family_key(size_t family, size_t i) {
    size_t common;
    return family < fq_codec_family_count() ? key_at(fq_codec_family_at(family), i, &common) : NULL;
}

/* The common keys' defaults; the family may change them when its own keys are known. */
static void set_common_defaults(fq_codec_spec *spec, const fq_codec_family *family) {
    spec->rotation = FQ_ROTATION_HAAR;
    spec->packing = FQ_PACK_BITS;
    spec->norm = FQ_NORM_INPUT;
    spec->norm_format = FQ_NORM_HALF;
    spec->tries = 1;
    spec->seed = 1;
    if (family->defaults)
        family->defaults(spec);
}

/* The value of a common key that is a choice or a small number. */
static int common_value(const fq_codec_spec *spec, size_t common) {
    switch (1u << common) {
    case FQ_KEY_ROTATION:
        return (int)spec->rotation;
    case FQ_KEY_PACKING:
        return (int)spec->packing;
    case FQ_KEY_NORM:
        return (int)spec->norm;
    case FQ_KEY_NORM_BITS:
        return (int)spec->norm_format;
    case FQ_KEY_TRIES:
        return (int)spec->tries;
    default:
        return 0;
    }
}

static void set_common_value(fq_codec_spec *spec, size_t common, int value) {
    switch (1u << common) {
    case FQ_KEY_ROTATION:
        spec->rotation = (fq_rotation_kind)value;
        break;
    case FQ_KEY_PACKING:
        spec->packing = (fq_packing)value;
        break;
    case FQ_KEY_NORM:
        spec->norm = value == NORM_WORD_GAIN ? FQ_NORM_LS : (fq_norm_rule)value;
        break;
    case FQ_KEY_TRIES:
        spec->tries = (unsigned)value;
        break;
    case FQ_KEY_NORM_BITS:
        spec->norm_format = (fq_norm_format)value;
        break;
    default:
        break;
    }
}

double fq_codec_family_key_default(size_t family, size_t i) {
    size_t common = COMMON_KEYS;
    const fq_codec_family *of = family < fq_codec_family_count() ? fq_codec_family_at(family) : NULL;
    const fq_codec_key *key = of ? key_at(of, i, &common) : NULL;
    if (!key || key->required || key->fallback_of || key->type == FQ_TYPE_SEED)
        return (double)NAN;
    if (common == COMMON_KEYS)
        return key->fallback;
    fq_codec_spec spec = {0};
    set_common_defaults(&spec, of);
    return common_value(&spec, common);
}

static fq_status fail_keys_of(const fq_codec_family *family, const char *argument) {
    char allowed[FQ_ERROR_TEXT_MAX];
    fq_text text = fq_text_begin(allowed, sizeof allowed);
    size_t common;
    const bool any = key_at(family, 0, &common) != NULL;
    fq_text_add(&text, any ? "a key of " : "no keys, as ");
    fq_text_add(&text, family->name);
    fq_text_add(&text, any ? ", each once:" : " has none");
    for (size_t i = 0; key_at(family, i, &common); i++) {
        fq_text_add(&text, " ");
        fq_text_add(&text, key_at(family, i, &common)->name);
    }
    return FQ_FAIL(FQ_ERR_SPEC, argument, allowed);
}

static fq_status fail_missing(const fq_codec_family *family, const fq_codec_key *key) {
    char allowed[FQ_ERROR_TEXT_MAX], values[FQ_ERROR_TEXT_MAX];
    fq_text text = fq_text_begin(allowed, sizeof allowed);
    fq_codec_key_allowed(values, key);
    fq_text_add(&text, family->name);
    fq_text_add(&text, " needs it: ");
    fq_text_add(&text, values);
    return FQ_FAIL(FQ_ERR_SPEC, key->name, allowed);
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

/* Value length characters long of key number i, which is that common one or one of the family's own. */
static fq_status read_value(fq_codec_spec *spec, const fq_codec_key *key, size_t i, size_t common,
                            const char *from, size_t length) {
    double value = 0;
    uint64_t seed = 0;
    FQ_TRY(fq_key_read(&value, &seed, key, from, length));
    if (common == COMMON_KEYS)
        spec->value[i] = value;
    else if (key->type == FQ_TYPE_SEED)
        spec->seed = seed;
    else
        set_common_value(spec, common, (int)value);
    return FQ_OK;
}

/* key=value: a part of a name. */
typedef struct item {
    const char *name, *value;
    size_t name_length, value_length;
    size_t key, common; /* of the family */
} item;

enum { ITEMS_MAX = FQ_SPEC_VALUES_MAX + COMMON_KEYS };

/* Cuts key=value,key=value... into items, each a key of the family and none twice. */
static fq_status read_items(item items[ITEMS_MAX], size_t *count, const fq_codec_family *family,
                            const char *at) {
    *count = 0;
    while (at) {
        const char *comma = strchr(at, ',');
        const size_t length = comma ? (size_t)(comma - at) : strlen(at);
        const char *equals = memchr(at, '=', length);
        const size_t name_length = equals ? (size_t)(equals - at) : 0;
        char whole[FQ_ERROR_NAME_MAX];
        fq_text text = fq_text_begin(whole, sizeof whole);
        fq_text_add_span(&text, at, length);
        item found = {.name = at, .name_length = name_length};
        const fq_codec_key *key;
        while ((key = key_at(family, found.key, &found.common)) &&
               !(equals && strlen(key->name) == name_length && memcmp(key->name, at, name_length) == 0))
            found.key++;
        bool seen = false;
        for (size_t i = 0; i < *count; i++)
            seen = seen || items[i].key == found.key;
        if (!key || seen)
            return fail_keys_of(family, length ? whole : "key");
        found.value = equals + 1;
        found.value_length = length - name_length - 1;
        items[(*count)++] = found;
        at = comma ? comma + 1 : NULL;
    }
    return FQ_OK;
}

/* The family's own keys first, since the common ones' defaults may depend on them. */
static fq_status set_values(fq_codec_spec *spec, const fq_codec_family *family, const item *items,
                            size_t count) {
    size_t common;
    for (size_t i = 0; i < own_keys(family); i++) {
        const fq_codec_key *key = &family->keys[i];
        size_t given = 0;
        while (given < count && items[given].key != i)
            given++;
        if (given < count)
            FQ_TRY(read_value(spec, key, i, COMMON_KEYS, items[given].value, items[given].value_length));
        else if (key->required)
            return fail_missing(family, key);
        else
            spec->value[i] = fq_key_fallback(key, spec->value);
    }
    set_common_defaults(spec, family);
    for (size_t i = 0; i < count; i++) {
        const fq_codec_key *key = key_at(family, items[i].key, &common);
        if (common < COMMON_KEYS)
            FQ_TRY(read_value(spec, key, 0, common, items[i].value, items[i].value_length));
    }
    return FQ_OK;
}

fq_status fq_codec_spec_parse(fq_codec_spec *spec, const char *text) {
    if (!text)
        return FQ_FAIL(FQ_ERR_SPEC, "codec name", "a name such as fib:k=4,N=256");
    fq_codec_spec made;
    memset(&made, 0, sizeof made);
    const char *colon = strchr(text, ':');
    const size_t name_length = colon ? (size_t)(colon - text) : strlen(text);
    char name[FQ_ERROR_NAME_MAX];
    fq_text name_text = fq_text_begin(name, sizeof name);
    fq_text_add_span(&name_text, text, name_length);
    const fq_codec_family *family = name_text.cut ? NULL : fq_codec_family_find(name);
    if (!family)
        return fail_family(name);
    memcpy(made.family, family->name, strlen(family->name) + 1);
    item items[ITEMS_MAX];
    size_t count = 0;
    FQ_TRY(read_items(items, &count, family, colon ? colon + 1 : NULL));
    FQ_TRY(set_values(&made, family, items, count));
    FQ_TRY(fq_codec_spec_check(&made));
    *spec = made;
    return FQ_OK;
}

fq_status fq_codec_spec_check(const fq_codec_spec *spec) {
    char name[FQ_FAMILY_NAME_MAX], allowed[FQ_ERROR_TEXT_MAX];
    memcpy(name, spec->family, sizeof name);
    name[sizeof name - 1] = '\0';
    const fq_codec_family *family = fq_codec_family_find(name);
    if (!family)
        return fail_family(name);
    const size_t own = own_keys(family);
    for (size_t i = 0; i < FQ_SPEC_VALUES_MAX; i++) {
        if (i >= own && spec->value[i] != 0)
            return fail_keys_of(family, "value");
        if (i < own && !fq_key_in_range(&family->keys[i], spec->value[i])) {
            fq_codec_key_allowed(allowed, &family->keys[i]);
            return FQ_FAIL_VALUE(FQ_ERR_SPEC, family->keys[i].name, spec->value[i], allowed);
        }
    }
    fq_codec_spec standard = *spec;
    set_common_defaults(&standard, family);
    for (size_t c = 0; c < COMMON_KEYS; c++) {
        const fq_codec_key *key = &common_keys[c];
        const int value = common_value(spec, c);
        const bool is_default =
            key->type == FQ_TYPE_SEED ? spec->seed == standard.seed : value == common_value(&standard, c);
        if (!(family->common & 1u << c) && !is_default)
            return fail_keys_of(family, key->name);
        if (!fq_key_in_range(key, value) || (1u << c == FQ_KEY_NORM && value == NORM_WORD_GAIN)) {
            fq_codec_key_allowed(allowed, key);
            return FQ_FAIL_VALUE(FQ_ERR_SPEC, key->name, value, allowed);
        }
    }
    if (spec->norm == FQ_NORM_INPUT && spec->tries > 1)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, "tries", spec->tries,
                             "1 with norm=input, whose nearest code one try finds");
    return FQ_OK;
}

static void add_key(fq_text *text, const char **separator, const fq_codec_key *key) {
    fq_text_add(text, *separator);
    fq_text_add(text, key->name);
    fq_text_add(text, "=");
    *separator = ",";
}

fq_status fq_codec_spec_format(char text[FQ_SPEC_TEXT_MAX], const fq_codec_spec *spec) {
    FQ_TRY(fq_codec_spec_check(spec));
    const fq_codec_family *family = fq_codec_family_find(spec->family);
    fq_codec_spec standard = *spec;
    set_common_defaults(&standard, family);
    fq_text out = fq_text_begin(text, FQ_SPEC_TEXT_MAX);
    fq_text_add(&out, family->name);
    const char *separator = ":";
    for (size_t i = 0; i < own_keys(family); i++) {
        const fq_codec_key *key = &family->keys[i];
        if (!key->required && spec->value[i] == fq_key_fallback(key, spec->value))
            continue;
        add_key(&out, &separator, key);
        fq_key_write(&out, key, spec->value[i]);
    }
    for (size_t c = 0; c < COMMON_KEYS; c++) {
        const fq_codec_key *key = &common_keys[c];
        const bool is_seed = key->type == FQ_TYPE_SEED;
        if (is_seed ? spec->seed == standard.seed : common_value(spec, c) == common_value(&standard, c))
            continue;
        add_key(&out, &separator, key);
        if (is_seed)
            fq_text_add_number(&out, spec->seed);
        else if (key->type == FQ_TYPE_CHOICE)
            fq_text_add(&out, key->words[common_value(spec, c)]);
        else
            fq_text_add_number(&out, (uint64_t)common_value(spec, c));
    }
    return out.cut ? FQ_FAIL(FQ_ERR_SPEC, "codec name", "names of up to 159 characters") : FQ_OK;
}

double fq_codec_spec_value(const fq_codec_spec *spec, const char *key, double otherwise) {
    const fq_codec_family *family = fq_codec_family_find(spec->family);
    for (size_t i = 0; family && i < own_keys(family); i++)
        if (strcmp(family->keys[i].name, key) == 0)
            return spec->value[i];
    return otherwise;
}
