#include "codebook_trellis.h"

#include <inttypes.h>
#include <stdio.h>

#include "codebook_export.h"
#include "failure.h"
#include "progress_bar.h"
#include "trellis_map_file.h"
#include "trellis_maps.h"
#include "verb_support.h"

/* fresh is 0 where there is no code of that rate. */
static fq_trellis_plan plan_of(const fq_trellis_request *request) {
    const unsigned window =
        request->window ? (unsigned)request->window : fq_trellis_usual_window(request->bits);
    fq_trellis_plan plan = {.window = window,
                            .label_bits = request->label_bits
                                              ? (unsigned)request->label_bits
                                              : fq_trellis_usual_labels(request->bits, window),
                            .seed = request->seed,
                            .dim = request->dim,
                            .evaluations = request->evaluations,
                            .samples = 32768 / request->dim > 64 ? 32768 / request->dim : 64,
                            .tries = 1,
                            .training = 1048576 / request->dim > 256 ? 1048576 / request->dim : 256};
    if (!fq_trellis_split_rate(request->bits, &plan.fresh, &plan.together))
        plan.fresh = 0;
    return plan;
}

bool fq_codebook_trellis_good(const fq_usage *usage, const fq_trellis_request *request, int *exit_code) {
    const fq_trellis_plan plan = plan_of(request);
    *exit_code = 2;
    if (!plan.fresh)
        fq_options_refuse(usage, "--bits %g: allowed is 1 to 8 bits for 1, 2 or 4 coordinates",
                          request->bits);
    else if (plan.window < plan.fresh)
        fq_options_refuse(usage, "--window %u: allowed is %u, the fresh bits of a step, or more", plan.window,
                          plan.fresh);
    else if (request->dim % plan.together || request->dim / plan.together * plan.fresh < plan.window)
        fq_options_refuse(usage, "--dim %zu: allowed is a multiple of %u that has %u bits or more",
                          request->dim, plan.together, plan.window);
    else
        return true;
    return false;
}

static json_t *json_numbers(const int *value, size_t n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_integer(value[i]));
    return list;
}

static fq_status print_json(const fq_trellis_map *map, const fq_trellis_map_about *about,
                            const char *output) {
    int level[FQ_TRELLIS_LEVELS_MAX], column[FQ_TRELLIS_WINDOW_MAX];
    json_t *columns = json_array();
    for (unsigned v = 0; v < map->together; v++)
        json_array_append_new(columns, json_numbers(column, fq_trellis_map_columns(map, v, column)));
    json_t *levels = json_numbers(level, fq_trellis_map_levels(map, level));
    return fq_verb_print_json(json_pack(
        "{s:s, s:s, s:f, s:i, s:i, s:i, s:i, s:o, s:o, s:f, s:I, s:i, s:f, s:f, s:I, s:I, s:I, s:o}",
        "schema", "fibquant codebook 1", "family", "trellis", "rate", (double)map->fresh / map->together,
        "fresh", (int)map->fresh, "together", (int)map->together, "window", (int)map->window, "label_bits",
        (int)map->label_bits, "columns", columns, "levels", levels, "step", map->step, "dim",
        (json_int_t)about->dim, "tries", (int)about->tries, "distortion", about->distortion, "distortion_se",
        about->distortion_se, "distortion_samples", (json_int_t)about->samples, "evaluations",
        (json_int_t)about->evaluations, "seed", (json_int_t)about->seed, "output", fq_json_text(output)));
}

/* A list of numbers in braces, in lines of at most 110 characters. */
static void print_list(const int *value, size_t n, const char *after) {
    int at = printf("     {");
    for (size_t i = 0; i < n; i++) {
        if (at > 104) {
            printf("\n");
            at = printf("     ");
        }
        at += printf("%s%d%s", i && at > 5 ? " " : "", value[i], i + 1 < n ? "," : "");
    }
    printf("}%s", after);
}

