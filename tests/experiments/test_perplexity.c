/* Perplexity with a compressed cache, end to end through the program, on a small random model. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "byte_buffer.h"
#include "check.h"
#include "command.h"
#include "memory.h"
#include "model_text.h"

enum { WINDOW = 16, WINDOWS = 3, SKIP = 4, LETTERS = 400 };

static char model_path[256], text_path[256];

/* A model of 258 tokens and a text of a few hundred letters. */
static void make_model_and_text(void) {
    fq_bytes model = {0}, text = {0};
    fq_gguf_put_small_llama(&model, 3);
    for (int i = 0; i < LETTERS; i++) {
        const unsigned char letter = (unsigned char)("etaoin shrdlu"[(i * i + i / 7) % 13]);
        fq_bytes_add(&text, &letter, 1);
    }
    fq_bytes_save(&model, fq_test_folder(), "model.gguf", model_path);
    fq_bytes_save(&text, fq_test_folder(), "text.txt", text_path);
    fq_bytes_free(&model);
    fq_bytes_free(&text);
}

/* Runs the verb, and returns its only row. */
static json_t *row_of(const char *arguments) {
    const fq_command_result *r = fq_command(
        "rm -f r.h5; $FIBQUANT perplexity -m model.gguf -t text.txt --window %d --windows %d --skip %d -q "
        "-o r.h5 %s && $FIBQUANT results r.h5 --json",
        WINDOW, WINDOWS, SKIP, arguments);
    if (!FQ_CHECK(r->exit_code == 0)) {
        fprintf(stderr, "%s\n%s\n", r->out, r->err);
        return NULL;
    }
    const char *json = strstr(r->out, "\n{"); /* behind the table */
    json_t *document = json_loads(json ? json : r->out, 0, NULL), *row = NULL;
    json_t *rows = json_object_get(document, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        row = json_incref(json_array_get(rows, i));
    FQ_CHECK(json_array_size(rows) == 1);
    json_decref(document);
    return row;
}

static double value(const json_t *row, const char *name) {
    const json_t *field = json_object_get(row, name);
    return json_is_number(field) ? json_number_value(field) : (double)NAN;
}

/* Mean loss of the uncompressed model, one window at a time, in double: the experiment's definition. */
static double loss_by_hand(void) {
    fq_model_text m;
    fq_kv_store *store = NULL;
    double sum = 0;
    if (!FQ_CHECK_OK(fq_model_text_load(&m, model_path, text_path)))
        return (double)NAN;
    const fq_model_config *c = &m.model.config;
    FQ_CHECK_OK(fq_kv_store_create(&store, c->layers, c->kv_heads, c->head_dim, WINDOW, NULL));
    float *hidden = malloc(WINDOW * c->width * sizeof *hidden),
          *logits = malloc(WINDOW * c->vocabulary * sizeof *logits);
    for (size_t w = 0; w < WINDOWS; w++) {
        uint32_t tokens[WINDOW];
        FQ_CHECK_OK(fq_model_text_window(&m, tokens, w * (m.count / WINDOWS), WINDOW));
        fq_kv_store_reset(store);
        FQ_CHECK_OK(fq_transformer_run(&m.model, store, tokens, WINDOW, hidden, NULL));
        fq_transformer_logits(&m.model, logits, hidden, WINDOW);
        for (size_t t = SKIP; t + 1 < WINDOW; t++) {
            const float *x = logits + t * c->vocabulary;
            double z = 0;
            for (size_t i = 0; i < c->vocabulary; i++)
                z += exp((double)x[i]);
            sum += log(z) - (double)x[tokens[t + 1]];
        }
    }
    free(logits);
    free(hidden);
    fq_kv_store_destroy(store);
    fq_model_text_clear(&m);
    return sum / (WINDOWS * (WINDOW - 1 - SKIP));
}

/* Single precision log-sum-exp of 258 terms: a few 1e-7 of a loss of order 5. */
static void given_fp16_expect_the_loss_by_hand_and_next_to_no_change(void) {
    make_model_and_text();
    json_t *row = row_of("-c fp16");
    const double loss = loss_by_hand();
    FQ_CHECK_NEAR(log(value(row, "perplexity_reference")), loss, 3e-6);
    FQ_CHECK_NEAR(value(row, "loss"), loss, 1e-2);
    FQ_CHECK(value(row, "loss_change") != 0); /* half precision does change something */
    FQ_CHECK(fabs(value(row, "kl")) < 1e-4);
    FQ_CHECK_NEAR(value(row, "compression_stored"), 1, 0);
    FQ_CHECK(value(row, "scored") == WINDOWS * (WINDOW - 1 - SKIP));
    FQ_CHECK_NEAR(value(row, "perplexity"), exp(value(row, "loss")), 1e-9 * value(row, "perplexity"));
    json_decref(row);
}

static void given_all_tokens_kept_expect_no_change_at_all(void) {
    static const char *const keeping[] = {"-c tq:b=1 --keep-first 16", "-c tq:b=1 --keep-recent 16"};
    make_model_and_text();
    for (size_t i = 0; i < 2; i++) {
        json_t *row = row_of(keeping[i]);
        FQ_CHECK_NEAR(value(row, "loss_change"), 0, 1e-12);
        FQ_CHECK_NEAR(value(row, "kl"), 0, 1e-6);
        FQ_CHECK_NEAR(value(row, "agreement"), 1, 0);
        json_decref(row);
    }
}

static void given_coarse_codecs_expect_damage_that_keeping_and_finer_values_reduce(void) {
    make_model_and_text();
    json_t *both = row_of("-c tq:b=1"), *key = row_of("-c tq:b=1 --value-codec fp16");
    json_t *value_alone = row_of("-c fp16 --value-codec tq:b=1");
    json_t *kept = row_of("-c tq:b=1 --keep-first 2 --keep-recent 8"), *half = row_of("-c fp16");
    FQ_CHECK(value(both, "kl") > 100 * fabs(value(half, "kl")));
    FQ_CHECK(value(key, "kl") < value(both, "kl"));
    FQ_CHECK(value(value_alone, "kl") < value(both, "kl"));
    FQ_CHECK(value(key, "kl") != value(value_alone, "kl"));
    FQ_CHECK(value(kept, "kl") < value(both, "kl"));
    FQ_CHECK(value(kept, "compression_stored") < value(both, "compression_stored"));
    FQ_CHECK_NEAR(value(key, "rate"), (1 + 16) / 2.0, 0);
    json_decref(half);
    json_decref(kept);
    json_decref(value_alone);
    json_decref(key);
    json_decref(both);
}

static void wants(int exit_code, const char *arguments, const char *names) {
    const fq_command_result *r = fq_command("$FIBQUANT perplexity -t text.txt -q -o bad.h5 %s", arguments);
    if (!FQ_CHECK(r->exit_code == exit_code) || !FQ_CHECK(strstr(r->err, names) != NULL))
        fprintf(stderr, "%s\n  exit %d, wanted %d and \"%s\"\n  err: %s\n", arguments, r->exit_code,
                exit_code, names, r->err);
}

static void bad_input_is_named(void) {
    make_model_and_text();
    wants(2, "-m model.gguf", "--codec SPEC is missing");
    wants(3, "-m none.gguf -c fp16", "none.gguf");
    wants(5, "-m text.txt -c fp16", "text.txt");
    wants(3, "-m model.gguf -c tq:b=99", "b=99");
    wants(3, "-m model.gguf -c fp16 --value-codec zip", "zip");
    wants(3, "-m model.gguf -c fp16 --window 16 --skip 15", "skip");
    const fq_command_result *r =
        fq_command("$FIBQUANT perplexity -m model.gguf -t text.txt -q -o long.h5 -c fp16 --window 16 "
                   "--windows 90 --skip 4; "
                   "e=$?; $FIBQUANT results long.h5 --table failures --csv; exit $e");
    FQ_CHECK(r->exit_code == 5);
    FQ_CHECK(strstr(r->out, "90 windows of 16") != NULL);
}

static const fq_test tests[] = {
    {"given fp16 expect the loss by hand and next to no change",
     given_fp16_expect_the_loss_by_hand_and_next_to_no_change},
    {"given all tokens kept expect no change at all", given_all_tokens_kept_expect_no_change_at_all},
    {"given coarse codecs expect damage that keeping and finer values reduce",
     given_coarse_codecs_expect_damage_that_keeping_and_finer_values_reduce},
    {"bad input is named", bad_input_is_named},
    {0}};

const fq_suite fq_suite_perplexity = {"perplexity", tests};
