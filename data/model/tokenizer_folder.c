/* Tokenizers from the files of a folder: tokenizer.json, or GPT-2's vocab.json and merges.txt. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "failure.h"
#include "json_text.h"
#include "memory.h"
#include "tokenizer_folder.h"
#include "tokenizer_internal.h"

static const size_t most_json = 64u << 20;

static fq_status unsupported(const char *where, const char *what) {
    return FQ_FAIL_TEXT(FQ_ERR_UNSUPPORTED, "%s: %s", where, what);
}

static bool is_type(const json_t *object, const char *type) {
    const char *text = json_string_value(json_object_get(object, "type"));
    return text && strcmp(text, type) == 0;
}

static bool absent(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

/* --- what the text goes through before merging --- */

static bool is_byte_level(const json_t *object) {
    return is_type(object, "ByteLevel") && absent(object, "add_prefix_space") &&
           !json_is_false(json_object_get(object, "use_regex"));
}

static fq_status read_byte_level(fq_tokenizer *t, const char *where, const json_t *root) {
    static const char *const supported =
        "pre_tokenizer, normalizer: supported for byte-level BPE: no normalizer, and ByteLevel without "
        "prefix space, alone or after Digits with individual digits";
    const json_t *pre = json_object_get(root, "pre_tokenizer");
    if (!absent(root, "normalizer"))
        return unsupported(where, supported);
    if (is_byte_level(pre)) {
        t->words = FQ_WORDS_GPT2;
        return FQ_OK;
    }
    const json_t *steps = json_object_get(pre, "pretokenizers");
    const json_t *first = json_array_get(steps, 0);
    if (!is_type(pre, "Sequence") || json_array_size(steps) != 2 || !is_type(first, "Digits") ||
        !json_is_true(json_object_get(first, "individual_digits")) ||
        !is_byte_level(json_array_get(steps, 1)))
        return unsupported(where, supported);
    t->words = FQ_WORDS_DIGITS;
    return FQ_OK;
}

static bool is_replacement(const json_t *step) {
    const char *from = json_string_value(json_object_get(json_object_get(step, "pattern"), "String"));
    const char *to = json_string_value(json_object_get(step, "content"));
    return is_type(step, "Replace") && from && to && strcmp(from, " ") == 0 &&
           strcmp(to, "\xe2\x96\x81") == 0;
}

static fq_status read_sentencepiece(fq_tokenizer *t, const char *where, const json_t *root) {
    const json_t *normalizer = json_object_get(root, "normalizer");
    const json_t *steps = json_object_get(normalizer, "normalizers");
    const json_t *prepend = json_array_get(steps, 0);
    const char *put_in_front = json_string_value(json_object_get(prepend, "prepend"));
    bool good = absent(root, "pre_tokenizer");
    if (is_replacement(normalizer)) {
        t->adds_space = false;
    } else {
        t->adds_space = true;
        good = good && is_type(normalizer, "Sequence") && json_array_size(steps) == 2 &&
               is_type(prepend, "Prepend") && put_in_front && strcmp(put_in_front, "\xe2\x96\x81") == 0 &&
               is_replacement(json_array_get(steps, 1));
    }
    return good ? FQ_OK
                : unsupported(where, "normalizer, pre_tokenizer: supported for BPE with byte fallback: a "
                                     "normalizer that replaces spaces, with or without one put in front, "
                                     "and no pre_tokenizer");
}

/* --- tokens and merges --- */

/* Raises *count above the token's id, and *bytes by its length. */
static fq_status measure(const char *where, const json_t *id, size_t length, size_t *count, size_t *bytes) {
    const json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 0 || value >= FQ_TOKENS_MAX)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: a token's id is no whole number in 0..%d", where,
                            FQ_TOKENS_MAX - 1);
    if ((size_t)value >= *count)
        *count = (size_t)value + 1;
    *bytes += length;
    return FQ_OK;
}

enum { NOT_SEEN, SEEN_ADDED, SEEN_IN_BOTH, SEEN_IN_VOCABULARY };

