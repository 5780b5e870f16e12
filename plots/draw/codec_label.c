#include "codec_label.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"

/* The family's name as people know it; the table's own where no dimension tried fits the spec, or for a text
 * that is no spec of this program (a store of another one). */
static void family_label(char label[FQ_LABEL_MAX], const char *text) {
    static const size_t dims[] = {64, 128, 5040}; /* the name does not depend on it */
    fq_codec_spec spec;
    fq_codec_description about;
    snprintf(label, FQ_LABEL_MAX, "%.*s", (int)strcspn(text, ":"), text);
    if (fq_codec_spec_parse(&spec, text) != FQ_OK)
        return;
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        if (fq_codec_describe(&about, &spec, dims[i]) == FQ_OK) {
            snprintf(label, FQ_LABEL_MAX, "%s", about.family);
            return;
        }
}

/* Whether a key of that length is among the words of a list separated by spaces. */
static bool listed(const char *list, const char *key, size_t length) {
    for (const char *at = list; at && *at;) {
        const size_t word = strcspn(at, " ");
        if (word == length && strncmp(at, key, length) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

/* Name, then every key that is not left out; for_people chooses between the label and the spec's own form. */
static void build(char text[FQ_CODEC_LABEL_MAX], const char *spec, const char *without, bool for_people) {
    const size_t name = strcspn(spec, ":");
    char label[FQ_LABEL_MAX] = "";
    if (for_people)
        family_label(label, spec);
    size_t used = (size_t)snprintf(text, FQ_CODEC_LABEL_MAX, "%.*s", for_people ? FQ_LABEL_MAX : (int)name,
                                   for_people ? label : spec);
    bool first = true;
    for (const char *at = spec[name] ? spec + name + 1 : ""; *at && used < FQ_CODEC_LABEL_MAX;) {
        const size_t whole = strcspn(at, ","), key = strcspn(at, "=");
        if (key > 0 && key < whole && !listed(without, at, key)) {
            const char *value = at + key + 1;
            const bool number = isdigit((unsigned char)value[0]) != 0;
            used += (size_t)snprintf(text + used, FQ_CODEC_LABEL_MAX - used, "%s%.*s%s%.*s",
                                     for_people ? ", "
                                     : first    ? ":"
                                                : ",",
                                     (int)key, at,
                                     !for_people ? "="
                                     : number    ? " = "
                                                 : " ",
                                     (int)(whole - key - 1), value);
            first = false;
        }
        at += whole + (at[whole] == ',');
    }
}

void fq_codec_label(char label[FQ_CODEC_LABEL_MAX], const char *spec, const char *without) {
    build(label, spec, without, true);
    if (strlen(label) > 40) /* a key has room for so much */
        build(label, spec, without, false);
}

void fq_codec_without(char text[FQ_CODEC_LABEL_MAX], const char *spec, const char *without) {
    build(text, spec, without, false);
}

void fq_codec_kind(char label[FQ_CODEC_LABEL_MAX], const char *spec, bool as_published) {
    if (as_published) {
        fq_codec_label(label, spec, FQ_CODEC_SIZE_KEYS " seed");
        return;
    }
    family_label(label, spec);
    const size_t used = strlen(label);
    snprintf(label + used, FQ_CODEC_LABEL_MAX - used, ", beyond the paper");
}

/* A treatment's name without the length of its window, which stands along an axis of compression. */
static void treatment_kind(char *to, size_t size, const char *treatment) {
    static const char window[] = "window:tokens=";
    size_t used = 0;
    for (const char *at = treatment; *at && used + sizeof window < size;) {
        if (strncmp(at, window, sizeof window - 1) == 0 && (at == treatment || at[-1] == '+')) {
            const char *end = at + sizeof window - 1 + strspn(at + sizeof window - 1, "0123456789");
            used += (size_t)snprintf(to + used, size - used, "window%s", *end == ',' ? ":" : "");
            at = end + (*end == ',');
        } else {
            to[used++] = *at++;
        }
    }
    to[used] = '\0';
}

void fq_codec_treated_kind(char label[FQ_CODEC_LABEL_MAX], const char *spec, bool as_published,
                           const char *treatment) {
    if (strcmp(treatment, "none") == 0) {
        fq_codec_kind(label, spec, as_published);
        return;
    }
    family_label(label, spec);
    const size_t used = strlen(label);
    char kind[FQ_CODEC_LABEL_MAX];
    treatment_kind(kind, sizeof kind, treatment);
    snprintf(label + used, FQ_CODEC_LABEL_MAX - used, ", %s", kind);
}
