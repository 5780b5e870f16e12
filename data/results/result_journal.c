#include "result_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "atomic_file.h"
#include "failure.h"
#include "memory.h"

enum { FRAME_BYTES = 16, CHECK_BYTES = 16 };
enum {
    AT_GENERATION = 16,
    AT_STORE = 24,
    AT_CHECK = AT_STORE + FQ_STORE_ID_TEXT - 1,
    HEAD_BYTES = AT_CHECK + CHECK_BYTES
};
enum { KIND_TABLE = 1, KIND_ROWS = 2 };

static const char magic[16] = "fqjournal2\n";
static const size_t journal_limit = (size_t)8 << 30;

/* Bytes out and in --------------------------------------------------------------------------- */

static void put_u64(unsigned char *at, uint64_t value) {
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get_u64(const unsigned char *at) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static void checksum(unsigned char check[CHECK_BYTES], uint64_t generation,
                     const unsigned char *frame_and_payload, size_t length) {
    unsigned char digest[crypto_hash_sha256_BYTES], number[8];
    crypto_hash_sha256_state state;
    put_u64(number, generation);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, number, sizeof number);
    crypto_hash_sha256_update(&state, frame_and_payload, length);
    crypto_hash_sha256_final(&state, digest);
    memcpy(check, digest, CHECK_BYTES);
}

/* A payload being read: every take checks what is left. */
typedef struct cursor {
    const unsigned char *at;
    size_t left;
    bool bad;
} cursor;

static uint64_t take_u64(cursor *c) {
    if (c->left < 8) {
        c->bad = true;
        return 0;
    }
    const uint64_t value = get_u64(c->at);
    c->at += 8;
    c->left -= 8;
    return value;
}

static const char *take_text(cursor *c) {
    const unsigned char *end = c->left ? memchr(c->at, 0, c->left) : NULL;
    if (!end) {
        c->bad = true;
        return "";
    }
    const char *text = (const char *)c->at;
    c->left -= (size_t)(end - c->at) + 1;
    c->at = end + 1;
    return text;
}

/* Replaying ---------------------------------------------------------------------------------- */

static fq_status damaged(const char *path, size_t offset, const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                        "%s: offset %zu: %s; the points before it are kept if the file is cut there "
                        "(truncate -s %zu)",
                        path, offset, what, offset);
}

static fq_status replay_table(fq_results *results, cursor *c, bool *good) {
    fq_value_column columns[FQ_TABLE_COLUMNS_MAX];
    memset(columns, 0, sizeof columns);
    const char *name = take_text(c);
    const uint64_t count = take_u64(c);
    *good = !c->bad && count >= 1 && count <= FQ_TABLE_COLUMNS_MAX;
    for (size_t i = 0; *good && i < count; i++) {
        const uint64_t type = take_u64(c), width = take_u64(c), role = take_u64(c);
        columns[i].name = take_text(c);
        columns[i].units = take_text(c);
        columns[i].description = take_text(c);
        columns[i].type = (fq_value_type)type;
        columns[i].width = (size_t)width;
        columns[i].role = (fq_column_role)role;
        *good = !c->bad && type <= FQ_VALUE_TEXT && role <= FQ_ROLE_BOOKKEEPING && width <= FQ_TABLE_TEXT_MAX;
    }
    if (!*good || fq_results_table(results, name))
        return FQ_OK;
    fq_table *table = NULL;
    const fq_status status = fq_results_add_table(results, &table, name, columns, (size_t)count);
    *good = status != FQ_ERR_ARGUMENT;
    return *good ? status : FQ_OK;
}

static fq_status replay_rows(fq_results *results, cursor *c, bool *good) {
    fq_table *table = fq_results_table(results, take_text(c));
    const uint64_t count = take_u64(c);
    *good = !c->bad && table && count <= c->left && c->left == count * table->record_bytes;
    return *good ? fq_table_append(table, c->at, (size_t)count) : FQ_OK;
}

/* A record that is not whole at the very end was being written when something happened. */
static bool torn(const unsigned char *bytes, size_t length, size_t at) {
    if (length - at < FRAME_BYTES)
        return true;
    const uint64_t payload = get_u64(bytes + at + 8);
    if (payload >= length - at - FRAME_BYTES - (length - at >= FRAME_BYTES + CHECK_BYTES ? CHECK_BYTES : 0))
        return true;
    for (size_t i = at; i < length; i++)
        if (bytes[i])
            return false;
    return true; /* room that a crashed file system never filled */
}

