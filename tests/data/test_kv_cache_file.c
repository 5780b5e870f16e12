#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "command.h"
#include "hostile.h"
#include "kv_cache_file.h"
#include "stream.h"

static const fq_kv_shape small = {
    .layers = 2, .tokens = 5, .query_heads = 4, .heads = 2, .dim = 8, .element_bytes = 2};
static const fq_kv_origin origin = {.model = "a model",
                                    .text_first = 123456789012,
                                    .text = "a text",
                                    .model_sha256 =
                                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                    .rope_known = true,
                                    .rope = {100000.0, 1}};

/* A value that float16 holds exactly and that says where it belongs. */
static float value(size_t layer, int kind, size_t token, size_t head, size_t i) {
    return (float)(layer * 1000 + (size_t)kind * 300 + token * 41 + head * 9 + i) * 0.25f - 100.0f;
}

static const char *path_of(const char *name) {
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

static size_t heads_of(const fq_kv_shape *s, int kind) {
    return kind == FQ_KV_QUERY ? s->query_heads : s->heads;
}

static fq_status put_all(fq_kv_writer *writer, const fq_kv_shape *s) {
    float x[64 * 64];
    for (size_t layer = 0; layer < s->layers; layer++)
        for (int kind = 0; kind < 3; kind++)
            for (size_t token = s->tokens; token-- > 0;) { /* rows may come in any order */
                size_t n = 0;
                for (size_t head = 0; head < heads_of(s, kind); head++)
                    for (size_t i = 0; i < s->dim; i++)
                        x[n++] = value(layer, kind, token, head, i);
                FQ_TRY(fq_kv_writer_put(writer, layer, (fq_kv_kind)kind, token, 1, x));
            }
    return FQ_OK;
}

static fq_status write_cache(const char *path, const fq_kv_shape *s) {
    fq_kv_writer *writer = NULL;
    FQ_TRY(fq_kv_writer_create(&writer, path, s, &origin, NULL));
    const fq_status status = put_all(writer, s);
    if (status == FQ_OK)
        return fq_kv_writer_commit(writer);
    fq_kv_writer_abandon(writer);
    return status;
}

static size_t wrong_values(const fq_kv_cache *cache) {
    const fq_kv_shape *s = fq_kv_cache_shape(cache);
    size_t wrong = 0;
    float x[64 * 64];
    for (size_t layer = 0; layer < s->layers; layer++)
        for (int kind = 0; kind < 3; kind++)
            for (size_t head = 0; head < heads_of(s, kind); head++) {
                if (!FQ_CHECK_OK(fq_kv_cache_read(cache, layer, (fq_kv_kind)kind, head, 1, s->tokens - 1, x)))
                    return SIZE_MAX;
                for (size_t token = 1; token < s->tokens; token++)
                    for (size_t i = 0; i < s->dim; i++)
                        wrong += !(x[(token - 1) * s->dim + i] == value(layer, kind, token, head, i));
            }
    return wrong;
}

static void given_written_rows_expect_them_back_in_both_precisions(void) {
    for (size_t bytes = 2; bytes <= 4; bytes += 2) {
        fq_kv_shape shape = small;
        fq_kv_cache *cache = NULL;
        shape.element_bytes = bytes;
        const char *path = path_of("kv.h5");
        FQ_CHECK_OK(write_cache(path, &shape));
        if (!FQ_CHECK_OK(fq_kv_cache_open(&cache, path)))
            return;
        FQ_CHECK(memcmp(fq_kv_cache_shape(cache), &shape, sizeof shape) == 0);
        FQ_CHECK(strcmp(fq_kv_cache_origin(cache)->model, "a model") == 0);
        FQ_CHECK(strcmp(fq_kv_cache_origin(cache)->model_sha256, origin.model_sha256) == 0);
        FQ_CHECK(fq_kv_cache_origin(cache)->text_sha256[0] == '\0');
        FQ_CHECK(fq_kv_cache_origin(cache)->text_first == 123456789012);
        FQ_CHECK(fq_kv_cache_origin(cache)->rope_known);
        FQ_CHECK(fq_kv_cache_origin(cache)->rope.base == 100000.0);
        FQ_CHECK(fq_kv_cache_origin(cache)->rope.interleaved == 1);
        FQ_CHECK(wrong_values(cache) == 0);
        float x[8];
        FQ_CHECK_FAILS(fq_kv_cache_read(cache, 2, FQ_KV_KEY, 0, 0, 1, x), FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_kv_cache_read(cache, 0, FQ_KV_KEY, 2, 0, 1, x), FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_kv_cache_read(cache, 0, FQ_KV_KEY, 0, 5, 1, x), FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_kv_cache_read(cache, 0, FQ_KV_KEY, 0, SIZE_MAX, 2, x), FQ_ERR_ARGUMENT);
        FQ_CHECK_FAILS(fq_kv_cache_read(cache, 0, (fq_kv_kind)3, 0, 0, 1, x), FQ_ERR_ARGUMENT);
        fq_kv_cache_close(cache);
    }
}

static void given_bad_rows_or_shapes_expect_errors_and_no_file(void) {
    fq_kv_writer *writer = NULL;
    float x[64] = {0};
    const char *path = path_of("bad.h5");
    for (int which = 0; which < 6; which++) {
        fq_kv_shape s = small;
        size_t *const members[] = {&s.layers, &s.tokens, &s.query_heads, &s.heads, &s.dim, &s.element_bytes};
        *members[which] = which == 5 ? 3 : 0;
        FQ_CHECK_FAILS(fq_kv_writer_create(&writer, path, &s, &origin, NULL), FQ_ERR_ARGUMENT);
    }
    if (!FQ_CHECK_OK(fq_kv_writer_create(&writer, path, &small, &origin, NULL)))
        return;
    x[3] = (float)NAN;
    FQ_CHECK_FAILS(fq_kv_writer_put(writer, 0, FQ_KV_KEY, 0, 1, x), FQ_ERR_NONFINITE);
    FQ_CHECK(strstr(fq_error_last()->text, "bad.h5: layer 0, key, token 0, head 0, coordinate 3 is") != NULL);
    x[3] = 0.0f;
    x[2 * 16 + 8 + 5] = -65520.0f; /* the third of three rows of two heads */
    FQ_CHECK_FAILS(fq_kv_writer_put(writer, 1, FQ_KV_VALUE, 2, 3, x), FQ_ERR_RANGE);
    FQ_CHECK(strstr(fq_error_last()->text,
                    "layer 1, value, token 4, head 1, coordinate 5 is -65520; allowed") != NULL);
    x[3] = 65519.0f;
    FQ_CHECK_OK(fq_kv_writer_put(writer, 0, FQ_KV_KEY, 0, 1, x));
    FQ_CHECK_FAILS(fq_kv_writer_put(writer, 0, FQ_KV_KEY, 5, 1, x), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_kv_writer_put(writer, 2, FQ_KV_KEY, 0, 1, x), FQ_ERR_ARGUMENT);
    FQ_CHECK_FAILS(fq_kv_writer_commit(writer), FQ_ERR_ARGUMENT); /* rows are missing */
    FQ_CHECK(access(path, F_OK) != 0);
    FQ_CHECK(fq_command("ls")->out[0] == '\0'); /* the temporary file is gone, too */
}

/* Vectors too small for float16 are counted, zeros are not; a file of zeros is a file. */
static void given_small_vectors_expect_those_that_vanish_counted(void) {
    for (size_t bytes = 2; bytes <= 4; bytes += 2) {
        fq_kv_shape shape = small;
        fq_kv_writer *writer = NULL;
        fq_kv_cache *cache = NULL;
        float x[5 * 4 * 8] = {0};
        char where[FQ_KV_NAME_MAX];
        shape.element_bytes = bytes;
        if (!FQ_CHECK_OK(fq_kv_writer_create(&writer, path_of("zero.h5"), &shape, &origin, NULL)))
            return;
        for (size_t layer = 0; layer < 2; layer++)
            for (int kind = 0; kind < 3; kind++) {
                memset(x, 0, sizeof x);
                if (layer == 1 && kind == FQ_KV_KEY) {
                    x[3 * 16 + 8 + 7] = -0x1p-25f;       /* token 3, head 1: rounds to zero */
                    x[4 * 16 + 8 + 7] = 0x1.000002p-25f; /* rounds to 2^-24 */
                    x[4 * 16 + 2] = 1e-30f;
                }
                FQ_CHECK_OK(fq_kv_writer_put(writer, layer, (fq_kv_kind)kind, 0, 5, x));
            }
        FQ_CHECK(fq_kv_writer_vanished(writer, where) == (bytes == 2 ? 2 : 0));
        FQ_CHECK(strcmp(where, bytes == 2 ? "layer 1, key, token 3, head 1" : "") == 0);
        FQ_CHECK_OK(fq_kv_writer_commit(writer));
        if (!FQ_CHECK_OK(fq_kv_cache_open(&cache, path_of("zero.h5"))))
            return;
        FQ_CHECK_OK(fq_kv_cache_read(cache, 1, FQ_KV_VALUE, 1, 0, 5, x));
        for (size_t i = 0; i < 5 * 8; i++)
            FQ_CHECK(x[i] == 0.0f);
        FQ_CHECK_OK(fq_kv_cache_read(cache, 1, FQ_KV_KEY, 1, 3, 2, x));
        FQ_CHECK_NEAR((double)x[7], bytes == 2 ? 0.0 : -0x1p-25, 0.0);
        FQ_CHECK_NEAR((double)x[15], bytes == 2 ? 0x1p-24 : 0x1.000002p-25, 0.0);
        fq_kv_cache_close(cache);
    }
}

/* Copies the recipe out of data/arrays/README.md: what is documented is what is tested. */
static bool copy_recipe(const char *to) {
    FILE *readme = fopen(FQ_SOURCE_DIR "/data/arrays/README.md", "r"), *script = fopen(to, "w");
    char line[400];
    bool section = false, code = false;
    unsigned lines = 0;
    while (readme && script && fgets(line, sizeof line, readme)) {
        if (strncmp(line, "## ", 3) == 0)
            section = strcmp(line, "## A cache from Python\n") == 0;
        else if (section && strncmp(line, "```", 3) == 0)
            code = !code;
        else if (code) {
            fputs(line, script);
            lines++;
        }
    }
    if (readme)
        fclose(readme);
    if (script)
        fclose(script);
    return lines > 0 && lines <= 12;
}

static void given_a_file_by_h5py_expect_it_read(void) {
    if (!FQ_CHECK(copy_recipe(path_of("recipe.py"))))
        return;
    const fq_command_result *r = fq_command(
        "printf m > model.bin; printf t > text.txt; cat > write.py <<'END'\n"
        "from recipe import write_cache\n"
        "import numpy\n"
        "def tensor(layer, kind, heads):\n"
        "    l, k, t, h, i = numpy.ix_([layer], [kind], range(5), range(heads), range(8))\n"
        "    return ((l * 1000 + k * 300 + t * 41 + h * 9 + i) * 0.25 - 100)[0, 0]\n"
        "write_cache('py.h5', [(tensor(l, 0, 4), tensor(l, 1, 2), tensor(l, 2, 2)) for l in range(2)],\n"
        "            'model.bin', 'text.txt')\n"
        "END\n/usr/bin/python3 write.py");
    if (!FQ_CHECK(r->exit_code == 0)) {
        fprintf(stderr, "%s\n", r->err);
        return;
    }
    fq_kv_cache *cache = NULL;
    if (!FQ_CHECK_OK(fq_kv_cache_open(&cache, path_of("py.h5"))))
        return;
    FQ_CHECK(memcmp(fq_kv_cache_shape(cache), &small, sizeof small) == 0);
    FQ_CHECK(fq_kv_cache_origin(cache)->text_first == 0);
    FQ_CHECK(strcmp(fq_kv_cache_origin(cache)->model, "model.bin") == 0);
    /* SHA-256 of the one byte "t", from sha256sum */
    FQ_CHECK(strcmp(fq_kv_cache_origin(cache)->text_sha256,
                    "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8") == 0);
    FQ_CHECK(wrong_values(cache) == 0);
    fq_kv_cache_close(cache);
}

static void given_chunked_and_compressed_datasets_expect_them_read(void) {
    static const char *const layouts[] = {"-l CHUNK=2x2x4 -f SHUF -f GZIP=9 -f FLET",
                                          "-l CHUNK=5x2x8 -f GZIP=1",
                                          "-l CHUNK=2x1x8",
                                          "-L -l CHUNK=2x2x4 -f GZIP=1",
                                          "-L -l CHUNK=5x4x8",
                                          "-L -l CHUNK=5x2x8 -f FLET"};
    FQ_CHECK_OK(write_cache(path_of("kv.h5"), &small));
    for (size_t i = 0; i < sizeof layouts / sizeof layouts[0]; i++) {
        fq_kv_cache *cache = NULL;
        FQ_CHECK(fq_command("h5repack %s kv.h5 packed.h5", layouts[i])->exit_code == 0);
        if (!FQ_CHECK_OK(fq_kv_cache_open(&cache, path_of("packed.h5"))))
            continue;
        FQ_CHECK(wrong_values(cache) == 0);
        fq_kv_cache_close(cache);
    }
}

/* Datasets of 48 MiB, each one compressed chunk: unpacked once, not once for every piece that is read.
 * Reading twelve pieces and more each would take longer than the guard lets a file of this size have. */
static void given_one_large_compressed_chunk_expect_it_unpacked_once(void) {
    const fq_command_result *r = fq_command(
        "/usr/bin/python3 -c \"import h5py, numpy\n"
        "with h5py.File('chunk.h5', 'w') as f:\n"
        "    for name in ('model', 'model_sha256', 'text', 'text_sha256'): f.attrs[name] = ''\n"
        "    for name in ('query', 'key', 'value'):\n"
        "        f.create_dataset('layer_00/' + name, data=numpy.zeros((196608, 1, 64), 'f4'),\n"
        "                         chunks=(196608, 1, 64), compression='gzip', compression_opts=1)\"");
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "%s\n", r->err);
    fq_kv_cache *cache = NULL;
    if (FQ_CHECK_OK(fq_kv_cache_open(&cache, path_of("chunk.h5"))))
        FQ_CHECK(fq_kv_cache_shape(cache)->tokens == 196608);
    fq_kv_cache_close(cache);
}

