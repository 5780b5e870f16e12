/* A YAML document whose nodes know their lines, with limits against hostile input. Private to the
 * manifest reader.
 */
#ifndef FQ_MANIFEST_YAML_H
#define FQ_MANIFEST_YAML_H

#include <stdbool.h>
#include <yaml.h>

#include "manifest.h"

typedef struct fq_yaml {
    fq_manifest *manifest; /* messages name its path; texts are copied into its arena */
    yaml_document_t document;
    bool loaded;
    bool option; /* the text is a --set value: lines are 0, failures are usage */
    size_t visited;
} fq_yaml;

/* Parses exactly one document. clear accepts a yaml that failed to load. */
FQ_MUST_CHECK fq_status fq_yaml_load(fq_yaml *yaml, fq_manifest *manifest, const char *text, size_t length,
                                     bool option);
void fq_yaml_clear(fq_yaml *yaml);

/* The node with an index from a pair or item list; counts visits, so that aliases cannot make a
 * small file endless. Every node is reached through this. */
FQ_MUST_CHECK fq_status fq_yaml_visit(fq_yaml *yaml, yaml_node_t **node, int index);

/* Line of a node, from 1; 0 for a --set value. */
int fq_yaml_line(const fq_yaml *yaml, const yaml_node_t *node);

/* Fails at a node: "FILE:LINE: key "K": PROBLEM; allowed: ALLOWED". */
FQ_MUST_CHECK fq_status fq_yaml_fail(const fq_yaml *yaml, const yaml_node_t *node, const char *key,
                                     const char *problem, const char *allowed);

/* A printable scalar of 1..FQ_MANIFEST_TEXT_MAX bytes, copied into the arena. */
FQ_MUST_CHECK fq_status fq_yaml_text(fq_yaml *yaml, const yaml_node_t *node, const char *key,
                                     const char **text);

/* A whole number in least..most; a finite number. */
FQ_MUST_CHECK fq_status fq_yaml_unsigned(fq_yaml *yaml, const yaml_node_t *node, const char *key,
                                         uint64_t least, uint64_t most, uint64_t *value);
FQ_MUST_CHECK fq_status fq_yaml_real(fq_yaml *yaml, const yaml_node_t *node, const char *key, double *value);

/* Walks a mapping: pair i's key text and value node. FQ_ERR_INPUT if node is no mapping, a key is
 * no plain text, or a key comes twice. */
FQ_MUST_CHECK fq_status fq_yaml_mapping(fq_yaml *yaml, const yaml_node_t *node, const char *key,
                                        size_t *pairs);
FQ_MUST_CHECK fq_status fq_yaml_pair(fq_yaml *yaml, const yaml_node_t *node, size_t i, const char **key,
                                     yaml_node_t **value);

bool fq_yaml_has_key(fq_yaml *yaml, const yaml_node_t *node, const char *key);

/* Items of a sequence. */
size_t fq_yaml_items(const yaml_node_t *node);
FQ_MUST_CHECK fq_status fq_yaml_item(fq_yaml *yaml, const yaml_node_t *node, size_t i, yaml_node_t **item);

#endif
