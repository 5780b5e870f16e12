/* How a step of a treatment is made: one file treatment_<name>.c defining
 *     const fq_treatment_family fq_treatment_family_<name> = {...};
 * and one line FQ_TREATMENT(<name>) in treatments.def. A step changes vectors before the codec and back after
 * it, or gives the encoder a metric, or says which rotation a position takes, which tokens are coded
 * together, or which are kept as they are. What a step does not do is NULL.
 */
#ifndef FQ_TREATMENT_FAMILY_H
#define FQ_TREATMENT_FAMILY_H

#include "treatment.h"

/* Where vectors stand. */
typedef struct fq_treatment_place {
    size_t dim, first;   /* x[n][dim] are those of positions first, first + 1, ... */
    const fq_rope *rope; /* NULL: not known */
} fq_treatment_place;

typedef struct fq_treatment_family {
    const char *name;
    const char *summary;                              /* one line */
    const fq_codec_key *keys;                         /* up to a name of NULL; NULL: none */
    unsigned (*sides)(const fq_treatment_step *step); /* FQ_OF_KEYS, FQ_OF_VALUES */
    size_t (*prefix)(const fq_treatment_step *step);  /* first tokens that prepare needs */
    /* What it knows of a head that has at most capacity tokens: state_floats floats, zeros, filled by prepare
     * from a prefix that went through the steps before this one, queries included. */
    size_t (*state_floats)(const fq_treatment_step *step, size_t dim, size_t capacity);
    fq_status (*prepare)(const fq_treatment_step *step, float *state, const fq_head_prefix *prefix);
    double (*state_bits)(const fq_treatment_step *step, size_t dim, size_t tokens); /* that a head stores */
    bool (*grows)(const fq_treatment_step *step); /* NULL: no; the two below are for states that do */
    /* Told of all tokens in order, as the steps before leave them, before their forward. */
    fq_status (*extend)(const fq_treatment_step *step, float *state, const fq_treatment_place *place,
                        const float *x, size_t n);
    /* Told of all tokens in order as they were decoded, in the form of forward's input: those from position
     * on before one from until(position) on is coded. SIZE_MAX: need not be told. */
    size_t (*until)(const fq_treatment_step *step, size_t position);
    fq_status (*feedback)(const fq_treatment_step *step, float *state, const fq_treatment_place *place,
                          const float *decoded, size_t n);
    /* In place on x[n][dim]. */
    fq_status (*forward)(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                         float *x, size_t n);
    fq_status (*backward)(const fq_treatment_step *step, const float *state, const fq_treatment_place *place,
                          float *x, size_t n);
    /* What queries q[n][dim] become where scores stay only if they change as well. */
    fq_status (*forward_query)(const fq_treatment_step *step, const float *state, float *q, size_t n,
                               size_t dim);
    /* Of a backward that does nothing but add a vector to those of positions position .. *until - 1: that
     * vector, and whether it is turned by the position first. */
    const float *(*offset)(const fq_treatment_step *step, const float *state, size_t dim, size_t position,
                           bool *turns, size_t *until);
    bool turns_back; /* forward leaves keys without their position encoding */
    bool metric;     /* the state is a metric [dim][dim] for the encoder */
    size_t (*classes)(const fq_treatment_step *step);
    size_t (*together)(const fq_treatment_step *step); /* tokens that are coded channel by channel */
    void (*keep)(const fq_treatment_step *step, fq_treatment_keep *keep);
} fq_treatment_family;

/* NULL if there is none of that name. */
const fq_treatment_family *fq_treatment_family_find(const char *name);

unsigned fq_treatment_sides_keys(const fq_treatment_step *step);
unsigned fq_treatment_sides_both(const fq_treatment_step *step);

/* The words of a key "of", and the sides that a choice of them means. */
extern const char *const fq_treatment_side_words[];
unsigned fq_treatment_side_of(double choice);

/* The words of a key "bits" of kept tokens, and the bits that a choice means. */
extern const char *const fq_treatment_keep_words[];
double fq_treatment_keep_bits(double choice);

/* Turns x[n][dim] of positions first.. by their positions, or back. FQ_ERR_SPEC naming the step where the
 * encoding is not known or dim is odd. */
FQ_MUST_CHECK fq_status fq_treatment_turn(const char *step, const fq_rope *rope, float *x, size_t first,
                                          size_t n, size_t heads, size_t dim, bool back);

#endif