/* In front of the file lies something of another program: h5py reserves the room, h5jam puts it there
 * afterwards. */
static void given_a_user_block_expect_the_file_read(void) {
#define COPY(options)                                                                                        \
    "/usr/bin/python3 -c \"import h5py; i = h5py.File('kv.h5'); o = h5py.File('block.h5', 'w', " options     \
    "); [i.copy(k, o) for k in i]; o.attrs.update(i.attrs); o.close()\""
    static const char *const makers[] = {"h5jam -i kv.h5 -u note -o block.h5", COPY("userblock_size=2048"),
                                         COPY("userblock_size=512, libver='latest'")};
#undef COPY
    FQ_CHECK_OK(write_cache(path_of("kv.h5"), &small));
    FQ_CHECK(fq_command("head -c 700 /dev/zero > note")->exit_code == 0);
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        fq_kv_cache *cache = NULL;
        const fq_command_result *r = fq_command("%s && ! head -c 4 block.h5 | grep -q HDF", makers[i]);
        if (!FQ_CHECK(r->exit_code == 0))
            fprintf(stderr, "%s: %s\n", makers[i], r->err);
        if (!FQ_CHECK_OK(fq_kv_cache_open(&cache, path_of("block.h5"))))
            continue;
        FQ_CHECK(wrong_values(cache) == 0);
        fq_kv_cache_close(cache);
        FQ_CHECK(fq_command("truncate -s -1 block.h5")->exit_code == 0);
        FQ_CHECK_FAILS(fq_kv_cache_open(&cache, path_of("block.h5")), FQ_ERR_INPUT);
        FQ_CHECK(strstr(fq_error_last()->text, "cut off") != NULL);
    }
}

