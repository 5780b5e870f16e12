#include "file_place.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"

enum { LINKS_MAX = 40 };

/* Bytes of path up to its last slash, that included. */
static size_t folder_length(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

fq_status fq_path_follow(char target[FQ_PATH_MAX], const char *path) {
    char link[FQ_PATH_MAX], next[FQ_PATH_MAX];
    if (strlen(path) >= FQ_PATH_MAX)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s...: name too long", path);
    strcpy(target, path);
    for (int i = 0; i < LINKS_MAX; i++) {
        const ssize_t length = readlink(target, link, sizeof link - 1);
        if (length <= 0)
            return FQ_OK;
        link[length] = '\0';
        const size_t folder = link[0] == '/' ? 0 : folder_length(target);
        if (folder + (size_t)length >= FQ_PATH_MAX)
            return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s: links to a name that is too long", path);
        memcpy(next, target, folder);
        strcpy(next + folder, link);
        strcpy(target, next);
    }
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s: is a link to a link that never ends", path);
}

static bool one(const struct stat *a, const struct stat *b) {
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The folder a name is in. */
static bool folder_of(struct stat *about, const char *path) {
    char folder[FQ_PATH_MAX];
    const size_t length = folder_length(path);
    if (length == 0)
        strcpy(folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", (int)length, path);
    return stat(folder, about) == 0;
}

bool fq_same_place(const char *a, const char *b) {
    struct stat about_a, about_b;
    char target_a[FQ_PATH_MAX], target_b[FQ_PATH_MAX];
    const bool has_a = stat(a, &about_a) == 0, has_b = stat(b, &about_b) == 0;
    if (has_a || has_b)
        return has_a && has_b && one(&about_a, &about_b);
    if (fq_path_follow(target_a, a) != FQ_OK || fq_path_follow(target_b, b) != FQ_OK)
        return false;
    return folder_of(&about_a, target_a) && folder_of(&about_b, target_b) && one(&about_a, &about_b) &&
           strcmp(target_a + folder_length(target_a), target_b + folder_length(target_b)) == 0;
}
