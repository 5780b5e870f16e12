#include "point_identity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "codebook_cache.h"
#include "memory.h"

static void finish(char text[FQ_POINT_ID_TEXT], crypto_hash_sha256_state *state) {
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(state, digest);
    sodium_bin2hex(text, FQ_POINT_ID_TEXT, digest, sizeof digest);
}

static void add(crypto_hash_sha256_state *state, const char *name, const char *value) {
    crypto_hash_sha256_update(state, (const unsigned char *)name, strlen(name));
    crypto_hash_sha256_update(state, (const unsigned char *)"=", 1);
    crypto_hash_sha256_update(state, (const unsigned char *)value, strlen(value));
    crypto_hash_sha256_update(state, (const unsigned char *)"\n", 1);
}

static void add_number(crypto_hash_sha256_state *state, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    add(state, name, text);
}

static int by_name(const void *a, const void *b) {
    const fq_identity_pair *x = a, *y = b;
    return strcmp(x->name, y->name);
}

fq_status fq_point_identity(char id[FQ_POINT_ID_TEXT], const char *experiment, int version, uint64_t seed,
                            size_t replicate, const fq_identity_pair *pairs, size_t count) {
    static const char head[] = "fibquant point 1\n";
    fq_identity_pair *sorted = NULL;
    FQ_TRY(fq_alloc(&sorted, count, sizeof *sorted));
    if (count) {
        memcpy(sorted, pairs, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_name);
    }
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)head, strlen(head));
    add(&state, "experiment", experiment);
    add_number(&state, "version", (uint64_t)version);
    add_number(&state, "training", FQ_CODEBOOK_TRAINING_VERSION);
    add_number(&state, "seed", seed);
    add_number(&state, "replicate", replicate);
    for (size_t i = 0; i < count; i++)
        add(&state, sorted[i].name, sorted[i].value);
    finish(id, &state);
    fq_free(sorted);
    return FQ_OK;
}

uint64_t fq_point_replicate_seed(uint64_t seed, size_t replicate) {
    static const char head[] = "fibquant replicate 1\n";
    if (replicate == 0)
        return seed;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)head, strlen(head));
    add_number(&state, "seed", seed);
    add_number(&state, "replicate", replicate);
    crypto_hash_sha256_final(&state, digest);
    uint64_t derived = 0;
    for (int i = 7; i >= 0; i--)
        derived = derived << 8 | digest[i];
    return derived;
}
