#include "manifest_yaml.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

/* libyaml compares each new anchor with all earlier ones, so their number is bounded beforehand. */
static fq_status check_bytes(const fq_yaml *yaml, const char *text, size_t length) {
    const char *path = yaml->manifest->path;
    const fq_status bad = yaml->option ? FQ_ERR_USAGE : FQ_ERR_INPUT;
    if (length > FQ_MANIFEST_BYTES_MAX)
        return FQ_FAIL_TEXT(bad, "%s: %zu bytes are too many for a manifest; allowed: up to %d", path, length,
                            FQ_MANIFEST_BYTES_MAX);
    size_t anchors = 0;
    for (size_t i = 0; i < length; i++)
        anchors += text[i] == '&';
    if (anchors > FQ_MANIFEST_ANCHORS_MAX)
        return FQ_FAIL_TEXT(bad, "%s: too many anchors (\"&\"); allowed: up to %d", path,
                            FQ_MANIFEST_ANCHORS_MAX);
    return FQ_OK;
}

static fq_status parser_failure(const fq_yaml *yaml, const yaml_parser_t *parser) {
    if (parser->error == YAML_MEMORY_ERROR)
        return FQ_FAIL(FQ_ERR_MEMORY, "manifest", NULL);
    const char *problem = parser->problem ? parser->problem : "not understood";
    if (yaml->option)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%s: not valid YAML: %s", yaml->manifest->path, problem);
    const size_t line = parser->error == YAML_READER_ERROR ? parser->mark.line : parser->problem_mark.line;
    return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s:%zu: not valid YAML: %s", yaml->manifest->path, line + 1, problem);
}

/* Lists and mappings nested beyond the limit: libyaml looks at all that are open for each token, so deep ones
 * take the square of the text's length. Walks the events, of which a deep text has no more than the limit. */
static fq_status check_depth(const fq_yaml *yaml, const char *text, size_t length) {
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return FQ_FAIL(FQ_ERR_MEMORY, "manifest", NULL);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    fq_status status = FQ_OK;
    size_t depth = 0;
    for (bool more = true; more && status == FQ_OK;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            status = parser_failure(yaml, &parser);
            break;
        }
        if (event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT)
            depth++;
        else if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
            depth--;
        if (depth > FQ_MANIFEST_DEPTH_MAX) {
            char where[FQ_MANIFEST_WHERE_MAX];
            fq_manifest_where(where, yaml->manifest, yaml->option ? 0 : (int)event.start_mark.line + 1);
            status = FQ_FAIL_TEXT(yaml->option ? FQ_ERR_USAGE : FQ_ERR_INPUT,
                                  "%s: lists and mappings nested too deep; allowed: up to %d", where,
                                  FQ_MANIFEST_DEPTH_MAX);
        }
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return status;
}

fq_status fq_yaml_load(fq_yaml *yaml, fq_manifest *manifest, const char *text, size_t length, bool option) {
    memset(yaml, 0, sizeof *yaml);
    yaml->manifest = manifest;
    yaml->option = option;
    FQ_TRY(check_bytes(yaml, text, length));
    FQ_TRY(check_depth(yaml, text, length));
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return FQ_FAIL(FQ_ERR_MEMORY, "manifest", NULL);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
    fq_status status = FQ_OK;
    yaml_document_t second;
    if (!yaml_parser_load(&parser, &yaml->document)) {
        status = parser_failure(yaml, &parser);
    } else {
        yaml->loaded = true;
        if (!yaml_document_get_root_node(&yaml->document)) {
            status = FQ_FAIL_TEXT(option ? FQ_ERR_USAGE : FQ_ERR_INPUT, "%s: empty", manifest->path);
        } else if (!yaml_parser_load(&parser, &second)) {
            status = parser_failure(yaml, &parser);
        } else {
            if (yaml_document_get_root_node(&second))
                status = FQ_FAIL_TEXT(option ? FQ_ERR_USAGE : FQ_ERR_INPUT,
                                      "%s:%zu: a second document (\"---\"); allowed: one", manifest->path,
                                      second.start_mark.line + 1);
            yaml_document_delete(&second);
        }
    }
    yaml_parser_delete(&parser);
    return status;
}

void fq_yaml_clear(fq_yaml *yaml) {
    if (yaml->loaded)
        yaml_document_delete(&yaml->document);
    yaml->loaded = false;
}

int fq_yaml_line(const fq_yaml *yaml, const yaml_node_t *node) {
    return yaml->option ? 0 : (int)node->start_mark.line + 1;
}

fq_status fq_yaml_fail(const fq_yaml *yaml, const yaml_node_t *node, const char *key, const char *problem,
                       const char *allowed) {
    char where[FQ_MANIFEST_WHERE_MAX];
    fq_manifest_where(where, yaml->manifest, fq_yaml_line(yaml, node));
    return FQ_FAIL_TEXT(yaml->option ? FQ_ERR_USAGE : FQ_ERR_INPUT, "%s: key \"%.64s\": %s; allowed: %s",
                        where, key, problem, allowed);
}

