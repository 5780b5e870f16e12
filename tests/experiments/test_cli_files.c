/* The program run as its users run it: codebook, encode, decode. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "byte_buffer.h"
#include "check.h"
#include "command.h"
#include "hostile.h"
#include "kv_cache_file.h"
#include "vectors_file.h"

/* Runs "$FIBQUANT ..." and wants this exit status, and on refusal one line naming the verb and what. */
static const fq_command_result *expect(int exit_code, const char *arguments, const char *names) {
    const fq_command_result *r = fq_command("$FIBQUANT %s", arguments);
    bool good = FQ_CHECK(r->exit_code == exit_code);
    if (exit_code != 0) {
        const char *newline = strchr(r->err, '\n');
        good = FQ_CHECK(newline && newline[1] == '\0') && FQ_CHECK(strncmp(r->err, "fibquant", 8) == 0) &&
               FQ_CHECK(strstr(r->err, names) != NULL) && FQ_CHECK(r->out[0] == '\0') && good;
    } else if (names) {
        good = FQ_CHECK(strstr(r->out, names) != NULL) && good;
    }
    if (!good)
        fprintf(stderr, "fibquant %s\n  exit %d, wanted %d and \"%s\"\n  out: %s\n  err: %s\n", arguments,
                r->exit_code, exit_code, names ? names : "", r->out, r->err);
    return r;
}

static void make_vectors(void) {
    const fq_command_result *r =
        fq_command("/usr/bin/python3 -c \"import h5py, numpy; r = numpy.random.default_rng(1);"
                   "h5py.File('v.h5', 'w')['vectors'] = (3 * r.standard_normal((500, 16))).astype('f4')\"");
    FQ_CHECK(r->exit_code == 0);
}

/* Files for every verb that reads one and writes one. */
static void make_inputs(void) {
    fq_bytes b = {0};
    char path[256];
    fq_gguf_put_small_llama(&b, 1);
    fq_bytes_save(&b, fq_test_folder(), "m.gguf", path);
    fq_bytes_free(&b);
    make_vectors();
    FQ_CHECK(fq_command("echo a text of more than sixteen tokens, which is what this model reads > t.txt; "
                        "echo 'experiment: rate-distortion\nseed: 1\ngrid: {dim: 16, samples: 100, codec: "
                        "\"tq:b=1\"}' > s.yaml; $FIBQUANT sweep s.yaml -o r.h5 -q; "
                        "$FIBQUANT encode -c tq:b=1 -o c.h5 v.h5; "
                        "$FIBQUANT codebook -d 16 -k 4 -N 16 --recipe initial --samples 100 -q -o k.h5; "
                        "$FIBQUANT cache -m m.gguf -t t.txt --tokens 8 -q -o kv.h5; "
                        "echo 'experiment: fidelity\nseed: 1\ngrid: {cache: kv.h5, codec: \"tq:b=1\"}' > "
                        "f.yaml; mkdir figures; cp r.h5 figures/rate_distortion.json")
                 ->exit_code == 0);
}

static void help_of_every_verb(void) {
    static const char *const verbs[] = {"codebook", "decode", "encode", "theory"};
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        char arguments[64], usage[64];
        snprintf(arguments, sizeof arguments, "%s --help", verbs[i]);
        snprintf(usage, sizeof usage, "usage: fibquant %s", verbs[i]);
        FQ_CHECK(strstr(expect(0, arguments, usage)->out, "Examples:") != NULL);
    }
}

static void wrong_usage(void) {
    expect(2, "codebok", "nearest is \"codebook\"");
    expect(2, "codebook", "--dim D is missing");
    expect(2, "codebook --dim 64 --block 4", "--codewords N is missing");
    expect(2, "codebook --dim 1 --block 1 --codewords 4", "--dim \"1\"");
    expect(2, "codebook --dim 64 --block 4 --codewords 4 -b 2", "--bits is for --family trellis");
    expect(2, "codebook --family trellis", "--bits B is missing");
    expect(2, "codebook --family trellis -b 2 -k 4", "--block is for --family fib");
    expect(2, "codebook --family trellis -b 2.3", "--bits 2.3: allowed is 1 to 8 bits for 1, 2 or 4");
    expect(2, "codebook --family trellis -b 8 --window 7", "--window 7: allowed is 8");
    expect(2, "codebook --family trellis -b 0.5 -d 63", "--dim 63: allowed is a multiple of 2");
    expect(2, "codebook --family trellis -b 2 --window 5", "--window");
    expect(2, "codebook --dim 8 --block 9 --codewords 4", "--block 9");
    expect(2, "codebook --dim 64 --block 4 --codewords 4 --recipe popular", "nearest is \"population\"");
    expect(2, "codebook --dim 64 --block 4 --codewords 4 surplus", "surplus");
    expect(2, "codebook --dim 64 --blok 4 --codewords 4", "nearest is --block");
    expect(2, "encode -o x.h5 v.h5", "--codec NAME is missing");
    expect(2, "encode --codec tq:b=99 -o x.h5 v.h5", "b");
    expect(2, "encode --codec zip -o x.h5 v.h5", "zip");
    expect(2, "encode --codec tq:b=2 -o x.h5", "VECTORS.h5");
    expect(2, "encode --codec tq:b=2 -o x.h5 ''", "an argument is empty; allowed: VECTORS.h5");
    expect(2, "decode codes.h5", "--output FILE.h5 is missing");
}

