/* The verb verify as its users run it: table, JSON, result store, exit status. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "check.h"
#include "claim_report.h"
#include "command.h"

static const fq_command_result *expect(int exit_code, const char *arguments, const char *names) {
    const fq_command_result *const r = fq_command("$FIBQUANT verify %s", arguments);
    const bool good =
        FQ_CHECK(r->exit_code == exit_code) && FQ_CHECK(strstr(exit_code ? r->err : r->out, names) != NULL);
    if (!good)
        fprintf(stderr, "verify %s: exit %d, wanted %d and \"%s\"\nout: %.600s\nerr: %s\n", arguments,
                r->exit_code, exit_code, names, r->out, r->err);
    return r;
}

/* Every field of every row of the JSON document is in the store, under h5py, and the counts agree. */
static const char compare_script[] =
    "import h5py, json, math\n"
    "j = json.load(open('claims.json')); f = h5py.File('claims.h5')\n"
    "c, e = f['claims'][...], f['claim-evidence'][...]\n"
    "rows = [(a['id'], r) for a in j['claims'] for r in a['evidence']]\n"
    "assert len(rows) == len(e) > 20, (len(rows), len(e))\n"
    "same = lambda x, y: math.isnan(y) or math.isinf(y) if x is None else x == y\n"
    "for (claim, r), s in zip(rows, e):\n"
    "    assert s['claim'].decode() == claim\n"
    "    for n in 'series parameters relation verdict finding rests_on enclosure'.split():\n"
    "        assert s[n].decode() == r[n], (n, s[n], r[n])\n"
    "    for n in 'dim block codewords rate left left_error right right_error tolerance'.split():\n"
    "        assert same(r[n], s[n]), (n, s[n], r[n])\n"
    "    assert s['precision'] == r['precision_bits'] and s['samples'] == r['samples']\n"
    "for a, s in zip(j['claims'], c):\n"
    "    for n in 'title statement domain citation checked not_covered verdict practice_verdict'.split():\n"
    "        assert s[n].decode() == a[n], n\n"
    "    k = 'certified computed measured undecided refuted exceptions'.split()\n"
    "    assert [s[n] for n in k] == [a[n] for n in k] and sum(s[n] for n in k) == sum(r['relation'] != "
    "'value' for r in a['evidence'])\n"
    "    assert s['quick'] == 1 and s['seed'] == b'7' and s['precision_cap'] == 512\n"
    "assert dict(zip(f['claims'].dtype.names, f['claims'].attrs['units']))['precision_cap'] in ('bits', "
    "b'bits')\n"
    "p = f['provenance/run_00001'].attrs\n"
    "assert 'verify' in str(p['argv']) and 'flint' in p and 'git' in p\n"
    "t = {(x['claim'].decode(), x['series'].decode()): (x['part'].decode(), x['meaning'].decode()) for x in "
    "f['claim-series'][...]}\n"
    "assert t == {(a['id'], n): (d['part'], d['meaning']) for a in j['claims'] for n, d in "
    "a['series'].items()}\n"
    "assert {(k, r['series']) for k, r in rows} <= set(t)\n"
    "print('agree', len(c), len(e))\n";

static void store_and_json_hold_everything(void) {
    char path[1024];
    expect(
        0,
        "correlation density --quick --quiet --seed 7 --precision 512 -o claims.h5 --json-file claims.json",
        "2 of 2 claims hold");
    snprintf(path, sizeof path, "%s/compare.py", fq_test_folder());
    FILE *const script = fopen(path, "w");
    if (!FQ_CHECK(script != NULL))
        return;
    fputs(compare_script, script);
    fclose(script);
    const fq_command_result *r = fq_command("/usr/bin/python3 compare.py");
    if (!FQ_CHECK(strncmp(r->out, "agree 2 ", 8) == 0))
        fprintf(stderr, "%s\n", r->err);
    /* a second run replaces its claims' rows and leaves the others */
    expect(0, "density --quick --quiet --seed 7 --precision 512 -o claims.h5", "1 of 1 claims hold");
    r = fq_command("/usr/bin/python3 -c \"import h5py; f = h5py.File('claims.h5'); "
                   "print(sorted((x['claim'].decode(), int(x['run'])) for x in f['claims'][...]), "
                   "len(f['provenance']), sum(f['claim-evidence'][...]['claim'] == b'density'))\"");
    FQ_CHECK(strstr(r->out, "[('correlation', 1), ('density', 2)] 2 ") != NULL);
}

