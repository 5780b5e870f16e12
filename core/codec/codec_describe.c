/* What a codec says of itself: planned cost, description, labels, and the words of its blocks. */
#include <math.h>
#include <string.h>

#include "codec_family.h"
#include "memory.h"
#include "spec_keys.h"
#include "text_builder.h"

/* What planning made: one group of blocks without a sketch is a code of blocks. */
static void describe_plan(fq_codec_description *about, const fq_codec *plan) {
    const fq_codec_group *group = plan->group;
    about->rate = plan->cost.rate;
    if (plan->groups != 1 || !group->codewords || group->sketch_rows)
        return;
    about->kind = group->block == 1 ? FQ_CODE_SCALARS : FQ_CODE_BLOCKS;
    about->block = group->block;
    about->codewords = group->codewords;
}

static void add_field(fq_text *text, const char *name, double value) {
    fq_text_add(text, name);
    fq_text_add(text, " = ");
    fq_text_add_decimal(text, value);
}

/* What sets the codec apart from the family's plain form: words chosen among the family's keys, another
 * rotation, another norm. */
static void add_choices(fq_text *text, const fq_codec_family *family, const fq_codec_spec *spec) {
    fq_codec_spec standard = *spec;
    standard.rotation = FQ_ROTATION_HAAR;
    standard.norm = FQ_NORM_INPUT;
    standard.tries = 1;
    if (family->defaults)
        family->defaults(&standard);
    for (size_t i = 0; family->keys && family->keys[i].name; i++) {
        const fq_codec_key *key = &family->keys[i];
        if (key->type == FQ_TYPE_CHOICE && spec->value[i] != fq_key_fallback(key, spec->value)) {
            fq_text_add(text, ", ");
            fq_text_add(text, key->words[(size_t)spec->value[i]]);
        }
    }
    if (spec->rotation != standard.rotation)
        fq_text_add(text, spec->rotation == FQ_ROTATION_HADAMARD ? ", Hadamard" : ", Haar");
    if (spec->norm != standard.norm)
        fq_text_add(text, spec->norm == FQ_NORM_LS         ? ", least-squares norm"
                          : spec->norm == FQ_NORM_MATCH    ? ", matched norm"
                          : spec->norm == FQ_NORM_UNBIASED ? ", unbiased norm"
                                                           : ", input's norm");
    if (spec->tries != standard.tries) {
        fq_text_add(text, ", ");
        fq_text_add_number(text, spec->tries);
        fq_text_add(text, spec->tries == 1 ? " try" : " tries");
    }
}

/* Label and series of the usual form, where the family has set none: blocks by k and N, all others by their
 * rate. */
static void set_labels(fq_codec_description *about, const fq_codec_family *family,
                       const fq_codec_spec *spec) {
    fq_text label = fq_text_begin(about->label, sizeof about->label),
            series = fq_text_begin(about->series, sizeof about->series);
    fq_text_add(&label, about->family);
    fq_text_add(&series, about->family);
    if (about->kind == FQ_CODE_BLOCKS) {
        add_field(&label, " (k", (double)about->block);
        add_field(&label, ", N", (double)about->codewords);
        fq_text_add(&label, ")");
        add_field(&series, ", k", (double)about->block);
    } else {
        fq_text_add(&label, " ");
        fq_text_add_decimal(&label, about->rate);
        fq_text_add(&label, about->rate == 1 ? " bit" : " bits");
    }
    add_choices(&label, family, spec);
    add_choices(&series, family, spec);
}

fq_status fq_codec_describe(fq_codec_description *about, const fq_codec_spec *spec, size_t dim) {
    FQ_TRY(fq_codec_spec_check(spec));
    const fq_codec_family *family = fq_codec_family_find(spec->family);
    fq_codec_description made;
    memset(&made, 0, sizeof made);
    made.rotated = (family->common & FQ_KEY_ROTATION) != 0;
    fq_codec *plan = NULL;
    const fq_status planned = fq_codec_make(&plan, spec, dim, NULL, true);
    if (planned == FQ_OK)
        describe_plan(&made, plan);
    else if (!family->describe || planned == FQ_ERR_MEMORY)
        return planned;
    fq_codec_destroy(plan);
    fq_text text = fq_text_begin(made.family, sizeof made.family);
    fq_text_add(&text, family->title);
    if (family->describe)
        family->describe(&made, spec, dim);
    if (!made.label[0])
        set_labels(&made, family, spec);
    if (made.operations == 0) { /* a search through all words and a rotation by a matrix */
        const double d = (double)dim;
        made.operations = 2 * d * (double)(made.codewords ? made.codewords : 1) +
                          (spec->rotation == FQ_ROTATION_HAAR && made.rotated ? 2 * d * d : 0);
    }
    *about = made;
    return FQ_OK;
}

/* The words of the codec's one group. */
static fq_status words_of_group(fq_codebook *code, const fq_codec *codec) {
    const fq_codec_group *group = codec->group;
    if (codec->groups != 1 || !group->codewords || group->sketch_rows)
        return FQ_FAIL(FQ_ERR_UNSUPPORTED, codec->family->name,
                       "codecs that quantise every block by one codebook");
    float *words = NULL;
    FQ_TRY(fq_alloc(&words, group->codewords * group->block, sizeof *words));
    memcpy(words, group->words, group->codewords * group->block * sizeof *words);
    fq_codebook_clear(code);
    code->dim = codec->cost.dim;
    code->block = group->block;
    code->codewords = group->codewords;
    code->words = words;
    code->seed = codec->spec.seed;
    return FQ_OK;
}

fq_status fq_codec_block_code(fq_codebook *code, const fq_codec_spec *spec, size_t dim,
                              const fq_codec_parts *parts) {
    static const fq_codec_parts no_parts;
    FQ_TRY(fq_codec_spec_check(spec));
    const fq_codec_family *family = fq_codec_family_find(spec->family);
    if (family->block_code)
        return family->block_code(code, spec, dim, parts ? parts : &no_parts);
    fq_codec *codec = NULL;
    FQ_TRY(fq_codec_create(&codec, spec, dim, parts));
    const fq_status status = words_of_group(code, codec);
    fq_codec_destroy(codec);
    return status;
}
