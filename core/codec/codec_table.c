#include <string.h>

#include "codec_family.h"

#define FQ_CODEC_FAMILY(name, file) extern const fq_codec_family fq_codec_family_##name;
#include "codec/codec_table.def"
#undef FQ_CODEC_FAMILY

static const fq_codec_family *const families[] = {
#define FQ_CODEC_FAMILY(name, file) &fq_codec_family_##name,
#include "codec/codec_table.def"
#undef FQ_CODEC_FAMILY
};
enum { FAMILIES = sizeof families / sizeof families[0] };

size_t fq_codec_family_count(void) {
    return FAMILIES;
}

const fq_codec_family *fq_codec_family_at(size_t i) {
    return families[i];
}

const char *fq_codec_family_name(size_t i) {
    return i < FAMILIES ? families[i]->name : NULL;
}

const char *fq_codec_family_summary(size_t i) {
    return i < FAMILIES ? families[i]->summary : NULL;
}

const fq_codec_family *fq_codec_family_find(const char *name) {
    for (size_t i = 0; i < FAMILIES; i++)
        if (strcmp(families[i]->name, name) == 0)
            return families[i];
    return NULL;
}
