#include "result_store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>

#include "failure.h"
#include "memory.h"
#include "result_journal.h"

enum { PATH_ROOM = 4200 };

struct fq_store {
    char path[PATH_ROOM], journal_path[PATH_ROOM];
    char aside[PATH_ROOM + 32]; /* where another store's journal went; "": there was none */
    fq_results results;
    fq_journal journal;
    bool in_place; /* the file at path is one we read or wrote: the next two say which */
    dev_t device;
    ino_t inode;
};

static fq_status journal_name(char name[PATH_ROOM], const char *path) {
    if ((size_t)snprintf(name, PATH_ROOM, "%s.journal", path) >= PATH_ROOM - 8)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "%.200s...: name too long", path);
    return FQ_OK;
}

/* File and journal together; exists tells whether there is a file. */
static fq_status read_both(const char *path, const char *journal_path, fq_results *results, bool *exists,
                           fq_journal_state *journal) {
    struct stat about;
    *exists = stat(path, &about) == 0 || errno != ENOENT;
    if (*exists)
        FQ_TRY(fq_result_file_read(path, results));
    const fq_status status = fq_journal_replay(journal_path, results, journal);
    if (status != FQ_OK)
        fq_results_clear(results);
    return status;
}

static void remember_file(fq_store *store) {
    struct stat about;
    store->in_place = stat(store->path, &about) == 0;
    if (store->in_place) {
        store->device = about.st_dev;
        store->inode = about.st_ino;
    }
}

static void draw_identity(char text[FQ_STORE_ID_TEXT]) {
    unsigned char bytes[(FQ_STORE_ID_TEXT - 1) / 2];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(text, FQ_STORE_ID_TEXT, bytes, sizeof bytes);
}

/* Renames a journal that is not ours; an earlier one in that place is not overwritten. */
static fq_status set_aside(fq_store *store) {
    for (int i = 1; i < 1000; i++) {
        char suffix[16] = "";
        if (i > 1)
            snprintf(suffix, sizeof suffix, ".%d", i);
        snprintf(store->aside, sizeof store->aside, "%s.stale%s", store->journal_path, suffix);
        if (link(store->journal_path, store->aside) == 0 && unlink(store->journal_path) == 0)
            return FQ_OK;
        if (errno != EEXIST && rename(store->journal_path, store->aside) == 0) /* no hard links there */
            return FQ_OK;
        if (errno != EEXIST)
            break;
    }
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: the journal of another store, and it cannot be renamed: %s",
                        store->journal_path, strerror(errno));
}

const char *fq_store_set_aside(const fq_store *store) {
    return store->aside[0] ? store->aside : NULL;
}

fq_status fq_store_open(fq_store **store, const char *path) {
    fq_store *s = NULL;
    bool exists = false;
    FQ_TRY(fq_alloc_zero(&s, 1, sizeof *s));
    s->journal.file = -1;
    fq_status status = journal_name(s->journal_path, path);
    if (status == FQ_OK) {
        strcpy(s->path, path);
        remember_file(s);
        fq_journal_state journal = FQ_JOURNAL_NONE;
        status = read_both(path, s->journal_path, &s->results, &exists, &journal);
        if (status == FQ_OK && journal == FQ_JOURNAL_FOREIGN)
            status = set_aside(s);
    }
    if (status == FQ_OK && !s->results.store[0])
        draw_identity(s->results.store);
    if (status == FQ_OK) {
        *store = s;
    } else {
        fq_results_clear(&s->results);
        fq_free(s);
    }
    return status;
}

void fq_store_close(fq_store *store) {
    if (!store)
        return;
    fq_journal_close(&store->journal);
    fq_results_clear(&store->results);
    fq_free(store);
}

fq_results *fq_store_results(fq_store *store) {
    return &store->results;
}

/* Somebody else's file at our path is not ours to overwrite. */
static fq_status write_displaced(fq_store *store) {
    char aside[PATH_ROOM + 16];
    snprintf(aside, sizeof aside, "%s.displaced", store->path);
    FQ_TRY(fq_result_file_write(aside, &store->results));
    return FQ_FAIL_TEXT(FQ_ERR_OUTPUT,
                        "%s: another file has taken its place; it was left alone, and everything "
                        "finished is in %s",
                        store->path, aside);
}

fq_status fq_store_fold(fq_store *store) {
    struct stat about;
    const bool there = stat(store->path, &about) == 0;
    if (there && !(store->in_place && about.st_dev == store->device && about.st_ino == store->inode))
        return write_displaced(store);
    store->results.generation++;
    const fq_status status = fq_result_file_write(store->path, &store->results);
    if (status != FQ_OK) {
        store->results.generation--; /* the old file stands, and its journal with it */
        return status;
    }
    remember_file(store);
    return fq_journal_start(&store->journal, store->journal_path, &store->results, store->results.generation);
}

fq_status fq_store_begin(fq_store *store, const fq_result_text *texts, size_t count, size_t *run) {
    FQ_TRY(fq_results_add_run(&store->results, texts, count, run));
    return fq_store_fold(store);
}

fq_status fq_store_append(fq_store *store, fq_table *table, const unsigned char *records, size_t count) {
    if (!fq_journal_in_place(&store->journal))
        FQ_TRY(fq_store_fold(store)); /* removed under way: a fold starts a new one */
    const size_t before = table->count;
    FQ_TRY(fq_table_append(table, records, count));
    const unsigned char *kept = table->records + before * table->record_bytes;
    const fq_status status = fq_journal_append(&store->journal, table, kept, count);
    if (status != FQ_OK)
        table->count = before;
    return status;
}

fq_status fq_store_finish(fq_store *store) {
    FQ_TRY(fq_store_fold(store));
    fq_journal_close(&store->journal);
    unlink(store->journal_path);
    return FQ_OK;
}

fq_status fq_store_read(const char *path, fq_results *results) {
    char journal_path[PATH_ROOM];
    bool exists = false;
    fq_status status = FQ_OK;
    FQ_TRY(journal_name(journal_path, path));
    for (int attempt = 0; attempt < 20; attempt++) { /* a fold may come in between: read again */
        fq_results read = {0};
        struct stat before, after;
        const bool was_there = stat(path, &before) == 0;
        fq_journal_state journal = FQ_JOURNAL_NONE;
        status = read_both(path, journal_path, &read, &exists, &journal);
        if (status == FQ_OK && !exists) {
            fq_results_clear(&read);
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: no such file", path);
        }
        const bool unchanged = was_there && stat(path, &after) == 0 && before.st_ino == after.st_ino &&
                               before.st_dev == after.st_dev;
        if (status == FQ_OK && unchanged) {
            *results = read;
            return FQ_OK;
        }
        fq_results_clear(&read);
        if (status == FQ_ERR_MEMORY || (unchanged && attempt >= 2))
            return status; /* the journal is replaced a moment after the file, hence the attempts */
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    if (status == FQ_OK)
        status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: keeps changing while it is read", path);
    return status;
}
