/* Figures and summaries from stores made here: the points that none beats, what is fed to gnuplot, what is
 * printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "atomic_file.h"
#include "check.h"
#include "codec_label.h"
#include "draw.h"
#include "fidelity_series.h"
#include "fidelity_summary.h"
#include "memory.h"
#include "pareto.h"
#include "perplexity_summary.h"
#include "sha256.h"
#include "sources.h"
#include "stream.h"
#include "universality_summary.h"

static void pareto_keeps_what_none_beats(void) {
    enum { N = 60 };
    for (uint64_t round = 0; round < 200; round++) {
        fq_stream s;
        fq_curve_point all[N] = {{0}}, kept[N];
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 60 + round);
        const size_t n = (size_t)fq_stream_below(&s, N + 1);
        for (size_t i = 0; i < n; i++) /* few values: many ties */
            all[i] =
                (fq_curve_point){(double)fq_stream_below(&s, 12), (double)fq_stream_below(&s, 12), (double)i};
        if (n > 3)
            all[n / 2].y = (double)NAN;
        memcpy(kept, all, sizeof kept);
        const size_t count = fq_pareto(kept, n, 0.0);
        size_t wrong = 0;
        for (size_t i = 1; i < count; i++)
            wrong += !(kept[i].x > kept[i - 1].x && kept[i].y < kept[i - 1].y);
        for (size_t i = 0; i < n;
             i++) { /* every point is beaten or equalled by a kept one, no kept one by any other */
            bool covered = isnan(all[i].y);
            for (size_t k = 0; k < count; k++) {
                covered = covered || (kept[k].x >= all[i].x && kept[k].y >= all[i].y);
                wrong += all[i].x >= kept[k].x && all[i].y >= kept[k].y &&
                         (all[i].x > kept[k].x || all[i].y > kept[k].y);
            }
            wrong += !covered;
        }
        FQ_CHECK(wrong == 0);
    }
    FQ_CHECK(fq_pareto(NULL, 0, 0.0) == 0);
    fq_curve_point close[] = {{7.0, 0.93, 0}, {7.1, 0.87, 0}, {9.0, 0.9, 0}, {9.2, 0.89, 0}, {9.5, 0.88, 0}};
    FQ_CHECK(fq_pareto(close, 5, 0.03) == 3 && close[1].x == 9.0 && close[2].x == 9.5);
    fq_curve_point all_close[] = {{7.0, 0.93, 0}, {7.1, 0.94, 0}, {7.2, 0.92, 0}};
    FQ_CHECK(fq_pareto(all_close, 3, 0.03) == 1 && all_close[0].x == 7.1);
}

/* A table of the columns that figures look for; units and roles do not matter to them. */
#define REAL(name)                                                                                           \
    { name, FQ_VALUE_REAL, 0, "1", name, FQ_ROLE_VALUE }
#define WHOLE(name)                                                                                          \
    { name, FQ_VALUE_INTEGER, 0, "1", name, FQ_ROLE_VALUE }
#define TEXT(name)                                                                                           \
    { name, FQ_VALUE_TEXT, 160, "", name, FQ_ROLE_VALUE }

static const fq_value_column fidelity_columns[] = {TEXT("point"),
                                                   TEXT("cache_sha256"),
                                                   TEXT("codec"),
                                                   TEXT("value_codec"),
                                                   TEXT("treatment"),
                                                   TEXT("family"),
                                                   TEXT("recipe"),
                                                   WHOLE("plain"),
                                                   REAL("compression_payload"),
                                                   REAL("compression_stored"),
                                                   REAL("attention_cosine"),
                                                   REAL("attention_cosine_se"),
                                                   REAL("attention_cosine_key"),
                                                   REAL("attention_cosine_value"),
                                                   TEXT("model_name"),
                                                   TEXT("text_name"),
                                                   TEXT("protocol")};

typedef struct row {
    const char *codec, *value_codec, *family, *recipe;
    int plain;
    double payload, stored, cosine;
    const char *protocol;
} row;

static const row rows[] = {
    {"fp16", "same", "fp16", "", 1, 1, 1, 1, "one"},
    {"tq:b=3", "same", "tq", "", 1, 5.3333, 4.923, 0.970, "one"},
    {"tq:b=1", "same", "tq", "", 1, 16, 12.8, 0.5, "one"},
    {"tqprod:b=3", "same", "tqprod", "", 1, 5.3333, 4.5, 0.9, "one"},
    {"fib:k=2,N=64", "same", "fib", "population", 1, 5.3333, 4.923, 0.975, "one"},
    {"fib:k=2,N=84", "same", "fib", "population", 1, 5.006, 4.6, 0.9912, "one"},
    {"fib:k=4,N=64", "same", "fib", "population", 1, 5.2, 4.8, 0.96, "one"}, /* beaten */
    {"fib:k=4,N=256", "same", "fib", "population", 1, 8, 7.11, 0.93, "one"},
    {"fib:k=16,N=181", "same", "fib", "population", 1, 34.1, 20.5, 0.6, "one"},
    {"fib:k=2,N=64,recipe=paper", "same", "fib", "paper", 1, 5.3333, 4.923, 0.972, "one"},
    {"fib:k=2,N=64,recipe=initial", "same", "fib", "initial", 1, 5.3333, 4.923, 0.9999, "one"},
    {"fib:k=2,N=64,norm=match", "fib:k=2,N=16", "fib", "population", 0, 6.4, 5.8, 0.991, "one"},
    {"fib:k=2,N=64", "same", "fib", "population", 1, 40, 40, 0.999, "another"}, /* another source */
};
enum { ROWS = sizeof rows / sizeof rows[0], ONE = ROWS - 1 /* rows of the first source */ };

static void text(fq_table *t, size_t r, const char *column, const char *value) {
    fq_table_set_text(t, r, fq_table_find(t, column), value);
}

static void real(fq_table *t, size_t r, const char *column, double value) {
    fq_table_set_real(t, r, fq_table_find(t, column), value);
}

/* The identity of a made row. */
static void set_point(fq_table *t, size_t r) {
    char id[32];
    snprintf(id, sizeof id, "point %zu", r);
    text(t, r, "point", id);
}

static void fidelity_row(fq_table *t, size_t r, const row *from, const char *sha) {
    set_point(t, r);
    text(t, r, "cache_sha256", sha);
    text(t, r, "codec", from->codec);
    text(t, r, "value_codec", from->value_codec);
    text(t, r, "treatment", from->plain ? "none" : "mean:at=after+first");
    text(t, r, "family", from->family);
    text(t, r, "recipe", from->recipe);
    text(t, r, "model_name", "a {model} \"with\" _odd_ \\name");
    text(t, r, "text_name", "a_text.txt");
    text(t, r, "protocol", from->protocol);
    fq_table_set_integer(t, r, fq_table_find(t, "plain"), from->plain);
    real(t, r, "compression_payload", from->payload);
    real(t, r, "compression_stored", from->stored);
    real(t, r, "attention_cosine", from->cosine);
    real(t, r, "attention_cosine_se", 0.001);
    real(t, r, "attention_cosine_key", from->cosine);
    real(t, r, "attention_cosine_value", from->cosine);
}

/* A store of one table with blank rows, or of none. */
static bool table_of(fq_results *store, fq_table **t, const char *name, const fq_value_column *columns,
                     size_t count, size_t rows_wanted) {
    memset(store, 0, sizeof *store);
    return FQ_CHECK_OK(fq_results_add_table(store, t, name, columns, count)) &&
           FQ_CHECK_OK(fq_table_append(*t, NULL, rows_wanted));
}
#define TABLE_OF(store, t, name, columns, rows_wanted)                                                       \
    table_of(store, t, name, columns, sizeof(columns) / sizeof(columns)[0], rows_wanted)

static bool fill_fidelity(fq_results *store, size_t n) {
    fq_table *t = NULL;
    if (!TABLE_OF(store, &t, "fidelity", fidelity_columns, n))
        return false;
    for (size_t r = 0; r < n; r++)
        fidelity_row(t, r, &rows[r], "11112222333344445555");
    return true;
}

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

static char *contents(const char *name) {
    FILE *file = fopen(in_folder(name), "r");
    char *bytes = calloc(1, 1 << 18);
    if (FQ_CHECK(file && bytes)) {
        FQ_CHECK(fread(bytes, 1, (1 << 18) - 1, file) > 0);
        fclose(file);
    }
    return bytes;
}

static const fq_figure *figure_named(const char *name) {
    for (size_t i = 0; i < fq_figure_count(); i++)
        if (strcmp(fq_figure_get(i)->name, name) == 0)
            return fq_figure_get(i);
    return NULL;
}

