/* SPDX-License-Identifier: MIT */
/* Descriptors run out: who is told, and that it goes on when there are some again. */
#include <netinet/in.h>
#include <vigil/time.h>

#include "rlimits.h"
#include "world.h"

static void skip_without_rings(void)
{
    struct world world;

    world_open(&world, 1);
    world_close(&world);
}

static void check_explained(int error)
{
    char why[VG_URING_EXPLAIN_SIZE];

    CHECK_STR(vg_uring_explain(error, why, sizeof why), "no descriptor is left");
    CHECK_STR(why, "ulimit -n");
}

/* A ring and a doorbell: as each worker needs. */
TEST(a_driver_takes_two_descriptors_to_open_and_keeps_none)
{
    struct vg_driver *driver;
    rlim_t before;

    skip_without_rings();
    for (unsigned spare = 0; spare < 2; spare++) {
        before = limit_files(spare);
        CHECK_EQ(vg_uring_open(&driver, NULL, &test_alloc), -EMFILE);
        CHECK(driver == NULL);
        CHECK_EQ(test_alloc_live(), 0);
        limit_set(RLIMIT_NOFILE, before);
    }
    check_explained(-EMFILE);
    before = limit_files(2);
    CHECK_EQ(vg_uring_open(&driver, NULL, &test_alloc), 0);
    limit_set(RLIMIT_NOFILE, before);
    before = limit_files(0);
    limit_set(RLIMIT_NOFILE, before);
    vg_uring_close(driver);
}

enum { WORKERS = 3 };

static int try_to_open(struct vg_exec **exec, struct vg_driver *driver, unsigned spare)
{
    struct vg_config config = VG_CONFIG_INIT;
    unsigned fds = test_open_fds();
    uint64_t blocks = test_alloc_live();
    rlim_t before = limit_files(spare);
    int rc;

    config.driver = driver;
    config.workers = WORKERS;
    config.alloc = &test_alloc;
    rc = vg_exec_open(exec, &config);
    limit_set(RLIMIT_NOFILE, before);
    if (rc < 0) {
        CHECK(*exec == NULL);
        CHECK_EQ(test_open_fds(), fds);
        /* The rings' counts stay, for whoever wants to know. */
        CHECK(test_alloc_live() <= blocks + 1);
    }
    return rc;
}

/* The C library opens a file for a moment when a thread asks it for memory the first time: then there is one less. */
static int open_with_enough(struct vg_exec **exec, struct vg_driver *driver)
{
    int rc = -EMFILE;

    for (unsigned i = 0; i < 100 && rc == -EMFILE; i++)
        rc = try_to_open(exec, driver, 2 * WORKERS);
    return rc;
}

TEST(with_descriptors_for_some_of_its_workers_an_executor_does_not_open)
{
    struct vg_driver *driver;
    struct vg_exec *exec;
    struct vg_sleep nap;

    skip_without_rings();
    CHECK_EQ(vg_uring_open(&driver, NULL, &test_alloc), 0);
    for (unsigned spare = 0; spare < 2 * WORKERS; spare++)
        CHECK_EQ(try_to_open(&exec, driver, spare), -EMFILE);
    CHECK_EQ(open_with_enough(&exec, driver), 0);
    CHECK_EQ(vg_block_on(exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    vg_uring_close(driver);
}

/* It learns from files how many workers it may have, and does without. */
TEST(an_executor_without_io_opens_without_descriptors)
{
    const rlim_t before = limit_files(0);
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    struct vg_sleep nap;

    config.alloc = &test_alloc;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK(vg_exec_workers(exec) > 0);
    CHECK_EQ(vg_block_on(exec, &vg_sleep(&nap, VG_MSEC(1))->fut), 0);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    limit_set(RLIMIT_NOFILE, before);
}

TEST(a_listener_needs_a_descriptor)
{
    rlim_t before = limit_files(0);
    int fd;

    CHECK_EQ(vg_tcp_listen("127.0.0.1:0", 1), -EMFILE);
    limit_set(RLIMIT_NOFILE, before);
    fd = vg_tcp_listen("127.0.0.1:0", 1);
    CHECK(fd >= 0);
    close(fd);
}

/* ---- futures ------------------------------------------------------------------------------- */

struct dialer {
    VG_FRAME(int);
    const struct sockaddr_storage *to;
    struct vg_connect connect;
};

VG_ASYNC(dialer)
{
    VG_BEGIN(f);
    int fd;
    VG_AWAIT(fd,
             vg_connect(&f->connect, (const struct sockaddr *)f->to, sizeof(struct sockaddr_in)));
    VG_RETURN(fd);
}

static struct dialer *dialer(struct dialer *f, const struct sockaddr_storage *to)
{
    VG_SETUP(f, dialer);
    f->to = to;
    return f;
}

static int dial(struct world *world, const struct sockaddr_storage *to)
{
    struct dialer frame;

    CHECK_EQ(vg_block_on(world->exec, &dialer(&frame, to)->fut), 0);
    return frame.ret;
}

TEST(a_connect_without_a_descriptor_fails_and_the_next_one_works)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        int listener = world_listen(2, &address), fd;
        rlim_t before;

        world_open(&world, workers);
        before = limit_files(0);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(dial(&world, &address), -EMFILE);
        limit_set(RLIMIT_NOFILE, before);
        fd = dial(&world, &address);
        CHECK(fd >= 0);
        close(fd);
        close(listener);
        world_close(&world);
    }
}

