/* Results files and their journals: what others read in them, every damage, every failing allocation. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "failure.h"
#include "hdf5_util.h"
#include "hostile.h"
#include "memory.h"
#include "result_store.h"

static const fq_value_column columns[] = {
    {"codec", FQ_VALUE_TEXT, 12, "", "a name", FQ_ROLE_PARAMETER},
    {"count", FQ_VALUE_INTEGER, 0, "1", "whole", FQ_ROLE_PARAMETER},
    {"d", FQ_VALUE_REAL, 0, "coordinate variance", "distortion \xc2\xb1 nothing", FQ_ROLE_VALUE},
};

static fq_status fill(fq_results *results, size_t rows, const char *long_text) {
    fq_table *table = NULL;
    size_t number = 0;
    const fq_result_text texts[] = {{"program", "fibquant"}, {"manifest", long_text}};
    FQ_TRY(fq_results_add_table(results, &table, "own-table", columns, 3));
    FQ_TRY(fq_table_append(table, NULL, rows));
    for (size_t r = 0; r < rows; r++) {
        fq_table_set_text(table, r, 0, r % 2 ? "na\xc3\xafve" : "longer than twelve");
        fq_table_set_integer(table, r, 1, (int64_t)r - 1);
        fq_table_set_real(table, r, 2, r ? 1.0 / (double)r : (double)NAN);
    }
    return fq_results_add_run(results, texts, 2, &number);
}

static void in_folder(char path[400], const char *name) {
    snprintf(path, 400, "%s/%s", fq_test_folder(), name);
}

/* Same tables, rows and runs, byte for byte. */
static bool same(const fq_results *a, const fq_results *b) {
    if (a->table_count != b->table_count || a->run_count != b->run_count)
        return false;
    for (size_t t = 0; t < a->table_count; t++) {
        const fq_table *x = &a->tables[t], *y = fq_results_table(b, x->name);
        if (!y || x->count != y->count || !fq_table_same_columns(x, y) ||
            memcmp(x->records, y->records, x->count * x->record_bytes) != 0)
            return false;
        for (size_t c = 0; c < x->column_count; c++)
            if (strcmp(x->columns[c].units, y->columns[c].units) != 0 ||
                x->columns[c].role != y->columns[c].role ||
                strcmp(x->columns[c].description, y->columns[c].description) != 0)
                return false;
    }
    for (size_t r = 1; r <= a->run_count; r++)
        for (size_t i = 0; i < a->runs[r - 1].count; i++) {
            const char *value = fq_results_run_text(b, r, a->runs[r - 1].texts[i].name);
            if (!value || strcmp(value, a->runs[r - 1].texts[i].value) != 0)
                return false;
        }
    return true;
}

/* Texts below and above what fits an attribute. */
static void given_results_expect_them_back(void) {
    char path[400], *text = NULL;
    in_folder(path, "r.h5");
    if (!FQ_CHECK_OK(fq_alloc_zero(&text, 70000, 1)))
        return;
    for (size_t length = 0; length < 70000; length += 34999) {
        fq_results results = {0}, back = {0};
        memset(text, 'x', length);
        FQ_CHECK_OK(fill(&results, 5, text));
        FQ_CHECK_OK(fq_result_file_write(path, &results));
        if (FQ_CHECK_OK(fq_result_file_read(path, &back)))
            FQ_CHECK(same(&results, &back));
        fq_results_clear(&back);
        fq_results_clear(&results);
    }
    fq_free(text);
}

