/* What stands around a figure: its five files together or none, gnuplot's surroundings, and what `plot`
 * prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomic_file.h"
#include "check.h"
#include "command.h"
#include "draw.h"

#define REAL(name)                                                                                           \
    { name, FQ_VALUE_REAL, 0, "1", name, FQ_ROLE_VALUE }
#define WHOLE(name)                                                                                          \
    { name, FQ_VALUE_INTEGER, 0, "1", name, FQ_ROLE_VALUE }
#define TEXT(name)                                                                                           \
    { name, FQ_VALUE_TEXT, 160, "", name, FQ_ROLE_VALUE }

static const fq_value_column columns[] = {
    TEXT("point"), TEXT("codec"),      WHOLE("dim"),          TEXT("source"),        WHOLE("block"),
    REAL("rate"),  REAL("distortion"), REAL("distortion_se"), REAL("shannon_bound"), REAL("high_rate")};

/* rd.h5 in the test's folder: two rows of scalar codes. */
static bool make_store(fq_results *store, char path[512]) {
    fq_table *t = NULL;
    memset(store, 0, sizeof *store);
    snprintf(path, 512, "%s/rd.h5", fq_test_folder());
    if (!FQ_CHECK_OK(
            fq_results_add_table(store, &t, "rate-distortion", columns, sizeof columns / sizeof *columns)) ||
        !FQ_CHECK_OK(fq_table_append(t, NULL, 2)))
        return false;
    for (size_t r = 0; r < 2; r++) {
        fq_table_set_text(t, r, 0, r ? "second" : "first");
        fq_table_set_text(t, r, 1, r ? "tq:b=2" : "tq:b=1");
        fq_table_set_integer(t, r, 2, 64);
        fq_table_set_text(t, r, 3, "block");
        fq_table_set_integer(t, r, 4, 1);
        fq_table_set_real(t, r, 5, r ? 2.0 : 1.0);
        fq_table_set_real(t, r, 6, r ? 0.1 : 0.3);
        fq_table_set_real(t, r, 7, 0.0);
    }
    return FQ_CHECK_OK(fq_result_file_write(path, store));
}

static const fq_figure *rate_distortion(void) {
    for (size_t i = 0; i < fq_figure_count(); i++)
        if (strcmp(fq_figure_get(i)->name, "rate_distortion") == 0)
            return fq_figure_get(i);
    return NULL;
}

/* Whatever locale, start-up file or configuration the caller has, the figure is the same, byte for byte. */
static void surroundings_do_not_matter(void) {
    static const char *const ways[] = {"env -i PATH=\"$PATH\" HOME=\"$PWD\"",
                                       "env LC_ALL=C LANG=C",
                                       "env LC_ALL=de_DE.UTF-8 LANGUAGE=de",
                                       "env HOME=\"$PWD/loud\"",
                                       "env HOME=\"$PWD/odd\" XDG_CONFIG_HOME=\"$PWD/odd\"",
                                       "env GNUTERM=dumb GDFONTPATH=/nowhere GNUPLOT_LIB=/nowhere"};
    fq_results store;
    char path[512], first[80] = "";
    if (!make_store(&store, path))
        return;
    fq_results_clear(&store);
    fq_command("mkdir -p loud odd/gnuplot && echo 'print \"hello\"' >loud/.gnuplot && "
               "printf 'set xrange [0:1]\\nset logscale x\\nset title \"mine\"\\n' >odd/.gnuplot && "
               "cp odd/.gnuplot odd/gnuplot/gnuplotrc");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const fq_command_result *r =
            fq_command("%s \"$FIBQUANT\" plot rd.h5 -o f%zu && cat f%zu/*.png f%zu/data/* | sha256sum >sum",
                       ways[i], i, i, i);
        if (!FQ_CHECK(r->exit_code == 0 && r->err[0] == '\0'))
            printf("%s: %d %s\n", ways[i], r->exit_code, r->err);
        r = fq_command("cat sum");
        if (i == 0)
            snprintf(first, sizeof first, "%.70s", r->out);
        FQ_CHECK(strlen(first) > 60 && strncmp(first, r->out, 64) == 0);
    }
}

/* Puts a program of that text before the real gnuplot. */
static void pretend(const char *text) {
    fq_command("mkdir -p bin && printf '%%s\\n' '#!/bin/sh' '%s' >bin/gnuplot && chmod +x bin/gnuplot", text);
}

#define PLOT "PATH=\"$PWD/bin:$PATH\" \"$FIBQUANT\" plot rd.h5 -o figures"

/* Files that stand in the figure's folders, sorted. */
static bool stand(const char *wanted) {
    const fq_command_result *r = fq_command("cd figures && find . -type f | sort | tr '\\n' ' '");
    if (strcmp(r->out, wanted) == 0)
        return true;
    printf("files: %s\n", r->out);
    return false;
}

/* Warnings are nobody's business; an error of gnuplot is one of ours, in one line, and leaves no half figure
 * and the old one as it was. */
