#include "output_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "failure.h"
#include "figure.h"
#include "file_place.h"
#include "result_store.h"
#include "sweep_lock.h"
#include "verb.h"

/* Whether a file begins as HDF5 files do: no part of a model does. */
static bool is_hdf5(const char *path) {
    static const unsigned char signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    unsigned char start[8] = {0};
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const ssize_t got = descriptor < 0 ? -1 : read(descriptor, start, sizeof start);
    if (descriptor >= 0)
        close(descriptor);
    return got == (ssize_t)sizeof start && memcmp(start, signature, sizeof start) == 0;
}

/* Whether the output would replace a file of the folder of a model (path: the folder, or a file in it). */
static bool is_in_folder_of(const char *model, const char *output) {
    char folder[FQ_PATH_MAX];
    struct stat about;
    if (stat(output, &about) != 0 || is_hdf5(output))
        return false;
    if (stat(model, &about) != 0 || strlen(model) >= sizeof folder)
        return false;
    strcpy(folder, model);
    char *slash = strrchr(folder, '/');
    if (!S_ISDIR(about.st_mode)) {
        const size_t length = strlen(folder);
        if (length > 5 && strcmp(folder + length - 5, ".gguf") == 0)
            return false; /* has all in it */
        if (slash)
            slash[1] = '\0';
        else
            strcpy(folder, ".");
    }
    DIR *list = opendir(folder);
    bool found = false;
    for (const struct dirent *entry; list && !found && (entry = readdir(list));) {
        char path[FQ_PATH_MAX + 300];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        found = fq_same_place(path, output);
    }
    if (list)
        closedir(list);
    return found;
}

/* Whether the input is a file that a figure drawn into the folder would replace. */
static bool is_of_a_figure(const char *folder, const char *input) {
    static const struct {
        const char *folder, *ending;
    } files[] = {{"", ".png"}, {"", ".pdf"}, {"", ".json"}, {"data/", ".tsv"}, {"data/", ".gp"}};
    for (size_t i = 0; i < fq_figure_count(); i++)
        for (size_t j = 0; j < sizeof files / sizeof files[0]; j++) {
            char path[FQ_PATH_MAX + 300];
            snprintf(path, sizeof path, "%s/%s%s%s", folder, files[j].folder, fq_figure_get(i)->name,
                     files[j].ending);
            if (access(path, F_OK) == 0 && fq_same_place(path, input))
                return true;
        }
    return false;
}

/* Whether no input would be lost by writing the output; if one would be, says which. */
static bool is_apart(const fq_usage *usage, const fq_output *output, const fq_input *inputs) {
    for (const fq_input *input = inputs; input && input->option; input++) {
        if (!input->path)
            continue;
        if (output->kind == FQ_OUTPUT_FOLDER && is_of_a_figure(output->path, input->path)) {
            fq_options_refuse(usage, "%s %s: a figure would replace %s %s; allowed: another folder",
                              output->option, output->path, input->option, input->path);
            return false;
        }
        if (output->kind == FQ_OUTPUT_FOLDER)
            continue;
        const bool read_first = output->kind == FQ_OUTPUT_STORE && input->store;
        if (!read_first && fq_same_place(output->path, input->path)) {
            fq_options_refuse(usage, "%s %s is %s %s, which would be lost; allowed: another file",
                              output->option, output->path, input->option, input->path);
            return false;
        }
        if (input->folder_too && is_in_folder_of(input->path, output->path)) {
            fq_options_refuse(usage, "%s %s is a file in the folder of %s %s; allowed: another file",
                              output->option, output->path, input->option, input->path);
            return false;
        }
    }
    return true;
}

/* A results file that is there must be one that can be read and that no sweep is writing. */
static fq_status check_store(const char *path) {
    fq_sweep_state state;
    fq_sweep_lock lock;
    fq_results results;
    bool alive = false;
    memset(&results, 0, sizeof results);
    FQ_TRY(fq_atomic_file_check(path));
    (void)!fq_sweep_lock_read(path, &state, &alive);
    if (alive) { /* taking it gives the refusal its words; a lock left by a killed sweep stays as it is */
        FQ_TRY(fq_sweep_lock_take(&lock, path));
        fq_sweep_lock_release(&lock);
    }
    if (access(path, F_OK) != 0)
        return FQ_OK;
    const fq_status status = fq_store_read(path, &results);
    fq_results_clear(&results);
    return status;
}

/* Makes the folder, if it is missing, and a file in it, and takes away what it made. */
static fq_status check_folder(const char *path) {
    char probe[FQ_PATH_MAX + 16];
    struct stat about;
    if (strlen(path) >= FQ_PATH_MAX - 64)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s...: name too long", path);
    if (mkdir(path, 0777) == 0) {
        rmdir(path);
        return FQ_OK;
    }
    if (errno != EEXIST)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: cannot be made: %s", path, strerror(errno));
    if (stat(path, &about) != 0 || !S_ISDIR(about.st_mode))
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: is no folder", path);
    snprintf(probe, sizeof probe, "%s/.fibquant", path);
    if (fq_atomic_file_check(probe) != FQ_OK)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: no file can be made in this folder", path);
    return FQ_OK;
}

static fq_status check(const fq_output *output) {
    struct stat about;
    switch (output->kind) {
    case FQ_OUTPUT_NEW:
        if (lstat(output->path, &about) == 0)
            return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%s %s: exists; allowed: a new file", output->option,
                                output->path);
        return fq_atomic_file_check(output->path);
    case FQ_OUTPUT_FILE:
        return fq_atomic_file_check(output->path);
    case FQ_OUTPUT_STORE:
        return check_store(output->path);
    case FQ_OUTPUT_FOLDER:
        return check_folder(output->path);
    case FQ_OUTPUT_PART:
        break;
    }
    return FQ_OK;
}

bool fq_outputs_good(const fq_usage *usage, const fq_output *outputs, const fq_input *inputs,
                     int *exit_code) {
    for (const fq_output *output = outputs; output->option; output++) {
        if (!output->path)
            continue;
        *exit_code = 2;
        if (!is_apart(usage, output, inputs))
            return false;
        for (const fq_output *other = outputs; other < output; other++) {
            if (!other->path || other->kind == FQ_OUTPUT_FOLDER || !fq_same_place(other->path, output->path))
                continue;
            fq_options_refuse(usage, "%s %s and %s %s are one file; allowed: two", other->option, other->path,
                              output->option, output->path);
            return false;
        }
        if (check(output) != FQ_OK) {
            *exit_code = fq_verb_fail(usage->verb);
            return false;
        }
    }
    return true;
}
