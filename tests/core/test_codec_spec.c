#include <math.h>
#include <string.h>

#include "check.h"
#include "codec.h"
#include "codec_spec.h"
#include "stream.h"

static void names_are_read(void) {
    fq_codec_spec spec;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "tq:b=2"));
    FQ_CHECK(strcmp(spec.family, "tq") == 0 && spec.value[0] == 2 && spec.value[1] == 0);
    FQ_CHECK(spec.rotation == FQ_ROTATION_HAAR && spec.packing == FQ_PACK_BITS);
    FQ_CHECK(spec.norm == FQ_NORM_INPUT && spec.seed == 1);
    FQ_CHECK_OK(fq_codec_spec_parse(
        &spec, "tq:seed=18446744073709551615,norm=match,pack=radix,rot=hadamard,b=2.500001"));
    FQ_CHECK(spec.value[0] == 2.500001 && spec.rotation == FQ_ROTATION_HADAMARD);
    FQ_CHECK(spec.packing == FQ_PACK_RADIX && spec.norm == FQ_NORM_MATCH);
    FQ_CHECK(spec.seed == UINT64_MAX);
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "fp16"));
    FQ_CHECK(strcmp(spec.family, "fp16") == 0 && spec.value[0] == 0);
}

/* The name comes back as the one canonical form. */
static void names_have_one_form(void) {
    const char *const pairs[][2] = {
        {"tq:b=2", "tq:b=2"},
        {"tq:b=02.50", "tq:b=2.5"},
        {"tq:b=0.25", "tq:b=0.25"},
        {"tq:b=1.000001", "tq:b=1.000001"},
        {"tq:seed=1,b=3,norm=input,rot=haar,pack=bits", "tq:b=3"},
        {"tq:seed=007,norm=ls,pack=radix,rot=hadamard,b=8", "tq:b=8,rot=hadamard,pack=radix,norm=ls,seed=7"},
        {"tq:b=2,norm=gain", "tq:b=2,norm=ls"},
        {"tq:tries=8,norm=unbiased,b=2", "tq:b=2,norm=unbiased,tries=8"},
        {"trellis:b=2,window=10,labels=7,search=passes,tries=4,norm=gain", "trellis:b=2"},
        {"trellis:tries=1,norm=input,b=4,labels=8", "trellis:b=4,norm=input,tries=1"},
        {"trellis:b=4,labels=7,window=12", "trellis:b=4,labels=7"},
        {"trellis:b=4,window=10", "trellis:b=4,window=10"},
        {"trellis:b=2.5,window=12,labels=8", "trellis:b=2.5"},
        {"trellis:b=5,window=10", "trellis:b=5"},
        {"fp16", "fp16"},
        {"fib:k=4,N=256", "fib:k=4,N=256"},
        {"fib:N=256,k=4,pack=bits,recipe=population", "fib:k=4,N=256"},
        {"fib:N=100,k=3", "fib:k=3,N=100"},
        {"fib:N=100,k=3,pack=radix", "fib:k=3,N=100"},
        {"fib:N=100,k=3,pack=bits", "fib:k=3,N=100,pack=bits"},
        {"fib:k=1024,N=1048576,recipe=paper,pack=radix", "fib:k=1024,N=1048576,recipe=paper,pack=radix"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        fq_codec_spec spec;
        char text[FQ_SPEC_TEXT_MAX] = "";
        FQ_CHECK_OK(fq_codec_spec_parse(&spec, pairs[i][0]));
        FQ_CHECK_OK(fq_codec_spec_format(text, &spec));
        FQ_CHECK(strcmp(text, pairs[i][1]) == 0);
    }
}

static bool same_spec(const fq_codec_spec *a, const fq_codec_spec *b) {
    return strcmp(a->family, b->family) == 0 && memcmp(a->value, b->value, sizeof a->value) == 0 &&
           a->rotation == b->rotation && a->packing == b->packing && a->norm == b->norm &&
           a->norm_format == b->norm_format && a->tries == b->tries && a->seed == b->seed;
}

/* Any value that the key allows. */
static double any_value(fq_stream *s, const fq_codec_key *key) {
    size_t words = 0;
    switch (key->type) {
    case FQ_TYPE_INTEGER: /* small and large ones */
        return fmin(key->most,
                    key->least + (double)fq_stream_below(s, (uint64_t)1 << fq_stream_below(s, 21)));
    case FQ_TYPE_REAL:
        return rint(1e6 * (key->least + fq_stream_uniform(s) * (key->most - key->least))) / 1e6;
    case FQ_TYPE_CHOICE:
        while (key->words[words])
            words++;
        return (double)fq_stream_below(s, words);
    case FQ_TYPE_SEED:
        break;
    }
    return 0;
}

/* parse(format(s)) = s over random specs of every family, all keys that it lists set. */
static void parse_undoes_format(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 0);
    size_t accepted = 0;
    for (unsigned i = 0; i < 3000 * fq_test_multiplier(); i++) {
        fq_codec_spec spec, back;
        memset(&spec, 0, sizeof spec);
        const size_t family = (size_t)fq_stream_below(&s, fq_codec_family_count());
        strcpy(spec.family, fq_codec_family_name(family));
        spec.seed = 1;
        spec.tries = 1;
        const fq_codec_key *key;
        size_t own = 0;
        for (size_t k = 0; (key = fq_codec_family_key(family, k)); k++) {
            if (strcmp(key->name, "seed") == 0)
                spec.seed = fq_stream_u64(&s) >> fq_stream_below(&s, 64);
            else if (strcmp(key->name, "rot") == 0 && strcmp(key->words[0], "haar") == 0) /* the common one */
                spec.rotation = (fq_rotation_kind)any_value(&s, key);
            else if (strcmp(key->name, "pack") == 0)
                spec.packing = (fq_packing)any_value(&s, key);
            else if (strcmp(key->name, "norm") == 0)
                do { /* the last word is another one for ls */
                    spec.norm = (fq_norm_rule)any_value(&s, key);
                } while (spec.norm > FQ_NORM_UNBIASED);
            else if (strcmp(key->name, "normbits") == 0)
                spec.norm_format = (fq_norm_format)any_value(&s, key);
            else if (strcmp(key->name, "tries") == 0)
                spec.tries = spec.norm == FQ_NORM_INPUT ? 1 : (unsigned)any_value(&s, key);
            else
                spec.value[own++] = any_value(&s, key);
        }
        char text[FQ_SPEC_TEXT_MAX];
        if (!FQ_CHECK_OK(fq_codec_spec_format(text, &spec)) || !FQ_CHECK_OK(fq_codec_spec_parse(&back, text)))
            continue;
        FQ_CHECK(same_spec(&spec, &back));
        FQ_CHECK(strlen(text) < FQ_SPEC_TEXT_MAX - 1);
        accepted++;
    }
    FQ_CHECK(accepted >= 3000);
}

