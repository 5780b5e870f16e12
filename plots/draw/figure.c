#include "figure.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "failure.h"

#define FQ_FIGURE(name, file) extern const fq_figure fq_figure_##name;
#include "figures.def"
#undef FQ_FIGURE

static const fq_figure *const figures[] = {
#define FQ_FIGURE(name, file) &fq_figure_##name,
#include "figures.def"
#undef FQ_FIGURE
};

size_t fq_figure_count(void) {
    return sizeof figures / sizeof figures[0];
}

const fq_figure *fq_figure_get(size_t i) {
    return i < fq_figure_count() ? figures[i] : NULL;
}

fq_status fq_figure_column(size_t *column, const fq_table *table, const char *name, fq_value_type type) {
    const size_t found = fq_table_find(table, name);
    if (found == table->column_count || table->columns[found].type != type)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "table %s: no column \"%s\" of the type its figure needs",
                            table->name, name);
    *column = found;
    return FQ_OK;
}

void fq_figure_show(const fq_figure_job *job, size_t row) {
    job->shown[row] = true;
}

void fq_figure_say(const fq_figure_job *job, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputc(' ', job->caption);
    vfprintf(job->caption, format, arguments);
    va_end(arguments);
}

/* One character of a gnuplot string in double quotes: quotes and backslashes escaped, control characters
 * dropped. */
static void put_quoted(FILE *to, char c) {
    if (c == '"' || c == '\\')
        fputc('\\', to);
    if ((unsigned char)c >= ' ' && c != 0x7f)
        fputc(c, to);
}

static void quoted(FILE *to, const char *text) {
    fputc('"', to);
    for (const char *c = text; *c; c++)
        put_quoted(to, *c);
    fputc('"', to);
}

void fq_figure_text(const fq_figure_job *job, const char *name, const char *value) {
    fprintf(job->variables, "%s = ", name);
    quoted(job->variables, value);
    fputc('\n', job->variables);
}

void fq_figure_number(const fq_figure_job *job, const char *name, double value) {
    if (isnan(value))
        fprintf(job->variables, "%s = NaN\n", name);
    else
        fprintf(job->variables, "%s = %.17g\n", name, value);
}

void fq_figure_text_of(const fq_figure_job *job, const char *name, size_t i, const char *value) {
    fprintf(job->variables, "%s%zu = ", name, i);
    quoted(job->variables, value);
    fputc('\n', job->variables);
}

void fq_figure_number_of(const fq_figure_job *job, const char *name, size_t i, double value) {
    char variable[64];
    snprintf(variable, sizeof variable, "%s%zu", name, i);
    fq_figure_number(job, variable, value);
}