static void given_a_store_expect_h5py_and_h5dump_to_read_it(void) {
    FQ_CHECK(fq_command("cat > m.yaml <<'END'\nexperiment: rate-distortion\nseeds: [1, 2]\n"
                        "grid: {codec: ['tq:b=1', 'tq:b=2'], dim: 64}\nEND\n"
                        "$FIBQUANT sweep m.yaml -o r.h5 -q")
                 ->exit_code == 0);
    const fq_command_result *r = fq_command(
        "/usr/bin/python3 - <<'END'\n"
        "import h5py, numpy\n"
        "f = h5py.File('r.h5', 'r')\n"
        "t = f['rate-distortion']\n"
        "d = t[:]\n"
        "def text(x): assert type(x) is str, (x, type(x)); return x\n"
        "names = [text(n) for n in t.attrs['columns']]\n"
        "assert names == list(d.dtype.names), names\n"
        "units = dict(zip(names, map(text, t.attrs['units'])))\n"
        "assert units['distortion'] == 'coordinate variance' and units['wall_seconds'] == 's', units\n"
        "missing = [n for n in names if d.dtype[n].kind in 'if' and not units[n]]\n"
        "assert not missing, missing\n"
        "assert all(units[n] == units[n[:-3]] for n in names if n.endswith('_se')), units\n"
        "assert all(map(text, t.attrs['descriptions'])) and len(t.attrs['descriptions']) == len(names)\n"
        "assert {text(r) for r in t.attrs['roles']} == {'value', 'parameter', 'bookkeeping'}\n"
        "assert text(t.attrs['axes']) == 'row' and text(f.attrs['format']) == 'fibquant results'\n"
        "assert all(h5py.check_string_dtype(d.dtype[n]).encoding == 'utf-8' for n in names if "
        "d.dtype[n].kind == 'S')\n"
        /* as README reads a table: texts compare with str */
        "d = {n: numpy.char.decode(d[n]) if d[n].dtype.kind == 'S' else d[n] for n in d.dtype.names}\n"
        "assert (d['codec'] == ['tq:b=1'] * 2 + ['tq:b=2'] * 2).all() and (d['codec'] == 'tq:b=2').sum() == "
        "2\n"
        "assert numpy.allclose(d['distortion'], [0.35839, 0.35839, 0.11453, 0.11453], atol=5e-6), "
        "d['distortion']\n"
        "assert numpy.isnan(d['cosine']).all() and (d['dim'] == 64).all()\n"
        "p = f['provenance/run_00001'].attrs\n"
        "need = 'program git sources compiler flags build_type hdf5 gsl openblas flint cpu cores host os "
        "threads "
        "argv rng seed started manifest ranks points points_stored points_failed ended'.split()\n"
        "assert all(n in p for n in need), [n for n in need if n not in p]\n"
        "assert all(map(text, p.values())) and 'rate-distortion' in p['manifest']\n"
        "assert (p['points'], p['points_stored'], p['points_failed'], p['ended']) == ('4', '4', '0', "
        "'finished')\n"
        "print(len(names), 'columns')\n"
        "END\n");
    if (!FQ_CHECK(r->exit_code == 0 && strstr(r->out, "columns")))
        fprintf(stderr, "  %s%s", r->out, r->err);
    FQ_CHECK(
        fq_command(
            "h5dump r.h5 > dump && test ! -s .err && grep -q '\"distortion\"' dump && grep -q '0.1145' dump")
            ->exit_code == 0);
    FQ_CHECK(fq_command("h5dump -a /rate-distortion/units r.h5 | grep -q 'coordinate variance'")->exit_code ==
             0);
}

/* The lines of data/results/README.md as they stand there, with pandas and xarray themselves; and every unit
 * of a store is one that the page explains. */
static void given_a_store_expect_pandas_and_xarray_to_read_it(void) {
    FQ_CHECK(fq_command("cat > m.yaml <<'END'\nexperiment: rate-distortion\nseeds: [1, 2]\n"
                        "grid: {codec: ['tq:b=1', 'tq:b=2'], dim: 64}\nEND\n"
                        "$FIBQUANT sweep m.yaml -o results.h5 -q")
                 ->exit_code == 0);
    const fq_command_result *r = fq_command(
        "awk '/^```python/ {on = 1; next} /^```/ {on = 0} on' %s/data/results/README.md > page.py && "
        "cat >> page.py <<'END'\n"
        "assert (table.codec == ['tq:b=1'] * 2 + ['tq:b=2'] * 2).all() and table.dim.dtype == 'int64'\n"
        "assert abs(table[table.codec == 'tq:b=2'].distortion - 0.114526).max() < 5e-7\n"
        "assert dict(grid.sizes) == {'codec': 2, 'seed': 2}, grid\n"
        "assert abs(float(grid.distortion.sel(codec='tq:b=1', seed='2')) - 0.358387) < 5e-7\n"
        "explained = open('%s/data/results/README.md').read()\n"
        "missing = [u for u in units.values() if u and '`' + u + '`' not in explained]\n"
        "assert not missing, missing\n"
        "END\n/usr/bin/python3 page.py",
        FQ_SOURCE_DIR, FQ_SOURCE_DIR);
    if (!FQ_CHECK(r->exit_code == 0))
        fprintf(stderr, "  %s%s", r->out, r->err);
}

