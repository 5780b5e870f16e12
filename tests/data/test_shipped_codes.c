/* The codes that come with the program: whole, as their index says, made again to the bit, read by the page's
 * own lines of Python and C; and damaged ones refused. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "check.h"
#include "codebook_bytes.h"
#include "codebook_training.h"
#include "command.h"
#include "memory.h"
#include "shipped_codes.h"
#include "trellis_maps.h"

#define CODES FQ_SOURCE_DIR "/data/codes"

/* Every line of codes.list has its file, and every file is the code that its name says. */
static void every_code_of_the_list_is_there(void) {
    FILE *list = fopen(CODES "/codes.list", "r");
    char line[200], recipe[20], name[FQ_SHIPPED_NAME_MAX], path[400];
    size_t dim, block, codewords, listed = 0, files = 0;
    while (list && fgets(line, sizeof line, list)) {
        fq_codebook code;
        if (sscanf(line, "%zu %zu %zu %19s", &dim, &block, &codewords, recipe) != 4)
            continue;
        listed++;
        fq_codebook_init(&code);
        fq_shipped_code_name(name, dim, block, codewords);
        snprintf(path, sizeof path, CODES "/%s", name);
        if (!FQ_CHECK_OK(fq_shipped_code_read(&code, path)))
            continue;
        FQ_CHECK(code.dim == dim && code.block == block && code.codewords == codewords && code.seed == 1);
        FQ_CHECK(strcmp(fq_recipe_name(code.recipe), recipe) == 0);
        FQ_CHECK(code.distortion > 0 && code.distortion < 1);
        FQ_CHECK(block == 1 ? code.distortion_se == 0 : code.distortion_samples == 4000000);
        fq_codebook_clear(&code);
    }
    if (list)
        fclose(list);
    DIR *folder = opendir(CODES);
    for (const struct dirent *entry; folder && (entry = readdir(folder));)
        files += entry->d_name[0] == 'd' && strstr(entry->d_name, ".code") != NULL;
    if (folder)
        closedir(folder);
    FQ_CHECK(listed == files && listed >= 90);
    const fq_command_result *r = fq_command("/usr/bin/python3 " CODES "/make_index.py --check");
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "  %s", r->err);
}

/* Measured on samples of another seed than the header's figure, D is within five errors of it. */
static void headers_say_what_the_words_measure(void) {
    static const size_t sizes[][3] = {{64, 2, 16}, {64, 4, 256}, {128, 8, 256}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        fq_codebook code;
        const fq_train_options options = {
            .dim = sizes[i][0], .block = sizes[i][1], .codewords = sizes[i][2], .seed = 1};
        fq_codebook_init(&code);
        if (!FQ_CHECK_OK(fq_shipped_code_get(&code, &options)))
            continue;
        const double stated = code.distortion, error = code.distortion_se;
        FQ_CHECK_OK(fq_codebook_measure(&code, fq_test_seed(), 200000));
        FQ_CHECK_NEAR(code.distortion, stated, 5 * hypot(error, code.distortion_se));
        fq_codebook_clear(&code);
    }
}

/* Trained here, the words are those of the file to the last bit. */
static void a_code_is_made_again(void) {
    const fq_train_options options = {.dim = 64, .block = 2, .codewords = 4, .seed = 1};
    fq_codebook shipped, trained;
    fq_codebook_init(&shipped);
    fq_codebook_init(&trained);
    if (FQ_CHECK_OK(fq_shipped_code_get(&shipped, &options)) &&
        FQ_CHECK_OK(fq_codebook_train(&trained, &options)))
        FQ_CHECK(memcmp(shipped.words, trained.words, 8 * sizeof *shipped.words) == 0);
    fq_codebook_clear(&shipped);
    fq_codebook_clear(&trained);
}

