/* The population recipe: minimises the distortion of the distribution.
 *
 * 1. Search for a good arrangement. Candidates start from the radial-angular initialisation under a
 *    random rotation, from the product code, and from points of the optimal density, and run Lloyd
 *    iterations on one common set of samples while their codewords are shaken by noise that dies away
 *    (stochastic relaxation, after Zeger, Vaisey and Gersho 1992), so that they settle in low minima.
 * 2. Polish the best on a few fresh samples a cell in every iteration, many iterations, with cell
 *    statistics that remember more and more of the past: stochastic approximation, whose early noise
 *    goes on relaxing the arrangement and whose late averages are precise. At equal work this gave
 *    less distortion than fewer iterations on more samples, everywhere tried (by 0.4 to 1 per cent
 *    from N = 256 on). No sample is ever fitted twice.
 * 3. Choose, on validation samples that neither stage saw, between these, the initialisation and the
 *    product code. So the result is never worse than either, up to the validation's standard error.
 * Recipe shell differs in step 1: every candidate begins with all words on one sphere. Recipe lattice has one
 * finalist more: the short points of a lattice about one of several centres, scaled to the least error, not
 * shaken and polished by statistics with little noise, so that the lattice's own arrangement is fitted to the
 * distribution's edge. Where it is the better one, at (8,256) by 1 per cent, it is chosen; elsewhere the
 * population recipe's code is.
 *
 * The effort is fixed by (d, k, N, tolerance) alone, never by time: see plan_effort.
 */
#include "codebook_population.h"

#include <math.h>
#include <string.h>

#include "codebook_initial.h"
#include "codebook_restart.h"
#include "codebook_starts.h"
#include "lloyd.h"
#include "memory.h"
#include "stream_ranges.h"

enum {
    FINALISTS_MAX = 3, /* two found by search, one a lattice */
    CANDIDATES_MAX = 48,
    SEARCH_ITERATIONS = 300,
    POLISH_ITERATIONS = 6000,
    LATTICE_MEMORY = 100,
    SAMPLES_A_CELL = 6 /* at least, in an iteration of the polish */
};

/* Work of an iteration of the polish, at least, in the units of plan_effort: below it threads would
 * spend more time meeting each other than working. */
static const double polish_grain = 3e7;

/* Found by trial over (2,256), (4,256) and (8,256) at d = 64: how hard the search shakes codewords, in
 * units of a cell's root mean squared error a coordinate, and how far beyond the centroid the polish
 * steps (1 is Lloyd's own step, which creeps along the flat valleys of the distortion). */
static const double shake_scale = 0.7, overstep = 1.8;

typedef struct effort {
    unsigned candidates, search_iterations, finalists, polish_iterations;
    size_t search_samples, polish_samples, validation_samples;
} effort;

typedef struct trainer {
    const fq_source *source;
    const fq_train_options *options;
    size_t N, k;
    effort effort;
    float *samples; /* [search_samples][k] */
    float *current; /* [N][k] */
    float *finalist[FINALISTS_MAX];
    double finalist_error[FINALISTS_MAX];
    unsigned finalists;
    fq_cells cells, fresh;
    uint64_t next_sample; /* first training sample not used yet */
    double work_done, work_total;
    unsigned lattice; /* which finalist is one; FINALISTS_MAX if none */
} trainer;

static size_t clamp(double value, double least, double most) {
    return (size_t)fmin(fmax(value, least), most);
}

/* How the work that the tolerance allows is shared between search, polish and choice. */
static effort plan_effort(const fq_train_options *options) {
    const size_t N = options->codewords, k = options->block;
    const double tolerance = options->tolerance > 0 ? options->tolerance : 0.002;
    const double n = (double)N, kept = fq_train_assign_work(N, k), fresh = fq_train_sample_work(N, k);
    /* About 5e10 units a second on two cores: seconds for small codebooks, minutes for large ones. */
    const double work = fmin(1e11 + 2e9 * n, 3e11 + 4e8 * n) * fmin(4, 0.002 / tolerance);
    const double affordable = (double)(1 << 25) / (double)k;
    effort e = {.search_iterations = SEARCH_ITERATIONS};
    e.search_samples = clamp(150 * n, 8000, fmin(affordable, FQ_CELLS_SAMPLES_MAX));
    const double candidate = (double)e.search_samples * kept * e.search_iterations;
    if (candidate <= 0.2 * work) {
        e.candidates = (unsigned)clamp(0.2 * work / candidate, 1, CANDIDATES_MAX);
    } else { /* large: the polish does most; the search takes fewer samples, then fewer iterations */
        const double share = 0.04 * work / kept;
        e.candidates = 1;
        e.search_samples = clamp(share / 20, 10 * n, (double)e.search_samples);
        e.search_iterations = (unsigned)clamp(share / (double)e.search_samples, 4, SEARCH_ITERATIONS);
    }
    e.finalists = e.candidates > 4 ? 2 : 1;
    const double polish = 0.75 * work / fresh / e.finalists;
    const double least = fmax(SAMPLES_A_CELL * n, polish_grain / fresh);
    e.polish_samples = clamp(polish / POLISH_ITERATIONS, least, fmax(1 << 20, least));
    if (e.polish_samples > FQ_CELLS_SAMPLES_MAX)
        e.polish_samples = FQ_CELLS_SAMPLES_MAX;
    e.polish_iterations = (unsigned)clamp(polish / (double)e.polish_samples, 8, POLISH_ITERATIONS);
    e.validation_samples = clamp(0.1 * work / fresh, 1 << 16, 1 << 21);
    return e;
}

