/* Figures and summaries from stores made here: the points that none beats, what is fed to gnuplot, what is
 * printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "draw.h"
#include "fidelity_series.h"
#include "fidelity_summary.h"
#include "pareto.h"
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

static const fq_value_column fidelity_columns[] = {TEXT("codec"),
                                                   TEXT("value_codec"),
                                                   WHOLE("keep_first"),
                                                   TEXT("centre"),
                                                   WHOLE("centre_tokens"),
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
    {"fib:k=2,N=64", "same", "fib", "population", 1, 40, 40, 0.999, "another"}, /* of no series */
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static void text(fq_table *t, size_t r, const char *column, const char *value) {
    fq_table_set_text(t, r, fq_table_find(t, column), value);
}

static void real(fq_table *t, size_t r, const char *column, double value) {
    fq_table_set_real(t, r, fq_table_find(t, column), value);
}

static bool fill_fidelity(fq_results *store) {
    fq_table *t = NULL;
    memset(store, 0, sizeof *store);
    if (!FQ_CHECK_OK(fq_results_add_table(store, &t, "fidelity", fidelity_columns,
                                          sizeof fidelity_columns / sizeof *fidelity_columns)) ||
        !FQ_CHECK_OK(fq_table_append(t, NULL, ROWS)))
        return false;
    for (size_t r = 0; r < ROWS; r++) {
        text(t, r, "codec", rows[r].codec);
        text(t, r, "value_codec", rows[r].value_codec);
        text(t, r, "centre", rows[r].plain ? "none" : "key");
        text(t, r, "family", rows[r].family);
        text(t, r, "recipe", rows[r].recipe);
        text(t, r, "model_name", "a {model} \"with\" _odd_ \\name");
        text(t, r, "text_name", "a_text.txt");
        text(t, r, "protocol", rows[r].protocol);
        fq_table_set_integer(t, r, fq_table_find(t, "plain"), rows[r].plain);
        fq_table_set_integer(t, r, fq_table_find(t, "keep_first"), rows[r].plain ? 0 : 2);
        real(t, r, "compression_payload", rows[r].payload);
        real(t, r, "compression_stored", rows[r].stored);
        real(t, r, "attention_cosine", rows[r].cosine);
        real(t, r, "attention_cosine_se", 0.001);
        real(t, r, "attention_cosine_key", rows[r].cosine);
        real(t, r, "attention_cosine_value", rows[r].cosine);
    }
    return true;
}

