#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <popt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 48, KEPT_MAX = 1024, NAME_MAX_BYTES = 63, HELP_COLUMN = 28, LINE_WIDTH = 100 };

/* popt hands out copies; they live until the next parse, reachable from here. */
static poptContext context;
static char *kept[KEPT_MAX];
static size_t kept_count;

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

int fq_options_refuse(const fq_usage *usage, const char *format, ...) {
    va_list arguments;
    fprintf(stderr, "fibquant %s: ", usage->verb);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (fibquant %s --help explains)\n", usage->verb);
    return 2;
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
    else if (value[0])
        snprintf(text + at, sizeof text - at, " (default %s)", value);
    print_wrapped(text);
}

static void print_help(const fq_usage *usage) {
    printf("usage: fibquant %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", usage->verb,
           usage->arguments && usage->arguments[0] ? " " : "", usage->arguments ? usage->arguments : "",
           usage->summary);
    for (const fq_option *option = usage->options; option->name; option++)
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
           "not be written%s%s.\n",
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
        const size_t distance = fq_edit_distance(name, text);
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
    for (const fq_option *option = usage->options; option->name; option++)
        if (fq_edit_distance(name, option->name) < fq_edit_distance(name, nearest))
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
        const fq_option *option = &usage->options[code - 1];
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
    for (; usage->options[count].name && count < OPTIONS_MAX; count++) {
        table[count].longName = usage->options[count].name;
        table[count].shortName = usage->options[count].letter;
        table[count].argInfo = usage->options[count].kind == FQ_OPTION_FLAG ? POPT_ARG_NONE : POPT_ARG_STRING;
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
        if (usage->options[i].required && !seen[i]) {
            fq_options_refuse(usage, "--%s %s is missing", usage->options[i].name,
                              usage->options[i].argument ? usage->options[i].argument : "");
            return false;
        }
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
    if (arguments) {
        arguments->count = rest_count;
        arguments->items = rest;
    }
    return true;
}
