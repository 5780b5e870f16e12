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

/* Kept as halves, first or last, is what the uncompressed codec does to all. */
static void given_all_tokens_kept_expect_no_change_but_that_of_halves(void) {
    static const char *const keeping[] = {"-c tq:b=1 --treatment first:tokens=16,bits=16",
                                          "-c tq:b=1 --treatment window:tokens=16,bits=16"};
    make_model_and_text();
    json_t *half = row_of("-c fp16");
    for (size_t i = 0; i < 2; i++) {
        json_t *row = row_of(keeping[i]);
        FQ_CHECK_NEAR(value(row, "loss_change"), value(half, "loss_change"), 1e-6);
        FQ_CHECK_NEAR(value(row, "kl"), value(half, "kl"), 1e-6);
        FQ_CHECK_NEAR(value(row, "agreement"), value(half, "agreement"), 0);
        json_decref(row);
    }
    json_decref(half);
}

static void given_coarse_codecs_expect_damage_that_keeping_and_finer_values_reduce(void) {
    make_model_and_text();
    json_t *both = row_of("-c tq:b=1"), *key = row_of("-c tq:b=1 --value-codec fp16");
    json_t *value_alone = row_of("-c fp16 --value-codec tq:b=1");
    json_t *kept = row_of("-c tq:b=1 --treatment first:tokens=2+window:tokens=8"), *half = row_of("-c fp16");
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
    wants(3, "-m none.gguf -c fp16", "--model: none.gguf: cannot be");
    wants(2, "-m model.gguf -c fp16 -c tq:b=99", "--codec \"tq:b=99\": ");
    wants(2, "-m model.gguf -c fp16 --value-codec zip", "--value-codec \"zip\": ");
    wants(2, "-m model.gguf -c fp16 --window 16 --skip 15", "--skip 15: allowed is 0 to --window - 2, 14");
    const fq_command_result *r =
        fq_command("$FIBQUANT perplexity -m model.gguf -t text.txt -q -o long.h5 -c fp16 --window 16 "
                   "--windows 90 --skip 4; "
                   "e=$?; $FIBQUANT results long.h5 --table failures --csv; exit $e");
    FQ_CHECK(r->exit_code == 5);
    FQ_CHECK(strstr(r->out, "90 windows of 16") != NULL);
}

/* Another text, other windows and failed points in one store: each run shows its own, and only that. */
static void given_one_store_expect_each_run_to_show_its_own(void) {
    static const char *const forms = "$FIBQUANT perplexity -m model.gguf --skip 4 -q -o p.h5 --resume %s";
    char alone[2048];
    make_model_and_text();
    FQ_CHECK(fq_command("tr a-m n-z < text.txt > other.txt; rm -f p.h5")->exit_code == 0);
    const fq_command_result *r = fq_command(forms, "-t text.txt --window 16 --windows 3 -c tq:b=1 -c fp16");
    FQ_CHECK(r->exit_code == 0);
    snprintf(alone, sizeof alone, "%.2000s", r->out);
    FQ_CHECK(strstr(alone, "text.txt") && strstr(alone, "  tq:b=1\n") && strstr(alone, "  fp16\n"));
    /* the second text beside the first, and alone: the same table */
    r = fq_command(forms, "-t other.txt --window 16 --windows 3 -c tq:b=2");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "other.txt") && !strstr(r->out, "text.txt (") &&
             !strstr(r->out, "tq:b=1"));
    char second[2048];
    snprintf(second, sizeof second, "%.2000s", r->out);
    r = fq_command(
        "$FIBQUANT perplexity -m model.gguf --skip 4 -q -o alone.h5 -t other.txt --window 16 --windows "
        "3 -c tq:b=2");
    FQ_CHECK(r->exit_code == 0 && strcmp(r->out, second) == 0);
    /* other windows of the first text */
    r = fq_command(forms, "-t text.txt --window 12 --windows 3 -c tq:b=1");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "3 windows of 12") && !strstr(r->out, "fp16"));
    /* a run that fails shows its failure and no table; the next one shows its table and no failure */
    r = fq_command(forms, "-t text.txt --window 16 --windows 90 -c fp16");
    FQ_CHECK(r->exit_code == 5 && strstr(r->err, "90 windows of 16") && r->out[0] == '\0');
    FQ_CHECK(strchr(r->err, '\n') && strchr(r->err, '\n')[1] == '\0');
    r = fq_command(forms, "-t text.txt --window 16 --windows 3 -c tq:b=1 -c fp16");
    FQ_CHECK(r->exit_code == 0 && r->err[0] == '\0' && strcmp(r->out, alone) == 0);
    /* a codec more: its rows and those with the same text */
    r = fq_command(forms, "-t text.txt --window 16 --windows 3 -c tq:b=3");
    FQ_CHECK(r->exit_code == 0 && strstr(r->out, "tq:b=1") && strstr(r->out, "tq:b=3") &&
             !strstr(r->out, "tq:b=2"));
    /* the refusal names options that there are */
    r = fq_command(
        "$FIBQUANT perplexity -m model.gguf -t text.txt --window 16 --windows 3 --skip 4 -q -o p.h5 -c "
        "fp16");
    FQ_CHECK(r->exit_code == 2 && strstr(r->err, "--retry-failed"));
    r = fq_command(
        "$FIBQUANT perplexity -m model.gguf -t text.txt --window 16 --windows 90 --skip 4 -q -o p.h5 -c "
        "fp16 --retry-failed");
    FQ_CHECK(r->exit_code == 5 && strstr(r->err, "90 windows of 16"));
}

