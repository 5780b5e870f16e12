/* Encoding by trellis codes: the passes by their definition, payloads by trying all of them, kernels against
 * each other, distortions against what was measured, and the identities of the stored gain. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "codec.h"
#include "memory.h"
#include "source.h"
#include "stream.h"
#include "trellis_encode.h"
#include "trellis_maps.h"
#include "trellis_search.h"

static void *room(size_t count, size_t size) {
    void *memory = NULL;
    if (!FQ_CHECK_OK(fq_alloc_zero(&memory, count, size)))
        return NULL;
    return memory;
}

static fq_trellis_map random_map(fq_stream *s, unsigned fresh, unsigned together, unsigned window,
                                 unsigned label_bits) {
    fq_trellis_map map = {.fresh = fresh, .together = together, .window = window, .label_bits = label_bits};
    fq_trellis_first_levels(&map);
    for (unsigned v = 0; v < together; v++)
        for (unsigned i = 0; i < window; i++)
            map.column[v][i] = (uint8_t)fq_stream_below(s, 1u << label_bits);
    return map;
}

static void directions(float *x, size_t dim, uint64_t first, size_t n) {
    fq_source source;
    if (FQ_CHECK_OK(fq_source_init(&source, dim, dim)))
        fq_source_sample(&source, fq_test_seed(), FQ_PURPOSE_TEST, 900000000 + first, n, x);
}

/* One step of trellis_viterbi.h for one lane, state by state and window by window. */
static void step_by_definition(int *to, const int *from, const fq_trellis_map *map, const int16_t *value,
                               const int16_t *x, unsigned h, int excess) {
    const unsigned states = 1u << (map->window - map->fresh);
    const int most = (map->together > 2 ? 23170 : 32767) >> h;
    for (unsigned s = 0; s < states; s++)
        to[s] = 32768;
    for (unsigned w = 0; w < 1u << map->window; w++) {
        int cost = 0;
        for (unsigned v = 0; v < map->together; v++) {
            int e = x[v] - value[fq_trellis_label(map, v, w)];
            e = e > 32767 ? 32767 : e < -32768 ? -32768 : e;
            if (h > 0 || map->together > 2)
                e = e > most ? most : e < -most ? -most : e;
            cost += e * (1 << h) * e * (1 << h) >> 16;
        }
        const int metric = from[w % states] + cost - excess, cut = metric > 32767 ? 32767 : metric;
        to[w >> map->fresh] = cut < to[w >> map->fresh] ? cut : to[w >> map->fresh];
    }
}