static void gnuplot_warns_and_fails(void) {
    fq_results store;
    char path[512];
    if (!make_store(&store, path))
        return;
    fq_results_clear(&store);
    pretend("echo boom >&2; exit 1");
    const fq_command_result *r = fq_command(PLOT);
    FQ_CHECK(r->exit_code == 4 && strstr(r->err, "gnuplot said: boom") && strchr(r->err, '\n')[1] == '\0');
    FQ_CHECK(stand(""));
    pretend("case \"$4\" in pdf) echo too bad >&2; exit 1;; esac; exec /usr/bin/gnuplot \"$@\"");
    r = fq_command(PLOT);
    FQ_CHECK(r->exit_code == 4 && stand("")); /* the PNG alone is no figure */
    pretend("echo warning: nothing of note >&2; exec /usr/bin/gnuplot \"$@\"");
    r = fq_command(PLOT);
    FQ_CHECK(r->exit_code == 0 && r->err[0] == '\0');
    FQ_CHECK(strncmp(r->out, "figures/rate_distortion.png\n    Distortion D against rate", 50) == 0);
    FQ_CHECK(stand("./data/rate_distortion.gp ./data/rate_distortion.tsv ./rate_distortion.json "
                   "./rate_distortion.pdf ./rate_distortion.png "));
    fq_command("cat figures/*.* figures/data/* | sha256sum >before");
    pretend("exit 3");
    r = fq_command(PLOT " --figure rate_distortion; test $? -eq 4 && cat figures/*.* figures/data/* | "
                        "sha256sum | cmp - before");
    FQ_CHECK(r->exit_code == 0);
    pretend("exec /usr/bin/gnuplot \"$1\" \"$2\" \"$3\" \"$4\" \"$5\" /dev/null"); /* as on a full disk */
    r = fq_command(PLOT "; test $? -eq 4 && cat figures/*.* figures/data/* | sha256sum | cmp - before");
    FQ_CHECK(r->exit_code == 0);
    FQ_CHECK(stand("./data/rate_distortion.gp ./data/rate_distortion.tsv ./rate_distortion.json "
                   "./rate_distortion.pdf ./rate_distortion.png "));
}

/* Every write, fsync and rename fails once: no file is ever left behind half. */
static void files_come_together(void) {
    fq_results store;
    char path[512], folder[512];
    if (!make_store(&store, path))
        return;
    snprintf(folder, sizeof folder, "%s/figures", fq_test_folder());
    const fq_draw_request request = {path, &store, folder, "a command"};
    fq_atomic_file_fail_at(1);
    FQ_CHECK_FAILS(fq_draw(&request, rate_distortion(), NULL), FQ_ERR_OUTPUT);
    fq_atomic_file_fail_at(0);
    FQ_CHECK(stand(""));
    FQ_CHECK_OK(fq_draw(&request, rate_distortion(), NULL));
    FQ_CHECK(stand("./data/rate_distortion.gp ./data/rate_distortion.tsv ./rate_distortion.json "
                   "./rate_distortion.pdf ./rate_distortion.png "));
    fq_results_clear(&store);
}

/* Names that a shell or gnuplot would take for more than names. */
static void odd_folders_are_folders(void) {
    fq_results store;
    char path[512];
    if (!make_store(&store, path))
        return;
    fq_results_clear(&store);
    const fq_command_result *r = fq_command(
        "\"$FIBQUANT\" plot rd.h5 -o '<touch gone' && \"$FIBQUANT\" plot rd.h5 -o \"a'b\\\"c \\$d\" && "
        "test -s '<touch gone/rate_distortion.pdf' -a -s \"a'b\\\"c \\$d/rate_distortion.png\" -a ! -e gone");
    FQ_CHECK(r->exit_code == 0);
    r = fq_command("cd '<touch gone/data' && gnuplot rate_distortion.gp && cmp ../rate_distortion.png "
                   "\"../../a'b\\\"c \\$d/rate_distortion.png\""); /* drawn again from what lies there */
    FQ_CHECK(r->exit_code == 0);
}

/* A figure that a store has nothing for is no error unless it is asked for, and is not called unreadable. */
static void figures_without_rows_are_said(void) {
    static const fq_value_column evidence[] = {
        TEXT("series"), TEXT("parameters"), REAL("dim"),        REAL("block"), REAL("codewords"),
        REAL("rate"),   REAL("left"),       REAL("left_error"), REAL("right"), WHOLE("precision")};
    fq_results store;
    fq_table *t = NULL;
    char path[512];
    memset(&store, 0, sizeof store);
    snprintf(path, sizeof path, "%s/v.h5", fq_test_folder());
    if (!FQ_CHECK_OK(fq_results_add_table(&store, &t, "claim-evidence", evidence,
                                          sizeof evidence / sizeof *evidence)) ||
        !FQ_CHECK_OK(fq_table_append(t, NULL, 2)))
        return;
    for (size_t r = 0; r < 2; r++) {
        fq_table_set_text(t, r, 0, "total_correlation");
        fq_table_set_real(t, r, 2, r ? 64 : 32);
        fq_table_set_real(t, r, 3, 4);
        fq_table_set_real(t, r, 6, r ? 0.1 : 0.2);
    }
    if (FQ_CHECK_OK(fq_result_file_write(path, &store))) {
        const fq_command_result *r = fq_command("\"$FIBQUANT\" plot v.h5 -o v");
        FQ_CHECK(r->exit_code == 0 && strstr(r->out, "v/theory_correlation.png\n"));
        FQ_CHECK(strstr(r->err, "plot: theory_gains not drawn: table claim-evidence: no row of series "));
        FQ_CHECK(!strstr(r->err, "unreadable"));
        r = fq_command("\"$FIBQUANT\" plot v.h5 -o w --figure theory_gains");
        FQ_CHECK(r->exit_code == 3 && strstr(r->err, "no row of series shaping_factor"));
    }
    fq_results_clear(&store);
}

static const fq_test tests[] = {
    {"surroundings do not matter", surroundings_do_not_matter},
    {"gnuplot warns and fails", gnuplot_warns_and_fails},
    {"files come together", files_come_together},
    {"odd folders are folders", odd_folders_are_folders},
    {"figures without rows are said", figures_without_rows_are_said},
    {0},
};
const fq_suite fq_suite_draw = {"draw", tests};
