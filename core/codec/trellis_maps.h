/* Maps of trellis codes that come with the library, and how others are found. */
#ifndef FQ_TRELLIS_MAPS_H
#define FQ_TRELLIS_MAPS_H

#include "trellis_code.h"

/* The window of codes of b bits a coordinate unless told otherwise: 12 from above 2 to 4 bits, else 10. The K
 * fresh bits of a step leave 2^(L-K) states, and it is their number that brings long vectors near the limit,
 * where tries with other scales can no longer: at d = 256 and 4 bits L = 10 is 0.67 dB above 4^-b, L = 12
 * less than 0.5. Decoding costs the same, encoding four times as much. Above 4 bits levels are what lacks. */
unsigned fq_trellis_usual_window(double bits);

/* The bits of a label that codes of b bits a coordinate and windows of L bits use unless told otherwise. */
unsigned fq_trellis_usual_labels(double bits, unsigned window);

/* Number i of the library's maps, NULL past the last: trellis_maps.def, found by fq_trellis_find_map. */
const fq_trellis_map *fq_trellis_map_at(size_t i);

/* Fills in columns, levels and step of a map whose K, V, L and m are set, if the library has one of these
 * numbers. */
bool fq_trellis_map_find(fq_trellis_map *map);

/* Fills in columns, levels and step of a map whose K, V, L and m are set: the library's map of these numbers,
 * or one found by a short search, the same on every machine: a second or so for windows of 10 bits, twice
 * that for each bit more. */
FQ_MUST_CHECK fq_status fq_trellis_map_get(fq_trellis_map *map);

#endif
