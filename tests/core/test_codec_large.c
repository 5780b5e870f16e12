/* Outputs larger than the caches are written past them: the same numbers, whatever their address. */
#include <string.h>

#include "check.h"
#include "codec.h"
#include "memory.h"
#include "stream.h"

enum { D = 64, MANY = ((32 << 20) / (D * 4)) + 7, PIECE = 1000, GIVEN = 211 };

static void decode_whole_and_in_pieces(const char *text) {
    fq_codec *codec = NULL;
    fq_codec_spec spec;
    uint8_t *codes = NULL;
    float *whole = NULL, *piece = NULL;
    FQ_CHECK_OK(fq_codec_spec_parse(&spec, text));
    if (!FQ_CHECK_OK(fq_codec_create(&codec, &spec, D, NULL)))
        return;
    const size_t bytes = fq_codec_get_cost(codec).code_bytes;
    if (!FQ_CHECK_OK(fq_alloc(&codes, MANY, bytes)) ||
        !FQ_CHECK_OK(fq_alloc(&whole, (size_t)MANY * D + 1, sizeof *whole)) ||
        !FQ_CHECK_OK(fq_alloc(&piece, PIECE * D, sizeof *piece)))
        return;
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 61);
    for (size_t i = 0; i < GIVEN * D; i++)
        piece[i] = i / D == 5 ? 0.0F : (float)fq_stream_normal(&s);
    FQ_CHECK_OK(fq_codec_encode(codec, codes, piece, GIVEN));
    for (size_t i = GIVEN; i < MANY; i++)
        memcpy(codes + i * bytes, codes + i % GIVEN * bytes, bytes);
    for (int rotated = 0; rotated < 2; rotated++) {
        float *const x = whole + rotated; /* a vector's address, and not one */
        fq_status (*const decode)(const fq_codec *, float *, const uint8_t *, size_t) =
            rotated ? fq_codec_decode_rotated : fq_codec_decode;
        memset(whole, 0x5a, ((size_t)MANY * D + 1) * sizeof *whole);
        FQ_CHECK_OK(decode(codec, x, codes, MANY));
        for (size_t i = 0; i < MANY; i += PIECE) {
            const size_t n = MANY - i < PIECE ? MANY - i : PIECE;
            FQ_CHECK_OK(decode(codec, piece, codes + i * bytes, n));
            FQ_CHECK(memcmp(piece, x + i * D, n * D * sizeof *x) == 0);
        }
        codes[(MANY - 3) * bytes + 1] ^= 0xfc; /* a norm that is not one */
        FQ_CHECK_FAILS(decode(codec, x, codes, MANY), FQ_ERR_CORRUPT);
        FQ_CHECK(fq_error_last()->value == MANY - 3);
        codes[(MANY - 3) * bytes + 1] ^= 0xfc;
    }
    fq_free(piece);
    fq_free(whole);
    fq_free(codes);
    fq_codec_destroy(codec);
}

static void large_outputs_are_the_same(void) {
    decode_whole_and_in_pieces("tq:b=2");
    decode_whole_and_in_pieces("tq:b=2.5"); /* two groups */
    decode_whole_and_in_pieces("tqprod:b=2");
    decode_whole_and_in_pieces("fib:k=4,N=256,recipe=initial,rot=hadamard");
}

static const fq_test tests[] = {
    {"large outputs are the same", large_outputs_are_the_same},
    {0},
};
const fq_suite fq_suite_codec_large = {"codec_large", tests};
