/* JSON texts of model folders: parsed by jansson behind limits on size and nesting, and typed access whose
 * errors name file and key. */
#ifndef FQ_JSON_TEXT_H
#define FQ_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum { FQ_JSON_MAX_DEPTH = 64 };

/* Parses bytes[0..size) of file, which start at byte offset of it; duplicate keys are refused, and so is
 * anything but an object. Whole numbers beyond 64 bits become reals. *out is to be released with json_decref.
 */
FQ_MUST_CHECK fq_status fq_json_parse(json_t **out, const char *file, const unsigned char *bytes, size_t size,
                                      size_t offset, size_t most);

/* Where key is spelt, as "key", in bytes[0..size), or size if it is not (spelt with escapes, say). */
size_t fq_json_find_key(const unsigned char *bytes, size_t size, const char *key);

/* object[key] as a whole number in least..most, a real, a boolean. If the key is absent or null: *found is
 * false and *out untouched, or FQ_ERR_INPUT if found is NULL. */
FQ_MUST_CHECK fq_status fq_json_get_size(const json_t *object, const char *file, const char *key,
                                         size_t least, size_t most, size_t *out, bool *found);
FQ_MUST_CHECK fq_status fq_json_get_real(const json_t *object, const char *file, const char *key,
                                         double least, double most, double *out, bool *found);
FQ_MUST_CHECK fq_status fq_json_get_bool(const json_t *object, const char *file, const char *key, bool *out,
                                         bool *found);
/* *out is terminated, holds no zero byte inside and lives as long as object. */
FQ_MUST_CHECK fq_status fq_json_get_text(const json_t *object, const char *file, const char *key,
                                         const char **out, bool *found);

#endif