static void help_by_name(void) {
    expect(0, "help", "  codebook ");
    expect(0, "help encode", "usage: fibquant encode [OPTION...] VECTORS.h5");
    expect(0, "help codecs",
           "  recipe   how the codebook is trained: population, paper, initial, product, shell or lattice");
    expect(2, "help enc", "nearest is \"encode\"");
    expect(2, "help encode decode", "unexpected argument \"decode\"");
    expect(2, "version 2", "unexpected argument");
    const fq_command_result *r = fq_command("$FIBQUANT help > a; $FIBQUANT --help > b; cmp a b");
    FQ_CHECK(r->exit_code == 0);
    r = fq_command("$FIBQUANT \"$(printf 'ab\\033[31m\\nc')\"");
    FQ_CHECK(r->exit_code == 2 && strstr(r->err, "\"ab\\x1b[31m\\nc\"") != NULL);
    r = fq_command("$FIBQUANT codebook --dim \"$(printf '\\033]0;x\\007')\" --block 1 --codewords 2");
    FQ_CHECK(r->exit_code == 2 && strstr(r->err, "\\x1b]0;x\\x07") && !strchr(r->err, '\033'));
}

/* What is the same in all verbs is in the help of all verbs. */
static void options_of_every_verb(void) {
    const fq_command_result *r = fq_command(
        "for verb in $($FIBQUANT --help | sed -n 's/^  \\([a-z][a-z-]*\\)  .*/\\1/p'); do\n"
        "    $FIBQUANT $verb --help > help || exit 1\n"
        "    for option in '  -q, --quiet  ' '      --no-progress  ' '  -h, --help  '; do\n"
        "        test $(grep -c -e \"^$option\" help) = 1 || echo \"$verb: no $option\"\n"
        "    done\n"
        "    grep -q '^      --json  .*one JSON document and nothing else' help || echo \"$verb: no json\"\n"
        "    grep -q '^Exit status: 0 success' help || echo \"$verb: no exit status\"\n"
        "    $FIBQUANT $verb -q --quiet 2> err; test $? = 2 && grep -q 'quiet: given twice' err || echo "
        "\"$verb: quiet twice\"\n"
        "    echo $verb >> verbs\n"
        "done; wc -l < verbs");
    if (!FQ_CHECK(strcmp(r->out, "help: no json\n18\n") == 0))
        fprintf(stderr, "%s", r->out);
}

/* One document, and nothing but notes that -q silences on standard error. */
static void json_of_verbs(void) {
    static const char *const commands[] = {
        "version",
        "theory density -d 2",
        "theory rate-distortion -d 2 -k 1",
        "verify --list",
        "verify gains --quick -q",
        "codebook -d 6 -k 4 -N 4 --recipe initial --samples 100 -q",
        "encode -c tq:b=1 -o json.h5 v.h5",
        "decode json.h5 -o \"$(printf 'not-utf8-\\377.h5')\"",
        "cache -m m.gguf -t t.txt --tokens 8 -q -o kv2.h5",
        "status r.h5",
        "results r.h5",
        "sweep --list",
        "sweep s.yaml --dry-run",
        "sweep s.yaml --resume -q -o r.h5",
        "diff r.h5 r.h5",
        "merge r.h5 -o merged.h5",
        "plot --list",
        "plot -q r.h5 -o drawn",
        "perplexity -m m.gguf -t t.txt -c fp16 --window 8 --windows 2 --skip 2 -q -o p.h5",
    };
    make_inputs();
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const fq_command_result *r =
            fq_command("$FIBQUANT %s --json > document && /usr/bin/python3 -c \"import json; d = "
                       "json.load(open('document')); assert type(d) is dict, d\"",
                       commands[i]);
        if (!FQ_CHECK(r->exit_code == 0 && r->err[0] == '\0'))
            fprintf(stderr, "%s: exit %d\n%s", commands[i], r->exit_code, r->err);
    }
    const fq_command_result *r =
        fq_command("$FIBQUANT sweep s.yaml --set seed=2 -q -o two.h5 && $FIBQUANT diff r.h5 two.h5 --json");
    json_t *document = json_loads(r->out, 0, NULL);
    json_int_t only_in_first = 0;
    size_t t;
    json_t *table;
    json_array_foreach(json_object_get(document, "tables"), t, table) only_in_first +=
        json_integer_value(json_object_get(table, "only_in_first"));
    FQ_CHECK(r->exit_code == 1 && json_integer_value(json_object_get(document, "differences")) == 2);
    FQ_CHECK(only_in_first == 1);
    json_decref(document);
}

static double number(json_t *document, const char *key) {
    return json_number_value(json_object_get(document, key));
}

