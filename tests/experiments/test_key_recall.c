/* The experiment key-recall on a small random model: its contexts and scores written out anew, and that an
 * answer is found where a model can look back. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "byte_buffer.h"
#include "check.h"
#include "command.h"
#include "model_text.h"
#include "stream.h"

enum { LENGTH = 12, TRIALS = 3, NEEDLES = 2, KEY = 1, ANSWER = 1, BLOCK = KEY + ANSWER };
enum { WHOLE = LENGTH + NEEDLES * BLOCK };

static char model_path[256], text_path[256];

static void make_model_and_text(void) {
    fq_bytes model = {0}, text = {0};
    fq_gguf_put_small_llama(&model, 3);
    for (int i = 0; i < 400; i++) {
        const unsigned char letter = (unsigned char)("etaoin shrdlu"[(i * i + i / 7) % 13]);
        fq_bytes_add(&text, &letter, 1);
    }
    fq_bytes_save(&model, fq_test_folder(), "model.gguf", model_path);
    fq_bytes_save(&text, fq_test_folder(), "text.txt", text_path);
    fq_bytes_free(&model);
    fq_bytes_free(&text);
}

static const fq_command_result *sweep(const char *grid) {
    return fq_command(
        "rm -f k.h5; printf '{experiment: key-recall, grid: {model: model.gguf, text: text.txt, "
        "length: %d, trials: %d, needles: %d, key: %d, answer: %d, %s}}' > k.yaml; "
        "$FIBQUANT sweep k.yaml -q -o k.h5 && $FIBQUANT results k.h5 --table key-recall --json",
        LENGTH, TRIALS, NEEDLES, KEY, ANSWER, grid);
}

static json_t *rows_of(const char *grid) {
    const fq_command_result *r = sweep(grid);
    if (!FQ_CHECK(r->exit_code == 0)) {
        fprintf(stderr, "%s\n%s\n", r->out, r->err);
        return json_array();
    }
    const char *json = strstr(r->out, "{");
    json_t *document = json_loads(json ? json : r->out, 0, NULL),
           *rows = json_incref(json_object_get(document, "rows"));
    json_decref(document);
    return rows;
}

static double value(const json_t *rows, size_t row, const char *name) {
    const json_t *field = json_object_get(json_array_get(rows, row), name);
    return json_is_number(field) ? json_number_value(field) : (double)NAN;
}

/* Loss of the needles of a trial, every step after the experiment's protocol. */
static void loss_by_hand(const fq_model_text *m, size_t trial, double loss[NEEDLES]) {
    const fq_model_config *c = &m->model.config;
    uint32_t tokens[WHOLE], needle[NEEDLES * BLOCK];
    fq_kv_store *store = NULL;
    fq_stream s;
    float *hidden = malloc(WHOLE * c->width * sizeof *hidden),
          *logits = malloc(c->vocabulary * sizeof *logits);
    FQ_CHECK_OK(fq_model_text_window(m, tokens, trial * (m->count / TRIALS), LENGTH));
    fq_stream_init(&s, 1, FQ_PURPOSE_RECALL, trial);
    for (size_t i = 0; i < NEEDLES * BLOCK;) {
        needle[i] = m->tokens[fq_stream_below(&s, m->count)];
        size_t j = 0;
        while (needle[j] != needle[i])
            j++;
        i += j == i;
    }
    for (size_t i = 0; i < NEEDLES; i++) {
        const size_t at = 1 + (2 * i + 1) * (LENGTH - 1 - BLOCK) / 4,
                     asked = LENGTH + (i + trial) % 2 * BLOCK;
        for (size_t j = 0; j < BLOCK; j++)
            tokens[at + j] = tokens[asked + j] = needle[i * BLOCK + j];
    }
    FQ_CHECK_OK(fq_kv_store_create(&store, c->layers, c->kv_heads, c->head_dim, WHOLE, NULL));
    FQ_CHECK_OK(fq_transformer_run(&m->model, store, tokens, WHOLE, hidden, NULL));
    for (size_t i = 0; i < NEEDLES; i++) {
        const size_t last = LENGTH + (i + trial) % 2 * BLOCK + KEY - 1;
        double sum = 0.0;
        fq_transformer_logits(&m->model, logits, hidden + last * c->width, 1);
        for (size_t v = 0; v < c->vocabulary; v++)
            sum += exp((double)logits[v]);
        loss[i] = log(sum) - (double)logits[needle[i * BLOCK + KEY]];
    }
    fq_kv_store_destroy(store);
    free(logits);
    free(hidden);
}

