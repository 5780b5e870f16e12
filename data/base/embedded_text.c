#include "embedded_text.h"

#include <stdio.h>
#include <string.h>

#include "atomic_file.h"
#include "failure.h"

const fq_embedded_text *fq_embedded_text_find(const fq_embedded_text *table, const char *name) {
    for (const fq_embedded_text *text = table; text->name; text++)
        if (strcmp(text->name, name) == 0)
            return text;
    return NULL;
}

fq_status fq_embedded_text_write(const fq_embedded_text *text, const char *folder) {
    char path[FQ_PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, text->name) >= (int)sizeof path)
        return FQ_FAIL_TEXT(FQ_ERR_OUTPUT, "%.200s...: path longer than %d bytes", folder, FQ_PATH_MAX);
    return fq_atomic_file_write(path, text->bytes, text->length);
}