static void a_codebook_is_made_measured_and_kept(void) {
    const char *arguments = "codebook -d 16 -k 2 -N 8 --recipe paper --samples 20000 --json -o c.h5";
    json_t *document = json_loads(expect(0, arguments, NULL)->out, 0, NULL);
    if (!FQ_CHECK(document != NULL))
        return;
    const double d = number(document, "distortion"), se = number(document, "distortion_se");
    const double bound = number(document, "every_code_bound");
    FQ_CHECK(bound > number(document, "shannon_bound") && d > bound && d < 1);
    FQ_CHECK_NEAR(number(document, "every_code_excess"), d / bound - 1, 1e-12);
    FQ_CHECK(se > 0 && se < 0.05 * d);
    FQ_CHECK_NEAR(number(document, "rate"), 1.5, 0);
    json_decref(document);
    const fq_command_result *r = fq_command("/usr/bin/python3 -c \"import h5py; f = h5py.File('c.h5'); c = "
                                            "f['codebook']; p = f['provenance'].attrs;"
                                            "print(c.shape, c.attrs['recipe'], p['argv'], p['seed'], all(k "
                                            "in p for k in ('schema program git compiler flags "
                                            "build_type hdf5 gsl openblas flint cpu cores governor host os "
                                            "threads rng started stopped').split()))\"");
    FQ_CHECK(strstr(r->out, "(8, 2) paper fibquant codebook -d 16 -k 2 -N 8") && strstr(r->out, " 1 True\n"));
    FQ_CHECK(fq_command("h5dump -H c.h5 | grep -c content_sha256")->exit_code == 0);
    /* the second time from the cache folder, with the same words; a damaged entry is noticed */
    expect(0, "codebook -d 16 -k 2 -N 8 --recipe paper --samples 20000 -o again.h5", "distortion D");
    FQ_CHECK(fq_command("h5diff c.h5 again.h5 /codebook")->exit_code == 0);
    FQ_CHECK(fq_command("truncate -s 900 cache/*.h5")->exit_code == 0);
    r = expect(0, "codebook -d 16 -k 2 -N 8 --recipe paper --samples 20000 -o again.h5", "distortion D");
    FQ_CHECK(strstr(r->err, "damaged") != NULL);
    FQ_CHECK(fq_command("h5diff c.h5 again.h5 /codebook")->exit_code == 0);
}

/* The same map again, and the file as it was printed; D near the optimum of so short a window. */
static void a_map_of_a_trellis_code_is_found(void) {
    const char *arguments = "codebook --family trellis -b 2 --window 6 --labels 5 --evaluations 300 "
                            "--samples 2048 --json -o t.h5";
    static char first[sizeof((fq_command_result *)0)->out];
    strcpy(first, expect(0, arguments, NULL)->out);
    FQ_CHECK(strcmp(first, expect(0, arguments, NULL)->out) == 0);
    json_t *document = json_loads(first, 0, NULL);
    if (!FQ_CHECK(document != NULL))
        return;
    FQ_CHECK(number(document, "distortion") > 0.0637 && number(document, "distortion") < 0.0765);
    FQ_CHECK(number(document, "distortion_se") > 0 && number(document, "distortion_se") < 4e-4);
    json_decref(document);
    const fq_command_result *r = fq_command(
        "\"$FIBQUANT\" %s > t.json; /usr/bin/python3 -c \"import h5py, json; f = h5py.File('t.h5'); "
        "j = json.load(open('t.json')); c, l = f['columns'], f['levels'];"
        "print(c[:].tolist() == j['columns'], l[:].tolist() == j['levels'], l.attrs['step'] == j['step'],"
        "l.attrs['distortion'] == j['distortion'], c.attrs['window'], 'argv' in f['provenance'].attrs)\"",
        arguments);
    FQ_CHECK(strcmp(r->out, "True True True True 6 True\n") == 0);
    expect(0, "codebook --family trellis -b 0.5 --window 6 --labels 3 --evaluations 64 --samples 64",
           "{.fresh = 1, .together = 2, .window = 6, .label_bits = 3, .step = ");
    expect(4, "codebook --family trellis -b 2 --window 6 -o no/such/folder.h5", "no/such");
}

static void a_block_that_does_not_divide(void) {
    const char *arguments = "codebook -d 6 -k 4 -N 4 --recipe initial --samples 100";
    const fq_command_result *r = expect(0, arguments, "d = 6, k = 4");
    FQ_CHECK(strcmp(r->err,
                    "fibquant codebook: note: --block 4 does not divide --dim 6: no codec can use this "
                    "codebook\n") == 0);
    FQ_CHECK(expect(0, "codebook -d 6 -k 3 -N 4 --recipe initial --samples 100", "k = 3")->err[0] == '\0');
}

