/* Options of a verb: one table gives parsing, range checks and --help.
 *
 *     static const char *output;  static size_t dim = 64;
 *     static const fq_option options[] = {
 *         {.name = "dim", .kind = FQ_OPTION_SIZE, .value = &dim, .argument = "D", .least = 2, .most = 16384,
 *          .help = "vector dimension"},
 *         {.name = "output", .letter = 'o', .kind = FQ_OPTION_TEXT, .value = &output, .argument = "FILE.h5",
 *          .required = true, .help = "file to write"},
 *         {0}};
 *     static const fq_usage usage = {.verb = "codebook", .summary = ..., .options = options, ...};
 *     int exit_code;
 *     if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
 *         return exit_code;
 *
 * What a value holds before parsing is its default, shown by --help. Every verb has --help and -h, and,
 * whether its table says so or not, -q, --quiet and --no-progress; `--` ends the options. Wrong usage is one
 * line on standard error, "fibquant VERB: --OPTION ...", naming the option, the value and what is allowed
 * (for an unknown name the nearest one), and exit status 2. Not thread-safe: called once, by the main thread.
 */
#ifndef FQ_OPTIONS_H
#define FQ_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum fq_option_kind {
    FQ_OPTION_FLAG = 0, /* bool: true when given */
    FQ_OPTION_SIZE,     /* size_t: whole decimal number in least..most */
    FQ_OPTION_UINT64,   /* uint64_t: whole decimal number, any; least and most do not apply */
    FQ_OPTION_REAL,     /* double: finite number in least..most */
    FQ_OPTION_TEXT,     /* const char *: not empty */
    FQ_OPTION_CHOICE,   /* const char *: one of choices */
    FQ_OPTION_LIST      /* fq_option_list: the only kind that may be repeated */
} fq_option_kind;

enum { FQ_OPTION_LIST_MAX = 256 };

typedef struct fq_option_list {
    size_t count;
    const char *items[FQ_OPTION_LIST_MAX];
} fq_option_list;

typedef struct fq_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* short form, or 0 */
    fq_option_kind kind;
    bool required;
    void *value;          /* where to put it */
    const char *argument; /* how --help calls the argument */
    double least, most;   /* inclusive; both 0: no limits beyond the type's own */
    const char *choices;  /* "population|paper" */
    const char *help;     /* one line, with the unit */
    bool *given;          /* optional: set true when the option was there */
} fq_option;

typedef struct fq_usage {
    const char *verb;      /* "codebook" */
    const char *summary;   /* one or two sentences */
    const char *arguments; /* "MANIFEST.yaml", or "" */
    size_t least_arguments, most_arguments;
    const fq_option *options;
    const char *notes;       /* more paragraphs for --help; may be NULL */
    const char *examples;    /* one command a line */
    const char *exit_status; /* beyond the general list; may be NULL */
} fq_usage;

/* What is left after the options. Valid, like every text value, until the next call. */
typedef struct fq_arguments {
    size_t count;
    const char *const *items;
} fq_arguments;

/* True if the verb shall run. Otherwise *exit_code is what it returns: 0 after --help, 2 after wrong
 * usage (already reported), 3 if memory ran out. arguments may be NULL if the verb takes none. */
bool fq_options_parse(const fq_usage *usage, int argc, const char **argv, fq_arguments *arguments,
                      int *exit_code);

/* Whether the last parse saw --quiet (no progress and no notes on standard error; failures and warnings about
 * results are still said) and --no-progress (plain lines in place of a bar). */
bool fq_options_quiet(void);
bool fq_options_no_progress(void);

/* "fibquant VERB: note: ..." on standard error, as one line of printable text, unless --quiet was given. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void
fq_options_note(const fq_usage *usage, const char *format, ...);

/* Reports wrong usage that only the verb can see, as above, and returns 2. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int
fq_options_refuse(const fq_usage *usage, const char *format, ...);

/* Levenshtein's distance, for names of up to 63 bytes (longer ones are cut). */
size_t fq_edit_distance(const char *a, const char *b);

/* How far what was typed is from a name: that distance, and 0 too if the name begins with it. */
size_t fq_name_distance(const char *given, const char *name);

#endif
