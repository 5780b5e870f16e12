#include "trellis_search.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <string.h>

#include "codebook_restart.h"
#include "memory.h"
#include "size_limits.h"
#include "source.h"
#include "stream_ranges.h"
#include "threads.h"

enum { CHUNK = 256 };

/* Buffers of a chunk of vectors, and an encoder for them. */
typedef struct bench {
    fq_trellis_encoder encoder;
    fq_trellis_workspace *workspace;
    fq_source source;
    float *x;
    uint8_t *payload;
    int8_t *levels;
} bench;

static void bench_clear(bench *b) {
    fq_trellis_workspace_destroy(b->workspace);
    fq_trellis_encoder_clear(&b->encoder);
    fq_free(b->x);
    fq_free(b->payload);
    fq_free(b->levels);
}

static fq_status bench_init(bench *b, const fq_trellis_code *code, const fq_trellis_search *search) {
    memset(b, 0, sizeof *b);
    fq_status status;
    FQ_TRY_GOTO(status, fq_trellis_encoder_init(&b->encoder, code, search), failed);
    FQ_TRY_GOTO(status, fq_trellis_workspace_create(&b->workspace, &b->encoder), failed);
    FQ_TRY_GOTO(status, fq_source_init(&b->source, code->dim, code->dim), failed);
    FQ_TRY_GOTO(status, fq_alloc(&b->x, CHUNK * code->dim, sizeof *b->x), failed);
    FQ_TRY_GOTO(status, fq_alloc(&b->payload, CHUNK * code->payload_bytes, 1), failed);
    FQ_TRY_GOTO(status, fq_alloc(&b->levels, code->dim, 1), failed);
    return FQ_OK;
failed:
    bench_clear(b);
    return status;
}

/* <x,c> and |c|^2 in levels. */
static void products(const int8_t *levels, const float *x, size_t d, double *xc, double *cc) {
    double product = 0;
    int64_t square = 0;
    for (size_t j = 0; j < d; j++) {
        product += (double)x[j] * levels[j];
        square += levels[j] * levels[j];
    }
    *xc = product;
    *cc = (double)square;
}

/* 1 - cos^2 of n <= CHUNK vectors x, into out. */
static void distortions(bench *b, double *out, const float *x, size_t n) {
    const fq_trellis_code *code = b->encoder.code;
    fq_trellis_encode(&b->encoder, b->workspace, b->payload, code->payload_bytes, x, n);
    for (size_t i = 0; i < n; i++) {
        double xc, cc;
        fq_trellis_levels(code, b->levels, b->payload + i * code->payload_bytes);
        products(b->levels, x + i * code->dim, code->dim, &xc, &cc);
        out[i] = cc > 0 ? 1 - xc * xc / cc : 1;
    }
}

fq_status fq_trellis_measure(double *distortion, double *error, const fq_trellis_code *code,
                             const fq_trellis_search *search, uint64_t seed, fq_purpose purpose,
                             uint64_t first, size_t n) {
    const size_t chunks = (n + CHUNK - 1) / CHUNK;
    double *sums = NULL;
    FQ_TRY(fq_alloc_zero(&sums, 2 * chunks, sizeof *sums));
    fq_status failed = FQ_OK;
    fq_error failure;
#pragma omp parallel num_threads(fq_threads_get())
    {
        bench b;
        const fq_status status = bench_init(&b, code, search);
        if (status != FQ_OK) {
#pragma omp critical(fq_trellis_failure)
            {
                failed = status;
                failure = *fq_error_last();
            }
        }
#pragma omp for schedule(dynamic)
        for (size_t c = 0; c < chunks; c++) {
            if (status != FQ_OK)
                continue;
            const size_t count = n - c * CHUNK < CHUNK ? n - c * CHUNK : CHUNK;
            double each[CHUNK];
            fq_source_sample_serial(&b.source, seed, purpose, first + c * CHUNK, count, b.x);
            distortions(&b, each, b.x, count);
            for (size_t i = 0; i < count; i++) {
                sums[2 * c] += each[i];
                sums[2 * c + 1] += each[i] * each[i];
            }
        }
        if (status == FQ_OK)
            bench_clear(&b);
    }
    double sum = 0, squares = 0;
    for (size_t c = 0; c < chunks; c++) {
        sum += sums[2 * c];
        squares += sums[2 * c + 1];
    }
    fq_free(sums);
    if (failed != FQ_OK)
        return fq_error_restore(&failure);
    const double mean = sum / (double)n;
    *distortion = mean;
    *error = sqrt(fmax(0, squares / (double)n - mean * mean) / (double)(n > 1 ? n - 1 : 1));
    return FQ_OK;
}