/* The page's lines as they stand there. */
static void python_and_c_read_a_code(void) {
    FQ_CHECK(
        fq_command("awk '/^```python/ {on = 1; next} /^```/ {on = 0} on' " CODES "/README.md > read.py && "
                   "awk '/^```c$/ {on = 1; next} /^```/ {on = 0} on' " CODES "/README.md > read.c && "
                   "cat >> read.c <<'END'\n"
                   "int main(int n, char **path) {\n"
                   "    static float words[1024];\n"
                   "    double sum = 0;\n"
                   "    const size_t count = read_code(path[n - 1], words, 1024);\n"
                   "    for (size_t i = 0; i < count; i++) sum += (double)(i + 1) * words[i];\n"
                   "    printf(\"%%zu %%.9f\\n\", count, sum);\n"
                   "    return read_code(\"absent\", words, 1024) || read_code(path[n - 1], words, 1023);\n"
                   "}\nEND\n"
                   "cc -std=c11 -Wall -Wextra -Werror -o read read.c")
            ->exit_code == 0);
    char by_c[100];
    const fq_command_result *r = fq_command("./read " CODES "/d64-k4-N256.code");
    FQ_CHECK(r->exit_code == 0 && strncmp(r->out, "1024 ", 5) == 0);
    snprintf(by_c, sizeof by_c, "%.99s", r->out);
    r = fq_command("cat >> read.py <<'END'\n"
                   "facts, words = read_code('" CODES "/d64-k4-N256.code')\n"
                   "assert facts['rate'] == '2' and abs(float(facts['distortion']) - 0.09402) < 1e-5\n"
                   "flat = words.astype(float).ravel()\n"
                   "print(flat.size, '%%.9f' %% (flat * numpy.arange(1, flat.size + 1)).sum())\n"
                   "END\n/usr/bin/python3 read.py");
    if (!FQ_CHECK(r->exit_code == 0 && strcmp(r->out, by_c) == 0))
        fprintf(stderr, "  python %s%s  C %s", r->out, r->err, by_c);
}

/* Nothing is trained for a code that is there, and the cache folder stays as it was: not even made. */
static void a_shipped_code_needs_no_training(void) {
    const fq_command_result *r =
        fq_command("/usr/bin/python3 -c \"import h5py, numpy; h5py.File('v.h5', 'w')['vectors'] = "
                   "numpy.ones((3, 64), 'f4')\" && FIBQUANT_CACHE=$PWD/none \"$FIBQUANT\" encode -c "
                   "fib:k=4,N=256 v.h5 -o c.h5 "
                   "&& test ! -e none && FIBQUANT_CACHE=$PWD/none \"$FIBQUANT\" codebook -d 64 -k 8 -N 4096 "
                   "&& test ! -e none");
    if (!FQ_CHECK(r->exit_code == 0 && strstr(r->out, "0.165409")))
        fprintf(stderr, "  %s%s", r->out, r->err);
}

