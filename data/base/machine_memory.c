#include "machine_memory.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* MemAvailable and SwapFree of /proc/meminfo, in kB there. */
static uint64_t system_left(void) {
    char line[200];
    uint64_t kilobytes = 0, available = UINT64_MAX, swap = 0;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "MemAvailable: %" SCNu64, &kilobytes) == 1)
            available = kilobytes * 1024;
        else if (sscanf(line, "SwapFree: %" SCNu64, &kilobytes) == 1)
            swap = kilobytes * 1024;
    }
    if (file)
        fclose(file);
    return available == UINT64_MAX ? available : available + swap;
}

/* false where the file is not there, or says "max". */
static bool read_number(const char *folder, const char *name, uint64_t *number) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    const bool good = file && fscanf(file, "%" SCNu64, number) == 1;
    if (file)
        fclose(file);
    return good;
}

/* Pages of files, which make room when it is needed: "inactive_file N" and "active_file N" of version 2, the
 * same behind "total_" of version 1, where those without it leave out the groups below. */
static uint64_t droppable(const char *folder) {
    char path[600], line[200];
    uint64_t bytes = 0, own = 0, total = 0;
    snprintf(path, sizeof path, "%s/memory.stat", folder);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file)) {
        const bool below = strncmp(line, "total_", 6) == 0;
        const char *name = below ? line + 6 : line;
        if (sscanf(name, "inactive_file %" SCNu64, &bytes) == 1 ||
            sscanf(name, "active_file %" SCNu64, &bytes) == 1)
            *(below ? &total : &own) += bytes;
    }
    if (file)
        fclose(file);
    return total > own ? total : own;
}

static uint64_t group_left(const char *folder, const char *limit, const char *used) {
    uint64_t most = 0, now = 0;
    if (!read_number(folder, limit, &most) || !read_number(folder, used, &now))
        return UINT64_MAX;
    const uint64_t files = droppable(folder);
    now -= files < now ? files : now;
    return most > now ? most - now : 0;
}

/* The control group that /proc/self/cgroup names, and all above it; of version 1 the one that is seen here.
 */
static uint64_t control_group_left(void) {
    char line[400], folder[500];
    uint64_t left = group_left("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes");
    FILE *file = fopen("/proc/self/cgroup", "r");
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        snprintf(folder, sizeof folder, "/sys/fs/cgroup%s", line + 3);
        for (char *end = folder + strlen(folder); end; end = strrchr(folder, '/')) {
            *end = '\0';
            if (strlen(folder) < strlen("/sys/fs/cgroup"))
                break;
            left = least(left, group_left(folder, "memory.max", "memory.current"));
        }
    }
    if (file)
        fclose(file);
    return left;
}

static uint64_t address_space_left(void) {
    struct rlimit limit;
    uint64_t pages = 0;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_max == RLIM_INFINITY)
        return UINT64_MAX;
    FILE *file = fopen("/proc/self/statm", "r");
    const bool got = file && fscanf(file, "%" SCNu64, &pages) == 1;
    if (file)
        fclose(file);
    const uint64_t used = got ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0, most = (uint64_t)limit.rlim_max;
    return most > used ? most - used : 0;
}

uint64_t fq_machine_memory_left(void) {
    return least(system_left(), least(control_group_left(), address_space_left()));
}