static bool codes_are_named(const char *name, const char *recipe) {
    const fq_command_result *r =
        fq_command("/usr/bin/python3 -c \"import h5py; f = h5py.File('c.h5'); "
                   "print(f['codes'].attrs['codec'], f['codebook'].attrs['recipe'])\"");
    char wanted[200];
    snprintf(wanted, sizeof wanted, "%s %s\n", name, recipe);
    return strcmp(r->out, wanted) == 0;
}

/* Codes are named after the codebook they are made with, or not made. */
static void a_codebook_given_to_encode(void) {
    make_vectors();
    FQ_CHECK(
        fq_command(
            "for r in initial paper; do $FIBQUANT codebook -d 16 -k 4 -N 16 --recipe $r --samples 100 -q "
            "-o $r.h5; done; $FIBQUANT codebook -d 16 -k 4 -N 16 --recipe paper --seed 7 --samples 100 "
            "-q -o seven.h5; $FIBQUANT codebook -d 16 -k 2 -N 16 --recipe initial --samples 100 -q -o "
            "other.h5")
            ->exit_code == 0);
    expect(2, "encode -c fib:k=4,N=16,recipe=paper --codebook initial.h5 -o c.h5 v.h5",
           "initial.h5: is of recipe initial and seed 1, but fib:k=4,N=16,recipe=paper says recipe paper");
    expect(2, "encode -c fib:k=4,N=16,seed=3 --codebook seven.h5 -o c.h5 v.h5", "recipe paper and seed 7");
    expect(2, "encode -c tq:b=2 --codebook paper.h5 -o c.h5 v.h5", "tq:b=2 has no codebook");
    expect(2, "encode -c fp16 --codebook paper.h5 -o c.h5 v.h5", "fp16 has no codebook");
    expect(2, "encode -c fib:k=4,N=16 --codebook other.h5 -o c.h5 v.h5",
           "d = 16, k = 2, N = 16; allowed for");
    FQ_CHECK(fq_command("ls c.h5")->exit_code == 2);
    expect(0, "encode -c fib:k=4,N=16 --codebook initial.h5 -o c.h5 v.h5", "fib:k=4,N=16,recipe=initial");
    FQ_CHECK(codes_are_named("fib:k=4,N=16,recipe=initial", "initial"));
    expect(0, "encode -c fib:k=4,N=16,rot=hadamard --codebook seven.h5 -o c.h5 v.h5", "seed=7");
    FQ_CHECK(codes_are_named("fib:k=4,N=16,recipe=paper,rot=hadamard,seed=7", "paper"));
    expect(0, "encode -c fib:k=4,N=16,recipe=paper,seed=7 --codebook seven.h5 -o c.h5 v.h5", "seed=7");
    /* the name is true: with the codebook that it names, trained anew, the codes are the same */
    expect(0, "encode -c fib:k=4,N=16,recipe=paper,seed=7 -o again.h5 v.h5", "seed=7");
    FQ_CHECK(fq_command("h5diff c.h5 again.h5 /codes /codes")->exit_code == 0);
}

static void the_smallest_dimension(void) {
    const fq_command_result *r = expect(0, "theory density -d 2 --points 3", "radial_density");
    double at[4] = {0};
    const char *second = strstr(r->out, "0.49999");
    FQ_CHECK(second && sscanf(second, "%lf %lf %lf %lf", &at[0], &at[1], &at[2], &at[3]) == 4);
    FQ_CHECK_NEAR(at[1], 1 / (3.14159265358979 * sqrt(1 - at[0] * at[0])), 1e-8); /* arcsine law */
    FQ_CHECK_NEAR(at[3], 1 / 3.0, 1e-7);
    expect(0, "theory rate-distortion -d 2", "scalar_lloyd_max");
    expect(0, "theory bounds -d 3 -k 2 --rate 1", "0.234375"); /* equal caps: 1 - (1 - 1/8)^2 */
    expect(0, "theory gain -d 2", "total_db");
    expect(2, "theory density -d 2 -k 2", "--block 2: allowed is 1 to dim-1 = 1");
}

static void a_large_rotation(void) {
    FQ_CHECK(fq_command(
                 "/usr/bin/python3 -c \"import h5py, numpy\nfor d in 1024, 16384:\n    h5py.File('v%%d.h5' "
                 "%% d, 'w')['vectors'] = numpy.random.default_rng(0).standard_normal((3, d)).astype('f4')\"")
                 ->exit_code == 0);
    FQ_CHECK(strstr(expect(0, "encode -c tq:b=2 -o c.h5 v1024.h5", "3 vectors")->err, "rot=hadamard") !=
             NULL);
    FQ_CHECK(strstr(expect(0, "decode -o b.h5 c.h5", "3 vectors")->err, "a Haar rotation of dimension 1024"));
    FQ_CHECK(expect(0, "encode -q -c tq:b=2 -o c.h5 v1024.h5", "3 vectors")->err[0] == '\0');
    expect(2, "encode -c tq:b=2 -o c.h5 v16384.h5", "rot=hadamard");
    expect(2, "encode -c fib:k=4,N=65536 -o c.h5 v16384.h5", "rot=hadamard"); /* before training */
    FQ_CHECK(expect(0, "encode -c tq:b=2,rot=hadamard -o c.h5 v16384.h5", "3 vectors")->err[0] == '\0');
}

