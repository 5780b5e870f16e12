#include "trellis_encode.h"

#include <math.h>
#include <string.h>

#include "memory.h"

/* Whole numbers a standard deviation of coordinates is given: 6.5 of them fit 16 bits. */
static const double numbers_per_deviation = 5000;

/* Tries' scales are spread evenly, the middles of equal parts of middle - spread ... middle + spread. A
 * little below 1, as levels are means and codes with small gains reach further out. */
static const double middle_scale = 0.95, scale_spread = 0.14;

struct fq_trellis_workspace {
    void *memory;
    fq_trellis_pass pass; /* what depends on sizes alone is set */
    int16_t *x;           /* pass.x */
    int16_t *direction;   /* [d]: of the vectors of the batch, [LANES][d] */
    uint16_t *state;      /* [LANES] */
    uint8_t *fresh;       /* [T] */
    uint8_t *ring;        /* [T][LANES] */
};

/* One lane's work. */
typedef struct lane_work {
    size_t vector;
    double scale;
    size_t place; /* step after which the path begins and ends */
    int forced;   /* state there, -1: to be found */
} lane_work;

fq_status fq_trellis_encoder_init(fq_trellis_encoder *encoder, const fq_trellis_code *code,
                                  const fq_trellis_search *search) {
    const fq_trellis_map *map = &code->map;
    if (search->tries < 1 || search->tries > FQ_TRELLIS_TRIES_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, "tries", search->tries, "1 to 256");
    fq_trellis_encoder made = {.code = code, .search = *search};
    if (!made.search.kernels)
        made.search.kernels = fq_trellis_kernels_best();
    const double unit = fmax(1, fmin(floor(32767 / 127.0), floor(numbers_per_deviation * map->step)));
    made.unit = unit;
    made.per_one = unit / (double)code->unit;
    for (unsigned i = 0; i < 1u << map->label_bits; i++)
        made.value[i] = (int16_t)(unit * map->level[i]);
    const double rate = (double)map->fresh / map->together; /* costs as fine as leaves room for large ones */
    made.shift = rate < 3 ? 0 : rate < 4 ? 1 : rate < 6 ? 2 : 3;
    const size_t depth = 12 * (size_t)map->window / map->fresh + 1;
    made.context = depth < (code->steps + 1) / 2 ? depth : (code->steps + 1) / 2;
    const size_t windows = (size_t)1 << map->window;
    FQ_TRY(fq_alloc(&made.offset, windows * map->together, sizeof *made.offset));
    for (size_t w = 0; w < windows; w++)
        for (unsigned v = 0; v < map->together; v++)
            made.offset[w * map->together + v] = (uint16_t)(fq_trellis_label(map, v, (unsigned)w) *
                                                            made.search.kernels->lanes * sizeof(int16_t));
    *encoder = made;
    return FQ_OK;
}

void fq_trellis_encoder_clear(fq_trellis_encoder *encoder) {
    fq_free(encoder->offset);
    memset(encoder, 0, sizeof *encoder);
}

static size_t rounded(size_t bytes) {
    return (bytes + FQ_ALIGNMENT - 1) / FQ_ALIGNMENT * FQ_ALIGNMENT;
}

