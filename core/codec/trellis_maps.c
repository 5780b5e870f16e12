#include "trellis_maps.h"

#include "trellis_search.h"

static const fq_trellis_map maps[] = {
#include "trellis_maps.def"
};
enum { MAPS = sizeof maps / sizeof maps[0] };

unsigned fq_trellis_usual_labels(double bits, unsigned window) {
    return bits > 2 || window > 10 ? 8 : 7;
}

const fq_trellis_map *fq_trellis_map_at(size_t i) {
    return i < MAPS ? &maps[i] : NULL;
}

fq_status fq_trellis_map_get(fq_trellis_map *map) {
    for (size_t i = 0; i < MAPS; i++) {
        if (maps[i].fresh == map->fresh && maps[i].together == map->together &&
            maps[i].window == map->window && maps[i].label_bits == map->label_bits) {
            *map = maps[i];
            return FQ_OK;
        }
    }
    const fq_trellis_plan plan = {.fresh = map->fresh,
                                  .together = map->together,
                                  .window = map->window,
                                  .label_bits = map->label_bits,
                                  .seed = 1,
                                  .evaluations = 200,
                                  .samples = 256,
                                  .tries = 1,
                                  .training = 2048};
    return fq_trellis_find_map(map, &plan, NULL);
}
