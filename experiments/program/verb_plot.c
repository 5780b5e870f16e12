/* fibquant plot: every figure whose table a result store has, or those asked for by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "draw.h"
#include "failure.h"
#include "options.h"
#include "output_check.h"
#include "result_store.h"
#include "verb.h"
#include "verb_support.h"

static const char *folder;
static fq_option_list wanted;
static bool list, json;

static const fq_option options[] = {{.name = "output",
                                     .letter = 'o',
                                     .kind = FQ_OPTION_TEXT,
                                     .value = &folder,
                                     .argument = "FOLDER",
                                     .help = "where figures go (made if missing)"},
                                    {.name = "figure",
                                     .kind = FQ_OPTION_LIST,
                                     .value = &wanted,
                                     .argument = "NAME",
                                     .help = "only this figure"},
                                    {.name = "list",
                                     .kind = FQ_OPTION_FLAG,
                                     .value = &list,
                                     .help = "list the figures and the tables they need"},
                                    FQ_OPTION_JSON(json),
                                    {0}};

static const fq_usage usage = {
    .verb = "plot",
    .summary = "Draws figures (PNG and PDF) from a result store. Beside each figure stand the data and "
               "the gnuplot script it was drawn from, and a JSON file that names its source.",
    .arguments = "[RESULTS.h5]",
    .least_arguments = 0,
    .most_arguments = 1,
    .options = options,
    .examples = "fibquant plot rd.h5 -o figures\n"
                "fibquant plot rd.h5 -o figures --figure rate_distortion",
};

static const fq_figure *find(const char *name) {
    for (size_t i = 0; i < fq_figure_count(); i++)
        if (strcmp(fq_figure_get(i)->name, name) == 0)
            return fq_figure_get(i);
    return NULL;
}

static int print_list(void) {
    json_t *figures = json_array();
    for (size_t i = 0; json && i < fq_figure_count(); i++)
        json_array_append_new(figures, json_pack("{s:s, s:s, s:s}", "name", fq_figure_get(i)->name, "table",
                                                 fq_figure_get(i)->table, "shows", fq_figure_get(i)->shows));
    if (json)
        return fq_verb_print_json(
                   json_pack("{s:s, s:o}", "schema", "fibquant figures 1", "figures", figures)) == FQ_OK
                   ? 0
                   : fq_verb_fail("plot");
    json_decref(figures);
    for (size_t i = 0; i < fq_figure_count(); i++)
        printf("%-18s table %-18s %s\n", fq_figure_get(i)->name, fq_figure_get(i)->table,
               fq_figure_get(i)->shows);
    return 0;
}

/* What was drawn and what was left out, for --json. */
typedef struct outcome {
    json_t *drawn, *left_out;
} outcome;

/* Draws, and prints the figure's name and below it what it shows. */
static fq_status draw_one(const fq_draw_request *request, const fq_figure *figure, const outcome *o) {
    char *caption = NULL;
    FQ_TRY(fq_draw(request, figure, &caption));
    json_array_append_new(o->drawn,
                          json_pack("{s:s, s:o}", "figure", figure->name, "caption", fq_json_text(caption)));
    if (!json)
        printf("%s/%s.png\n    %s\n", request->folder, figure->name, caption);
    free(caption);
    return FQ_OK;
}

static const char *reason(void) {
    static char line[FQ_FAILURE_LINE_MAX];
    fq_failure_line(line, fq_error_last());
    return line;
}

/* Says that a figure is left out, and why. */
static void leave_out(const fq_figure *figure, const outcome *o) {
    json_array_append_new(o->left_out,
                          json_pack("{s:s, s:o}", "figure", figure->name, "why", fq_json_text(reason())));
    if (!fq_options_quiet())
        fprintf(stderr, "plot: %s not drawn: %s\n", figure->name, reason());
}

static fq_status draw_all(const fq_draw_request *request, const outcome *o) {
    for (size_t i = 0; i < wanted.count; i++)
        FQ_TRY(draw_one(request, find(wanted.items[i]), o));
    for (size_t i = 0; wanted.count == 0 && i < fq_figure_count(); i++) {
        const fq_table *table = fq_results_table(request->store, fq_figure_get(i)->table);
        if (!table || table->count == 0)
            continue;
        const fq_status status = draw_one(request, fq_figure_get(i), o);
        if (status == FQ_ERR_INPUT) /* nothing for this one; the others may have enough */
            leave_out(fq_figure_get(i), o);
        else if (status != FQ_OK)
            return status;
    }
    if (json_array_size(o->drawn) == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: no table that a figure is drawn from (see --list)",
                            request->store_path);
    return FQ_OK;
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    if (list)
        return print_list();
    if (arguments.count == 0 || !folder)
        return fq_options_refuse(&usage, "RESULTS.h5 and -o FOLDER are needed");
    for (size_t i = 0; i < wanted.count; i++)
        if (!find(wanted.items[i]))
            return fq_options_refuse(&usage, "--figure: there is no figure \"%.60s\"; see --list",
                                     wanted.items[i]);
    const fq_output outputs[] = {{"--output", folder, FQ_OUTPUT_FOLDER}, {0}};
    const fq_input inputs[] = {{.option = "RESULTS.h5", .path = arguments.items[0]}, {0}};
    if (!fq_outputs_good(&usage, outputs, inputs, &exit_code))
        return exit_code;
    char command[1024];
    snprintf(command, sizeof command, "fibquant plot %s -o %s", arguments.items[0], folder);
    const outcome o = {json_array(), json_array()};
    fq_results store;
    memset(&store, 0, sizeof store);
    fq_status status = fq_store_read(arguments.items[0], &store);
    const size_t older = status == FQ_OK ? fq_results_keep_newest(&store) : 0;
    if (older && !fq_options_quiet())
        fprintf(stderr, "plot: %zu rows of older versions of their experiments left out\n", older);
    if (status == FQ_OK)
        status = draw_all(&(fq_draw_request){arguments.items[0], &store, folder, command}, &o);
    if (status == FQ_OK && json)
        status =
            fq_verb_print_json(json_pack("{s:s, s:o, s:o, s:O, s:O}", "schema", "fibquant plot 1", "results",
                                         fq_json_text(arguments.items[0]), "output", fq_json_text(folder),
                                         "figures", o.drawn, "left_out", o.left_out));
    json_decref(o.drawn);
    json_decref(o.left_out);
    fq_results_clear(&store);
    return status == FQ_OK ? 0 : fq_verb_fail("plot");
}

const fq_verb fq_verb_plot = {"plot", "draw figures from a result store", run};