fq_status fq_trellis_workspace_create(fq_trellis_workspace **workspace, const fq_trellis_encoder *encoder) {
    const fq_trellis_code *code = encoder->code;
    const fq_trellis_map *map = &code->map;
    const size_t lanes = encoder->search.kernels->lanes, states = (size_t)1 << (map->window - map->fresh);
    const size_t passed = 2 * encoder->context > code->steps ? 2 * encoder->context : code->steps;
    size_t choices = 0;
    FQ_TRY(fq_size_multiply(&choices, passed << map->window, sizeof(uint32_t), "work space"));
    const size_t parts[] = {
        rounded(sizeof(fq_trellis_workspace)),
        choices,
        rounded(lanes * code->dim * sizeof(int16_t)),
        rounded(lanes * code->dim * sizeof(int16_t)),
        rounded(map->together * ((size_t)1 << map->label_bits) * lanes * sizeof(int16_t)),
        rounded(2 * states * lanes * sizeof(int16_t)),
        rounded(lanes * sizeof(int16_t)),
        rounded(lanes * sizeof(uint16_t)),
        rounded(code->steps),
        rounded(code->steps * lanes),
    };
    enum { PARTS = sizeof parts / sizeof parts[0] };
    size_t all = 0;
    for (size_t i = 0; i < PARTS; i++)
        all += parts[i];
    char *at[PARTS], *memory = NULL;
    FQ_TRY(fq_alloc(&memory, all, 1));
    at[0] = memory;
    for (size_t i = 1; i < PARTS; i++)
        at[i] = at[i - 1] + parts[i - 1];
    fq_trellis_workspace *made = (fq_trellis_workspace *)(void *)memory;
    *made = (fq_trellis_workspace){
        .memory = memory,
        .x = (int16_t *)(void *)at[2],
        .direction = (int16_t *)(void *)at[3],
        .state = (uint16_t *)(void *)at[7],
        .fresh = (uint8_t *)at[8],
        .ring = (uint8_t *)at[9],
        .pass = {.fresh = map->fresh,
                 .together = map->together,
                 .window = map->window,
                 .label_bits = map->label_bits,
                 .shift = encoder->shift,
                 .x = (int16_t *)(void *)at[2],
                 .circle = code->steps,
                 .cost = (int16_t *)(void *)at[4],
                 .metric = (int16_t *)(void *)at[5],
                 .least = (int16_t *)(void *)at[6],
                 .choice = (uint32_t *)(void *)at[1]},
    };
    *workspace = made;
    return FQ_OK;
}

void fq_trellis_workspace_destroy(fq_trellis_workspace *workspace) {
    if (workspace)
        fq_free(workspace->memory);
}

/* Coordinates as whole numbers, times a factor. */
static void to_numbers(int16_t *to, size_t stride, const float *x, size_t n, float factor) {
    for (size_t i = 0; i < n; i++) {
        const float number = x[i] * factor;
        to[i * stride] = (int16_t)lrintf(number > 32767 ? 32767 : number < -32767 ? -32767 : number);
    }
}

/* Follows the choices back from the states after a pass to those before its steps `until` ... steps-1, for
 * all lanes; fresh[steps][lanes], if not NULL, takes what each of these steps adds. */
static inline __attribute__((always_inline)) void trace_any(const fq_trellis_pass *pass,
                                                            const fq_trellis_kernels *kernels,
                                                            uint16_t *state, size_t until, uint8_t *fresh,
                                                            unsigned k) {
    const unsigned kept = pass->window - k, mask = (1u << kept) - 1;
    for (size_t i = pass->steps; i-- > until;) {
        const uint32_t *choice = pass->choice + (i << pass->window);
        for (size_t l = 0; l < kernels->lanes; l++) {
            const uint32_t *of_state = choice + ((size_t)state[l] << k);
            const unsigned bit = (unsigned)l << kernels->spread;
            unsigned node = 1;
            for (unsigned level = 0; level < k; level++)
                node = 2 * node + (of_state[node] >> bit & 1);
            const unsigned w = (unsigned)state[l] << k | (node - (1u << k));
            if (fresh)
                fresh[i * kernels->lanes + l] = (uint8_t)(w >> kept);
            state[l] = (uint16_t)(w & mask);
        }
    }
}

static void trace(const fq_trellis_pass *pass, const fq_trellis_kernels *kernels, uint16_t *state,
                  size_t until, uint8_t *fresh) {
    switch (pass->fresh) { /* the usual numbers of levels unrolled */
    case 1:
        trace_any(pass, kernels, state, until, fresh, 1);
        break;
    case 2:
        trace_any(pass, kernels, state, until, fresh, 2);
        break;
    case 3:
        trace_any(pass, kernels, state, until, fresh, 3);
        break;
    case 4:
        trace_any(pass, kernels, state, until, fresh, 4);
        break;
    default:
        trace_any(pass, kernels, state, until, fresh, pass->fresh);
    }
}