static fq_status replay_records(const char *path, fq_results *results, const unsigned char *bytes,
                                size_t length) {
    size_t at = HEAD_BYTES;
    while (at < length) {
        unsigned char check[CHECK_BYTES];
        bool whole = length - at >= FRAME_BYTES + CHECK_BYTES;
        const uint64_t payload = whole ? get_u64(bytes + at + 8) : 0;
        whole = whole && payload <= length - at - FRAME_BYTES - CHECK_BYTES;
        if (whole) {
            checksum(check, results->generation, bytes + at, FRAME_BYTES + (size_t)payload);
            whole = memcmp(check, bytes + at + FRAME_BYTES + payload, CHECK_BYTES) == 0;
        }
        if (!whole) {
            if (!torn(bytes, length, at))
                return damaged(path, at, "damaged record");
            break;
        }
        const uint64_t kind = get_u64(bytes + at);
        cursor c = {bytes + at + FRAME_BYTES, (size_t)payload, false};
        bool good = false;
        if (kind == KIND_TABLE)
            FQ_TRY(replay_table(results, &c, &good));
        else if (kind == KIND_ROWS)
            FQ_TRY(replay_rows(results, &c, &good));
        if (!good)
            return damaged(path, at, "record that does not fit the results file");
        at += FRAME_BYTES + (size_t)payload + CHECK_BYTES;
    }
    return FQ_OK;
}

/* Whose journal it is, from its head, and what is to be done with it. */
static fq_status read_head(const char *path, const fq_results *results, const unsigned char *bytes,
                           size_t length, fq_journal_state *state) {
    unsigned char check[CHECK_BYTES];
    *state = FQ_JOURNAL_NONE;
    if (length <
        HEAD_BYTES) /* a head is written in one piece with its file: shorter means empty or no journal */
        return length == 0 || memcmp(bytes, magic, length < sizeof magic ? length : sizeof magic) == 0
                   ? FQ_OK
                   : damaged(path, 0, "no journal");
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return damaged(path, 0, "no journal");
    checksum(check, 0, bytes, AT_CHECK);
    if (memcmp(check, bytes + AT_CHECK, CHECK_BYTES) != 0)
        return damaged(path, 0, "damaged head");
    const uint64_t generation = get_u64(bytes + AT_GENERATION);
    if (!results->store[0] || memcmp(bytes + AT_STORE, results->store, FQ_STORE_ID_TEXT - 1) != 0)
        *state = FQ_JOURNAL_FOREIGN;
    else if (generation > results->generation)
        return FQ_FAIL_TEXT(
            FQ_ERR_INPUT,
            "%s: belongs to a newer version of the results file than the one beside it; put that "
            "file back, or remove the journal to do without its points",
            path);
    else
        *state = generation == results->generation ? FQ_JOURNAL_IN_USE : FQ_JOURNAL_OLD;
    return FQ_OK;
}

fq_status fq_journal_replay(const char *path, fq_results *results, fq_journal_state *state) {
    unsigned char *bytes = NULL;
    size_t length = 0;
    struct stat about;
    *state = FQ_JOURNAL_NONE;
    if (stat(path, &about) != 0 && errno == ENOENT)
        return FQ_OK;
    FQ_TRY(fq_file_read(path, journal_limit, &bytes, &length));
    fq_status status = read_head(path, results, bytes, length, state);
    if (status == FQ_OK && *state == FQ_JOURNAL_IN_USE)
        status = replay_records(path, results, bytes, length);
    fq_free(bytes);
    return status;
}

/* Writing ------------------------------------------------------------------------------------ */

typedef struct buffer {
    unsigned char *bytes;
    size_t used, room;
} buffer;

static fq_status add(buffer *b, const void *bytes, size_t length) {
    if (b->room - b->used < length) {
        unsigned char *larger = NULL;
        if (length > SIZE_MAX / 4 || b->used > SIZE_MAX / 4)
            return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, "journal record", length, "what fits in memory");
        const size_t room = 2 * (b->used + length) + 256;
        FQ_TRY(fq_alloc(&larger, room, 1));
        if (b->used)
            memcpy(larger, b->bytes, b->used);
        fq_free(b->bytes);
        b->bytes = larger;
        b->room = room;
    }
    if (length)
        memcpy(b->bytes + b->used, bytes, length);
    b->used += length;
    return FQ_OK;
}

