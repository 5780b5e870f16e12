#include "draw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "atomic_file.h"
#include "embedded_text.h"
#include "failure.h"
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

/* The data file and the script: variables, common style, then the figure's own commands. */
static fq_status write_inputs(const fq_figure *figure, const fq_table *table, const char *folder,
                              const char *data_path, const char *script_path) {
    const fq_embedded_text *style = fq_embedded_text_find(fq_plot_scripts, "style.gp");
    const fq_embedded_text *body = fq_embedded_text_find(fq_plot_scripts, figure->script);
    if (!style || !body)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "%s: script %s is not built in", figure->name, figure->script);
    const fq_figure_job job = {fopen(data_path, "w"), fopen(script_path, "w")};
    fq_status status = FQ_OK;
    if (!job.data || !job.variables) {
        status = FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: %s", job.data ? script_path : data_path, strerror(errno));
    } else {
        fprintf(job.variables, "if (!exists(\"format\")) format = \"png\"\n");
        fprintf(job.variables, "data = \"%s.tsv\"\n", figure->name);
        fprintf(job.variables, "out = \"../%s\"\n", figure->name);
        status = figure->feed(&job, table);
        fwrite(style->bytes, 1, style->length, job.variables);
        fwrite(body->bytes, 1, body->length, job.variables);
    }
    const bool data_whole = close_whole(job.data), script_whole = close_whole(job.variables);
    if (status == FQ_OK && !(data_whole && script_whole))
        status = FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: could not be written whole", folder);
    return status;
}

/* Runs gnuplot in folder/data, its complaints going to a pipe: they are told if it fails, and mere
   warnings are none of the caller's business. The child gets a UTF-8 locale whatever the caller's (a
   bare container or cron has none, and labels are UTF-8), and reads no start-up file (-d). */
static fq_status run_gnuplot(const char *data_folder, const char *script, const char *format) {
    char setting[32], first[256] = "";
    int ends[2];
    snprintf(setting, sizeof setting, "format=\"%s\"", format);
    if (pipe(ends) != 0)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "gnuplot: %s", strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        if (chdir(data_folder) == 0 && dup2(ends[1], STDERR_FILENO) >= 0 &&
            dup2(ends[1], STDOUT_FILENO) >= 0) {
            close(ends[0]);
            setenv("LC_ALL", "C.UTF-8", 1);
            unsetenv("LANGUAGE");
            execlp("gnuplot", "gnuplot", "-d", "-e", setting, script, (char *)NULL);
        }
        _exit(127);
    }
    close(ends[1]);
    size_t have = 0;
    char rest[256];
    for (ssize_t got = 1; child > 0 && got > 0;) { /* all is read, so that the child never blocks */
        const bool room = have + 1 < sizeof first;
        got = read(ends[0], room ? first + have : rest, room ? sizeof first - 1 - have : sizeof rest);
        if (got > 0 && room)
            have += (size_t)got;
        if (got < 0 && errno == EINTR)
            got = 1;
    }
    close(ends[0]);
    int state = -1;
    while (child > 0 && waitpid(child, &state, 0) < 0 && errno == EINTR)
        continue;
    if (child > 0 && WIFEXITED(state) && WEXITSTATUS(state) == 0)
        return FQ_OK;
    for (char *c = first; *c; c++)
        if (*c == '\n')
            *c = ' ';
    if (child > 0 && WIFEXITED(state) && WEXITSTATUS(state) == 127)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "gnuplot could not be started: install gnuplot-nox");
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s/%s: gnuplot said: %s", data_folder, script, first);
}

/* The distinct ids of the table's points, as far as it has that column. */
static json_t *point_ids(const fq_table *table) {
    json_t *ids = json_array();
    const size_t column = fq_table_find(table, "point_id");
    const char *last = "";
    if (column == table->column_count || table->columns[column].type != FQ_VALUE_TEXT)
        return ids;
    for (size_t row = 0; row < table->count; row++) {
        const char *id = fq_table_text(table, row, column);
        if (strcmp(id, last) != 0)
            json_array_append_new(ids, json_string(id));
        last = id;
    }
    return ids;
}

static fq_status write_side_file(const fq_draw_request *request, const fq_figure *figure,
                                 const fq_table *table, const char *data_path, const char *script_path) {
    char store_hash[FQ_SHA256_HEX], data_hash[FQ_SHA256_HEX], script_hash[FQ_SHA256_HEX], path[PATH];
    FQ_TRY(fq_sha256_file(store_hash, request->store_path));
    FQ_TRY(fq_sha256_file(data_hash, data_path));
    FQ_TRY(fq_sha256_file(script_hash, script_path));
    FQ_TRY(join(path, request->folder, figure->name, ".json"));
    json_t *root =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:o}", "figure", figure->name, "shows",
                  figure->shows, "command", request->command, "store", request->store_path, "store_sha256",
                  store_hash, "table", table->name, "rows", (json_int_t)table->count, "data_sha256",
                  data_hash, "script_sha256", script_hash, "points", point_ids(table));
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return FQ_FAIL_TEXT(FQ_ERR_MEMORY, "%s: out of memory", path);
    const fq_status status = fq_atomic_file_write(path, text, strlen(text));
    free(text);
    return status;
}

fq_status fq_draw(const fq_draw_request *request, const fq_figure *figure) {
    const fq_table *table = fq_results_table(request->store, figure->table);
    if (!table || table->count == 0)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: no rows in table %s, which figure %s needs",
                            request->store_path, figure->table, figure->name);
    char data_folder[PATH], data_path[PATH], script_path[PATH], script[128];
    FQ_TRY(join(data_folder, request->folder, "data", ""));
    FQ_TRY(join(data_path, data_folder, figure->name, ".tsv"));
    FQ_TRY(join(script_path, data_folder, figure->name, ".gp"));
    snprintf(script, sizeof script, "%s.gp", figure->name);
    FQ_TRY(make_folder(request->folder));
    FQ_TRY(make_folder(data_folder));
    FQ_TRY(write_inputs(figure, table, data_folder, data_path, script_path));
    FQ_TRY(run_gnuplot(data_folder, script, "png"));
    FQ_TRY(run_gnuplot(data_folder, script, "pdf"));
    return write_side_file(request, figure, table, data_path, script_path);
}
