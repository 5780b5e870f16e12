#include "draw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "atomic_file.h"
#include "embedded_text.h"
#include "failure.h"
#include "memory.h"
#include "sha256.h"

extern const fq_embedded_text fq_plot_scripts[];

enum { PATH = FQ_PATH_MAX };

static fq_status make_folder(const char *path) {
    if (mkdir(path, 0777) != 0 && errno != EEXIST)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", path, strerror(errno));
    return FQ_OK;
}

static fq_status join(char path[PATH], const char *folder, const char *name, const char *ending) {
    if (snprintf(path, PATH, "%s/%s%s", folder, name, ending) >= PATH)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s...: path longer than %d bytes", folder, PATH);
    return FQ_OK;
}

/* Closes a file that may be NULL; whether all that was written to it arrived. */
static bool close_whole(FILE *file) {
    if (!file)
        return true;
    const bool good = !ferror(file);
    return fclose(file) == 0 && good;
}

/* The five files of a figure, in the order in which they are put in place: the side file vouches for the
 * others and comes last. */
enum { DATA, SCRIPT, PNG, PDF, SIDE, FILES };

typedef struct drawing {
    const fq_draw_request *request;
    const fq_figure *figure;
    const fq_table *table;
    fq_atomic_file file[FILES];
    bool *shown;   /* [rows] */
    char *caption; /* by open_memstream: free */
} drawing;

/* The data file, the script (variables, common style, then the figure's own commands) and the caption. */
static fq_status write_inputs(drawing *d) {
    const fq_embedded_text *style = fq_embedded_text_find(fq_plot_scripts, "style.gp");
    const fq_embedded_text *body = fq_embedded_text_find(fq_plot_scripts, d->figure->script);
    size_t length = 0;
    if (!style || !body)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "%s: script %s is not built in", d->figure->name,
                            d->figure->script);
    const fq_figure_job job = {fopen(d->file[DATA].temporary, "w"), fopen(d->file[SCRIPT].temporary, "w"),
                               open_memstream(&d->caption, &length), d->shown};
    fq_status status = FQ_OK;
    if (!job.caption) {
        status = FQ_FAIL_TEXT(FQ_ERR_MEMORY, "%s: out of memory", d->figure->name);
    } else if (!job.data || !job.variables) {
        status =
            FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", d->file[job.data ? SCRIPT : DATA].path, strerror(errno));
    } else {
        fprintf(job.variables,
                "if (exists(\"ARGC\") && ARGC == 3) {\n"
                "    format = ARG1; data = ARG2; out = ARG3\n"
                "} else {\n"
                "    if (!exists(\"format\")) { format = \"png\" }\n"
                "    data = \"%s.tsv\"; out = \"../%s.\".format\n"
                "}\n",
                d->figure->name, d->figure->name);
        fprintf(job.caption, "%s.", d->figure->shows);
        status = d->figure->feed(&job, d->table);
        fwrite(style->bytes, 1, style->length, job.variables);
        fwrite(body->bytes, 1, body->length, job.variables);
    }
    const bool data_whole = close_whole(job.data), script_whole = close_whole(job.variables);
    const bool caption_whole = close_whole(job.caption);
    if (status == FQ_OK && !(data_whole && script_whole))
        status = FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: could not be written whole",
                              d->file[data_whole ? SCRIPT : DATA].path);
    if (status == FQ_OK && !caption_whole)
        status = FQ_FAIL_TEXT(FQ_ERR_MEMORY, "%s: out of memory", d->figure->name);
    return status;
}

/* In the child: gnuplot with its complaints going to a pipe, a UTF-8 locale whatever the caller's (a bare
 * container or cron has none, and labels are UTF-8), and no start-up file (-d). */
static void become_gnuplot(int complaints, const char *script, const char *format, const char *data,
                           const char *out) {
    if (dup2(complaints, STDERR_FILENO) >= 0 && dup2(complaints, STDOUT_FILENO) >= 0 &&
        setenv("LC_ALL", "C.UTF-8", 1) == 0 && unsetenv("LANGUAGE") == 0)
        execlp("gnuplot", "gnuplot", "-d", "-c", script, format, data, out, (char *)NULL);
    _exit(127);
}

