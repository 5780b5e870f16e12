#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "failure.h"
#include "stream.h"

typedef struct trial {
    char path[400];
    fq_status (*read)(const char *path, void *context);
    void *context;
    size_t accepted;
} trial;

static void put(const char *path, const unsigned char *bytes, size_t length) {
    FILE *file = fopen(path, "wb");
    const bool good = file && fwrite(bytes, 1, length, file) == length;
    if (file)
        fclose(file);
    FQ_CHECK(good);
}

static void attempt(trial *t, const unsigned char *bytes, size_t length, bool must_refuse, const char *what,
                    size_t where) {
    char line[FQ_FAILURE_LINE_MAX];
    put(t->path, bytes, length);
    fq_error_clear();
    const fq_status status = t->read(t->path, t->context);
    if (status == FQ_OK)
        t->accepted++;
    fq_failure_line(line, fq_error_last());
    const bool good = status == FQ_OK ? !must_refuse
                                      : status == FQ_ERR_INPUT && strstr(line, t->path) != NULL &&
                                            strchr(line, '\n') == NULL;
    if (!good)
        fprintf(stderr, "%s at %zu: \"%s\": %s\n", what, where, fq_status_message(status), line);
    fq_check_true(good, what, __FILE__, __LINE__);
}

size_t fq_hostile_files(const char *good_path, unsigned flips,
                        fq_status (*read)(const char *path, void *context), void *context) {
    enum { APPENDED = 65536, FIRST = 96 };
    trial t = {.read = read, .context = context};
    fq_stream stream;
    fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 77);
    snprintf(t.path, sizeof t.path, "%s/damaged.h5", fq_test_folder());
    FILE *file = fopen(good_path, "rb");
    if (!FQ_CHECK(file != NULL))
        return 0;
    fseek(file, 0, SEEK_END);
    const size_t length = (size_t)ftell(file);
    rewind(file);
    unsigned char *good = malloc(length), *bytes = calloc(1, length + APPENDED);
    if (FQ_CHECK(good && bytes && fread(good, 1, length, file) == length)) {
        memcpy(bytes, good, length);
        for (size_t cut = 0; cut < length; cut += 512)
            attempt(&t, bytes, cut, true, "cut off", cut);
        attempt(&t, bytes, 1, true, "cut off", 1);
        attempt(&t, bytes, length - 1, true, "cut off", length - 1);
        attempt(&t, bytes, length + 1, true, "enlarged", 1);
        attempt(&t, bytes, length + 512, true, "enlarged", 512);
        attempt(&t, bytes, length + APPENDED, true, "enlarged", APPENDED);
        t.accepted = 0;
        for (size_t i = 0; i < FIRST + (size_t)flips * fq_test_multiplier(); i++) {
            const size_t at = i < FIRST && i < length ? i : (size_t)fq_stream_below(&stream, length);
            bytes[at] ^= (unsigned char)(1u << fq_stream_below(&stream, 8));
            attempt(&t, bytes, length, false, "bit flipped", at);
            bytes[at] = good[at];
        }
        for (size_t i = 0; i < (size_t)flips * fq_test_multiplier(); i++) {
            const size_t at = (size_t)fq_stream_below(&stream, length - 8);
            memset(bytes + at, i % 2 ? 0xff : 0, 8);
            attempt(&t, bytes, length, false, "eight bytes replaced", at);
            memcpy(bytes + at, good + at, 8);
        }
    }
    fclose(file);
    free(good);
    free(bytes);
    return t.accepted;
}
