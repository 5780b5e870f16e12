/* Names of files, replacing files in one step, and texts fit for a terminal. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "check.h"
#include "command.h"
#include "failure.h"
#include "file_place.h"
#include "printable.h"

/* The scratch folder's file of that name; two names at a time. */
static const char *in_folder(const char *name) {
    static char paths[2][FQ_PATH_MAX];
    static int next;
    next = !next;
    snprintf(paths[next], sizeof paths[next], "%s/%s", fq_test_folder(), name);
    return paths[next];
}

static void same(bool wanted, const char *a, const char *b) {
    if (!FQ_CHECK(fq_same_place(in_folder(a), in_folder(b)) == wanted))
        fprintf(stderr, "%s and %s\n", a, b);
}

static void given_two_names_expect_whether_they_are_one_file(void) {
    FQ_CHECK(fq_command("mkdir sub; ln -s sub link; echo a > a; echo a > b; ln -s a soft; ln a hard; "
                        "ln -s soft softer; ln -s $PWD/a absolute; ln -s missing dangling; ln -s "
                        "sub/missing below; ln -s round round")
                 ->exit_code == 0);
    static const char *const names_of_a[] = {"a", "./a", "sub/../a", "soft", "softer", "hard", "absolute"};
    for (size_t i = 0; i < sizeof names_of_a / sizeof names_of_a[0]; i++) {
        same(true, "a", names_of_a[i]);
        same(true, names_of_a[i], "softer");
        same(false, names_of_a[i], "b");
        same(false, names_of_a[i], "missing");
    }
    same(true, "missing", "missing");
    same(true, "missing", "link/../missing");
    same(true, "missing", "dangling");
    same(true, "sub/missing", "link/missing");
    same(true, "below", "link/missing");
    same(false, "below", "missing");
    same(false, "nowhere/x", "nowhere/x"); /* nothing can be written there */
    same(false, "round", "round");
}

static mode_t mode_of(const char *name) {
    struct stat about;
    return lstat(in_folder(name), &about) == 0 ? about.st_mode : 0;
}

static bool holds(const char *name, const char *text) {
    return fq_command("test \"$(cat %s)\" = '%s'", name, text)->exit_code == 0;
}

static void given_a_link_expect_its_target_replaced(void) {
    FQ_CHECK(fq_command("mkdir sub; echo old > sub/a; ln -s sub/a link; ln -s link link2; ln -s sub/new "
                        "dangling; ln -s round round; ln -s nowhere/x lost")
                 ->exit_code == 0);
    FQ_CHECK_OK(fq_atomic_file_write(in_folder("link2"), "new\n", 4));
    FQ_CHECK(S_ISLNK(mode_of("link2")) && S_ISLNK(mode_of("link")) && S_ISREG(mode_of("sub/a")));
    FQ_CHECK(holds("sub/a", "new"));
    FQ_CHECK_OK(fq_atomic_file_write(in_folder("dangling"), "made\n", 5));
    FQ_CHECK(S_ISLNK(mode_of("dangling")) && holds("sub/new", "made"));
    FQ_CHECK_FAILS(fq_atomic_file_write(in_folder("round"), "x", 1), FQ_ERR_OUTPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "never ends") != NULL);
    FQ_CHECK_FAILS(fq_atomic_file_write(in_folder("lost"), "x", 1), FQ_ERR_OUTPUT);
    FQ_CHECK(fq_command("test -z \"$(find . -name '*.tmp-*')\"")->exit_code == 0);
}

static void given_a_mode_expect_it_kept(void) {
    static const mode_t modes[] = {0600, 0640, 0664, 0200, 0755, 0777};
    const mode_t mask = umask(022);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        FQ_CHECK(fq_command("rm -f a; echo old > a; chmod %o a", (unsigned)modes[i])->exit_code == 0);
        FQ_CHECK_OK(fq_atomic_file_write(in_folder("a"), "new\n", 4));
        FQ_CHECK((mode_of("a") & 07777) == modes[i]);
    }
    FQ_CHECK(holds("a", "new"));
    FQ_CHECK_OK(fq_atomic_file_write(in_folder("fresh"), "x", 1));
    FQ_CHECK((mode_of("fresh") & 07777) == 0644);
    umask(077);
    FQ_CHECK_OK(fq_atomic_file_write(in_folder("private"), "x", 1));
    FQ_CHECK((mode_of("private") & 07777) == 0600);
    umask(mask);
}

/* While it is written, nobody reads what only its owner may read afterwards. */
static void given_a_private_file_expect_a_private_temporary(void) {
    fq_atomic_file file;
    FQ_CHECK(fq_command("echo old > a; chmod 600 a")->exit_code == 0);
    if (!FQ_CHECK_OK(fq_atomic_file_begin(&file, in_folder("a"))))
        return;
    FQ_CHECK(fq_command("test \"$(stat -c %%a a.tmp-*)\" = 600")->exit_code == 0);
    fq_atomic_file_abandon(&file);
    FQ_CHECK(holds("a", "old"));
}