/* Each of these is refused, naming what is wrong, and leaves an empty codebook. */
static void damaged_bytes_are_refused(void) {
#define START "fibquant codebook 1\n"
#define SIZES "dim 4\nblock 1\ncodewords 2\n"
    static const struct {
        const char *text, *named;
        size_t length; /* 0: of the text, and eight bytes of data */
    } cases[] = {
        {"", "header", 1},
        {"fibquant codebook 2\n" SIZES "data 8\n", "header", 0},
        {START SIZES, "header", 0},
        {START SIZES "data 8", "header", 50},
        {START "dim 1\nblock 1\ncodewords 2\ndata 8\n", "dim", 0},
        {START "dim 99999\nblock 1\ncodewords 2\ndata 8\n", "dim", 0},
        {START "dim 4\nblock 5\ncodewords 2\ndata 8\n", "block", 0},
        {START "dim 4\nblock 1\ncodewords 0\ndata 8\n", "codewords", 0},
        {START "dim 4\nblock 1\ncodewords 18446744073709551617\ndata 8\n", "codewords", 0},
        {START "dim 4\nblock 1\ncodewords 2x\ndata 8\n", "codewords", 0},
        {START "dim 4\nblock 1\ncodewords 1000000000000\ndata 8\n", "codewords", 0},
        {START SIZES "recipe magic\ndata 8\n", "recipe", 0},
        {START SIZES "distortion 0,5\ndata 8\n", "distortion", 0},
        {START SIZES "distortion 1e400\ndata 8\n", "distortion", 0},
        {START SIZES "distortion .\ndata 8\n", "distortion", 0},
        {START SIZES "data 12\n", "data", 0},
        {START SIZES "data 8\nx", "data", 0},
        {START SIZES "nokey\ndata 8\n", "header", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[200] = {0};
        fq_codebook code;
        const size_t length = strlen(cases[i].text);
        memcpy(bytes, cases[i].text, length);
        fq_codebook_init(&code);
        const fq_status status =
            fq_codebook_from_bytes(&code, bytes, cases[i].length ? cases[i].length : length + 8);
        if (!FQ_CHECK(status == FQ_ERR_CORRUPT && strcmp(fq_error_last()->argument, cases[i].named) == 0 &&
                      !code.words))
            fprintf(stderr, "  case %zu: %d %s\n", i, (int)status, fq_error_last()->argument);
    }
    uint8_t bytes[300];
    fq_codebook code;
    const char good[] = START "other 1\n" SIZES "seed 7\ndistortion 2.5e-2\ndistortion_se nan\n"
                              "certified_low 0.0125\ncertified_high 1e-1\ncertified_parts 12\ndata 8\n";
    const uint8_t words[8] = {0, 0, 0, 0x3f, 0, 0, 0x80, 0xbe}; /* 0.5, -0.25 */
    memcpy(bytes, good, sizeof good - 1);
    memcpy(bytes + sizeof good - 1, words, 8);
    fq_codebook_init(&code);
    if (FQ_CHECK_OK(fq_codebook_from_bytes(&code, bytes, sizeof good + 7)))
        FQ_CHECK(code.words[0] == 0.5F && code.words[1] == -0.25F && code.distortion == 0.025 &&
                 code.seed == 7 && code.certificate.low == 0.0125 && code.certificate.high == 0.1 &&
                 code.certificate.parts == 12 && isnan(code.distortion_se));
    fq_codebook_clear(&code);
    bytes[sizeof good + 5] = 0x40; /* 2.0 or more: outside the ball */
    bytes[sizeof good + 6] = 0x40;
    FQ_CHECK_FAILS(fq_codebook_from_bytes(&code, bytes, sizeof good + 7), FQ_ERR_RANGE);
    bytes[sizeof good + 5] = 0xc0; /* NaN */
    bytes[sizeof good + 6] = 0x7f;
    FQ_CHECK_FAILS(fq_codebook_from_bytes(&code, bytes, sizeof good + 7), FQ_ERR_NONFINITE);
}

/* A damaged file is not used: its training runs again, and the words are the same. */
static void a_damaged_file_is_not_used(void) {
    const fq_command_result *r = fq_command(
        "mkdir codes; cp " CODES "/d64-k2-N4.code codes; printf x | dd of=codes/d64-k2-N4.code bs=1 "
        "seek=300 conv=notrunc 2>/dev/null; FIBQUANT_CODES=codes \"$FIBQUANT\" codebook -d 64 -k 2 -N 4 "
        "--shipped");
    FQ_CHECK(r->exit_code == 3 && strstr(r->err, "codes/d64-k2-N4.code: key \"sha256\"") != NULL);
    r = fq_command(
        "FIBQUANT_CODES=codes FIBQUANT_CACHE=$PWD/cache \"$FIBQUANT\" codebook -d 64 -k 2 -N 4 --form code "
        "-o made.code -q && tail -c 32 made.code > made && tail -c 32 " CODES "/d64-k2-N4.code | cmp - made");
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "  %s%s", r->out, r->err);
}