/* An added token may be listed in the vocabulary as well; otherwise each id is there once. */
static fq_status set_tokens(fq_tokenizer *t, const char *where, json_t *vocabulary, const json_t *added,
                            unsigned char *seen) {
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *entry = json_array_get(added, i), *content = json_object_get(entry, "content");
        const size_t id = (size_t)json_integer_value(json_object_get(entry, "id"));
        if (seen[id])
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: added_tokens: id %zu occurs twice", where, id);
        seen[id] = SEEN_ADDED;
        const bool special = json_is_true(json_object_get(entry, "special"));
        FQ_TRY(fq_tokenizer_set_token(t, where, id, json_string_value(content), json_string_length(content),
                                      special ? FQ_TOKEN_CONTROL : FQ_TOKEN_PLAIN, 0.0f));
    }
    const char *spelling = NULL;
    json_t *value = NULL;
    json_object_foreach(vocabulary, spelling, value) {
        const size_t id = (size_t)json_integer_value(value), length = strlen(spelling);
        if (seen[id] > SEEN_ADDED)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: vocab: id %zu occurs twice", where, id);
        const bool is_added = seen[id] == SEEN_ADDED;
        seen[id] = is_added ? SEEN_IN_BOTH : SEEN_IN_VOCABULARY;
        if (is_added)
            continue;
        const bool byte = t->kind == FQ_TOKENIZER_SENTENCEPIECE && length == 6 &&
                          memcmp(spelling, "<0x", 3) == 0 && spelling[5] == '>';
        FQ_TRY(fq_tokenizer_set_token(t, where, id, spelling, length, byte ? FQ_TOKEN_BYTE : FQ_TOKEN_NORMAL,
                                      0.0f));
    }
    return fq_tokenizer_index(t, where);
}

static fq_status read_tokens(fq_tokenizer *t, const char *where, json_t *vocabulary, const json_t *added,
                             size_t merges) {
    size_t count = 0, bytes = 0;
    if (!json_is_object(vocabulary))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: vocab: not an object", where);
    const char *spelling = NULL;
    json_t *value = NULL;
    json_object_foreach(vocabulary, spelling, value)
        FQ_TRY(measure(where, value, strlen(spelling), &count, &bytes));
    if (added && !json_is_array(added))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: added_tokens: not an array", where);
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *entry = json_array_get(added, i), *content = json_object_get(entry, "content");
        if (!json_is_string(content))
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: added_tokens: entry %zu has no content", where, i);
        FQ_TRY(measure(where, json_object_get(entry, "id"), json_string_length(content), &count, &bytes));
    }
    FQ_TRY(fq_tokenizer_reserve(t, where, count, bytes, merges));
    unsigned char *seen = NULL;
    FQ_TRY(fq_alloc_zero(&seen, count, sizeof *seen));
    const fq_status status = set_tokens(t, where, vocabulary, added, seen);
    fq_free(seen);
    return status;
}

static fq_status read_merges(fq_tokenizer *t, const char *where, const json_t *merges) {
    for (size_t i = 0; i < json_array_size(merges); i++) {
        const json_t *merge = json_array_get(merges, i);
        const json_t *left = json_array_get(merge, 0), *right = json_array_get(merge, 1);
        if (json_is_string(merge))
            FQ_TRY(
                fq_tokenizer_add_merge_line(t, where, json_string_value(merge), json_string_length(merge)));
        else if (json_array_size(merge) == 2 && json_is_string(left) && json_is_string(right))
            FQ_TRY(fq_tokenizer_add_merge(t, where, json_string_value(left), json_string_length(left),
                                          json_string_value(right), json_string_length(right)));
        else
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: merges: entry %zu is neither a text nor two texts", where,
                                i);
    }
    fq_tokenizer_index_merges(t);
    return FQ_OK;
}

static uint32_t find_added(const json_t *root, const char *text) {
    const json_t *added = json_object_get(root, "added_tokens");
    for (size_t i = 0; i < json_array_size(added); i++) {
        const json_t *entry = json_array_get(added, i);
        const char *content = json_string_value(json_object_get(entry, "content"));
        if (content && strcmp(content, text) == 0)
            return (uint32_t)json_integer_value(json_object_get(entry, "id"));
    }
    return FQ_NO_TOKEN;
}

fq_status fq_tokenizer_read_json(fq_tokenizer *t, const char *where, json_t *root) {
    json_t *model = json_object_get(root, "model");
    const json_t *merges = json_object_get(model, "merges");
    if (!json_is_object(model))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: model: missing or not an object", where);
    const bool bpe = is_type(model, "BPE") || (!json_object_get(model, "type") && merges);
    if (!bpe || !absent(model, "ignore_merges") || !absent(model, "continuing_subword_prefix") ||
        !absent(model, "end_of_word_suffix") || !absent(model, "dropout"))
        return unsupported(where, "model: supported: BPE without prefixes, suffixes, dropout or "
                                  "ignore_merges");
    if (!json_is_array(merges))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: model: merges: not an array", where);
    t->kind = json_is_true(json_object_get(model, "byte_fallback")) ? FQ_TOKENIZER_SENTENCEPIECE
                                                                    : FQ_TOKENIZER_BYTE_LEVEL;
    FQ_TRY(t->kind == FQ_TOKENIZER_BYTE_LEVEL ? read_byte_level(t, where, root)
                                              : read_sentencepiece(t, where, root));
    FQ_TRY(read_tokens(t, where, json_object_get(model, "vocab"), json_object_get(root, "added_tokens"),
                       json_array_size(merges)));
    const char *unknown = json_string_value(json_object_get(model, "unk_token"));
    if (unknown && t->kind == FQ_TOKENIZER_SENTENCEPIECE) {
        t->unknown = find_added(root, unknown);
        if (t->unknown == FQ_NO_TOKEN)
            t->unknown = fq_tokenizer_find(t, unknown, strlen(unknown));
    }
    return read_merges(t, where, merges);
}

