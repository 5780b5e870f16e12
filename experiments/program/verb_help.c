/* fibquant help: what a verb does, or what the names of codecs and treatments may be. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "codec_spec.h"
#include "options.h"
#include "treatment.h"
#include "verb.h"

static const fq_option options[] = {{0}};

static const fq_usage usage = {
    .verb = "help",
    .summary =
        "Lists the verbs; explains one, as its --help does; or explains the names of codecs or treatments.",
    .arguments = "[VERB|codecs|treatments]",
    .most_arguments = 1,
    .options = options,
    .examples = "fibquant help encode\nfibquant help codecs\nfibquant help treatments",
};

static void print_key(const fq_codec_key *key, double fallback) {
    char allowed[FQ_ERROR_TEXT_MAX];
    fq_codec_key_allowed(allowed, key);
    printf("  %-8s %s: %s", key->name, key->help, allowed);
    if (key->required)
        puts(" (required)");
    else if (isnan(fallback) && key->type != FQ_TYPE_SEED)
        puts("");
    else if (key->type == FQ_TYPE_CHOICE)
        printf(" (default %s)\n", key->words[(size_t)fallback]);
    else
        printf(" (default %.10g)\n", key->type == FQ_TYPE_SEED ? key->fallback : fallback);
}

static void print_codecs(void) {
    puts("A codec is named FAMILY[:KEY=VALUE[,KEY=VALUE]...], in any order; keys with a default may be left "
         "out:\n"
         "fib:k=4,N=256   tq:b=2   fp16\n");
    for (size_t f = 0; f < fq_codec_family_count(); f++) {
        const fq_codec_key *key;
        printf("%s: %s\n", fq_codec_family_name(f), fq_codec_family_summary(f));
        for (size_t i = 0; (key = fq_codec_family_key(f, i)) != NULL; i++)
            print_key(key, fq_codec_family_key_default(f, i));
        putchar('\n');
    }
}

static void print_treatments(void) {
    puts("A treatment is what is done to keys and values around the codec: none, or steps "
         "STEP[:KEY=VALUE,...] "
         "joined by +,\neach once, done in their order:\n"
         "mean+metric+classes+first:bits=8.5+window:tokens=16+pool\n");
    for (size_t f = 0; f < fq_treatment_family_count(); f++) {
        const fq_codec_key *key;
        printf("%s: %s\n", fq_treatment_family_name(f), fq_treatment_family_summary(f));
        for (size_t i = 0; (key = fq_treatment_family_key(f, i)) != NULL; i++)
            print_key(key, key->fallback);
        putchar('\n');
    }
}

static int run(int argc, const char **argv) {
    fq_arguments arguments;
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    if (arguments.count == 0) {
        fq_verb_print_all(stdout);
        return 0;
    }
    const char *const topic = arguments.items[0];
    if (strcmp(topic, "codecs") == 0) {
        print_codecs();
        return 0;
    }
    if (strcmp(topic, "treatments") == 0) {
        print_treatments();
        return 0;
    }
    const fq_verb *const verb = fq_verb_find(topic);
    if (!verb)
        return fq_verb_unknown(topic);
    char name[80];
    snprintf(name, sizeof name, "fibquant %s", verb->name);
    return verb->run(2, (const char *[]){name, "--help", NULL});
}

const fq_verb fq_verb_help = {"help", "explain a verb, or the names of codecs and treatments", run};