static void outputs_that_cannot_be_written(void) {
    make_vectors();
    expect(4, "codebook -d 16 -k 2 -N 4 --recipe initial --samples 100 -o /absent/c.h5", "/absent/c.h5");
    expect(4, "codebook -d 16 -k 2 -N 4 --recipe initial --samples 100 -o /proc/c.h5", "/proc/c.h5");
    expect(4, "codebook -d 16 -k 2 -N 4 --recipe initial --samples 100 -o /dev/full", "/dev/full");
    expect(4, "encode --codec tq:b=2 -o . v.h5", ".: is no regular file");
    const fq_command_result *r = fq_command("ulimit -f 1; $FIBQUANT encode --codec tq:b=2 -o codes.h5 v.h5");
    FQ_CHECK(r->exit_code == 4 && strstr(r->err, "codes.h5: cannot be written: File too large"));
    FQ_CHECK(fq_command("ls codes.h5*")->exit_code == 2);
    r = fq_command("$FIBQUANT --help > /dev/full");
    FQ_CHECK(r->exit_code == 4 && strcmp(r->err, "fibquant: standard output could not be written\n") == 0);
    r = fq_command("$FIBQUANT theory gain >&-");
    FQ_CHECK(r->exit_code == 4 && strstr(r->err, "standard output could not be written"));
    r = fq_command("$FIBQUANT encode --codec tq:b=2 -o /dev/stdout v.h5 | cat; exit ${PIPESTATUS:-0}");
    FQ_CHECK(strstr(r->err, "/dev/stdout: is no regular file") != NULL);
    r = fq_command("$FIBQUANT codebook --help > /dev/full");
    FQ_CHECK(r->exit_code == 4 && strstr(r->err, "standard output could not be written"));
}

/* Every verb that writes: no output may be one of its inputs, by its own name or through either kind of link.
 */
static void outputs_that_are_inputs(void) {
    static const struct {
        const char *command, *input, *names;
    } cases[] = {
        {"encode -c tq:b=1 v.h5 -o", "v.h5", "VECTORS.h5"},
        {"encode -c fib:k=4,N=16,recipe=initial --codebook k.h5 v.h5 -o", "k.h5", "--codebook"},
        {"decode c.h5 -o", "c.h5", "CODES.h5"},
        {"decode --reference v.h5 c.h5 -o", "v.h5", "--reference"},
        {"cache -m m.gguf -t t.txt --tokens 8 -o", "m.gguf", "--model"},
        {"cache -m m.gguf -t t.txt --tokens 8 -o", "t.txt", "--text"},
        {"verify gains --quick --store r.h5 --json-file", "r.h5", "--store"},
        {"verify gains --quick --cache kv.h5 --json-file", "kv.h5", "--cache"},
        {"verify gains --quick --cache kv.h5 -o", "kv.h5", "--cache"},
        {"verify gains --quick -o r.h5 --json-file", "r.h5", "--output"},
        {"perplexity -m m.gguf -t t.txt -c fp16 --resume -o", "m.gguf", "--model"},
        {"perplexity -m m.gguf -t t.txt -c fp16 --force -o", "t.txt", "--text"},
        {"sweep s.yaml --force -o", "s.yaml", "MANIFEST.yaml"},
        {"sweep f.yaml --force -o", "kv.h5", "cache"},
    };
    make_inputs();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (int link = 0; link < 3; link++) {
            char arguments[300];
            const char *const names[] = {cases[i].input, "soft", "hard"};
            FQ_CHECK(fq_command("cp %s before; rm -f soft hard; ln -s %s soft; ln %s hard", cases[i].input,
                                cases[i].input, cases[i].input)
                         ->exit_code == 0);
            snprintf(arguments, sizeof arguments, "%s %s", cases[i].command, names[link]);
            const fq_command_result *r = expect(2, arguments, cases[i].names);
            FQ_CHECK(strstr(r->err, names[link]) != NULL);
            FQ_CHECK(fq_command("cmp before %s", cases[i].input)->exit_code == 0);
        }
    expect(2, "plot figures/rate_distortion.json -o figures", "RESULTS.h5");
    expect(0, "results figures/rate_distortion.json", "tq:b=1");
    /* a store that a claim reads may be the one that it extends */
    FQ_CHECK(fq_command("$FIBQUANT verify gains --quick -q --store r.h5 -o r.h5")->exit_code == 0);
    FQ_CHECK(
        fq_command("test $($FIBQUANT results r.h5 --table rate-distortion --csv | wc -l) = 2")->exit_code ==
        0);
    /* two outputs that are not there yet, under two names */
    FQ_CHECK(fq_command("ln -s new.h5 dangling")->exit_code == 0);
    expect(2, "verify gains --quick -o new.h5 --json-file dangling", "--json-file");
    /* what lies beside a model is read with it, HDF5 files aside */
    FQ_CHECK(fq_command("mkdir model; cp m.gguf model; echo {} > model/config.json")->exit_code == 0);
    expect(2, "cache -m model -t t.txt --tokens 8 -o model/config.json", "--model");
    FQ_CHECK(fq_command("for i in 1 2; do $FIBQUANT cache -m model/m.gguf -t t.txt --tokens 8 -q -o "
                        "model/kv.h5; done")
                 ->exit_code == 0);
}