static const char *in_folder(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

static char *contents(const char *name) {
    FILE *file = fopen(in_folder(name), "r");
    char *bytes = calloc(1, 1 << 16);
    if (FQ_CHECK(file && bytes)) {
        FQ_CHECK(fread(bytes, 1, (1 << 16) - 1, file) > 0);
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

/* Draws, and wants PNG and PDF of a plausible size. */
static bool drawn(const fq_results *store, const char *name) {
    char store_path[512], folder[512], file[80];
    struct stat info;
    snprintf(store_path, sizeof store_path, "%s", in_folder("store.h5"));
    snprintf(folder, sizeof folder, "%s", fq_test_folder());
    if (!FQ_CHECK_OK(fq_result_file_write(store_path, store)) || !FQ_CHECK(figure_named(name) != NULL))
        return false;
    const fq_draw_request request = {store_path, store, folder, "a command"};
    bool good = FQ_CHECK_OK(fq_draw(&request, figure_named(name)));
    for (int pdf = 0; good && pdf < 2; pdf++) {
        snprintf(file, sizeof file, "%s.%s", name, pdf ? "pdf" : "png");
        good = FQ_CHECK(stat(in_folder(file), &info) == 0 && info.st_size > 5000);
    }
    return good;
}

static size_t count(const char *where, const char *what) {
    size_t n = 0;
    for (const char *at = where; (at = strstr(at, what)) != NULL; at += strlen(what))
        n++;
    return n;
}

static void frontier_shows_each_series_once_an_axis(void) {
    fq_results store;
    if (!fill_fidelity(&store))
        return;
    if (drawn(&store, "frontier")) {
        char *data = contents("data/frontier.tsv");
        for (int series = 0; series < FQ_SERIES_COUNT; series++)
            FQ_CHECK(count(data, fq_series_title(series)) == 4); /* two axes; all points and the best */
        FQ_CHECK(count(data, "\n5.2\t") == 1);                   /* beaten: among all, not among the best */
        FQ_CHECK(count(data, "\n5.006\t") == 2);                 /* best */
        FQ_CHECK(count(data, "\n40\t") == 0);                    /* another protocol */
        FQ_CHECK(count(data, "5.3333\t0.0001") == 0);            /* the initial codebook */
        free(data);
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

/* The line of a claim's table for a series. */
static void summary_line(char line[300], const char *printed, const char *claim, const char *series) {
    const char *at = strstr(printed, claim);
    line[0] = '\0';
    at = at ? strstr(at, series) : NULL;
    if (FQ_CHECK(at != NULL))
        snprintf(line, 300, "%.*s", (int)strcspn(at, "\n"), at);
}

static void summary_sets_claims_beside_measurements(void) {
    fq_results store;
    char *printed = NULL, line[300];
    size_t length = 0;
    if (!fill_fidelity(&store))
        return;
    FILE *to = open_memstream(&printed, &length);
    FQ_CHECK_OK(fq_fidelity_summary_print(to, &store));
    fclose(to);
    summary_line(line, printed, "5x at 0.99", "FibQuant, population training");
    /* At 5x of payload the point at 5.006, at 5x of all stored only the one at 8; 0.99 is reached at 5.006.
     */
    FQ_CHECK(strstr(line, "0.9912 +- 0.0010 ( 5.01x)") && strstr(line, "0.9300 +- 0.0010 ( 7.11x)") &&
             strstr(line, "5.01x    4.60x"));
    summary_line(line, printed, "5x at 0.99", "TurboQuant (scalar)");
    FQ_CHECK(strstr(line, "0.9700 +- 0.0010 ( 5.33x)") && strstr(line, "0.5000 +- 0.0010 (12.80x)") &&
             count(line, " -") == 2);
    summary_line(line, printed, "34x at 0.95", "FibQuant, population training");
    FQ_CHECK(strstr(line, "0.6000 +- 0.0010 (34.10x)") && strstr(line, "5.33x    4.92x"));
    summary_line(line, printed, "34x at 0.95", "FibQuant, the paper's training");
    FQ_CHECK(count(line, " -") == 2 && strstr(line, "5.33x    4.92x"));
    FQ_CHECK(count(printed, "fib:k=2,N=64,norm=match; values fib:k=2,N=16; 2 kept; key centred on all") == 1);
    FQ_CHECK(count(strstr(printed, "All at 8x"), "\n") == 3);
    free(printed);
    fq_results_clear(&store);
}

static const fq_value_column perplexity_columns[] = {TEXT("family"),
                                                     TEXT("codec"),
                                                     TEXT("value_codec"),
                                                     WHOLE("keep_first"),
                                                     WHOLE("keep_recent"),
                                                     WHOLE("centre_keys"),
                                                     REAL("compression_payload"),
                                                     REAL("compression_stored"),
                                                     REAL("perplexity"),
                                                     REAL("perplexity_change_se"),
                                                     REAL("kl"),
                                                     REAL("kl_se"),
                                                     REAL("perplexity_reference"),
                                                     TEXT("model_name"),
                                                     TEXT("text_name"),
                                                     TEXT("protocol")};

static void perplexity_is_drawn(void) {
    static const char *const codecs[] = {"tq:b=2",
                                         "tq:b=4",
                                         "fib:k=2,N=16",
                                         "fib:k=2,N=256",
                                         "fib:k=2,N=16,recipe=paper",
                                         "fib:k=2,N=16,norm=match"};
    fq_results store;
    fq_table *t = NULL;
    memset(&store, 0, sizeof store);
    if (!FQ_CHECK_OK(fq_results_add_table(&store, &t, "perplexity", perplexity_columns,
                                          sizeof perplexity_columns / sizeof *perplexity_columns)) ||
        !FQ_CHECK_OK(fq_table_append(t, NULL, 6)))
        return;
    for (size_t r = 0; r < 6; r++) {
        const double x = strstr(codecs[r], "4") || strstr(codecs[r], "256") ? 4.0 : 8.0;
        text(t, r, "family", codecs[r][0] == 't' ? "tq" : "fib");
        text(t, r, "codec", codecs[r]);
        text(t, r, "value_codec", "same");
        text(t, r, "model_name", "a model");
        text(t, r, "protocol", "windows");
        real(t, r, "compression_payload", x);
        real(t, r, "compression_stored", 0.9 * x);
        real(t, r, "perplexity", 20.0 + x * (double)(r + 1));
        real(t, r, "perplexity_change_se", 0.2);
        real(t, r, "kl", 0.01 * x);
        real(t, r, "kl_se", 0.001);
        real(t, r, "perplexity_reference", 19.5);
    }
    if (drawn(&store, "perplexity")) {
        char *data = contents("data/perplexity.tsv");
        FQ_CHECK(count(data, "TurboQuant (scalar)") == 3 && count(data, "beyond the paper") == 3);
        FQ_CHECK(count(data, "the paper's training") == 3 && count(data, "population training") == 3);
        FQ_CHECK(count(data, "\n8\t28\t0.2\n") == 1 && count(data, "\n7.2\t28\t0.2\n") == 1 &&
                 count(data, "\n7.2\t0.08\t0.001\n") == 4);
        free(data);
    }
    fq_results_clear(&store);
}

static const fq_value_column universality_columns[] = {TEXT("cache_sha256"),
                                                       TEXT("codec"),
                                                       TEXT("kind"),
                                                       WHOLE("layer"),
                                                       WHOLE("head"),
                                                       REAL("ratio"),
                                                       REAL("ratio_low"),
                                                       REAL("ratio_high"),
                                                       REAL("t"),
                                                       REAL("p"),
                                                       REAL("effective_vectors"),
                                                       REAL("threshold"),
                                                       WHOLE("tests"),
                                                       WHOLE("deviates"),
                                                       REAL("canonical"),
                                                       WHOLE("rotations"),
                                                       WHOLE("tokens"),
                                                       TEXT("model_name"),
                                                       TEXT("text_name"),
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
    if (drawn(&store, "universality")) {
        char *script = contents("data/universality.gp"), *data = contents("data/universality.tsv");
        FQ_CHECK(count(script, "keys, tq:b=2: 0 of 4 deviate, |t| to 1.5 (threshold 4.7)") == 1);
        FQ_CHECK(count(script, "keys, tq:b=2,rot=hadamard: 1 of 4 deviate, |t| to 12.3 (threshold 4.7)") ==
                 1);
        FQ_CHECK(count(data, "\n0.5\t1.5\t1.4\t1.6\n") == 1 && count(data, "\n1.5\t1\t0.99\t1.01\n") == 4);
        free(script);
        free(data);
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
    fq_results_clear(&store);
    memset(&store, 0, sizeof store);
    FQ_CHECK_FAILS(fq_universality_summary_print(stdout, &store), FQ_ERR_INPUT);
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
        size_t times;              /* which stands there so often */
    } wanted[] = {
        {"theory_correlation", "\n64\t10\n128\t10\n", 5},
        {"theory_directions", "\n1\t10\n2\t20\n", 8},
        {"theory_gains", "\n2\t10\n3\t10\n", 10},
        {"theory_convergence", "\n1\t10\t1\n2\t20\t2\n", 3},
        {"theory_turboquant", "\n1\t10\t1\t100\n2\t20\t2\t200\n", 3},
        {"theory_widths", "\n64\t640\n128\t1280\n", 4},
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
        if (drawn(&store, wanted[i].figure)) {
            char *data = contents(name);
            if (!FQ_CHECK(count(data, wanted[i].line) == wanted[i].times))
                printf("%s: %zu times, wanted %zu\n%s\n", name, count(data, wanted[i].line), wanted[i].times,
                       data);
            free(data);
        }
        const fq_draw_request request = {"store.h5", &empty, fq_test_folder(), "a command"};
        FQ_CHECK_FAILS(fq_draw(&request, figure_named(wanted[i].figure)), FQ_ERR_INPUT);
    }
    fq_results_clear(&store);
    fq_results_clear(&empty);
}

static const fq_test tests[] = {
    {"pareto keeps what none beats", pareto_keeps_what_none_beats},
    {"frontier", frontier_shows_each_series_once_an_axis},
    {"fidelity summary", summary_sets_claims_beside_measurements},
    {"perplexity", perplexity_is_drawn},
    {"universality", universality_marks_what_deviates},
    {"theory", theory_is_drawn_from_what_verify_stores},
    {0},
};
const fq_suite fq_suite_figures = {"figures", tests};