static void h5py_and_h5dump_read_our_files(void) {
    FQ_CHECK_OK(write_cache(path_of("kv.h5"), &small));
    const fq_command_result *r =
        fq_command("/usr/bin/python3 -c \"import h5py; f = h5py.File('kv.h5'); k = f['layer_01/key'];"
                   "print(k.dtype, k.shape, k[3, 1, 2], k.attrs['axes'], f.attrs['model'])\"");
    FQ_CHECK(strcmp(r->out, "float16 (5, 2, 8) 258.5 token, head, coordinate a model\n") == 0);
    /* every text is a str to h5py's user */
    r = fq_command("/usr/bin/python3 -c \"import h5py; f = h5py.File('kv.h5'); kinds = set()\n"
                   "def see(name, o): kinds.update(type(v).__name__ for v in o.attrs.values())\n"
                   "see('/', f); f.visititems(see); print(*sorted(kinds), "
                   "len(f['layer_00/key'].attrs['content_sha256']))\"");
    if (!FQ_CHECK(strcmp(r->out, "float64 str uint64 64\n") == 0))
        fprintf(stderr, "%s%s\n", r->out, r->err);
    r = fq_command("h5dump -d /layer_00/value -s 0,0,0 -c 1,1,2 kv.h5");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "50, 50.25") != NULL);
}

