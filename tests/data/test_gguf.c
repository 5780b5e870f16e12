#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "gguf.h"
#include "stream.h"

enum { ENTRIES = 9 };

/* One entry of each kind, and two tensors. */
static fq_bytes small_file(uint32_t version) {
    fq_bytes b = {0};
    fq_bytes_text(&b, "GGUF");
    fq_bytes_u32(&b, version);
    fq_bytes_u64(&b, 2);
    fq_bytes_u64(&b, ENTRIES);
    fq_gguf_put_u32(&b, "general.alignment", 64);
    fq_gguf_put_string(&b, "a.text", "words");
    fq_gguf_put_f32(&b, "a.real", 0.5f);
    fq_gguf_put_key(&b, "a.bool", 7);
    fq_bytes_add(&b, "\1", 1);
    fq_gguf_put_key(&b, "a.byte", 1);
    fq_bytes_add(&b, "\xfe", 1);
    fq_gguf_put_key(&b, "a.long", 10);
    fq_bytes_u64(&b, UINT64_C(1) << 40);
    fq_gguf_put_key(&b, "array.i32", 9);
    fq_bytes_u32(&b, 5);
    fq_bytes_u64(&b, 3);
    for (uint32_t i = 0; i < 3; i++)
        fq_bytes_u32(&b, i - 1);
    fq_gguf_put_key(&b, "array.text", 9);
    fq_bytes_u32(&b, 8);
    fq_bytes_u64(&b, 2);
    fq_bytes_gguf_string(&b, "");
    fq_bytes_gguf_string(&b, "second");
    fq_gguf_put_key(&b, "array.nested", 9);
    fq_bytes_u32(&b, 9);
    fq_bytes_u64(&b, 1);
    fq_bytes_u32(&b, 0);
    fq_bytes_u64(&b, 2);
    fq_bytes_add(&b, "xy", 2);
    fq_gguf_put_tensor(&b, "matrix", 32, 2, 8, 0);
    fq_gguf_put_tensor(&b, "vector", 3, 0, 0, 128);
    fq_bytes_pad(&b, 64);
    for (int i = 0; i < 128 + 12; i++)
        fq_bytes_add(&b, "\0", 1);
    return b;
}

static void given_a_small_file_expect_its_values(void) {
    for (uint32_t version = 2; version <= 3; version++) {
        fq_bytes b = small_file(version);
        fq_gguf g;
        if (!FQ_CHECK_OK(fq_gguf_parse(&g, "small", b.data, b.size)))
            return;
        FQ_CHECK(g.version == version && g.entries == ENTRIES && g.tensors == 2 && g.alignment == 64);
        uint64_t whole = 7;
        double real = 0;
        bool flag = false, found = true;
        const char *text = NULL;
        size_t length = 0;
        FQ_CHECK_OK(fq_gguf_get_unsigned(&g, "a.long", 0, UINT64_MAX, &whole, NULL));
        FQ_CHECK(whole == UINT64_C(1) << 40);
        FQ_CHECK_FAILS(fq_gguf_get_unsigned(&g, "a.byte", 0, 255, &whole, NULL), FQ_ERR_INPUT);
        FQ_CHECK_FAILS(fq_gguf_get_unsigned(&g, "a.long", 0, 10, &whole, NULL), FQ_ERR_INPUT);
        FQ_CHECK_FAILS(fq_gguf_get_unsigned(&g, "a.text", 0, 10, &whole, NULL), FQ_ERR_INPUT);
        FQ_CHECK_FAILS(fq_gguf_get_unsigned(&g, "none", 0, 10, &whole, NULL), FQ_ERR_INPUT);
        FQ_CHECK(strstr(fq_error_last()->text, "none") != NULL);
        FQ_CHECK_OK(fq_gguf_get_unsigned(&g, "none", 0, 10, &whole, &found));
        FQ_CHECK(!found && whole == UINT64_C(1) << 40);
        FQ_CHECK_OK(fq_gguf_get_real(&g, "a.real", 0, 1, &real, NULL));
        FQ_CHECK_NEAR(real, 0.5, 0.0);
        FQ_CHECK_FAILS(fq_gguf_get_real(&g, "a.real", 1, 2, &real, NULL), FQ_ERR_INPUT);
        FQ_CHECK_OK(fq_gguf_get_bool(&g, "a.bool", &flag, NULL));
        FQ_CHECK(flag);
        FQ_CHECK_OK(fq_gguf_get_string(&g, "a.text", &text, &length, NULL));
        FQ_CHECK(length == 5 && memcmp(text, "words", 5) == 0);
        const fq_gguf_entry *array = NULL;
        FQ_CHECK_OK(fq_gguf_get_array(&g, "array.i32", FQ_GGUF_I32, &array, NULL));
        FQ_CHECK(array->count == 3 && fq_gguf_array_i32(&g, array, 0) == -1 &&
                 fq_gguf_array_i32(&g, array, 2) == 1);
        FQ_CHECK_FAILS(fq_gguf_get_array(&g, "array.i32", FQ_GGUF_F32, &array, NULL), FQ_ERR_INPUT);
        FQ_CHECK_OK(fq_gguf_get_array(&g, "array.text", FQ_GGUF_STRING, &array, NULL));
        size_t at = array->offset;
        fq_gguf_next_string(&g, &at, &text, &length);
        FQ_CHECK(length == 0);
        fq_gguf_next_string(&g, &at, &text, &length);
        FQ_CHECK(length == 6 && memcmp(text, "second", 6) == 0);
        const fq_gguf_tensor *t = fq_gguf_find_tensor(&g, "matrix");
        FQ_CHECK(t && t->rows == 2 && t->columns == 32 && t->bytes == 68 && t->offset % 64 == 0);
        t = fq_gguf_find_tensor(&g, "vector");
        FQ_CHECK(t && t->rows == 1 && t->columns == 3 && t->offset + 12 == b.size);
        FQ_CHECK(!fq_gguf_find_tensor(&g, "matri") && !fq_gguf_find_tensor(&g, "matrixx"));
        fq_gguf_clear(&g);
        fq_bytes_free(&b);
    }
}