static size_t count(const char *where, const char *what) {
    size_t n = 0;
    for (const char *at = where; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

/* The side file of a figure: its texts, hashes of the other files as they are, and the points it says it
 * shows. */
static json_t *side_file(const char *name, const char *store_path) {
    const fq_figure *figure = figure_named(name);
    char file[120], hash[FQ_SHA256_HEX];
    json_error_t error;
    snprintf(file, sizeof file, "%s.json", name);
    json_t *root = json_load_file(in_folder(file), 0, &error);
    if (!FQ_CHECK(root != NULL))
        return NULL;
    const char *shows = json_string_value(json_object_get(root, "shows"));
    FQ_CHECK(strcmp(json_string_value(json_object_get(root, "figure")), name) == 0);
    FQ_CHECK(strcmp(json_string_value(json_object_get(root, "table")), figure->table) == 0);
    FQ_CHECK(strcmp(json_string_value(json_object_get(root, "command")), "a command") == 0);
    FQ_CHECK(shows && strncmp(shows, figure->shows, strlen(figure->shows)) == 0 &&
             shows[strlen(figure->shows)] == '.');
    FQ_CHECK_OK(fq_sha256_file(hash, store_path));
    FQ_CHECK(strcmp(json_string_value(json_object_get(root, "store_sha256")), hash) == 0);
    snprintf(file, sizeof file, "data/%s.tsv", name);
    FQ_CHECK_OK(fq_sha256_file(hash, in_folder(file)));
    FQ_CHECK(strcmp(json_string_value(json_object_get(root, "data_sha256")), hash) == 0);
    snprintf(file, sizeof file, "data/%s.gp", name);
    FQ_CHECK_OK(fq_sha256_file(hash, in_folder(file)));
    FQ_CHECK(strcmp(json_string_value(json_object_get(root, "script_sha256")), hash) == 0);
    return root;
}

/* Draws, and wants PNG and PDF of a plausible size, all of one width, and a true side file with so many rows
 * and points shown. */
static bool drawn_with(const fq_results *store, const char *name, size_t rows_shown, size_t points) {
    char store_path[512], folder[512], file[80];
    snprintf(store_path, sizeof store_path, "%s", in_folder("store.h5"));
    snprintf(folder, sizeof folder, "%s", fq_test_folder());
    if (!FQ_CHECK_OK(fq_result_file_write(store_path, store)) || !FQ_CHECK(figure_named(name) != NULL))
        return false;
    const fq_draw_request request = {store_path, store, folder, "a command"};
    char *caption = NULL;
    if (!FQ_CHECK_OK(fq_draw(&request, figure_named(name), &caption)))
        return false;
    for (int pdf = 0; pdf < 2; pdf++) {
        unsigned char *bytes = NULL;
        size_t length = 0;
        snprintf(file, sizeof file, "%s.%s", name, pdf ? "pdf" : "png");
        if (FQ_CHECK_OK(fq_file_read(in_folder(file), 1 << 24, &bytes, &length)) && FQ_CHECK(length > 3000)) {
            if (!pdf) /* the width stands in bytes 16 to 19 */
                FQ_CHECK(bytes[18] * 256 + bytes[19] == 1320);
            else { /* of the page: 8.8 cm in points */
                char *box = NULL;
                for (size_t i = 0; !box && i + 9 < length; i++)
                    box = memcmp(bytes + i, "/MediaBox", 9) == 0 ? (char *)bytes + i : NULL;
                FQ_CHECK(box && strncmp(box + strcspn(box, "["), "[ 0 0 249 ", 10) == 0);
            }
        }
        fq_free(bytes);
    }
    snprintf(file, sizeof file, "data/%s.gp", name);
    char *script = contents(file);
    for (const char *at = script; (at = strstr(at, "font \"")) != NULL;
         at++) /* in units of 7.06 / 7 points */
        FQ_CHECK(strtod(at + strcspn(at, ",") + 1, NULL) >= 7.0);
    FQ_CHECK(count(script, "font \"DejaVu Sans,7\" fontscale 0.756 ") == 1);
    free(script);
    json_t *side = side_file(name, store_path);
    FQ_CHECK(caption && strcmp(caption, json_string_value(json_object_get(side, "shows"))) == 0);
    FQ_CHECK((size_t)json_integer_value(json_object_get(side, "rows_shown")) == rows_shown);
    FQ_CHECK(json_array_size(json_object_get(side, "points")) == points);
    json_decref(side);
    free(caption);
    return true;
}

/* The caption of the figure drawn last, for the caller to free. */
static char *caption_of(const char *name) {
    char file[120], *text = NULL;
    json_error_t error;
    snprintf(file, sizeof file, "%s.json", name);
    json_t *root = json_load_file(in_folder(file), 0, &error);
    const char *shows = json_string_value(json_object_get(root, "shows"));
    if (FQ_CHECK(shows != NULL))
        text = strdup(shows);
    json_decref(root);
    return text ? text : calloc(1, 1);
}

static void frontier_shows_each_series_once_an_axis(void) {
    static const char *const series[] = {"\"TurboQuant\"",
                                         "\"TurboQuant (inner product)\"",
                                         "\"FibQuant\"",
                                         "\"FibQuant, recipe paper\"",
                                         "\"FibQuant, recipe initial\"",
                                         "\"FibQuant, mean:at=after+first\""};
    fq_results store;
    if (!fill_fidelity(&store, ONE))
        return;
    if (drawn_with(&store, "frontier", ONE - 1, ONE - 1)) {
        char *data = contents("data/frontier.tsv"), *caption = caption_of("frontier");
        for (size_t i = 0; i < sizeof series / sizeof *series; i++)
            FQ_CHECK(count(data, series[i]) == 4);      /* two axes; all points and the best */
        FQ_CHECK(count(data, "\n5.2\t") == 1);          /* beaten: among all, not among the best */
        FQ_CHECK(count(data, "\n5.006\t") == 2);        /* best */
        FQ_CHECK(count(data, "\n5.3333\t0.0001") == 2); /* the initial codebook is no less a codec */
        FQ_CHECK(count(data, "\n1\t") == 0 && strstr(caption, "Left out: 1 rows at 1x"));
        FQ_CHECK(strstr(caption, "Protocol: one.") != NULL);
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
    memset(&store, 0, sizeof store);
    fq_table *t = NULL;
    FQ_CHECK_OK(fq_results_add_table(&store, &t, "fidelity", fidelity_columns, 3));
    FQ_CHECK_OK(fq_table_append(t, NULL, 1));
    fq_fidelity_view view;
    FQ_CHECK_FAILS(fq_fidelity_view_of(&view, t), FQ_ERR_INPUT);
    FQ_CHECK_FAILS(fq_fidelity_summary_print(stdout, &store), FQ_ERR_INPUT);
    fq_results_clear(&store);
    memset(&store, 0, sizeof store);
    FQ_CHECK_FAILS(fq_fidelity_summary_print(stdout, &store), FQ_ERR_INPUT);
}

/* Caches of one model's and text's name are two if their contents are: series, curves and summaries apart; so
 * are protocols. Rows that differ by a seed are one configuration, whose curve is their mean. */
static void sources_are_told_apart(void) {
    static const row two[] = {{"tq:b=2", "same", "tq", "", 1, 8, 7, 0.9, "one"},
                              {"tq:b=2", "same", "tq", "", 1, 8, 7, 0.8, "one"},         /* another cache */
                              {"tq:b=2,seed=2", "same", "tq", "", 1, 8, 7, 0.94, "one"}, /* of the first */
                              {"tq:b=2", "same", "tq", "", 1, 8, 7, 0.7,
                               "a protocol in more than forty letters, which no key has room for"}};
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "fidelity", fidelity_columns, 4))
        return;
    for (size_t r = 0; r < 4; r++)
        fidelity_row(t, r, &two[r], r == 1 ? "99998888777766665555" : "11112222333344445555");
    text(t, 2, "model_name", "the same file by another name");
    if (drawn_with(&store, "frontier", 4, 4)) {
        char *data = contents("data/frontier.tsv"), *caption = caption_of("frontier");
        FQ_CHECK(count(data, "\"TurboQuant (protocol A, #11112222)\"\n8\t0.1\t0.098\t0.102\n8\t0.06") == 1);
        FQ_CHECK(count(data, "\"TurboQuant (protocol A, #11112222)\"\n8\t0.08\t") == 1); /* the mean */
        FQ_CHECK(count(data, "\"TurboQuant (protocol A, #99998888)\"\n8\t0.2\t") == 2);
        FQ_CHECK(count(data, "\"TurboQuant (protocol B)\"\n8\t0.3\t") == 2);
        FQ_CHECK(strstr(caption, "Protocol A: one.") &&
                 strstr(caption, "Protocol B: a protocol in more than forty letters"));
        FQ_CHECK(strstr(caption, "Up to 2 rows differ by their seeds alone") != NULL);
        free(data);
        free(caption);
    }
    char *printed = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&printed, &length);
    FQ_CHECK_OK(fq_fidelity_summary_print(to, &store));
    fclose(to);
    const char *second = strstr(printed, "(protocol A, #99998888)");
    FQ_CHECK(strstr(printed, "0.9200 +- 0.0010 ( 8.00x)") && second &&
             strstr(second, "0.8000 +- 0.0010 ( 8.00x)") && strstr(second, "(protocol B)"));
    FQ_CHECK(second && strstr(printed, "0.9200 +- 0.0010 ( 8.00x)") < second); /* a part a source */
    FQ_CHECK(!strstr(printed, "0.9400 +- 0.0010"));                            /* no seed is picked out */
    free(printed);
    fq_results_clear(&store);
}

