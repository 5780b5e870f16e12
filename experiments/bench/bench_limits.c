#include "bench_limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "memory.h"

/* x <- factor x + term, from x = 1 to the fixed point term / (1 - factor): finite, normal, and not known
 * to the compiler, which reads them from volatile variables. */
enum { STEPS = 20000 };
static volatile float given_factor = 0.75F, given_term = 0.5F;

#if defined(__x86_64__)
enum { CHAINS_AVX2 = 12, CHAINS_AVX512 = 24 };

/* Variables, not an array, so that all stay in registers; different starts, so that none is another. */
/* clang-format off: it finds no fixed point here */
#define TWELVE(X, from)                                                                                      \
    X((from) + 0, a##from)                                                                                   \
    X((from) + 1, b##from)                                                                                   \
    X((from) + 2, c##from)                                                                                   \
    X((from) + 3, d##from)                                                                                   \
    X((from) + 4, e##from)                                                                                   \
    X((from) + 5, f##from)                                                                                   \
    X((from) + 6, g##from)                                                                                   \
    X((from) + 7, h##from)                                                                                   \
    X((from) + 8, i##from)                                                                                   \
    X((from) + 9, j##from)                                                                                   \
    X((from) + 10, k##from)                                                                                  \
    X((from) + 11, l##from)
/* clang-format on */

__attribute__((target("avx2,fma"))) static void peak_avx2(float *last) {
    const __m256 factor = _mm256_set1_ps(given_factor), term = _mm256_set1_ps(given_term);
#define START(number, x) __m256 x = _mm256_set1_ps(1.0F + (float)(number));
    TWELVE(START, 0)
#undef START
    for (int step = 0; step < STEPS; step++) {
#define ADVANCE(number, x) x = _mm256_fmadd_ps(x, factor, term);
        TWELVE(ADVANCE, 0)
#undef ADVANCE
    }
#define STORE(number, x) _mm256_storeu_ps(last + 8 * (number), x);
    TWELVE(STORE, 0)
#undef STORE
}

__attribute__((target("avx512f"))) static void peak_avx512(float *last) {
    const __m512 factor = _mm512_set1_ps(given_factor), term = _mm512_set1_ps(given_term);
#define START(number, x) __m512 x = _mm512_set1_ps(1.0F + (float)(number));
    TWELVE(START, 0)
    TWELVE(START, 12)
#undef START
    for (int step = 0; step < STEPS; step++) {
#define ADVANCE(number, x) x = _mm512_fmadd_ps(x, factor, term);
        TWELVE(ADVANCE, 0) TWELVE(ADVANCE, 12)
#undef ADVANCE
    }
#define STORE(number, x) _mm512_storeu_ps(last + 16 * (number), x);
    TWELVE(STORE, 0) TWELVE(STORE, 12)
#undef STORE
}
#endif

/* What a compiler makes of plain loops for the baseline instruction set. */
enum { LANES_PORTABLE = 48 };
static void peak_portable(float *last) {
    const float factor = given_factor, term = given_term;
    float x[LANES_PORTABLE];
    for (int i = 0; i < LANES_PORTABLE; i++)
        x[i] = 1.0F;
    for (int step = 0; step < STEPS; step++)
        for (int i = 0; i < LANES_PORTABLE; i++)
#if defined(__FP_FAST_FMAF)
            x[i] = fmaf(x[i], factor, term);
#else
            x[i] = x[i] * factor + term;
#endif
    memcpy(last, x, sizeof x);
}

typedef struct peak_path {
    const char *name;
    int lanes;
    void (*run)(float *last);
} peak_path;

static peak_path best_path(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return (peak_path){"avx512", 16 * CHAINS_AVX512, peak_avx512};
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return (peak_path){"avx2", 8 * CHAINS_AVX2, peak_avx2};
#endif
    return (peak_path){"portable", LANES_PORTABLE, peak_portable};
}

void fq_limit_peak_init(fq_limit_peak *peak) {
    const peak_path path = best_path();
    *peak = (fq_limit_peak){.name = path.name, .flops = 2.0 * STEPS * path.lanes};
}

fq_status fq_limit_peak_run(void *context) {
    fq_limit_peak *const peak = context;
    best_path().run(peak->last);
    return FQ_OK;
}

bool fq_limit_peak_check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_limit_peak *const peak = context;
    const int lanes = best_path().lanes;
    const double expected = (double)given_term / (1 - (double)given_factor);
    for (int i = 0; i < lanes; i++)
        if (!(fabs((double)peak->last[i] - expected) <= 1e-6 * expected)) {
            snprintf(why, FQ_BENCH_WHY_MAX, "chain %d ends at %g, not at %g", i, (double)peak->last[i],
                     expected);
            return false;
        }
    return true;
}

enum { READ_WORDS = 32 }; /* read at a time, on as many sums */

fq_status fq_limit_memory_init(fq_limit_memory *memory, size_t bytes, bool copy) {
    *memory = (fq_limit_memory){.bytes = bytes / (8 * READ_WORDS) * (8 * READ_WORDS)};
#if defined(__x86_64__)
    memory->wide = __builtin_cpu_supports("avx2");
#endif
    FQ_TRY(fq_alloc(&memory->from, memory->bytes, 1));
    for (size_t i = 0; i < memory->bytes / 8; i++)
        memory->from[i] = i * UINT64_C(0x9e3779b97f4a7c15);
    if (!copy)
        return FQ_OK;
    const fq_status status = fq_alloc_zero(&memory->to, memory->bytes, 1);
    if (status != FQ_OK)
        fq_limit_memory_clear(memory);
    return status;
}

void fq_limit_memory_clear(fq_limit_memory *memory) {
    fq_free(memory->from);
    fq_free(memory->to);
    *memory = (fq_limit_memory){0};
}

static uint64_t sum_portable(const uint64_t *words, size_t count) {
    uint64_t lane[READ_WORDS] = {0}, sum = 0;
    for (size_t i = 0; i < count; i += READ_WORDS)
        for (size_t j = 0; j < READ_WORDS; j++)
            lane[j] += words[i + j];
    for (size_t j = 0; j < READ_WORDS; j++)
        sum += lane[j];
    return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t sum_avx2(const uint64_t *words, size_t count) {
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
    for (size_t i = 0; i < count; i += READ_WORDS) {
        const __m256i *const at = (const __m256i *)(const void *)(words + i);
        a = _mm256_add_epi64(a, _mm256_load_si256(at));
        b = _mm256_add_epi64(b, _mm256_load_si256(at + 1));
        c = _mm256_add_epi64(c, _mm256_load_si256(at + 2));
        d = _mm256_add_epi64(d, _mm256_load_si256(at + 3));
        e = _mm256_add_epi64(e, _mm256_load_si256(at + 4));
        f = _mm256_add_epi64(f, _mm256_load_si256(at + 5));
        g = _mm256_add_epi64(g, _mm256_load_si256(at + 6));
        h = _mm256_add_epi64(h, _mm256_load_si256(at + 7));
    }
    a = _mm256_add_epi64(_mm256_add_epi64(a, b), _mm256_add_epi64(c, d));
    e = _mm256_add_epi64(_mm256_add_epi64(e, f), _mm256_add_epi64(g, h));
    uint64_t parts[4];
    _mm256_storeu_si256((__m256i *)(void *)parts, _mm256_add_epi64(a, e));
    return parts[0] + parts[1] + parts[2] + parts[3];
}
#endif

fq_status fq_limit_read_run(void *context) {
    fq_limit_memory *const memory = context;
#if defined(__x86_64__)
    if (memory->wide) {
        memory->sum = sum_avx2(memory->from, memory->bytes / 8);
        return FQ_OK;
    }
#endif
    memory->sum = sum_portable(memory->from, memory->bytes / 8);
    return FQ_OK;
}

bool fq_limit_read_check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_limit_memory *const memory = context;
    const uint64_t n = memory->bytes / 8, pairs = n % 2 ? n * ((n - 1) / 2) : n / 2 * (n - 1);
    if (memory->sum == pairs * UINT64_C(0x9e3779b97f4a7c15))
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "the sum of the array is another");
    return false;
}

fq_status fq_limit_copy_run(void *context) {
    fq_limit_memory *const memory = context;
    memcpy(memory->to, memory->from, memory->bytes);
    return FQ_OK;
}

bool fq_limit_copy_check(void *context, char why[FQ_BENCH_WHY_MAX]) {
    const fq_limit_memory *const memory = context;
    if (memcmp(memory->to, memory->from, memory->bytes) == 0)
        return true;
    snprintf(why, FQ_BENCH_WHY_MAX, "the copy differs");
    return false;
}

size_t fq_limit_beyond_caches(void) {
    const size_t least = (size_t)64 << 20, most = (size_t)512 << 20;
    long last = -1;
#if defined(_SC_LEVEL3_CACHE_SIZE)
    last = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
    const size_t wanted = last > 0 ? 4 * (size_t)last : least;
    return wanted < least ? least : wanted > most ? most : wanted;
}

/* The one is in a register: some cores add a small constant while they rename, several a cycle. */
#if defined(__x86_64__)
#define ADD_ONE(x) __asm__ volatile("add %1, %0" : "+r"(x) : "r"(one) : "cc")
#elif defined(__aarch64__)
#define ADD_ONE(x) __asm__ volatile("add %0, %0, %1" : "+r"(x) : "r"(one))
#endif

bool fq_limit_clock_known(void) {
#if defined(ADD_ONE)
    return true;
#else
    return false;
#endif
}

fq_status fq_limit_clock_run(void *result) {
    uint64_t x = 0;
#if defined(ADD_ONE)
    const uint64_t one = 1;
    for (int i = 0; i < FQ_LIMIT_CYCLES / 32; i++) { /* one chain: each addition waits for the last */
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
        ADD_ONE(x);
    }
#endif
    memcpy(result, &x, sizeof x);
    return FQ_OK;
}
