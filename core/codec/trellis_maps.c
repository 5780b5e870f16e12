#include "trellis_maps.h"

#include "code_makers.h"

static const fq_trellis_map maps[] = {
#include "trellis_maps.def"
};
enum { MAPS = sizeof maps / sizeof maps[0] };

unsigned fq_trellis_usual_window(double bits) {
    return bits > 2 && bits <= 4 ? 12 : 10;
}

unsigned fq_trellis_usual_labels(double bits, unsigned window) {
    return bits > 2 || window > 10 ? 8 : 7;
}

const fq_trellis_map *fq_trellis_map_at(size_t i) {
    return i < MAPS ? &maps[i] : NULL;
}

bool fq_trellis_map_find(fq_trellis_map *map) {
    for (size_t i = 0; i < MAPS; i++)
        if (maps[i].fresh == map->fresh && maps[i].together == map->together &&
            maps[i].window == map->window && maps[i].label_bits == map->label_bits) {
            *map = maps[i];
            return true;
        }
    return false;
}

fq_status fq_trellis_map_get(fq_trellis_map *map) {
    return fq_trellis_map_find(map) ? FQ_OK : fq_code_makers_get()->trellis_map(map);
}