static void wrong_names_say_what_is_allowed(void) {
    const struct {
        const char *text, *argument, *allowed; /* parts of what the record must say */
    } cases[] = {
        {"", "", "fp16"},
        {"nope:b=2", "nope", "fp16"},
        {"a-name-that-is-much-longer-than-any-family-and-than-the-error-record-can-hold-at-all:b=2", "a-name",
         "fp16"},
        {"tq", "b", "0.25 to 8"},
        {"tq:", "key", "b"},
        {"tq:b=2,", "key", "b"},
        {"tq:b=2,b=2", "b=2", "once"},
        {"tq:k=4", "k=4", "b"},
        {"tq:b", "b", "b"},
        {"tq:b=", "b=", "0.25"},
        {"tq:b=0.1", "b=0.1", "0.25"},
        {"tq:b=8.000001", "b=8.000001", "to 8"},
        {"tq:b=2.0000001", "b=2.0000001", "six"},
        {"tq:b=-2", "b=-2", "0.25"},
        {"tq:b=2e0", "b=2e0", "0.25"},
        {"tq:b=nan", "b=nan", "0.25"},
        {"tq:b= 2", "b= 2", "0.25"},
        {"tq:b=2,rot=householder", "rot=householder", "hadamard"},
        {"tq:b=2,pack=", "pack=", "radix"},
        {"tq:b=2,norm=exact", "norm=exact", "match"},
        {"tq:b=2,tries=2", "tries", "norm=input"},
        {"tq:b=2,norm=gain,tries=257", "tries=257", "256"},
        {"trellis:b=2,window=5", "window=5", "6 to 14"},
        {"trellis:b=2,pack=bits", "pack=bits", "window"},
        {"tqprod:b=2,tries=1", "tries=1", "seed"},
        {"tq:b=2,seed=18446744073709551616", "seed=18446744073709551616", "18446744073709551615"},
        {"tq:b=2,seed=-1", "seed=-1", "0 to"},
        {"tq:B=2", "B=2", "b"},
        {"fp16:b=2", "b=2", "none"},
        {"fib:k=4", "N", "1048576"},
        {"fib:N=4", "k", "1024"},
        {"fib:k=0,N=4", "k=0", "1024"},
        {"fib:k=1025,N=4", "k=1025", "1024"},
        {"fib:k=4,N=0", "N=0", "1048576"},
        {"fib:k=4,N=1048577", "N=1048577", "1048576"},
        {"fib:k=4,N=99999999999999999999", "N=9999", "1048576"},
        {"fib:k=4,N=16,recipe=best", "recipe=best", "population"},
        {"tqprod:b=2,norm=ls", "norm=ls", "seed"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_codec_spec spec;
        memset(&spec, 0x5a, sizeof spec);
        const fq_codec_spec before = spec;
        FQ_CHECK_FAILS(fq_codec_spec_parse(&spec, cases[i].text), FQ_ERR_SPEC);
        const bool named = strstr(fq_error_last()->argument, cases[i].argument) &&
                           strstr(fq_error_last()->allowed, cases[i].allowed);
        FQ_CHECK(named);
        FQ_CHECK(memcmp(&spec, &before, sizeof spec) == 0); /* untouched */
    }
    fq_codec_spec spec;
    FQ_CHECK_FAILS(fq_codec_spec_parse(&spec, NULL), FQ_ERR_SPEC);
}

static void specs_made_by_hand_are_checked(void) {
    char text[FQ_SPEC_TEXT_MAX];
    fq_codec_spec spec, bad;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, "tq:b=2"));
    bad = spec;
    bad.value[0] = 1.0 / 3; /* has no decimal name */
    FQ_CHECK_FAILS(fq_codec_spec_format(text, &bad), FQ_ERR_SPEC);
    bad = spec;
    bad.value[1] = 4; /* tq has one key of its own */
    FQ_CHECK_FAILS(fq_codec_spec_format(text, &bad), FQ_ERR_SPEC);
    bad = spec;
    bad.norm = (fq_norm_rule)4; /* the word gain stands for ls */
    FQ_CHECK_FAILS(fq_codec_spec_format(text, &bad), FQ_ERR_SPEC);
    bad = spec;
    bad.rotation = (fq_rotation_kind)-1;
    FQ_CHECK_FAILS(fq_codec_spec_format(text, &bad), FQ_ERR_SPEC);
    bad = spec;
    memset(bad.family, 'x', sizeof bad.family); /* not even terminated */
    FQ_CHECK_FAILS(fq_codec_spec_format(text, &bad), FQ_ERR_SPEC);
    fq_codec *codec = NULL;
    FQ_CHECK_FAILS(fq_codec_create(&codec, &bad, 64, NULL), FQ_ERR_SPEC);
    FQ_CHECK(codec == NULL);
}

