#include <stdio.h>

#include "verb.h"
#include "verb_support.h"
#include "version.h"

static bool json;

static const fq_option options[] = {FQ_OPTION_JSON(json), {0}};

static const fq_usage usage = {
    .verb = "version",
    .summary = "Prints the version and the commit it was built from.",
    .options = options,
    .examples = "fibquant version --json",
};

static int run(int argc, const char **argv) {
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, NULL, &exit_code))
        return exit_code;
    if (json)
        return fq_verb_print_json(json_pack("{s:s, s:s, s:s}", "schema", "fibquant version 1", "version",
                                            FQ_VERSION, "commit", FQ_GIT_DESCRIBE)) == FQ_OK
                   ? 0
                   : fq_verb_fail("version");
    printf("fibquant %s (%s)\n", FQ_VERSION, FQ_GIT_DESCRIBE);
    return 0;
}

const fq_verb fq_verb_version = {"version", "print the version and the commit it was built from", run};