/* Reads every byte that the index vouches for; returns a sum, so that no reading is optimised away. */
static unsigned touch(const fq_gguf *g) {
    unsigned sum = 0;
    for (size_t i = 0; i < g->tensors; i++)
        for (size_t k = 0; k < g->tensor[i].bytes; k++)
            sum += g->bytes[g->tensor[i].offset + k];
    for (size_t i = 0; i < g->entries; i++) {
        const fq_gguf_entry *e = &g->entry[i];
        size_t at = e->offset, length = 0;
        const char *text = NULL;
        const uint64_t strings = e->type == FQ_GGUF_STRING                                       ? 1
                                 : e->type == FQ_GGUF_ARRAY && e->element_type == FQ_GGUF_STRING ? e->count
                                                                                                 : 0;
        for (uint64_t k = 0; k < strings; k++) {
            fq_gguf_next_string(g, &at, &text, &length);
            for (size_t c = 0; c < length; c++)
                sum += (unsigned char)text[c];
        }
    }
    return sum;
}

static unsigned total; /* of all that was read: not compared, but not optimised away */

/* Parses a copy of exactly that size, so that the address sanitizer sees every byte beyond. */
static fq_status parse_copy(const unsigned char *data, size_t size) {
    unsigned char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    fq_gguf g;
    fq_error_clear();
    const fq_status status = fq_gguf_parse(&g, "hostile", copy, size);
    if (status == FQ_OK) {
        total += touch(&g);
        fq_gguf_clear(&g);
    } else { /* the message names file, place and field */
        FQ_CHECK(strncmp(fq_error_last()->text, "hostile: byte ", 14) == 0);
        FQ_CHECK(g.entry == NULL && g.tensor == NULL);
    }
    free(copy);
    return status;
}

static void given_a_file_cut_anywhere_expect_an_error(void) {
    fq_bytes b = small_file(3);
    for (size_t size = 0; size < b.size; size++)
        FQ_CHECK_FAILS(parse_copy(b.data, size), FQ_ERR_INPUT);
    FQ_CHECK_OK(parse_copy(b.data, b.size));
    fq_bytes_free(&b);
}

static void given_extreme_values_at_every_offset_expect_no_harm(void) {
    static const uint64_t extremes[] = {0,         1,          0x7f,       0x80,       0xff,
                                        0xffff,    0x7fffffff, 0x80000000, 0xffffffff, UINT64_C(1) << 62,
                                        INT64_MAX, UINT64_MAX};
    fq_bytes b = small_file(3);
    size_t refused = 0;
    for (size_t at = 0; at + 8 <= b.size - 140; at++) {
        unsigned char saved[8];
        memcpy(saved, b.data + at, 8);
        for (size_t e = 0; e < sizeof extremes / sizeof extremes[0]; e++) {
            for (size_t bytes = 1; bytes <= 8; bytes *= 2) {
                for (size_t i = 0; i < bytes; i++)
                    b.data[at + i] = (unsigned char)(extremes[e] >> 8 * i);
                refused += parse_copy(b.data, b.size) != FQ_OK;
                memcpy(b.data + at, saved, 8);
            }
        }
    }
    FQ_CHECK(total > 0);
    FQ_CHECK(refused > 5000); /* most of the header is not free to vary */
    fq_bytes_free(&b);
}

static void given_random_bit_flips_expect_no_harm(void) {
    fq_bytes b = small_file(2);
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 3001);
    size_t refused = 0;
    const unsigned rounds = 20000 * fq_test_multiplier();
    unsigned char *copy = malloc(b.size);
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(copy, b.data, b.size);
        const uint64_t flips = 1 + fq_stream_below(&s, 4);
        for (uint64_t f = 0; f < flips; f++)
            copy[fq_stream_below(&s, b.size)] ^= (unsigned char)(1u << fq_stream_below(&s, 8));
        refused += parse_copy(copy, b.size) != FQ_OK;
    }
    FQ_CHECK(refused > rounds / 4 && refused < rounds);
    free(copy);
    fq_bytes_free(&b);
}

