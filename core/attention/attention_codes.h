/* How attention reads the codes of one codec: each group of channels by nibbles, by bytes, as a trellis code,
 * or not at all. */
#ifndef FQ_ATTENTION_CODES_H
#define FQ_ATTENTION_CODES_H

#include "attention_kernels.h"
#include "attention_trellis.h"
#include "codec_groups.h"

typedef struct fq_attention_group {
    const fq_codec_group *group;
    fq_attention_trellis *trellis; /* NULL: words */
    bool nibbles;                  /* else bytes: 256 words, one a block */
    size_t index_bytes;            /* or those of a trellis code's payload */
    size_t positions;              /* look-ups a token: 2 index_bytes nibbles, or as many blocks as bytes */
    size_t choices;                /* 16 or 256 */
    size_t coordinates;            /* that one look-up stands for */
    float *words; /* [choices][coordinates]: where a nibble holds several indices, all of theirs */
    /* The words in units of word_unit. */
    float word_unit;
    uint8_t *word_table;      /* nibbles: [coordinates][2][16] */
    fq_attention_words bytes; /* bytes */
    int16_t *word_numbers;    /* both of its tables */
} fq_attention_group;

typedef struct fq_attention_codes {
    const fq_codec *codec;
    size_t dim, stride;   /* of a code, bytes */
    bool rows;            /* decoded in the rotated domain, 512 tokens at a time; no groups then */
    float byte_norm[256]; /* that a byte stands for, where norms are bytes */
    size_t groups;        /* with stored bytes */
    fq_attention_group group[FQ_CODEC_GROUPS_MAX];
} fq_attention_codes;

FQ_MUST_CHECK fq_status fq_attention_codes_init(fq_attention_codes *codes, const fq_codec *codec);
void fq_attention_codes_clear(fq_attention_codes *codes); /* accepts a struct of zeros */

/* norm[CHUNK] of n codes' group, zeros behind; false, and the token in *bad, if one is not what an encoder
 * writes. */
FQ_MUST_CHECK bool fq_attention_read_norms(const fq_attention_codes *codes, const fq_attention_group *group,
                                           const fq_attention_kernels *kernels, float *norm,
                                           const uint8_t *code, size_t n, size_t *bad);

/* Sixteen numbers as their low bytes, then their high bytes. */
void fq_attention_split(uint8_t bytes[32], const int16_t number[16]);

#endif
