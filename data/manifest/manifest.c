#include "manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "manifest_axis.h"
#include "memory.h"

/* What a block inherits from the document around it. */
typedef struct context {
    fq_manifest *manifest;
    fq_manifest_block block; /* experiment, seeds, replicates; its groups are the shared axes */
    const yaml_node_t *grid;
    const yaml_node_t *experiments;
    bool top;
} context;

static fq_status add_group(fq_manifest *manifest, fq_manifest_block *block, const fq_manifest_group *group) {
    fq_manifest_group *larger = NULL;
    FQ_TRY(fq_arena_alloc(&manifest->arena, &larger, block->group_count + 1, sizeof *larger));
    if (block->group_count)
        memcpy(larger, block->groups, block->group_count * sizeof *larger);
    larger[block->group_count] = *group;
    block->groups = larger;
    block->group_count++;
    return FQ_OK;
}

static const fq_manifest_axis *find_axis(const fq_manifest_block *block, const char *name) {
    for (size_t g = 0; g < block->group_count; g++)
        for (size_t a = 0; a < block->groups[g].axis_count; a++)
            if (strcmp(block->groups[g].axes[a].name, name) == 0)
                return &block->groups[g].axes[a];
    return NULL;
}

static fq_status add_axis(fq_yaml *yaml, const yaml_node_t *node, const char *name,
                          fq_manifest_block *block) {
    fq_manifest_group group = {.axis_count = 1};
    if (find_axis(block, name))
        return fq_yaml_fail(yaml, node, name, "this axis has values already", "one place for it");
    FQ_TRY(fq_arena_alloc(&yaml->manifest->arena, &group.axes, 1, sizeof *group.axes));
    FQ_TRY(fq_manifest_read_axis(yaml, node, name, group.axes));
    group.count = group.axes->count;
    return add_group(yaml->manifest, block, &group);
}

static fq_status read_experiment(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    return fq_yaml_text(yaml, node, "experiment", &c->block.experiment);
}

static fq_status read_description(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    return fq_yaml_text(yaml, node, "description", &c->manifest->description);
}

static fq_status read_seed(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    uint64_t seed = 0;
    FQ_TRY(fq_yaml_unsigned(yaml, node, "seed", 0, UINT64_MAX, &seed));
    FQ_TRY(fq_arena_alloc(&c->manifest->arena, &c->block.seeds, 1, sizeof seed));
    c->block.seeds[0] = seed;
    c->block.seed_count = 1;
    return FQ_OK;
}

static fq_status seeds_from_axis(fq_manifest *manifest, const fq_manifest_axis *axis, bool option,
                                 fq_manifest_block *block) {
    FQ_TRY(fq_arena_alloc(&manifest->arena, &block->seeds, axis->count, sizeof *block->seeds));
    for (size_t i = 0; i < axis->count; i++) {
        const char *text = axis->values[i].text;
        char *end = NULL;
        errno = 0;
        const unsigned long long seed = strtoull(text, &end, 10);
        if (text[0] < '0' || text[0] > '9' || *end || errno) {
            char where[FQ_MANIFEST_WHERE_MAX];
            fq_manifest_where(where, manifest, axis->values[i].line);
            return FQ_FAIL_TEXT(option ? FQ_ERR_USAGE : FQ_ERR_INPUT,
                                "%s: key \"seeds\": \"%.60s\" is no seed; allowed: whole numbers in "
                                "0..18446744073709551615",
                                where, text);
        }
        block->seeds[i] = seed;
    }
    block->seed_count = axis->count;
    return FQ_OK;
}

static fq_status read_seeds(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    fq_manifest_axis axis;
    FQ_TRY(fq_manifest_read_axis(yaml, node, "seeds", &axis));
    return seeds_from_axis(c->manifest, &axis, yaml->option, &c->block);
}

static fq_status read_replicates(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    uint64_t replicates = 0;
    FQ_TRY(fq_yaml_unsigned(yaml, node, "replicates", 1, FQ_MANIFEST_REPLICATES_MAX, &replicates));
    c->block.replicates = (size_t)replicates;
    return FQ_OK;
}

static fq_status read_codecs(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    return add_axis(yaml, node, "codec", &c->block);
}

static fq_status read_caches(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    return add_axis(yaml, node, "cache", &c->block);
}

static fq_status read_grid(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    (void)yaml;
    c->grid = node; /* read when the shared axes are known */
    return FQ_OK;
}

static fq_status read_experiments(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    if (node->type != YAML_SEQUENCE_NODE || fq_yaml_items(node) == 0)
        return fq_yaml_fail(yaml, node, "experiments", "no list", "a list of mappings");
    c->experiments = node;
    return FQ_OK;
}

