/* SPDX-License-Identifier: MIT */
/*
 * Little locked memory, or none. Some kernels count rings as locked memory of the user, some do not: the first are
 * to make smaller rings, and to say what is missing when even those are refused; with the others all is as usual.
 */
#include <vigil/exec.h>
#include <vigil/time.h>

#include <errno.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "counting_alloc.h"
#include "rig.h"
#include "rlimits.h"

/* What the kernel itself says, without the library: it counts if the smallest ring is too large for no memory. */
static bool kernel_counts(void)
{
    int status = 0;
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct io_uring_params params = {.flags = 0};

        limit_set(RLIMIT_MEMLOCK, 0);
        become_somebody();
        _exit(syscall(SYS_io_uring_setup, 1, &params) >= 0 ? 0 : errno);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != ENOMEM)
        SKIP("io_uring is refused here, or this is not root");
    return WEXITSTATUS(status) == ENOMEM;
}

static void become_poor(rlim_t memlock)
{
    limit_set(RLIMIT_MEMLOCK, memlock);
    become_somebody();
}

static void check_explained(rlim_t memlock)
{
    char why[VG_URING_EXPLAIN_SIZE], limit[64];

    vg_uring_explain(-ENOMEM, why, sizeof why);
    snprintf(limit, sizeof limit, "locked memory (%llu KiB", (unsigned long long)memlock / 1024);
    CHECK_STR(why, limit);
    CHECK_STR(why, "Remedy: raise it with ulimit -l");
}

TEST(without_locked_memory_the_limit_is_named)
{
    const bool counts = kernel_counts();
    struct vg_driver *driver;
    struct rig rig;

    become_poor(0);
    if (counts) {
        CHECK_EQ(vg_uring_open(&driver, NULL, &test_alloc), -ENOMEM);
        CHECK(driver == NULL);
        check_explained(0);
        return;
    }
    rig_open(&rig, 1, NULL);
    CHECK_EQ(rig_stats(&rig, 0).cq_entries, 4096);
    rig_close(&rig);
}

TEST(with_little_locked_memory_rings_are_made_smaller_and_say_so)
{
    const bool counts = kernel_counts();
    struct vg_uring_stats stats;
    struct rig rig;
    struct rig_op op;

    become_poor(64 << 10);
    rig_open(&rig, 1, NULL);
    stats = rig_stats(&rig, 0);
    CHECK_EQ(stats.cq_entries < 4096, counts);
    CHECK(stats.cq_entries >= 512);
    CHECK(stats.sq_entries >= 64);
    rig_init(&op, VG_OP_CLOSE, -1, NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), -EBADF);
    rig_close(&rig);
}

enum { MANY = 64 };

static int open_exec(struct vg_exec **exec, struct vg_driver *driver, unsigned workers)
{
    struct vg_config config = VG_CONFIG_INIT;

    config.driver = driver;
    config.workers = workers;
    config.alloc = &test_alloc;
    return vg_exec_open(exec, &config);
}

/* The kernel gives the memory of rings back some time after they were closed. */
static void open_in_the_end(struct vg_exec **exec, struct vg_driver *driver)
{
    int rc;

    while ((rc = open_exec(exec, driver, 1)) == -ENOMEM)
        usleep(1000);
    CHECK_EQ(rc, 0);
}

TEST(an_executor_with_workers_beyond_the_limit_does_not_open_and_a_smaller_one_does)
{
    const bool counts = kernel_counts();
    struct vg_driver *driver;
    struct vg_exec *exec;
    struct vg_sleep nap;
    unsigned fds;

    become_poor(64 << 10);
    CHECK_EQ(vg_uring_open(&driver, NULL, &test_alloc), 0);
    fds = test_open_fds();
    if (counts) {
        CHECK_EQ(open_exec(&exec, driver, MANY), -ENOMEM);
        CHECK(exec == NULL);
        CHECK_EQ(test_open_fds(), fds);
        check_explained(64 << 10);
        open_in_the_end(&exec, driver);
    } else {
        CHECK_EQ(open_exec(&exec, driver, MANY), 0);
    }
    CHECK_EQ(vg_block_on(exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    vg_uring_close(driver);
}
