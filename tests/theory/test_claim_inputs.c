/* What verification is handed from files: rows of stores that are codes of a block, and every head; and the
 * bounds on attention outputs on the way there. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention_bound.h"
#include "check.h"
#include "claim_inputs.h"
#include "command.h"
#include "gains.h"
#include "kv_cache_file.h"
#include "result_file.h"
#include "stream.h"

static const char *path_of(const char *name) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", fq_test_folder(), name);
    return path;
}

static const fq_value_column columns[] = {
    {"codec", FQ_VALUE_TEXT, 0, "", "codec", FQ_ROLE_PARAMETER},
    {"dim", FQ_VALUE_INTEGER, 0, "1", "d", FQ_ROLE_PARAMETER},
    {"source", FQ_VALUE_TEXT, 0, "", "what is measured", FQ_ROLE_PARAMETER},
    {"samples", FQ_VALUE_INTEGER, 0, "1", "samples", FQ_ROLE_PARAMETER},
    {"block", FQ_VALUE_INTEGER, 0, "1", "k", FQ_ROLE_VALUE},
    {"rate", FQ_VALUE_REAL, 0, "bits per coordinate", "b", FQ_ROLE_VALUE},
    {"distortion", FQ_VALUE_REAL, 0, "1", "D", FQ_ROLE_VALUE},
    {"distortion_se", FQ_VALUE_REAL, 0, "1", "its standard error", FQ_ROLE_VALUE}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

typedef struct stored {
    const char *codec, *source;
    int64_t block;
    double rate, factor; /* of the Shannon bound */
    bool used;
} stored;

static const stored honest[] = {
    {"fib:k=4,N=256", "block", 4, 2, 1.5, true},          {"tq:b=2", "vector", 1, 2, 1.84, true},
    {"tq:b=2.5", "vector", 1, 2.5, 1.8, false},           {"tqprod:b=3", "vector", 0, 3, 3, false},
    {"fib:k=2,N=16,norm=ls", "vector", 2, 2, 1.5, false}, {"fib:k=2,N=16", "vector", 2, 2, 1.7, true}};
enum { HONEST = sizeof honest / sizeof honest[0] };

static void write_store(const char *path, const stored *rows, size_t count) {
    fq_results results = {0};
    fq_table *table = NULL;
    if (FQ_CHECK_OK(fq_results_add_table(&results, &table, "rate-distortion", columns, COLUMNS)) &&
        FQ_CHECK_OK(fq_table_append(table, NULL, count))) {
        for (size_t i = 0; i < count; i++) {
            fq_source source;
            FQ_CHECK_OK(fq_source_init(&source, 64, rows[i].block ? (size_t)rows[i].block : 1));
            const double bound = fq_gains_shannon_bound(&source, rows[i].rate);
            fq_table_set_text(table, i, 0, rows[i].codec);
            fq_table_set_integer(table, i, 1, 64);
            fq_table_set_text(table, i, 2, rows[i].source);
            fq_table_set_integer(table, i, 3, 5000);
            fq_table_set_integer(table, i, 4, rows[i].block);
            fq_table_set_real(table, i, 5, rows[i].rate);
            fq_table_set_real(table, i, 6, rows[i].factor * bound);
            fq_table_set_real(table, i, 7, 1e-3 * bound);
        }
        FQ_CHECK_OK(fq_result_file_write(path, &results));
    }
    fq_results_clear(&results);
}

static void rows_of_block_codes_are_taken(void) {
    const char *const path = path_of("claim_points.h5");
    write_store(path, honest, HONEST);
    fq_claim_inputs inputs;
    fq_claim_inputs_init(&inputs);
    if (FQ_CHECK_OK(fq_claim_inputs_add_store(&inputs, path)) &&
        FQ_CHECK_OK(fq_claim_inputs_add_store(&inputs, path))) { /* twice: points add up */
        size_t used = 0;
        for (int pass = 0; pass < 2; pass++)
            for (size_t i = 0; i < HONEST; i++)
                if (honest[i].used) {
                    const fq_claim_point *const point = &inputs.data.points[used++];
                    FQ_CHECK(point->dim == 64 && point->block == (size_t)honest[i].block);
                    FQ_CHECK(point->rate == honest[i].rate && point->samples == 5000);
                    FQ_CHECK(strstr(point->source, honest[i].codec) != NULL);
                }
        FQ_CHECK(inputs.data.point_count == used && used + inputs.skipped == 2 * HONEST);
    }
    fq_claim_inputs_clear(&inputs);
    FQ_CHECK_FAILS(fq_claim_inputs_add_store(&inputs, path_of("no_such.h5")), FQ_ERR_INPUT);
}

/* The program refutes a store with a point below the bound, exit 1, and names the row; it passes one
 * without. */
static void program_names_the_row_below_the_bound(void) {
    const stored too_good[] = {honest[0], {"fib:k=4,N=16,seed=77", "block", 4, 1, 0.97, true}};
    write_store(path_of("claim_points.h5"), honest, HONEST);
    const fq_command_result *r = fq_command("\"$FIBQUANT\" verify finite_rate --quick --quiet --store '%s'",
                                            path_of("claim_points.h5"));
    FQ_CHECK(r->exit_code == 0);
    write_store(path_of("claim_points.h5"), too_good, 2);
    r = fq_command("\"$FIBQUANT\" verify finite_rate --quick --quiet --store '%s'",
                   path_of("claim_points.h5"));
    FQ_CHECK(r->exit_code == 1);
    FQ_CHECK(strstr(r->out, "fib:k=4,N=16,seed=77") != NULL && strstr(r->out, "refuted") != NULL);
}