static void given_json_expect_one_document(void) {
    make_model_and_text();
    const fq_command_result *r =
        fq_command("$FIBQUANT perplexity -m model.gguf -t text.txt --window 16 --windows 3 "
                   "--skip 4 -o j.h5 -c tq:b=1 -c fp16 --json");
    json_t *document = json_loads(r->out, 0, NULL), *rows = json_object_get(document, "rows");
    FQ_CHECK(r->exit_code == 0 && json_array_size(rows) == 2);
    FQ_CHECK(strcmp(json_string_value(json_object_get(json_array_get(rows, 0), "codec")), "tq:b=1") == 0);
    FQ_CHECK(value(json_array_get(rows, 0), "kl") > 0 && value(json_array_get(rows, 1), "scored") == 33);
    json_decref(document);
}

/* A window of a text: the begin token first where the model has one, then the text's from that place on. */
static void windows_begin_as_the_model_wants(void) {
    uint32_t tokens[10], window[4];
    for (uint32_t t = 0; t < 10; t++)
        tokens[t] = 100 + t;
    for (int begins = 0; begins < 2; begins++) {
        fq_model_text text = {.tokens = tokens, .count = 10, .adds_bos = begins == 1, .bos = 7};
        text.model.config.context = 4;
        FQ_CHECK_OK(fq_model_text_window(&text, window, 6, 4));
        FQ_CHECK(window[0] == (begins ? 7 : 106) && window[1] == (begins ? 106 : 107) &&
                 window[3] == (begins ? 108 : 109));
        FQ_CHECK_FAILS(fq_model_text_window(&text, window, 8, 4), FQ_ERR_INPUT);
        FQ_CHECK_FAILS(fq_model_text_window(&text, window, 0, 5), FQ_ERR_USAGE);
    }
}

static const fq_test tests[] = {
    {"windows begin as the model wants", windows_begin_as_the_model_wants},
    {"given one store expect each run to show its own", given_one_store_expect_each_run_to_show_its_own},
    {"given json expect one document", given_json_expect_one_document},
    {"given fp16 expect the loss by hand and next to no change",
     given_fp16_expect_the_loss_by_hand_and_next_to_no_change},
    {"given all tokens kept expect no change at all",
     given_all_tokens_kept_expect_no_change_but_that_of_halves},
    {"given coarse codecs expect damage that keeping and finer values reduce",
     given_coarse_codecs_expect_damage_that_keeping_and_finer_values_reduce},
    {"bad input is named", bad_input_is_named},
    {0}};

const fq_suite fq_suite_perplexity = {"perplexity", tests};