/* Metrics after every lane's pass, free or forced, of one kernel. */
static void check_pass(const fq_trellis_kernels *kernels, const fq_trellis_map *map, fq_stream *s,
                       bool forced) {
    enum { STEPS = 23, CIRCLE = 9 };
    const size_t lanes = kernels->lanes, states = (size_t)1 << (map->window - map->fresh),
                 windows = (size_t)1 << map->window, levels = (size_t)1 << map->label_bits;
    int16_t *x = room(CIRCLE * map->together * lanes, 2), *cost = room(map->together * levels * lanes, 2),
            *metric = room(2 * states * lanes, 2), *least = room(lanes, 2), value[FQ_TRELLIS_LEVELS_MAX];
    uint16_t *offset = room(windows * map->together, 2), state[FQ_TRELLIS_LANES_MAX];
    uint32_t *choice = room(STEPS * windows, 4);
    int *now = room(states, sizeof *now), *then = room(states, sizeof *then);
    const unsigned h = (unsigned)fq_stream_below(s, 4);
    for (size_t i = 0; i < levels; i++)
        value[i] = (int16_t)(100 * map->level[i]);
    for (size_t i = 0; i < windows * map->together; i++)
        offset[i] =
            (uint16_t)(fq_trellis_label(map, (unsigned)(i % map->together), (unsigned)(i / map->together)) *
                       lanes * 2);
    for (size_t i = 0; i < CIRCLE * map->together * lanes; i++) /* some far out */
        x[i] = (int16_t)fmax(-32767, fmin(32767, 5000 * (i % 17 == 0 ? 5 : 1) * fq_stream_normal(s)));
    for (size_t l = 0; l < lanes; l++)
        state[l] = (uint16_t)fq_stream_below(s, states);
    const fq_trellis_pass pass = {.fresh = map->fresh,
                                  .together = map->together,
                                  .window = map->window,
                                  .label_bits = map->label_bits,
                                  .shift = h,
                                  .value = value,
                                  .offset = offset,
                                  .x = x,
                                  .circle = CIRCLE,
                                  .first = 7,
                                  .steps = STEPS,
                                  .forced = forced ? state : NULL,
                                  .cost = cost,
                                  .metric = metric,
                                  .least = least,
                                  .choice = choice};
    kernels->pass(&pass);
    size_t wrong = 0;
    for (size_t l = 0; l < lanes; l++) {
        for (size_t i = 0; i < states; i++)
            now[i] = forced ? (i == state[l] ? -32768 : 32767) : -32768;
        for (size_t t = 0; t < STEPS; t++) {
            int16_t here[FQ_TRELLIS_TOGETHER_MAX];
            for (size_t v = 0; v < map->together; v++)
                here[v] = x[((7 + t) % CIRCLE * map->together + v) * lanes + l];
            int excess = 65536;
            for (size_t i = 0; i < states; i++)
                excess = now[i] + 32768 < excess ? now[i] + 32768 : excess;
            excess = excess > 32767 ? 32767 : excess;
            if (forced && t * map->fresh < map->window - map->fresh)
                excess = 0;
            step_by_definition(then, now, map, value, here, h, excess);
            memcpy(now, then, states * sizeof *now);
        }
        int smallest = 32767;
        for (size_t i = 0; i < states; i++) {
            wrong += metric[i * lanes + l] != now[i];
            smallest = now[i] < smallest ? now[i] : smallest;
        }
        wrong += least[l] != smallest;
    }
    FQ_CHECK(wrong == 0);
    fq_free(x);
    fq_free(cost);
    fq_free(metric);
    fq_free(least);
    fq_free(offset);
    fq_free(choice);
    fq_free(now);
    fq_free(then);
}

static const unsigned shapes[][4] = {{1, 1, 8, 7}, {2, 1, 10, 6}, {3, 1, 7, 3}, {4, 1, 9, 8}, {5, 1, 8, 8},
                                     {8, 1, 9, 8}, {1, 2, 9, 7},  {3, 2, 8, 5}, {5, 2, 8, 8}, {1, 4, 7, 6},
                                     {3, 4, 8, 7}, {7, 4, 8, 7},  {2, 3, 6, 4}, {6, 1, 6, 6}};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static void passes_are_as_defined(void) {
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7201);
    for (size_t i = 0; i < SHAPES; i++) {
        const fq_trellis_map map = random_map(&s, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
        for (size_t k = 0; fq_trellis_kernels_at(k); k++) {
            check_pass(fq_trellis_kernels_at(k), &map, &s, false);
            check_pass(fq_trellis_kernels_at(k), &map, &s, true);
        }
    }
}

/* Payloads of n vectors, `together` at a call. */
static void encode_all(const fq_trellis_code *code, const fq_trellis_search *search, uint8_t *payload,
                       const float *x, size_t n, size_t together) {
    fq_trellis_encoder encoder;
    fq_trellis_workspace *work = NULL;
    if (!FQ_CHECK_OK(fq_trellis_encoder_init(&encoder, code, search)) ||
        !FQ_CHECK_OK(fq_trellis_workspace_create(&work, &encoder)))
        return;
    for (size_t i = 0; i < n; i += together)
        fq_trellis_encode(&encoder, work, payload + i * code->payload_bytes, code->payload_bytes,
                          x + i * code->dim, n - i < together ? n - i : together);
    fq_trellis_workspace_destroy(work);
    fq_trellis_encoder_clear(&encoder);
}