/* The map as core/codec/trellis_maps.def has it: an initialiser in C. */
static void print_map(const fq_trellis_map *map, const fq_trellis_map_about *about) {
    int column[FQ_TRELLIS_WINDOW_MAX], level[FQ_TRELLIS_LEVELS_MAX];
    printf("/* b = %g: D = %.4g at d = %zu, %u tries */\n{.fresh = %u, .together = %u, .window = %u, "
           ".label_bits = %u, .step = %.17g,\n .column =\n    {\n",
           (double)map->fresh / map->together, about->distortion, about->dim, about->tries, map->fresh,
           map->together, map->window, map->label_bits, map->step);
    for (unsigned v = 0; v < map->together; v++)
        print_list(column, fq_trellis_map_columns(map, v, column), ",\n");
    printf("    },\n .level =\n");
    print_list(level, fq_trellis_map_levels(map, level), "},\n");
}

static fq_status measure(const fq_trellis_map *map, fq_trellis_map_about *about) {
    fq_trellis_code code;
    const fq_trellis_search search = {.tries = about->tries};
    FQ_TRY(fq_trellis_code_init(&code, map, about->dim));
    const fq_status status = fq_trellis_measure(&about->distortion, &about->distortion_se, &code, &search,
                                                about->seed, FQ_PURPOSE_EVALUATE, 0, (size_t)about->samples);
    fq_trellis_code_clear(&code);
    return status;
}

/* Measures, writes and prints a map. */
static fq_status finish(const fq_trellis_map *map, fq_trellis_map_about *about,
                        const fq_trellis_request *request, const fq_provenance *provenance) {
    FQ_TRY(measure(map, about));
    if (request->output && fq_codebook_form_is_export(request->form))
        FQ_TRY(fq_trellis_export(request->output, request->form, map, about));
    else if (request->output)
        FQ_TRY(fq_trellis_map_file_write(request->output, map, about, provenance));
    if (request->json)
        return print_json(map, about, request->output);
    printf("trellis code, %g bits a coordinate: K = %u, V = %u, window %u, labels of %u bits, seed %" PRIu64
           "\n",
           request->bits, map->fresh, map->together, map->window, map->label_bits, request->seed);
    printf("  distortion D      %.6f, standard error %.1e (d = %zu, %u tries, %zu fresh vectors)\n\n",
           about->distortion, about->distortion_se, about->dim, about->tries, request->samples);
    print_map(map, about);
    return FQ_OK;
}

fq_status fq_codebook_trellis(const fq_trellis_request *request, const fq_provenance *provenance) {
    fq_trellis_plan plan = plan_of(request);
    fq_trellis_map_about about = {.seed = request->seed,
                                  .evaluations = request->evaluations,
                                  .samples = request->samples,
                                  .dim = request->dim,
                                  .tries = (unsigned)request->tries};
    fq_trellis_map map, start = {.fresh = plan.fresh,
                                 .together = plan.together,
                                 .window = plan.window,
                                 .label_bits = plan.label_bits};
    fq_progress_bar bar;
    if (request->improve) {
        FQ_TRY(fq_trellis_map_get(&start));
        plan.from = &start;
    }
    if (request->shipped && !fq_trellis_map_find(&start))
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "--shipped: no map of K = %u, V = %u, window %u, labels of %u bits is shipped",
                            start.fresh, start.together, start.window, start.label_bits);
    if (request->shipped)
        return finish(&start, &about, request, provenance);
    fq_progress_bar_start(&bar, "searching", NULL, FQ_PROGRESS_STEPS, fq_options_quiet(),
                          fq_options_no_progress());
    const fq_progress progress = fq_progress_bar_hook(&bar);
    const fq_status status = fq_trellis_find_map(&map, &plan, &progress);
    fq_progress_bar_finish(&bar);
    FQ_TRY(status);
    return finish(&map, &about, request, provenance);
}