/* How near a payload's c, in levels, is to x, in whole numbers. */
typedef struct nearness {
    double cosine; /* <x,c> / |c| */
    double scale;  /* |c|^2 / <x,c> */
} nearness;

/* Of the payload whose fresh bits are given from step 0 on. Sums are exact. */
static nearness nearness_of(const fq_trellis_code *code, const uint8_t *fresh, const int16_t *x) {
    const unsigned k = code->map.fresh, kept = code->map.window - k, together = code->map.together;
    unsigned w = 0;
    for (size_t i = (code->map.window + k - 1) / k; i > 0; i--)
        w = w >> k | (unsigned)fresh[(i * code->steps - i) % code->steps] << kept;
    int64_t product = 0, square = 0;
    for (size_t t = 0; t < code->steps; t++) {
        w = w >> k | (unsigned)fresh[t] << kept;
        const int8_t *level = code->window_levels + (size_t)w * together;
        for (unsigned v = 0; v < together; v++) {
            product += x[t * together + v] * level[v];
            square += level[v] * level[v];
        }
    }
    if (square == 0 || product <= 0)
        return (nearness){.cosine = -HUGE_VAL, .scale = 1};
    return (nearness){.cosine = (double)product / sqrt((double)square),
                      .scale = (double)square / (double)product};
}

/* The best payload of a vector so far. */
typedef struct best_so_far {
    nearness near;
    size_t place;
} best_so_far;

/* One batch of lanes, and the vectors that they are about. */
typedef struct batch {
    const fq_trellis_encoder *encoder;
    fq_trellis_workspace *work;
    const float *x;
    uint8_t *payload;
    size_t stride;
    best_so_far *best;
    lane_work lanes[FQ_TRELLIS_LANES_MAX];
    size_t used;
} batch;

/* Coordinates of every lane's vector, from its place on. */
static void fill_lanes(const batch *b) {
    const fq_trellis_code *code = b->encoder->code;
    const size_t d = code->dim, width = b->encoder->search.kernels->lanes;
    int16_t *to = b->work->x;
    if (b->used < width)
        memset(to, 0, d * width * sizeof *to);
    for (size_t l = 0; l < b->used; l++) {
        const float *from = b->x + b->lanes[l].vector * d;
        const size_t turned = b->lanes[l].place * code->map.together;
        const float factor = (float)(b->encoder->per_one * b->lanes[l].scale);
        to_numbers(to + l, width, from + turned, d - turned, factor);
        to_numbers(to + (d - turned) * width + l, width, from, turned, factor);
    }
}

/* Likely states at the places of all lanes, or those that are given. */
static void find_states(const batch *b) {
    const fq_trellis_kernels *kernels = b->encoder->search.kernels;
    const size_t width = kernels->lanes;
    fq_trellis_pass *pass = &b->work->pass;
    uint16_t *state = b->work->state;
    if (b->lanes[0].forced >= 0) {
        for (size_t l = 0; l < width; l++)
            state[l] = (uint16_t)(l < b->used ? b->lanes[l].forced : 0);
        return;
    }
    pass->forced = NULL;
    pass->first = pass->circle - b->encoder->context;
    pass->steps = 2 * b->encoder->context;
    kernels->pass(pass);
    for (size_t l = 0; l < width; l++) {
        uint16_t end = 0;
        while (pass->metric[end * width + l] != pass->least[l])
            end++;
        state[l] = end;
    }
    trace(pass, kernels, state, b->encoder->context, NULL);
}