static void given_a_protected_file_expect_refusal(void) {
    FQ_CHECK(fq_command("echo old > a; chmod 444 a; ln -s a link")->exit_code == 0);
    static const char *const names[] = {"a", "link"};
    for (size_t i = 0; i < 2; i++) {
        FQ_CHECK_FAILS(fq_atomic_file_check(in_folder(names[i])), FQ_ERR_OUTPUT);
        FQ_CHECK_FAILS(fq_atomic_file_write(in_folder(names[i]), "new\n", 4), FQ_ERR_OUTPUT);
        FQ_CHECK(strstr(fq_error_last()->text, "write-protected") != NULL);
    }
    FQ_CHECK(holds("a", "old") && (mode_of("a") & 0777) == 0444);
    static const char *const no_files[] = {"/dev/null", "/dev/full", "/", "/tmp", "/proc/self/fd/0/", ""};
    for (size_t i = 0; i < sizeof no_files / sizeof no_files[0]; i++) {
        FQ_CHECK_FAILS(fq_atomic_file_check(no_files[i]), FQ_ERR_OUTPUT);
        FQ_CHECK(strstr(fq_error_last()->text, "is no regular file") != NULL);
    }
    FQ_CHECK_OK(fq_atomic_file_check(in_folder("other")));
    FQ_CHECK(mode_of("other") == 0 && fq_command("test -z \"$(ls | grep tmp)\"")->exit_code == 0);
}

static void shown(const char *text, const char *wanted) {
    char out[100];
    const size_t length = fq_printable(out, sizeof out, text);
    if (!FQ_CHECK(length == strlen(wanted) && strcmp(out, wanted) == 0))
        fprintf(stderr, "\"%s\", wanted \"%s\"\n", out, wanted);
}

static void given_control_characters_expect_them_spelt_out(void) {
    shown("", "");
    shown("plain \\n text", "plain \\n text");
    shown("a\nb\rc\td", "a\\nb\\rc\\td");
    shown("\033[31mred\a\b\x7f", "\\x1b[31mred\\x07\\x08\\x7f");
    shown("caf\303\251 \342\202\254 \360\237\231\202", "caf\303\251 \342\202\254 \360\237\231\202");
    shown("\302\233"
          "31m",
          "\\xc2\\x9b"
          "31m");                                             /* CSI as one character */
    shown("a\342\200\256txt.exe", "a\\xe2\\x80\\xaetxt.exe"); /* right to left */
    shown("\303", "\\xc3");
    shown("\300\257 \355\240\200 \364\220\200\200 \377",
          "\\xc0\\xaf \\xed\\xa0\\x80 \\xf4\\x90\\x80\\x80 \\xff");
    char out[6];
    FQ_CHECK(fq_printable(out, sizeof out, "abc\033d") == 3 && strcmp(out, "abc") == 0);
    FQ_CHECK(fq_printable(out, 1, "abc") == 0 && out[0] == '\0');
    FQ_CHECK(fq_printable(out, sizeof out, "abcd\303\251") == 4); /* no half character */
}

static void given_a_hostile_name_in_a_failure_expect_one_harmless_line(void) {
    char line[FQ_FAILURE_LINE_MAX];
    FQ_CHECK(FQ_FAIL_TEXT(FQ_ERR_INPUT, "a\nb\033[31m: missing") == FQ_ERR_INPUT);
    fq_failure_line(line, fq_error_last());
    FQ_CHECK(strcmp(line, "a\\nb\\x1b[31m: missing") == 0);
    FQ_CHECK(FQ_FAIL(FQ_ERR_SPEC, "ke\ny", "n\to") == FQ_ERR_SPEC);
    fq_failure_line(line, fq_error_last());
    FQ_CHECK(strstr(line, "ke\\ny; allowed: n\\to") != NULL);
}

static const fq_test tests[] = {
    {"given two names expect whether they are one file", given_two_names_expect_whether_they_are_one_file},
    {"given a link expect its target replaced", given_a_link_expect_its_target_replaced},
    {"given a mode expect it kept", given_a_mode_expect_it_kept},
    {"given a private file expect a private temporary", given_a_private_file_expect_a_private_temporary},
    {"given a protected file expect refusal", given_a_protected_file_expect_refusal},
    {"given control characters expect them spelt out", given_control_characters_expect_them_spelt_out},
    {"given a hostile name in a failure expect one harmless line",
     given_a_hostile_name_in_a_failure_expect_one_harmless_line},
    {0}};

const fq_suite fq_suite_base_files = {"base_files", tests};