static void families_are_listed(void) {
    FQ_CHECK(fq_codec_family_count() >= 2);
    for (size_t i = 0; i < fq_codec_family_count(); i++) {
        FQ_CHECK(strlen(fq_codec_family_name(i)) < FQ_FAMILY_NAME_MAX);
        FQ_CHECK(strlen(fq_codec_family_summary(i)) > 10);
        for (size_t j = 0; j < i; j++)
            FQ_CHECK(strcmp(fq_codec_family_name(i), fq_codec_family_name(j)) != 0);
    }
    for (size_t i = 0; i < fq_codec_family_count(); i++) {
        const fq_codec_key *key;
        for (size_t k = 0; (key = fq_codec_family_key(i, k)); k++) {
            char allowed[FQ_ERROR_TEXT_MAX];
            fq_codec_key_allowed(allowed, key);
            FQ_CHECK(strlen(allowed) > 5 && strlen(key->help) > 3);
            for (size_t j = 0; j < k; j++)
                FQ_CHECK(strcmp(key->name, fq_codec_family_key(i, j)->name) != 0);
        }
    }
    FQ_CHECK(fq_codec_family_key(fq_codec_family_count(), 0) == NULL);
    FQ_CHECK(fq_codec_family_name(fq_codec_family_count()) == NULL);
    FQ_CHECK(fq_codec_family_summary(fq_codec_family_count()) == NULL);
}

static const fq_test tests[] = {
    {"names are read", names_are_read},
    {"names have one form", names_have_one_form},
    {"parse undoes format", parse_undoes_format},
    {"wrong names say what is allowed", wrong_names_say_what_is_allowed},
    {"specs made by hand are checked", specs_made_by_hand_are_checked},
    {"families are listed", families_are_listed},
    {0},
};
const fq_suite fq_suite_codec_spec = {"codec_spec", tests};