/* The best path of every lane round the circle; payloads that are nearer than what there was are kept. */
static void run_lanes(batch *b) {
    const fq_trellis_encoder *encoder = b->encoder;
    const fq_trellis_code *code = encoder->code;
    const fq_trellis_kernels *kernels = encoder->search.kernels;
    fq_trellis_workspace *work = b->work;
    const size_t d = code->dim, steps = code->steps;
    fq_trellis_pass *pass = &work->pass;
    pass->value = encoder->value;
    pass->offset = encoder->offset;
    fill_lanes(b);
    find_states(b);
    pass->forced = work->state;
    pass->first = 0;
    pass->steps = steps;
    kernels->pass(pass);
    trace(pass, kernels, work->state, 0, work->ring);
    for (size_t l = 0; l < b->used; l++) {
        const size_t place = b->lanes[l].place, vector = b->lanes[l].vector;
        for (size_t t = 0; t < steps; t++)
            work->fresh[place + t < steps ? place + t : place + t - steps] =
                work->ring[t * kernels->lanes + l];
        if (l == 0 || b->lanes[l - 1].vector != vector)
            to_numbers(work->direction, 1, b->x + vector * d, d, (float)encoder->per_one);
        const nearness near = nearness_of(code, work->fresh, work->direction);
        if (near.cosine > b->best[vector].near.cosine) {
            b->best[vector] = (best_so_far){near, place};
            fq_trellis_write(code, b->payload + vector * b->stride, work->fresh);
        }
    }
    b->used = 0;
}

static void add_lane(batch *b, lane_work lane) {
    b->lanes[b->used++] = lane;
    if (b->used == b->encoder->search.kernels->lanes)
        run_lanes(b);
}

static void end_lanes(batch *b) {
    if (b->used)
        run_lanes(b);
}

/* A number below T from the coordinates themselves. */
static size_t place_of(const float *x, size_t d, size_t steps) {
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < d; i++) {
        uint32_t word;
        memcpy(&word, x + i, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 29;
    }
    return (size_t)((hash >> 32) * steps >> 32);
}

/* All tries of one vector. */
static void add_tries(batch *b, size_t vector) {
    const fq_trellis_code *code = b->encoder->code;
    const fq_trellis_map *map = &code->map;
    const unsigned tries = b->encoder->search.tries;
    const size_t place = place_of(b->x + vector * code->dim, code->dim, code->steps);
    for (unsigned i = 0; i < tries; i++) {
        lane_work lane = {.vector = vector,
                          .place = (place + i * code->steps / tries) % code->steps,
                          .scale = middle_scale + scale_spread * (2 * i + 1 - (double)tries) / tries,
                          .forced = -1};
        if (!b->encoder->search.exact) {
            add_lane(b, lane);
            continue;
        }
        for (lane.forced = 0; lane.forced < 1 << (map->window - map->fresh); lane.forced++)
            add_lane(b, lane);
    }
}

/* From where the best payload so far is half way round, at the scale at which its length is right. */
static void add_last_pass(batch *b, size_t vector) {
    const fq_trellis_code *code = b->encoder->code;
    const best_so_far *best = &b->best[vector];
    const size_t steps = code->steps, place = (best->place + steps / 2) % steps;
    const uint8_t *payload = b->payload + vector * b->stride;
    const unsigned before = fq_trellis_window_at(code, payload, (place + steps - 1) % steps);
    add_lane(b, (lane_work){.vector = vector,
                            .place = place,
                            .scale = best->near.scale * b->encoder->unit,
                            .forced = (int)(before >> code->map.fresh)});
}

void fq_trellis_encode(const fq_trellis_encoder *encoder, fq_trellis_workspace *workspace, uint8_t *payload,
                       size_t stride, const float *x, size_t n) {
    enum { AT_ONCE = 96 };
    const size_t d = encoder->code->dim;
    best_so_far best[AT_ONCE];
    for (size_t from = 0; from < n; from += AT_ONCE) {
        const size_t count = n - from < AT_ONCE ? n - from : AT_ONCE;
        batch b = {.encoder = encoder,
                   .work = workspace,
                   .x = x + from * d,
                   .payload = payload + from * stride,
                   .stride = stride,
                   .best = best};
        for (size_t i = 0; i < count; i++) {
            best[i] = (best_so_far){.near = {.cosine = -HUGE_VAL, .scale = 1 / encoder->unit}};
            memset(b.payload + i * stride, 0, encoder->code->payload_bytes);
            add_tries(&b, i);
        }
        end_lanes(&b);
        if (encoder->search.exact)
            continue;
        for (size_t i = 0; i < count; i++)
            add_last_pass(&b, i);
        end_lanes(&b);
    }
}
