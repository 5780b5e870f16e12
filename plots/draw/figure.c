#include "figure.h"

#include <math.h>

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

/* A gnuplot string in double quotes: quotes and backslashes escaped, control characters dropped. */
static void quoted(FILE *to, const char *text) {
    fputc('"', to);
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            fputc('\\', to);
        if ((unsigned char)*c >= ' ')
            fputc(*c, to);
    }
    fputc('"', to);
}

void fq_figure_text(const fq_figure_job *job, const char *name, const char *value) {
    fprintf(job->variables, "%s = ", name);
    quoted(job->variables, value);
    fputc('\n', job->variables);
}

void fq_figure_number(const fq_figure_job *job, const char *name, double value) {
    fprintf(job->variables, "%s = %.17g\n", name, value);
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