/* Whole numbers and a step from real levels. */
static void round_levels(fq_trellis_map *map, const double *level) {
    double largest = 0;
    const unsigned levels = 1u << map->label_bits;
    for (unsigned i = 0; i < levels; i++)
        largest = fmax(largest, fabs(level[i]));
    map->step = (double)(float)(largest / 127);
    for (unsigned i = 0; i < levels; i++)
        map->level[i] = (int8_t)lrint(fmin(127, fmax(-127, level[i] / map->step)));
}

void fq_trellis_first_levels(fq_trellis_map *map) {
    double level[FQ_TRELLIS_LEVELS_MAX];
    const int levels = 1 << map->label_bits;
    double variance = 1 - pow(4, -(double)map->fresh / map->together);
    if (map->fresh > 4)
        variance *= 1 + 2 * pow(2, -0.5 * (map->window - map->fresh));
    const double spread = sqrt(variance);
    double below = 0; /* the density at a cell's lower end */
    for (int i = 0; i < levels; i++) {
        const double above =
            i + 1 < levels ? gsl_ran_gaussian_pdf(gsl_cdf_gaussian_Pinv((i + 1.0) / levels, 1), 1) : 0;
        level[i] = spread * levels * (below - above);
        below = above;
    }
    round_levels(map, level);
}

fq_status fq_trellis_train_levels(fq_trellis_map *map, size_t dim, const fq_trellis_search *search,
                                  uint64_t seed, uint64_t first, size_t n) {
    fq_trellis_code code;
    FQ_TRY(fq_trellis_code_init(&code, map, dim));
    bench b;
    fq_status status = bench_init(&b, &code, search);
    if (status != FQ_OK) {
        fq_trellis_code_clear(&code);
        return status;
    }
    const double root = sqrt((double)code.dim);
    double up[FQ_TRELLIS_LEVELS_MAX] = {0}, down[FQ_TRELLIS_LEVELS_MAX] = {0}, level[FQ_TRELLIS_LEVELS_MAX];
    for (size_t done = 0; done < n; done += CHUNK) {
        const size_t count = n - done < CHUNK ? n - done : CHUNK;
        fq_source_sample_serial(&b.source, seed, FQ_PURPOSE_TRAIN, first + done, count, b.x);
        fq_trellis_encode(&b.encoder, b.workspace, b.payload, code.payload_bytes, b.x, count);
        for (size_t i = 0; i < count; i++) {
            const uint8_t *payload = b.payload + i * code.payload_bytes;
            const float *x = b.x + i * code.dim;
            double xc, cc;
            fq_trellis_levels(&code, b.levels, payload);
            products(b.levels, x, code.dim, &xc, &cc);
            const double gain = cc > 0 ? xc / cc * root / map->step : 0;
            for (size_t j = 0; j < code.dim; j++) {
                const unsigned v = (unsigned)(j % map->together);
                const unsigned label =
                    fq_trellis_label(map, v, fq_trellis_window_at(&code, payload, j / map->together));
                up[label] += gain * (double)x[j] * root;
                down[label] += gain * gain;
            }
        }
    }
    for (unsigned i = 0; i < 1u << map->label_bits; i++)
        level[i] = down[i] > 0 ? up[i] / down[i] : map->level[i] * map->step;
    round_levels(map, level);
    bench_clear(&b);
    fq_trellis_code_clear(&code);
    return FQ_OK;
}