/* A folder that holds the cache of another model, another text or another length is not gone on with. */
static void a_folder_is_of_one_model_and_text(void) {
    fq_bytes b = {0};
    char path[256];
    make_inputs();
    fq_gguf_put_small_llama(&b, 2);
    fq_bytes_save(&b, fq_test_folder(), "other.gguf", path);
    fq_bytes_free(&b);
    FQ_CHECK(fq_command("mkdir folder; cp kv.h5 folder/cache.h5; tr a-m n-z < t.txt > u.txt")->exit_code ==
             0);
    expect(2, "reproduce --quick -m other.gguf -t t.txt -o folder",
           "holds the reproduction of another model");
    expect(2, "reproduce --quick -m m.gguf -t u.txt -o folder", "holds the reproduction of another text");
    expect(2, "reproduce --quick -m m.gguf -t t.txt -o folder", "a cache of 8 tokens, not 512");
    expect(2, "reproduce -m m.gguf -t t.txt -o folder", "a cache of 8 tokens, not 1024");
    expect(3, "reproduce -m m.gguf -t absent -o folder", "absent");
    expect(3, "reproduce -m . -t t.txt -o new", "is no regular file");
    expect(3, "reproduce -m absent -t t.txt -o new", "absent");
    expect(2, "reproduce -m m.gguf -o folder", "--text is missing");
    expect(3, "reproduce --compare absent.h5 -o new", "absent.h5");
    expect(3, "reproduce --compare t.txt -o new", "no HDF5");
    expect(2, "reproduce -m folder/cache.h5 -t t.txt -o folder", "--model");
    FQ_CHECK(fq_command("test ! -e new")->exit_code == 0);
    FQ_CHECK(fq_command("test \"$(ls folder)\" = cache.h5 && cmp kv.h5 folder/cache.h5")->exit_code == 0);
}

/* Found before the work and not after: each of these would run for minutes. */
static void outputs_that_cannot_be_written_are_found_first(void) {
    static const char *const commands[] = {
        "codebook -d 64 -k 4 -N 65536 --no-cache -q -o",
        "encode -c fib:k=4,N=65536 v.h5 -o",
        "decode c.h5 -o",
        "cache -m m.gguf -t t.txt --tokens 8 -q -o",
        "verify -q -o",
        "verify -q --json-file",
        "bench -q -o",
        "perplexity -m m.gguf -t t.txt -c fp16 --resume -q -o",
        "sweep long.yaml --force -q -o",
        "merge r.h5 -o",
        "plot r.h5 -o",
        "reproduce -o",
    };
    make_inputs();
    FQ_CHECK(fq_command("echo 'experiment: rate-distortion\ngrid: {dim: 64, codec: "
                        "\"fib:k=4,N=65536\"}' > long.yaml; cp r.h5 closed; chmod 444 closed")
                 ->exit_code == 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        static const char *const places[] = {"absent/sub/x.h5", "/proc/x.h5", "closed"};
        for (size_t j = 0; j < sizeof places / sizeof places[0]; j++) {
            const fq_command_result *r = fq_command("timeout 20 $FIBQUANT %s %s", commands[i], places[j]);
            const bool exists = j == 2 && strncmp(commands[i], "merge", 5) == 0;
            if (!FQ_CHECK(r->exit_code == (exists ? 2 : 4)) || !FQ_CHECK(strstr(r->err, places[j]) != NULL) ||
                !FQ_CHECK(strchr(r->err, '\n') && strchr(r->err, '\n')[1] == '\0'))
                fprintf(stderr, "%s %s: exit %d\n%s", commands[i], places[j], r->exit_code, r->err);
        }
    }
    static const char *const stores[] = {"verify -q -o", "bench -q -o",
                                         "perplexity -m m.gguf -t t.txt -c fp16 -q --resume -o"};
    for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++) { /* and what is no results file */
        const fq_command_result *r = fq_command("cp v.h5 x.h5; timeout 20 $FIBQUANT %s x.h5", stores[i]);
        FQ_CHECK(r->exit_code == 3 && strstr(r->err, "x.h5") && fq_command("cmp v.h5 x.h5")->exit_code == 0);
    }
    FQ_CHECK(fq_command("ls absent")->exit_code == 2 && fq_command("ls *.tmp-* *.lock")->exit_code == 2);
}