/* Reads all that comes, so that the writer never blocks; keeps the first of it, on one line. */
static void read_complaints(int from, char *first, size_t size) {
    char rest[256];
    size_t have = 0;
    for (ssize_t got = 1; got > 0;) {
        const bool room = have + 1 < size;
        got = read(from, room ? first + have : rest, room ? size - 1 - have : sizeof rest);
        if (got > 0 && room)
            have += (size_t)got;
        if (got < 0 && errno == EINTR)
            got = 1;
    }
    first[have] = '\0';
    for (char *c = first; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
}

/* Runs gnuplot; what it said is told if it fails, and mere warnings are none of the caller's business. */
static fq_status run_gnuplot(drawing *d, const char *format, const char *out) {
    char said[256] = "";
    int ends[2], state = -1;
    if (pipe(ends) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "gnuplot: %s", strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        become_gnuplot(ends[1], d->file[SCRIPT].temporary, format, d->file[DATA].temporary, out);
    }
    close(ends[1]);
    if (child > 0)
        read_complaints(ends[0], said, sizeof said);
    close(ends[0]);
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return FQ_OK;
    if (child > 0 && WIFEXITED(state) && WEXITSTATUS(state) == 127)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "gnuplot could not be started: install gnuplot-nox");
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: gnuplot said: %s", d->file[SCRIPT].path, said);
}

/* Whether a file's last 64 bytes hold a text: gnuplot says nothing if the disk fills up under an image. */
static bool ends_with(const char *path, const char *mark) {
    char tail[64];
    bool found = false;
    size_t n = 0;
    FILE *file = fopen(path, "rb");
    if (file && fseek(file, -(long)sizeof tail, SEEK_END) == 0)
        n = fread(tail, 1, sizeof tail, file);
    if (file)
        fclose(file);
    for (size_t at = 0; at + strlen(mark) <= n && !found; at++)
        found = memcmp(tail + at, mark, strlen(mark)) == 0;
    return found;
}

static fq_status draw_image(drawing *d, int which, const char *format, const char *mark) {
    FQ_TRY(run_gnuplot(d, format, d->file[which].temporary));
    if (!ends_with(d->file[which].temporary, mark))
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: could not be written whole", d->file[which].path);
    return FQ_OK;
}

/* "bench=decode case=d64 ...": what identifies a row of a table that has no points. */
static json_t *row_name(const fq_table *t, size_t row) {
    char name[1024] = "", value[FQ_TABLE_VALUE_TEXT];
    size_t used = 0;
    for (size_t c = 0; c < t->column_count && used < sizeof name; c++)
        if (t->columns[c].role == FQ_ROLE_PARAMETER)
            used += (size_t)snprintf(name + used, sizeof name - used, "%s%s=%s", used ? " " : "",
                                     t->columns[c].name, fq_table_format(t, row, c, value));
    if (!used)
        snprintf(name, sizeof name, "row %zu", row);
    return json_string(name);
}

/* The points shown, each once, in the order of the table; for a table without points its rows. */
static json_t *point_ids(const drawing *d) {
    const fq_table *t = d->table;
    json_t *ids = json_array(), *seen = json_object();
    const size_t column = fq_table_find(t, "point");
    const bool points = column < t->column_count && t->columns[column].type == FQ_VALUE_TEXT;
    for (size_t row = 0; row < t->count; row++) {
        if (!d->shown[row])
            continue;
        if (!points) {
            json_array_append_new(ids, row_name(t, row));
        } else if (!json_object_get(seen, fq_table_text(t, row, column))) {
            json_object_set_new(seen, fq_table_text(t, row, column), json_true());
            json_array_append_new(ids, json_string(fq_table_text(t, row, column)));
        }
    }
    json_decref(seen);
    return ids;
}