/* The line of a claim's table for a series. */
static void summary_line(char line[300], const char *printed, const char *claim, const char *series) {
    const char *at = strstr(printed, claim);
    line[0] = '\0';
    at = at ? strstr(at, series) : NULL;
    if (FQ_CHECK(at != NULL))
        snprintf(line, 300, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
}

static void summary_sets_claims_beside_measurements(void) {
    fq_results store;
    char *printed = NULL, line[300];
    size_t length = 0;
    if (!fill_fidelity(&store, ONE))
        return;
    FILE *to = open_memstream(&printed, &length);
    FQ_CHECK_OK(fq_fidelity_summary_print(to, &store));
    fclose(to);
    summary_line(line, printed, "5x at 0.99", "\nFibQuant  ");
    /* At 5x of payload the point at 5.006, at 5x of all stored only the one at 8; 0.99 is reached at 5.006.
     */
    FQ_CHECK(strstr(line, "0.9912 +- 0.0010 ( 5.01x)") && strstr(line, "0.9300 +- 0.0010 ( 7.11x)") &&
             strstr(line, "5.01x    4.60x"));
    summary_line(line, printed, "5x at 0.99", "\nTurboQuant  ");
    FQ_CHECK(strstr(line, "0.9700 +- 0.0010 ( 5.33x)") && strstr(line, "0.5000 +- 0.0010 (12.80x)") &&
             count(line, " -") == 2);
    summary_line(line, printed, "34x at 0.95", "\nFibQuant  ");
    FQ_CHECK(strstr(line, "0.6000 +- 0.0010 (34.10x)") && strstr(line, "5.33x    4.92x"));
    summary_line(line, printed, "34x at 0.95", "\nFibQuant, recipe paper");
    FQ_CHECK(count(line, " -") == 2 && strstr(line, "5.33x    4.92x"));
    FQ_CHECK(strstr(printed, "first: fib:k=2,N=64,norm=match; values fib:k=2,N=16; mean:at=after+first\n") !=
             NULL);
    /* between 4.923x at 0.975 and 7.11x at 0.93, and between 4.923x at 0.97 and 12.8x at 0.5 */
    summary_line(line, printed, "Cosine at equal compression", "\nFibQuant  ");
    FQ_CHECK(strstr(line, "  0.9565 ") && count(line, " -") == 3); /* no point below 4.6x */
    summary_line(line, printed, "Cosine at equal compression", "\nTurboQuant  ");
    FQ_CHECK(strstr(line, "  0.9463 ") != NULL);
    summary_line(line, printed, "5x at 0.99", "\nFibQuant  ");
    FQ_CHECK(strstr(line, "   4.64x +- 0.03") != NULL); /* between 4.6x at 0.9912 and 4.923x at 0.975 */
    summary_line(line, printed, "\nAt 6x", "\n  code alone");
    FQ_CHECK(strstr(line, " 0.9565 +- 0.0011  FibQuant; next: fib:k=4,N=256 (7.11x)") != NULL);
    summary_line(line, printed, "\nAt 4x", "\n  universal"); /* a curve of one point, at 5.8x */
    FQ_CHECK(strstr(line, " 0.9910 +- 0.0010  FibQuant, mean:at=after+first; next:") != NULL);
    summary_line(line, printed, "\nAt 8x", "\n  universal");
    FQ_CHECK(strstr(line, "nothing measured reaches so far") != NULL);
    FQ_CHECK(count(strstr(printed, "All at 8x"), "\n") == 3);
    free(printed);
    fq_results_clear(&store);
}

static const fq_value_column protocol_columns[] = {TEXT("point"),
                                                   TEXT("cache_sha256"),
                                                   TEXT("codec"),
                                                   TEXT("value_codec"),
                                                   TEXT("treatment"),
                                                   TEXT("query"),
                                                   TEXT("mask"),
                                                   TEXT("outputs"),
                                                   TEXT("average"),
                                                   WHOLE("plain"),
                                                   REAL("compression_payload"),
                                                   REAL("compression_stored"),
                                                   REAL("attention_cosine"),
                                                   REAL("attention_cosine_se"),
                                                   REAL("attention_cosine_key"),
                                                   REAL("attention_cosine_value"),
                                                   TEXT("model_name"),
                                                   TEXT("text_name"),
                                                   TEXT("protocol")};

/* A code measured under one protocol alone is not shown; protocols stand by rising cosine of the strongest
 * code. The frontier shows the usual protocol alone. */
static void protocols_are_set_side_by_side(void) {
    static const struct {
        const char *codec, *query, *mask, *outputs, *average;
        double payload, cosine;
    } from[] = {{"fib:k=4,N=256", "normal_unit", "all", "heads", "cosines", 8, 0.985},
                {"tq:b=1", "normal_unit", "all", "heads", "cosines", 16, 0.9},
                {"fib:k=4,N=256", "model", "causal", "heads", "cosines", 8, 0.87},
                {"tq:b=1", "model", "causal", "heads", "cosines", 16, 0.4},
                {"tq:b=1", "last", "causal", "concatenated", "vector", 16, 0.5},
                {"tq:b=4", "model", "causal", "heads", "cosines", 4, 0.99}};
    enum { N = sizeof from / sizeof from[0] };
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "fidelity", protocol_columns, N))
        return;
    for (size_t r = 0; r < N; r++) {
        set_point(t, r);
        text(t, r, "cache_sha256", "1111");
        text(t, r, "codec", from[r].codec);
        text(t, r, "value_codec", "same");
        text(t, r, "treatment", "none");
        text(t, r, "query", from[r].query);
        text(t, r, "mask", from[r].mask);
        text(t, r, "outputs", from[r].outputs);
        text(t, r, "average", from[r].average);
        text(t, r, "protocol", from[r].query);
        real(t, r, "compression_payload", from[r].payload);
        real(t, r, "compression_stored", from[r].payload);
        real(t, r, "attention_cosine", from[r].cosine);
        real(t, r, "attention_cosine_se", 0.005);
        fq_table_set_integer(t, r, fq_table_find(t, "plain"), 1);
    }
    if (drawn_with(&store, "protocols", 5, 5)) {
        char *data = contents("data/protocols.tsv"), *script = contents("data/protocols.gp");
        FQ_CHECK(strstr(data, "\"TurboQuant, b = 1 (16x)\"\n0.6\t0.59\t0.61\t-0\n0.5\t0.49\t0.51\t-1\n"
                              "0.1\t0.09\t0.11\t-2\n"));
        FQ_CHECK(strstr(data, "\"FibQuant, k = 4, N = 256 (8x)\"\n0.13\t0.12\t0.14\t-0\n0.015\t0.0075\t"));
        FQ_CHECK(
            strstr(script, "line0 = \"the model's queries\"") &&
            strstr(script, "line1 = \"the last query alone, heads as one vector, queries as one vector\"") &&
            strstr(script, "line2 = \"standard normal queries, all tokens\""));
        free(data);
        free(script);
    }
    if (drawn_with(&store, "frontier", 3, 3)) {
        char *data = contents("data/frontier.tsv"), *caption = caption_of("frontier");
        FQ_CHECK(count(data, "\n16\t0.6\t") == 4 && count(data, "\n16\t0.1\t") == 0);
        FQ_CHECK(strstr(caption, "Left out: 3 rows of other protocols.") != NULL);
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
}

static const fq_value_column perplexity_columns[] = {TEXT("point"),
                                                     TEXT("family"),
                                                     TEXT("codec"),
                                                     TEXT("value_codec"),
                                                     TEXT("treatment"),
                                                     WHOLE("scored"),
                                                     WHOLE("window"),
                                                     WHOLE("windows"),
                                                     WHOLE("skip"),
                                                     REAL("compression_payload"),
                                                     REAL("compression_stored"),
                                                     REAL("perplexity"),
                                                     REAL("perplexity_se"),
                                                     REAL("perplexity_change"),
                                                     REAL("perplexity_change_se"),
                                                     REAL("kl"),
                                                     REAL("kl_se"),
                                                     REAL("agreement"),
                                                     REAL("agreement_se"),
                                                     REAL("perplexity_reference"),
                                                     TEXT("model_name"),
                                                     TEXT("text_name"),
                                                     TEXT("model_sha256"),
                                                     TEXT("text_sha256"),
                                                     TEXT("protocol")};

static void perplexity_row(fq_table *t, size_t r, const char *codec, double x, double perplexity) {
    set_point(t, r);
    text(t, r, "family", codec[0] == 't' ? "tq" : "fib");
    text(t, r, "codec", codec);
    text(t, r, "value_codec", "same");
    text(t, r, "treatment", "none");
    text(t, r, "model_name", "a model");
    text(t, r, "text_name", "a text");
    text(t, r, "protocol", "windows");
    real(t, r, "compression_payload", x);
    real(t, r, "compression_stored", 0.9 * x);
    real(t, r, "perplexity", perplexity);
    real(t, r, "perplexity_change", perplexity - 19.5);
    real(t, r, "perplexity_change_se", 0.2);
    real(t, r, "kl", 0.01 * x);
    real(t, r, "kl_se", 0.001);
    real(t, r, "agreement", 1.0 - 0.02 * x);
    real(t, r, "agreement_se", 0.004);
    real(t, r, "perplexity_reference", 19.5);
}

static void perplexity_is_drawn(void) {
    static const char *const codecs[] = {"tq:b=2",
                                         "tq:b=4",
                                         "fib:k=2,N=16",
                                         "fib:k=2,N=256",
                                         "fib:k=2,N=16,recipe=paper",
                                         "fib:k=2,N=16,norm=match"};
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "perplexity", perplexity_columns, 7))
        return;
    for (size_t r = 0; r < 6; r++) {
        const double x = strstr(codecs[r], "4") || strstr(codecs[r], "256") ? 4.0 : 8.0;
        perplexity_row(t, r, codecs[r], x, 20.0 + x * (double)(r + 1));
    }
    perplexity_row(t, 6, "fp16", 1.0, 19.5);
    real(t, 6, "kl", 0.0);
    if (drawn_with(&store, "perplexity", 6, 6)) {
        char *data = contents("data/perplexity.tsv"), *caption = caption_of("perplexity");
        /* four quantities, two axes, all points and the best */
        FQ_CHECK(count(data, "\"TurboQuant\"") == 16 && count(data, "\"FibQuant, beyond the paper\"") == 16);
        FQ_CHECK(count(data, "\"FibQuant, recipe paper\"") == 16 && count(data, "\"FibQuant\"") == 16);
        FQ_CHECK(count(data, "\n8\t0.84\t0.004\n") == 4 && count(data, "\n8\t0.84\n") == 4);
        FQ_CHECK(count(data, "fp16") == 0 && strstr(caption, "Left out: 1 rows at 1x"));
        FQ_CHECK(count(data, "\n8\t28\t0.2\n") == 1 && count(data, "\n7.2\t28\t0.2\n") == 1 &&
                 count(data, "\n7.2\t0.08\t0.001\n") == 4);
        FQ_CHECK(count(data, "\n8\t8.5\t0.2\n") == 1 && count(data, "\n8\t8.5\n") == 1); /* the change */
        free(data);
        free(caption);
    }
    text(t, 1, "text_sha256", "aaaabbbbccccdddd"); /* another text of that name */
    real(t, 1, "perplexity_reference", 11.5);
    if (drawn_with(&store, "perplexity", 6, 6)) {
        char *script = contents("data/perplexity.gp");
        FQ_CHECK(count(script, "\"TurboQuant (#aaaabbbb)\"") == 1 &&
                 count(script, "\"TurboQuant (#)\"") == 1);
        FQ_CHECK(count(script, "\"uncompressed: 11.500 (#aaaabbbb)\"") == 1);
        free(script);
    }
    char *printed = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&printed, &length);
    text(t, 5, "treatment", "first");
    real(t, 5, "kl", 0.05);
    FQ_CHECK_OK(fq_perplexity_summary_print(to, &store));
    fclose(to);
    FQ_CHECK(strstr(printed,
                    "    3x of all             perplexity +16.500 +- 0.200, KL 0.0400 +- 0.0010, same "
                    "token 0.920 (3.60x): fib:k=2,N=256\n") != NULL);
    FQ_CHECK(strstr(printed, "KL 0.0500 +- 0.0010, same token 0.840 (7.20x): fib:k=2,N=16,norm=match; first\n"
                             "     6x without treatment  perplexity +8.500 +- 0.200, KL 0.0800 +-") != NULL);
    FQ_CHECK(strstr(printed, "   12x of all             nothing measured stores so little") != NULL);
    FQ_CHECK(count(printed, "Perplexity of a model") == 2 && strstr(printed, "(#aaaabbbb)") &&
             strstr(printed, "uncompressed 11.5000"));
    free(printed);
    fq_results_clear(&store);
}