static void kernels_agree(void) {
    enum { N = 37 };
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7202);
    for (size_t i = 0; i < SHAPES; i++) {
        const fq_trellis_map map = random_map(&s, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
        fq_trellis_code code;
        const size_t dim = 12 * map.together * (1 + fq_stream_below(&s, 3));
        if (!FQ_CHECK_OK(fq_trellis_code_init(&code, &map, dim)))
            continue;
        float *x = room(N * dim, sizeof *x);
        uint8_t *first = room(N, code.payload_bytes), *payload = room(N, code.payload_bytes);
        directions(x, dim, 1000 * i, N);
        fq_trellis_search search = {.tries = 3, .exact = i == 0};
        for (size_t k = 0; fq_trellis_kernels_at(k); k++) {
            search.kernels = fq_trellis_kernels_at(k);
            encode_all(&code, &search, k ? payload : first, x, N, N);
            FQ_CHECK(k == 0 || memcmp(first, payload, N * code.payload_bytes) == 0);
            encode_all(&code, &search, payload, x, N, 5);
            FQ_CHECK(memcmp(first, payload, N * code.payload_bytes) == 0);
        }
        fq_free(x);
        fq_free(first);
        fq_free(payload);
        fq_trellis_code_clear(&code);
    }
}

/* What the passes minimise, at the scale of a single try, and the cosine of the angle. */
static void meet(const fq_trellis_code *code, const uint8_t *payload, const float *x, double *cost,
                 double *cosine) {
    double xc = 0, cc = 0;
    *cost = 0;
    for (size_t j = 0; j < code->dim; j++) {
        const double level = fq_trellis_level_at(code, payload, j);
        const double e = 0.95 * (double)x[j] - level * (double)code->unit;
        *cost += e * e;
        xc += level * (double)x[j];
        cc += level * level;
    }
    *cosine = cc > 0 ? xc / sqrt(cc) : -1;
}

/* Of all payloads with a certain state after a certain step the one of the smallest cost; of these, over all
 * states, the largest cosine: what an exact search from that step finds. */
static void search_by_trying(const fq_trellis_code *code, const float *x, double cosine_from[10]) {
    const size_t states = (size_t)1 << (code->map.window - code->map.fresh);
    for (size_t t = 0; t < code->steps; t++) {
        double least[64], cosine[64];
        for (size_t s = 0; s < states; s++)
            least[s] = HUGE_VAL;
        for (unsigned bits = 0; bits < 1024; bits++) {
            const uint8_t payload[2] = {(uint8_t)bits, (uint8_t)(bits >> 8)};
            const unsigned state = fq_trellis_window_at(code, payload, t) >> code->map.fresh;
            double cost, near;
            meet(code, payload, x, &cost, &near);
            if (cost < least[state]) {
                least[state] = cost;
                cosine[state] = near;
            }
        }
        cosine_from[t] = -1;
        for (size_t s = 0; s < states; s++)
            if (least[s] < HUGE_VAL && cosine[s] > cosine_from[t])
                cosine_from[t] = cosine[s];
    }
}

/* All payloads of circles of ten bits. Costs are rounded, so now and then another of nearly the same cost is
 * found. */
static void an_exact_search_finds_the_best_circle(void) {
    enum { N = 40 };
    static const unsigned small[][3] = {{1, 1, 10}, {1, 2, 20}, {2, 1, 5}, {5, 1, 2}};
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 7203);
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        const fq_trellis_map map = random_map(&s, small[i][0], small[i][1], 6, 5);
        const size_t dim = small[i][2];
        fq_trellis_code code;
        float x[N * 20];
        uint8_t found[N][2];
        if (!FQ_CHECK_OK(fq_trellis_code_init(&code, &map, dim)) || !FQ_CHECK(code.payload_bits == 10))
            continue;
        directions(x, dim, 100000 + 1000 * i, N);
        encode_all(&code, &(fq_trellis_search){.tries = 1, .exact = true}, found[0], x, N, N);
        size_t same = 0;
        for (size_t v = 0; v < N; v++) {
            double cost, cosine, best[10];
            meet(&code, found[v], x + v * dim, &cost, &cosine);
            search_by_trying(&code, x + v * dim, best);
            bool equal = false;
            for (size_t t = 0; t < code.steps; t++)
                equal = equal || fabs(best[t] - cosine) < 1e-9;
            same += equal;
        }
        FQ_CHECK(same >= N - 1);
        fq_trellis_code_clear(&code);
    }
}

