/* Values of one axis of a grid: a single value, a list, a range, and codec families with lists of
 * keys. Private to the manifest reader.
 */
#ifndef FQ_MANIFEST_AXIS_H
#define FQ_MANIFEST_AXIS_H

#include "manifest_yaml.h"

/* Reads node into axis (name and line are set, too):
 *   64            [64, 128]            {from: 16, to: 1024, factor: 2}    (or step: or count:)
 *   {family: fib, k: [2, 4], N: 16}    the product of its lists: fib:k=2,N=16 and fib:k=4,N=16
 * Items of a list may themselves be ranges or families. */
FQ_MUST_CHECK fq_status fq_manifest_read_axis(fq_yaml *yaml, const yaml_node_t *node, const char *name,
                                              fq_manifest_axis *axis);

#endif