struct acceptor {
    VG_FRAME(int);
    int listener;
    struct vg_io io;
};

VG_ASYNC(acceptor)
{
    VG_BEGIN(f);
    int fd;
    VG_AWAIT(fd, vg_accept(&f->io, f->listener));
    VG_RETURN(fd);
}

static struct acceptor *acceptor(struct acceptor *f, int listener)
{
    VG_SETUP(f, acceptor);
    f->listener = listener;
    return f;
}

static int take_one(struct world *world, int listener)
{
    struct acceptor frame;

    CHECK_EQ(vg_block_on(world->exec, &acceptor(&frame, listener)->fut), 0);
    return frame.ret;
}

/* A client of the test's own, not of the executor. */
static void dial_in(int fd, const struct sockaddr_storage *address)
{
    CHECK_EQ(connect(fd, (const struct sockaddr *)address, sizeof(struct sockaddr_in)), 0);
    CHECK_EQ(write(fd, "x", 1), 1);
}

static void check_connected(int fd)
{
    char byte = 0;

    CHECK(fd >= 0);
    CHECK_EQ(read(fd, &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    close(fd);
}

TEST(an_accept_without_a_descriptor_loses_no_connection_that_waits)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        int listener = world_listen(2, &address);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        rlim_t before;

        world_open(&world, workers);
        dial_in(client, &address);
        before = limit_files(0);
        for (unsigned i = 0; i < 3; i++)
            CHECK_EQ(take_one(&world, listener), -EMFILE);
        limit_set(RLIMIT_NOFILE, before);
        check_connected(take_one(&world, listener));
        close(client);
        close(listener);
        world_close(&world);
    }
}

/* The kernel has the accept, and is waiting for a connection. */
static void wait_until_submitted(struct world *world)
{
    while (world_stats(world).inflight != 1)
        usleep(50);
    usleep(2000); /* until it is passed on; it holds whether it was or not */
}

TEST(an_accept_that_waits_when_descriptors_run_out_loses_no_connection)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct vg_handle handle;
        struct sockaddr_storage address;
        int listener = world_listen(2, &address);
        int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        rlim_t before;
        int last;

        world_open(&world, workers);
        before = limit_files(1); /* which the kernel notes when it gets the accept */
        CHECK_EQ(VG_SPAWN(world.exec, &handle, acceptor, listener), 0);
        wait_until_submitted(&world);
        last = dup(client);
        CHECK(last >= 0);
        dial_in(client, &address);
        wait_until_done(&handle);
        CHECK_EQ(VG_TASK_RET(&handle, struct acceptor), -EMFILE);
        vg_task_release(&handle);
        close(last);
        check_connected(take_one(&world, listener));
        close(client);
        close(listener);
        limit_set(RLIMIT_NOFILE, before);
        world_close(&world);
    }
}

TEST(an_executor_with_operations_in_flight_closes_without_descriptors)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        int listener = world_listen(2, &address);
        rlim_t before;

        world_open(&world, workers);
        CHECK_EQ(VG_SPAWN(world.exec, NULL, acceptor, listener), 0);
        wait_until_submitted(&world);
        before = limit_files(0);
        world_close(&world);
        limit_set(RLIMIT_NOFILE, before);
        close(listener);
    }
}