/* Of three versions the newest stays, in its order; a table without the column stays whole. */
static void older_versions_are_left_out(void) {
    static const fq_value_column versioned[] = {
        {"x", FQ_VALUE_REAL, 0, "1", "a number", FQ_ROLE_VALUE},
        {FQ_VERSION_COLUMN, FQ_VALUE_INTEGER, 0, "1", "the version", FQ_ROLE_BOOKKEEPING}};
    static const int64_t versions[] = {2, 3, 1, 3, 2, 3};
    fq_results results = {0};
    fq_table *table = NULL;
    FQ_CHECK(fq_results_keep_newest(&results) == 0);
    FQ_CHECK_OK(fill(&results, 4, "text"));
    FQ_CHECK_OK(fq_results_add_table(&results, &table, "versioned", versioned, 2));
    FQ_CHECK(fq_results_keep_newest(&results) == 0);
    FQ_CHECK_OK(fq_table_append(table, NULL, 6));
    for (size_t r = 0; r < 6; r++) {
        fq_table_set_real(table, r, 0, (double)r);
        fq_table_set_integer(table, r, 1, versions[r]);
    }
    FQ_CHECK(fq_results_keep_newest(&results) == 3 && table->count == 3);
    FQ_CHECK(fq_table_real(table, 0, 0) == 1 && fq_table_real(table, 1, 0) == 3 &&
             fq_table_real(table, 2, 0) == 5);
    FQ_CHECK(fq_results_table(&results, "own-table")->count == 4);
    FQ_CHECK(fq_results_keep_newest(&results) == 0);
    fq_results_clear(&results);
}

static fq_status read_results(const char *path, void *context) {
    fq_results results = {0};
    FQ_TRY(fq_result_file_read(path, &results));
    FQ_CHECK(same(context, &results) && same(&results, context));
    fq_results_clear(&results);
    return FQ_OK;
}

static void given_damaged_files_expect_a_refusal(void) {
    char path[400];
    fq_results results = {0};
    in_folder(path, "good.h5");
    FQ_CHECK_OK(fill(&results, 20, "short"));
    FQ_CHECK_OK(fq_result_file_write(path, &results));
    printf("       %zu of the damaged files still say the same\n",
           fq_hostile_files(path, 300, read_results, &results));
    fq_results_clear(&results);
}

/* A store with a journal that holds every row but those of the first fold. */
static fq_status make_store(const char *path, size_t rows) {
    fq_store *store = NULL;
    fq_table *table = NULL;
    const fq_result_text text = {"program", "fibquant"};
    size_t run = 0;
    FQ_TRY(fq_store_open(&store, path));
    fq_status status = FQ_OK;
    FQ_TRY_GOTO(status, fq_results_add_table(fq_store_results(store), &table, "own-table", columns, 3), done);
    FQ_TRY_GOTO(status, fq_store_begin(store, &text, 1, &run), done);
    for (size_t r = 0; r < rows; r++) {
        unsigned char record[64] = {0};
        fq_column_put_text(record + table->offsets[0], &table->columns[0], "name");
        fq_column_put_real(record + table->offsets[2], (double)r);
        FQ_TRY_GOTO(status, fq_store_append(store, table, record, 1), done);
    }
done:
    fq_store_close(store);
    return status;
}

