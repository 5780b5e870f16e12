#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "byte_buffer.h"
#include "check.h"
#include "safetensors.h"
#include "stream.h"

static fq_bytes file_of(const char *header, size_t data) {
    fq_bytes b = {0};
    fq_bytes_u64(&b, strlen(header));
    fq_bytes_text(&b, header);
    for (size_t i = 0; i < data; i++)
        fq_bytes_add(&b, "\0", 1);
    return b;
}

static fq_status parse_copy(const unsigned char *data, size_t size) {
    unsigned char *copy = malloc(size ? size : 1);
    if (size)
        memcpy(copy, data, size);
    fq_safetensors s;
    fq_error_clear();
    const fq_status status = fq_safetensors_parse(&s, "hostile", copy, size);
    if (status == FQ_OK) {
        for (size_t i = 0; i < s.count; i++)
            FQ_CHECK(s.tensors[i].offset <= size && s.tensors[i].bytes <= size - s.tensors[i].offset);
        fq_safetensors_clear(&s);
    } else {
        FQ_CHECK(strncmp(fq_error_last()->text, "hostile: byte ", 14) == 0);
        FQ_CHECK(s.tensors == NULL);
    }
    free(copy);
    return status;
}

#define MATRIX "\"m\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}"
#define VECTOR "\"v\":{\"dtype\":\"BF16\",\"shape\":[4],\"data_offsets\":[24,32]}"
static const char good[] = "{\"__metadata__\":{\"format\":\"pt\"}," VECTOR "," MATRIX "}   ";

static void given_a_small_file_expect_its_tensors(void) {
    fq_bytes b = file_of(good, 32);
    fq_safetensors s;
    if (!FQ_CHECK_OK(fq_safetensors_parse(&s, "small", b.data, b.size)))
        return;
    const fq_safetensor *m = fq_safetensors_find(&s, "m"), *v = fq_safetensors_find(&s, "v");
    FQ_CHECK(s.count == 2 && !fq_safetensors_find(&s, "__metadata__"));
    FQ_CHECK(m && m->element == FQ_ELEMENT_F32 && m->dimensions == 2 && m->sizes[0] == 2 &&
             m->sizes[1] == 3 && m->offset == 8 + sizeof good - 1 && m->bytes == 24);
    FQ_CHECK(v && v->element == FQ_ELEMENT_BF16 && v->dimensions == 1 && v->offset == m->offset + 24);
    fq_safetensors_clear(&s);
    fq_bytes_free(&b);
}

static void given_each_kind_of_lie_expect_its_message(void) {
    static const struct {
        const char *header;
        size_t data;
        const char *message;
    } lies[] = {
        {"{" MATRIX "}", 23, "outside the file's data"},
        {"{" MATRIX "}", 25, "after the last tensor"},
        {"{" MATRIX "," MATRIX "}", 24, "JSON"},
        {"{" MATRIX ",\"n\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}}", 24, "overlaps"},
        {"{" VECTOR "}", 32, "gap"},
        {"{\"m\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "dtype"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "shape"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "shape"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,4]}}", 4,
         "overflows"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "not as many bytes"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "wrong order"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,99999999999999999999]}}", 4,
         "two whole numbers"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "two whole numbers"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "exactly"},
        {"{\"m\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "at most 8"},
        {"{\"\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "tensor name"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "__metadata__"},
        {"[1]", 0, "not an object"},
        {"", 0, "JSON"},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        fq_bytes b = file_of(lies[i].header, lies[i].data);
        FQ_CHECK_FAILS(parse_copy(b.data, b.size), FQ_ERR_INPUT);
        if (!FQ_CHECK(strstr(fq_error_last()->text, lies[i].message) != NULL))
            fprintf(stderr, "%s: %s\n", lies[i].message, fq_error_last()->text);
        fq_bytes_free(&b);
    }
    fq_bytes deep = {0};
    fq_bytes_u64(&deep, 100000);
    for (int i = 0; i < 100000; i++)
        fq_bytes_text(&deep, "[");
    FQ_CHECK_FAILS(parse_copy(deep.data, deep.size), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "nested deeper") != NULL);
    fq_bytes_free(&deep);
}

static void given_a_file_cut_or_longer_expect_an_error(void) {
    fq_bytes b = file_of(good, 32);
    for (size_t size = 0; size < b.size; size++)
        FQ_CHECK_FAILS(parse_copy(b.data, size), FQ_ERR_INPUT);
    FQ_CHECK_OK(parse_copy(b.data, b.size));
    fq_bytes_add(&b, "\0", 1);
    FQ_CHECK_FAILS(parse_copy(b.data, b.size), FQ_ERR_INPUT);
    for (int bit = 0; bit < 64; bit++) { /* the length of the header */
        b.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        FQ_CHECK_FAILS(parse_copy(b.data, b.size - 1), FQ_ERR_INPUT);
        b.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    fq_bytes_free(&b);
}

static void given_random_changes_expect_no_harm(void) {
    fq_bytes b = file_of(good, 32);
    fq_stream s;
    fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 3002);
    unsigned char *copy = malloc(b.size);
    const unsigned rounds = 20000 * fq_test_multiplier();
    size_t refused = 0;
    for (unsigned i = 0; i < rounds; i++) {
        memcpy(copy, b.data, b.size);
        for (uint64_t f = 1 + fq_stream_below(&s, 3); f > 0; f--)
            copy[fq_stream_below(&s, b.size)] =
                (unsigned char)"{}[]:,\"0129eE-. \\u"[fq_stream_below(&s, 18)];
        refused += parse_copy(copy, b.size) != FQ_OK;
    }
    FQ_CHECK(refused > rounds / 4 && refused < rounds);
    free(copy);
    fq_bytes_free(&b);
}

static const fq_test tests[] = {
    {"tensors", given_a_small_file_expect_its_tensors},
    {"each kind of lie", given_each_kind_of_lie_expect_its_message},
    {"cut or longer", given_a_file_cut_or_longer_expect_an_error},
    {"random changes", given_random_changes_expect_no_harm},
    {0},
};
const fq_suite fq_suite_safetensors = {"safetensors", tests};
