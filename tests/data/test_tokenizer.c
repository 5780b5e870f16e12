/* Against the ids that the tokenizers package gives (golden/make_tokenizer.py), and round trips. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "byte_buffer.h"
#include "check.h"
#include "checkpoint_internal.h"
#include "json_text.h"
#include "memory.h"
#include "stream.h"
#include "text_encoding.h"
#include "tokenizer.h"
#include "tokenizer_folder.h"
#include "tokenizer_internal.h"

static fq_tokenizer *load(const char *path) {
    fq_bytes file = fq_bytes_load(path);
    json_t *root = NULL;
    fq_tokenizer *t = NULL;
    if (FQ_CHECK_OK(fq_json_parse(&root, path, file.data, file.size, 0, 1u << 20)) &&
        FQ_CHECK_OK(fq_alloc_zero(&t, 1, sizeof *t)) && !FQ_CHECK_OK(fq_tokenizer_read_json(t, path, root))) {
        fq_tokenizer_close(t);
        t = NULL;
    }
    json_decref(root);
    fq_bytes_free(&file);
    return t;
}

static void given_a_nasty_text_expect_the_ids_of_another_implementation(void) {
    static const char *const names[] = {"words_gpt2", "words_digits", "pieces"};
    fq_bytes text = fq_bytes_load(FQ_GOLDEN "/tokenizer.txt");
    for (size_t i = 0; i < 3; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s.json", FQ_GOLDEN, names[i]);
        fq_tokenizer *t = load(path);
        snprintf(path, sizeof path, "%s/%s.ids", FQ_GOLDEN, names[i]);
        fq_bytes wanted = fq_bytes_load(path);
        uint32_t *ids = NULL;
        size_t count = 0;
        if (t && FQ_CHECK_OK(fq_tokenizer_encode(t, text.data, text.size, &ids, &count))) {
            size_t same = 0;
            for (; same < count && 4 * same < wanted.size; same++)
                if (ids[same] != ((uint32_t)wanted.data[4 * same] | (uint32_t)wanted.data[4 * same + 1] << 8))
                    break;
            if (!FQ_CHECK(same == count && 4 * count == wanted.size))
                fprintf(stderr, "%s: %zu ids, %zu wanted, the first %zu agree\n", names[i], count,
                        wanted.size / 4, same);
            char *back = NULL;
            size_t length = 0;
            FQ_CHECK_OK(fq_tokenizer_decode(t, ids, count, &back, &length));
            FQ_CHECK(length == text.size && memcmp(back, text.data, length) == 0);
            fq_free(back);
        }
        fq_free(ids);
        fq_bytes_free(&wanted);
        fq_tokenizer_close(t);
    }
    fq_bytes_free(&text);
}

static bool round_trip(const fq_tokenizer *t, const unsigned char *text, size_t length) {
    uint32_t *ids = NULL;
    size_t count = 0, back_length = 0;
    char *back = NULL;
    if (fq_tokenizer_encode(t, text, length, &ids, &count) != FQ_OK)
        return false;
    const bool good = fq_tokenizer_decode(t, ids, count, &back, &back_length) == FQ_OK &&
                      back_length == length && memcmp(back, text, length) == 0 && back[length] == '\0';
    fq_free(ids);
    fq_free(back);
    return good;
}

static void given_arbitrary_bytes_expect_them_back(void) {
    static const char *const names[] = {FQ_GOLDEN "/words_gpt2.json", FQ_GOLDEN "/words_digits.json",
                                        FQ_GOLDEN "/pieces.json"};
    for (size_t n = 0; n < 3; n++) {
        fq_tokenizer *t = load(names[n]);
        if (!t)
            return;
        fq_stream s;
        fq_stream_init(&s, fq_test_seed(), FQ_PURPOSE_TEST, 3003);
        unsigned char text[200];
        for (unsigned i = 0; i < 4000 * fq_test_multiplier(); i++) {
            const size_t length = (size_t)fq_stream_below(&s, sizeof text);
            for (size_t k = 0; k < length; k++) /* raw bytes, then letters, spaces and digits */
                text[k] = i % 2 ? (unsigned char)fq_stream_u32(&s)
                                : (unsigned char)"the  '19\xc3\xa9\xe2\x80\n"[fq_stream_below(&s, 13)];
            FQ_CHECK(round_trip(t, text, length));
        }
        fq_tokenizer_close(t);
    }
}