/* A journal with any bit flipped, or cut off anywhere, gives the rows before the damage or a refusal. */
static void given_damaged_journals_expect_rows_before_the_damage(void) {
    char path[400], journal[420];
    unsigned char bytes[8192];
    in_folder(path, "j.h5");
    snprintf(journal, sizeof journal, "%s.journal", path);
    if (!FQ_CHECK_OK(make_store(path, 5)))
        return;
    FILE *file = fopen(journal, "rb");
    const size_t length = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    FQ_CHECK(length > 100 && length < sizeof bytes);
    const size_t step = fq_test_multiplier() > 1 ? 1 : 7;
    size_t read_again = 0, refused = 0;
    for (size_t i = 0; i < 2 * length; i += step) {
        const bool flip = i < length;
        const unsigned char bit = (unsigned char)(1u << (i % 8));
        fq_results results = {0};
        if (flip)
            bytes[i] ^= bit;
        file = fopen(journal, "wb");
        FQ_CHECK(file && fwrite(bytes, 1, flip ? length : i - length, file) == (flip ? length : i - length));
        if (file)
            fclose(file);
        if (flip)
            bytes[i] ^= bit;
        fq_h5_guard_on(false); /* the file itself is good: one fork less a damage */
        const fq_status status = fq_store_read(path, &results);
        fq_h5_guard_on(true);
        if (status == FQ_OK) {
            const fq_table *table = fq_results_table(&results, "own-table");
            FQ_CHECK(table && table->count <= 5);
            for (size_t r = 0; table && r < table->count; r++)
                FQ_CHECK(fq_table_real(table, r, 2) == (double)r &&
                         strcmp(fq_table_text(table, r, 0), "name") == 0);
            read_again++;
        } else {
            FQ_CHECK(status == FQ_ERR_INPUT && strstr(fq_error_last()->text, "j.h5"));
            refused++;
        }
        fq_results_clear(&results);
    }
    printf("       %zu damaged journals: %zu read up to the damage, %zu refused\n", read_again + refused,
           read_again, refused);
}

/* The n-th allocation fails, for every n: an error, nothing half done, and the same call again works. */
static void given_each_allocation_failing_expect_nothing_lost(void) {
    char path[400], other[400];
    in_folder(path, "m.h5");
    in_folder(other, "w.h5");
    if (!FQ_CHECK_OK(make_store(path, 3)))
        return;
    fq_results whole = {0};
    if (!FQ_CHECK_OK(fq_store_read(path, &whole)))
        return;
    size_t failures[3] = {0};
    fq_h5_guard_on(false); /* its child would count allocations of its own */
    for (int what = 0; what < 3; what++)
        for (size_t n = 1;; n++) {
            fq_results results = {0};
            fq_alloc_fail_at(n);
            const fq_status status = what == 0   ? fq_store_read(path, &results)
                                     : what == 1 ? fq_result_file_write(other, &whole)
                                                 : make_store(other, 3);
            const size_t allocations = fq_alloc_fail_at(0);
            if (status == FQ_OK && what == 0)
                FQ_CHECK(same(&whole, &results));
            fq_results_clear(&results);
            if (status == FQ_OK) {
                FQ_CHECK(n > allocations);
                failures[what] = n - 1;
                break;
            }
            FQ_CHECK(status == FQ_ERR_MEMORY);
            if (what == 2) { /* whatever is there is whole */
                const fq_status read = fq_store_read(other, &results);
                FQ_CHECK(read == FQ_OK || read == FQ_ERR_INPUT);
                if (read == FQ_OK)
                    for (size_t t = 0; t < results.table_count; t++)
                        FQ_CHECK(results.tables[t].count <= 3 * n);
                else
                    FQ_CHECK(fq_command("test -e w.h5")->exit_code != 0);
                fq_results_clear(&results);
                FQ_CHECK(fq_command("rm -f w.h5*")->exit_code == 0);
            }
        }
    fq_h5_guard_on(true);
    FQ_CHECK(failures[0] >= 10 && failures[1] >= 1 && failures[2] >= 10);
    printf("       failing allocations: %zu in reading, %zu in writing, %zu in a store's life\n", failures[0],
           failures[1], failures[2]);
    fq_results_clear(&whole);
}

static const fq_test tests[] = {
    {"there and back", given_results_expect_them_back},
    {"h5py and h5dump", given_a_store_expect_h5py_and_h5dump_to_read_it},
    {"damaged files", given_damaged_files_expect_a_refusal},
    {"damaged journals", given_damaged_journals_expect_rows_before_the_damage},
    {"failing allocations", given_each_allocation_failing_expect_nothing_lost},
    {"pandas and xarray", given_a_store_expect_pandas_and_xarray_to_read_it},
    {"older versions", older_versions_are_left_out},
    {0},
};
const fq_suite fq_suite_result_file = {"result_file", tests};
