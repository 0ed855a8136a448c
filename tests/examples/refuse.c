/* SPDX-License-Identifier: MIT */
/*
 * refuse WHAT PROGRAM ARGUMENTS...: runs it where something is refused.
 *
 * eperm, enosys  io_uring, as many containers and some kernels do
 * memlock        locked memory; the program runs as a user that nobody else is
 * threads        threads, likewise
 * files          descriptors beyond the ten that a program gets anyhow
 *
 * Exit code 77: this machine cannot do that.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CANNOT = 77 };

static int refuse_rings(unsigned error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = sizeof code / sizeof *code, .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* Such limits are counted by user, and root has none. */
static int limit_somebody(__rlimit_resource_t resource, rlim_t value)
{
    const struct rlimit limit = {value, value};
    const unsigned user = 40000 + (unsigned)getpid() % 20000;

    if (setrlimit(resource, &limit) < 0 || setresgid(user, user, user) < 0)
        return -1;
    return setresuid(user, user, user);
}

static int limit_files(void)
{
    const struct rlimit limit = {10, 10};

    return setrlimit(RLIMIT_NOFILE, &limit);
}

static int refuse(const char *what)
{
    if (strcmp(what, "eperm") == 0)
        return refuse_rings(EPERM);
    if (strcmp(what, "enosys") == 0)
        return refuse_rings(ENOSYS);
    if (strcmp(what, "memlock") == 0)
        return limit_somebody(RLIMIT_MEMLOCK, 0);
    if (strcmp(what, "threads") == 0)
        return limit_somebody(RLIMIT_NPROC, 1);
    if (strcmp(what, "files") == 0)
        return limit_files();
    errno = EINVAL;
    return -1;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (refuse(argv[1]) < 0) {
        perror(argv[1]);
        return CANNOT;
    }
    execv(argv[2], argv + 2);
    perror(argv[2]);
    return errno == EACCES ? CANNOT : 127; /* that user may not read the build */
}