/* One word of a million letters: the merges are found in n log n, not n^2. */
static void given_one_enormous_word_expect_it_back(void) {
    fq_tokenizer *t = load(FQ_GOLDEN "/words_gpt2.json");
    if (!t)
        return;
    const size_t length = 1000000;
    unsigned char *text = malloc(length);
    memset(text, 'e', length);
    FQ_CHECK(round_trip(t, text, length));
    memset(text, ' ', length);
    FQ_CHECK(round_trip(t, text, length));
    free(text);
    fq_tokenizer_close(t);
}

static void given_the_spelling_of_a_control_token_expect_plain_text(void) {
    fq_tokenizer *t = load(FQ_GOLDEN "/words_gpt2.json");
    if (!t)
        return;
    uint32_t *ids = NULL;
    size_t count = 0, length = 0;
    char *text = NULL;
    FQ_CHECK_OK(fq_tokenizer_encode(t, "<|end|>", 7, &ids, &count));
    FQ_CHECK(count > 1);
    for (size_t i = 0; i < count; i++)
        FQ_CHECK(ids[i] != 0);
    fq_free(ids);
    const uint32_t control = 0, outside = 480;
    FQ_CHECK_OK(fq_tokenizer_decode(t, &control, 1, &text, &length));
    FQ_CHECK(length == 0 && text[0] == '\0');
    fq_free(text);
    FQ_CHECK_FAILS(fq_tokenizer_decode(t, &outside, 1, &text, &length), FQ_ERR_ARGUMENT);
    FQ_CHECK_OK(fq_tokenizer_encode(t, "", 0, &ids, &count));
    FQ_CHECK(count == 0);
    fq_free(ids);
    fq_tokenizer_close(t);
}

static void given_a_gguf_file_expect_its_tokenizer(void) {
    fq_bytes b = {0};
    fq_gguf_put_small_llama(&b, 1);
    char path[256];
    fq_bytes_save(&b, fq_test_folder(), "small.gguf", path);
    fq_checkpoint *c = NULL;
    fq_tokenizer *t = NULL;
    if (FQ_CHECK_OK(fq_checkpoint_open(&c, path)) && FQ_CHECK_OK(fq_tokenizer_open(&t, c))) {
        fq_checkpoint_close(c);
        uint32_t *ids = NULL;
        size_t count = 0;
        FQ_CHECK(fq_tokenizer_about(t)->vocabulary == 258 && !fq_tokenizer_about(t)->adds_bos);
        FQ_CHECK_OK(fq_tokenizer_encode(t, "the he", 6, &ids, &count));
        FQ_CHECK(count == 3 && ids[0] == 257 && ids[1] == ' ' && ids[2] == 256);
        fq_free(ids);
        FQ_CHECK(round_trip(t, (const unsigned char *)"\0\xff the\xe2\x82", 8));
    } else {
        fq_checkpoint_close(c);
    }
    fq_tokenizer_close(t);
    fq_bytes_free(&b);
}

static void write_text(const char *name, const char *text) {
    fq_bytes b = {0};
    char path[256];
    fq_bytes_text(&b, text);
    fq_bytes_save(&b, fq_test_folder(), name, path);
    fq_bytes_free(&b);
}

/* The folder's tokenizer, its post-processor and tokenizer_config.json as given. */
static fq_status open_folder(fq_tokenizer **t, const char *processor, const char *config) {
    char text[2048], folder[256];
    snprintf(
        text, sizeof text,
        "{\"added_tokens\":[{\"id\":2,\"content\":\"<s>\",\"special\":true},{\"id\":3,\"content\":\"</s>\","
        "\"special\":true}],\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},"
        "\"post_processor\":%s,\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1},\"merges\":[]}}",
        processor);
    write_text("tokenizer.json", text);
    write_text("tokenizer_config.json", config);
    write_text("config.json", "{}");
    snprintf(folder, sizeof folder, "%s", fq_test_folder());
    const fq_checkpoint checkpoint = {.is_folder = true, .folder = folder, .config.vocabulary = 4};
    return fq_tokenizer_open(t, &checkpoint);
}

#define TEMPLATE(first, ids)                                                                                 \
    "{\"type\":\"TemplateProcessing\",\"single\":[" first                                                    \
    "{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],\"special_tokens\":{\"<s>\":{\"id\":\"<s>\",\"ids\":" ids  \
    "}}}"
#define BEGIN           "{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},"
#define IN_STEPS(inner) "{\"type\":\"Sequence\",\"processors\":[{\"type\":\"ByteLevel\"}," inner "]}"

