/* Formats of other programs that code runs of neighbouring coordinates by a scale and small integers, with no
 * norm and no random rotation: what codecs of such formats share. Each is a file codec_<name>.c that gives a
 * block's coding; a vector's code is its blocks one after the other.
 *
 * Key rot: none, or hadamard, the normalised Walsh-Hadamard transform of runs of the largest power of two
 * that divides d (up to 256), without random signs, as llama.cpp turns quantised caches.
 */
#ifndef FQ_BLOCK_FORMAT_H
#define FQ_BLOCK_FORMAT_H

#include "codec_family.h"

struct fq_block_format {
    size_t elements; /* of a block; must divide d */
    size_t bytes;    /* of a block */
    double bits;     /* payload bits a coordinate; the rest is side information */
    double most;     /* magnitudes above are refused */
    void (*encode)(uint8_t *code, const float *x); /* finite x */
    void (*decode)(float *x, const uint8_t *code); /* any bytes */
};

/* The keys of such a family: rot alone. */
extern const fq_codec_key fq_block_keys[];

/* What a family of such a format has as its functions; its block_format says the rest. */
FQ_MUST_CHECK fq_status fq_block_create(fq_codec *codec, const fq_codec_parts *parts);
FQ_MUST_CHECK fq_status fq_block_encode(const fq_codec *codec, uint8_t *codes, const float *x, size_t first,
                                        size_t n);
FQ_MUST_CHECK fq_status fq_block_decode(const fq_codec *codec, float *x, const uint8_t *codes, size_t first,
                                        size_t n);
void fq_block_describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim);

/* What key rot=hadamard does to x[d], in place; its own inverse. */
void fq_block_turn(float *x, size_t d);

/* FQ_ERR_NONFINITE or FQ_ERR_RANGE (magnitudes above most) if a coordinate of x[d] is so; it is the at-th
 * vector of the caller's array. */
FQ_MUST_CHECK fq_status fq_block_check(const float *x, size_t d, size_t at, double most);

/* Sixteen bytes of 32 numbers of four bits: number j in the low half of byte j, number j + 16 in the high. */
void fq_block_put_nibbles(uint8_t bytes[16], const uint8_t q[32]);
void fq_block_get_nibbles(uint8_t q[32], const uint8_t bytes[16]);

/* Whole numbers of 32 coordinates by a scale: ratio(x) * 1/scale + offset, cut to 0..most. The first form
 * takes the scale from the coordinate of largest magnitude, d = it / -low, the second from the range, d =
 * (max - min) / most with m = min. Both return the scale unrounded. */
float fq_block_quantise_signed(uint8_t q[32], const float x[32], int low);
float fq_block_quantise_range(uint8_t q[32], const float x[32], int most, float *min);

#endif