static const fq_value_column recall_columns[] = {TEXT("point"),
                                                 TEXT("codec"),
                                                 TEXT("value_codec"),
                                                 TEXT("treatment"),
                                                 WHOLE("length"),
                                                 WHOLE("trial"),
                                                 WHOLE("needle"),
                                                 REAL("depth"),
                                                 REAL("loss"),
                                                 REAL("loss_reference"),
                                                 REAL("recalled"),
                                                 REAL("recalled_reference"),
                                                 REAL("compression_stored"),
                                                 TEXT("model_name"),
                                                 TEXT("text_name")};

/* Six contexts of two needles: the older one is lost, the newer one kept; the loss rises in five of them. */
static void recall_is_drawn_by_depth(void) {
    enum { TRIALS = 6, NEEDLES = 2 };
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "key-recall", recall_columns, TRIALS * NEEDLES))
        return;
    for (size_t r = 0; r < TRIALS * NEEDLES; r++) {
        const size_t trial = r / NEEDLES, needle = r % NEEDLES;
        set_point(t, r);
        text(t, r, "codec", "tq:b=2");
        text(t, r, "value_codec", "same");
        text(t, r, "treatment", "first");
        fq_table_set_integer(t, r, fq_table_find(t, "length"), 256);
        fq_table_set_integer(t, r, fq_table_find(t, "trial"), (int64_t)trial);
        fq_table_set_integer(t, r, fq_table_find(t, "needle"), (int64_t)needle);
        real(t, r, "depth", needle == 0 ? 0.25 : 0.75);
        real(t, r, "loss", trial == 0 ? 0.5 : 2.0 + (double)needle);
        real(t, r, "loss_reference", 1.0);
        real(t, r, "recalled", needle == 0 ? 0.0 : trial < 3 ? 1.0 : 0.5);
        real(t, r, "recalled_reference", 1.0);
        real(t, r, "compression_stored", 7.0);
    }
    if (drawn_with(&store, "key_recall", TRIALS * NEEDLES, TRIALS * NEEDLES)) {
        char *data = contents("data/key_recall.tsv"), *caption = caption_of("key_recall");
        FQ_CHECK(strstr(data, "\"uncompressed\"\n0.25\t1\t0\n0.75\t1\t0\n") != NULL);
        /* three ones and three halves: their deviation is sqrt(0.075) */
        FQ_CHECK(strstr(data, "\"tq:b=2; first\"\n0.25\t0\t0\n0.75\t0.75\t0.111803399\n") != NULL);
        FQ_CHECK(strstr(caption,
                        "tq:b=2; first at 256 tokens, 7.00x stored: 0.375 +- 0.056 recalled "
                        "(uncompressed 1.000 +- 0.000), loss +1.167 +- 0.333 nat a token, worse in 5 of 6 "
                        "contexts, sign test p = 0.22.") != NULL);
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
}

static const fq_value_column distance_columns[] = {TEXT("point"),
                                                   TEXT("cache_sha256"),
                                                   TEXT("codec"),
                                                   TEXT("value_codec"),
                                                   TEXT("treatment"),
                                                   WHOLE("age"),
                                                   WHOLE("plain"),
                                                   REAL("compression_payload"),
                                                   REAL("compression_stored"),
                                                   REAL("attention_cosine"),
                                                   REAL("attention_cosine_se"),
                                                   REAL("attention_cosine_key"),
                                                   REAL("attention_cosine_value"),
                                                   REAL("attention_cosine_old"),
                                                   REAL("attention_cosine_old_se"),
                                                   TEXT("model_name"),
                                                   TEXT("text_name"),
                                                   TEXT("protocol")};

/* Ages in any order; a setting of one age has no curve. */
static void distance_is_drawn_by_age(void) {
    static const int64_t ages[] = {64, 1, 16, 1};
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "fidelity", distance_columns, 4))
        return;
    for (size_t r = 0; r < 4; r++) {
        set_point(t, r);
        text(t, r, "codec", r < 3 ? "tq:b=2" : "tq:b=4");
        text(t, r, "value_codec", "same");
        text(t, r, "treatment", "none");
        fq_table_set_integer(t, r, fq_table_find(t, "age"), ages[r]);
        fq_table_set_integer(t, r, fq_table_find(t, "plain"), 1);
        real(t, r, "compression_payload", 8.0);
        real(t, r, "compression_stored", 7.11);
        real(t, r, "attention_cosine", 0.9);
        real(t, r, "attention_cosine_old", 1.0 - 0.01 * (double)ages[r]);
        real(t, r, "attention_cosine_old_se", 0.001);
    }
    if (drawn_with(&store, "distance", 3, 3)) {
        char *data = contents("data/distance.tsv");
        FQ_CHECK(
            strstr(data, "\"tq:b=2: 7.11x\"\n1\t0.01\t0.008\t0.012\n16\t0.16\t0.158\t0.162\n64\t0.64\t"));
        FQ_CHECK(!strstr(data, "tq:b=4"));
        free(data);
    }
    fq_results_clear(&store);
}

static const fq_value_column damage_columns[] = {
    TEXT("point"),        TEXT("family"),      TEXT("codec"),          TEXT("value_codec"), TEXT("treatment"),
    REAL("score_noise"),  REAL("loss_change"), REAL("loss_change_se"), TEXT("model_name"),  TEXT("text_name"),
    TEXT("model_sha256"), TEXT("text_sha256"), TEXT("protocol")};

/* Injected noise whose loss is the square of the noise, and codes on that curve but for one, which loses
 * twice as much; values otherwise compressed have no place beside them. */
static void damage_is_set_against_injected_noise(void) {
    static const struct {
        const char *codec, *value, *treatment;
        double noise, loss;
    } from[] = {{"noise:sigma=0.5", "fp16", "none", 1.0, 1.0}, {"noise:sigma=0.1", "fp16", "none", 0.1, 0.01},
                {"tq:b=2", "fp16", "none", 0.4, 0.16},         {"tq:b=3", "fp16", "none", 0.2, 0.04},
                {"tq:b=2", "fp16", "first", 0.3, 0.09},        {"tq:b=2", "fp16", "mean", 0.5, 0.5},
                {"tq:b=4", "fp16", "none", 0.15, -0.001},      {"tq:b=2", "same", "none", 0.4, 0.9}};
    enum { N = sizeof from / sizeof from[0] };
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "perplexity", damage_columns, N))
        return;
    for (size_t r = 0; r < N; r++) {
        set_point(t, r);
        text(t, r, "family", from[r].codec[0] == 'n' ? "noise" : "tq");
        text(t, r, "codec", from[r].codec);
        text(t, r, "value_codec", from[r].value);
        text(t, r, "treatment", from[r].treatment);
        real(t, r, "score_noise", from[r].noise);
        real(t, r, "loss_change", from[r].loss);
        real(t, r, "loss_change_se", 0.05 * fabs(from[r].loss));
    }
    if (drawn_with(&store, "damage", 6, 6)) {
        char *data = contents("data/damage.tsv"), *caption = caption_of("damage");
        FQ_CHECK(strstr(data, "\"noise\"\n0.1\t0.01\t0.009\t0.011\n1\t1\t0.9\t1.1\n") ||
                 strstr(data, "\n0.1\t0.01\t0.009\t0.011\n1\t1\t0.9\t1.1\n"));
        /* y = ln .16, ln .04, ln .09, ln .5; the last is ln 2 off */
        const double y[] = {log(0.16), log(0.04), log(0.09), log(0.5)};
        double sum = 0.0, squares = 0.0;
        for (size_t i = 0; i < 4; i++) {
            sum += y[i];
            squares += y[i] * y[i];
        }
        char words[200];
        snprintf(words, sizeof words, "tells %.3f +- ",
                 1.0 - log(2.0) * log(2.0) / (squares - sum * sum / 4.0));
        FQ_CHECK(strstr(caption, words) && strstr(caption, "over 4 settings"));
        snprintf(words, sizeof words, "by a factor of %.2f", exp(log(2.0) / 2.0));
        FQ_CHECK(strstr(caption, words) && strstr(caption, "; 1 are off by more than 2 SE."));
        FQ_CHECK(strstr(caption, "Left out: 1 rows whose loss did not rise.") != NULL);
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
}

static const fq_value_column key_bias_columns[] = {TEXT("point"),
                                                   TEXT("codec"),
                                                   TEXT("value_codec"),
                                                   TEXT("treatment"),
                                                   REAL("bias"),
                                                   REAL("perplexity_change"),
                                                   REAL("perplexity_change_se"),
                                                   REAL("perplexity_reference"),
                                                   REAL("shared_before"),
                                                   REAL("shared_after"),
                                                   TEXT("model_name"),
                                                   TEXT("text_name"),
                                                   TEXT("protocol")};

/* Rows in any order: a curve goes by rising constant, none stands at the edge, and the caption says what the
 * constant does to the model and its keys. */