static void given_post_processors_expect_the_begin_token_they_add(void) {
    static const struct {
        const char *processor, *config;
        fq_status status;
        bool adds;
    } cases[] = {
        {"null", "{}", FQ_OK, false},
        {"null", "{\"bos_token\":\"<s>\",\"add_bos_token\":true}", FQ_OK, true},
        {TEMPLATE(BEGIN, "[2]"), "{\"bos_token\":\"<s>\"}", FQ_OK, true},
        {TEMPLATE("", "[2]"), "{\"bos_token\":\"<s>\"}", FQ_OK, false},
        {IN_STEPS(TEMPLATE(BEGIN, "[2]")), "{\"bos_token\":\"<s>\"}", FQ_OK, true},
        {IN_STEPS(IN_STEPS(TEMPLATE(BEGIN, "[2]"))), "{}", FQ_OK, true},
        {IN_STEPS(TEMPLATE(BEGIN, "[2]")), "{\"bos_token\":\"</s>\"}", FQ_OK,
         true}, /* the template decides */
        {IN_STEPS(TEMPLATE(BEGIN, "[2]")), "{\"bos_token\":\"<s>\",\"add_bos_token\":false}", FQ_OK, false},
        {IN_STEPS(TEMPLATE(BEGIN, "[9]")), "{}", FQ_ERR_INPUT, false},
        {TEMPLATE(BEGIN BEGIN, "[2]"), "{}", FQ_ERR_UNSUPPORTED, false},
        {"{\"type\":\"RobertaProcessing\"}", "{}", FQ_ERR_UNSUPPORTED, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fq_tokenizer *t = NULL;
        if (!FQ_CHECK_FAILS(open_folder(&t, cases[i].processor, cases[i].config), cases[i].status)) {
            fprintf(stderr, "case %zu\n", i);
            fq_tokenizer_close(t);
            continue;
        }
        if (cases[i].status != FQ_OK) {
            FQ_CHECK(strstr(fq_error_last()->text, "post_processor") != NULL);
            continue;
        }
        const fq_tokenizer_info *info = fq_tokenizer_about(t);
        if (!FQ_CHECK(info->adds_bos == cases[i].adds &&
                      (!cases[i].adds || (info->has_bos && info->bos == 2))))
            fprintf(stderr, "case %zu\n", i);
        fq_tokenizer_close(t);
    }
}

static void given_a_damaged_configuration_expect_file_and_byte(void) {
    fq_tokenizer *t = NULL;
    FQ_CHECK_FAILS(open_folder(&t, "null", "[1]"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "tokenizer_config.json: byte 0: JSON: not an object") != NULL);
    FQ_CHECK_FAILS(open_folder(&t, "null", "{\"a\":1,\"a\":2}"), FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "tokenizer_config.json: byte 10: JSON: ") != NULL);
}

/* As transformers writes where a tokenizer sets no limit. */
static void given_a_limit_beyond_64_bits_expect_the_folder_read(void) {
    fq_tokenizer *t = NULL;
    if (FQ_CHECK_OK(open_folder(&t, "null",
                                "{\"model_max_length\":1000000000000000019884624838656,"
                                "\"bos_token\":\"<s>\",\"add_bos_token\":true}")))
        FQ_CHECK(fq_tokenizer_about(t)->adds_bos && fq_tokenizer_about(t)->bos == 2);
    fq_tokenizer_close(t);
}

/* Added tokens that the vocabulary lists as well: 60,000 of them cost no more than reading them. */
static void given_many_added_tokens_expect_linear_time(void) {
    enum { MANY = 60000 };
    fq_bytes b = {0};
    json_t *root = NULL;
    fq_tokenizer *t = NULL;
    char text[100];
    fq_bytes_text(
        &b, "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false},\"added_tokens\":[");
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%s{\"id\":%d,\"content\":\"t%d\"}", i ? "," : "", i, i);
        fq_bytes_text(&b, text);
    }
    fq_bytes_text(&b, "],\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{");
    for (int i = 0; i < MANY; i++) {
        snprintf(text, sizeof text, "%s\"t%d\":%d", i ? "," : "", i, i);
        fq_bytes_text(&b, text);
    }
    fq_bytes_text(&b, "}}}");
    const clock_t start = clock();
    if (FQ_CHECK_OK(fq_json_parse(&root, "many", b.data, b.size, 0, b.size)) &&
        FQ_CHECK_OK(fq_alloc_zero(&t, 1, sizeof *t)) && FQ_CHECK_OK(fq_tokenizer_read_json(t, "many", root)))
        FQ_CHECK(t->info.vocabulary == MANY);
    FQ_CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 3.0);
    fq_tokenizer_close(t);
    json_decref(root);
    fq_bytes_free(&b);
}