static fq_status advance(trainer *t, double samples) {
    t->work_done += samples;
    return fq_train_report(&t->options->progress, fmin(1, t->work_done / t->work_total));
}

/* Points of the density proportional to f^{k/(k+2)}: exact draws of radius and direction. */
static void density_words(float *words, const fq_source *source, size_t N, fq_stream *s) {
    const size_t k = source->block;
    for (size_t n = 0; n < N; n++) {
        double u[FQ_BLOCK_MAX], squared = 0;
        for (size_t j = 0; j < k; j++) {
            u[j] = fq_stream_normal(s);
            squared += u[j] * u[j];
        }
        const double radius = fq_initial_radius(source, n, N) / sqrt(squared);
        for (size_t j = 0; j < k; j++)
            words[n * k + j] = (float)(radius * u[j]);
    }
}

/* Candidate 0 is the initialisation itself, 1 the product code where there is one. */
static fq_status start(trainer *t, unsigned candidate) {
    fq_stream s;
    fq_stream_init_in(&s, t->options->seed, FQ_RANGE_CANDIDATE_STARTS, candidate);
    if (candidate == 1 && fq_product_levels(t->N, t->k) > 1)
        return fq_product_words(t->current, t->source, t->N);
    if (candidate % 2 == 1) {
        density_words(t->current, t->source, t->N, &s);
        return FQ_OK;
    }
    fq_initial_words(t->current, t->source, t->N);
    if (candidate == 0)
        return FQ_OK;
    return fq_train_rotate(t->current, t->N, t->k, t->options->seed, candidate);
}

/* Error of words on some of the common samples. */
static fq_status common_error(trainer *t, const float *words, double *error) {
    fq_search *search = NULL;
    const size_t most = 20000, n = t->effort.search_samples < most ? t->effort.search_samples : most;
    FQ_TRY(fq_search_create(&search, words, t->N, t->k, n));
    const fq_status status = fq_cells_collect(&t->fresh, search, t->samples, n);
    fq_search_destroy(search);
    if (status == FQ_OK)
        *error = fq_cells_error(&t->fresh, words);
    return status;
}

/* The lattice's points, about the centre and at the scale of least error, as one more finalist. */
static fq_status add_lattice(trainer *t) {
    const double size = sqrt((double)t->k / (double)t->source->dim);
    double least = HUGE_VAL, error;
    if (t->N > FQ_LATTICE_START_WORDS_MAX)
        return FQ_OK;
    for (unsigned variant = 0; variant < FQ_LATTICE_STARTS; variant++)
        for (double scale = 0.4; scale < 1.5; scale += 0.05) {
            fq_stream s; /* the same points at each scale */
            fq_stream_init_in(&s, t->options->seed, FQ_RANGE_CANDIDATE_STARTS, CANDIDATES_MAX + variant);
            FQ_TRY(fq_lattice_start_words(t->current, t->k, t->N, scale * size, variant, &s));
            FQ_TRY(common_error(t, t->current, &error));
            if (error < least) {
                least = error;
                memcpy(t->finalist[t->finalists], t->current, t->N * t->k * sizeof(float));
            }
        }
    t->lattice = t->finalists++;
    return FQ_OK;
}

/* Where a candidate of this recipe begins. */
static fq_status begin(trainer *t, unsigned candidate) {
    if (t->options->recipe == FQ_RECIPE_SHELL) {
        fq_stream s;
        fq_stream_init_in(&s, t->options->seed, FQ_RANGE_CANDIDATE_STARTS, candidate);
        fq_shell_words(t->current, t->source, t->N, candidate, &s);
        return FQ_OK;
    }
    return start(t, candidate);
}