static void key_bias_is_drawn(void) {
    static const double bias[] = {300, 0, 10};
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "key-bias", key_bias_columns, 6))
        return;
    for (size_t r = 0; r < 6; r++) {
        set_point(t, r);
        text(t, r, "codec", r < 3 ? "tq:b=3" : "tq:b=3,norm=match,normbits=8");
        text(t, r, "value_codec", "same");
        text(t, r, "treatment", r < 3 ? "none" : "mean+metric+classes+first");
        text(t, r, "model_name", "a model");
        text(t, r, "text_name", "a text");
        text(t, r, "protocol", "windows");
        real(t, r, "bias", bias[r % 3]);
        real(t, r, "perplexity_change", r < 3 ? 6.0 + 10.0 * bias[r] : 2.5);
        real(t, r, "perplexity_change_se", 0.25);
        real(t, r, "perplexity_reference", 42.0 + bias[r % 3] / 1000.0);
        real(t, r, "shared_before", r % 3 == 0 ? 0.999 : 0.75);
        real(t, r, "shared_after", r % 3 == 0 ? 0.998 : 0.5);
    }
    if (drawn_with(&store, "key_bias", 6, 6)) {
        char *data = contents("data/key_bias.tsv"), *caption = caption_of("key_bias");
        FQ_CHECK(strstr(data, "\"tq:b=3\"\n0.5\t6\t0.25\n10\t106\t0.25\n300\t3006\t0.25\n") != NULL);
        FQ_CHECK(
            strstr(data,
                   "\"tq:b=3,norm=match,normbits=8; mean+metric+classes+first\"\n0.5\t2.5\t0.25\n10\t2.5") !=
            NULL);
        FQ_CHECK(strstr(caption, "Uncompressed perplexity 42.000 at a constant of 0, 42.300 at 300") != NULL);
        FQ_CHECK(strstr(caption, "0.750 and 0.999 before the position encoding, 0.500 and 0.998 after"));
        char *script = contents("data/key_bias.gp"); /* a name of 55 characters takes two lines of the key */
        FQ_CHECK(
            strstr(script, "key_text0 = \"tq:b=3\"\nkey_style0 = 101\n") &&
            strstr(
                script,
                "key_text1 = \"tq:b=3,norm=match,normbits=8; mean+metric+classes+\"\nkey_style1 = 102\n") &&
            strstr(script, "key_text2 = \"    first\"\nkey_style2 = 100\n") &&
            strstr(script, "\nkeys = 3\n"));
        free(script);
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
}

static const fq_value_column distortion_columns[] = {TEXT("point"),
                                                     TEXT("codec"),
                                                     WHOLE("dim"),
                                                     TEXT("source"),
                                                     WHOLE("block"),
                                                     REAL("rate"),
                                                     REAL("distortion"),
                                                     REAL("distortion_se"),
                                                     REAL("shannon_bound"),
                                                     REAL("high_rate"),
                                                     REAL("every_code_bound"),
                                                     REAL("caps_bound")};

static void distortion_row(fq_table *t, size_t r, const char *codec, int64_t dim, int64_t block, double rate,
                           double distortion, double se) {
    set_point(t, r);
    text(t, r, "codec", codec);
    text(t, r, "source", "block");
    fq_table_set_integer(t, r, fq_table_find(t, "dim"), dim);
    fq_table_set_integer(t, r, fq_table_find(t, "block"), block);
    real(t, r, "rate", rate);
    real(t, r, "distortion", distortion);
    real(t, r, "distortion_se", se);
    real(t, r, "shannon_bound", pow(4.0, -rate));
    real(t, r, "high_rate", 1.5 * pow(4.0, -rate));
    real(t, r, "every_code_bound", block > 1 ? 1.25 * pow(4.0, -rate) : (double)NAN);
    real(t, r, "caps_bound", (rate < 2 ? 1.0625 : 0.9375) * pow(4.0, -rate)); /* above Shannon's, and below */
}

/* Dimensions in panels of their own, every seed marked and the mean weighted by errors, families nobody heard
 * of with their own names, colours by family and k, dashes by the rest. */
static void rate_distortion_shows_all_that_is_there(void) {
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "rate-distortion", distortion_columns, 9))
        return;
    distortion_row(t, 0, "fib:k=4,N=256", 64, 4, 2, 0.1, 0.01);
    distortion_row(t, 1, "fib:k=4,N=256,seed=2", 64, 4, 2, 0.2, 0.02);
    distortion_row(t, 2, "fib:k=4,N=16", 64, 4, 1, 0.3, 0.01);
    distortion_row(t, 3, "fib:k=4,N=256", 128, 4, 2, 0.11, 0.01);
    distortion_row(t, 4, "fib:k=4,N=256,recipe=paper", 128, 4, 2, 0.12, 0.01);
    distortion_row(t, 5, "fib:k=2,N=16,recipe=paper", 128, 2, 2, 0.13, 0.01);
    distortion_row(t, 6, "zigzag:b=2,depth=7", 64, 0, 2, 0.14, (double)NAN);
    distortion_row(t, 7, "fp16", 64, 0, 16, 1e-8, 1e-10);
    distortion_row(t, 8, "fib:k=4,N=256", 64, 4, 2, 0.15, 0.01);
    text(t, 8, "source", "vector");
    if (drawn_with(&store, "rate_distortion", 8, 8)) {
        char *data = contents("data/rate_distortion.tsv"), *script = contents("data/rate_distortion.gp"),
             *caption = caption_of("rate_distortion");
        FQ_CHECK(strstr(script, "\npanels = 2\n") && strstr(script, "\ndim0 = 64\n") &&
                 strstr(script, "\ndim1 = 128\n") && strstr(script, "\nseries = 5\n"));
        /* weights 1 / SE^2: (4 * 0.1 + 0.2) / 5 */
        FQ_CHECK(count(data, "\"FibQuant, k = 4\"\n1\t0.3\t0.01\n2\t0.1\t0.01\n2\t0.2\t0.02\n\n\n"
                             "\"FibQuant, k = 4\"\n1\t0.3\n2\t0.12\n") == 1);
        FQ_CHECK(count(data, "\"FibQuant, k = 4\"\n2\t0.11\t0.01\n") == 1);
        FQ_CHECK(count(data, "\"FibQuant, k = 4, recipe paper\"\n\n\n") == 2); /* none at d = 64 */
        FQ_CHECK(count(data, "\"zigzag, depth = 7\"\n2\t0.14\t0\n") == 1);
        FQ_CHECK(count(data, "\"FibQuant, k = 4, vectors\"\n2\t0.15\t0.01\n") == 1);
        FQ_CHECK(count(data, "\n16\t") == 0 && strstr(caption, "Left out: 1 points at 16 bits"));
        FQ_CHECK(strstr(caption, "Up to 2 points (seeds, sample sizes) share a rate") != NULL);
        /* the bounds for every code: k = 4 with its two rates, each once; k = 4 and 2 at d = 128 */
        const char *bounds = strstr(data, "\"no code below\"\n1\t0.3125\n2\t0.078125\n\n\n");
        FQ_CHECK(bounds && strstr(bounds, "\"no code below\"\n2\t0.078125\n") &&
                 count(data, "no code below") == 3);
        FQ_CHECK(strstr(script, "\nbounds0 = 1\n") && strstr(script, "\nbounds1 = 2\n") &&
                 strstr(script, "\nbounds_before1 = 1\n") && strstr(script, "\nbound_style0_0 = 101\n"));
        /* of equal caps and Shannon's bound the higher one for blocks, the former alone for vectors, and of
         * all these the lowest */
        FQ_CHECK(count(data, "\"limit\"\n1\t0.265625\n2\t0.05859375\n\n\n\"limit\"\n2\t0.0625\n") == 1);
        /* colours: k = 4 blue, k = 2 the next; dashes: population solid, paper the next */
        FQ_CHECK(strstr(script, "set linetype 101 linecolor rgb \"#0072B2\" dashtype 1 ") &&
                 strstr(script, "set linetype 102 linecolor rgb \"#0072B2\" dashtype (9,4) ") &&
                 strstr(script, "set linetype 103 linecolor rgb \"#D55E00\" dashtype (9,4) "));
        /* the high-rate level of k = 4, 10 lg 1.5, in the style of its first series */
        FQ_CHECK(strstr(script, "level0_0 = 1.76091259055681") && strstr(script, "level_style0_0 = 101\n"));
        free(data);
        free(script);
        free(caption);
    }
    fq_results_clear(&store);
}

/* What is there is drawn, be it a single point, one kind of codec, or no more than the uncompressed one. */
static void figures_of_little_are_drawn(void) {
    static const char *const alone[] = {"tq:b=2", "fp16", "fib:k=2,N=16,recipe=paper"};
    fq_results store;
    fq_table *t = NULL;
    for (size_t i = 0; i < 3; i++) {
        const double x = i == 1 ? 1.0 : 8.0;
        const row one = {alone[i], "same", "any", "", 1, x, x, i == 1 ? 1.0 : 0.9, "one"};
        if (TABLE_OF(&store, &t, "rate-distortion", distortion_columns, 1)) {
            distortion_row(t, 0, alone[i], 64, i == 2 ? 2 : 1, 16.0 / x, i == 1 ? 1e-8 : 0.1, 0.0);
            if (i == 1) /* nor have all bounds */
                real(t, 0, "shannon_bound", (double)NAN);
            drawn_with(&store, "rate_distortion", 1, 1);
        }
        fq_results_clear(&store);
        if (TABLE_OF(&store, &t, "fidelity", fidelity_columns, 1)) {
            fidelity_row(t, 0, &one, "");
            drawn_with(&store, "frontier", 1, 1);
        }
        fq_results_clear(&store);
        if (TABLE_OF(&store, &t, "perplexity", perplexity_columns, 1)) {
            perplexity_row(t, 0, alone[i], x, i == 1 ? 19.5 : 25.0);
            if (i == 1) {
                real(t, 0, "kl", 0.0);
                real(t, 0, "perplexity_change_se", 0.0);
            }
            drawn_with(&store, "perplexity", 1, 1);
        }
        fq_results_clear(&store);
    }
    if (TABLE_OF(&store, &t, "rate-distortion", distortion_columns, 2)) { /* nothing: said, without a file */
        distortion_row(t, 0, "tq:b=2", 64, 1, 2, (double)NAN, 0.0);
        distortion_row(t, 1, "tq:b=3", 64, 1, 3, 0.0, 0.0);
        const fq_draw_request request = {in_folder("store.h5"), &store, fq_test_folder(), "a command"};
        unlink(in_folder("rate_distortion.png"));
        FQ_CHECK_FAILS(fq_draw(&request, figure_named("rate_distortion"), NULL), FQ_ERR_INPUT);
        FQ_CHECK(access(in_folder("rate_distortion.png"), F_OK) != 0);
    }
    fq_results_clear(&store);
}