/* --- begin and end of text --- */

/* "bos_token" is a text or an object with the text as "content". */
static void find_special(const json_t *config, const char *key, const json_t *root, uint32_t *id, bool *has) {
    const json_t *value = json_object_get(config, key);
    if (json_is_object(value))
        value = json_object_get(value, "content");
    const char *text = json_string_value(value);
    const uint32_t found = text && root ? find_added(root, text) : FQ_NO_TOKEN;
    if (found != FQ_NO_TOKEN) {
        *id = found;
        *has = true;
    }
}

static fq_status special_by_id(fq_tokenizer *t, const char *where, const json_t *config, const char *key,
                               uint32_t *id, bool *has) {
    size_t value = 0;
    bool found = false;
    if (*has || json_is_array(json_object_get(config, key))) /* several ends: none of them is the end */
        return FQ_OK;
    FQ_TRY(fq_json_get_size(config, where, key, 0, t->info.vocabulary - 1, &value, &found));
    if (found) {
        *id = (uint32_t)value;
        *has = true;
        t->tokens[value].kind = FQ_TOKEN_CONTROL;
    }
    return FQ_OK;
}

/* --- what is put around a text --- */

typedef struct frame {
    bool adds;         /* a special token in front */
    const char *token; /* its name in the template */
    json_t *ids;       /* its ids; borrowed */
} frame;

/* "single": [{"SpecialToken": {"id": name}}, {"Sequence": ...}, ...]; "special_tokens": {name: {"ids":
 * [...]}}. */
static fq_status read_template(const char *where, const json_t *processor, frame *f) {
    const json_t *pieces = json_object_get(processor, "single");
    const json_t *special = json_object_get(json_array_get(pieces, 0), "SpecialToken");
    if (!json_is_array(pieces))
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: post_processor: single: not an array", where);
    if (!special)
        return FQ_OK;
    if (f->adds || json_object_get(json_array_get(pieces, 1), "SpecialToken"))
        return unsupported(where, "post_processor: supported: at most one special token in front of a text");
    f->adds = true;
    f->token = json_string_value(json_object_get(special, "id"));
    const json_t *tokens = json_object_get(processor, "special_tokens");
    if (f->token)
        f->ids = json_object_get(json_object_get(tokens, f->token), "ids");
    return FQ_OK;
}

/* What the post-processor puts in front of a single text: templates and byte-level offsets, alone or nested
 * in Sequences. Any other kind would add tokens that this program does not know of. */
static fq_status read_processor(const char *where, const json_t *processor, frame *f) {
    if (!processor || json_is_null(processor) || is_type(processor, "ByteLevel"))
        return FQ_OK;
    if (is_type(processor, "TemplateProcessing"))
        return read_template(where, processor, f);
    if (!is_type(processor, "Sequence"))
        return unsupported(where, "post_processor: supported: ByteLevel, TemplateProcessing, Sequence");
    const json_t *steps = json_object_get(processor, "processors");
    for (size_t i = 0; i < json_array_size(steps);
         i++) /* ends: JSON is nested at most FQ_JSON_MAX_DEPTH deep */
        FQ_TRY(read_processor(where, json_array_get(steps, i), f));
    return FQ_OK;
}

/* The id that the template names becomes the begin token. */
static fq_status take_frame(fq_tokenizer *t, const char *where, const json_t *root, const frame *f) {
    const json_t *id = json_array_get(f->ids, 0);
    uint32_t found = FQ_NO_TOKEN;
    if (json_array_size(f->ids) == 1 && json_is_integer(id) && json_integer_value(id) >= 0 &&
        (uint64_t)json_integer_value(id) < t->info.vocabulary)
        found = (uint32_t)json_integer_value(id);
    else if (!f->ids && f->token)
        found = find_added(root, f->token);
    if (found == FQ_NO_TOKEN)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT,
                            "%s: post_processor: the special token \"%.60s\" has no single id in "
                            "the vocabulary",
                            where, f->token ? f->token : "");
    t->info.bos = found;
    t->info.has_bos = true;
    t->tokens[found].kind = FQ_TOKEN_CONTROL;
    return FQ_OK;
}

