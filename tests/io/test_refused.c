/* SPDX-License-Identifier: MIT */
/* Where io_uring is refused or scarce: the error, and what is said about it. */
#include <vigil/uring.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"

/* Makes io_uring_setup fail with the error, as a container's profile does. */
static void filter(int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};

    CHECK_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        SKIP("no seccomp filters here");
}

static void expect_refusal(int error, const char *name)
{
    struct vg_driver *driver = NULL;
    char why[VG_URING_EXPLAIN_SIZE];

    filter(error);
    CHECK_EQ(vg_uring_open(&driver, NULL, NULL), -error);
    CHECK_EQ(driver, NULL);
    vg_uring_explain(-error, why, sizeof why);
    CHECK_STR(why, "seccomp");
    CHECK_STR(why, name);
    CHECK_STR(why, "Remedy");
}

TEST(a_filter_that_answers_eperm_is_named_with_its_remedy)
{
    expect_refusal(EPERM, "EPERM");
}

TEST(a_filter_that_answers_enosys_is_named_with_its_remedy)
{
    expect_refusal(ENOSYS, "ENOSYS");
}

TEST(a_worker_that_is_refused_later_fails_cleanly)
{
    struct rig rig;

    rig_open(&rig, 1, NULL);
    rig.ops->stop(rig.driver, 0);
    rig.ops->close(rig.driver);
    CHECK_EQ(rig.ops->open(rig.driver, 2), 0);
    CHECK_EQ(rig.ops->start(rig.driver, 0), 0);
    filter(EPERM);
    CHECK_EQ(rig.ops->start(rig.driver, 1), -EPERM);
    rig.ops->stop(rig.driver, 1);
    rig_close(&rig);
}

TEST(every_error_is_explained_within_the_space_given)
{
    const int errors[] = {-EPERM,  -EACCES, -ENOSYS, -EINVAL, -ENOMEM, -EOPNOTSUPP,
                          -EMFILE, -ENFILE, -EIO,    -9999,   0};
    char why[VG_URING_EXPLAIN_SIZE + 1], tiny[8];

    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        memset(why, 'x', sizeof why);
        CHECK_EQ(vg_uring_explain(errors[i], why, VG_URING_EXPLAIN_SIZE), why);
        CHECK(strlen(why) > 0);
        /* Nothing was cut off. */
        CHECK(strlen(why) < VG_URING_EXPLAIN_SIZE - 1);
        CHECK_EQ(why[VG_URING_EXPLAIN_SIZE], 'x');
        vg_uring_explain(errors[i], tiny, sizeof tiny);
        CHECK(strlen(tiny) < sizeof tiny);
    }
    CHECK_STR(vg_uring_explain(-EINVAL, why, sizeof why), "6.1");
    CHECK_STR(vg_uring_explain(-ENOMEM, why, sizeof why), "ulimit -l");
    CHECK_STR(vg_uring_explain(-EMFILE, why, sizeof why), "ulimit -n");
}

/* Locked memory is counted by user, so it takes one that nobody else is. */
static void become_somebody(rlim_t memlock)
{
    const struct rlimit limit = {memlock, memlock};
    const unsigned user = 40000 + (unsigned)getpid() % 20000;

    if (geteuid() != 0)
        SKIP("needs root, to become an unprivileged user");
    CHECK_EQ(setrlimit(RLIMIT_MEMLOCK, &limit), 0);
    CHECK_EQ(setresgid(user, user, user), 0);
    CHECK_EQ(setresuid(user, user, user), 0);
}

static void expect_no_memory(struct vg_uring_config *config)
{
    struct vg_driver *driver;
    char why[VG_URING_EXPLAIN_SIZE];
    int rc = vg_uring_open(&driver, config, NULL);

    if (rc == 0) {
        rc = driver->ops->open(driver, 1);
        CHECK_EQ(rc, 0);
        rc = driver->ops->start(driver, 0);
        driver->ops->stop(driver, 0);
        driver->ops->close(driver);
        vg_uring_close(driver);
    }
    CHECK_EQ(rc, -ENOMEM);
    vg_uring_explain(rc, why, sizeof why);
    CHECK_STR(why, "locked memory (0 KiB");
}

TEST(without_locked_memory_the_limit_is_named)
{
    become_somebody(0);
    expect_no_memory(NULL);
}

TEST(with_little_locked_memory_rings_are_made_smaller_and_say_so)
{
    struct rig rig;
    struct vg_uring_stats stats;
    struct rig_op op;

    become_somebody(64 << 10);
    rig_open(&rig, 1, NULL);
    stats = rig_stats(&rig, 0);
    CHECK(stats.cq_entries < 4096);
    CHECK(stats.cq_entries >= 512);
    CHECK(stats.sq_entries >= 64);
    rig_init(&op, VG_OP_CLOSE, -1, NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), -EBADF);
    rig_close(&rig);
}

TEST(workers_beyond_the_limit_of_locked_memory_fail_with_the_reason)
{
    struct vg_driver *driver;
    unsigned started = 0;
    int rc;

    become_somebody(64 << 10);
    rc = vg_uring_open(&driver, NULL, NULL);
    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    CHECK_EQ(driver->ops->open(driver, 64), 0);
    while (started < 64 && (rc = driver->ops->start(driver, started)) == 0)
        started++;
    CHECK_EQ(rc, -ENOMEM);
    CHECK(started > 0);
    for (unsigned i = 0; i <= started; i++)
        driver->ops->stop(driver, i);
    driver->ops->close(driver);
    vg_uring_close(driver);
}

TEST(without_descriptors_the_limit_is_named)
{
    struct vg_driver *driver;
    struct rlimit before, limit;
    int spare = dup(0);

    CHECK(spare >= 0);
    close(spare);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)spare;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(vg_uring_open(&driver, NULL, NULL), -EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
}