static void labels_come_from_the_table_and_the_grammar(void) {
    static const struct {
        const char *spec, *without, *label;
    } wanted[] = {{"fib:k=4,N=256,recipe=paper", "N", "FibQuant, k = 4, recipe paper"},
                  {"fib:k=4,N=256,recipe=paper", "k N b", "FibQuant, recipe paper"},
                  {"fib:k=8,N=256", "N recipe", "FibQuant, k = 8"},
                  {"tq:b=2.5", "k N b", "TurboQuant"},
                  {"tqprod:b=3,seed=7", "b", "TurboQuant (inner product), seed = 7"},
                  {"newcomer", NULL, "newcomer"},
                  {"newcomer:b=2,shape=round", "b", "newcomer, shape round"},
                  {"fib:k=4,N=256,recipe=paper,rot=hadamard,norm=match", NULL,
                   "fib:k=4,N=256,recipe=paper,rot=hadamard,norm=match"},
                  {"odd:,=,b", "b", "odd"}};
    char label[FQ_CODEC_LABEL_MAX];
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        fq_codec_label(label, wanted[i].spec, wanted[i].without);
        if (!FQ_CHECK(strcmp(label, wanted[i].label) == 0))
            printf("%s: %s, wanted %s\n", wanted[i].spec, label, wanted[i].label);
    }
    fq_codec_without(label, "fib:k=4,N=256,seed=3", "seed k");
    FQ_CHECK(strcmp(label, "fib:N=256") == 0);
    fq_codec_kind(label, "fib:k=4,N=256,norm=match", false);
    FQ_CHECK(strcmp(label, "FibQuant, beyond the paper") == 0);
}

/* Styles of any 500 series differ in what a reader sees. */
static void styles_do_not_repeat(void) {
    enum { STYLES = 500, WIDTH = 200 };
    char *lines = calloc(STYLES, WIDTH);
    FILE *file = fopen(in_folder("styles"), "w+");
    if (!FQ_CHECK(lines && file))
        return;
    const fq_figure_job job = {.variables = file};
    for (size_t i = 0; i < STYLES; i++)
        fq_figure_series_style(&job, i);
    rewind(file);
    size_t same = 0;
    for (size_t i = 0; i < STYLES; i++) {
        char line[WIDTH];
        FQ_CHECK(fgets(line, sizeof line, file) != NULL);
        const char *look = strstr(line, " linecolor");
        if (FQ_CHECK(look != NULL))
            strcpy(lines + i * WIDTH, look);
        for (size_t before = 0; before < i; before++)
            same += strcmp(lines + before * WIDTH, lines + i * WIDTH) == 0;
    }
    FQ_CHECK(same == 0);
    fclose(file);
    free(lines);
}

static const fq_value_column universality_columns[] = {TEXT("point"),       TEXT("cache_sha256"),
                                                       TEXT("codec"),       TEXT("kind"),
                                                       WHOLE("layer"),      WHOLE("head"),
                                                       REAL("ratio"),       REAL("ratio_low"),
                                                       REAL("ratio_high"),  REAL("t"),
                                                       REAL("p"),           REAL("effective_vectors"),
                                                       REAL("threshold"),   WHOLE("tests"),
                                                       WHOLE("deviates"),   REAL("canonical"),
                                                       WHOLE("rotations"),  WHOLE("tokens"),
                                                       TEXT("model_name"),  TEXT("text_name"),
                                                       REAL("family_error")};

static void universality_marks_what_deviates(void) {
    fq_results store;
    fq_table *t = NULL;
    memset(&store, 0, sizeof store);
    if (!FQ_CHECK_OK(fq_results_add_table(&store, &t, "universality", universality_columns,
                                          sizeof universality_columns / sizeof *universality_columns)) ||
        !FQ_CHECK_OK(fq_table_append(t, NULL, 16)))
        return;
    for (size_t r = 0; r < 16; r++) { /* two codecs, two kinds, two layers, two heads */
        text(t, r, "point", r < 8 ? "first" : "second");
        text(t, r, "codec", r < 8 ? "tq:b=2" : "tq:b=2,rot=hadamard");
        text(t, r, "kind", r % 8 < 4 ? "key" : "value");
        fq_table_set_integer(t, r, fq_table_find(t, "layer"), (int64_t)(r % 4 / 2));
        fq_table_set_integer(t, r, fq_table_find(t, "head"), (int64_t)(r % 2));
        fq_table_set_integer(t, r, fq_table_find(t, "deviates"), r == 9);
        real(t, r, "ratio", r == 9 ? 1.5 : 1.0);
        real(t, r, "ratio_low", r == 9 ? 1.4 : 0.99);
        real(t, r, "ratio_high", r == 9 ? 1.6 : 1.01);
        real(t, r, "t", r == 9 ? -12.34 : r % 2 ? 1.5 : -1.5);
        real(t, r, "effective_vectors", (double)(r % 4));
        real(t, r, "threshold", 4.7);
        real(t, r, "family_error", 0.01);
    }
    if (drawn_with(&store, "universality", 16, 2)) {
        char *script = contents("data/universality.gp"), *data = contents("data/universality.tsv"),
             *caption = caption_of("universality");
        FQ_CHECK(strstr(caption, "tq:b=2, keys: 0 of 4 deviate, |t| to 1.5 (threshold 4.7).") != NULL);
        FQ_CHECK(strstr(caption, "tq:b=2,rot=hadamard, keys: 1 of 4 deviate, |t| to 12.3 (threshold 4.7).") !=
                 NULL);
        FQ_CHECK(strstr(script, "\npairs = 2\n") && strstr(script, "\nsummary2 = \"1 of 4 deviate\"\n"));
        /* one scale for all keys, with the deviating one, and one for all values */
        FQ_CHECK(strstr(script, "\nkey_high = 1.63") && strstr(script, "\nvalue_high = 1.0"));
        FQ_CHECK(count(data, "\n0.5\t1.5\t1.4\t1.6\n") == 1 && count(data, "\n1.5\t1\t0.99\t1.01\n") == 4);
        free(script);
        free(data);
        free(caption);
    }
    char *printed = NULL;
    size_t length = 0;
    FILE *to = open_memstream(&printed, &length);
    FQ_CHECK_OK(fq_universality_summary_print(to, &store));
    fclose(to);
    FQ_CHECK(count(printed, "\n") == 3 + 4 + 1 &&
             count(printed, "deviates: layer 0, head 1: ratio 1.5000, t = -12.3") == 1);
    /* t = 1.5, -1.5 twice: sd sqrt(4 * 2.25 / 3); the median of 0, 1, 2, 3 is 1.5 */
    FQ_CHECK(count(printed, "1.0000    1.0000      1.73       1.5         0") == 3);
    FQ_CHECK(count(printed, "1.0000    1.5000") == 1);
    free(printed);
    for (size_t r = 8; r < 16; r++) { /* the same codec on another cache of equal names */
        text(t, r, "codec", "tq:b=2");
        text(t, r, "cache_sha256", "0123456789abcdef");
    }
    if (drawn_with(&store, "universality", 16, 2)) {
        char *script = contents("data/universality.gp");
        FQ_CHECK(strstr(script, "\npairs = 2\n") && strstr(script, "\ntitle1 = \"tq:b=2; #01234567\"\n"));
        free(script);
    }
    printed = NULL;
    to = open_memstream(&printed, &length);
    FQ_CHECK_OK(fq_universality_summary_print(to, &store));
    fclose(to);
    FQ_CHECK(count(printed, "Universality on") == 2 && count(printed, "(#01234567)") == 1 &&
             count(printed, "\ntq:b=2 ") == 4);
    free(printed);
    fq_results_clear(&store);
    memset(&store, 0, sizeof store);
    FQ_CHECK_FAILS(fq_universality_summary_print(stdout, &store), FQ_ERR_INPUT);
}

static const fq_value_column feedback_columns[] = {
    TEXT("point"),         TEXT("problem"),         TEXT("method"), TEXT("compressor"), WHOLE("workers"),
    WHOLE("dim"),          REAL("kappa"),           REAL("noise"),  WHOLE("round"),     REAL("bits"),
    REAL("gradient"),      REAL("gradient_se"),     REAL("step"),   REAL("gamma"),      REAL("step_size"),
    REAL("late_gradient"), REAL("late_gradient_se")};

/* Rounds 0, 1 and 10 of a point: the gradient falls from 100 to what is given. */
static void feedback_rows(fq_table *t, const char *point, const char *problem, const char *compressor,
                          double step, double last) {
    for (size_t i = 0; i < 3; i++) {
        const size_t r = t->count;
        if (!FQ_CHECK_OK(fq_table_append(t, NULL, 1)))
            return;
        text(t, r, "point", point);
        text(t, r, "problem", problem);
        text(t, r, "method", "ef21");
        text(t, r, "compressor", compressor);
        fq_table_set_integer(t, r, fq_table_find(t, "workers"), 4);
        fq_table_set_integer(t, r, fq_table_find(t, "dim"), 64);
        real(t, r, "kappa", 100);
        real(t, r, "noise", 0);
        fq_table_set_integer(t, r, fq_table_find(t, "round"), i == 0 ? 0 : i == 1 ? 1 : 10);
        real(t, r, "bits", i == 0 ? 7 : i == 1 ? 70 : 700);
        real(t, r, "gradient", i == 2 ? last : 100);
        real(t, r, "gradient_se", 0);
        real(t, r, "late_gradient", i == 2 ? last : 100);
        real(t, r, "late_gradient_se", last / 10);
        real(t, r, "step_size", step);
    }
}