fq_status fq_yaml_visit(fq_yaml *yaml, yaml_node_t **node, int index) {
    *node = yaml_document_get_node(&yaml->document, index);
    if (!*node)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: a node without content", yaml->manifest->path);
    if (++yaml->visited > FQ_MANIFEST_NODES_MAX)
        return fq_yaml_fail(yaml, *node, "*", "too many nodes, aliases followed",
                            "up to 200000 nodes and values");
    return FQ_OK;
}

fq_status fq_yaml_text(fq_yaml *yaml, const yaml_node_t *node, const char *key, const char **text) {
    if (node->type != YAML_SCALAR_NODE)
        return fq_yaml_fail(yaml, node, key, "a list or mapping stands here", "a single value");
    const char *value = (const char *)node->data.scalar.value;
    const size_t length = node->data.scalar.length;
    if (length == 0)
        return fq_yaml_fail(yaml, node, key, "no value", "a value that is not empty");
    if (length > FQ_MANIFEST_TEXT_MAX)
        return fq_yaml_fail(yaml, node, key, "value too long", "up to 4096 bytes");
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return fq_yaml_fail(yaml, node, key, "a control character in the value",
                                "printable text on one line");
    return fq_arena_text(&yaml->manifest->arena, text, value, length);
}

fq_status fq_yaml_unsigned(fq_yaml *yaml, const yaml_node_t *node, const char *key, uint64_t least,
                           uint64_t most, uint64_t *value) {
    char problem[160], allowed[80];
    const char *text = NULL;
    FQ_TRY(fq_yaml_text(yaml, node, key, &text));
    char *end = NULL;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && !*end && !errno && number >= least && number <= most) {
        *value = number;
        return FQ_OK;
    }
    snprintf(problem, sizeof problem, "\"%.60s\" is no such number", text);
    snprintf(allowed, sizeof allowed, "a whole number in %" PRIu64 "..%" PRIu64, least, most);
    return fq_yaml_fail(yaml, node, key, problem, allowed);
}

fq_status fq_yaml_real(fq_yaml *yaml, const yaml_node_t *node, const char *key, double *value) {
    char problem[160];
    const char *text = NULL;
    FQ_TRY(fq_yaml_text(yaml, node, key, &text));
    char *end = NULL;
    const double number = strtod(text, &end);
    if (end != text && !*end && isfinite(number)) {
        *value = number;
        return FQ_OK;
    }
    snprintf(problem, sizeof problem, "\"%.60s\" is no number", text);
    return fq_yaml_fail(yaml, node, key, problem, "a finite number");
}

static fq_status pair_key(fq_yaml *yaml, const yaml_node_t *node, size_t i, const char **key) {
    yaml_node_t *name = NULL;
    FQ_TRY(fq_yaml_visit(yaml, &name, node->data.mapping.pairs.start[i].key));
    return fq_yaml_text(yaml, name, "(key)", key);
}

fq_status fq_yaml_mapping(fq_yaml *yaml, const yaml_node_t *node, const char *key, size_t *pairs) {
    enum { PAIRS_MAX = 256 };
    if (node->type != YAML_MAPPING_NODE)
        return fq_yaml_fail(yaml, node, key, "no mapping", "keys with values, \"key: value\"");
    const size_t n = (size_t)(node->data.mapping.pairs.top - node->data.mapping.pairs.start);
    if (n > PAIRS_MAX)
        return fq_yaml_fail(yaml, node, key, "too many keys", "up to 256 keys in a mapping");
    const char *names[PAIRS_MAX] = {NULL};
    for (size_t i = 0; i < n; i++) {
        FQ_TRY(pair_key(yaml, node, i, &names[i]));
        for (size_t j = 0; j < i; j++)
            if (strcmp(names[i], names[j]) == 0) {
                yaml_node_t *name = NULL;
                FQ_TRY(fq_yaml_visit(yaml, &name, node->data.mapping.pairs.start[i].key));
                return fq_yaml_fail(yaml, name, names[i], "given twice", "once");
            }
    }
    *pairs = n;
    return FQ_OK;
}

fq_status fq_yaml_pair(fq_yaml *yaml, const yaml_node_t *node, size_t i, const char **key,
                       yaml_node_t **value) {
    FQ_TRY(pair_key(yaml, node, i, key));
    return fq_yaml_visit(yaml, value, node->data.mapping.pairs.start[i].value);
}

bool fq_yaml_has_key(fq_yaml *yaml, const yaml_node_t *node, const char *wanted) {
    const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
    for (; pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(&yaml->document, pair->key);
        if (key && key->type == YAML_SCALAR_NODE && strcmp((const char *)key->data.scalar.value, wanted) == 0)
            return true;
    }
    return false;
}

size_t fq_yaml_items(const yaml_node_t *node) {
    return (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
}

fq_status fq_yaml_item(fq_yaml *yaml, const yaml_node_t *node, size_t i, yaml_node_t **item) {
    return fq_yaml_visit(yaml, item, node->data.sequence.items.start[i]);
}