/* The maps that stand here as text are those of the library, all of them. */
static void maps_of_trellis_codes_are_the_librarys(void) {
    size_t maps = 0;
    for (const fq_trellis_map *map; (map = fq_trellis_map_at(maps)) != NULL; maps++) {
        char path[400], line[4096], wanted[4096];
        size_t columns = 0, level = 0;
        snprintf(path, sizeof path, CODES "/trellis-b%g-L%u-m%u.code", (double)map->fresh / map->together,
                 map->window, map->label_bits);
        FILE *file = fopen(path, "r");
        if (!FQ_CHECK(file != NULL))
            continue;
        while (fgets(line, sizeof line, file)) {
            size_t n = 0;
            if (strncmp(line, "column ", 7) == 0 && columns < map->together) {
                n = (size_t)snprintf(wanted, sizeof wanted, "column");
                for (unsigned i = 0; i < map->window; i++)
                    n += (size_t)snprintf(wanted + n, sizeof wanted - n, " %u", map->column[columns][i]);
                columns++;
            } else if (strncmp(line, "level ", 6) == 0) {
                n = (size_t)snprintf(wanted, sizeof wanted, "level");
                for (unsigned i = 0; i < 1u << map->label_bits; i++, level++)
                    n += (size_t)snprintf(wanted + n, sizeof wanted - n, " %d", map->level[i]);
            } else if (strncmp(line, "step ", 5) == 0) {
                FQ_CHECK(strtod(line + 5, NULL) == map->step);
            }
            if (n)
                FQ_CHECK(strncmp(line, wanted, n) == 0 && line[n] == '\n');
        }
        FQ_CHECK(columns == map->together && level == (size_t)1 << map->label_bits);
        fclose(file);
    }
    FQ_CHECK(maps > 20);
}

/* Every form says the same words. */
static void other_forms_hold_the_same_words(void) {
    const fq_command_result *r = fq_command(
        "\"$FIBQUANT\" codebook -d 64 -k 2 -N 16 --shipped --form csv -o w.csv -q && "
        "\"$FIBQUANT\" codebook -d 64 -k 2 -N 16 --shipped --form c -o w.h -q && "
        "\"$FIBQUANT\" codebook --family trellis -b 2 --shipped --samples 100 --form c -o t.h -q && "
        "cat > forms.c <<'END'\n"
        "#include <stdio.h>\n#include \"w.h\"\n#include \"t.h\"\n"
        "int main(void) {\n"
        "    for (int n = 0; n < 16; n++)\n"
        "        printf(\"%%.9g,%%.9g\\n\", (double)fibquant_d64_k2_n16[n][0], "
        "(double)fibquant_d64_k2_n16[n][1]);\n"
        "    return !(fibquant_trellis_k2_v1_l10_m7_step > 0 && fibquant_trellis_k2_v1_l10_m7_level[127] == "
        "127 &&\n"
        "             fibquant_trellis_k2_v1_l10_m7_column[0][0]);\n"
        "}\nEND\n"
        "cc -std=c11 -Wall -Wextra -Werror -o forms forms.c && ./forms > by_c && grep -v '^[#x]' w.csv | cmp "
        "- by_c");
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "  %s%s", r->out, r->err);
    FQ_CHECK(fq_command("\"$FIBQUANT\" codebook -d 64 -k 2 -N 16 --form csv")->exit_code == 2);
    FQ_CHECK(fq_command("\"$FIBQUANT\" codebook --family trellis -b 2 --form csv -o t")->exit_code == 2);
    FQ_CHECK(fq_command("\"$FIBQUANT\" codebook -d 64 -k 2 -N 17 --shipped")->exit_code == 3);
}

static const fq_test tests[] = {
    {"every code of the list", every_code_of_the_list_is_there},
    {"headers", headers_say_what_the_words_measure},
    {"made again", a_code_is_made_again},
    {"Python and C", python_and_c_read_a_code},
    {"no training", a_shipped_code_needs_no_training},
    {"damaged bytes", damaged_bytes_are_refused},
    {"damaged file", a_damaged_file_is_not_used},
    {"maps", maps_of_trellis_codes_are_the_librarys},
    {"other forms", other_forms_hold_the_same_words},
    {0},
};
const fq_suite fq_suite_shipped_codes = {"shipped_codes", tests};
