/* Vectors and codes: what other programs may do to such files, and how much memory they may ask for. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "command.h"
#include "hdf5_util.h"
#include "memory.h"
#include "vectors_file.h"

static const char *path_of(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

/* v[i][c] = i + c / 8, exact in float16 for i < 256. */
static bool make(const char *name, const char *options, const char *more) {
    const fq_command_result *r = fq_command("/usr/bin/python3 -c \"import h5py, numpy\n"
                                            "v = numpy.add.outer(numpy.arange(200), numpy.arange(8) / 8)\n"
                                            "with h5py.File('%s', 'w'%s) as f:\n"
                                            "    %s\"",
                                            name, options, more);
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "%s: %s\n", more, r->err);
    return r->exit_code == 0;
}

static void given_files_of_other_programs_expect_their_vectors(void) {
    static const struct {
        const char *options, *dataset;
    } cases[] = {
        {"", "f['vectors'] = v.astype('f4')"},
        {"", "f['vectors'] = v.astype('f2')"},
        {"", "f['vectors'] = v.astype('>f8')"},
        {", userblock_size=512", "f['vectors'] = v.astype('f4')"},
        {", userblock_size=4096, libver='latest'", "f['vectors'] = v.astype('f4')"},
        {"", "f.create_dataset('vectors', data=v, chunks=(7, 3), compression='gzip', shuffle=True)"},
        {", libver='latest'", "f.create_dataset('vectors', data=v, chunks=(7, 3), compression='gzip')"},
        {", libver='latest'", "f.create_dataset('vectors', data=v, chunks=(7, 3), maxshape=(None, 8))"},
        {", libver='latest'", "f.create_dataset('vectors', data=v, chunks=(7, 3), maxshape=(None, None))"},
        {", libver='latest'", "f.create_dataset('vectors', data=v, chunks=(200, 8), compression='gzip')"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_vectors in;
        size_t wrong = 0;
        if (!make("v.h5", cases[i].options, cases[i].dataset) ||
            !FQ_CHECK_OK(fq_vectors_read(&in, path_of("v.h5"))))
            continue;
        if (FQ_CHECK(in.count == 200 && in.dim == 8))
            for (size_t k = 0; k < 200 * 8; k++)
                wrong += in.x[k] != (float)(k / 8) + (float)(k % 8) / 8.0f;
        FQ_CHECK(wrong == 0);
        fq_vectors_clear(&in);
    }
}

/* Fill values are no vectors: whatever the storage, what was never written is refused. */
static void given_parts_never_written_expect_a_refusal(void) {
    static const char *const cases[][3] = {
        {"", "f.create_dataset('vectors', (200, 8), 'f4', fillvalue=2.5)", "0 bytes are stored"},
        {"", "f.create_dataset('vectors', (200, 8), 'f4', chunks=(10, 8))[:50] = v[:50]", "bytes are stored"},
        {"", "f.create_dataset('vectors', (200, 8), 'f4', chunks=(10, 8), compression='gzip')[:50] = v[:50]",
         "15 of its 20 chunks were never written"},
        {"", "f.create_dataset('vectors', (200, 8), 'f4', chunks=(10, 8), fletcher32=True)[:190] = v[:190]",
         "1 of its 20 chunks were never written"},
        {", libver='latest'",
         "f.create_dataset('vectors', (200, 8), 'f4', chunks=(10, 8), compression='gzip')[10:] = v[10:]",
         "1 of its 20 chunks were never written"},
        {", libver='latest'",
         "f.create_dataset('vectors', (200, 8), 'f4', chunks=(10, 8), maxshape=(None, 8), "
         "compression='gzip')[10:] = v[10:]",
         "1 of its 20 chunks were never written"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_vectors in;
        if (!make("v.h5", cases[i][0], cases[i][1]))
            continue;
        FQ_CHECK_FAILS(fq_vectors_read(&in, path_of("v.h5")), FQ_ERR_INPUT);
        if (!FQ_CHECK(strstr(fq_error_last()->text, cases[i][2]) != NULL))
            fprintf(stderr, "%s: %s\n", cases[i][1], fq_error_last()->text);
    }
}

/* More than the guard's child has by itself, asked for with and without a word before. */
static fq_status take_two_gibibytes(void *asks) {
    const fq_h5_file file = {.path = "big.h5"};
    if (asks)
        FQ_TRY(fq_h5_make_room(&file, "vectors", (uint64_t)2 << 30));
    void *bytes = NULL;
    FQ_TRY(fq_alloc(&bytes, (size_t)2 << 30, 1)); /* not touched: costs nothing */
    fq_free(bytes);
    return FQ_OK;
}

static fq_status take_all(void *context) {
    const fq_h5_file file = {.path = "big.h5"};
    (void)context;
    return fq_h5_make_room(&file, "vectors", UINT64_MAX / 2);
}

static void given_much_in_a_small_file_expect_the_guard_to_make_room(void) {
    int asks = 1;
    FQ_CHECK_OK(fq_h5_guard("big.h5", take_two_gibibytes, &asks));
#if !defined(__SANITIZE_ADDRESS__)
    FQ_CHECK_FAILS(fq_h5_guard("big.h5", take_two_gibibytes, NULL), FQ_ERR_MEMORY);
#endif
    FQ_CHECK_FAILS(fq_h5_guard("big.h5", take_all, NULL), FQ_ERR_MEMORY);
    FQ_CHECK(strstr(fq_error_last()->text, "big.h5: vectors: takes 8589934592.00 GiB of memory; ") != NULL);
}

#if !defined(__SANITIZE_ADDRESS__) /* whose shadow fills the address space */
/* 100 MB of float32 in a small file, and an address space that has no room for them. */
static void given_no_room_for_the_vectors_expect_a_sentence(void) {
    if (!make("big.h5", "",
              "f.create_dataset('vectors', data=numpy.ones((400000, 64), 'f4'), "
              "chunks=(65536, 64), compression='gzip', compression_opts=1)"))
        return;
    fflush(NULL);
    const pid_t pid = fork();
    if (pid == 0) {
        fq_vectors in;
        FILE *statm = fopen("/proc/self/statm", "r");
        unsigned long long pages = 0;
        if (!statm || fscanf(statm, "%llu", &pages) != 1)
            _exit(2);
        fclose(statm);
        const rlim_t most = (rlim_t)(pages * (unsigned long long)sysconf(_SC_PAGESIZE) + (64 << 20));
        const struct rlimit limit = {most, most};
        setrlimit(RLIMIT_AS, &limit);
        _exit(fq_vectors_read(&in, path_of("big.h5")) == FQ_ERR_MEMORY &&
                      strstr(fq_error_last()->text, "big.h5: vectors: takes 0.10 GiB of memory; ")
                  ? 0
                  : 1);
    }
    int outcome = 0;
    FQ_CHECK(waitpid(pid, &outcome, 0) == pid && WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0);
}
#endif

static const fq_test tests[] = {
    {"files of other programs", given_files_of_other_programs_expect_their_vectors},
    {"never written", given_parts_never_written_expect_a_refusal},
    {"room in the guard", given_much_in_a_small_file_expect_the_guard_to_make_room},
#if !defined(__SANITIZE_ADDRESS__)
    {"no room", given_no_room_for_the_vectors_expect_a_sentence},
#endif
    {0},
};
const fq_suite fq_suite_vectors_file = {"vectors_file", tests};
