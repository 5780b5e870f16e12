/* Attention of one layer of a server over a compressed, paged cache, on all cores, beside uncompressed
 * attention.
 *
 *   cc -O2 paged_attention.c $(pkg-config --cflags --libs fibquant) -lpthread -lm
 *
 * HEADS heads of D channels; keys and values by a trellis code of 2 bits, the newest 16 to 32 tokens as
 * halves. Tokens come one by one; pages are taken from a pool when a head needs one. libfibquant allocates
 * nothing after the start and starts no thread: each thread here owns some heads and a work space.
 */
#include <fibquant/attention_pages.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { HEADS = 8, D = 64, TOKENS = 2048, WINDOW = 16, PAGES = TOKENS / FQ_PAGE_TOKENS + 1 };

static fq_codec *codec;
static fq_attention *attention;
static float keys[HEADS][TOKENS][D], values[HEADS][TOKENS][D], query[HEADS][D], out[HEADS][D];
static uint16_t recent[HEADS][2][(WINDOW + FQ_PAGE_TOKENS) * D];
static uint8_t *key_pages[HEADS][PAGES], *value_pages[HEADS][PAGES];
static fq_paged_head head[HEADS];
static size_t threads;

static void stop_if(int failed, const char *what) {
    char why[FQ_ERROR_LINE_MAX];
    if (failed) {
        fprintf(stderr, "%s: %s\n", what, fq_error_text(why, sizeof why, fq_error_last()));
        exit(1);
    }
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float noise(unsigned *state) { /* nearly normal */
    float sum = 0;
    for (int i = 0; i < 12; i++)
        sum += (float)(*state = *state * 1664525U + 1013904223U) / 4294967296.0F;
    return sum - 6;
}

/* The share of one thread: its heads' tokens appended, then one query each. */
static void *serve(void *number) {
    fq_attention_scratch *scratch = NULL;
    const size_t page = FQ_PAGE_TOKENS * fq_codec_get_cost(codec).code_bytes;
    stop_if(fq_attention_scratch_create(&scratch, attention, 1, TOKENS) != FQ_OK, "work space");
    for (size_t h = (size_t)number; h < HEADS; h += threads) {
        for (size_t t = 0; t < TOKENS; t++) {
            if (fq_paged_head_needs_page(&head[h])) {
                key_pages[h][head[h].page_count] = malloc(page); /* a server takes them from its pool */
                value_pages[h][head[h].page_count++] = malloc(page);
            }
            stop_if(fq_paged_head_append(&head[h], attention, scratch, keys[h][t], values[h][t]) != FQ_OK,
                    "append");
        }
        stop_if(fq_attention_run_pages(attention, scratch, out[h], D, query[h], 1, &head[h], 0.125) != FQ_OK,
                "attention");
    }
    fq_attention_scratch_destroy(scratch);
    return NULL;
}

/* What is kept of a head's output: the cosine with attention over the floats themselves. */
static double cosine(size_t h) {
    static double weight[TOKENS], exact[D];
    double most = -INFINITY, ab = 0, aa = 0, bb = 0;
    for (size_t t = 0; t < TOKENS; t++) {
        weight[t] = 0;
        for (size_t j = 0; j < D; j++)
            weight[t] += 0.125 * (double)query[h][j] * (double)keys[h][t][j];
        most = weight[t] > most ? weight[t] : most;
    }
    for (size_t j = 0; j < D; j++) {
        exact[j] = 0;
        for (size_t t = 0; t < TOKENS; t++)
            exact[j] += exp(weight[t] - most) * (double)values[h][t][j];
        ab += exact[j] * (double)out[h][j];
        aa += exact[j] * exact[j];
        bb += (double)out[h][j] * (double)out[h][j];
    }
    return ab / sqrt(aa * bb);
}

int main(void) {
    fq_codec_spec spec;
    pthread_t thread[HEADS];
    unsigned state = 1;
    double worst = 1, mean = 0;
    stop_if(fq_codec_spec_parse(&spec, "trellis:b=2") != FQ_OK, "spec");
    stop_if(fq_codec_create(&codec, &spec, D, NULL) != FQ_OK, "codec");
    stop_if(fq_attention_create(&attention, codec, codec) != FQ_OK, "attention");
    for (size_t h = 0; h < HEADS; h++) {
        for (size_t i = 0; i < D; i++)
            query[h][i] = noise(&state);
        for (size_t t = 0; t < TOKENS; t++)
            for (size_t j = 0; j < D; j++) {
                keys[h][t][j] = noise(&state);
                values[h][t][j] = noise(&state);
            }
        head[h] = (fq_paged_head){.key_pages = key_pages[h],
                                  .value_pages = value_pages[h],
                                  .recent_keys = recent[h][0],
                                  .recent_values = recent[h][1],
                                  .window = WINDOW};
    }
    threads = (size_t)sysconf(_SC_NPROCESSORS_ONLN) < HEADS ? (size_t)sysconf(_SC_NPROCESSORS_ONLN) : HEADS;
    const double start = seconds();
    for (size_t t = 0; t < threads; t++)
        stop_if(pthread_create(&thread[t], NULL, serve, (void *)t) != 0, "thread");
    for (size_t t = 0; t < threads; t++)
        pthread_join(thread[t], NULL);
    const double took = seconds() - start, halves = (double)HEADS * TOKENS * D * 4;
    for (size_t h = 0; h < HEADS; h++) {
        const double kept = cosine(h);
        worst = kept < worst ? kept : worst;
        mean += kept / HEADS;
    }
    const double stored =
        HEADS * (2.0 * (double)head[0].tokens * (double)fq_codec_get_cost(codec).code_bytes +
                 (double)head[0].recent * D * 4);
    printf("%d heads, %d tokens, %zu threads: %.0f bytes, %.2f times fewer than halves; appended and "
           "attended in %.3f s\n",
           HEADS, TOKENS, threads, stored, halves / stored, took);
    printf("cosine with uncompressed attention: mean %.4f, worst %.4f\n", mean, worst);
    return mean > 0.9 ? 0 : 1;
}
