#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "check.h"
#include "codebook_cache.h"
#include "codebook_file.h"
#include "command.h"
#include "hostile.h"
#include "memory.h"

static const char *path_of(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

/* 4 words in the plane, for d = 8. */
static fq_status sample(fq_codebook *codebook) {
    static const float words[8] = {0.25f, 0, -0.25f, 0.125f, 0, -1, 0.6f, 0.8f};
    fq_codebook_init(codebook);
    FQ_TRY(fq_codebook_set(codebook, 8, 2, 4, words, FQ_RECIPE_PAPER, 7));
    codebook->distortion = 0.35;
    codebook->distortion_se = 0.001;
    codebook->distortion_samples = 1000;
    return FQ_OK;
}

static bool same(const fq_codebook *a, const fq_codebook *b) {
    return a->dim == b->dim && a->block == b->block && a->codewords == b->codewords &&
           a->recipe == b->recipe && a->seed == b->seed && a->distortion_samples == b->distortion_samples &&
           memcmp(&a->distortion, &b->distortion, sizeof a->distortion) == 0 &&
           memcmp(&a->distortion_se, &b->distortion_se, sizeof a->distortion_se) == 0 &&
           memcmp(&a->certificate.low, &b->certificate.low, sizeof(double)) == 0 &&
           memcmp(&a->certificate.high, &b->certificate.high, sizeof(double)) == 0 &&
           a->certificate.parts == b->certificate.parts &&
           memcmp(a->words, b->words, a->codewords * a->block * sizeof *a->words) == 0;
}

static void written_codebooks_come_back(void) {
    fq_codebook out, in;
    FQ_CHECK_OK(sample(&out));
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &out, NULL));
    fq_codebook_init(&in);
    if (FQ_CHECK_OK(fq_codebook_file_read(&in, path_of("c.h5"))))
        FQ_CHECK(same(&out, &in));
    fq_codebook_clear(&in);
    fq_codebook_init(&in);
    out.distortion = out.distortion_se = (double)NAN; /* not measured */
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &out, NULL));
    if (FQ_CHECK_OK(fq_codebook_file_read(&in, path_of("c.h5"))))
        FQ_CHECK(same(&out, &in));
    fq_codebook_clear(&in);
    fq_codebook_init(&in);
    out.certificate = (fq_codebook_certificate){0.34, 0.36, 12345};
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &out, NULL));
    if (FQ_CHECK_OK(fq_codebook_file_read(&in, path_of("c.h5"))))
        FQ_CHECK(same(&out, &in));
    fq_codebook_clear(&in);
    fq_codebook_clear(&out);
}

static void equal_codebooks_make_equal_files(void) {
    fq_codebook codebook;
    FQ_CHECK_OK(sample(&codebook));
    FQ_CHECK_OK(fq_codebook_file_write(path_of("a.h5"), &codebook, NULL));
    FQ_CHECK_OK(fq_codebook_file_write(path_of("b.h5"), &codebook, NULL));
    FQ_CHECK(fq_command("cmp a.h5 b.h5")->exit_code == 0);
    fq_codebook_clear(&codebook);
}

static void h5py_reads_the_layout_and_its_files_are_read(void) {
    fq_codebook codebook, in;
    FQ_CHECK_OK(sample(&codebook));
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &codebook, NULL));
    const fq_command_result *r = fq_command(
        "/usr/bin/python3 -c \"import h5py; c = h5py.File('c.h5')['codebook']; a = c.attrs;"
        "print(c.dtype, c.shape, c[3, 1], a['dim'], a['block'], a['codewords'], a['rate'], a['distortion'],"
        "a['distortion_se'], a['recipe'], a['seed'], a['units'], a['axes'])\"");
    FQ_CHECK(strcmp(r->out, "float32 (4, 2) 0.8 8 2 4 1.0 0.35 0.001 paper 7 1 codeword, coordinate\n") == 0);
    r = fq_command("/usr/bin/python3 -c \"import h5py, numpy; f = h5py.File('p.h5', 'w');"
                   "c = f.create_dataset('codebook', data=numpy.array([[.25, 0], [-.25, .125], [0, -1], [.6, "
                   ".8]], 'f4'));"
                   "c.attrs.update(dim=8, block=2, codewords=4, rate=1.0, distortion=.35, distortion_se=.001,"
                   "distortion_samples=1000, recipe='paper', seed=7)\"");
    FQ_CHECK(r->exit_code == 0);
    fq_codebook_init(&in);
    if (FQ_CHECK_OK(fq_codebook_file_read(&in, path_of("p.h5"))))
        FQ_CHECK(same(&codebook, &in));
    fq_codebook_clear(&in);
    fq_codebook_clear(&codebook);
}