static void given_other_encodings_expect_a_doubt(void) {
    static const struct {
        const char *bytes;
        size_t length;
        const char *doubt;
    } cases[] = {
        {"", 0, NULL},
        {"plain", 5, NULL},
        {"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 15, NULL},
        {"a\0b", 3, NULL}, /* one byte 0 is no proof */
        {"\xff\xfe"
         "a\0b\0",
         6, "UTF-16"},
        {"\xfe\xff"
         "\0a\0b",
         6, "UTF-16"},
        {"a\0b\0c\0", 6, "every other byte is zero"},
        {"\0a\0b\0c", 6, "every other byte is zero"},
        {"caf\xe9 na\xefve", 10, "2 bytes are no UTF-8, the first at offset 3 (0xe9): perhaps Latin-1"},
        {"caf\xc3\xa9 caf\xe9", 10, "1 bytes are no UTF-8, the first at offset 9 (0xe9)"},
        {"\xef\xbb\xbftext", 7, "byte order mark"},
        {"\xed\xa0\x80", 3, "3 bytes are no UTF-8"}, /* half of a surrogate pair */
        {"cut \xe2\x82", 6, "2 bytes are no UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char doubt[FQ_TEXT_DOUBT_MAX] = "";
        const bool doubted = fq_text_encoding_doubt(cases[i].bytes, cases[i].length, doubt);
        if (!FQ_CHECK(doubted == (cases[i].doubt != NULL) && (!doubted || strstr(doubt, cases[i].doubt))))
            fprintf(stderr, "case %zu: %s\n", i, doubt);
        if (doubted && cases[i].doubt[0] == '1')
            FQ_CHECK(strstr(doubt, "Latin-1") == NULL);
    }
}

/* Cuts by hand from the pattern's definition; '|' marks where words begin. */
static void given_texts_expect_words_cut_as_the_pattern_says(void) {
    static const struct {
        fq_word_pattern pattern;
        const char *words;
    } cases[] = {
        {FQ_WORDS_GPT2, "I|'ve| 12| \xc2\xbd| don|'t|'|S|  | x| "},
        {FQ_WORDS_DIGITS, "I|'ve| |1|2| |\xc2\xbd| don|'t|'|S|  | x| "},
        {FQ_WORDS_GPT2, "a|  | 1|\n\n|\n|b|   "},
        {FQ_WORDS_DIGITS, "a|   |1|\n\n|\n|b|   "},
        {FQ_WORDS_GPT2, "x| !?|\xc3\xa9\xc3\xa9| \xff\xfe|z|\xe3\x80\x80|y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128];
        size_t length = 0, at = 0;
        for (const char *p = cases[i].words; *p; p++)
            if (*p != '|')
                text[length++] = *p;
        for (const char *p = cases[i].words; *p;) {
            const size_t wanted = strcspn(p, "|");
            const size_t word = fq_word_length(cases[i].pattern, text + at, length - at);
            if (!FQ_CHECK(word == wanted)) {
                fprintf(stderr, "case %zu at %zu: %zu bytes, wanted %zu\n", i, at, word, wanted);
                return;
            }
            at += word;
            p += wanted + (p[wanted] == '|');
        }
        FQ_CHECK(at == length);
    }
}

static const fq_test tests[] = {
    {"words", given_texts_expect_words_cut_as_the_pattern_says},
    {"agreement with another implementation", given_a_nasty_text_expect_the_ids_of_another_implementation},
    {"arbitrary bytes", given_arbitrary_bytes_expect_them_back},
    {"one enormous word", given_one_enormous_word_expect_it_back},
    {"control tokens", given_the_spelling_of_a_control_token_expect_plain_text},
    {"post-processors", given_post_processors_expect_the_begin_token_they_add},
    {"damaged configuration", given_a_damaged_configuration_expect_file_and_byte},
    {"limit beyond 64 bits", given_a_limit_beyond_64_bits_expect_the_folder_read},
    {"many added tokens", given_many_added_tokens_expect_linear_time},
    {"other encodings", given_other_encodings_expect_a_doubt},
    {"from GGUF", given_a_gguf_file_expect_its_tokenizer},
    {0},
};
const fq_suite fq_suite_tokenizer = {"tokenizer", tests};
