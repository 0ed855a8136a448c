/* SPDX-License-Identifier: MIT */
/* Where io_uring is refused or scarce: the error, and what is said about it. */
#include <vigil/exec.h>
#include <vigil/time.h>
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

#include "counting_alloc.h"
#include "rig.h"
#include "rlimits.h"
#include "vg_fault.h"

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

/* ---- whole executors ----------------------------------------------------------------------- */

static int try_to_open(struct vg_exec **exec, struct vg_driver *driver)
{
    struct vg_config config = VG_CONFIG_INIT;
    const unsigned fds = test_open_fds();
    int rc;

    config.driver = driver;
    config.workers = 3;
    config.alloc = &test_alloc;
    rc = vg_exec_open(exec, &config);
    if (rc < 0) {
        CHECK(*exec == NULL);
        CHECK_EQ(test_open_fds(), fds);
    }
    return rc;
}

static struct vg_driver *open_driver(void)
{
    struct vg_driver *driver;
    int rc = vg_uring_open(&driver, NULL, &test_alloc);

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    return driver;
}

TEST(an_executor_whose_workers_are_refused_does_not_open)
{
    struct vg_driver *driver = open_driver();
    struct vg_exec *exec;

    filter(EPERM);
    CHECK_EQ(try_to_open(&exec, driver), -EPERM);
    CHECK_EQ(try_to_open(&exec, driver), -EPERM);
    vg_uring_close(driver);
}

#if VG_FAULTS
/* Puts a filter on the thread that comes n-th to make its ring, and on no other. */
static VG_ATOMIC(uint32_t) comers, unwelcome;
static int refusal;

static int filter_one(const char *name)
{
    if (strcmp(name, "ring") == 0 &&
        vg_fetch_add(&comers, 1, relaxed) + 1 == vg_load(&unwelcome, relaxed))
        filter(refusal);
    return 0;
}

static void refuse_one_worker(unsigned number, int error)
{
    struct vg_driver *driver = open_driver();
    struct vg_exec *exec;
    struct vg_sleep nap;

    vg_store(&comers, 0, relaxed);
    vg_store(&unwelcome, number, relaxed);
    refusal = error;
    vg_fault_install(filter_one);
    CHECK_EQ(try_to_open(&exec, driver), -error);
    vg_fault_install(NULL);
    CHECK_EQ(try_to_open(&exec, driver), 0);
    CHECK_EQ(vg_block_on(exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    vg_uring_close(driver);
}

TEST(an_executor_one_of_whose_workers_is_refused_does_not_open_but_may_later)
{
    for (unsigned i = 1; i <= 3; i++) {
        refuse_one_worker(i, EPERM);
        refuse_one_worker(i, ENOSYS);
    }
}
#endif

/* ---- explanations -------------------------------------------------------------------------- */

TEST(every_error_is_explained_within_the_space_given)
{
    const int errors[] = {-EPERM,  -EACCES, -ENOSYS, -EINVAL, -ENOMEM, -EOPNOTSUPP,
                          -EAGAIN, -EMFILE, -ENFILE, -EIO,    -9999,   0};
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
    limit_set(RLIMIT_NPROC, 12345);
    CHECK_STR(vg_uring_explain(-EAGAIN, why, sizeof why), "this user: 12345");
    CHECK_STR(why, "ulimit -u");
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