static void given_wrong_contents_expect_the_key_named(void) {
    static const struct {
        const char *change, *names;
    } cases[] = {
        {"del f['codebook']", "codebook: missing"},
        {"del a['dim']", "attribute dim is missing"},
        {"a['dim'] = -8", "attribute dim is negative"},
        {"a['dim'] = 8.5", "attribute dim is no whole number"},
        {"a['dim'] = 9", "content_sha256"},
        {"a['block'] = 4; a['rate'] = .5", "is 4 x 2 where its attributes say 4 x 4"},
        {"a['block'] = 0", "out of range"},
        {"a['codewords'] = 1 << 60", "codebook:"},
        {"a['rate'] = 2.0", "attribute rate is 2"},
        {"a['recipe'] = 'paperr'", "attribute recipe is"},
        {"a['distortion'] = -1.0", "attribute distortion is -1"},
        {"a['distortion_se'] = numpy.inf", "attribute distortion_se is inf"},
        {"a['distortion'] = .36", "content_sha256"},
        {"c[0, 0] = .26", "content_sha256"},
        {"c[0, 0] = numpy.nan", "codebook:"},
        {"c[0, 0] = 1.5", "codebook:"},
        {"del f['codebook']; f['codebook'] = numpy.zeros((4, 2), 'i4')", "wrong element type"},
        {"del f['codebook']; f['codebook'] = h5py.ExternalLink('/etc/passwd', 'x')", "link"},
    };
    fq_codebook codebook;
    FQ_CHECK_OK(sample(&codebook));
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &codebook, NULL));
    fq_codebook_clear(&codebook);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_codebook in;
        fq_codebook_init(&in);
        const fq_command_result *r = fq_command(
            "cp c.h5 bad.h5; /usr/bin/python3 -c \"import h5py, numpy; f = h5py.File('bad.h5', 'a');"
            "c = f['codebook']; a = c.attrs; %s; f.close()\"",
            cases[i].change);
        if (!FQ_CHECK(r->exit_code == 0))
            fprintf(stderr, "%s: %s\n", cases[i].change, r->err);
        FQ_CHECK_FAILS(fq_codebook_file_read(&in, path_of("bad.h5")), FQ_ERR_INPUT);
        if (!FQ_CHECK(strstr(fq_error_last()->text, cases[i].names) &&
                      strstr(fq_error_last()->text, "bad.h5")))
            fprintf(stderr, "%s: %s\n", cases[i].change, fq_error_last()->text);
        FQ_CHECK(in.words == NULL);
        fq_codebook_clear(&in);
    }
}

/* Accepted only if nothing that matters has changed. */
static fq_status read_same(const char *path, void *context) {
    fq_codebook in;
    fq_codebook_init(&in);
    FQ_TRY(fq_codebook_file_read(&in, path));
    FQ_CHECK(same(context, &in));
    fq_codebook_clear(&in);
    return FQ_OK;
}

static void damaged_files_are_refused_or_say_the_same(void) {
    fq_codebook codebook;
    FQ_CHECK_OK(sample(&codebook));
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &codebook, NULL));
    (void)fq_hostile_files(path_of("c.h5"), 60, read_same, &codebook);
    fq_codebook_clear(&codebook);
}

/* Every write, fsync and rename fails once: the old file stands and nothing else is left. */
static void given_a_full_disk_expect_the_old_file(void) {
    fq_codebook codebook;
    FQ_CHECK_OK(sample(&codebook));
    (void)fq_atomic_file_fail_at(0);
    FQ_CHECK_OK(fq_codebook_file_write(path_of("c.h5"), &codebook, NULL));
    const size_t operations = fq_atomic_file_fail_at(0);
    FQ_CHECK(operations >= 3);
    FQ_CHECK(fq_command("sha256sum c.h5 > sum")->exit_code == 0);
    codebook.distortion = 0.5;
    for (size_t n = 1; n <= operations; n++) {
        (void)fq_atomic_file_fail_at(n);
        FQ_CHECK_FAILS(fq_codebook_file_write(path_of("c.h5"), &codebook, NULL), FQ_ERR_OUTPUT);
        FQ_CHECK(strstr(fq_error_last()->text, "No space left on device") != NULL);
        FQ_CHECK(fq_command("sha256sum -c sum && ls | grep -v -e c.h5 -e sum")->exit_code == 1);
    }
    (void)fq_atomic_file_fail_at(0);
    fq_codebook_clear(&codebook);
}