/* D of codes and searches on vectors that nothing was fitted to; see notes on trellises for 10^6. */
static void distortions_are_those_measured(void) {
    static const struct {
        double bits, distortion;
    } cases[] = {{1, 0.27184}, {2, 0.06812}, {3, 0.01704}, {4, 0.004294}};
    const size_t n = 2048 * fq_test_multiplier();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_trellis_map map = {.window = 10, .label_bits = fq_trellis_usual_labels(cases[i].bits, 10)};
        fq_trellis_code code;
        double distortion = 0, error = 0;
        FQ_CHECK(fq_trellis_split_rate(cases[i].bits, &map.fresh, &map.together));
        if (!FQ_CHECK_OK(fq_trellis_map_get(&map)) || !FQ_CHECK_OK(fq_trellis_code_init(&code, &map, 64)))
            continue;
        FQ_CHECK_OK(fq_trellis_measure(&distortion, &error, &code, &(fq_trellis_search){.tries = 4},
                                       fq_test_seed(), FQ_PURPOSE_TEST, 950000000, n));
        FQ_CHECK_NEAR(distortion, cases[i].distortion, 4 * error);
        fq_trellis_code_clear(&code);
    }
}

/* Within 0.45 dB of 4^-b, whatever d, by the usual window and eight tries. */
static void codes_are_near_the_limit(void) {
    static const size_t dims[] = {64, 80, 96, 128};
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++)
        for (unsigned bits = 1; bits <= 4; bits++) {
            fq_trellis_map map = {.fresh = bits, .together = 1, .window = fq_trellis_usual_window(bits)};
            fq_trellis_code code;
            double distortion = 1, error = 0;
            map.label_bits = fq_trellis_usual_labels(bits, map.window);
            if (!FQ_CHECK_OK(fq_trellis_map_get(&map)) ||
                !FQ_CHECK_OK(fq_trellis_code_init(&code, &map, dims[i])))
                continue;
            FQ_CHECK_OK(fq_trellis_measure(&distortion, &error, &code, &(fq_trellis_search){.tries = 8},
                                           fq_test_seed(), FQ_PURPOSE_TEST, 990000000,
                                           256 * fq_test_multiplier()));
            FQ_CHECK(10 * log10((distortion + 2 * error) * pow(4, bits)) < 0.45);
            fq_trellis_code_clear(&code);
        }
}

/* More tries, and knowing the state, make codes better; a wider window, too. */
static void more_work_is_worth_it(void) {
    fq_trellis_map map = {.fresh = 2, .together = 1, .window = 8, .label_bits = 7};
    fq_trellis_code code;
    double once = 0, four = 0, exact = 0, error = 0;
    if (!FQ_CHECK_OK(fq_trellis_map_get(&map)) || !FQ_CHECK_OK(fq_trellis_code_init(&code, &map, 64)))
        return;
    fq_trellis_search search = {.tries = 1};
    FQ_CHECK_OK(fq_trellis_measure(&once, &error, &code, &search, 5, FQ_PURPOSE_TEST, 960000000, 512));
    search.exact = true;
    FQ_CHECK_OK(fq_trellis_measure(&exact, &error, &code, &search, 5, FQ_PURPOSE_TEST, 960000000, 512));
    search = (fq_trellis_search){.tries = 4};
    FQ_CHECK_OK(fq_trellis_measure(&four, &error, &code, &search, 5, FQ_PURPOSE_TEST, 960000000, 512));
    FQ_CHECK(once > 1.005 * exact && once < 1.1 * exact && four < 0.985 * once);
    fq_trellis_code_clear(&code);
}

