/* fibquant verify: every claim with a verdict and its evidence. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "claim_inputs.h"
#include "claim_report.h"
#include "claim_store.h"
#include "failure.h"
#include "options.h"
#include "output_check.h"
#include "progress_bar.h"
#include "verb.h"
#include "verb_support.h"

static void list_claims(const fq_claim *const *chosen, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const fq_claim *const c = chosen[i];
        printf("%d %s: %s\n   %s\n   %s\n   Domain: %s. Source: %s.\n", c->number, c->id, c->title,
               c->statement, c->checked, c->domain, c->citation);
    }
}

static fq_status list_claims_as_json(const fq_claim *const *chosen, size_t count) {
    json_t *claims = json_array();
    for (size_t i = 0; i < count; i++) {
        const fq_claim *const c = chosen[i];
        json_array_append_new(claims,
                              json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s}", "id", c->id, "number",
                                        c->number, "title", c->title, "statement", c->statement, "checked",
                                        c->checked, "domain", c->domain, "citation", c->citation));
    }
    return fq_verb_print_json(json_pack("{s:s, s:o}", "schema", "fibquant claims 1", "claims", claims));
}

static int choose(const fq_usage *usage, const fq_arguments *arguments, const fq_claim **chosen,
                  size_t *count) {
    bool wanted[256] = {false};
    const size_t all = fq_claim_count() < 256 ? fq_claim_count() : 256;
    for (size_t i = 0; i < arguments->count; i++) {
        const fq_claim *const claim = fq_claim_find(arguments->items[i]);
        if (!claim) {
            const char *nearest = fq_claim_get(0)->id;
            for (size_t j = 1; j < all; j++)
                if (fq_name_distance(arguments->items[i], fq_claim_get(j)->id) <
                    fq_name_distance(arguments->items[i], nearest))
                    nearest = fq_claim_get(j)->id;
            return fq_options_refuse(usage, "no claim \"%.60s\"; nearest is \"%s\" (--list shows all)",
                                     arguments->items[i], nearest);
        }
        for (size_t j = 0; j < all; j++)
            wanted[j] |= fq_claim_get(j) == claim;
    }
    *count = 0;
    for (size_t j = 0; j < all; j++)
        if (wanted[j] || arguments->count == 0)
            chosen[(*count)++] = fq_claim_get(j);
    return 0;
}

typedef struct outputs {
    bool json;             /* the document on standard output in place of the table */
    const char *json_file; /* and in this file; NULL: none */
    const char *store;     /* and the rows in this result store; NULL: none */
} outputs;