/* Noise of a fraction of the cells' own size, dying away. Words stay in the ball by the next centroid. */
static void shake(trainer *t, double error_per_sample, double heat, fq_stream *s) {
    const double scale = heat * sqrt(error_per_sample / (double)t->k);
    for (size_t i = 0; i < t->N * t->k; i++)
        t->current[i] = (float)((double)t->current[i] + scale * fq_stream_normal(s));
}

static fq_status assign(trainer *t, fq_cells *into, const float *x, size_t n) {
    fq_search *search = NULL;
    FQ_TRY(fq_search_create(&search, t->current, t->N, t->k, n));
    fq_status status;
    if (x) {
        status = fq_cells_collect(into, search, x, n);
    } else {
        status = fq_cells_collect_source(into, search, t->source, t->options->seed, FQ_PURPOSE_TRAIN,
                                         t->next_sample, n);
        t->next_sample += n;
    }
    fq_search_destroy(search);
    return status == FQ_OK ? advance(t, (double)n) : status;
}

static void keep_if_good(trainer *t, double error) {
    unsigned place = t->finalists;
    if (t->finalists == t->effort.finalists) {
        place = 0;
        for (unsigned i = 1; i < t->finalists; i++)
            if (t->finalist_error[i] > t->finalist_error[place])
                place = i;
        if (!(error < t->finalist_error[place]))
            return;
    } else {
        t->finalists++;
    }
    t->finalist_error[place] = error;
    memcpy(t->finalist[place], t->current, t->N * t->k * sizeof(float));
}

/* Lloyd iterations on the common samples, shaken less and less. */
static fq_status run_candidate(trainer *t, unsigned candidate) {
    const effort *e = &t->effort;
    fq_stream s;
    fq_stream_init_in(&s, t->options->seed, FQ_RANGE_CANDIDATE_SHAKES, candidate);
    FQ_TRY(begin(t, candidate));
    double error = HUGE_VAL;
    for (unsigned i = 0; i < e->search_iterations; i++) {
        FQ_TRY(assign(t, &t->cells, t->samples, e->search_samples));
        fq_cells_update(t->current, &t->cells, t->options->seed,
                        fq_stream_number(FQ_RANGE_POPULATION_REPAIRS, (uint64_t)candidate * 10000 + i));
        error = fq_cells_error_of_means(&t->cells);
        const double cooling = 1 - (double)i / (0.7 * e->search_iterations);
        if (cooling > 0)
            shake(t, error / (double)e->search_samples, shake_scale * cooling, &s);
    }
    keep_if_good(t, error);
    return FQ_OK;
}

static fq_status search_arrangements(trainer *t) {
    const effort *e = &t->effort;
    FQ_TRY(fq_alloc(&t->samples, e->search_samples * t->k, sizeof(float)));
    fq_source_sample(t->source, t->options->seed, FQ_PURPOSE_TRAIN, 0, e->search_samples, t->samples);
    t->next_sample = e->search_samples;
    for (unsigned candidate = 0; candidate < e->candidates; candidate++)
        FQ_TRY(run_candidate(t, candidate));
    if (t->options->recipe == FQ_RECIPE_LATTICE)
        FQ_TRY(add_lattice(t));
    fq_free(t->samples);
    t->samples = NULL;
    return FQ_OK;
}

/* The memory of the statistics, in iterations, grows to 30 over the first three quarters, and then by
 * one in each: the end is the average of all the last quarter. The last tenth takes plain steps, so
 * that the result is a set of centroids. */
