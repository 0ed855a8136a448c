/* SPDX-License-Identifier: MIT */
/* What a server has used so far, from its process's clock and its directory in /proc. */
#include "echo_load.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "echo_reference.h"

static uint64_t clock_of(clockid_t id)
{
    struct timespec ts;

    if (clock_gettime(id, &ts) < 0)
        echo_die("the server's clock", errno);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static FILE *open_file(const struct load_options *options, const char *thread, const char *name)
{
    char path[320];

    if (thread == NULL)
        snprintf(path, sizeof path, "/proc/%d/%s", (int)options->pid, name);
    else
        snprintf(path, sizeof path, "/proc/%d/task/%s/%s", (int)options->pid, thread, name);
    return fopen(path, "re");
}

/* Behind the name, which may contain anything, these are the 12th and 13th. */
static void read_ticks(struct load_usage *usage, const struct load_options *options)
{
    char line[1024] = "";
    FILE *file = open_file(options, NULL, "stat");
    const char *rest;

    if (file == NULL)
        echo_die("the server", errno);
    if (fgets(line, sizeof line, file) == NULL || (rest = strrchr(line, ')')) == NULL ||
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
               &usage->user_ms10, &usage->system_ms10) != 2)
        echo_die("the server's stat", EINVAL);
    fclose(file);
}

static void add_sleeps(struct load_usage *usage, FILE *status)
{
    char line[256];
    uint64_t n;

    while (fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "voluntary_ctxt_switches: %" SCNu64, &n) == 1)
            usage->sleeps += n;
}

static void add_time(struct load_usage *usage, FILE *comm, FILE *schedstat, const char *wanted)
{
    char name[32] = "";
    uint64_t ns;

    if (fgets(name, sizeof name, comm) == NULL)
        return;
    name[strcspn(name, "\n")] = '\0';
    if (strcmp(name, wanted) == 0 && fscanf(schedstat, "%" SCNu64, &ns) == 1)
        usage->thread_ns += ns;
}

/* A thread may end while it is looked at. */
static void add_thread(struct load_usage *usage, const struct load_options *options,
                       const char *thread)
{
    FILE *status = open_file(options, thread, "status"), *comm = open_file(options, thread, "comm"),
         *schedstat = open_file(options, thread, "schedstat");

    if (status != NULL)
        add_sleeps(usage, status);
    if (comm != NULL && schedstat != NULL && options->thread != NULL)
        add_time(usage, comm, schedstat, options->thread);
    for (FILE **file = (FILE *[]){status, comm, schedstat, NULL}, **end = file + 3; file < end;
         file++)
        if (*file != NULL)
            fclose(*file);
}

static void read_threads(struct load_usage *usage, const struct load_options *options)
{
    char path[64];
    DIR *dir;
    const struct dirent *entry;

    snprintf(path, sizeof path, "/proc/%d/task", (int)options->pid);
    dir = opendir(path);
    if (dir == NULL)
        echo_die("the server's threads", errno);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            add_thread(usage, options, entry->d_name);
    closedir(dir);
}

void load_usage(struct load_usage *usage, const struct load_options *options)
{
    clockid_t server;
    int error;

    *usage = (struct load_usage){.load_ns = clock_of(CLOCK_PROCESS_CPUTIME_ID)};
    if (options->pid == 0)
        return;
    error = clock_getcpuclockid(options->pid, &server);
    if (error != 0)
        echo_die("the server", error);
    read_threads(usage, options);
    read_ticks(usage, options);
    usage->server_ns = clock_of(server);
}

void load_difference(struct load_usage *usage, const struct load_usage *after,
                     const struct load_usage *before)
{
    *usage = (struct load_usage){
        .server_ns = after->server_ns - before->server_ns,
        .user_ms10 = after->user_ms10 - before->user_ms10,
        .system_ms10 = after->system_ms10 - before->system_ms10,
        .thread_ns = after->thread_ns - before->thread_ns,
        .sleeps = after->sleeps - before->sleeps,
        .load_ns = after->load_ns - before->load_ns,
    };
}