/* Work space for judging many maps of one shape on the same vectors. */
typedef struct judge {
    fq_trellis_workspace *workspace;
    uint8_t *payload;
    float *x;
    int8_t *levels;
    size_t samples, dim;
    fq_trellis_search search;
} judge;

static void judge_clear(judge *j) {
    fq_trellis_workspace_destroy(j->workspace);
    fq_free(j->payload);
    fq_free(j->x);
    fq_free(j->levels);
}

/* How many vectors a map has met when it is looked at, as parts of all, and how much worse than the best one,
 * by the same vectors, it may be then: most maps are found out by the first few. */
enum { STAGES = 3 };
static const double part_met[STAGES] = {0.0625, 0.25, 1}, may_be_worse[STAGES] = {0.012, 0.004, 0};

typedef struct verdict {
    double sum[STAGES]; /* of 1 - cos^2 */
    bool better;        /* than what it was compared with */
} verdict;

/* Meets a map with the judge's vectors as long as it may be better than the best one so far, NULL: with all.
 */
static fq_status judge_map(judge *j, verdict *found, const fq_trellis_map *map, const verdict *best) {
    fq_trellis_code code = {0};
    fq_trellis_encoder encoder = {0};
    fq_status status;
    FQ_TRY(fq_trellis_code_init(&code, map, j->dim));
    FQ_TRY_GOTO(status, fq_trellis_encoder_init(&encoder, &code, &j->search), done);
    if (!j->workspace)
        FQ_TRY_GOTO(status, fq_trellis_workspace_create(&j->workspace, &encoder), done);
    const size_t bytes = code.payload_bytes, d = code.dim;
    double sum = 0;
    found->better = true;
    for (size_t stage = 0, done = 0; stage < STAGES && found->better; stage++) {
        const size_t until = (size_t)((double)j->samples * part_met[stage]);
        fq_trellis_encode(&encoder, j->workspace, j->payload, bytes, j->x + done * d, until - done);
        for (size_t i = done; i < until; i++) {
            double xc, cc;
            fq_trellis_levels(&code, j->levels, j->payload + (i - done) * bytes);
            products(j->levels, j->x + i * d, d, &xc, &cc);
            sum += cc > 0 ? 1 - xc * xc / cc : 1;
        }
        found->sum[stage] = sum;
        found->better = !best || sum < best->sum[stage] * (1 + may_be_worse[stage]);
        done = until;
    }
done:
    fq_trellis_encoder_clear(&encoder);
    fq_trellis_code_clear(&code);
    return status;
}

static uint8_t *any_column(fq_trellis_map *map, fq_stream *s) {
    return &map->column[fq_stream_below(s, map->together)][fq_stream_below(s, map->window)];
}

static void draw_column(fq_trellis_map *map, fq_stream *s) {
    *any_column(map, s) = (uint8_t)fq_stream_below(s, 1u << map->label_bits);
}

static void flip_bit(fq_trellis_map *map, fq_stream *s) {
    *any_column(map, s) ^= (uint8_t)(1u << fq_stream_below(s, map->label_bits));
}

static void add_column(fq_trellis_map *map, fq_stream *s) {
    const uint8_t other = *any_column(map, s);
    uint8_t *column = any_column(map, s);
    if (*column != other)
        *column ^= other;
}

static void swap_columns(fq_trellis_map *map, fq_stream *s) {
    uint8_t *a = any_column(map, s), *b = any_column(map, s), swap = *a;
    *a = *b;
    *b = swap;
}

/* One to three small changes. */
static void change(fq_trellis_map *map, fq_stream *s) {
    static void (*const kinds[])(fq_trellis_map *, fq_stream *) = {flip_bit, flip_bit, draw_column,
                                                                   add_column, swap_columns};
    static const unsigned counts[] = {1, 1, 1, 2, 2, 3};
    for (unsigned n = counts[fq_stream_below(s, 6)]; n > 0; n--)
        kinds[fq_stream_below(s, 5)](map, s);
}