enum { LAYERS = 2, QUERY_HEADS = 4, HEADS = 2, TOKENS = 40, DIM = 16 };

static float number(size_t layer, fq_kv_kind kind, size_t token, size_t head, size_t i) {
    fq_stream stream;
    fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST,
                   (((layer * 3 + (size_t)kind) * TOKENS + token) * QUERY_HEADS + head) * DIM + i);
    return (float)fq_stream_normal(&stream);
}

static void every_head_is_read_with_its_group(void) {
    const char *const path = path_of("claim_cache.h5");
    const fq_kv_shape shape = {LAYERS, TOKENS, QUERY_HEADS, HEADS, DIM, 4};
    const fq_kv_origin origin = {.model = "m", .text = "t"};
    fq_kv_writer *writer;
    if (!FQ_CHECK_OK(fq_kv_writer_create(&writer, path, &shape, &origin, NULL)))
        return;
    static float rows[TOKENS * QUERY_HEADS * DIM];
    for (size_t layer = 0; layer < LAYERS; layer++)
        for (int kind = 0; kind < 3; kind++) {
            const size_t heads = kind == FQ_KV_QUERY ? QUERY_HEADS : HEADS;
            for (size_t t = 0; t < TOKENS; t++)
                for (size_t h = 0; h < heads; h++)
                    for (size_t i = 0; i < DIM; i++)
                        rows[(t * heads + h) * DIM + i] = number(layer, (fq_kv_kind)kind, t, h, i);
            FQ_CHECK_OK(fq_kv_writer_put(writer, layer, (fq_kv_kind)kind, 0, TOKENS, rows));
        }
    FQ_CHECK_OK(fq_kv_writer_commit(writer));
    fq_claim_inputs inputs;
    fq_claim_inputs_init(&inputs);
    if (FQ_CHECK_OK(fq_claim_inputs_add_cache(&inputs, path)) &&
        FQ_CHECK(inputs.data.head_count == LAYERS * QUERY_HEADS))
        for (size_t n = 0; n < inputs.data.head_count; n++) {
            const fq_claim_head *const head = &inputs.data.heads[n];
            const size_t layer = n / QUERY_HEADS, h = n % QUERY_HEADS, t = TOKENS - 1, i = 5;
            FQ_CHECK(head->tokens == TOKENS && head->dim == DIM);
            FQ_CHECK(head->query[t * DIM + i] == number(layer, FQ_KV_QUERY, t, h, i));
            FQ_CHECK(head->key[t * DIM + i] == number(layer, FQ_KV_KEY, t, h / 2, i));
            FQ_CHECK(head->value[t * DIM + i] == number(layer, FQ_KV_VALUE, t, h / 2, i));
        }
    fq_claim_inputs_clear(&inputs);
    const fq_command_result *r =
        fq_command("\"$FIBQUANT\" verify interface --quick --quiet --cache '%s'", path_of("claim_cache.h5"));
    FQ_CHECK(r->exit_code == 0);
}

/* The output bound holds for reconstructions that are off at random and for ones made to be bad: all errors
 * along the query, so that eps_j is attained. There it is within a factor of ten; a bound scaled by a
 * hundredth would fail. */
static void output_bound_holds_and_is_no_wild_guess(void) {
    enum { N = 30, D = 8 };
    double closest = 0;
    for (uint64_t trial = 0; trial < 200; trial++) {
        fq_stream stream;
        fq_stream_init(&stream, fq_test_seed(), FQ_PURPOSE_TEST, 900 + trial);
        float query[D], key[N * D], value[N * D], key_decoded[N * D], value_decoded[N * D];
        double length = 0;
        for (int i = 0; i < D; i++) {
            query[i] = (float)fq_stream_normal(&stream);
            length += (double)query[i] * (double)query[i];
        }
        const double noise = pow(10, -3 * fq_stream_uniform(&stream));
        for (int j = 0; j < N; j++) {
            const double sign = fq_stream_below(&stream, 2) ? noise : -noise;
            for (int i = 0; i < D; i++) {
                const int at = j * D + i;
                key[at] = (float)fq_stream_normal(&stream);
                value[at] = (float)fq_stream_normal(&stream);
                const double off =
                    trial % 2 ? sign * (double)query[i] / sqrt(length) : noise * fq_stream_normal(&stream);
                key_decoded[at] = key[at] + (float)off;
                value_decoded[at] = value[at] + (float)(0.1 * noise * fq_stream_normal(&stream));
            }
        }
        const fq_attention_case attention = {N, D, query, key, value, key_decoded, value_decoded};
        fq_attention_error e;
        double room[6 * N + 2 * D];
        fq_attention_bound(&e, &attention, room);
        FQ_CHECK(e.error <= e.bound * (1 + 1e-9) && e.error <= e.known_scores * (1 + 1e-9));
        FQ_CHECK(e.known_scores <= e.bound * (1 + 1e-6) || e.bound > 0.5);
        closest = fmax(closest, e.error / e.bound);
    }
    FQ_CHECK(closest > 0.1);
}

static const fq_test tests[] = {
    {"rows of block codes are taken", rows_of_block_codes_are_taken},
    {"program names the row below the bound", program_names_the_row_below_the_bound},
    {"every head is read with its group", every_head_is_read_with_its_group},
    {"output bound holds and is no wild guess", output_bound_holds_and_is_no_wild_guess},
    {0},
};
const fq_suite fq_suite_claim_inputs = {"claim_inputs", tests};
