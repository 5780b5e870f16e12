#include "codebook_export.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomic_file.h"
#include "caps_bound.h"
#include "failure.h"
#include "sha256.h"
#include "shipped_codes.h"

bool fq_codebook_form_is_export(const char *form) {
    return strcmp(form, "hdf5") != 0;
}

/* Puts the text of a memory stream in place of path. */
static fq_status put_in_place(FILE *stream, char **text, const size_t *length, const char *path) {
    const bool good = stream && fflush(stream) == 0 && !ferror(stream);
    if (stream)
        fclose(stream);
    const fq_status status =
        good ? fq_atomic_file_write(path, *text, *length) : FQ_FAIL(FQ_ERR_MEMORY, "export", "enough memory");
    free(*text);
    return status;
}

/* What is known of a codebook, a line each behind a mark. */
static void print_facts(FILE *to, const char *mark, const fq_codebook *c, double every_code_bound) {
    fprintf(to, "%sfibquant codebook: d = %zu, k = %zu, N = %zu, %.6g bits a coordinate\n", mark, c->dim,
            c->block, c->codewords, log2((double)c->codewords) / (double)c->block);
    fprintf(to, "%srecipe %s, seed %" PRIu64 "\n", mark, fq_recipe_name(c->recipe), c->seed);
    if (isfinite(c->distortion))
        fprintf(to,
                "%sdistortion %.15g, standard error %.3g (mean squared error of a coordinate over its "
                "variance 1/d)\n",
                mark, c->distortion, c->distortion_se);
    if (isfinite(every_code_bound))
        fprintf(to, "%severy code of these sizes has at least %.6g\n", mark, every_code_bound);
}

static void print_csv(FILE *to, const fq_codebook *c, double every_code_bound) {
    print_facts(to, "# ", c, every_code_bound);
    for (size_t j = 0; j < c->block; j++)
        fprintf(to, "%sx%zu", j ? "," : "", j);
    putc('\n', to);
    for (size_t n = 0; n < c->codewords; n++) {
        for (size_t j = 0; j < c->block; j++)
            fprintf(to, "%s%.9g", j ? "," : "", (double)c->words[n * c->block + j]);
        putc('\n', to);
    }
}

static void print_c(FILE *to, const fq_codebook *c, double every_code_bound) {
    print_facts(to, "// ", c, every_code_bound);
    fprintf(to,
            "// Blocks of %zu coordinates of a vector of norm 1, turned by a random rotation; nearest word "
            "by |x - c|.\n",
            c->block);
    fprintf(to, "static const float fibquant_d%zu_k%zu_n%zu[%zu][%zu] = {\n", c->dim, c->block, c->codewords,
            c->codewords, c->block);
    for (size_t n = 0; n < c->codewords; n++) {
        fputs("    {", to);
        for (size_t j = 0; j < c->block; j++) /* hexadecimal: exact */
            fprintf(to, "%s%af", j ? ", " : "", (double)c->words[n * c->block + j]);
        fputs("},\n", to);
    }
    fputs("};\n", to);
}

fq_status fq_codebook_export(const char *path, const char *form, const fq_codebook *codebook,
                             double every_code_bound) {
    char *text = NULL;
    size_t length = 0;
    if (strcmp(form, "code") == 0)
        return fq_shipped_code_write(path, codebook, every_code_bound);
    FILE *stream = open_memstream(&text, &length);
    if (stream)
        (strcmp(form, "csv") == 0 ? print_csv : print_c)(stream, codebook, every_code_bound);
    return put_in_place(stream, &text, &length, path);
}

/* A list of numbers in lines of at most 110 characters. */
static void print_numbers(FILE *to, const int *value, size_t n) {
    int at = fprintf(to, "   ");
    for (size_t i = 0; i < n; i++) {
        if (at > 104)
            at = fprintf(to, "\n   ") - 1;
        at += fprintf(to, " %d,", value[i]);
    }
    putc('\n', to);
}

size_t fq_trellis_map_columns(const fq_trellis_map *map, unsigned v, int column[FQ_TRELLIS_WINDOW_MAX]) {
    for (unsigned i = 0; i < map->window; i++)
        column[i] = map->column[v][i];
    return map->window;
}

