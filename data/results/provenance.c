#include "provenance.h"

#include <cblas.h>
#include <gsl/gsl_version.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#ifdef _OPENMP
#include <omp.h>
#endif

#include "failure.h"
#include "hdf5_util.h"
#include "version.h"

enum { ARGV_ROOM = 65536 };

void fq_provenance_clear(fq_provenance *provenance) {
    fq_arena_clear(&provenance->arena);
    provenance->count = 0;
}

const char *fq_provenance_get(const fq_provenance *provenance, const char *name) {
    for (size_t i = 0; i < provenance->count; i++)
        if (strcmp(provenance->entries[i].name, name) == 0)
            return provenance->entries[i].value;
    return NULL;
}

fq_status fq_provenance_set(fq_provenance *provenance, const char *name, const char *value) {
    const char *kept_name = NULL, *kept_value = NULL;
    size_t at = 0;
    while (at < provenance->count && strcmp(provenance->entries[at].name, name) != 0)
        at++;
    if (at == FQ_PROVENANCE_MAX)
        return FQ_FAIL_VALUE(FQ_ERR_OVERFLOW, name, FQ_PROVENANCE_MAX, "up to 64 provenance entries");
    FQ_TRY(fq_arena_text(&provenance->arena, &kept_name, name, strlen(name)));
    FQ_TRY(fq_arena_text(&provenance->arena, &kept_value, value, strlen(value)));
    provenance->entries[at] = (fq_provenance_entry){kept_name, kept_value};
    if (at == provenance->count)
        provenance->count++;
    return FQ_OK;
}

static fq_status set_number(fq_provenance *provenance, const char *name, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return fq_provenance_set(provenance, name, text);
}

static void utc_now(char text[32]) {
    const time_t now = time(NULL);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        strcpy(text, "unknown");
}

/* Value of the first line "key : value" of a file, or the whole first line for key NULL. */
static void first_value(const char *path, const char *key, char *value, size_t room) {
    char line[512];
    FILE *file = fopen(path, "r");
    snprintf(value, room, "unknown");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        const char *colon = strchr(line, ':');
        if (key && (strncmp(line, key, strlen(key)) != 0 || !colon))
            continue;
        snprintf(value, room, "%s", key ? colon + 1 + strspn(colon + 1, " ") : line);
        break;
    }
    if (file)
        fclose(file);
}

static fq_status set_argv(fq_provenance *provenance, int argc, const char *const *argv) {
    char *joined = NULL;
    size_t at = 0;
    FQ_TRY(fq_arena_alloc(&provenance->arena, &joined, ARGV_ROOM, 1));
    for (int i = 0; i < argc; i++) {
        /* argv[0] is "fibquant VERB"; later ones are quoted where a shell would split them. */
        const bool quote = i > 0 && (argv[i][0] == '\0' || strpbrk(argv[i], " \t\n'\"\\$`*?;&|<>()#~"));
        const int got = snprintf(joined + at, ARGV_ROOM - at, "%s%s%s%s", i ? " " : "", quote ? "'" : "",
                                 argv[i], quote ? "'" : "");
        if (got < 0 || (size_t)got >= ARGV_ROOM - at)
            break;
        at += (size_t)got;
    }
    return fq_provenance_set(provenance, "argv", joined);
}

static fq_status set_libraries(fq_provenance *provenance) {
    char text[64];
    unsigned major = 0, minor = 0, release = 0;
    if (H5get_libversion(&major, &minor, &release) < 0)
        return FQ_FAIL_TEXT(FQ_ERR_INTERNAL, "HDF5: asking for its version failed");
    snprintf(text, sizeof text, "%u.%u.%u", major, minor, release);
    FQ_TRY(fq_provenance_set(provenance, "hdf5", text));
    FQ_TRY(fq_provenance_set(provenance, "gsl", gsl_version));
    return fq_provenance_set(provenance, "openblas", openblas_get_config());
}

static fq_status set_machine(fq_provenance *provenance) {
    char text[700];
    struct utsname system;
    first_value("/proc/cpuinfo", "model name", text, sizeof text);
    FQ_TRY(fq_provenance_set(provenance, "cpu", text));
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    FQ_TRY(set_number(provenance, "cores", cores > 0 ? (uint64_t)cores : 0));
    first_value("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", NULL, text, sizeof text);
    FQ_TRY(fq_provenance_set(provenance, "governor", text));
    if (uname(&system) == 0) {
        FQ_TRY(fq_provenance_set(provenance, "host", system.nodename));
        snprintf(text, sizeof text, "%s %s %s", system.sysname, system.release, system.machine);
        FQ_TRY(fq_provenance_set(provenance, "os", text));
    }
#ifdef _OPENMP
    const uint64_t threads = (uint64_t)omp_get_max_threads();
#else
    const uint64_t threads = 1;
#endif
    return set_number(provenance, "threads", threads);
}

static fq_status gather(fq_provenance *provenance, int argc, const char *const *argv, uint64_t seed,
                        const char *manifest) {
    char now[32];
    utc_now(now);
    FQ_TRY(fq_provenance_set(provenance, "schema", "1"));
    FQ_TRY(fq_provenance_set(provenance, "program", "fibquant " FQ_VERSION));
    FQ_TRY(fq_provenance_set(provenance, "git", FQ_GIT_DESCRIBE));
    FQ_TRY(fq_provenance_set(provenance, "sources", FQ_SOURCES_SHA256));
    FQ_TRY(fq_provenance_set(provenance, "compiler", FQ_COMPILER));
    FQ_TRY(fq_provenance_set(provenance, "flags", FQ_COMPILE_FLAGS));
    FQ_TRY(fq_provenance_set(provenance, "build_type", FQ_BUILD_TYPE));
    FQ_TRY(set_libraries(provenance));
    FQ_TRY(set_machine(provenance));
    FQ_TRY(set_argv(provenance, argc, argv));
    FQ_TRY(fq_provenance_set(provenance, "rng",
                             "Philox4x32-10 (Random123), streams by seed, purpose and index"));
    FQ_TRY(set_number(provenance, "seed", seed));
    if (manifest)
        FQ_TRY(fq_provenance_set(provenance, "manifest", manifest));
    return fq_provenance_set(provenance, "started", now);
}

fq_status fq_provenance_gather(fq_provenance *provenance, int argc, const char *const *argv, uint64_t seed,
                               const char *manifest) {
    memset(provenance, 0, sizeof *provenance);
    const fq_status status = gather(provenance, argc, argv, seed, manifest);
    if (status != FQ_OK)
        fq_provenance_clear(provenance);
    return status;
}

fq_status fq_provenance_write(const fq_provenance *provenance, hid_t file) {
    hid_t group = H5I_INVALID_HID;
    char now[32];
    utc_now(now);
    FQ_TRY(fq_h5_create_group(&group, file, "provenance"));
    fq_status status = FQ_OK;
    for (size_t i = 0; status == FQ_OK && i < provenance->count; i++) {
        const fq_provenance_entry *entry = &provenance->entries[i];
        status = strlen(entry->value) < FQ_H5_ATTRIBUTE_TEXT_MAX
                     ? fq_h5_write_text(group, entry->name, entry->value)
                     : fq_h5_write_long_text(group, entry->name, entry->value);
    }
    if (status == FQ_OK)
        status = fq_h5_write_text(group, "stopped", now);
    fq_h5_close(group);
    return status;
}
