#include "manifest_axis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* Values are gathered in a growing array of the arena: doubling, the old halves stay behind. */
static fq_status append(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_axis *axis, size_t *room,
                        const char *text) {
    if (axis->count == FQ_MANIFEST_VALUES_MAX || ++yaml->visited > FQ_MANIFEST_NODES_MAX)
        return fq_yaml_fail(yaml, node, axis->name, "too many values", "up to 100000 values");
    if (axis->count == *room) {
        fq_manifest_value *larger = NULL;
        const size_t wanted = *room ? 2 * *room : 8;
        FQ_TRY(fq_arena_alloc(&yaml->manifest->arena, &larger, wanted, sizeof *larger));
        if (axis->count)
            memcpy(larger, axis->values, axis->count * sizeof *larger);
        axis->values = larger;
        *room = wanted;
    }
    axis->values[axis->count++] = (fq_manifest_value){text, fq_yaml_line(yaml, node)};
    return FQ_OK;
}

typedef struct range {
    double from, to, by;
    char kind; /* 's' step, 'f' factor, 'c' count, 0 none yet */
    bool has_from, has_to;
} range;

static fq_status read_range_keys(fq_yaml *yaml, const yaml_node_t *node, const char *name, range *r) {
    static const char allowed[] = "from, to and one of step, factor, count";
    size_t pairs = 0;
    FQ_TRY(fq_yaml_mapping(yaml, node, name, &pairs));
    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < pairs; i++) {
        const char *key = NULL;
        yaml_node_t *value = NULL;
        double number = 0.0;
        FQ_TRY(fq_yaml_pair(yaml, node, i, &key, &value));
        const bool from = strcmp(key, "from") == 0, to = strcmp(key, "to") == 0;
        const bool by = strcmp(key, "step") == 0 || strcmp(key, "factor") == 0 || strcmp(key, "count") == 0;
        if (!from && !to && !by)
            return fq_yaml_fail(yaml, value, key, "unknown key in a range", allowed);
        if (by && r->kind)
            return fq_yaml_fail(yaml, value, key, "two ways to step", allowed);
        FQ_TRY(fq_yaml_real(yaml, value, key, &number));
        if (from) {
            r->from = number;
            r->has_from = true;
        } else if (to) {
            r->to = number;
            r->has_to = true;
        } else {
            r->by = number;
            r->kind = key[0];
        }
    }
    if (!r->has_from || !r->has_to || !r->kind)
        return fq_yaml_fail(yaml, node, name, "incomplete range", allowed);
    return FQ_OK;
}

/* How many values, with the last one allowed to miss `to` by a billionth of a step. */
static fq_status range_length(fq_yaml *yaml, const yaml_node_t *node, const char *name, const range *r,
                              size_t *length) {
    double n = 0.0;
    if (r->kind == 's') {
        if (!(r->by != 0.0) || (r->to - r->from) / r->by < 0.0)
            return fq_yaml_fail(yaml, node, name, "step leads away from the end of the range",
                                "a step with the sign of to - from");
        n = floor((r->to - r->from) / r->by + 1e-9) + 1.0;
    } else if (r->kind == 'f') {
        const bool grows = r->by > 1.0 && r->to >= r->from;
        const bool shrinks = r->by > 0.0 && r->by < 1.0 && r->to <= r->from;
        if (!(r->from > 0.0) || !(r->to > 0.0) || !(grows || shrinks))
            return fq_yaml_fail(yaml, node, name, "factor leads away from the end of the range",
                                "positive ends, a factor above 1 (growing) or below 1 (falling)");
        n = floor(log(r->to / r->from) / log(r->by) + 1e-9) + 1.0;
    } else {
        n = r->by;
        if (!(n >= 1.0) || n != floor(n) || (n < 2.0 && r->from != r->to))
            return fq_yaml_fail(yaml, node, name, "count is no number of values",
                                "a whole number, at least 2 unless both ends are equal");
    }
    if (!(n <= (double)FQ_MANIFEST_VALUES_MAX))
        return fq_yaml_fail(yaml, node, name, "range too long", "up to 100000 values");
    *length = (size_t)n;
    return FQ_OK;
}

/* The shortest decimal that reads back as the same number. */
static void format_number(char *text, size_t room, double value) {
    if (value == floor(value) && fabs(value) < 1e15) {
        snprintf(text, room, "%.0f", value);
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, room, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            return;
    }
}

