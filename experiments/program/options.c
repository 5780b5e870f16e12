#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <popt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "printable.h"

enum { OPTIONS_MAX = 48, KEPT_MAX = 1024, NAME_MAX_BYTES = 63, HELP_COLUMN = 28, LINE_WIDTH = 100 };

/* popt hands out copies; they live until the next parse, reachable from here. */
static poptContext context;
static char *kept[KEPT_MAX];
static size_t kept_count;

/* What every verb has. */
static bool quiet, no_progress;
static const fq_option common[] = {
    {.name = "no-progress",
     .kind = FQ_OPTION_FLAG,
     .value = &no_progress,
     .help = "no bar: a plain line now and then"},
    {.name = "quiet",
     .letter = 'q',
     .kind = FQ_OPTION_FLAG,
     .value = &quiet,
     .help = "no progress and no notes on standard error"},
};
enum { COMMON = sizeof common / sizeof common[0] };

static size_t count_own(const fq_usage *usage) {
    size_t count = 0;
    while (usage->options[count].name)
        count++;
    return count;
}

/* Option i of the verb: those of its table, then the common ones that the table lacks; NULL past the last. */
static const fq_option *option_at(const fq_usage *usage, size_t i) {
    const size_t own = count_own(usage);
    if (i < own)
        return &usage->options[i];
    for (size_t c = 0, at = own; c < COMMON; c++) {
        bool there = false;
        for (size_t j = 0; j < own; j++)
            there = there || strcmp(usage->options[j].name, common[c].name) == 0;
        if (!there && at++ == i)
            return &common[c];
    }
    return NULL;
}

/* What the option of that name, always a flag, was set to. */
static bool flag_of(const fq_usage *usage, const char *name) {
    const fq_option *option;
    for (size_t i = 0; (option = option_at(usage, i)) != NULL; i++)
        if (strcmp(option->name, name) == 0)
            return *(const bool *)option->value;
    return false;
}

static bool said_quiet, said_no_progress;

bool fq_options_quiet(void) {
    return said_quiet;
}

bool fq_options_no_progress(void) {
    return said_no_progress;
}

static void release(void) {
    while (kept_count > 0)
        free(kept[--kept_count]);
    if (context)
        poptFreeContext(context);
    context = NULL;
}

size_t fq_edit_distance(const char *a, const char *b) {
    size_t row[NAME_MAX_BYTES + 1];
    const size_t m = strnlen(a, NAME_MAX_BYTES), n = strnlen(b, NAME_MAX_BYTES);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            const size_t substituted = diagonal + (a[i - 1] != b[j - 1]);
            const size_t shorter = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);
            diagonal = row[j];
            row[j] = substituted < shorter ? substituted : shorter;
        }
    }
    return row[n];
}

size_t fq_name_distance(const char *given, const char *name) {
    return given[0] && strncmp(given, name, strlen(given)) == 0 ? 0 : fq_edit_distance(given, name);
}

/* One line on standard error: the verb, the text in printable form, an ending. */
static void say(const fq_usage *usage, const char *kind, const char *text, const char *ending) {
    char line[FQ_FAILURE_LINE_MAX];
    fq_printable(line, sizeof line, text);
    fprintf(stderr, "fibquant %s: %s%s%s\n", usage->verb, kind, line, ending);
}

