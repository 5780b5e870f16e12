#include "results_typeset.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "printable.h"

const char *fq_value_with_error(char text[FQ_VALUE_WITH_ERROR], double value, double standard_error) {
    const bool plain = !isfinite(value) || !isfinite(standard_error) || !(standard_error > 0) ||
                       standard_error >= 1e15 || fabs(value) >= 1e15 || standard_error < 1e-15;
    if (plain) {
        snprintf(text, FQ_VALUE_WITH_ERROR, "%.6g", value);
        return text;
    }
    int decimals = 1 - (int)floor(log10(standard_error)); /* leaves the error two digits */
    double last = nearbyint(standard_error * pow(10, decimals));
    if (last >= 100) { /* 9.96 becomes 10 */
        decimals--;
        last = nearbyint(standard_error * pow(10, decimals));
    }
    if (decimals > 0)
        snprintf(text, FQ_VALUE_WITH_ERROR, "%.*f(%.0f)", decimals, value, last);
    else /* an error of 10 and more: whole numbers, and the error as it is */
        snprintf(text, FQ_VALUE_WITH_ERROR, "%.0f(%.0f)",
                 nearbyint(value * pow(10, decimals)) / pow(10, decimals), last / pow(10, decimals));
    return text;
}

/* The column among those chosen that holds the standard error of column, or count. */
static size_t error_of(const fq_table *table, const size_t *columns, size_t count, size_t column) {
    const size_t error = fq_table_find_error(table, column);
    size_t c = 0;
    while (c < count && columns[c] != error)
        c++;
    return c;
}

/* Whether some chosen column's cell shows this one. */
static bool is_shown_elsewhere(const fq_table *table, const size_t *columns, size_t count, size_t at) {
    for (size_t c = 0; c < count; c++)
        if (error_of(table, columns, count, columns[c]) == at)
            return true;
    return false;
}

static void put_markdown(FILE *to, const char *text) {
    for (; *text; text++) {
        if (strchr("|\\`*_<>[]", *text))
            putc('\\', to);
        putc(*text, to);
    }
}

static void put_latex(FILE *to, const char *text) {
    for (; *text; text++)
        switch (*text) {
        case '\\':
            fputs("\\textbackslash{}", to);
            break;
        case '~':
            fputs("\\textasciitilde{}", to);
            break;
        case '^':
            fputs("\\textasciicircum{}", to);
            break;
        case '<':
        case '>':
        case '|':
            fprintf(to, "$%s$", *text == '|' ? "\\vert" : *text == '<' ? "<" : ">");
            break;
        default:
            if (strchr("&%$#_{}", *text))
                putc('\\', to);
            putc(*text, to);
        }
}

static void put_cell(FILE *to, fq_typeset form, const char *text) {
    static char shown[4 * FQ_TABLE_TEXT_MAX + 1];
    fq_printable(shown, sizeof shown, text);
    (form == FQ_TYPESET_LATEX ? put_latex : put_markdown)(to, shown);
}

/* A column's name with its unit, if it has one. */
static void put_heading(FILE *to, fq_typeset form, const fq_value_column *column) {
    char heading[FQ_TABLE_NAME_MAX + 80];
    const bool pure = !column->units || !*column->units || strcmp(column->units, "1") == 0;
    snprintf(heading, sizeof heading, pure ? "%s" : "%s (%.70s)", column->name, column->units);
    put_cell(to, form, heading);
}

static void put_value(FILE *to, fq_typeset form, const fq_table *table, size_t row, const size_t *columns,
                      size_t count, size_t column) {
    char number[FQ_VALUE_WITH_ERROR], buffer[FQ_TABLE_VALUE_TEXT];
    if (table->columns[column].type != FQ_VALUE_REAL) {
        put_cell(to, form, fq_table_format(table, row, column, buffer));
        return;
    }
    const size_t error = error_of(table, columns, count, column);
    fputs(fq_value_with_error(number, fq_table_real(table, row, column),
                              error < count ? fq_table_real(table, row, columns[error]) : (double)NAN),
          to);
}

void fq_results_typeset(FILE *to, fq_typeset form, const fq_table *table, const size_t *columns, size_t count,
                        const size_t *rows, size_t row_count) {
    const bool latex = form == FQ_TYPESET_LATEX;
    size_t shown[FQ_TABLE_COLUMNS_MAX], n = 0;
    for (size_t c = 0; c < count; c++)
        if (!is_shown_elsewhere(table, columns, count, c))
            shown[n++] = columns[c];
    if (latex)
        fputs("\\begin{tabular}{", to);
    for (size_t c = 0; latex && c < n; c++)
        putc(table->columns[shown[c]].type == FQ_VALUE_TEXT ? 'l' : 'r', to);
    if (latex)
        fputs("}\n\\hline\n", to);
    for (size_t c = 0; c < n; c++) {
        fputs(latex ? (c ? " & " : "") : "| ", to);
        put_heading(to, form, &table->columns[shown[c]]);
        fputs(latex ? "" : " ", to);
    }
    fputs(latex ? " \\\\\n\\hline\n" : "|\n", to);
    for (size_t c = 0; !latex && c < n; c++)
        fputs(table->columns[shown[c]].type == FQ_VALUE_TEXT ? "| --- " : "| ---: ", to);
    fputs(latex ? "" : "|\n", to);
    for (size_t r = 0; r < row_count; r++) {
        for (size_t c = 0; c < n; c++) {
            fputs(latex ? (c ? " & " : "") : "| ", to);
            put_value(to, form, table, rows[r], columns, count, shown[c]);
            fputs(latex ? "" : " ", to);
        }
        fputs(latex ? " \\\\\n" : "|\n", to);
    }
    if (latex)
        fputs("\\hline\n\\end{tabular}\n", to);
}