/* Every allocation fails once: an error, and (under the sanitizer) no leak. */
static void given_no_memory_expect_an_error(void) {
    fq_codebook codebook, in;
    FQ_CHECK_OK(sample(&codebook));
    const char *path = path_of("c.h5");
    FQ_CHECK_OK(fq_codebook_file_write(path, &codebook, NULL));
    for (size_t n = 1; n < 100; n++) {
        fq_codebook_init(&in);
        (void)fq_alloc_fail_at(n);
        const fq_status status = fq_codebook_file_read(&in, path);
        (void)fq_alloc_fail_at(0);
        fq_codebook_clear(&in);
        if (status == FQ_OK) {
            FQ_CHECK(n > 2);
            break;
        }
        FQ_CHECK(status == FQ_ERR_MEMORY || status == FQ_ERR_INPUT);
    }
    fq_codebook_clear(&codebook);
}

static void the_cache_trains_once_and_replaces_what_is_damaged(void) {
    char folder[400], name[FQ_CACHE_NAME_MAX], other[FQ_CACHE_NAME_MAX], entry[700];
    fq_train_options options = {.dim = 16, .block = 2, .codewords = 4, .recipe = FQ_RECIPE_PAPER, .seed = 3};
    fq_codebook first, again;
    fq_cache_outcome outcome = FQ_CACHE_HIT;
    snprintf(folder, sizeof folder, "%s/deep/cache", fq_test_folder());
    fq_codebook_cache_name(name, &options, 3);
    snprintf(entry, sizeof entry, "%s/%s", folder, name);
    fq_codebook_init(&first);
    const int descriptor = dup(0); /* the lowest that is free */
    close(descriptor);
    FQ_CHECK_OK(fq_codebook_cache_get(&first, &options, folder, 3, 1000, &outcome));
    const int after = dup(0);
    close(after);
    FQ_CHECK(descriptor >= 0 && after == descriptor); /* nothing stays open, and no lock stays behind */
    FQ_CHECK(fq_command("ls deep/cache | wc -l | grep -x 1")->exit_code == 0);
    FQ_CHECK(outcome == FQ_CACHE_TRAINED && access(entry, F_OK) == 0 && first.distortion_samples == 1000);
    static const struct {
        const char *damage;
        fq_cache_outcome wanted;
    } steps[] = {{"true", FQ_CACHE_HIT},
                 {"truncate -s 700 deep/cache/*", FQ_CACHE_REPLACED},
                 {"true", FQ_CACHE_HIT},
                 {"rm -r deep; touch deep", FQ_CACHE_UNWRITABLE}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        FQ_CHECK(fq_command("%s", steps[i].damage)->exit_code == 0);
        fq_codebook_init(&again);
        FQ_CHECK_OK(fq_codebook_cache_get(&again, &options, folder, 3, 1000, &outcome));
        FQ_CHECK(outcome == steps[i].wanted);
        FQ_CHECK(again.words && same(&first, &again));
        fq_codebook_clear(&again);
    }
    fq_codebook_clear(&first);
    options.seed = 4;
    fq_codebook_cache_name(other, &options, 3);
    FQ_CHECK(strcmp(name, other) != 0);
    options.seed = 3, options.tolerance = 0.01;
    fq_codebook_cache_name(other, &options, 3);
    FQ_CHECK(strcmp(name, other) != 0);
}

static const fq_test tests[] = {
    {"written codebooks come back", written_codebooks_come_back},
    {"equal codebooks, equal files", equal_codebooks_make_equal_files},
    {"h5py", h5py_reads_the_layout_and_its_files_are_read},
    {"wrong contents", given_wrong_contents_expect_the_key_named},
    {"damaged files", damaged_files_are_refused_or_say_the_same},
    {"full disk", given_a_full_disk_expect_the_old_file},
    {"no memory", given_no_memory_expect_an_error},
    {"cache", the_cache_trains_once_and_replaces_what_is_damaged},
    {0},
};
const fq_suite fq_suite_codebook_file = {"codebook_file", tests};
