/* Codes in forms for other programs: as they are shipped, as a table, as a header for C. */
#ifndef FQ_CODEBOOK_EXPORT_H
#define FQ_CODEBOOK_EXPORT_H

#include "codebook.h"
#include "trellis_code.h"
#include "trellis_map_file.h"

/* Whether a form of --form is one of these ("code", "csv", "c"), not HDF5. */
bool fq_codebook_form_is_export(const char *form);

/* Writes a codebook in one step: "code" as data/codes has it, "csv" with lines "# key value", names of the
 * columns and a row a word, "c" as a header with one array and what it is. every_code_bound may be NaN.
 * FQ_ERR_OUTPUT. */
FQ_MUST_CHECK fq_status fq_codebook_export(const char *path, const char *form, const fq_codebook *codebook,
                                           double every_code_bound);

/* The columns of coordinate v, and the levels, of a map as int, for lists of numbers; how many there are. */
size_t fq_trellis_map_columns(const fq_trellis_map *map, unsigned v, int column[FQ_TRELLIS_WINDOW_MAX]);
size_t fq_trellis_map_levels(const fq_trellis_map *map, int level[FQ_TRELLIS_LEVELS_MAX]);

/* The same for a map of a trellis code: "code", lines "key value" as data/codes has them, or "c";
 * FQ_ERR_USAGE otherwise. */
FQ_MUST_CHECK fq_status fq_trellis_export(const char *path, const char *form, const fq_trellis_map *map,
                                          const fq_trellis_map_about *about);

#endif