/* Characters, not bytes, of UTF-8 up to the next space or the end. */
static size_t word_length(const char *text) {
    size_t n = 0;
    for (; *text && *text != ' '; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

size_t fq_figure_wrapped(const fq_figure_job *job, const char *name, const char *text, size_t width) {
    size_t lines = 1, column = 0;
    fprintf(job->variables, "%s = \"", name);
    for (const char *at = text; *at;) {
        const size_t length = word_length(at);
        if (column > 0 && column + 1 + length > width) {
            fputs("\\n", job->variables);
            lines++;
            column = 0;
        } else if (column > 0) {
            fputc(' ', job->variables);
            column++;
        }
        for (; *at && *at != ' '; at++)
            put_quoted(job->variables, *at);
        column += length;
        while (*at == ' ')
            at++;
    }
    fprintf(job->variables, "\"\n%s_lines = %zu\n", name, text[0] ? lines : 0);
    return text[0] ? lines : 0;
}

/* Bytes of the first line of a label: all, or up to the last place to break at within the width. */
static size_t key_line(const char *text) {
    size_t characters = 0, best = 0;
    for (size_t i = 0; text[i]; i++) {
        characters += ((unsigned char)text[i] & 0xC0) != 0x80;
        if (characters > FQ_KEY_WIDTH)
            return best ? best : i;
        if (strchr("+;, ", text[i]))
            best = i + 1;
    }
    return strlen(text);
}

void fq_figure_key(const fq_figure_job *job, size_t *lines, size_t style, const char *label) {
    bool first = true;
    do {
        const size_t length = key_line(label);
        fprintf(job->variables, "key_text%zu = \"%s", *lines, first ? "" : "    ");
        for (size_t i = 0; i < length; i++)
            put_quoted(job->variables, label[i]);
        fputs("\"\n", job->variables);
        fq_figure_number_of(job, "key_style", (*lines)++, (double)(first ? FQ_STYLE_FIRST + style : 100));
        first = false;
        label += length;
    } while (*label);
}

void fq_figure_end_key(const fq_figure_job *job, size_t lines) {
    fq_figure_number(job, "keys", (double)lines);
}

void fq_range_add(fq_range *range, double value) {
    if (!isfinite(value))
        return;
    range->low = fmin(range->low, value);
    range->high = fmax(range->high, value);
}

bool fq_range_is_empty(const fq_range *range) {
    return !(range->low <= range->high);
}

void fq_figure_range(const fq_figure_job *job, const char *name, fq_range range, double margin,
                     bool logarithmic) {
    char variable[64];
    if (fq_range_is_empty(&range) || (logarithmic && range.low <= 0.0))
        range = (fq_range){logarithmic ? 0.1 : 0.0, 1.0};
    double low = logarithmic ? log(range.low) : range.low, high = logarithmic ? log(range.high) : range.high;
    const double least = logarithmic ? 0.2 : fmax(fabs(low), fabs(high)) * 0.1;
    const double width = high - low < least ? least : high - low;
    const double extra = margin * width + 0.5 * (width - (high - low));
    low -= extra > 0.0 ? extra : 0.5;
    high += extra > 0.0 ? extra : 0.5;
    snprintf(variable, sizeof variable, "%s_low", name);
    fq_figure_number(job, variable, logarithmic ? exp(low) : low);
    snprintf(variable, sizeof variable, "%s_high", name);
    fq_figure_number(job, variable, logarithmic ? exp(high) : high);
}

/* Okabe and Ito's palette without its yellow, which white paper swallows, and two more: colour-blind readers
 * can tell them apart. With 9 colours, 7 dashes and 13 points a number modulo each is a style of its own up
 * to 9 * 7 * 13. */
void fq_figure_style(const fq_figure_job *job, size_t style, size_t colour, size_t dash, size_t point) {
    static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00",
                                          "#56B4E9", "#000000", "#8B4513", "#7A7A7A"};
    static const char *const dashes[] = {"1",         "(9,4)", "(3,3)", "(9,3,2,3)", "(14,3,2,3,2,3)",
                                         "(1.5,2.5)", "(6,2)"};
    static const struct {
        int type;
        double size;
    } points[] = {{7, 1.0}, {5, 0.9},  {9, 1.1},  {13, 1.2}, {11, 1.1}, {6, 1.0}, {4, 0.9},
                  {8, 1.1}, {12, 1.2}, {10, 1.1}, {15, 1.0}, {1, 1.0},  {2, 1.0}};
    const size_t p = point % (sizeof points / sizeof points[0]);
    fprintf(job->variables, "set linetype %zu linecolor rgb \"%s\" dashtype %s pointtype %d pointsize %g\n",
            FQ_STYLE_FIRST + style, colours[colour % (sizeof colours / sizeof colours[0])],
            dashes[dash % (sizeof dashes / sizeof dashes[0])], points[p].type, points[p].size);
}

void fq_figure_series_style(const fq_figure_job *job, size_t i) {
    fq_figure_style(job, i, i, i, i);
}

void fq_figure_begin_block(const fq_figure_job *job, const char *title) {
    quoted(job->data, title);
    fputc('\n', job->data);
}

void fq_figure_end_block(const fq_figure_job *job) {
    fputs("\n\n", job->data);
}

void fq_figure_values(const fq_figure_job *job, size_t count, const double *values) {
    for (size_t i = 0; i < count; i++) {
        if (isnan(values[i]))
            fputs("nan", job->data);
        else
            fprintf(job->data, "%.9g", values[i]);
        fputc(i + 1 < count ? '\t' : '\n', job->data);
    }
}
