/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_RLIMITS_H
#define VIGIL_TESTS_RLIMITS_H

#include <sys/resource.h>
#include <unistd.h>

#include "harness.h"

/* Limits of this process, which are gone with the test. */

/* Sets the soft limit, and returns what it was. */
static inline rlim_t limit_set(int resource, rlim_t value)
{
    struct rlimit limit;
    rlim_t before;

    CHECK_EQ(getrlimit((__rlimit_resource_t)resource, &limit), 0);
    before = limit.rlim_cur;
    limit.rlim_cur = value;
    CHECK_EQ(setrlimit((__rlimit_resource_t)resource, &limit), 0);
    return before;
}

/* The limit under which exactly `spare` more descriptors can be had. They need not be the lowest numbers: those that
 * are free between open ones count. */
static inline rlim_t limit_files(unsigned spare)
{
    int fd[64], last = -1;

    CHECK(spare < 64);
    for (unsigned i = 0; i < spare; i++)
        CHECK((fd[i] = last = dup(STDERR_FILENO)) >= 0);
    for (unsigned i = 0; i < spare; i++)
        close(fd[i]);
    if (spare == 0) {
        CHECK((last = dup(STDERR_FILENO)) >= 0);
        close(last--);
    }
    return limit_set(RLIMIT_NOFILE, (rlim_t)last + 1);
}

/* Becomes a user that nobody else is: locked memory and processes are counted by user. */
static inline void become_somebody(void)
{
    const unsigned user = 40000 + (unsigned)getpid() % 20000;

    if (geteuid() != 0)
        SKIP("needs root, to become an unprivileged user");
    CHECK_EQ(setresgid(user, user, user), 0);
    CHECK_EQ(setresuid(user, user, user), 0);
}

#endif