/* Each row: what is wrong, and a part of the message that must name it. */
static void given_each_kind_of_lie_expect_its_message(void) {
    static const struct {
        const char *tensor[2];
        size_t columns, rows;
        uint32_t type;
        size_t offset[2];
        fq_status status;
        const char *message;
    } lies[] = {
        {{"a", "b"}, 32, 2, 8, {0, 128}, FQ_OK, ""},
        {{"a", "a"}, 32, 2, 8, {0, 128}, FQ_ERR_INPUT, "twice"},
        {{"a", "b"}, 32, 2, 8, {0, 64}, FQ_ERR_INPUT, "overlaps"},
        {{"a", "b"}, 32, 2, 8, {0, 100}, FQ_ERR_INPUT, "no multiple of 32"},
        {{"a", "b"}, 31, 2, 8, {0, 128}, FQ_ERR_INPUT, "whole Q8_0 blocks"},
        {{"a", "b"}, 0, 2, 8, {0, 128}, FQ_ERR_INPUT, "size 0 is 0"},
        {{"a", "b"}, 32, SIZE_MAX, 8, {0, 128}, FQ_ERR_INPUT, "size 1"},
        {{"a", "b"}, (size_t)1 << 40, (size_t)1 << 40, 8, {0, 128}, FQ_ERR_INPUT, "overflows"},
        {{"a", "b"}, 32, 2, 8, {0, 4096}, FQ_ERR_INPUT, "past the end"},
        {{"a", "b"}, 32, 200, 8, {0, 128}, FQ_ERR_INPUT, "past the end"},
        {{"a", "b"}, 256, 2, 16, {0, 1024}, FQ_ERR_UNSUPPORTED, "element type 16"},
        {{"a", "b"}, 256, 2, 999, {0, 1024}, FQ_ERR_UNSUPPORTED, "element type 999"},
        {{"a", ""}, 32, 2, 8, {0, 128}, FQ_ERR_INPUT, "a name of 0 bytes"},
        {{"a", "b\x01"}, 32, 2, 8, {0, 128}, FQ_ERR_INPUT, "printable"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        fq_bytes b = {0};
        fq_bytes_text(&b, "GGUF");
        fq_bytes_u32(&b, 3);
        fq_bytes_u64(&b, 2);
        fq_bytes_u64(&b, 0);
        for (int t = 0; t < 2; t++)
            fq_gguf_put_tensor(&b, lies[i].tensor[t], lies[i].columns, lies[i].rows, lies[i].type,
                               lies[i].offset[t]);
        fq_bytes_pad(&b, 32);
        for (int k = 0; k < 256; k++)
            fq_bytes_add(&b, "\0", 1);
        FQ_CHECK_FAILS(parse_copy(b.data, b.size), lies[i].status);
        FQ_CHECK(strstr(fq_error_last()->text, lies[i].message) != NULL);
        fq_bytes_free(&b);
    }
}

static void given_hostile_metadata_expect_its_message(void) {
    for (int lie = 0; lie < 5; lie++) {
        static const char *const messages[] = {"occurs twice", "nested deeper", "powers of two", "boolean 2",
                                               "a string of"};
        fq_bytes b = {0};
        fq_bytes_text(&b, "GGUF");
        fq_bytes_u32(&b, 3);
        fq_bytes_u64(&b, 0);
        fq_bytes_u64(&b, lie == 0 ? 2 : 1);
        if (lie == 0) {
            fq_gguf_put_u32(&b, "key", 1);
            fq_gguf_put_u32(&b, "key", 2);
        } else if (lie == 1) {
            fq_gguf_put_key(&b, "key", 9);
            for (int depth = 0; depth < 1000; depth++) {
                fq_bytes_u32(&b, 9);
                fq_bytes_u64(&b, 1);
            }
        } else if (lie == 2) {
            fq_gguf_put_u32(&b, "general.alignment", 24);
        } else if (lie == 3) {
            fq_gguf_put_key(&b, "key", 7);
            fq_bytes_add(&b, "\2", 1);
        } else {
            fq_gguf_put_key(&b, "key", 8);
            fq_bytes_u64(&b, UINT64_MAX - 3);
        }
        FQ_CHECK_FAILS(parse_copy(b.data, b.size), FQ_ERR_INPUT);
        FQ_CHECK(strstr(fq_error_last()->text, messages[lie]) != NULL);
        fq_bytes_free(&b);
    }
}

static const fq_test tests[] = {
    {"values", given_a_small_file_expect_its_values},
    {"cut anywhere", given_a_file_cut_anywhere_expect_an_error},
    {"extreme values at every offset", given_extreme_values_at_every_offset_expect_no_harm},
    {"bit flips", given_random_bit_flips_expect_no_harm},
    {"tensors that lie", given_each_kind_of_lie_expect_its_message},
    {"metadata that lies", given_hostile_metadata_expect_its_message},
    {0},
};
const fq_suite fq_suite_gguf = {"gguf", tests};