/* Every coordinate of the rotated domain has the same error, wherever the paths begin. */
static void errors_are_isotropic(void) {
    enum { N = 12288, D = 64 };
    fq_trellis_map map = {.fresh = 2, .together = 1, .window = 8, .label_bits = 7};
    fq_trellis_code code;
    float *x = room((size_t)N * D, sizeof *x);
    if (!FQ_CHECK_OK(fq_trellis_map_get(&map)) || !FQ_CHECK_OK(fq_trellis_code_init(&code, &map, D)) || !x)
        return;
    uint8_t *payload = room(N, code.payload_bytes);
    directions(x, D, 200000, N);
    encode_all(&code, &(fq_trellis_search){.tries = 1}, payload, x, N, N);
    double square[D] = {0}, fourth[D] = {0}, all = 0;
    for (size_t i = 0; i < N; i++) {
        int8_t level[D];
        double xc = 0, cc = 0;
        fq_trellis_levels(&code, level, payload + i * code.payload_bytes);
        for (size_t j = 0; j < D; j++) {
            xc += (double)x[i * D + j] * level[j];
            cc += level[j] * level[j];
        }
        for (size_t j = 0; j < D; j++) {
            const double e = (double)x[i * D + j] - xc / cc * level[j];
            square[j] += e * e / N;
            fourth[j] += e * e * e * e / N;
        }
    }
    for (size_t j = 0; j < D; j++)
        all += square[j] / D;
    for (size_t j = 0; j < D; j++)
        FQ_CHECK_NEAR(square[j], all, 4.5 * sqrt((fourth[j] - square[j] * square[j]) / N));
    fq_free(x);
    fq_free(payload);
    fq_trellis_code_clear(&code);
}

/* <x,x^> and |x^|^2 of vectors of norm 3, decoded by a codec. */
static bool products_of(const char *name, double *with_input, double *with_itself, double *distortion,
                        size_t n) {
    enum { D = 64 };
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    if (!FQ_CHECK_OK(fq_codec_spec_parse(&spec, name)) ||
        !FQ_CHECK_OK(fq_codec_create(&codec, &spec, D, NULL)))
        return false;
    float *x = room(n * D, sizeof *x), *y = room(n * D, sizeof *y);
    uint8_t *codes = room(n, fq_codec_get_cost(codec).code_bytes);
    directions(x, D, 300000, n);
    for (size_t i = 0; i < n * D; i++)
        x[i] *= 3;
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, n));
    FQ_CHECK_OK(fq_codec_decode(codec, y, codes, n));
    for (size_t i = 0; i < n; i++) {
        with_input[i] = with_itself[i] = distortion[i] = 0;
        for (size_t j = i * D; j < (i + 1) * D; j++) {
            const double e = (double)x[j] - (double)y[j];
            with_input[i] += (double)x[j] * (double)y[j] / 9;
            with_itself[i] += (double)y[j] * (double)y[j] / 9;
            distortion[i] += e * e / 9;
        }
    }
    fq_free(x);
    fq_free(y);
    fq_free(codes);
    fq_codec_destroy(codec);
    return true;
}

/* With the gain stored <x,x^> = |x^|^2 = 1 - D for every vector; with the unbiased norm <x,x^> = |x|^2 and
 * the error is D / (1 - D) of the gain's; up to the rounding of a half, 2^-11. */