static fq_status read_outputs(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    size_t pairs = 0;
    FQ_TRY(fq_yaml_mapping(yaml, node, "outputs", &pairs));
    for (size_t i = 0; i < pairs; i++) {
        const char *key = NULL;
        yaml_node_t *value = NULL;
        FQ_TRY(fq_yaml_pair(yaml, node, i, &key, &value));
        if (strcmp(key, "results") != 0)
            return fq_yaml_fail(yaml, value, key, "unknown key in outputs", "results");
        FQ_TRY(fq_yaml_text(yaml, value, key, &c->manifest->results));
    }
    return FQ_OK;
}

/* The schema: every key of the document, and whether an item of experiments: may have it, too. */
static const struct key {
    const char *name;
    bool in_item;
    fq_status (*read)(fq_yaml *yaml, const yaml_node_t *node, context *c);
} keys[] = {
    {"experiment", true, read_experiment},
    {"experiments", false, read_experiments},
    {"description", false, read_description},
    {"seed", true, read_seed},
    {"seeds", true, read_seeds},
    {"replicates", true, read_replicates},
    {"codecs", true, read_codecs},
    {"caches", true, read_caches},
    {"grid", true, read_grid},
    {"outputs", false, read_outputs},
};
enum { KEYS = sizeof keys / sizeof keys[0] };

static fq_status unknown_key(const fq_yaml *yaml, const yaml_node_t *node, const char *name, bool top) {
    char allowed[256] = "";
    for (size_t i = 0; i < KEYS; i++)
        if (top || keys[i].in_item) {
            if (allowed[0])
                strcat(allowed, ", ");
            strcat(allowed, keys[i].name);
        }
    return fq_yaml_fail(yaml, node, name, "unknown key", allowed);
}

static fq_status read_keys(fq_yaml *yaml, const yaml_node_t *node, context *c) {
    size_t pairs = 0;
    bool seed_given = false;
    FQ_TRY(fq_yaml_mapping(yaml, node, c->top ? "manifest" : "experiments", &pairs));
    for (size_t i = 0; i < pairs; i++) {
        const char *name = NULL;
        yaml_node_t *value = NULL;
        FQ_TRY(fq_yaml_pair(yaml, node, i, &name, &value));
        size_t k = 0;
        while (k < KEYS && (strcmp(name, keys[k].name) != 0 || (!c->top && !keys[k].in_item)))
            k++;
        if (k == KEYS)
            return unknown_key(yaml, value, name, c->top);
        if (strcmp(name, "seed") == 0 || strcmp(name, "seeds") == 0) {
            if (seed_given)
                return fq_yaml_fail(yaml, value, name, "both seed and seeds", "one of the two");
            seed_given = true;
        }
        FQ_TRY(keys[k].read(yaml, value, c));
    }
    return FQ_OK;
}

static fq_status read_zip(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_block *block) {
    fq_manifest_group group = {0};
    size_t pairs = 0;
    FQ_TRY(fq_yaml_mapping(yaml, node, "zip", &pairs));
    if (pairs == 0)
        return fq_yaml_fail(yaml, node, "zip", "nothing in it", "axes of equal length");
    FQ_TRY(fq_arena_alloc(&yaml->manifest->arena, &group.axes, pairs, sizeof *group.axes));
    for (size_t i = 0; i < pairs; i++) {
        const char *name = NULL;
        yaml_node_t *value = NULL;
        FQ_TRY(fq_yaml_pair(yaml, node, i, &name, &value));
        if (find_axis(block, name))
            return fq_yaml_fail(yaml, value, name, "this axis has values already", "one place for it");
        FQ_TRY(fq_manifest_read_axis(yaml, value, name, &group.axes[i]));
        if (i > 0 && group.axes[i].count != group.axes[0].count) {
            char problem[120], allowed[60];
            snprintf(problem, sizeof problem, "%zu values in a zip", group.axes[i].count);
            snprintf(allowed, sizeof allowed, "%zu values, as its first axis has", group.axes[0].count);
            return fq_yaml_fail(yaml, value, name, problem, allowed);
        }
        group.axis_count++;
    }
    group.count = group.axes[0].count;
    return add_group(yaml->manifest, block, &group);
}

static fq_status read_product(fq_yaml *yaml, const yaml_node_t *node, fq_manifest_block *block) {
    size_t pairs = 0;
    FQ_TRY(fq_yaml_mapping(yaml, node, "grid", &pairs));
    for (size_t i = 0; i < pairs; i++) {
        const char *name = NULL;
        yaml_node_t *value = NULL;
        FQ_TRY(fq_yaml_pair(yaml, node, i, &name, &value));
        if (strcmp(name, "zip") != 0) {
            FQ_TRY(add_axis(yaml, value, name, block));
        } else if (value->type == YAML_SEQUENCE_NODE) {
            for (size_t j = 0; j < fq_yaml_items(value); j++) {
                yaml_node_t *item = NULL;
                FQ_TRY(fq_yaml_item(yaml, value, j, &item));
                FQ_TRY(read_zip(yaml, item, block));
            }
        } else {
            FQ_TRY(read_zip(yaml, value, block));
        }
    }
    return FQ_OK;
}