static fq_status read_optional(const char *folder, const char *name, char **path, json_t **out) {
    struct stat about;
    *out = NULL;
    FQ_TRY(fq_path_join(path, folder, name));
    if (stat(*path, &about) != 0)
        return FQ_OK;
    fq_mapped_file file = {0};
    FQ_TRY(fq_mapped_file_open(&file, *path));
    const fq_status status = fq_json_parse(out, *path, file.bytes, file.size, 0, most_json);
    fq_mapped_file_close(&file);
    return status;
}

typedef struct folder_files {
    char *path[4];
    json_t *tokenizer, *tokenizer_config, *config, *vocabulary;
} folder_files;

static fq_status read_specials(fq_tokenizer *t, const folder_files *f) {
    find_special(f->tokenizer_config, "bos_token", f->tokenizer, &t->info.bos, &t->info.has_bos);
    find_special(f->tokenizer_config, "eos_token", f->tokenizer, &t->info.eos, &t->info.has_eos);
    FQ_TRY(special_by_id(t, f->path[2], f->config, "bos_token_id", &t->info.bos, &t->info.has_bos));
    FQ_TRY(special_by_id(t, f->path[2], f->config, "eos_token_id", &t->info.eos, &t->info.has_eos));
    const json_t *adds = json_object_get(f->tokenizer_config, "add_bos_token");
    frame around = {0};
    FQ_TRY(read_processor(f->path[0], json_object_get(f->tokenizer, "post_processor"), &around));
    if (around.adds && !json_is_false(adds))
        FQ_TRY(take_frame(t, f->path[0], f->tokenizer, &around));
    t->info.adds_bos = json_is_boolean(adds) ? json_is_true(adds) : around.adds;
    t->info.adds_bos = t->info.adds_bos && t->info.has_bos;
    return FQ_OK;
}

/* --- vocab.json and merges.txt --- */

static fq_status read_merge_lines(fq_tokenizer *t, const fq_mapped_file *file) {
    const char *text = (const char *)file->bytes;
    for (size_t at = 0; at < file->size;) {
        const char *end = memchr(text + at, '\n', file->size - at);
        size_t length = end ? (size_t)(end - (text + at)) : file->size - at;
        const size_t next = at + length + 1;
        if (length > 0 && text[at + length - 1] == '\r')
            length--;
        const bool comment = at == 0 && length >= 8 && memcmp(text, "#version", 8) == 0;
        if (length > 0 && !comment)
            FQ_TRY(fq_tokenizer_add_merge_line(t, file->path, text + at, length));
        at = next;
    }
    fq_tokenizer_index_merges(t);
    return FQ_OK;
}

static fq_status read_gpt2_files(fq_tokenizer *t, const char *folder, const folder_files *f) {
    t->kind = FQ_TOKENIZER_BYTE_LEVEL;
    t->words = FQ_WORDS_GPT2;
    char *path = NULL;
    FQ_TRY(fq_path_join(&path, folder, FQ_FOLDER_MERGES));
    fq_mapped_file file = {0};
    fq_status status = fq_mapped_file_open(&file, path);
    fq_free(path);
    FQ_TRY(status);
    size_t lines = 1;
    for (size_t i = 0; i < file.size; i++)
        lines += file.bytes[i] == '\n';
    status = read_tokens(t, f->path[3], f->vocabulary, NULL, lines);
    if (status == FQ_OK)
        status = read_merge_lines(t, &file);
    fq_mapped_file_close(&file);
    return status;
}

static fq_status read_files(fq_tokenizer *t, const char *folder, folder_files *f) {
    FQ_TRY(read_optional(folder, FQ_FOLDER_TOKENIZER, &f->path[0], &f->tokenizer));
    FQ_TRY(read_optional(folder, FQ_FOLDER_TOKENIZER_CONFIG, &f->path[1], &f->tokenizer_config));
    FQ_TRY(read_optional(folder, FQ_FOLDER_CONFIG, &f->path[2], &f->config));
    if (f->tokenizer) {
        FQ_TRY(fq_tokenizer_read_json(t, f->path[0], f->tokenizer));
    } else {
        FQ_TRY(read_optional(folder, FQ_FOLDER_VOCABULARY, &f->path[3], &f->vocabulary));
        if (!f->vocabulary)
            return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: no tokenizer.json, nor vocab.json and merges.txt", folder);
        FQ_TRY(read_gpt2_files(t, folder, f));
    }
    return read_specials(t, f);
}

fq_status fq_tokenizer_read_folder(fq_tokenizer *t, const fq_checkpoint *checkpoint) {
    folder_files f = {0};
    const fq_status status = read_files(t, checkpoint->folder, &f);
    json_decref(f.tokenizer);
    json_decref(f.tokenizer_config);
    json_decref(f.config);
    json_decref(f.vocabulary);
    for (size_t i = 0; i < 4; i++)
        fq_free(f.path[i]);
    return status;
}
