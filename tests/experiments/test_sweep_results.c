/* What people and scripts get out of stores: results, diff, merge. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "check.h"
#include "command.h"
#include "memory.h"
#include "result_file.h"
#include "results_typeset.h"
#include "text_set.h"

static bool ran(const fq_command_result *result, int wanted) {
    const bool ok = FQ_CHECK(result->exit_code == wanted);
    if (!ok)
        fprintf(stderr, "  exit %d, wanted %d\n%s%s", result->exit_code, wanted, result->out, result->err);
    return ok;
}

static void expect_text(const char *text, const char *wanted) {
    if (!FQ_CHECK(strcmp(text, wanted) == 0))
        fprintf(stderr, "  \"%s\", wanted \"%s\"\n", text, wanted);
}

/* A store of one table with rows of our own. */
static void write_store(const char *name, const fq_value_column *columns, size_t count, size_t rows,
                        void (*fill)(fq_table *table, size_t row)) {
    char path[400];
    fq_results results = {0};
    fq_table *table = NULL;
    size_t run = 0;
    const fq_result_text text = {"program", "test"};
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    FQ_CHECK_OK(fq_results_add_table(&results, &table, "own", columns, count));
    FQ_CHECK_OK(fq_results_add_run(&results, &text, 1, &run));
    FQ_CHECK_OK(fq_table_append(table, NULL, rows));
    for (size_t r = 0; r < rows; r++)
        fill(table, r);
    FQ_CHECK_OK(fq_result_file_write(path, &results));
    fq_results_clear(&results);
}

static const fq_value_column plain[] = {
    {"seed", FQ_VALUE_TEXT, 20, "1", "seed", FQ_ROLE_PARAMETER},
    {"name", FQ_VALUE_TEXT, 40, "", "a name", FQ_ROLE_PARAMETER},
    {"count", FQ_VALUE_INTEGER, 0, "1", "whole", FQ_ROLE_VALUE},
    {"d", FQ_VALUE_REAL, 0, "1", "real", FQ_ROLE_VALUE},
};
enum { PLAIN = sizeof plain / sizeof plain[0] };

static void fill_plain(fq_table *t, size_t r) {
    static const char *const seeds[] = {"2", "5", "10", "100", "18446744073709551615"};
    static const char *const names[] = {"b", "a\tc\n", "\x1b[31mred", "10", "na\xc3\xafve"};
    fq_table_set_text(t, r, 0, seeds[r]);
    fq_table_set_text(t, r, 1, names[r]);
    fq_table_set_integer(t, r, 2, (int64_t)r - 2);
    fq_table_set_real(t, r, 3, 1.0 / (double)(r + 3));
}

static void expect_seeds(const char *where, const char *wanted) {
    const fq_command_result *result =
        fq_command("$FIBQUANT results p.h5 --where '%s' --column seed | tail -n +2 | tr '\\n' ' '", where);
    if (!FQ_CHECK(result->exit_code == 0 && strcmp(result->out, wanted) == 0))
        fprintf(stderr, "  %s: \"%s\", wanted \"%s\" %s\n", where, result->out, wanted, result->err);
}

/* Seeds are text, since 64 bits do not fit a double, and numbers all the same. */
static void given_conditions_expect_numbers_compared_as_numbers(void) {
    write_store("p.h5", plain, PLAIN, 5, fill_plain);
    expect_seeds("seed<5", "2 ");
    expect_seeds("seed>=5", "5 10 100 18446744073709551615 ");
    expect_seeds("seed=05", "5 ");
    expect_seeds("seed=5.0", "5 ");
    expect_seeds("seed!=10", "2 5 100 18446744073709551615 ");
    expect_seeds("seed>18446744073709551614", "18446744073709551615 ");
    expect_seeds("seed<18446744073709551615", "2 5 10 100 ");
    expect_seeds("count<-1", "2 ");
    expect_seeds("d<0.2", "100 18446744073709551615 ");
    expect_seeds("name<b", "5 10 100 ");
    expect_seeds("seed<nan", "");
    ran(fq_command("$FIBQUANT results p.h5 --where 'seed<five'"), 2);
}

/* Names of files and attributes may hold anything; a row stays a row, and a terminal is not steered. */
static void given_control_characters_expect_them_spelt_out(void) {
    write_store("p.h5", plain, PLAIN, 5, fill_plain);
    const fq_command_result *result = fq_command("$FIBQUANT results p.h5 --column name --column count");
    FQ_CHECK(strcmp(result->out,
                    "name\tcount\nb\t-2\na\\tc\\n\t-1\n\\x1b[31mred\t0\n10\t1\nna\xc3\xafve\t2\n") == 0);
    result = fq_command(
        "cp p.h5 \"$(printf 'x\\ny\\033[31m.h5')\"; $FIBQUANT results \"$(printf "
        "'x\\ny\\033[31m.h5x')\"; $FIBQUANT diff p.h5 \"$(printf 'x\\ny\\033[31m.h5')\" --summary");
    FQ_CHECK(!strchr(result->err, '\x1b') && strstr(result->err, "x\\ny\\x1b[31m.h5x") != NULL);
    /* exact in the formats that can say so */
    FQ_CHECK(strstr(fq_command("$FIBQUANT results p.h5 --json")->out, "\"a\\tc\\n\"") != NULL);
    FQ_CHECK(strstr(fq_command("$FIBQUANT results p.h5 --csv --column name")->out, "\"a\tc\n\"") != NULL);
}

