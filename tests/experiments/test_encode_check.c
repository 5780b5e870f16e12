/* Which vector a codec cannot hold, or holds as zero, in the words of the program's user. */
#include <stdio.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "command.h"
#include "encode_check.h"
#include "vectors_file.h"

static fq_codec *make_codec(const char *name, size_t dim) {
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, name));
    FQ_CHECK_OK(fq_codec_create(&codec, &spec, dim, NULL));
    return codec;
}

static void given_vectors_beyond_float16_expect_the_first_named(void) {
    static const char *const names[] = {"tq:b=2", "fp16"};
    for (size_t i = 0; i < 2; i++) {
        fq_codec *codec = make_codec(names[i], 16);
        if (!codec)
            return;
        float x[5 * 16] = {0};
        uint8_t codes[5 * 64];
        FQ_CHECK_OK(fq_encode_explain(FQ_OK, codec, x, 5, 0, "here", "vector"));
        x[3 * 16 + 2] = 70000.0F;
        x[4 * 16 + 2] = 80000.0F;
        const fq_status status = fq_codec_encode(codec, codes, x, 5);
        FQ_CHECK_FAILS(fq_encode_explain(status, codec, x, 5, 100, "in a file,", "token"), FQ_ERR_RANGE);
        if (!FQ_CHECK(strstr(fq_error_last()->text, "in a file, token 103: ") &&
                      strstr(fq_error_last()->text, "70000")))
            fprintf(stderr, "%s\n", fq_error_last()->text);
        fq_codec_destroy(codec);
    }
}

static void given_tiny_vectors_expect_those_that_vanish_counted(void) {
    fq_codec *codec = make_codec("tq:b=2", 16);
    if (!codec)
        return;
    float x[6 * 16] = {0};
    uint8_t codes[6 * 64];
    size_t count = 9, first = 9;
    x[0] = 1.0F;
    x[2 * 16 + 5] = -0x1p-25F;  /* its norm is zero in float16; vector 1 is zero itself */
    x[3 * 16 + 5] = 0x1.8p-25F; /* becomes 2^-24 */
    x[4 * 16] = x[4 * 16 + 1] = 1e-20F;
    x[5 * 16] = 0x1p-24F;
    FQ_CHECK_OK(fq_codec_encode(codec, codes, x, 6));
    FQ_CHECK_OK(fq_encode_vanished(codec, x, codes, 6, &count, &first));
    FQ_CHECK(count == 2 && first == 2);
    FQ_CHECK_OK(fq_encode_vanished(codec, x, codes, 2, &count, &first));
    FQ_CHECK(count == 0);
    fq_codec_destroy(codec);
}

static bool write_vectors(float value) {
    char path[300];
    float x[20 * 8];
    for (size_t i = 0; i < 20 * 8; i++)
        x[i] = 1.0F + (float)i;
    for (size_t c = 0; c < 8; c++)
        x[17 * 8 + c] = value;
    snprintf(path, sizeof path, "%s/v.h5", fq_test_folder());
    return FQ_CHECK_OK(fq_vectors_write(path, &(fq_vectors){20, 8, x}, NULL));
}

static void the_verbs_say_it(void) {
    if (!write_vectors(1e6F))
        return;
    const fq_command_result *r = fq_command("\"$FIBQUANT\" encode -c tq:b=2 -o o.h5 v.h5");
    if (!FQ_CHECK(r->exit_code == 3 && strstr(r->err, "v.h5 vector 17: ") != NULL))
        fprintf(stderr, "%s\n", r->err);
    if (!write_vectors(1e-30F))
        return;
    r = fq_command("\"$FIBQUANT\" encode -c tq:b=2 -o o.h5 v.h5");
    if (!FQ_CHECK(r->exit_code == 0 && strstr(r->err, "1 vectors are too small") &&
                  strstr(r->err, "vector 17")))
        fprintf(stderr, "%s\n", r->err);
    fq_bytes b = {0};
    char path[256];
    fq_gguf_put_small_llama(&b, 1);
    fq_bytes_save(&b, fq_test_folder(), "m.gguf", path);
    fq_bytes_free(&b);
    r = fq_command("printf 'caf\\351 the caf\\351 the' > t.txt; "
                   "\"$FIBQUANT\" cache -m m.gguf -t t.txt --tokens 4 -o c.h5");
    if (!FQ_CHECK(r->exit_code == 0 &&
                  strstr(r->err, "t.txt: 2 bytes are no UTF-8, the first at offset 3 (0xe9)")))
        fprintf(stderr, "%s\n", r->err);
    r = fq_command("printf 'the the the' > t.txt; \"$FIBQUANT\" cache -m m.gguf -t t.txt --tokens 4 -o c.h5");
    FQ_CHECK(r->exit_code == 0 && strstr(r->err, "UTF-8") == NULL);
    /* a cache that tq cannot hold: the point's failure says where */
    r = fq_command(
        "/usr/bin/python3 -c \"import h5py; v = h5py.File('c.h5', 'a')['layer_01/value']; "
        "v[2, 1] = 60000; del v.attrs['content_sha256']\"; "
        "printf 'experiment: fidelity\\ngrid: {cache: c.h5, codec: \"tq:b=2\", stride: 1}\\n' > m.yaml; "
        "\"$FIBQUANT\" sweep m.yaml -o r.h5 -q; \"$FIBQUANT\" results r.h5 --table failures");
    if (!FQ_CHECK(strstr(r->out, "layer 1, value, head 1, token 2: ") != NULL))
        fprintf(stderr, "%s\n%s\n", r->out, r->err);
}

static const fq_test tests[] = {
    {"beyond float16", given_vectors_beyond_float16_expect_the_first_named},
    {"vanishing", given_tiny_vectors_expect_those_that_vanish_counted},
    {"verbs", the_verbs_say_it},
    {0},
};
const fq_suite fq_suite_encode_check = {"encode_check", tests};