/* Files whose only fault is what h5py can write on purpose. */
static void given_wrong_contents_expect_the_object_named(void) {
    static const struct {
        const char *change, *names;
    } cases[] = {
        {"del f['layer_01/key']", "key: missing"},
        {"del f['layer_00']", "layer_00: missing, though there is layer_01"},
        {"f.move('layer_01', 'layer_02')", "layer_01: missing, though there is layer_02"},
        {"f.move('layer_01', 'layer_1')", "layer_1: is no name of a layer"},
        {"f.move('layer_01', 'layer_001')", "layer_001: is no name of a layer"},
        {"f.move('layer_01', 'Layer_01')", "Layer_01: is no name of a layer"},
        {"f['layer_1000'] = 1", "layer_1000: is no name of a layer"},
        {"d = f['layer_01/key'][...]; del f['layer_01/key']; f.create_dataset('layer_01/key', (5, 2, 8), "
         "'f2', "
         "chunks=(2, 2, 8), compression='gzip', fillvalue=2.5)[:4] = d[:4]",
         "key: 1 of its 3 chunks were never written"},
        {"del f.attrs['model']", "attribute model is missing"},
        {"f.attrs['text_sha256'] = 'abc'", "attribute text_sha256"},
        {"f.attrs['text'] = 7", "attribute text is no text"},
        {"f.attrs['text'] = 'x' * 600", "attribute text is longer than 511"},
        {"d = f['layer_01/key'][...]; d[2, 1, 3] = numpy.inf; f['layer_01/key'][...] = d",
         "layer_01/key: value at token 2, head 1, coordinate 3 is not finite"},
        {"del f['layer_01/key']; f['layer_01/key'] = numpy.zeros((5, 2, 7), 'f2')",
         "layer_01/key: is 5 x 2 x 7"},
        {"del f['layer_01/key']; f['layer_01/key'] = numpy.zeros((5, 2), 'f2')", "has not 3 dimensions"},
        {"del f['layer_01/key']; f['layer_01/key'] = numpy.zeros((5, 2, 8), 'f4')",
         "layer_01/key: is 5 x 2 x 8 of 4"},
        {"del f['layer_01/key']; f['layer_01/key'] = numpy.zeros((5, 2, 8), '>f2')", "little-endian"},
        {"del f['layer_01/key']; f['layer_01/key'] = numpy.zeros((5, 2, 8), 'i2')", "wrong element type"},
        {"del f['layer_01/key']; f.create_dataset('layer_01/key', (5, 2, 8), 'f2', chunks=(5, 2, 8))",
         "key: claims 160 bytes of elements, 0 bytes are stored"},
        {"del f['layer_01/key']; f.create_dataset('layer_01/key', (1 << 40, 1 << 20, 8), 'f2', chunks=(1, 1, "
         "8))",
         "key:"},
        {"del f['layer_01/key']; f['layer_01/key'] = h5py.SoftLink('/layer_00/key')",
         "soft or external link"},
        {"del f['layer_01/key']; f['layer_01/key'] = h5py.ExternalLink('/etc/passwd', 'x')",
         "soft or external link"},
        {"del f['layer_01/key']; f.create_dataset('layer_01/key', data=numpy.zeros((5, 2, 8), 'f2'), "
         "compression='lzf')",
         "allowed: deflate"},
        {"del f['layer_01/key']; f.create_dataset('layer_01/key', (5, 2, 8), 'f2', external=[('/etc/passwd', "
         "0, 160)])",
         "key: data in another file"},
    };
    FQ_CHECK_OK(write_cache(path_of("kv.h5"), &small));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_kv_cache *cache = NULL;
        const fq_command_result *r = fq_command("cp kv.h5 raw.h5; /usr/bin/python3 -c \"import h5py, numpy; "
                                                "f = h5py.File('raw.h5', 'a'); %s; f.close()\" "
                                                "&& rm -f bad.h5 && mv raw.h5 bad.h5",
                                                cases[i].change);
        if (!FQ_CHECK(r->exit_code == 0))
            fprintf(stderr, "%s: %s\n", cases[i].change, r->err);
        FQ_CHECK_FAILS(fq_kv_cache_open(&cache, path_of("bad.h5")), FQ_ERR_INPUT);
        if (!FQ_CHECK(strstr(fq_error_last()->text, cases[i].names) != NULL))
            fprintf(stderr, "%s: %s\n", cases[i].change, fq_error_last()->text);
    }
}