/* A terminal gets columns one under the other and six digits, a pipe everything. */
static void given_a_terminal_expect_aligned_rows(void) {
    write_store("p.h5", plain, PLAIN, 5, fill_plain);
    if (fq_command("/usr/bin/python3 -c 'import pty; pty.openpty()'")->exit_code != 0) {
        printf("       no terminals here: not tested\n");
        return;
    }
    const fq_command_result *result = fq_command(
        "/usr/bin/python3 -c \"import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)\" $FIBQUANT results "
        "p.h5 | tr -d '\\r'");
    static const char wanted[] = "seed                  name         count         d\n"
                                 "2                     b               -2  0.333333\n"
                                 "5                     a\\tc\\n          -1      0.25\n"
                                 "10                    \\x1b[31mred      0       0.2\n"
                                 "100                   10               1  0.166667\n"
                                 "18446744073709551615  na\xc3\xafve            2  0.142857\n";
    if (!FQ_CHECK(strcmp(result->out, wanted) == 0))
        fprintf(stderr, "%s", result->out);
    FQ_CHECK(strstr(fq_command("$FIBQUANT results p.h5")->out, "\t0.3333333333333333\n") != NULL);
}

/* No rows yet: said, and no fault of the caller's. */
static void given_stores_without_rows_expect_a_note(void) {
    static const char *const formats[] = {"", "--csv", "--json", "--where 'seed<5'"};
    write_store("none.h5", plain, PLAIN, 0, fill_plain);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const fq_command_result *result = fq_command("$FIBQUANT results none.h5 %s", formats[i]);
        ran(result, 0);
        FQ_CHECK(strstr(result->err, "none.h5: no rows yet") != NULL);
    }
    ran(fq_command("cat > e.yaml <<'END'\nexperiment: radius\ngrid: {dim: 4, block: 1, trouble: error}\nEND\n"
                   "${FIBQUANT}_example sweep e.yaml -o e.h5 -q"),
        5);
    const fq_command_result *result = fq_command("${FIBQUANT}_example results e.h5");
    ran(result, 0);
    FQ_CHECK(strstr(result->err, "no rows yet; 1 points failed: --table failures") != NULL);
    ran(fq_command("$FIBQUANT results none.h5 --table nothing"), 2);
    ran(fq_command("$FIBQUANT results missing.h5"), 3);
}

static void fill_other(fq_table *t, size_t r) {
    fill_plain(t, r);
    if (r == 1)
        fq_table_set_real(t, r, 3, 0.375); /* 0.25 there */
    if (r == 2)
        fq_table_set_integer(t, r, 2, 7); /* 0 there */
    if (r == 4)
        fq_table_set_text(t, r, 0, "6");
}

static void given_two_stores_expect_a_summary(void) {
    write_store("p.h5", plain, PLAIN, 5, fill_plain);
    write_store("q.h5", plain, PLAIN, 5, fill_other);
    write_store("r.h5", plain, PLAIN - 1, 4, fill_plain);
    const fq_command_result *result = fq_command("$FIBQUANT diff p.h5 q.h5 --summary");
    ran(result, 1);
    static const char wanted[] =
        "own: 2 rows equal, 2 different, 1 only in the first file, 1 only in the second\n"
        "  count                    1 rows differ, by up to 7 (relative 1)\n"
        "  d                        1 rows differ, by up to 0.125 (relative 0.333)\n"
        "4 rows compared, 4 differences\n";
    if (!FQ_CHECK(strcmp(result->out, wanted) == 0))
        fprintf(stderr, "%s", result->out);
    FQ_CHECK(strstr(fq_command("$FIBQUANT diff p.h5 p.h5 --summary")->out,
                    "own: 5 rows equal, 0 different, 0 only in the first file, 0 only in the second") !=
             NULL);
    /* a tolerance holds for reals */
    FQ_CHECK(strstr(fq_command("$FIBQUANT diff p.h5 q.h5 --absolute 0.2")->out, "4 rows compared, 3 diff") !=
             NULL);
}