static void rows_are_what_the_protocol_says(void) {
    fq_model_text m;
    make_model_and_text();
    json_t *rows = rows_of("codec: [fp16, \"tq:b=2\"], treatment: \"first\"");
    FQ_CHECK(json_array_size(rows) == 2 * TRIALS * NEEDLES);
    if (!FQ_CHECK_OK(fq_model_text_load(&m, model_path, text_path)))
        return;
    double changed = 0.0;
    for (size_t trial = 0; trial < TRIALS; trial++) {
        double loss[NEEDLES];
        loss_by_hand(&m, trial, loss);
        for (size_t i = 0; i < NEEDLES; i++) {
            const size_t row = trial * NEEDLES + i, other = row + TRIALS * NEEDLES;
            FQ_CHECK_NEAR(value(rows, row, "loss_reference"), loss[i], 1e-4);
            FQ_CHECK_NEAR(value(rows, row, "loss"), loss[i], 0.05); /* halves */
            FQ_CHECK(value(rows, other, "loss_reference") == value(rows, row, "loss_reference"));
            changed += fabs(value(rows, other, "loss") - loss[i]);
            FQ_CHECK(value(rows, row, "trial") == (double)trial && value(rows, row, "needle") == (double)i);
            FQ_CHECK_NEAR(value(rows, row, "depth"),
                          (double)(1 + (2 * i + 1) * (LENGTH - 1 - BLOCK) / 4) / LENGTH, 1e-12);
            FQ_CHECK(value(rows, row, "recalled_reference") == 0.0 ||
                     value(rows, row, "recalled_reference") == 1.0);
        }
    }
    FQ_CHECK(changed > 1e-3); /* two bits are not the model itself */
    fq_model_text_clear(&m);
    json_decref(rows);
}

static void contexts_that_cannot_be_are_refused(void) {
    static const struct {
        const char *grid, *names;
    } cases[] = {{"codec: fp16, length: 9", "\"length\""},
                 {"codec: fp16, treatment: \"nothing\"", "nothing"},
                 {"codec: fp16, value_codec: \"tq:b=99\"", "value_codec"}};
    make_model_and_text();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const fq_command_result *r = fq_command(
            "printf '{experiment: key-recall, grid: {model: model.gguf, text: text.txt, needles: 2, key: 2, "
            "answer: 1, trials: 3, %s}}' > b.yaml; $FIBQUANT sweep b.yaml -q -o b.h5",
            cases[i].grid);
        FQ_CHECK(r->exit_code == 3 || r->exit_code == 2);
        if (!FQ_CHECK(strstr(r->err, cases[i].names) != NULL))
            fprintf(stderr, "%s", r->err);
    }
    /* more tokens than the text has of different ones, and more contexts than it has tokens for */
    const fq_command_result *few = fq_command(
        "printf '%%0400d' 0 > zeros.txt; printf '{experiment: key-recall, grid: {model: model.gguf, text: "
        "zeros.txt, codec: fp16, length: 12, needles: 2, key: 1, answer: 1, trials: 2}}' > b.yaml; "
        "$FIBQUANT sweep b.yaml -q -o b1.h5; rc=$?; $FIBQUANT results b1.h5 --table failures; exit $rc");
    if (!FQ_CHECK(few->exit_code == 5 && strstr(few->out, "too few different tokens")))
        fprintf(stderr, "%s%s", few->out, few->err);
    const fq_command_result *many = fq_command(
        "printf '{experiment: key-recall, grid: {model: model.gguf, text: text.txt, codec: fp16, length: 12, "
        "needles: 2, key: 1, answer: 1, trials: 200}}' > b.yaml; $FIBQUANT sweep b.yaml -q -o b2.h5; "
        "rc=$?; $FIBQUANT results b2.h5 --table failures; exit $rc");
    if (!FQ_CHECK(many->exit_code == 5 && strstr(many->out, "200 contexts of 12 need more")))
        fprintf(stderr, "%s%s", many->out, many->err);
}

static const fq_test tests[] = {
    {"rows are what the protocol says", rows_are_what_the_protocol_says},
    {"contexts that cannot be", contexts_that_cannot_be_are_refused},
    {0},
};

const fq_suite fq_suite_key_recall = {"key_recall", tests};