/* Of three steps the best is shown, not one that diverged; the three points have a panel of their own. */
static void error_feedback_shows_the_best_step(void) {
    fq_results store;
    fq_table *t = NULL;
    memset(&store, 0, sizeof store);
    if (!FQ_CHECK_OK(fq_results_add_table(&store, &t, "error-feedback", feedback_columns,
                                          sizeof feedback_columns / sizeof *feedback_columns)))
        return;
    feedback_rows(t, "a", "quadratic", "tq:b=1", 0.1, 3);
    feedback_rows(t, "b", "quadratic", "tq:b=1", 0.4, 0.25);
    feedback_rows(t, "c", "quadratic", "tq:b=1", 1.6, (double)NAN);
    feedback_rows(t, "d", "quadratic", "sign", 0.3, 0.5);
    if (drawn_with(&store, "error_feedback", 4, 2)) {
        char *script = contents("data/error_feedback.gp"), *data = contents("data/error_feedback.tsv"),
             *caption = caption_of("error_feedback");
        FQ_CHECK(
            strstr(caption,
                   "quadratic, condition 100, d = 64, n = 4, ef21, TurboQuant, b = 1: gamma = 0.4, the best "
                   "of 3.") != NULL);
        FQ_CHECK(strstr(caption, "sign: gamma") == NULL && strstr(caption, "Three points") == NULL);
        FQ_CHECK(count(data, "\n10\t700\t0.25\t0\n") == 1 && count(data, "\n10\t700\t0.5\t0\n") == 1);
        FQ_CHECK(count(data, "\n10\t") == 2 && count(data, "\n0\t") == 0);
        FQ_CHECK(strstr(script, "\npanels = 1\n") && strstr(script, "\nseries = 2\n") &&
                 strstr(script, "\nwith_floor = 0\n"));
        free(script);
        free(data);
        free(caption);
    }
    feedback_rows(t, "e", "three-points", "topk:K=1", 0.01, 0.02);
    feedback_rows(t, "f", "three-points", "topk:K=1", 0.001, 0.01);
    if (drawn_with(&store, "error_feedback", 6, 4)) {
        char *script = contents("data/error_feedback.gp"), *data = contents("data/error_feedback.tsv");
        FQ_CHECK(strstr(script, "\nwith_floor = 1\n") && strstr(script, "\nfloor_first = 2\n"));
        FQ_CHECK(count(data, "\n0.001\t0.01\t0.001\n0.01\t0.02\t0.002\n") == 1);
        free(script);
        free(data);
    }
    fq_results_clear(&store);
}

static const fq_value_column adiana_columns[] = {TEXT("point"),         TEXT("method"),
                                                 TEXT("compressor"),    TEXT("randomness"),
                                                 WHOLE("workers"),      REAL("kappa"),
                                                 WHOLE("dim"),          REAL("omega"),
                                                 REAL("target_rounds"), REAL("target_rounds_se"),
                                                 REAL("target_bits"),   REAL("target_bits_se"),
                                                 REAL("step")};

static void adiana_row(fq_table *t, const char *compressor, const char *randomness, double step, double omega,
                       double rounds) {
    const size_t r = t->count;
    char point[16];
    if (!FQ_CHECK_OK(fq_table_append(t, NULL, 1)))
        return;
    snprintf(point, sizeof point, "%zu", r);
    text(t, r, "point", point);
    text(t, r, "method", omega > 0 ? "adiana" : "agd");
    text(t, r, "compressor", compressor);
    text(t, r, "randomness", randomness);
    fq_table_set_integer(t, r, fq_table_find(t, "workers"), 16);
    fq_table_set_integer(t, r, fq_table_find(t, "dim"), 32);
    real(t, r, "kappa", 300);
    real(t, r, "omega", omega);
    real(t, r, "target_rounds", rounds);
    real(t, r, "target_rounds_se", 1);
    real(t, r, "target_bits", 10 * rounds);
    real(t, r, "target_bits_se", 10);
    real(t, r, "step", step);
}

/* The best step of each setting, at omega over the root of 16 workers; what never reaches the target is
 * named. */
static void adiana_shows_the_best_step(void) {
    fq_results store;
    fq_table *t = NULL;
    memset(&store, 0, sizeof store);
    if (!FQ_CHECK_OK(fq_results_add_table(&store, &t, "adiana", adiana_columns,
                                          sizeof adiana_columns / sizeof *adiana_columns)))
        return;
    adiana_row(t, "none", "independent", 1, 0, 80);
    adiana_row(t, "randk:K=1", "independent", 8, 31, 3000);
    adiana_row(t, "randk:K=1", "independent", 64, 31, 1600);
    adiana_row(t, "randk:K=8", "independent", 64, 3, 500);
    adiana_row(t, "randk:K=1", "shared", 64, 31, (double)NAN);
    adiana_row(t, "randk:K=8", "shared", 64, 3, 700);
    if (drawn_with(&store, "adiana", 4, 4)) {
        char *script = contents("data/adiana.gp"), *data = contents("data/adiana.tsv"),
             *caption = caption_of("adiana");
        FQ_CHECK(strstr(caption,
                        "adiana, randk:K=1, shared, n = 16: the target is not reached at any step.") != NULL);
        FQ_CHECK(count(data, "\n0.75\t500\t1\t3\t5000\t10\n7.75\t1600\t1\t31\t16000\t10\n") == 1);
        FQ_CHECK(count(data, "\n0.75\t700\t1\t3\t7000\t10\n") == 1 && count(data, "3000") == 0);
        FQ_CHECK(count(data, "\n0.05\t80\t1\t0.2\t800\t10\n") == 1);
        FQ_CHECK(strstr(script, "\nseries = 3\n") && strstr(script, "label0 = \"agd, uncompressed\""));
        free(script);
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
}

static const fq_value_column evidence_columns[] = {
    TEXT("series"), TEXT("parameters"), REAL("dim"),        REAL("block"), REAL("codewords"),
    REAL("rate"),   REAL("left"),       REAL("left_error"), REAL("right"), WHOLE("precision")};
enum { EVIDENCE_COLUMNS = sizeof evidence_columns / sizeof *evidence_columns };

/* One comparison at x, a value of the column named, with left = 10 x, left_error = x, right = 100 x. */
static void evidence(fq_table *t, const char *series, const char *parameters, double dim, double block,
                     const char *column, double x) {
    const size_t r = t->count;
    if (!FQ_CHECK_OK(fq_table_append(t, NULL, 1)))
        return;
    text(t, r, "series", series);
    text(t, r, "parameters", parameters);
    real(t, r, "dim", dim);
    real(t, r, "block", block);
    if (strcmp(column, "precision") == 0)
        fq_table_set_integer(t, r, fq_table_find(t, column), (int64_t)x);
    else
        real(t, r, column, x);
    real(t, r, "left", 10 * x);
    real(t, r, "left_error", x);
    real(t, r, "right", 100 * x);
}

static void fill_evidence(fq_table *t) {
    static const double dims[] = {16, 64, 128, 1024}, blocks[] = {2, 4, 8, 16, 32, 3};
    static const char *const widths[] = {
        "total correlation, d = 64, k = 4", "total correlation, d = 10^9, k = 4",
        "entropy by integral, d = 64, k = 4", "scalar distortion, d = 64, b = 2"};
    const double none = (double)NAN;
    for (double x = 2; x > 0; x--) { /* falling: figures put them in order */
        evidence(t, "shaping_factor", "", none, x + 1, "rate", 1);
        evidence(t, "shaping_factor_sphere_bound", "", none, x + 1, "rate", 1);
        for (size_t i = 0; i < 4; i++) {
            evidence(t, "density_factor", "", dims[i], x + 1, "rate", 1);
            evidence(t, "total_gain", "", dims[i], x + 1, "rate", 1);
            evidence(t, "scaled_distortion", "", dims[i], 1, "rate", x);
            evidence(t, "mse_upper_bound", "", dims[i], 1, "rate", x);
            evidence(t, "enclosure_width", widths[i], 64, 4, "precision", 64 * x);
        }
        for (size_t i = 0; i < 6; i++) {
            evidence(t, "total_correlation", "", 64 * x, blocks[i], "rate", 1);
            evidence(t, "ratio_to_limit", "", 16, blocks[i], "rate", x + 4);
            evidence(t, "ratio_to_limit", "", 64, blocks[i], "rate", x);
            evidence(t, blocks[i] < 4 ? "covering_against_random" : "covering_below_3_random", "", none,
                     blocks[i], "codewords", x);
            evidence(t, blocks[i] < 4 ? "discrepancy_against_random" : "discrepancy_below_3_random", "", none,
                     blocks[i], "codewords", x);
        }
    }
}

static void theory_is_drawn_from_what_verify_stores(void) {
    static const struct {
        const char *figure, *line; /* a line of its data, */
        size_t times, rows;        /* which stands there so often; rows shown */
    } wanted[] = {
        {"theory_correlation", "\n64\t10\n128\t10\n", 6, 12},
        {"theory_directions", "\n1\t10\n2\t20\n", 12, 24},
        {"theory_gains", "\n2\t10\n3\t10\n", 10, 20},
        {"theory_convergence", "\n1\t10\t1\n2\t20\t2\n", 6, 32},
        {"theory_turboquant", "\n1\t10\t1\t100\n2\t20\t2\t200\n", 4, 8},
        {"theory_widths", "\n64\t640\n128\t1280\n", 4, 8},
    };
    fq_results store, empty;
    fq_table *t = NULL, *nothing = NULL;
    memset(&store, 0, sizeof store);
    memset(&empty, 0, sizeof empty);
    if (!FQ_CHECK_OK(
            fq_results_add_table(&store, &t, "claim-evidence", evidence_columns, EVIDENCE_COLUMNS)) ||
        !FQ_CHECK_OK(
            fq_results_add_table(&empty, &nothing, "claim-evidence", evidence_columns, EVIDENCE_COLUMNS)))
        return;
    fill_evidence(t);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        char name[80];
        snprintf(name, sizeof name, "data/%s.tsv", wanted[i].figure);
        if (drawn_with(&store, wanted[i].figure, wanted[i].rows, wanted[i].rows)) {
            char *data = contents(name);
            if (!FQ_CHECK(count(data, wanted[i].line) == wanted[i].times))
                printf("%s: %zu times, wanted %zu\n%s\n", name, count(data, wanted[i].line), wanted[i].times,
                       data);
            free(data);
        }
        const fq_draw_request request = {"store.h5", &empty, fq_test_folder(), "a command"};
        FQ_CHECK_FAILS(fq_draw(&request, figure_named(wanted[i].figure), NULL), FQ_ERR_INPUT);
    }
    fq_results_clear(&store);
    fq_results_clear(&empty);
}