static void gains_keep_their_identities(void) {
    enum { N = 64 };
    static const char *const pairs[][2] = {
        {"trellis:b=2", "trellis:b=2,norm=unbiased"},
        {"trellis:b=0.5,window=8", "trellis:b=0.5,window=8,norm=unbiased"},
        {"tq:b=2,norm=gain,tries=5", "tq:b=2,norm=unbiased,tries=5"},
        {"fib:k=2,N=16,recipe=initial,norm=gain", "fib:k=2,N=16,recipe=initial,norm=unbiased"},
    };
    for (size_t p = 0; p < sizeof pairs / sizeof pairs[0]; p++) {
        double xy[2][N], yy[2][N], d[2][N];
        if (!products_of(pairs[p][0], xy[0], yy[0], d[0], N) ||
            !products_of(pairs[p][1], xy[1], yy[1], d[1], N))
            continue;
        for (size_t i = 0; i < N; i++) {
            FQ_CHECK_NEAR(xy[0][i], 1 - d[0][i], 1e-3);
            FQ_CHECK_NEAR(xy[0][i], yy[0][i], 1e-3);
            FQ_CHECK_NEAR(xy[1][i], 1, 1e-3);
            FQ_CHECK_NEAR(d[1][i], d[0][i] / (1 - d[0][i]), 4e-3 * (1 + d[1][i]));
        }
    }
}

/* Scales of codes of blocks: 1 is one of them, so no vector is worse off, and on the whole they are better.
 */
static void tries_help_codes_of_blocks(void) {
    enum { N = 512 };
    static const struct {
        const char *name;
        double most; /* of D with eight tries, as a part of D with one */
    } cases[] = {{"tq:b=4,norm=gain", 0.82},
                 {"tq:b=3,norm=gain", 0.92},
                 {"fib:k=2,N=16,recipe=initial,norm=gain", 0.99}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        static double xy[3][N], yy[3][N], d[3][N];
        char name[FQ_SPEC_TEXT_MAX];
        double sum[3] = {0};
        static const char *const tries[] = {"", ",tries=2", ",tries=8"};
        for (size_t t = 0; t < 3; t++) {
            snprintf(name, sizeof name, "%s%s", cases[c].name, tries[t]);
            if (!products_of(name, xy[t], yy[t], d[t], N))
                return;
            for (size_t i = 0; i < N; i++) {
                FQ_CHECK(d[t][i] <= d[0][i] + 2e-6);
                sum[t] += d[t][i];
            }
        }
        FQ_CHECK(sum[1] < sum[0] && sum[2] < sum[1] && sum[2] < cases[c].most * sum[0]);
    }
}

static bool is_in_the_library(double bits, unsigned window) {
    unsigned fresh = 0, together = 0;
    FQ_CHECK(fq_trellis_split_rate(bits, &fresh, &together));
    for (size_t i = 0; fq_trellis_map_at(i); i++) {
        const fq_trellis_map *map = fq_trellis_map_at(i);
        if (map->fresh == fresh && map->together == together && map->window == window &&
            map->label_bits == fq_trellis_usual_labels(bits, window))
            return true;
    }
    return false;
}

static void the_librarys_maps_are_whole(void) {
    fq_trellis_code code;
    size_t count = 0;
    for (; fq_trellis_map_at(count); count++) {
        const fq_trellis_map *map = fq_trellis_map_at(count);
        if (FQ_CHECK_OK(fq_trellis_code_init(&code, map, 64)))
            fq_trellis_code_clear(&code);
        for (size_t i = 0; i < count; i++) {
            const fq_trellis_map *other = fq_trellis_map_at(i);
            FQ_CHECK(other->fresh != map->fresh || other->together != map->together ||
                     other->window != map->window || other->label_bits != map->label_bits);
        }
    }
    static const double rates[] = {0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4},
                        others[] = {1.25, 1.75, 3.5, 5, 6, 7, 8};
    for (size_t r = 0; r < sizeof rates / sizeof rates[0]; r++)
        for (unsigned window = 8; window <= 12; window += 2)
            FQ_CHECK(is_in_the_library(rates[r], window));
    for (size_t r = 0; r < sizeof others / sizeof others[0]; r++)
        FQ_CHECK(is_in_the_library(others[r], fq_trellis_usual_window(others[r])));
}