/* Tables and columns that one file alone has are named, whichever file it is. */
static void given_tables_of_one_file_expect_their_names(void) {
    ran(fq_command(
            "cat > a.yaml <<'END'\nexperiment: rate-distortion\ngrid: {samples: 100, codec: 'tq:b=1'}\nEND\n"
            "cat > b.yaml <<'END'\nexperiment: source-law\ngrid: {dim: 8, block: 4, samples: 2000}\nEND\n"
            "$FIBQUANT sweep a.yaml -o a.h5 -q && $FIBQUANT sweep b.yaml -o b.h5 -q"),
        0);
    for (int swapped = 0; swapped < 2; swapped++) {
        const fq_command_result *result =
            fq_command(swapped ? "$FIBQUANT diff b.h5 a.h5" : "$FIBQUANT diff a.h5 b.h5");
        ran(result, 1);
        FQ_CHECK(strstr(result->out, "rate-distortion: codec=tq:b=1, ") &&
                 strstr(result->out, "source-law: dim=8, "));
        FQ_CHECK(!strstr(result->out, "\n: "));
    }
    write_store("p.h5", plain, PLAIN, 3, fill_plain);
    write_store("q.h5", plain, PLAIN - 1, 0, fill_plain);
    ran(fq_command("$FIBQUANT diff p.h5 q.h5"), 1);
    FQ_CHECK(strstr(fq_command("$FIBQUANT diff q.h5 p.h5")->out, "own: column d only in the second file") !=
             NULL);
}

static const fq_value_column measured[] = {
    {"codec", FQ_VALUE_TEXT, 40, "", "a name", FQ_ROLE_PARAMETER},
    {"distortion_se", FQ_VALUE_REAL, 0, "1", "its standard error", FQ_ROLE_VALUE},
    {"distortion", FQ_VALUE_REAL, 0, "1", "measured", FQ_ROLE_VALUE},
    {"bytes", FQ_VALUE_INTEGER, 0, "B", "whole", FQ_ROLE_VALUE},
};
enum { MEASURED = sizeof measured / sizeof measured[0] };
static double moved; /* by how much the second store's values are off */

static void fill_measured(fq_table *t, size_t r) {
    static const char *const codecs[] = {"a_b|c", "50%&#$", "x^~\\{}<"};
    static const double values[] = {0.104936, 12345.6, 0.25}, error[] = {0.000049, 12, 0};
    fq_table_set_text(t, r, 0, codecs[r]);
    fq_table_set_real(t, r, 1, error[r]);
    fq_table_set_real(t, r, 2, values[r] + moved * error[r]);
    fq_table_set_integer(t, r, 3, 18);
}

/* What goes into a paper: one cell a measurement, nothing that the language would take as its own. */
static void given_markdown_and_latex_expect_values_with_errors_and_nothing_unescaped(void) {
    moved = 0;
    write_store("m.h5", measured, MEASURED, 3, fill_measured);
    const fq_command_result *result = fq_command("$FIBQUANT results m.h5 --markdown");
    ran(result, 0);
    expect_text(result->out, "| codec | distortion | bytes (B) |\n| --- | ---: | ---: |\n"
                             "| a\\_b\\|c | 0.104936(49) | 18 |\n| 50%&#$ | 12346(12) | 18 |\n"
                             "| x^~\\\\{}\\< | 0.25 | 18 |\n");
    result = fq_command("$FIBQUANT results m.h5 --latex --column codec --column distortion");
    expect_text(result->out, "\\begin{tabular}{lr}\n\\hline\ncodec & distortion \\\\\n\\hline\n"
                             "a\\_b$\\vert$c & 0.104936 \\\\\n50\\%\\&\\#\\$ & 12345.6 \\\\\n"
                             "x\\textasciicircum{}\\textasciitilde{}\\textbackslash{}\\{\\}$<$ & 0.25 "
                             "\\\\\n\\hline\n\\end{tabular}\n");
    ran(fq_command("$FIBQUANT results m.h5 --latex --csv"), 2);
}

static void given_values_with_errors_expect_two_digits_of_the_error(void) {
    static const struct {
        double value, error;
        const char *wanted;
    } cases[] = {{0.104936, 0.000049, "0.104936(49)"},
                 {0.5, 0.0996, "0.50(10)"},
                 {-1.25, 0.1, "-1.25(10)"},
                 {12345.6, 123, "12350(120)"},
                 {7, 10, "7(10)"},
                 {3, NAN, "3"},
                 {1.0 / 3, 0, "0.333333"},
                 {INFINITY, 1, "inf"},
                 {1, 1e300, "1"},
                 {0, 0.0012, "0.0000(12)"},
                 {99.96, 0.99999, "100.0(10)"}};
    char text[FQ_VALUE_WITH_ERROR];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_text(fq_value_with_error(text, cases[i].value, cases[i].error), cases[i].wanted);
}

