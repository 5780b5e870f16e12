#include "size_limits.h"

#include "text_builder.h"

fq_status fq_check_size(const char *argument, size_t size, size_t least, size_t most) {
    if (size >= least && size <= most)
        return FQ_OK;
    char allowed[64];
    fq_text text = fq_text_begin(allowed, sizeof allowed);
    fq_text_add_number(&text, least);
    fq_text_add(&text, " to ");
    fq_text_add_number(&text, most);
    return FQ_FAIL_VALUE(FQ_ERR_ARGUMENT, argument, size, allowed);
}
