#include "treatment.h"

#include <string.h>

#include "memory.h"
#include "spec_keys.h"
#include "treatment_family.h"

#define FQ_TREATMENT(name) extern const fq_treatment_family fq_treatment_family_##name;
#include "treatments.def"
#undef FQ_TREATMENT

static const fq_treatment_family *const families[] = {
#define FQ_TREATMENT(name) &fq_treatment_family_##name,
#include "treatments.def"
#undef FQ_TREATMENT
};
enum { FAMILIES = sizeof families / sizeof families[0] };

const char *const fq_treatment_side_words[] = {"keys", "values", "both", NULL};

unsigned fq_treatment_side_of(double choice) {
    return choice == 0 ? FQ_OF_KEYS : choice == 1 ? FQ_OF_VALUES : FQ_OF_KEYS | FQ_OF_VALUES;
}

unsigned fq_treatment_sides_keys(const fq_treatment_step *step) {
    (void)step;
    return FQ_OF_KEYS;
}

unsigned fq_treatment_sides_both(const fq_treatment_step *step) {
    (void)step;
    return FQ_OF_KEYS | FQ_OF_VALUES;
}

size_t fq_treatment_family_count(void) {
    return FAMILIES;
}

const char *fq_treatment_family_name(size_t i) {
    return families[i]->name;
}

const char *fq_treatment_family_summary(size_t i) {
    return families[i]->summary;
}

static size_t key_count(const fq_treatment_family *family) {
    size_t count = 0;
    while (family->keys && family->keys[count].name)
        count++;
    return count;
}

const fq_codec_key *fq_treatment_family_key(size_t i, size_t key) {
    return i < FAMILIES && key < key_count(families[i]) ? &families[i]->keys[key] : NULL;
}

const fq_treatment_family *fq_treatment_family_find(const char *name) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (strcmp(families[i]->name, name) == 0)
            return families[i];
    return NULL;
}

static fq_status fail_step(const char *at, size_t length) {
    char argument[FQ_ERROR_NAME_MAX], allowed[FQ_ERROR_TEXT_MAX];
    fq_text name = fq_text_begin(argument, sizeof argument), text = fq_text_begin(allowed, sizeof allowed);
    fq_text_add_span(&name, at, length);
    fq_text_add(&text, "none, or steps joined by +, each once:");
    for (size_t i = 0; i < FAMILIES; i++) {
        fq_text_add(&text, " ");
        fq_text_add(&text, families[i]->name);
    }
    return FQ_FAIL(FQ_ERR_SPEC, length ? argument : "treatment", allowed);
}

/* name[:key=value,...], length characters long. */
static fq_status parse_step(fq_treatment_step *step, const char *at, size_t length) {
    const char *colon = memchr(at, ':', length);
    const size_t name_length = colon ? (size_t)(colon - at) : length;
    char name[FQ_FAMILY_NAME_MAX] = "";
    if (name_length < sizeof name)
        memcpy(name, at, name_length);
    memset(step, 0, sizeof *step);
    step->family = fq_treatment_family_find(name);
    if (!step->family)
        return fail_step(at, name_length);
    return fq_keys_read(step->value, step->family->keys, step->family->name, colon ? colon + 1 : NULL,
                        colon ? length - name_length - 1 : 0);
}

fq_status fq_treatment_parse(fq_treatment *treatment, const char *text) {
    fq_treatment made;
    memset(&made, 0, sizeof made);
    if (strcmp(text, "none") == 0) {
        *treatment = made;
        return FQ_OK;
    }
    for (const char *at = text; at;) {
        const char *plus = strchr(at, '+');
        const size_t length = plus ? (size_t)(plus - at) : strlen(at);
        if (made.steps == FQ_TREATMENT_STEPS_MAX)
            return fail_step(at, length);
        fq_treatment_step *step = &made.step[made.steps];
        FQ_TRY(parse_step(step, at, length));
        for (size_t i = 0; i < made.steps; i++)
            if (made.step[i].family == step->family)
                return fail_step(at, length);
        made.steps++;
        at = plus ? plus + 1 : NULL;
    }
    char name[FQ_TREATMENT_TEXT_MAX];
    FQ_TRY(fq_treatment_format(name, &made)); /* what has no name cannot be stored */
    *treatment = made;
    return FQ_OK;
}

fq_status fq_treatment_format(char text[FQ_TREATMENT_TEXT_MAX], const fq_treatment *treatment) {
    fq_text out = fq_text_begin(text, FQ_TREATMENT_TEXT_MAX);
    for (size_t i = 0; i < treatment->steps; i++) {
        const fq_treatment_step *step = &treatment->step[i];
        fq_text_add(&out, i ? "+" : "");
        fq_text_add(&out, step->family->name);
        fq_keys_write(&out, step->value, step->family->keys);
    }
    if (treatment->steps == 0)
        fq_text_add(&out, "none");
    return out.cut ? FQ_FAIL(FQ_ERR_SPEC, "treatment", "names of up to 159 characters") : FQ_OK;
}

fq_treatment_keep fq_treatment_keeps(const fq_treatment *treatment) {
    fq_treatment_keep keep = {0};
    for (size_t i = 0; i < treatment->steps; i++)
        if (treatment->step[i].family->keep)
            treatment->step[i].family->keep(&treatment->step[i], &keep);
    return keep;
}

size_t fq_treatment_prefix(const fq_treatment *treatment, fq_treatment_side side) {
    size_t most = 0;
    for (size_t i = 0; i < treatment->steps; i++) {
        const fq_treatment_step *step = &treatment->step[i];
        const size_t tokens = step->family->prefix && (step->family->sides(step) & (unsigned)side)
                                  ? step->family->prefix(step)
                                  : 0;
        most = tokens > most ? tokens : most;
    }
    return most;
}

size_t fq_treatment_classes(const fq_treatment *treatment, fq_treatment_side side) {
    for (size_t i = 0; i < treatment->steps; i++) {
        const fq_treatment_step *step = &treatment->step[i];
        if (step->family->classes && (step->family->sides(step) & (unsigned)side))
            return step->family->classes(step);
    }
    return 1;
}

size_t fq_treatment_together(const fq_treatment *treatment, fq_treatment_side side) {
    for (size_t i = 0; i < treatment->steps; i++) {
        const fq_treatment_step *step = &treatment->step[i];
        if (step->family->together && (step->family->sides(step) & (unsigned)side))
            return step->family->together(step);
    }
    return 1;
}

fq_status fq_treatment_turn(const char *step, const fq_rope *rope, float *x, size_t first, size_t n,
                            size_t heads, size_t dim, bool back) {
    float *table = NULL;
    if (!rope)
        return FQ_FAIL(FQ_ERR_SPEC, step,
                       "caches that name their position encoding (attributes rope_base and rope_pairs)");
    if (!(rope->base > 0.0))
        return FQ_OK;
    if (dim % 2 != 0)
        return FQ_FAIL_VALUE(FQ_ERR_SPEC, step, dim, "an even dimension");
    FQ_TRY(fq_alloc(&table, n ? n : 1, dim * sizeof *table));
    fq_rope_table(table, rope, dim, first, n);
    fq_rope_apply(rope, x, table, n, heads, dim, back);
    fq_free(table);
    return FQ_OK;
}
