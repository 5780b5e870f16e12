/* How attention reads trellis codes (trellis_code.h) without decoding them, where the payload is whole bytes.
 *
 * Tokens are taken CHUNK at a time, their payloads' bytes as columns, or as they lie where the kernel can. A
 * period of the payload is the Q bytes of P steps; each of its F = P V coordinates has a function from bytes
 * to labels, a sum of products of bit matrices with up to three neighbouring bytes, and the same function
 * serves all periods and tokens. Levels are whole numbers, so that sums with whole numbers are exact, and
 * every kernel gives the same:
 *
 *   scores   sum_j level_j q_j,   the query's coordinates rounded to q_j unit, |q_j| <= 32639
 *   values   sum_i level_ij w_i,  the tokens' weights rounded to w_i unit, 0 <= w_i <= 32639.
 *
 * Both are split in two bytes with signs, 256 high + low, for instructions that multiply bytes. A score's
 * rounding is at most max_j |q_j| sqrt(d) / 65278 times the key's length, and sqrt(3) less at random: some
 * 3e-6 of |q| |k| at d = 64.
 */
#ifndef FQ_ATTENTION_TRELLIS_H
#define FQ_ATTENTION_TRELLIS_H

#include "attention_kernels.h"
#include "trellis_code.h"

enum {
    FQ_ATTENTION_TRELLIS_DIM_MAX = 512, /* sums of 127 * 32639 fit 32 bits */
    FQ_ATTENTION_TRELLIS_MOST = 32639,  /* 256 * 127 + 127 */
    FQ_ATTENTION_TRELLIS_FUNCTIONS_MAX = FQ_TRELLIS_PHASES_MAX * FQ_TRELLIS_TOGETHER_MAX,
    FQ_ATTENTION_TRELLIS_TOGETHER = 4 /* periods side by side in the scores */
};

typedef struct fq_attention_trellis {
    const fq_trellis_code *code;
    size_t bytes, period_bytes, periods;              /* of the payload; Q; their quotient */
    size_t functions;                                 /* F; coordinate F i + f is function f of period i */
    unsigned label_bits, reach;                       /* reach: bytes that a function looks at, 2 or 3 */
    uint8_t last[FQ_ATTENTION_TRELLIS_FUNCTIONS_MAX]; /* which byte of the period is its last */
    uint64_t matrix[FQ_ATTENTION_TRELLIS_FUNCTIONS_MAX][FQ_TRELLIS_REACH_MAX];
    /* The same by the low and the high four bits of a byte. */
    uint8_t nibble[FQ_ATTENTION_TRELLIS_FUNCTIONS_MAX][FQ_TRELLIS_REACH_MAX][2][16];
    uint8_t level[FQ_TRELLIS_LEVELS_MAX]; /* 128 more than the level */
    /* Rows: payloads as they lie in memory, of a register of 64 bytes 16 of each of 4, or all 8 of each of 8.
     * For codes of one byte a period and 1, 2 or 4 i functions. */
    size_t row_bytes, segments;                    /* 16 or 8, and the payload over it; 0: columns alone */
    uint8_t turn_scores[FQ_TRELLIS_REACH_MAX][64]; /* of each byte of them, the one r before it in its row */
    uint8_t turn_values[FQ_TRELLIS_REACH_MAX][64]; /* the same, four rows' bytes side by side */
} fq_attention_trellis;

/* A chunk's payloads. */
typedef struct fq_attention_trellis_tokens {
    const uint8_t *at; /* columns[bytes rounded up to even][CHUNK] in a kernel's order, or rows[CHUNK] */
    size_t stride;     /* of rows, bytes; 0: columns */
} fq_attention_trellis_tokens;

/* A query's rounded coordinates, in three orders. Those after the last period are zero. */
typedef struct fq_attention_trellis_query {
    int16_t *number; /* [d] */
    /* [ceil(periods/4)][F][2][4]: of four periods, the high bytes, then the low ones; numbers 0, 2, 1, 3. */
    int8_t *parts;
    int16_t *pairs;
    /* [segments][F][2][64]: for rows, the high bytes of a segment's coordinates of one function for each row
     * of a register, then the low ones. */
    int8_t *tiles;
    int32_t bias; /* 128 sum_j q_j */
    float unit;   /* of q_j; 0 for a query of zeros */
} fq_attention_trellis_query;

typedef struct fq_attention_trellis_kernels {
    fq_attention_kernel kernel; /* the same arithmetic in float32 as this one's */
    unsigned needs;             /* of cpu.h */
    /* n <= CHUNK payloads stride apart as this kernel reads them, zeros behind. room[bytes rounded up to
     * even][CHUNK] is used where they cannot stay where they are. */
    fq_attention_trellis_tokens (*arrange)(const fq_attention_trellis *trellis, uint8_t *room,
                                           const uint8_t *payloads, size_t stride, size_t n);
    /* sum[q][CHUNK] = sum_j level_j query[q].number[j] for m queries. */
    void (*scores)(int32_t *sum, const fq_attention_trellis *trellis,
                   const fq_attention_trellis_tokens *tokens, const fq_attention_trellis_query *const *query,
                   size_t m, fq_attention_prefetch next);
    /* total[q][d] = sum_i level_ij weight[q][i], weights[m][CHUNK] 0 to 32639. */
    void (*values)(int64_t *total, const fq_attention_trellis *trellis,
                   const fq_attention_trellis_tokens *tokens, const int16_t *weight, size_t m,
                   fq_attention_prefetch next);
} fq_attention_trellis_kernels;

extern const fq_attention_trellis_kernels fq_attention_trellis_portable;
#if defined(__x86_64__)
extern const fq_attention_trellis_kernels fq_attention_trellis_avx2, fq_attention_trellis_avx512;
#elif defined(__aarch64__)
extern const fq_attention_trellis_kernels fq_attention_trellis_neon;
#endif

/* The best kernel for the processor that is no better than this one. */
const fq_attention_trellis_kernels *fq_attention_trellis_kernels_for(fq_attention_kernel kernel);

/* Whether codes of this shape can be read so: else they must be decoded. */
bool fq_attention_trellis_reads(const fq_trellis_code *code);

/* For such a code, which must outlive it. */
void fq_attention_trellis_init(fq_attention_trellis *trellis, const fq_trellis_code *code);

/* Of row[d], finite. */
FQ_MUST_CHECK fq_status fq_attention_trellis_query_init(fq_attention_trellis_query *query,
                                                        const fq_attention_trellis *trellis,
                                                        const float *row);
void fq_attention_trellis_query_clear(fq_attention_trellis_query *query); /* accepts a struct of zeros */

#endif