static const fq_value_column bench_columns[] = {TEXT("bench"),          TEXT("case"),
                                                TEXT("variant"),        TEXT("kind"),
                                                WHOLE("threads"),       WHOLE("quick"),
                                                WHOLE("verified"),      TEXT("unit"),
                                                REAL("of_limit"),       REAL("target_of_limit"),
                                                TEXT("limit"),          TEXT("axis"),
                                                REAL("axis_value"),     REAL("axis_slope"),
                                                REAL("amount"),         REAL("median"),
                                                REAL("lower_quartile"), REAL("upper_quartile")};

static void bench_row(fq_table *t, size_t r, const char *kind, const char *variant, double of_limit,
                      bool quick) {
    text(t, r, "bench", "decode");
    text(t, r, "case", "k=4");
    text(t, r, "variant", variant);
    text(t, r, "kind", kind);
    text(t, r, "unit", "vectors");
    text(t, r, "limit", "copy");
    fq_table_set_integer(t, r, fq_table_find(t, "threads"), 1);
    fq_table_set_integer(t, r, fq_table_find(t, "quick"), quick);
    fq_table_set_integer(t, r, fq_table_find(t, "verified"), 1);
    real(t, r, "of_limit", of_limit);
}

static void bench_is_drawn(void) {
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "bench", bench_columns, 5))
        return;
    bench_row(t, 0, "naive", "naive loops", 0.01, false);
    bench_row(t, 1, "ours", "ours", 0.5, false);
    bench_row(t, 2, "ours", "portable", 0.25, false); /* not the first of its case */
    bench_row(t, 3, "ours", "ours, rotated", 0.75, false);
    real(t, 3, "target_of_limit", 0.7);
    bench_row(t, 4, "ours", "ours", 0.99, true); /* a quick run beside others */
    if (drawn_with(&store, "bench", 3, 3)) {
        char *data = contents("data/bench.tsv"), *caption = caption_of("bench");
        FQ_CHECK(
            count(data, "\n-1\t0.01\tnan\t0.5\tnan\tk=4\n-2\t0.01\tnan\t0.75\t0.7\tk=4, ours, rotated\n") ==
            1);
        FQ_CHECK(count(data, "\n") == 3 && strstr(caption, "Left out: 1 rows of quick runs."));
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
    if (!TABLE_OF(&store, &t, "bench", bench_columns, 10))
        return;
    for (size_t i = 0; i < 9; i++) { /* a power law of exponent -1.25, falling x; then a lone point */
        const double x = 1.7 * pow(2, (double)(8 - i)), y = 3e-9 * pow(x, -1.25);
        bench_row(t, i, "ours", "law", 0.5, true);
        text(t, i, "axis", "d");
        real(t, i, "axis_value", x);
        real(t, i, "axis_slope", -1.0);
        real(t, i, "amount", 2.0);
        real(t, i, "median", i == 0 ? 4.0 * y : 2.0 * y); /* at the largest x twice the law */
        real(t, i, "lower_quartile", y);
        real(t, i, "upper_quartile", 3.0 * y);
    }
    bench_row(t, 9, "ours", "alone", 0.5, true);
    text(t, 9, "axis", "d");
    real(t, 9, "axis_value", 1.0);
    real(t, 9, "amount", 1.0);
    real(t, 9, "median", 1.0);
    if (drawn_with(&store, "bench_scaling", 9, 9)) {
        char *data = contents("data/bench_scaling.tsv"), *caption = caption_of("bench_scaling");
        /* the last of nine points at distances -4..4 doublings is doubled: the slope rises by 4 / 60 */
        FQ_CHECK(count(data, "\"law: -1.18 (-1)\"\n1.7\t") == 1 && count(data, "alone") == 0);
        FQ_CHECK(strstr(caption, "Quick runs:") && strstr(caption, "Left out: 1 curves of a single point."));
        free(data);
        free(caption);
    }
    fq_results_clear(&store);
}

static const fq_value_column cells_columns[] = {
    TEXT("point"),  TEXT("seed"),   WHOLE("dim"),     WHOLE("codewords"), TEXT("recipe"),     WHOLE("cell"),
    REAL("word_x"), REAL("word_y"), REAL("corner_x"), REAL("corner_y"),   REAL("disc_radius")};

static void cells_stand_in_rows_and_columns(void) {
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "cells", cells_columns, 24))
        return;
    for (size_t r = 0; r < 24;
         r++) { /* N = 16, 64 by two recipes, one of them by two seeds; two cells of two corners */
        const size_t panel = r / 4;
        text(t, r, "point",
             panel == 0   ? "a"
             : panel == 1 ? "b"
             : panel == 2 ? "c"
             : panel == 3 ? "d"
             : panel == 4 ? "e"
                          : "f");
        text(t, r, "recipe", panel % 3 == 0 ? "initial" : "population");
        text(t, r, "seed", panel % 3 == 2 ? "2" : "1");
        fq_table_set_integer(t, r, fq_table_find(t, "dim"), 64);
        fq_table_set_integer(t, r, fq_table_find(t, "codewords"), panel < 3 ? 16 : 64);
        fq_table_set_integer(t, r, fq_table_find(t, "cell"), (int64_t)(r % 4 / 2));
        real(t, r, "word_x", 0.1 * (double)(r % 4 / 2));
        real(t, r, "word_y", 0.0);
        real(t, r, "corner_x", 0.1 * (double)(r % 4));
        real(t, r, "corner_y", 0.2);
        real(t, r, "disc_radius", 0.5);
    }
    if (drawn_with(&store, "cells", 24, 6)) {
        char *data = contents("data/cells.tsv"), *script = contents("data/cells.gp");
        FQ_CHECK(
            count(data, "0\t0.2\n0.1\t0.2\n0\t0.2\n\n0.2\t0.2\n0.3\t0.2\n0.2\t0.2\n\n\n0\t0\n0.1\t0\n") == 6);
        FQ_CHECK(strstr(script, "\ncolumns = 3\n") &&
                 strstr(script, "\nacross2 = \"population, seed 2\"\n") &&
                 strstr(script, "\ndown1 = \"d = 64, N = 64\"\n"));
        FQ_CHECK(strstr(script, "\ncolumn4 = 1\n") && strstr(script, "\nrow4 = 1\n"));
        free(data);
        free(script);
    }
    fq_results_clear(&store);
}

static const fq_value_column density_columns[] = {TEXT("point"),       WHOLE("dim"),    WHOLE("block"),
                                                  REAL("radius"),      REAL("density"), REAL("histogram"),
                                                  REAL("histogram_se")};

/* Every pair of d and k is in some panel; a panel has one d or one k. */
static void density_shows_every_pair(void) {
    static const int64_t pairs[][2] = {{64, 1}, {64, 2}, {64, 4}, {16, 4}, {128, 4}, {32, 8}, {64, 4}};
    fq_results store;
    fq_table *t = NULL;
    if (!TABLE_OF(&store, &t, "source-law", density_columns, 14))
        return;
    for (size_t r = 0; r < 14; r++) {
        char id[32];
        snprintf(id, sizeof id, "point %zu", r / 2);
        text(t, r, "point", id);
        fq_table_set_integer(t, r, fq_table_find(t, "dim"), pairs[r / 2][0]);
        fq_table_set_integer(t, r, fq_table_find(t, "block"), pairs[r / 2][1]);
        real(t, r, "radius", 0.1 + 0.1 * (double)(r % 2));
        real(t, r, "density", (double)(r / 2));
        real(t, r, "histogram", (double)(r / 2) + 0.5);
        real(t, r, "histogram_se", 0.1);
    }
    if (drawn_with(&store, "density", 14, 7)) {
        char *data = contents("data/density.tsv"), *script = contents("data/density.gp");
        FQ_CHECK(strstr(script, "\npanels = 3\n") && strstr(script, "\ntitle0 = \"d = 64\"\n") &&
                 strstr(script, "\ntitle1 = \"k = 4\"\n") && strstr(script, "\ntitle2 = \"d = 32\"\n"));
        /* k = 1, 2, 4, 4 | d = 16, 64, 64, 128 | k = 8, by rising values */
        FQ_CHECK(strstr(data, "\"k = 1\"") &&
                 strstr(data, "\n\n\"d = 128\"\n0.1\t4\t4.5\t0.1\n0.2\t4\t4.5\t0.1\n"));
        FQ_CHECK(count(data, "\"k = 4\"") == 2 && count(data, "\"d = 64\"") == 2 &&
                 count(data, "\"k = 8\"") == 1);
        FQ_CHECK(strstr(data, "\"d = 16\"") < strstr(data, "\"d = 64\"") &&
                 strstr(data, "\"d = 64\"") < strstr(data, "\"d = 128\""));
        free(data);
        free(script);
    }
    fq_results_clear(&store);
}

static const fq_test tests[] = {
    {"pareto keeps what none beats", pareto_keeps_what_none_beats},
    {"labels", labels_come_from_the_table_and_the_grammar},
    {"styles", styles_do_not_repeat},
    {"frontier", frontier_shows_each_series_once_an_axis},
    {"sources", sources_are_told_apart},
    {"rate distortion", rate_distortion_shows_all_that_is_there},
    {"little", figures_of_little_are_drawn},
    {"bench", bench_is_drawn},
    {"cells", cells_stand_in_rows_and_columns},
    {"density", density_shows_every_pair},
    {"fidelity summary", summary_sets_claims_beside_measurements},
    {"protocols", protocols_are_set_side_by_side},
    {"perplexity", perplexity_is_drawn},
    {"key recall", recall_is_drawn_by_depth},
    {"distance", distance_is_drawn_by_age},
    {"damage", damage_is_set_against_injected_noise},
    {"key bias", key_bias_is_drawn},
    {"universality", universality_marks_what_deviates},
    {"error feedback", error_feedback_shows_the_best_step},
    {"adiana", adiana_shows_the_best_step},
    {"theory", theory_is_drawn_from_what_verify_stores},
    {0},
};
const fq_suite fq_suite_figures = {"figures", tests};
