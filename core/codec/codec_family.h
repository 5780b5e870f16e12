/* How a codec family is made: one file codec_<name>.c defining
 *     const fq_codec_family fq_codec_family_<name> = {...};
 * and one line FQ_CODEC_FAMILY(<name>, codec_<name>) in codec_table.def, which also puts the file in
 * the build. A family that quantises rotated, normalised blocks only has to choose its codewords:
 * its create calls fq_codec_add_group and everything else is shared. Its keys are its own: a table of
 * fq_codec_key whose values stand in codec->spec.value in that order. The conformance tests walk over the
 * examples of all families.
 */
#ifndef FQ_CODEC_FAMILY_H
#define FQ_CODEC_FAMILY_H

#include "codec.h"
#include "codec_groups.h"

/* The common keys, in canonical order. */
enum {
    FQ_KEY_ROTATION = 1 << 0,
    FQ_KEY_PACKING = 1 << 1,
    FQ_KEY_NORM = 1 << 2,
    FQ_KEY_NORM_BITS = 1 << 3,
    FQ_KEY_TRIES = 1 << 4,
    FQ_KEY_SEED = 1 << 5
};

/* A name that the family takes and a dimension that it fits. */
typedef struct fq_codec_example {
    const char *spec;
    size_t dim;
} fq_codec_example;

typedef struct fq_block_format fq_block_format;

typedef struct fq_codec_family {
    const char *name;
    const char *summary;              /* one line */
    const char *title;                /* as people know it */
    const fq_codec_key *keys;         /* its own, up to a name of NULL; NULL: none */
    unsigned common;                  /* which common keys it takes */
    const fq_codec_example *examples; /* up to a spec of NULL: every key, every path of the code, cheap */
    /* May be NULL. Sets common keys of a spec whose own keys are set to defaults that differ from the usual.
     */
    void (*defaults)(fq_codec_spec *spec);
    /* Fills groups (or code_bytes, index_bits, norm_bits and rate, if it has its own functions below) of a
     * codec whose spec, family and dim are set and whose spec is in range. parts is never NULL. With
     * codec->plan_only it checks all that and sets the cost, but trains and makes nothing that is dear (the
     * groups' functions know). On failure the caller destroys the codec. */
    fq_status (*create)(fq_codec *codec, const fq_codec_parts *parts);
    /* May be NULL: what the planned codec tells, of one group without a sketch a code of blocks or scalars,
     * otherwise of vectors. Changes what is filled in already; texts too. */
    void (*describe)(fq_codec_description *about, const fq_codec_spec *spec, size_t dim);
    /* May be NULL: the words of the created codec's one group. */
    fq_status (*block_code)(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                            const fq_codec_parts *parts);
    /* Both NULL for codecs made of groups. n <= FQ_CODEC_CHUNK vectors, the first of them the
     * first-th of the caller's array (for error records). */
    fq_status (*encode)(const fq_codec *codec, uint8_t *codes, const float *x, size_t first, size_t n);
    fq_status (*decode)(const fq_codec *codec, float *x, const uint8_t *codes, size_t first, size_t n);
    const fq_block_format *block_format; /* of block_format.h's families alone */
    /* Frees codec->own; may be NULL. */
    void (*destroy)(fq_codec *codec);
} fq_codec_family;

struct fq_codec {
    fq_codec_spec spec;
    const fq_codec_family *family;
    bool plan_only;
    void *own; /* what a family with functions of its own keeps */
    fq_codec_cost cost;
    uint64_t first_rotation; /* number of the first group's rotation */
    size_t groups;
    fq_codec_group group[FQ_CODEC_GROUPS_MAX];
    uint32_t *channel_order; /* [d] or NULL */
};

/* fq_codec_create, or fq_codec_plan's codec, which can only be asked for its cost and groups. */
FQ_MUST_CHECK fq_status fq_codec_make(fq_codec **codec, const fq_codec_spec *spec, size_t dim,
                                      const fq_codec_parts *parts, bool plan_only);

/* NULL if there is none of that name. */
const fq_codec_family *fq_codec_family_find(const char *name);
const fq_codec_family *fq_codec_family_at(size_t i); /* i < fq_codec_family_count() */

/* Checks what fq_codec_spec_parse promises of its result: known family, every key in range, keys the
 * family does not take at their defaults. */
FQ_MUST_CHECK fq_status fq_codec_spec_check(const fq_codec_spec *spec);

#endif