static fq_status add_block(fq_yaml *yaml, const yaml_node_t *node, const context *c,
                           const yaml_node_t *product) {
    fq_manifest *manifest = yaml->manifest;
    fq_manifest_block block = c->block;
    block.line = fq_yaml_line(yaml, product ? product : node);
    if (!block.experiment)
        return fq_yaml_fail(yaml, node, "experiment", "missing", "the name of an experiment");
    if (manifest->block_count == FQ_MANIFEST_BLOCKS_MAX)
        return fq_yaml_fail(yaml, node, "grid", "too many grids", "up to 1000");
    if (product)
        FQ_TRY(read_product(yaml, product, &block));
    if (!manifest->blocks)
        FQ_TRY(fq_arena_alloc(&manifest->arena, &manifest->blocks, FQ_MANIFEST_BLOCKS_MAX, sizeof block));
    manifest->blocks[manifest->block_count++] = block;
    return FQ_OK;
}

/* The products of one experiment: none, one mapping, or a list of them. */
static fq_status add_blocks(fq_yaml *yaml, const yaml_node_t *node, const context *c) {
    if (!c->grid || c->grid->type != YAML_SEQUENCE_NODE)
        return add_block(yaml, node, c, c->grid);
    for (size_t i = 0; i < fq_yaml_items(c->grid); i++) {
        yaml_node_t *product = NULL;
        FQ_TRY(fq_yaml_item(yaml, c->grid, i, &product));
        FQ_TRY(add_block(yaml, node, c, product));
    }
    return FQ_OK;
}

static fq_status read_document(fq_yaml *yaml, fq_manifest *manifest) {
    context top = {.manifest = manifest, .top = true, .block = {.replicates = 1}};
    yaml_node_t *root = NULL;
    FQ_TRY(fq_yaml_visit(yaml, &root, 1));
    FQ_TRY(fq_arena_alloc(&manifest->arena, &top.block.seeds, 1, sizeof *top.block.seeds));
    top.block.seeds[0] = 1;
    top.block.seed_count = 1;
    FQ_TRY(read_keys(yaml, root, &top));
    if (!top.experiments)
        return add_blocks(yaml, root, &top);
    if (top.block.experiment || top.grid)
        return fq_yaml_fail(yaml, root, "experiments", "beside experiment or grid",
                            "experiment and grid inside the items of experiments");
    for (size_t i = 0; i < fq_yaml_items(top.experiments); i++) {
        context item = top;
        yaml_node_t *node = NULL;
        item.top = false;
        FQ_TRY(fq_yaml_item(yaml, top.experiments, i, &node));
        FQ_TRY(read_keys(yaml, node, &item));
        FQ_TRY(add_blocks(yaml, node, &item));
    }
    return FQ_OK;
}

fq_status fq_manifest_parse(fq_manifest *manifest, const char *path, const char *text, size_t length) {
    fq_manifest m = {.description = ""};
    fq_yaml yaml = {0};
    size_t points = 0;
    fq_status status = FQ_OK;
    FQ_TRY_GOTO(status, fq_arena_text(&m.arena, &m.path, path, strlen(path)), done);
    FQ_TRY_GOTO(status, fq_yaml_load(&yaml, &m, text, length, false), done);
    FQ_TRY_GOTO(status, fq_arena_text(&m.arena, &m.text, text, length), done);
    FQ_TRY_GOTO(status, read_document(&yaml, &m), done);
    FQ_TRY_GOTO(status, fq_manifest_points(&points, &m), done);
    *manifest = m;
done:
    fq_yaml_clear(&yaml);
    if (status != FQ_OK)
        fq_arena_clear(&m.arena);
    return status;
}