/* Shapes that are not among them are searched for, up to eight bits a coordinate. */
static void other_maps_are_found(void) {
    static const struct {
        unsigned fresh, together, window, label_bits;
        double most; /* of D at d = 64, one try */
    } cases[] = {{8, 1, 9, 8, 1.5e-4}, {5, 1, 7, 8, 0.0019}, {1, 1, 6, 3, 0.3}, {7, 4, 7, 6, 0.17}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_trellis_map map = {.fresh = cases[i].fresh,
                              .together = cases[i].together,
                              .window = cases[i].window,
                              .label_bits = cases[i].label_bits};
        fq_trellis_code code;
        double distortion = 1, error = 0;
        if (!FQ_CHECK_OK(fq_trellis_map_get(&map)) || !FQ_CHECK_OK(fq_trellis_code_init(&code, &map, 64)))
            continue;
        FQ_CHECK_OK(fq_trellis_measure(&distortion, &error, &code, &(fq_trellis_search){.tries = 1}, 1,
                                       FQ_PURPOSE_TEST, 980000000, 256));
        FQ_CHECK(distortion < cases[i].most);
        fq_trellis_code_clear(&code);
    }
}

static bool stop_at_half(void *context, double fraction) {
    (void)context;
    return fraction < 0.5;
}

static void searches_are_deterministic_and_can_be_stopped(void) {
    const fq_trellis_plan plan = {.fresh = 2,
                                  .together = 1,
                                  .window = 6,
                                  .label_bits = 5,
                                  .seed = 3,
                                  .evaluations = 400,
                                  .samples = 128,
                                  .tries = 1,
                                  .training = 512};
    fq_trellis_map a = {0}, b = {0}, drawn;
    fq_stream s;
    double found = 1, first = 0, error = 0;
    FQ_CHECK_OK(fq_trellis_find_map(&a, &plan, NULL));
    FQ_CHECK_OK(fq_trellis_find_map(&b, &plan, NULL));
    FQ_CHECK(memcmp(a.column, b.column, sizeof a.column) == 0 &&
             memcmp(a.level, b.level, sizeof a.level) == 0 && memcmp(&a.step, &b.step, sizeof a.step) == 0);
    fq_stream_init(&s, 1, FQ_PURPOSE_TEST, 7204);
    drawn = random_map(&s, 2, 1, 6, 5);
    const fq_trellis_map *maps[] = {&a, &drawn};
    for (size_t i = 0; i < 2; i++) {
        fq_trellis_code code;
        if (!FQ_CHECK_OK(fq_trellis_code_init(&code, maps[i], 64)))
            return;
        FQ_CHECK_OK(fq_trellis_measure(i ? &first : &found, &error, &code, &(fq_trellis_search){.tries = 1},
                                       3, FQ_PURPOSE_TEST, 970000000, 512));
        fq_trellis_code_clear(&code);
    }
    FQ_CHECK(found < 0.0795 && first > found + 0.002);
    FQ_CHECK(found < 0.0795 && first > found + 0.002);
    const fq_progress stop = {stop_at_half, NULL};
    FQ_CHECK_FAILS(fq_trellis_find_map(&b, &plan, &stop), FQ_ERR_INTERRUPTED);
}

static const fq_test tests[] = {
    {"passes are as defined", passes_are_as_defined},
    {"kernels agree", kernels_agree},
    {"an exact search finds the best circle", an_exact_search_finds_the_best_circle},
    {"distortions are those measured", distortions_are_those_measured},
    {"codes are near the limit", codes_are_near_the_limit},
    {"more work is worth it", more_work_is_worth_it},
    {"errors are isotropic", errors_are_isotropic},
    {"gains keep their identities", gains_keep_their_identities},
    {"tries help codes of blocks", tries_help_codes_of_blocks},
    {"the library's maps are whole", the_librarys_maps_are_whole},
    {"other maps are found", other_maps_are_found},
    {"searches are deterministic and can be stopped", searches_are_deterministic_and_can_be_stopped},
    {0},
};
const fq_suite fq_suite_trellis_encode = {"trellis_encode", tests};