static void vectors_go_there_and_back(void) {
    make_vectors();
    json_t *coded =
        json_loads(expect(0, "encode --codec tq:b=4 --json -o codes.h5 v.h5", NULL)->out, 0, NULL);
    FQ_CHECK_NEAR(number(coded, "code_bytes"), 16 * 4 / 8 + 2, 0);
    json_decref(coded);
    json_t *back =
        json_loads(expect(0, "decode --reference v.h5 --json -o back.h5 codes.h5", NULL)->out, 0, NULL);
    /* d = 16: a little below the 0.0093 of d = 128; 500 vectors know the mean to 2 % */
    const double error = number(back, "error");
    FQ_CHECK(error > 0.006 && error < 0.0105);
    FQ_CHECK(number(back, "cosine") > 0.99 && number(back, "cosine") < 1);
    json_decref(back);
    const fq_command_result *r = fq_command(
        "/usr/bin/python3 -c \"import h5py, numpy; v, b = (h5py.File(n)['vectors'][...].astype('f8') for n "
        "in "
        "('v.h5', 'back.h5')); print(repr(float((((v - b)**2).sum(1) / (v**2).sum(1)).mean())))\"");
    FQ_CHECK_NEAR(strtod(r->out, NULL), error, 1e-9);
}

static void unreadable_inputs(void) {
    make_vectors();
    expect(0, "encode --codec tq:b=2 -o codes.h5 v.h5", "500 vectors");
    expect(3, "encode --codec tq:b=2 -o x.h5 absent.h5", "absent.h5");
    expect(3, "encode --codec tq:b=2 -o x.h5 codes.h5", "vectors: missing");
    expect(3, "decode -o x.h5 v.h5", "codes: missing");
    FQ_CHECK(
        fq_command(
            "cp v.h5 cut.h5; truncate -s 5000 cut.h5; echo no > text.h5; cp v.h5 nan.h5; cp codes.h5 "
            "other.h5;"
            "cp codes.h5 unknown.h5; /usr/bin/python3 -c \"import h5py;"
            "h5py.File('nan.h5', 'a')['vectors'][7, 3] = float('nan');"
            "c = h5py.File('other.h5', 'a')['codes']; c.attrs['codec'] = 'tq:b=3';"
            "u = h5py.File('unknown.h5', 'a')['codes']; u.attrs['codec'] = 'zip'\"; cp other.h5 changed.h5;"
            "/usr/bin/python3 -c \"import h5py\nfor name in 'other.h5', 'unknown.h5':\n"
            "    del h5py.File(name, 'a')['codes'].attrs['content_sha256']\"")
            ->exit_code == 0);
    expect(3, "decode -o x.h5 changed.h5", "content_sha256 does not fit");
    expect(3, "encode --codec tq:b=2 -o x.h5 cut.h5", "cut.h5: has 5000 bytes");
    expect(3, "encode --codec tq:b=2 -o x.h5 text.h5", "no HDF5 signature");
    expect(3, "encode --codec tq:b=2 -o x.h5 nan.h5", "vector 7, coordinate 3");
    expect(3, "decode -o x.h5 other.h5", "bytes a vector");
    expect(3, "decode -o x.h5 unknown.h5", "zip");
    FQ_CHECK(fq_command("ls x.h5")->exit_code == 2);
}

static fq_status read_codes(const char *path, void *context) {
    fq_codes codes;
    const fq_codes *const good = context;
    FQ_TRY(fq_codes_read(&codes, path));
    FQ_CHECK(codes.count == good->count && codes.code_bytes == good->code_bytes && codes.dim == good->dim &&
             strcmp(codes.codec, good->codec) == 0 &&
             memcmp(codes.bytes, good->bytes, good->count * good->code_bytes) == 0);
    fq_codes_clear(&codes);
    return FQ_OK;
}

static fq_status read_vectors(const char *path, void *context) {
    fq_vectors vectors;
    const fq_vectors *const good = context;
    FQ_TRY(fq_vectors_read(&vectors, path));
    FQ_CHECK(vectors.count == good->count && vectors.dim == good->dim &&
             memcmp(vectors.x, good->x, good->count * good->dim * sizeof *good->x) == 0);
    fq_vectors_clear(&vectors);
    return FQ_OK;
}

/* s.h5, which h5py writes, has no digest: encoded and decoded again it has one. */
static void damaged_vectors_and_codes(void) {
    char path[400];
    fq_vectors vectors;
    fq_codes codes;
    make_vectors();
    FQ_CHECK(fq_command("/usr/bin/python3 -c \"import h5py; h5py.File('s.h5', 'w')['vectors'] = "
                        "h5py.File('v.h5')['vectors'][:20]\"; $FIBQUANT encode -c tq:b=2 -o codes.h5 s.h5 && "
                        "$FIBQUANT decode -o d.h5 codes.h5")
                 ->exit_code == 0);
    snprintf(path, sizeof path, "%s/d.h5", fq_test_folder());
    if (FQ_CHECK_OK(fq_vectors_read(&vectors, path)))
        (void)fq_hostile_files(path, 80, read_vectors, &vectors);
    fq_vectors_clear(&vectors);
    snprintf(path, sizeof path, "%s/codes.h5", fq_test_folder());
    if (FQ_CHECK_OK(fq_codes_read(&codes, path)))
        (void)fq_hostile_files(path, 80, read_codes, &codes);
    fq_codes_clear(&codes);
}