enum { STARTS = 8, KEPT = 4 };

typedef struct candidate {
    fq_trellis_map map;
    verdict verdict;
} candidate;

/* Whether the fresh bits of a step lead to 2^K different labels, all coordinates' taken together, or to as
 * many as there are: elimination among the columns of fresh bits. */
static bool fresh_bits_differ(const fq_trellis_map *map) {
    uint32_t rows[FQ_TRELLIS_FRESH_MAX] = {0};
    unsigned rank = 0;
    const unsigned labels = map->label_bits * map->together;
    for (unsigned i = 0; i < map->fresh; i++) {
        uint32_t row = 0;
        for (unsigned v = 0; v < map->together; v++)
            row |= (uint32_t)map->column[v][map->window - 1 - i] << v * FQ_TRELLIS_LABEL_BITS_MAX;
        for (unsigned r = 0; r < rank; r++)
            row = (row ^ rows[r]) < row ? row ^ rows[r] : row;
        if (row)
            rows[rank++] = row;
    }
    return rank == (map->fresh < labels ? map->fresh : labels);
}

static void draw_map(fq_trellis_map *map, fq_stream *s) {
    do {
        for (unsigned v = 0; v < map->together; v++)
            for (unsigned i = 0; i < map->window; i++)
                map->column[v][i] = (uint8_t)fq_stream_below(s, 1u << map->label_bits);
    } while (!fresh_bits_differ(map));
}

/* Maps drawn at random; the best KEPT of them, best first. */
static fq_status draw_maps(judge *j, candidate *kept, const fq_trellis_plan *plan, size_t start,
                           size_t count) {
    fq_stream s;
    fq_stream_init_in(&s, plan->seed, FQ_RANGE_TRELLIS_STARTS, start);
    candidate next = {.map = {.fresh = plan->fresh,
                              .together = plan->together,
                              .window = plan->window,
                              .label_bits = plan->label_bits}};
    fq_trellis_first_levels(&next.map);
    for (size_t n = 0; n < count; n++) {
        draw_map(&next.map, &s);
        FQ_TRY(judge_map(j, &next.verdict, &next.map, n < KEPT ? NULL : &kept[KEPT - 1].verdict));
        if (!next.verdict.better)
            continue;
        size_t at = n < KEPT ? n : KEPT - 1;
        for (; at > 0 && next.verdict.sum[STAGES - 1] < kept[at - 1].verdict.sum[STAGES - 1]; at--)
            kept[at] = kept[at - 1];
        kept[at] = next;
    }
    return FQ_OK;
}

/* One round of training in the middle of a search, and a new verdict. */
static fq_status train_again(judge *j, candidate *c, const fq_trellis_plan *plan, uint64_t *used) {
    FQ_TRY(fq_trellis_train_levels(&c->map, j->dim, &j->search, plan->seed, *used, plan->training / 4));
    *used += plan->training / 4;
    return judge_map(j, &c->verdict, &c->map, NULL);
}

/* Changes that make the map better, for so many evaluations; of the search's STARTS + 1 parts these are
 * `parts`, from part `start` on. */
static fq_status climb(judge *j, candidate *best, const fq_trellis_plan *plan, size_t start, size_t parts,
                       size_t count, uint64_t *used, const fq_progress *progress) {
    enum { TRAININGS = 4 };
    fq_stream s;
    fq_stream_init_in(&s, plan->seed, FQ_RANGE_TRELLIS_CLIMBS, start);
    for (size_t n = 0; n < count; n++) {
        if (n && n % (count / TRAININGS + 1) == 0)
            FQ_TRY(train_again(j, best, plan, used));
        candidate other = {.map = best->map};
        change(&other.map, &s);
        FQ_TRY(judge_map(j, &other.verdict, &other.map, &best->verdict));
        if (other.verdict.better)
            *best = other;
        if (n % 16 == 0)
            FQ_TRY(fq_train_report(progress, ((double)start + (double)parts * (double)n / (double)count) /
                                                 (STARTS + 1)));
    }
    return FQ_OK;
}

