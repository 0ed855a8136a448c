/* SPDX-License-Identifier: MIT */
#include <vigil/uring.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

/* What the machine says about why io_uring does not work. The only file that asks it. */

/* The number that follows `key` in the file, or that starts it; -1 if there is none. */
static int read_number(const char *path, const char *key)
{
    char line[128];
    int value = -1;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return -1;
    while (value < 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, key, strlen(key)) == 0 && sscanf(line + strlen(key), "%d", &value) != 1)
            value = -1;
    fclose(file);
    return value;
}

static bool is_filtered(void)
{
    return read_number("/proc/self/status", "Seccomp:") == 2;
}

#define FILTERED                                                                                   \
    "a seccomp filter of this process refuses it (%s), as the default profiles of Docker and "     \
    "containerd do. Remedy: a profile that allows io_uring_setup, io_uring_enter and "             \
    "io_uring_register, for instance docker run --security-opt seccomp=PROFILE"

static void explain_refusal(char *text, size_t size)
{
    const int disabled = read_number("/proc/sys/kernel/io_uring_disabled", "");

    if (disabled == 2)
        snprintf(text, size,
                 "it is switched off on this machine: kernel.io_uring_disabled is 2. Remedy, as "
                 "root: sysctl kernel.io_uring_disabled=0");
    else if (disabled == 1)
        snprintf(text, size,
                 "only privileged processes may use it: kernel.io_uring_disabled is 1. Remedy: "
                 "join the group of kernel.io_uring_group, or, as root: sysctl "
                 "kernel.io_uring_disabled=0");
    else if (is_filtered())
        snprintf(text, size, FILTERED, "EPERM");
    else
        snprintf(text, size,
                 "a security module of this machine refuses it (EPERM). Remedy: allow io_uring "
                 "in its policy");
}

static void explain_absence(char *text, size_t size)
{
    if (is_filtered())
        snprintf(text, size, FILTERED, "ENOSYS");
    else
        snprintf(text, size,
                 "this kernel was built without it. Remedy: a kernel with CONFIG_IO_URING=y");
}

static void explain_age(char *text, size_t size)
{
    struct utsname name;

    if (uname(&name) < 0)
        strcpy(name.release, "unknown");
    snprintf(text, size,
             "this kernel (%s) lacks what is needed: single-issuer rings with deferred task work. "
             "Remedy: Linux 6.1 or later",
             name.release);
}

static void explain_memory(char *text, size_t size)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) {
        snprintf(text, size, "there is no memory left. Remedy: fewer workers");
        return;
    }
    snprintf(text, size,
             "there is no memory for it, or the user's limit of locked memory (%llu KiB, shared "
             "by all of the user's processes) is used up. Remedy: raise it with ulimit -l, or "
             "LimitMEMLOCK= in a systemd unit; or fewer workers",
             (unsigned long long)limit.rlim_cur / 1024);
}

static void explain_files(char *text, size_t size)
{
    struct rlimit limit = {0};

    getrlimit(RLIMIT_NOFILE, &limit);
    snprintf(text, size,
             "no descriptor is left (limit of this process: %llu); each worker needs two. Remedy: "
             "raise the limit with ulimit -n",
             (unsigned long long)limit.rlim_cur);
}

static void explain_threads(char *text, size_t size)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NPROC, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        snprintf(
            text, size,
            "no more threads can be started. Remedy: raise pids.max of the cgroup, or TasksMax= "
            "in a systemd unit; or fewer workers");
    else
        snprintf(text, size,
                 "no more threads can be started (limit of processes and threads of this user: "
                 "%llu). Remedy: raise it with ulimit -u, or TasksMax= in a systemd unit; or fewer "
                 "workers",
                 (unsigned long long)limit.rlim_cur);
}

const char *vg_uring_explain(int error, char *text, size_t size)
{
    switch (error) {
    case -EPERM:
    case -EACCES:
        explain_refusal(text, size);
        break;
    case -ENOSYS:
        explain_absence(text, size);
        break;
    case -EINVAL:
        explain_age(text, size);
        break;
    case -EOPNOTSUPP:
        snprintf(text, size,
                 "a ring was made, but a poll of its doorbell is not answered within a second. "
                 "Remedy: another kernel");
        break;
    case -ENOMEM:
        explain_memory(text, size);
        break;
    case -EMFILE:
    case -ENFILE:
        explain_files(text, size);
        break;
    case -EAGAIN:
        explain_threads(text, size);
        break;
    default: {
        const char *name = strerrordesc_np(-error);

        snprintf(text, size, "%s (%d)", name != NULL ? name : "unknown error", error);
    }
    }
    return text;
}