size_t fq_trellis_map_levels(const fq_trellis_map *map, int level[FQ_TRELLIS_LEVELS_MAX]) {
    const size_t count = (size_t)1 << map->label_bits;
    for (size_t i = 0; i < count; i++)
        level[i] = map->level[i];
    return count;
}

static void print_line(FILE *to, const char *key, const int *value, size_t n) {
    fputs(key, to);
    for (size_t i = 0; i < n; i++)
        fprintf(to, " %d", value[i]);
    putc('\n', to);
}

/* Lines "key value", the last of which is the SHA-256 of all before it. */
static fq_status write_trellis_lines(const char *path, const fq_trellis_map *map,
                                     const fq_trellis_map_about *about) {
    char *text = NULL, sha256[FQ_SHA256_HEX];
    size_t length = 0;
    int value[FQ_TRELLIS_LEVELS_MAX];
    const double bits = (double)map->fresh / map->together;
    fq_caps_bound bound;
    FQ_TRY(fq_caps_bound_init(&bound, about->dim, bits * (double)about->dim));
    FILE *stream = open_memstream(&text, &length);
    if (stream) {
        fprintf(stream,
                "fibquant trellis 1\nrate %g\nfresh %u\ntogether %u\nwindow %u\nlabel_bits %u\nstep %.17g\n",
                bits, map->fresh, map->together, map->window, map->label_bits, map->step);
        for (unsigned v = 0; v < map->together; v++)
            print_line(stream, "column", value, fq_trellis_map_columns(map, v, value));
        print_line(stream, "level", value, fq_trellis_map_levels(map, value));
        fprintf(stream,
                "distortion %.6g\ndistortion_se %.2g\ndistortion_dim %zu\ndistortion_tries %u\n"
                "distortion_samples %" PRIu64 "\nevery_code_bound %.6g\n",
                about->distortion, about->distortion_se, about->dim, about->tries, about->samples,
                bound.free_gain);
        if (fflush(stream) == 0) {
            fq_sha256_bytes(sha256, text, length);
            fprintf(stream, "sha256 %s\n", sha256);
        }
    }
    return put_in_place(stream, &text, &length, path);
}

fq_status fq_trellis_export(const char *path, const char *form, const fq_trellis_map *map,
                            const fq_trellis_map_about *about) {
    if (strcmp(form, "code") == 0)
        return write_trellis_lines(path, map, about);
    char *text = NULL, name[64];
    size_t length = 0;
    int value[FQ_TRELLIS_LEVELS_MAX];
    if (strcmp(form, "c") != 0)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--form %s: allowed for a trellis code is hdf5, code or c", form);
    snprintf(name, sizeof name, "fibquant_trellis_k%u_v%u_l%u_m%u", map->fresh, map->together, map->window,
             map->label_bits);
    FILE *stream = open_memstream(&text, &length);
    if (stream) {
        const unsigned levels = 1u << map->label_bits;
        fprintf(stream,
                "// fibquant trellis code: %g bits a coordinate, K = %u fresh bits for V = %u coordinates, "
                "windows of\n"
                "// L = %u bits, labels of m = %u bits. The payload's bits are a circle; bit i is bit i %% "
                "8, from the\n"
                "// lowest, of byte i / 8. Coordinate V t + v: w = the L bits that end with bit K (t + 1) - "
                "1, window\n"
                "// bit 0 the oldest; label = XOR of column[v][i] over the bits i set in w; value =\n"
                "// level[label] step / sqrt(d), times the stored gain; then the inverse rotation.\n",
                (double)map->fresh / map->together, map->fresh, map->together, map->window, map->label_bits);
        fprintf(stream, "static const double %s_step = %.17g;\n", name, map->step);
        fprintf(stream, "static const unsigned char %s_column[%u][%u] = {\n", name, map->together,
                map->window);
        for (unsigned v = 0; v < map->together; v++) {
            fputs("   {", stream);
            print_numbers(stream, value, fq_trellis_map_columns(map, v, value));
            fputs("   },\n", stream);
        }
        fprintf(stream, "};\nstatic const signed char %s_level[%u] = {\n", name, levels);
        print_numbers(stream, value, fq_trellis_map_levels(map, value));
        fputs("};\n", stream);
    }
    return put_in_place(stream, &text, &length, path);
}