static fq_status open_and_compare(const char *path, void *context) {
    fq_kv_cache *cache = NULL;
    (void)context;
    FQ_TRY(fq_kv_cache_open(&cache, path));
    const fq_kv_shape *s = fq_kv_cache_shape(cache);
    FQ_CHECK(s->layers <= small.layers && s->tokens == small.tokens && s->query_heads == small.query_heads &&
             s->heads == small.heads && s->dim == small.dim && wrong_values(cache) == 0);
    fq_kv_cache_close(cache);
    return FQ_OK;
}

/* Every value carries a digest: a damaged one is never read. */
static void given_damaged_files_expect_refusal_or_the_same_values(void) {
    FQ_CHECK_OK(write_cache(path_of("kv.h5"), &small));
    (void)fq_hostile_files(path_of("kv.h5"), 120, open_and_compare, NULL);
}

static void given_no_file_or_a_folder_expect_an_input_error(void) {
    fq_kv_cache *cache = NULL;
    FQ_CHECK_FAILS(fq_kv_cache_open(&cache, path_of("absent.h5")), FQ_ERR_INPUT);
    FQ_CHECK_FAILS(fq_kv_cache_open(&cache, fq_test_folder()), FQ_ERR_INPUT);
    FQ_CHECK_FAILS(fq_kv_cache_open(&cache, "/dev/zero"), FQ_ERR_INPUT);
}