static void a_sweep_and_its_claims_share_a_store(void) {
    const fq_command_result *r =
        fq_command("printf 'experiment: source-law\\ngrid:\\n  dim: 8\\n  block: [2, 3]\\n  samples: 1000\\n "
                   " bins: 5\\n' > m.yaml && "
                   "$FIBQUANT sweep m.yaml -o r.h5 --quiet && $FIBQUANT verify density --quick --quiet -o "
                   "r.h5 >/dev/null && "
                   "$FIBQUANT sweep m.yaml -o r.h5 --resume --quiet && "
                   "/usr/bin/python3 -c \"import h5py; f = h5py.File('r.h5'); print(len(f['source-law']), "
                   "len(f['claims']), len(f['claim-evidence']) > 20)\"");
    if (!FQ_CHECK(strstr(r->out, "10 1 True") != NULL))
        fprintf(stderr, "out: %s\nerr: %s\n", r->out, r->err);
}

static void outputs_that_cannot_be_written(void) {
    expect(4, "density --quick --quiet -o /absent/claims.h5", "/absent/claims.h5");
    expect(4, "density --quick --quiet --json-file /absent/claims.json", "/absent/claims.json");
    expect(3, "density --quick --quiet --cache absent.h5", "absent.h5");
    expect(3, "density --quick --quiet --store absent.h5", "absent.h5");
    fq_command("printf 'no store' > text.h5");
    expect(3, "density --quick --quiet -o text.h5", "text.h5");
    expect(2, "densty", "nearest is \"density\"");
}

static void a_claim_is_listed_in_two_sentences(void) {
    const fq_command_result *const r = expect(0, "--list correlation", "2 correlation: ");
    const fq_claim *const claim = fq_claim_find("correlation");
    FQ_CHECK(strstr(r->out, claim->statement) && strstr(r->out, claim->checked));
}

/* Exit status: 1 only for a refutation without a finding, 5 for an undecided comparison. */
static int exit_code_of(const fq_verdict *verdicts, const char *const *findings, size_t count) {
    fq_claim_result result = {.claim = fq_claim_get(0), .count = count};
    fq_claim_summary_init(&result.summary);
    for (size_t i = 0; i < count; i++) {
        fq_evidence row;
        fq_evidence_init(&row, "x", "y");
        row.relation = FQ_RELATION_LESS;
        row.verdict = verdicts[i];
        snprintf(row.finding, sizeof row.finding, "%s", findings[i]);
        fq_claim_summary_add(&result.summary, &row, FQ_PART_STATEMENT);
    }
    const fq_claim_report report = {.claim_count = 1, .claims = &result};
    return fq_claim_report_exit_code(&report);
}

static void exit_status(void) {
    const fq_verdict good = FQ_VERDICT_CERTIFIED, open = FQ_VERDICT_UNDECIDED;
    const fq_verdict bad = FQ_VERDICT_REFUTED;
    FQ_CHECK(exit_code_of((fq_verdict[]){good, good}, (const char *[]){"", ""}, 2) == 0);
    FQ_CHECK(exit_code_of((fq_verdict[]){good, bad}, (const char *[]){"", "F1"}, 2) == 0);
    FQ_CHECK(exit_code_of((fq_verdict[]){good, bad}, (const char *[]){"", ""}, 2) == 1);
    FQ_CHECK(exit_code_of((fq_verdict[]){bad, bad}, (const char *[]){"F1", ""}, 2) == 1);
    FQ_CHECK(exit_code_of((fq_verdict[]){good, open}, (const char *[]){"", ""}, 2) == 5);
    FQ_CHECK(exit_code_of((fq_verdict[]){open, bad}, (const char *[]){"", ""}, 2) == 1);
}

static const fq_test tests[] = {
    {"exit status", exit_status},
    {"a claim is listed in two sentences", a_claim_is_listed_in_two_sentences},
    {"store and JSON hold everything", store_and_json_hold_everything},
    {"a sweep and its claims share a store", a_sweep_and_its_claims_share_a_store},
    {"outputs that cannot be written", outputs_that_cannot_be_written},
    {0},
};
const fq_suite fq_suite_verify = {"verify", tests};
