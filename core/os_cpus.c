/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vg_os.h"

/*
 * How many CPUs this process may use at once. The quota of a cgroup binds all below it, so the tightest one on
 * the way from the process's own cgroup to the root counts. Version 2 has it in cpu.max, version 1, where the
 * cpu controller has a hierarchy of its own, in two files.
 */

enum { PATH_SIZE = 512, LEVELS_MAX = 64 };

/* Reads up to two numbers from a one-line file; "max" counts as -1. */
static int read_numbers(const char *path, long long *first, long long *second)
{
    char line[128];
    FILE *file = fopen(path, "re");
    int fields = 0;

    *first = *second = -1;
    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL) {
        fields = sscanf(line, "%lld %lld", first, second);
        if (fields < 1)
            fields = sscanf(line, "max %lld", second) == 1 ? 2 : 0;
    }
    fclose(file);
    return fields;
}

static void read_quota(const char *directory, bool v2, long long *quota, long long *period)
{
    char path[PATH_SIZE + 32];
    long long unused;

    if (v2) {
        snprintf(path, sizeof path, "%s/cpu.max", directory);
        read_numbers(path, quota, period);
        return;
    }
    snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", directory);
    read_numbers(path, quota, &unused);
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", directory);
    read_numbers(path, period, &unused);
}

/* CPUs' worth of quota of one cgroup, rounded up; UINT_MAX if it has none. */
static unsigned quota_of(const char *directory, bool v2)
{
    long long quota, period;

    read_quota(directory, v2, &quota, &period);
    if (quota <= 0 || period <= 0)
        return ~0u;
    return (unsigned)((quota + period - 1) / period);
}

/* The tightest quota from this cgroup up to the root of its hierarchy. */
static unsigned tightest(const char *root, const char *group, bool v2)
{
    char directory[PATH_SIZE];
    unsigned least = ~0u, quota, level;
    const size_t top = strlen(root);
    char *slash;

    if ((size_t)snprintf(directory, sizeof directory, "%s%s", root, group) >= sizeof directory)
        directory[top] = '\0';
    for (level = 0; level < LEVELS_MAX; level++) {
        quota = quota_of(directory, v2);
        least = quota < least ? quota : least;
        slash = strrchr(directory, '/');
        if (strlen(directory) <= top || slash == NULL)
            break;
        *slash = '\0';
    }
    return least;
}

/* Whether a line of /proc/self/cgroup, "N:controllers:path", is that of the cpu controller. */
static bool has_cpu(const char *controllers)
{
    const char *at = controllers;

    while ((at = strstr(at, "cpu")) != NULL) {
        if ((at == controllers || at[-1] == ',') && (at[3] == ',' || at[3] == '\0'))
            return true;
        at += 3;
    }
    return false;
}

static unsigned quota_of_line(char *line)
{
    char *controllers = strchr(line, ':'), *path;

    if (controllers == NULL || (path = strchr(++controllers, ':')) == NULL)
        return ~0u;
    *path++ = '\0';
    path[strcspn(path, "\n")] = '\0';
    if (*controllers == '\0')
        return tightest("/sys/fs/cgroup", path, true);
    return has_cpu(controllers) ? tightest("/sys/fs/cgroup/cpu", path, false) : ~0u;
}

static unsigned cgroup_quota(void)
{
    char line[PATH_SIZE];
    FILE *file = fopen("/proc/self/cgroup", "re");
    unsigned least = ~0u, quota;

    if (file == NULL)
        return least;
    while (fgets(line, sizeof line, file) != NULL) {
        quota = quota_of_line(line);
        least = quota < least ? quota : least;
    }
    fclose(file);
    return least;
}

static unsigned affinity(void)
{
    cpu_set_t set;
    long online;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    online = sysconf(_SC_NPROCESSORS_ONLN); /* more of them than the set has room for */
    return online > 0 ? (unsigned)online : 1;
}

int vg_os_pin(int cpu)
{
    cpu_set_t set;

    if (cpu < 0 || cpu >= CPU_SETSIZE)
        return -EINVAL;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0 ? 0 : -EINVAL;
}

unsigned vg_os_cpus(void)
{
    const unsigned cpus = affinity(), quota = cgroup_quota();

    return quota < cpus ? quota : cpus;
}