/* A file-size limit stands for a full disk: writes fail midway, in the layout or in the rows. */
static void given_no_room_expect_an_output_error_and_the_old_file(void) {
    static const rlim_t limits[] = {0, 100, 1000, 2000, 5000, 8000};
    const char *path = path_of("kv.h5");
    struct stat before, after;
    FQ_CHECK_OK(write_cache(path, &small));
    FQ_CHECK(stat(path, &before) == 0);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        fflush(NULL);
        const pid_t pid = fork();
        if (pid == 0) {
            const struct rlimit limit = {limits[i], limits[i]};
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            _exit(write_cache(path, &small) == FQ_ERR_OUTPUT ? 0 : 1);
        }
        int outcome = 0;
        FQ_CHECK(waitpid(pid, &outcome, 0) == pid);
        if (!FQ_CHECK(WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0))
            fprintf(stderr, "limit %llu: outcome %d\n", (unsigned long long)limits[i], outcome);
        FQ_CHECK(stat(path, &after) == 0 && after.st_ino == before.st_ino && after.st_size == before.st_size);
    }
    FQ_CHECK(strcmp(fq_command("ls")->out, "kv.h5\n") == 0);
}

static void given_an_unwritable_folder_expect_an_output_error(void) {
    fq_kv_writer *writer = NULL;
    FQ_CHECK_FAILS(fq_kv_writer_create(&writer, "/proc/kv.h5", &small, &origin, NULL), FQ_ERR_OUTPUT);
    FQ_CHECK_FAILS(fq_kv_writer_create(&writer, "/absent/folder/kv.h5", &small, &origin, NULL),
                   FQ_ERR_OUTPUT);
    FQ_CHECK_FAILS(fq_kv_writer_create(&writer, fq_test_folder(), &small, &origin, NULL), FQ_ERR_OUTPUT);
}

static const fq_test tests[] = {
    {"written rows come back", given_written_rows_expect_them_back_in_both_precisions},
    {"bad rows and shapes", given_bad_rows_or_shapes_expect_errors_and_no_file},
    {"h5py writes one", given_a_file_by_h5py_expect_it_read},
    {"vectors that vanish", given_small_vectors_expect_those_that_vanish_counted},
    {"one large compressed chunk", given_one_large_compressed_chunk_expect_it_unpacked_once},
    {"user block", given_a_user_block_expect_the_file_read},
    {"chunked and compressed", given_chunked_and_compressed_datasets_expect_them_read},
    {"h5py and h5dump read ours", h5py_and_h5dump_read_our_files},
    {"wrong contents", given_wrong_contents_expect_the_object_named},
    {"damaged files", given_damaged_files_expect_refusal_or_the_same_values},
    {"no file", given_no_file_or_a_folder_expect_an_input_error},
    {"no room", given_no_room_expect_an_output_error_and_the_old_file},
    {"unwritable folder", given_an_unwritable_folder_expect_an_output_error},
    {0},
};
const fq_suite fq_suite_kv_cache_file = {"kv_cache_file", tests};