/* Two machines or two versions: the same within their errors, or not. */
static void given_values_apart_expect_their_standard_errors_to_judge(void) {
    moved = 0;
    write_store("m.h5", measured, MEASURED, 3, fill_measured);
    moved = 4; /* sqrt(2) errors of the difference make it 2.83 of them */
    write_store("n.h5", measured, MEASURED, 3, fill_measured);
    ran(fq_command("$FIBQUANT diff m.h5 n.h5"), 1);
    ran(fq_command("$FIBQUANT diff m.h5 n.h5 --errors 2.82"), 1);
    ran(fq_command("$FIBQUANT diff m.h5 n.h5 --errors 2.84"), 0);
    ran(fq_command("$FIBQUANT diff m.h5 n.h5 --errors -1"), 2);
}

static const fq_value_column pointed[] = {
    {"point", FQ_VALUE_TEXT, 64, "", "identity", FQ_ROLE_PARAMETER},
    {"d", FQ_VALUE_REAL, 0, "1", "real", FQ_ROLE_VALUE},
};
static size_t first_point;

static void fill_pointed(fq_table *t, size_t r) {
    char id[65];
    snprintf(id, sizeof id, "%064zu", (first_point + r) / 2); /* two rows a point */
    fq_table_set_text(t, r, 0, id);
    fq_table_set_real(t, r, 1, (double)(first_point + r));
}

static double children_seconds(void) {
    struct rusage usage;
    return getrusage(RUSAGE_CHILDREN, &usage) == 0
               ? (double)usage.ru_utime.tv_sec + 1e-6 * (double)usage.ru_utime.tv_usec
               : 0.0;
}

/* Looking every point up among all others would take 1.6e9 comparisons here, several seconds. */
static void given_many_rows_expect_merge_in_linear_time(void) {
    enum { ROWS = 40000 };
    for (int i = 0; i < 2; i++) {
        first_point = (size_t)i * ROWS / 2; /* half of them in both */
        write_store(i ? "b.h5" : "a.h5", pointed, 2, ROWS, fill_pointed);
    }
    const double before = children_seconds();
    ran(fq_command("$FIBQUANT merge a.h5 b.h5 a.h5 -o c.h5"), 0);
    const double took = children_seconds() - before;
    FQ_CHECK(took < 2.0);
    printf("       3 x %d rows merged in %.2f s\n", ROWS, took);
    FQ_CHECK(strstr(fq_command("$FIBQUANT status c.h5")->out, "60000 rows") != NULL);
    FQ_CHECK(strcmp(fq_command("$FIBQUANT results c.h5 --csv --column d --where 'd>=59998'")->out,
                    "d\n59998\n59999\n") == 0);
}

static void given_texts_expect_each_once_in_a_set(void) {
    fq_text_set set = {0};
    char text[24];
    FQ_CHECK(!fq_text_set_has(&set, ""));
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < 3000; i++) {
            snprintf(text, sizeof text, "%d", i);
            FQ_CHECK(fq_text_set_has(&set, text) == (pass > 0));
            FQ_CHECK_OK(fq_text_set_add(&set, text));
        }
    FQ_CHECK(set.count == 3000 && !fq_text_set_has(&set, "3000") && !fq_text_set_has(&set, ""));
    for (size_t n = 1, failed = 1; failed; n++) { /* each allocation that adding takes */
        fq_text_set fresh = {0};
        fq_alloc_fail_at(n);
        const fq_status status = fq_text_set_add(&fresh, "x");
        failed = status != FQ_OK;
        (void)fq_alloc_fail_at(0);
        FQ_CHECK(failed ? status == FQ_ERR_MEMORY && fresh.count == 0 && !fq_text_set_has(&fresh, "x")
                        : fq_text_set_has(&fresh, "x"));
        fq_text_set_clear(&fresh);
    }
    fq_text_set_clear(&set);
    FQ_CHECK(set.count == 0 && !fq_text_set_has(&set, "1"));
}

static const fq_test tests[] = {
    {"conditions", given_conditions_expect_numbers_compared_as_numbers},
    {"control characters", given_control_characters_expect_them_spelt_out},
    {"terminal", given_a_terminal_expect_aligned_rows},
    {"no rows yet", given_stores_without_rows_expect_a_note},
    {"summary of differences", given_two_stores_expect_a_summary},
    {"markdown and LaTeX", given_markdown_and_latex_expect_values_with_errors_and_nothing_unescaped},
    {"values with errors", given_values_with_errors_expect_two_digits_of_the_error},
    {"differences in errors", given_values_apart_expect_their_standard_errors_to_judge},
    {"tables of one file", given_tables_of_one_file_expect_their_names},
    {"merge of many rows", given_many_rows_expect_merge_in_linear_time},
    {"set of texts", given_texts_expect_each_once_in_a_set},
    {0},
};
const fq_suite fq_suite_sweep_results = {"sweep_results", tests};
