/* How to add a verb: this file, and the line FQ_VERB(compression) in experiments/program/verbs.def. It prints
 * what a codec stores and how much smaller than fp16 that is. */
#include <stdio.h>

#include "codec.h"
#include "options.h"
#include "verb.h"

static size_t dim = 128;

static const fq_option options[] = {{.name = "dim",
                                     .letter = 'd',
                                     .kind = FQ_OPTION_SIZE,
                                     .value = &dim,
                                     .argument = "D",
                                     .least = 2,
                                     .most = 16384,
                                     .help = "dimension of the vectors"},
                                    {0}};

static const fq_usage usage = {.verb = "compression",
                               .summary =
                                   "Prints the bytes a vector and how much smaller than fp16 they are.",
                               .arguments = "CODEC",
                               .least_arguments = 1,
                               .most_arguments = 1,
                               .options = options,
                               .examples = "fibquant compression tq:b=2"};

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    fq_codec_spec spec;
    fq_codec *codec = NULL;
    int exit_code = 0;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    if (fq_codec_spec_parse(&spec, arguments.items[0]) != FQ_OK ||
        fq_codec_create(&codec, &spec, dim, NULL) != FQ_OK)
        return fq_verb_fail("compression");
    const fq_codec_cost cost = fq_codec_get_cost(codec);
    printf("%zu bytes a vector of dimension %zu, %.3f times smaller than fp16\n", cost.code_bytes, dim,
           2.0 * (double)dim / (double)cost.code_bytes);
    fq_codec_destroy(codec);
    return 0;
}

const fq_verb fq_verb_compression = {"compression", "what a codec stores", run};