static fq_status add_u64(buffer *b, uint64_t value) {
    unsigned char bytes[8];
    put_u64(bytes, value);
    return add(b, bytes, sizeof bytes);
}

static fq_status add_text(buffer *b, const char *text) {
    return add(b, text, strlen(text) + 1);
}

/* Closes the record that starts at `start` of the buffer: length and checksum. */
static fq_status seal(buffer *b, size_t start, uint64_t generation) {
    unsigned char check[CHECK_BYTES];
    put_u64(b->bytes + start + 8, b->used - start - FRAME_BYTES);
    checksum(check, generation, b->bytes + start, b->used - start);
    return add(b, check, sizeof check);
}

static fq_status add_table(buffer *b, const fq_table *table, uint64_t generation) {
    const size_t start = b->used;
    FQ_TRY(add_u64(b, KIND_TABLE));
    FQ_TRY(add_u64(b, 0));
    FQ_TRY(add_text(b, table->name));
    FQ_TRY(add_u64(b, table->column_count));
    for (size_t c = 0; c < table->column_count; c++) {
        const fq_value_column *column = &table->columns[c];
        FQ_TRY(add_u64(b, column->type));
        FQ_TRY(add_u64(b, column->width));
        FQ_TRY(add_u64(b, column->role));
        FQ_TRY(add_text(b, column->name));
        FQ_TRY(add_text(b, column->units));
        FQ_TRY(add_text(b, column->description));
    }
    return seal(b, start, generation);
}

static fq_status add_rows(buffer *b, const fq_table *table, const unsigned char *records, size_t count,
                          uint64_t generation) {
    const size_t start = b->used;
    FQ_TRY(add_u64(b, KIND_ROWS));
    FQ_TRY(add_u64(b, 0));
    FQ_TRY(add_text(b, table->name));
    FQ_TRY(add_u64(b, count));
    FQ_TRY(add(b, records, count * table->record_bytes));
    return seal(b, start, generation);
}

static fq_status journal_head(buffer *b, const fq_results *results, uint64_t generation) {
    unsigned char check[CHECK_BYTES];
    FQ_TRY(add(b, magic, sizeof magic));
    FQ_TRY(add_u64(b, generation));
    FQ_TRY(add(b, results->store, FQ_STORE_ID_TEXT - 1));
    checksum(check, 0, b->bytes, b->used);
    FQ_TRY(add(b, check, sizeof check));
    for (size_t t = 0; t < results->table_count; t++)
        FQ_TRY(add_table(b, &results->tables[t], generation));
    return FQ_OK;
}

fq_status fq_journal_start(fq_journal *journal, const char *path, const fq_results *results,
                           uint64_t generation) {
    buffer b = {0};
    fq_status status = journal_head(&b, results, generation);
    if (status == FQ_OK)
        status = fq_atomic_file_write(path, b.bytes, b.used);
    if (status == FQ_OK) {
        fq_journal_close(journal);
        snprintf(journal->path, sizeof journal->path, "%s", path);
        journal->file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
        journal->generation = generation;
        journal->good = b.used;
        if (journal->file < 0)
            status = FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: cannot be opened: %s", path, strerror(errno));
    }
    fq_free(b.bytes);
    return status;
}

void fq_journal_close(fq_journal *journal) {
    if (journal->file >= 0)
        close(journal->file);
    journal->file = -1;
}

static fq_status write_record(fq_journal *journal, const unsigned char *bytes, size_t length) {
    while (length > 0) {
        const ssize_t written = write(journal->file, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: cannot be written: %s", journal->path, strerror(errno));
        bytes += written;
        length -= (size_t)written;
    }
    if (fdatasync(journal->file) != 0 && errno != EINVAL)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%s: cannot be written: %s", journal->path, strerror(errno));
    return FQ_OK;
}

fq_status fq_journal_append(fq_journal *journal, const fq_table *table, const unsigned char *records,
                            size_t count) {
    buffer b = {0};
    fq_status status = add_rows(&b, table, records, count, journal->generation);
    if (status == FQ_OK) {
        status = write_record(journal, b.bytes, b.used);
        if (status == FQ_OK)
            journal->good += b.used;
        else
            (void)!ftruncate(journal->file, (off_t)journal->good);
    }
    fq_free(b.bytes);
    return status;
}

bool fq_journal_in_place(const fq_journal *journal) {
    struct stat here, there;
    return journal->file >= 0 && fstat(journal->file, &here) == 0 && stat(journal->path, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}