int fq_options_refuse(const fq_usage *usage, const char *format, ...) {
    char text[FQ_FAILURE_LINE_MAX], ending[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(ending, sizeof ending, " (fibquant %s --help explains)", usage->verb);
    say(usage, "", text, ending);
    return 2;
}

void fq_options_note(const fq_usage *usage, const char *format, ...) {
    char text[FQ_FAILURE_LINE_MAX];
    va_list arguments;
    if (said_quiet)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say(usage, "note: ", text, "");
}

/* Help ------------------------------------------------------------------------------------- */

static void default_text(char *text, size_t room, const fq_option *option) {
    text[0] = '\0';
    switch (option->kind) {
    case FQ_OPTION_SIZE:
        snprintf(text, room, "%zu", *(const size_t *)option->value);
        break;
    case FQ_OPTION_UINT64:
        snprintf(text, room, "%" PRIu64, *(const uint64_t *)option->value);
        break;
    case FQ_OPTION_REAL:
        snprintf(text, room, "%.6g", *(const double *)option->value);
        break;
    case FQ_OPTION_TEXT:
    case FQ_OPTION_CHOICE: {
        const char *value = *(const char *const *)option->value;
        snprintf(text, room, "%s", value ? value : "");
        break;
    }
    case FQ_OPTION_FLAG:
    case FQ_OPTION_LIST:
        break;
    }
}

static bool has_limits(const fq_option *option) {
    return (option->kind == FQ_OPTION_SIZE || option->kind == FQ_OPTION_REAL) &&
           (option->least != 0 || option->most != 0);
}

/* Words of text from column HELP_COLUMN on, broken before LINE_WIDTH. */
static void print_wrapped(const char *text) {
    size_t column = HELP_COLUMN;
    while (*text) {
        const size_t word = strcspn(text, " ");
        if (column > HELP_COLUMN && column + 1 + word > LINE_WIDTH) {
            printf("\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        }
        if (column > HELP_COLUMN) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word, text);
        column += word;
        text += word;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_option(const fq_option *option) {
    char left[96], text[1024], value[256];
    char letter[8] = "    ";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
    if (strlen(left) + 2 > HELP_COLUMN)
        printf("%s\n%*s", left, HELP_COLUMN, "");
    else
        printf("%-*s", HELP_COLUMN, left);
    size_t at = (size_t)snprintf(text, sizeof text, "%s", option->help);
    if (option->kind == FQ_OPTION_CHOICE)
        at += (size_t)snprintf(text + at, sizeof text - at, ": %s", option->choices);
    if (has_limits(option))
        at += (size_t)snprintf(text + at, sizeof text - at, ", %.10g to %.10g", option->least, option->most);
    default_text(value, sizeof value, option);
    if (option->required)
        snprintf(text + at, sizeof text - at, " (required)");
    else if (option->kind == FQ_OPTION_LIST)
        snprintf(text + at, sizeof text - at, " (may be repeated)");
    else if (value[0] && !(has_limits(option) && strtod(value, NULL) < option->least)) /* below: not given */
        snprintf(text + at, sizeof text - at, " (default %s)", value);
    print_wrapped(text);
}

static void print_help(const fq_usage *usage) {
    printf("usage: fibquant %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", usage->verb,
           usage->arguments && usage->arguments[0] ? " " : "", usage->arguments ? usage->arguments : "",
           usage->summary);
    const fq_option *option;
    for (size_t i = 0; (option = option_at(usage, i)) != NULL; i++)
        print_option(option);
    printf("%-*sshow this and exit\n", HELP_COLUMN, "  -h, --help");
    if (usage->notes)
        printf("\n%s\n", usage->notes);
    if (usage->examples) {
        printf("\nExamples:\n");
        for (const char *line = usage->examples; *line;) {
            const size_t length = strcspn(line, "\n");
            printf("  %.*s\n", (int)length, line);
            line += length + (line[length] == '\n');
        }
    }
    printf("\nExit status: 0 success, 2 wrong usage, 3 input unreadable or malformed, 4 output could\n"
           "not be written, 130 or 143 interrupted%s%s.\n",
           usage->exit_status ? ", " : "", usage->exit_status ? usage->exit_status : "");
}

/* Values ----------------------------------------------------------------------------------- */

static bool whole_number(const char *text, uint64_t *value) {
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    const unsigned long long parsed = strtoull(text, &end, 10);
    *value = parsed;
    return *end == '\0' && errno == 0;
}

static bool refuse_number(const fq_usage *usage, const fq_option *option, const char *text,
                          const char *kind) {
    if (has_limits(option))
        fq_options_refuse(usage, "--%s \"%.60s\": allowed is a %s from %.10g to %.10g", option->name, text,
                          kind, option->least, option->most);
    else
        fq_options_refuse(usage, "--%s \"%.60s\": allowed is a %s", option->name, text, kind);
    return false;
}

static bool within(const fq_option *option, double value) {
    return !has_limits(option) || (value >= option->least && value <= option->most);
}

static bool set_choice(const fq_usage *usage, const fq_option *option, const char *text) {
    const char *nearest = option->choices;
    size_t nearest_distance = SIZE_MAX, nearest_length = strcspn(nearest, "|");
    for (const char *choice = option->choices; *choice;) {
        const size_t length = strcspn(choice, "|");
        char name[NAME_MAX_BYTES + 1];
        snprintf(name, sizeof name, "%.*s", (int)length, choice);
        if (strcmp(name, text) == 0) {
            *(const char **)option->value = text;
            return true;
        }
        const size_t distance = fq_name_distance(text, name);
        if (distance < nearest_distance) {
            nearest_distance = distance;
            nearest = choice;
            nearest_length = length;
        }
        choice += length + (choice[length] == '|');
    }
    fq_options_refuse(usage, "--%s \"%.60s\": allowed is %s; nearest is \"%.*s\"", option->name, text,
                      option->choices, (int)nearest_length, nearest);
    return false;
}

static bool set_value(const fq_usage *usage, const fq_option *option, const char *text) {
    uint64_t whole = 0;
    char *end = NULL;
    switch (option->kind) {
    case FQ_OPTION_FLAG:
        *(bool *)option->value = true;
        return true;
    case FQ_OPTION_SIZE:
        if (!whole_number(text, &whole) || whole > SIZE_MAX || !within(option, (double)whole))
            return refuse_number(usage, option, text, "whole number");
        *(size_t *)option->value = (size_t)whole;
        return true;
    case FQ_OPTION_UINT64:
        if (!whole_number(text, &whole))
            return refuse_number(usage, option, text, "whole number from 0 to 18446744073709551615");
        *(uint64_t *)option->value = whole;
        return true;
    case FQ_OPTION_REAL: {
        /* strtod takes leading blanks, "inf" and "nan": none of them is a number here. */
        const double value = strtod(text, &end);
        if (text[0] == '\0' || strchr(" \t\n\v\f\r", text[0]) || *end || !isfinite(value) ||
            !within(option, value))
            return refuse_number(usage, option, text, "number");
        *(double *)option->value = value;
        return true;
    }
    case FQ_OPTION_CHOICE:
        return set_choice(usage, option, text);
    case FQ_OPTION_TEXT:
    case FQ_OPTION_LIST:
        break;
    }
    if (text[0] == '\0') {
        fq_options_refuse(usage, "--%s: empty; allowed is a text", option->name);
        return false;
    }
    if (option->kind == FQ_OPTION_TEXT) {
        *(const char **)option->value = text;
        return true;
    }
    fq_option_list *list = option->value;
    if (list->count == FQ_OPTION_LIST_MAX) {
        fq_options_refuse(usage, "--%s: given more than %d times", option->name, FQ_OPTION_LIST_MAX);
        return false;
    }
    list->items[list->count++] = text;
    return true;
}

/* Parsing ---------------------------------------------------------------------------------- */

static void refuse_unknown(const fq_usage *usage, const char *given) {
    const char *bare = given + strspn(given, "-"), *nearest = "help";
    char name[NAME_MAX_BYTES + 1];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    const fq_option *option;
    for (size_t i = 0; (option = option_at(usage, i)) != NULL; i++)
        if (fq_name_distance(name, option->name) < fq_name_distance(name, nearest))
            nearest = option->name;
    fq_options_refuse(usage, "no option \"%.60s\"; nearest is --%s", given, nearest);
}

static void refuse_popt(const fq_usage *usage, int code) {
    const char *given = poptBadOption(context, POPT_BADOPTION_NOALIAS);
    if (code == POPT_ERROR_BADOPT)
        refuse_unknown(usage, given);
    else if (code == POPT_ERROR_NOARG)
        fq_options_refuse(usage, "%.60s: its value is missing", given);
    else
        fq_options_refuse(usage, "%.60s: %s", given, poptStrerror(code));
}

static bool take_options(const fq_usage *usage, int *exit_code, bool seen[OPTIONS_MAX]) {
    int code;
    while ((code = poptGetNextOpt(context)) > 0) {
        if (code == OPTIONS_MAX + 1) {
            print_help(usage);
            *exit_code = 0;
            return false;
        }
        const fq_option *option = option_at(usage, (size_t)code - 1);
        char *text = poptGetOptArg(context);
        if (text && kept_count == KEPT_MAX) {
            free(text);
            *exit_code = fq_options_refuse(usage, "too many options");
            return false;
        }
        if (text)
            kept[kept_count++] = text;
        if (seen[code - 1] && option->kind != FQ_OPTION_LIST) {
            *exit_code = fq_options_refuse(usage, "--%s: given twice", option->name);
            return false;
        }
        seen[code - 1] = true;
        if (!set_value(usage, option, text ? text : ""))
            return false;
        if (option->given)
            *option->given = true;
    }
    if (code < -1)
        refuse_popt(usage, code);
    return code == -1;
}

bool fq_options_parse(const fq_usage *usage, int argc, const char **argv, fq_arguments *arguments,
                      int *exit_code) {
    static struct poptOption table[OPTIONS_MAX + 2];
    bool seen[OPTIONS_MAX] = {false};
    size_t count = 0;
    release();
    memset(table, 0, sizeof table);
    quiet = no_progress = false;
    for (const fq_option *option; count < OPTIONS_MAX && (option = option_at(usage, count)); count++) {
        table[count].longName = option->name;
        table[count].shortName = option->letter;
        table[count].argInfo = option->kind == FQ_OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING;
        table[count].val = (int)count + 1;
    }
    table[count].longName = "help";
    table[count].shortName = 'h';
    table[count].val = OPTIONS_MAX + 1;
    *exit_code = 2;
    context = poptGetContext(NULL, argc, argv, table, 0);
    if (!context) {
        *exit_code = 3;
        fprintf(stderr, "fibquant %s: out of memory\n", usage->verb);
        return false;
    }
    if (!take_options(usage, exit_code, seen))
        return false;
    for (size_t i = 0; i < count; i++)
        if (option_at(usage, i)->required && !seen[i]) {
            const char *argument = option_at(usage, i)->argument;
            fq_options_refuse(usage, "--%s%s%s is missing", option_at(usage, i)->name, argument ? " " : "",
                              argument ? argument : "");
            return false;
        }
    said_quiet = flag_of(usage, "quiet");
    said_no_progress = flag_of(usage, "no-progress");
    const char **rest = poptGetArgs(context);
    size_t rest_count = 0;
    while (rest && rest[rest_count])
        rest_count++;
    if (rest_count < usage->least_arguments || rest_count > usage->most_arguments) {
        if (rest_count > usage->most_arguments)
            fq_options_refuse(usage, "unexpected argument \"%.60s\"; allowed: %s",
                              rest[usage->most_arguments],
                              usage->most_arguments ? usage->arguments : "options only");
        else
            fq_options_refuse(usage, "an argument is missing: %s", usage->arguments);
        return false;
    }
    for (size_t i = 0; i < rest_count; i++)
        if (rest[i][0] == '\0') {
            fq_options_refuse(usage, "an argument is empty; allowed: %s", usage->arguments);
            return false;
        }
    if (arguments) {
        arguments->count = rest_count;
        arguments->items = rest;
    }
    return true;
}