static fq_status write_json_file(const char *path, const json_t *document) {
    char *const text = json_dumps(document, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
    if (!text)
        return FQ_FAIL(FQ_ERR_MEMORY, "json", "enough memory");
    const fq_status status = fq_atomic_file_write(path, text, strlen(text));
    free(text);
    return status;
}

static fq_status write_store(const char *path, const fq_claim_report *report, const fq_claim_context *context,
                             int argc, const char **argv) {
    fq_provenance provenance;
    FQ_TRY(fq_verb_provenance(&provenance, argc, argv, context->seed));
    const fq_status status = fq_claim_store_write(path, report, context, &provenance);
    fq_provenance_clear(&provenance);
    return status;
}

/* Files first: if one cannot be written, nothing claims on standard output that all is well. */
static fq_status write_outputs(const outputs *to, const fq_claim_report *report,
                               const fq_claim_context *context, int argc, const char **argv) {
    json_t *document = NULL;
    if (to->store)
        FQ_TRY(write_store(to->store, report, context, argc, argv));
    if (to->json || to->json_file) {
        document = fq_claim_report_json(report, context);
        if (!document)
            return FQ_FAIL(FQ_ERR_MEMORY, "json", "enough memory");
    }
    if (to->json_file) {
        const fq_status status = write_json_file(to->json_file, document);
        if (status != FQ_OK) {
            json_decref(document);
            return status;
        }
    }
    if (to->json)
        return fq_verb_print_json(document);
    json_decref(document);
    fq_claim_report_print(report, context->quick);
    return FQ_OK;
}

static fq_status run_claims(fq_claim_report *report, const fq_claim *const *chosen, size_t count,
                            fq_claim_context *context, bool quiet) {
    fq_progress_bar bar;
    fq_progress_bar_start(&bar, "verify", "claims", count, quiet, fq_options_no_progress());
    fq_status status = FQ_OK;
    for (size_t i = 0; i < count && status == FQ_OK; i++) {
        status = fq_claim_report_run(report, chosen[i], context);
        fq_progress_bar_update(&bar, i + 1);
    }
    fq_progress_bar_finish(&bar);
    return status;
}

/* Files to read. */
typedef struct files {
    fq_option_list stores, codebooks;
    const char *cache;
} files;

/* Asks it of both outputs before any claim is checked. */
static bool outputs_are_good(const fq_usage *usage, const outputs *to, const files *from, int *exit_code) {
    static fq_input inputs[2 * FQ_OPTION_LIST_MAX + 2];
    const fq_output written[] = {
        {"--output", to->store, FQ_OUTPUT_STORE}, {"--json-file", to->json_file, FQ_OUTPUT_FILE}, {0}};
    memset(inputs, 0, sizeof inputs);
    fq_input *next = inputs;
    *next++ = (fq_input){.option = "--cache", .path = from->cache};
    for (size_t i = 0; i < from->stores.count; i++)
        *next++ = (fq_input){.option = "--store", .path = from->stores.items[i], .store = true};
    for (size_t i = 0; i < from->codebooks.count; i++)
        *next++ = (fq_input){.option = "--codebook", .path = from->codebooks.items[i]};
    return fq_outputs_good(usage, written, inputs, exit_code);
}

static bool load_inputs(fq_claim_inputs *inputs, const files *from, bool quiet) {
    fq_claim_inputs_init(inputs);
    fq_status status = FQ_OK;
    for (size_t i = 0; i < from->stores.count && status == FQ_OK; i++)
        status = fq_claim_inputs_add_store(inputs, from->stores.items[i]);
    for (size_t i = 0; i < from->codebooks.count && status == FQ_OK; i++)
        status = fq_claim_inputs_add_codebook(inputs, from->codebooks.items[i]);
    if (from->cache && status == FQ_OK)
        status = fq_claim_inputs_add_cache(inputs, from->cache);
    if (status != FQ_OK)
        fq_claim_inputs_clear(inputs);
    else if (!quiet && from->stores.count)
        fprintf(stderr, "verify: %zu stored points of block codes; %zu rows are not such\n",
                inputs->data.point_count, inputs->skipped);
    return status == FQ_OK;
}

static int run(int argc, const char **argv) {
    bool list = false, quick = false, many = false, quiet = false;
    outputs to = {0};
    uint64_t seed = 20260511;
    files from = {0};
    size_t precision = 2048;
    const fq_option options[] = {
        {.name = "list", .kind = FQ_OPTION_FLAG, .value = &list, .help = "explain each claim and stop"},
        {.name = "quick",
         .kind = FQ_OPTION_FLAG,
         .value = &quick,
         .help = "small grids: all claims within 30 s"},
        {.name = "long",
         .kind = FQ_OPTION_FLAG,
         .value = &many,
         .help = "ten million vectors where the full run takes fewer: minutes"},
        FQ_OPTION_JSON(to.json),
        {.name = "json-file",
         .kind = FQ_OPTION_TEXT,
         .value = &to.json_file,
         .argument = "FILE.json",
         .help = "write that document to a file"},
        {.name = "output",
         .letter = 'o',
         .kind = FQ_OPTION_TEXT,
         .value = &to.store,
         .argument = "FILE.h5",
         .help = "store everything in this results file (tables claims, claim-evidence and claim-series)"},
        {.name = "store",
         .kind = FQ_OPTION_LIST,
         .value = &from.stores,
         .argument = "FILE.h5",
         .help = "result store whose measured points claim finite_rate holds against the Shannon bound"},
        {.name = "codebook",
         .kind = FQ_OPTION_LIST,
         .value = &from.codebooks,
         .argument = "FILE.h5",
         .help = "codebook file whose distortion claim stored_codes encloses anew, against its certificate"},
        {.name = "cache",
         .kind = FQ_OPTION_TEXT,
         .value = &from.cache,
         .argument = "FILE.h5",
         .help = "KV cache on whose heads claims about real vectors are checked"},
        FQ_OPTION_QUIET(quiet),
        {.name = "precision",
         .kind = FQ_OPTION_SIZE,
         .value = &precision,
         .argument = "BITS",
         .least = 64,
         .most = 65536,
         .help = "cap of the rising precision of ball arithmetic, bits"},
        {.name = "seed",
         .kind = FQ_OPTION_UINT64,
         .value = &seed,
         .argument = "SEED",
         .help = "seed of samples and of random parameters"},
        {0}};
    const fq_usage usage = {
        .verb = "verify",
        .summary = "Checks the claims of the paper and of its baseline and gives each a verdict: "
                   "certified (interval arithmetic), computed, measured, undecided or refuted.",
        .arguments = "[CLAIM...]",
        .most_arguments = 256,
        .options = options,
        .notes = "CLAIM is an id or a number (--list). Without any, all are checked. Exceptions that "
                 "theory/FINDINGS.md explains do not count as refuted.",
        .examples =
            "fibquant verify --list\nfibquant verify gains correlation\n"
            "fibquant verify --quick --json\n"
            "fibquant verify -o claims.h5 --json-file claims.json\n"
            "fibquant verify finite_rate --store results.h5\nfibquant verify interface --cache cache.h5\n"
            "fibquant verify stored_codes --quick --codebook d64-k2-N16.h5\n",
        .exit_status = "1 a claim is refuted, or a finding's exception holds; 5 a claim is undecided"};
    fq_arguments arguments;
    int exit_code;
    if (!fq_options_parse(&usage, argc, argv, &arguments, &exit_code))
        return exit_code;
    const fq_claim *chosen[256];
    size_t count = 0;
    exit_code = choose(&usage, &arguments, chosen, &count);
    if (exit_code != 0)
        return exit_code;
    if (list && to.json)
        return list_claims_as_json(chosen, count) == FQ_OK ? 0 : fq_verb_fail("verify");
    if (list) {
        list_claims(chosen, count);
        return 0;
    }
    if (!outputs_are_good(&usage, &to, &from, &exit_code))
        return exit_code;
    fq_claim_inputs inputs;
    if (!load_inputs(&inputs, &from, quiet))
        return fq_verb_fail("verify");
    fq_claim_report report;
    if (fq_claim_report_init(&report) != FQ_OK) {
        fq_claim_inputs_clear(&inputs);
        return fq_verb_fail("verify");
    }
    fq_claim_context context;
    fq_claim_context_init(&context, seed, NULL, NULL);
    context.quick = quick;
    context.many = many && !quick;
    context.precision_cap = (long)precision;
    context.data = inputs.data;
    fq_status status = run_claims(&report, chosen, count, &context, quiet);
    if (status == FQ_OK)
        status = write_outputs(&to, &report, &context, argc, argv);
    exit_code = status == FQ_OK ? fq_claim_report_exit_code(&report) : fq_verb_fail("verify");
    fq_claim_report_clear(&report);
    fq_claim_inputs_clear(&inputs);
    return exit_code;
}

const fq_verb fq_verb_verify = {"verify", "check the paper's claims, with verdicts and evidence", run};