/* Found by fuzzing: use after free, reads out of bounds and an endless loop inside HDF5 1.10.8. */
static void files_on_which_the_library_itself_fails(void) {
    static const struct {
        const char *command, *file;
    } cases[] = {
        {"encode -c fib:k=2,N=4 -o x.h5 v.h5 --codebook", "codebook_attribute_use_after_free.h5"},
        {"encode -c tq:b=2 -o x.h5", "vectors_chunk_overread.h5"},
        {"decode -o x.h5", "codes_heap_overlap.h5"},
        {"results", "results_attribute_release.h5"},
    };
    fq_kv_cache *cache = NULL;
    make_vectors();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char arguments[600];
        snprintf(arguments, sizeof arguments, "%s %s/tests/fuzz/contained/%s", cases[i].command,
                 FQ_SOURCE_DIR, cases[i].file);
        expect(3, arguments, cases[i].file);
    }
    FQ_CHECK_FAILS(fq_kv_cache_open(&cache, FQ_SOURCE_DIR "/tests/fuzz/contained/kv_cache_heap_endless.h5"),
                   FQ_ERR_INPUT);
    FQ_CHECK(strstr(fq_error_last()->text, "does not end") != NULL);
}

/* Ctrl-C and SIGTERM at any moment: exit status 130 and 143 with one line, or done; no half file, ever. */
static void interrupted(void) {
    fq_bytes b = {0};
    char path[256];
    fq_gguf_put_small_llama(&b, 1);
    fq_bytes_save(&b, fq_test_folder(), "small.gguf", path);
    fq_bytes_free(&b);
    make_vectors();
    const fq_command_result *r =
        fq_command("cat > text.txt <<'END'\na text of more than sixteen tokens, which is what this model can "
                   "read at once\nEND\n"
                   "cat > interrupt.py <<'END'\n"
                   "import glob, os, random, signal, subprocess, time\n"
                   "program, done, ended = os.environ['FIBQUANT'], 0, 0\n"
                   "random.seed(1)\n"
                   "commands = ['cache -m small.gguf -t text.txt --tokens 16 -o out.h5', 'encode -c tq:b=2 "
                   "-o out.h5 v.h5',\n"
                   "            'codebook -d 16 -k 2 -N 8 --recipe paper --no-cache -o out.h5']\n"
                   "for trial in range(%u):\n"
                   "    for f in glob.glob('out.h5*'):\n"
                   "        os.remove(f)\n"
                   "    number = (signal.SIGINT, signal.SIGTERM)[trial %% 2]\n"
                   "    p = subprocess.Popen([program] + commands[trial %% 3].split(), "
                   "stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)\n"
                   "    time.sleep(random.uniform(0.02, 0.2))\n"
                   "    p.send_signal(number)\n"
                   "    said = p.communicate()[1].decode()\n"
                   "    left = glob.glob('out.h5*')\n"
                   "    if p.returncode == 0:\n"
                   "        done += 1\n"
                   "        assert left == ['out.h5'], left\n"
                   "    elif p.returncode == -number:\n"
                   "        assert left == [], left  # before main\n"
                   "    else:\n"
                   "        ended += 1\n"
                   "        assert p.returncode == 128 + number, (commands[trial %% 3], p.returncode, said)\n"
                   "        assert left in ([], ['out.h5']) and said.count('fibquant: interrupted\\n') == 1, "
                   "(left, said)\n"
                   "print(done, 'were done,', ended, 'interrupted')\n"
                   "assert ended > 0\n"
                   "END\n"
                   "/usr/bin/python3 interrupt.py",
                   60 * fq_test_multiplier());
    printf("       %s%s", r->out, r->err);
    FQ_CHECK(r->exit_code == 0);
}

static const fq_test tests[] = {
    {"help", help_of_every_verb},
    {"help by name", help_by_name},
    {"options of every verb", options_of_every_verb},
    {"json", json_of_verbs},
    {"a block that does not divide", a_block_that_does_not_divide},
    {"a codebook given to encode", a_codebook_given_to_encode},
    {"the smallest dimension", the_smallest_dimension},
    {"a large rotation", a_large_rotation},
    {"wrong usage", wrong_usage},
    {"codebook", a_codebook_is_made_measured_and_kept},
    {"a map of a trellis code is found", a_map_of_a_trellis_code_is_found},
    {"unwritable outputs", outputs_that_cannot_be_written},
    {"outputs that are inputs", outputs_that_are_inputs},
    {"a folder is of one model and text", a_folder_is_of_one_model_and_text},
    {"unwritable outputs are found first", outputs_that_cannot_be_written_are_found_first},
    {"there and back", vectors_go_there_and_back},
    {"unreadable inputs", unreadable_inputs},
    {"damaged vectors and codes", damaged_vectors_and_codes},
    {"interrupted", interrupted},
    {"contained", files_on_which_the_library_itself_fails},
    {0},
};
const fq_suite fq_suite_cli_files = {"cli_files", tests};
