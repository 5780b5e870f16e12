#include <stdio.h>

#include "verb.h"
#include "version.h"

static int run(int argc, const char **argv) {
    (void)argc;
    (void)argv;
    printf("fibquant %s (%s)\n", FQ_VERSION, FQ_GIT_DESCRIBE);
    return 0;
}

const fq_verb fq_verb_version = {"version", "print the version and the commit it was built from", run};