fq_status fq_manifest_load(fq_manifest *manifest, const char *path) {
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    if (!file)
        return FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
    fq_status status = fq_alloc(&text, FQ_MANIFEST_BYTES_MAX + 1, 1);
    if (status == FQ_OK) {
        const size_t length = fread(text, 1, FQ_MANIFEST_BYTES_MAX + 1, file);
        if (ferror(file))
            status = FQ_FAIL_TEXT(FQ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
        else
            status = fq_manifest_parse(manifest, path, text, length);
    }
    fq_free(text);
    fclose(file);
    return status;
}

void fq_manifest_clear(fq_manifest *manifest) {
    fq_arena_clear(&manifest->arena);
    memset(manifest, 0, sizeof *manifest);
}

/* --set ------------------------------------------------------------------------------------- */

static fq_status set_axis(fq_manifest *manifest, fq_manifest_block *block, const fq_manifest_axis *axis) {
    for (size_t g = 0; g < block->group_count; g++) {
        fq_manifest_group group = block->groups[g];
        size_t a = 0;
        while (a < group.axis_count && strcmp(group.axes[a].name, axis->name) != 0)
            a++;
        if (a == group.axis_count)
            continue;
        fq_manifest_axis new_axis = *axis;
        if (group.axis_count > 1 && axis->count == 1) { /* one value stands for all of the zip */
            FQ_TRY(fq_arena_alloc(&manifest->arena, &new_axis.values, group.count, sizeof *new_axis.values));
            for (size_t i = 0; i < group.count; i++)
                new_axis.values[i] = axis->values[0];
            new_axis.count = group.count;
        } else if (group.axis_count > 1 && axis->count != group.count) {
            return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--set %s: %zu values for an axis of a zip; allowed: 1 or %zu",
                                axis->name, axis->count, group.count);
        }
        fq_manifest_axis *axes = NULL; /* groups may be shared between blocks: change a copy */
        fq_manifest_group *groups = NULL;
        FQ_TRY(fq_arena_alloc(&manifest->arena, &axes, group.axis_count, sizeof *axes));
        FQ_TRY(fq_arena_alloc(&manifest->arena, &groups, block->group_count, sizeof *groups));
        memcpy(axes, group.axes, group.axis_count * sizeof *axes);
        memcpy(groups, block->groups, block->group_count * sizeof *groups);
        axes[a] = new_axis;
        groups[g].axes = axes;
        groups[g].count = new_axis.count;
        block->groups = groups;
        return FQ_OK;
    }
    fq_manifest_group group = {.axis_count = 1, .count = axis->count};
    FQ_TRY(fq_arena_alloc(&manifest->arena, &group.axes, 1, sizeof *group.axes));
    group.axes[0] = *axis;
    return add_group(manifest, block, &group);
}

static fq_status apply_set(fq_manifest *manifest, fq_yaml *yaml, const char *key,
                           bool (*accepts)(const char *, const char *, void *), void *context_) {
    yaml_node_t *node = NULL;
    FQ_TRY(fq_yaml_visit(yaml, &node, 1));
    context c = {.manifest = manifest};
    const bool seed = strcmp(key, "seed") == 0, seeds = strcmp(key, "seeds") == 0;
    const bool replicates = strcmp(key, "replicates") == 0;
    fq_manifest_axis axis = {0};
    if (seed)
        FQ_TRY(read_seed(yaml, node, &c));
    else if (seeds)
        FQ_TRY(read_seeds(yaml, node, &c));
    else if (replicates)
        FQ_TRY(read_replicates(yaml, node, &c));
    else
        FQ_TRY(fq_manifest_read_axis(yaml, node, key, &axis));
    size_t accepted = 0;
    for (size_t b = 0; b < manifest->block_count; b++) {
        fq_manifest_block *block = &manifest->blocks[b];
        if (seed || seeds) {
            block->seeds = c.block.seeds;
            block->seed_count = c.block.seed_count;
        } else if (replicates) {
            block->replicates = c.block.replicates;
        } else if (accepts(block->experiment, key, context_)) {
            FQ_TRY(set_axis(manifest, block, &axis));
        } else {
            continue;
        }
        accepted++;
    }
    if (!accepted)
        return FQ_FAIL_TEXT(FQ_ERR_USAGE,
                            "--set %.64s: no experiment of %s has such a parameter; allowed: seed, "
                            "seeds, replicates and the experiments' parameters (fibquant sweep "
                            "--list)",
                            key, manifest->path);
    size_t points = 0;
    return fq_manifest_points(&points, manifest);
}

fq_status fq_manifest_set(fq_manifest *manifest, const char *assignment,
                          bool (*accepts)(const char *, const char *, void *), void *context_) {
    const char *equals = strchr(assignment, '=');
    const char *key = NULL;
    fq_yaml yaml = {0};
    if (!equals || equals == assignment || !equals[1])
        return FQ_FAIL_TEXT(FQ_ERR_USAGE, "--set %.200s: no assignment; allowed: key=value", assignment);
    FQ_TRY(fq_arena_text(&manifest->arena, &key, assignment, (size_t)(equals - assignment)));
    fq_status status = fq_yaml_load(&yaml, manifest, equals + 1, strlen(equals + 1), true);
    if (status == FQ_OK)
        status = apply_set(manifest, &yaml, key, accepts, context_);
    fq_yaml_clear(&yaml);
    return status;
}