static fq_status polish(trainer *t, unsigned finalist) {
    const effort *e = &t->effort;
    const size_t size = t->N * t->k;
    const double slowness = fmax(1, e->polish_iterations / 40.0);
    /* A lattice's arrangement is to stay: its words wait until the statistics have little noise. */
    const bool lattice = finalist == t->lattice;
    const unsigned quarter = e->polish_iterations / 4,
                   wait = lattice ? (LATTICE_MEMORY < quarter ? LATTICE_MEMORY : quarter) : 0;
    const double first = fmax(1, wait), step = lattice ? 1 : overstep;
    double memory = 0;
    float *before = t->finalist[finalist];
    memcpy(t->current, before, size * sizeof(float));
    for (unsigned i = 0; i < e->polish_iterations; i++) {
        memory = i < wait ? i + 1 : 4 * i < 3 * e->polish_iterations ? first + i / slowness : memory + 1;
        FQ_TRY(assign(t, &t->fresh, NULL, e->polish_samples));
        fq_cells_blend(&t->cells, 1 - 1 / memory, &t->fresh);
        if (i < wait)
            continue;
        memcpy(before, t->current, size * sizeof(float));
        const size_t repairs = fq_cells_update(
            t->current, &t->cells, t->options->seed,
            fq_stream_number(FQ_RANGE_POPULATION_REPAIRS, (uint64_t)(CANDIDATES_MAX + finalist) * 10000 + i));
        if (repairs > 0 || 10 * i >= 9 * e->polish_iterations)
            continue;
        for (size_t j = 0; j < size; j++)
            t->current[j] = (float)((double)before[j] + step * ((double)t->current[j] - (double)before[j]));
    }
    memcpy(t->finalist[finalist], t->current, size * sizeof(float));
    return FQ_OK;
}

/* Error of words on the validation samples; the same for every contender. */
static fq_status validate(trainer *t, const float *words, double *error) {
    fq_search *search = NULL;
    FQ_TRY(fq_search_create(&search, words, t->N, t->k, t->effort.validation_samples));
    const fq_status status = fq_cells_collect_source(&t->fresh, search, t->source, t->options->seed,
                                                     FQ_PURPOSE_VALIDATE, 0, t->effort.validation_samples);
    fq_search_destroy(search);
    if (status == FQ_OK)
        *error = fq_cells_error(&t->fresh, words);
    return status;
}

/* The finalist, initialisation or product code of least error on samples that none of them saw. */
static fq_status choose(trainer *t, float *words) {
    double least = HUGE_VAL, error;
    for (unsigned i = 0; i < t->finalists; i++) {
        FQ_TRY(validate(t, t->finalist[i], &error));
        if (error < least) {
            least = error;
            memcpy(words, t->finalist[i], t->N * t->k * sizeof *words);
        }
    }
    for (unsigned candidate = 0; candidate < 2; candidate++) { /* the two codes never to be worse than */
        if (candidate == 1 && !fq_product_levels(t->N, t->k))
            break;
        FQ_TRY(start(t, candidate));
        FQ_TRY(validate(t, t->current, &error));
        if (error < least) {
            least = error;
            memcpy(words, t->current, t->N * t->k * sizeof *words);
        }
    }
    return FQ_OK;
}

static fq_status train(trainer *t, float *words) {
    const effort *e = &t->effort;
    const size_t size = t->N * t->k;
    FQ_TRY(fq_cells_init(&t->cells, t->N, t->k));
    FQ_TRY(fq_cells_init(&t->fresh, t->N, t->k));
    FQ_TRY(fq_alloc(&t->current, size, sizeof(float)));
    const unsigned finalists = e->finalists + (t->options->recipe == FQ_RECIPE_LATTICE);
    for (unsigned i = 0; i < finalists; i++)
        FQ_TRY(fq_alloc(&t->finalist[i], size, sizeof(float)));
    t->work_total = (double)e->candidates * e->search_iterations * (double)e->search_samples +
                    (double)finalists * e->polish_iterations * (double)e->polish_samples;
    FQ_TRY(search_arrangements(t));
    for (unsigned i = 0; i < t->finalists; i++)
        FQ_TRY(polish(t, i));
    return choose(t, words);
}

double fq_train_population_work(const fq_train_options *options) {
    const size_t N = options->codewords, k = options->block;
    const effort e = plan_effort(options);
    const double fresh = fq_train_sample_work(N, k),
                 finalists = e.finalists + (options->recipe == FQ_RECIPE_LATTICE);
    return (double)e.candidates * e.search_iterations * (double)e.search_samples *
               fq_train_assign_work(N, k) +
           fresh * (finalists * e.polish_iterations * (double)e.polish_samples +
                    (finalists + 2) * (double)e.validation_samples);
}

fq_status fq_train_population(float *words, const fq_source *source, const fq_train_options *options) {
    trainer t = {.source = source,
                 .options = options,
                 .N = options->codewords,
                 .k = options->block,
                 .lattice = FINALISTS_MAX,
                 .effort = plan_effort(options)};
    const fq_status status = train(&t, words);
    fq_cells_clear(&t.cells);
    fq_cells_clear(&t.fresh);
    fq_free(t.samples);
    fq_free(t.current);
    for (unsigned i = 0; i < FINALISTS_MAX; i++)
        fq_free(t.finalist[i]);
    return status;
}