static fq_status read_range(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_axis *axis, size_t *room) {
    range r;
    size_t length = 0;
    FQ_TRY(read_range_keys(yaml, node, axis->name, &r));
    FQ_TRY(range_length(yaml, node, axis->name, &r, &length));
    for (size_t i = 0; i < length; i++) {
        double value = r.from;
        if (r.kind == 's')
            value = r.from + (double)i * r.by;
        else if (r.kind == 'f')
            value = r.from * pow(r.by, (double)i);
        else if (length > 1)
            value = r.from + (r.to - r.from) * ((double)i / (double)(length - 1));
        const double rounded = nearbyint(value * 1e9) / 1e9; /* 0.1 + 2*0.1 is meant as 0.3 */
        if (fabs(rounded - value) <= 1e-12 * fabs(value))
            value = rounded;
        char text[40];
        const char *copy = NULL;
        format_number(text, sizeof text, value);
        FQ_TRY(fq_arena_text(&yaml->manifest->arena, &copy, text, strlen(text)));
        FQ_TRY(append(yaml, node, axis, room, copy));
    }
    return FQ_OK;
}

enum { FAMILY_KEYS_MAX = 16 };

typedef struct family {
    const char *name;
    size_t key_count;
    fq_manifest_axis keys[FAMILY_KEYS_MAX];
} family;

static fq_status read_items(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_axis *axis, bool families);

static fq_status read_family_keys(fq_yaml *yaml, const yaml_node_t *node, family *f) {
    size_t pairs = 0;
    FQ_TRY(fq_yaml_mapping(yaml, node, "family", &pairs));
    memset(f, 0, sizeof *f);
    for (size_t i = 0; i < pairs; i++) {
        const char *key = NULL;
        yaml_node_t *value = NULL;
        FQ_TRY(fq_yaml_pair(yaml, node, i, &key, &value));
        if (strcmp(key, "family") == 0) {
            FQ_TRY(fq_yaml_text(yaml, value, key, &f->name));
            continue;
        }
        if (f->key_count == FAMILY_KEYS_MAX)
            return fq_yaml_fail(yaml, value, key, "too many keys of a codec family", "up to 16");
        fq_manifest_axis *axis = &f->keys[f->key_count++];
        axis->name = key;
        axis->line = fq_yaml_line(yaml, value);
        FQ_TRY(read_items(yaml, value, axis, false));
    }
    return FQ_OK;
}

/* fib:k=2,N=16 and so on, the last key running fastest. */
static fq_status read_family(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_axis *axis, size_t *room) {
    family f;
    FQ_TRY(read_family_keys(yaml, node, &f));
    size_t product = 1;
    for (size_t i = 0; i < f.key_count; i++) {
        FQ_TRY(fq_size_multiply(&product, product, f.keys[i].count, axis->name));
        if (product > FQ_MANIFEST_VALUES_MAX)
            return fq_yaml_fail(yaml, node, axis->name, "too many codecs", "up to 100000 values");
    }
    for (size_t p = 0; p < product; p++) {
        char text[FQ_MANIFEST_TEXT_MAX + 1];
        size_t stride = product;
        int used = snprintf(text, sizeof text, "%s", f.name);
        for (size_t i = 0; i < f.key_count && used < (int)sizeof text; i++) {
            stride /= f.keys[i].count;
            const char *value = f.keys[i].values[p / stride % f.keys[i].count].text;
            used += snprintf(text + used, sizeof text - (size_t)used, "%c%s=%s", i ? ',' : ':',
                             f.keys[i].name, value);
        }
        if (used >= (int)sizeof text)
            return fq_yaml_fail(yaml, node, axis->name, "codec name too long", "up to 4096 bytes");
        const char *copy = NULL;
        FQ_TRY(fq_arena_text(&yaml->manifest->arena, &copy, text, (size_t)used));
        FQ_TRY(append(yaml, node, axis, room, copy));
    }
    return FQ_OK;
}

static fq_status read_item(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_axis *axis, size_t *room,
                           bool families) {
    if (node->type == YAML_MAPPING_NODE) {
        if (families && fq_yaml_has_key(yaml, node, "family"))
            return read_family(yaml, node, axis, room);
        return read_range(yaml, node, axis, room);
    }
    const char *text = NULL;
    FQ_TRY(fq_yaml_text(yaml, node, axis->name, &text));
    return append(yaml, node, axis, room, text);
}

static fq_status read_items(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_axis *axis, bool families) {
    size_t room = 0;
    if (node->type != YAML_SEQUENCE_NODE)
        return read_item(yaml, node, axis, &room, families);
    const size_t n = fq_yaml_items(node);
    if (n == 0)
        return fq_yaml_fail(yaml, node, axis->name, "an empty list", "at least one value");
    for (size_t i = 0; i < n; i++) {
        yaml_node_t *item = NULL;
        FQ_TRY(fq_yaml_item(yaml, node, i, &item));
        FQ_TRY(read_item(yaml, item, axis, &room, families));
    }
    return FQ_OK;
}

fq_status fq_manifest_read_axis(fq_yaml *yaml, const yaml_node_t *node, const char *name,
                                fq_manifest_axis *axis) {
    memset(axis, 0, sizeof *axis);
    axis->name = name;
    axis->line = fq_yaml_line(yaml, node);
    return read_items(yaml, node, axis, true);
}