static fq_status write_side_file(drawing *d) {
    const fq_draw_request *request = d->request;
    char store_hash[FQ_SHA256_HEX], hash[SCRIPT + 1][FQ_SHA256_HEX];
    size_t rows = 0;
    FQ_TRY(fq_sha256_file(store_hash, request->store_path));
    for (int i = DATA; i <= SCRIPT; i++)
        FQ_TRY(fq_sha256_file(hash[i], d->file[i].temporary));
    for (size_t row = 0; row < d->table->count; row++)
        rows += d->shown[row];
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}", "figure",
                             d->figure->name, "shows", d->caption, "command", request->command, "store",
                             request->store_path, "store_sha256", store_hash, "table", d->table->name, "rows",
                             (json_int_t)d->table->count, "rows_shown", (json_int_t)rows, "data_sha256",
                             hash[DATA], "script_sha256", hash[SCRIPT], "points", point_ids(d));
    FILE *file = root ? fopen(d->file[SIDE].temporary, "w") : NULL;
    bool whole = file && json_dumpf(root, file, JSON_INDENT(2)) == 0 && fputc('\n', file) != EOF;
    whole = close_whole(file) && whole;
    json_decref(root);
    return whole ? FQ_OK : FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: could not be written whole", d->file[SIDE].path);
}

/* Temporary names for all five files, so that a folder that cannot be written is found before any work. */
static fq_status begin(drawing *d, const char *folder) {
    static const struct {
        bool data;
        const char *ending;
    } names[FILES] = {[DATA] = {true, ".tsv"},
                      [SCRIPT] = {true, ".gp"},
                      [PNG] = {false, ".png"},
                      [PDF] = {false, ".pdf"},
                      [SIDE] = {false, ".json"}};
    char path[PATH], data_folder[PATH];
    FQ_TRY(join(data_folder, folder, "data", ""));
    FQ_TRY(make_folder(data_folder));
    for (int i = 0; i < FILES; i++) {
        FQ_TRY(join(path, names[i].data ? data_folder : folder, d->figure->name, names[i].ending));
        FQ_TRY(fq_atomic_file_begin(&d->file[i], path));
    }
    return FQ_OK;
}

static fq_status synced(const fq_atomic_file *file) {
    const int descriptor = open(file->temporary, O_RDWR | O_CLOEXEC);
    const bool good = descriptor >= 0 && fsync(descriptor) == 0;
    const int reason = errno;
    if (descriptor >= 0)
        close(descriptor);
    return good ? FQ_OK : FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", file->path, strerror(reason));
}

fq_status fq_draw(const fq_draw_request *request, const fq_figure *figure, char **caption) {
    drawing d = {.request = request, .figure = figure};
    char *folder = NULL;
    d.table = fq_results_table(request->store, figure->table);
    if (caption)
        *caption = NULL;
    if (!d.table || d.table->count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: no rows in table %s, which figure %s needs",
                            request->store_path, figure->table, figure->name);
    FQ_TRY(make_folder(request->folder));
    folder = realpath(request->folder, NULL); /* gnuplot takes names that begin with < for commands */
    if (!folder)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", request->folder, strerror(errno));
    fq_status status = fq_alloc_zero(&d.shown, d.table->count, sizeof *d.shown);
    if (status == FQ_OK)
        status = begin(&d, folder);
    free(folder);
    if (status == FQ_OK)
        status = write_inputs(&d);
    if (status == FQ_OK)
        status = draw_image(&d, PNG, "png", "IEND");
    if (status == FQ_OK)
        status = draw_image(&d, PDF, "pdf", "%%EOF");
    if (status == FQ_OK)
        status = write_side_file(&d);
    for (int i = 0; i < FILES && status == FQ_OK; i++) /* all on disk before any is put in place */
        status = synced(&d.file[i]);
    for (int i = 0; i < FILES && status == FQ_OK; i++)
        status = fq_atomic_file_commit(&d.file[i]);
    for (int i = 0; i < FILES; i++)
        fq_atomic_file_abandon(&d.file[i]);
    if (status == FQ_OK && caption) {
        *caption = d.caption;
        d.caption = NULL;
    }
    free(d.caption);
    fq_free(d.shown);
    return status;
}