static double last_sum(const candidate *c) {
    return c->verdict.sum[STAGES - 1];
}

/* One start: the best of some maps drawn at random, as far as changes bring it. */
static fq_status make_start(judge *j, candidate *found, const fq_trellis_plan *plan, size_t start,
                            size_t count, uint64_t *used, const fq_progress *progress) {
    candidate kept[KEPT], *best = kept;
    const size_t drawn = count * 2 / 5 > KEPT ? count * 2 / 5 : KEPT;
    FQ_TRY(draw_maps(j, kept, plan, start, drawn));
    for (size_t i = 0; i < KEPT; i++) {
        for (int round = 0; round < 2; round++)
            FQ_TRY(train_again(j, &kept[i], plan, used));
        if (last_sum(&kept[i]) < last_sum(best))
            best = &kept[i];
    }
    *found = *best;
    return climb(j, found, plan, start, 1, count > drawn ? count - drawn : 0, used, progress);
}

/* The best of all starts. */
static fq_status make_starts(judge *j, candidate *best, const fq_trellis_plan *plan, size_t each,
                             uint64_t *used, const fq_progress *progress) {
    for (size_t start = 0; start < STARTS; start++) {
        candidate next;
        FQ_TRY(make_start(j, &next, plan, start, each, used, progress));
        if (start == 0 || last_sum(&next) < last_sum(best))
            *best = next;
    }
    return FQ_OK;
}

fq_status fq_trellis_find_map(fq_trellis_map *map, const fq_trellis_plan *plan, const fq_progress *progress) {
    enum { LAST_ROUNDS = 6 };
    static const fq_progress silent;
    static const fq_trellis_search finally = {.tries = 4};
    const size_t each = plan->evaluations / (2 * STARTS);
    judge j = {.samples = plan->samples,
               .dim = plan->dim ? plan->dim : FQ_TRELLIS_SEARCH_DIM,
               .search = {.tries = plan->tries}};
    candidate best;
    uint64_t used = 0;
    fq_source source;
    fq_status status;
    progress = progress ? progress : &silent;
    FQ_TRY(fq_check_size("samples", plan->samples, 32, 1 << 20));
    FQ_TRY(fq_source_init(&source, j.dim, j.dim));
    FQ_TRY_GOTO(status, fq_alloc(&j.x, plan->samples * j.dim, sizeof *j.x), done);
    FQ_TRY_GOTO(status, fq_alloc(&j.payload, plan->samples * j.dim, 1), done);
    FQ_TRY_GOTO(status, fq_alloc(&j.levels, j.dim, 1), done);
    fq_source_sample_serial(&source, plan->seed, FQ_PURPOSE_VALIDATE, 0, plan->samples, j.x);
    if (plan->from) {
        best.map = *plan->from;
        FQ_TRY_GOTO(status, judge_map(&j, &best.verdict, &best.map, NULL), done);
        FQ_TRY_GOTO(status, climb(&j, &best, plan, 0, STARTS + 1, plan->evaluations, &used, progress), done);
    } else {
        FQ_TRY_GOTO(status, make_starts(&j, &best, plan, each, &used, progress), done);
        FQ_TRY_GOTO(status,
                    climb(&j, &best, plan, STARTS, 1, plan->evaluations - STARTS * each, &used, progress),
                    done);
    }
    for (int round = 0; round < LAST_ROUNDS; round++, used += plan->training)
        FQ_TRY_GOTO(status,
                    fq_trellis_train_levels(&best.map, j.dim, &finally, plan->seed, used, plan->training),
                    done);
    *map = best.map;
done:
    judge_clear(&j);
    return status;
}
