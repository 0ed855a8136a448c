/* SPDX-License-Identifier: MIT */
/* Receives, and what becomes of them when they are cancelled. */
#include <unistd.h>

#include "vg_atomic.h"
#include "world.h"

struct reader {
    VG_FRAME(ssize_t);
    int fd;
    struct vg_io io;
    char buf[16];
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    ssize_t len;
    VG_AWAIT(len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
    VG_RETURN(len);
}

static struct reader *reader(struct reader *f, int fd)
{
    VG_SETUP(f, reader);
    f->fd = fd;
    return f;
}

/* Keeps the worker it runs on busy, if it is the right one. */
struct hog {
    VG_FRAME(bool);
    unsigned worker;
    VG_ATOMIC(uint32_t) *caught, *release;
};

VG_ASYNC(hog)
{
    VG_BEGIN(f);
    if (vg_driver_here().worker == f->worker) {
        vg_store(f->caught, 1u, release);
        while (!vg_load(f->release, acquire))
            vg_pause();
    }
    VG_RETURN(true);
}

static struct hog *hog(struct hog *f, unsigned worker, VG_ATOMIC(uint32_t) *caught,
                       VG_ATOMIC(uint32_t) *release)
{
    VG_SETUP(f, hog);
    f->worker = worker;
    f->caught = caught;
    f->release = release;
    return f;
}

TEST(a_receive_is_cancelled_from_another_worker_while_its_own_is_busy)
{
    struct world world;
    int fd[2];

    world_open(&world, 2);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    for (int i = 0; i < 50; i++) {
        struct vg_handle handle;
        VG_ATOMIC(uint32_t) caught = 0, release = 0;
        struct vg_uring_stats stats[2];
        unsigned owner;

        CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, fd[0]), 0);
        do {
            CHECK_EQ(vg_uring_stats(world.driver, 0, &stats[0]), 0);
            CHECK_EQ(vg_uring_stats(world.driver, 1, &stats[1]), 0);
        } while (stats[0].inflight + stats[1].inflight == 0);
        owner = stats[1].inflight > 0;
        while (!vg_load(&caught, acquire)) {
            CHECK_EQ(VG_SPAWN(world.exec, NULL, hog, owner, &caught, &release), 0);
            usleep(100);
        }
        vg_task_cancel(&handle);
        usleep(1000);
        CHECK(!vg_task_done(&handle)); /* only the owner can end it */
        vg_store(&release, 1, release);
        wait_until_done(&handle);
        CHECK_EQ(VG_TASK_RET(&handle, struct reader), -ECANCELED);
        vg_task_release(&handle);
    }
    close(fd[0]);
    close(fd[1]);
    world_close(&world);
}

TEST(tasks_cancelled_from_outside_lose_no_byte)
{
    FOR_WORKERS (workers) {
        struct world world;
        int fd[2], received = 0, cancelled = 0;
        const int total = test_long() ? 100000 : 3000;

        world_open(&world, workers);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        for (int i = 0; i < total; i++) {
            struct vg_handle handle;
            ssize_t len;

            CHECK_EQ(VG_SPAWN(world.exec, &handle, reader, fd[0]), 0);
            /* The cancel comes before the byte, behind it, or not at all. */
            if (i % 4 == 1)
                vg_task_cancel(&handle);
            if (i % 8 == 1)
                wait_until_done(&handle);
            CHECK_EQ(write(fd[1], "x", 1), 1);
            if (i % 4 >= 2)
                vg_task_cancel(&handle);
            wait_until_done(&handle);
            len = VG_TASK_RET(&handle, struct reader);
            if (len == -ECANCELED)
                cancelled++;
            else
                received += (int)len;
            vg_task_release(&handle);
        }
        for (char buf[64]; received < total;) {
            ssize_t len = recv(fd[0], buf, sizeof buf, MSG_DONTWAIT);

            CHECK(len > 0);
            received += (int)len;
        }
        CHECK_EQ(received, total);
        CHECK(cancelled > 0);
        CHECK_EQ(recv(fd[0], &cancelled, 1, MSG_DONTWAIT), -1);
        close(fd[0]);
        close(fd[1]);
        world_close(&world);
    }
}

/* Waits again and again, each time for a short while only. */
struct patient {
    VG_FRAME(int);
    int fd, wanted, got, timeouts;
    struct vg_io io;
    struct vg_timeout limit;
    char buf[16];
};

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    int rc;
    while (f->got < f->wanted) {
        VG_AWAIT(rc,
                 vg_timeout(&f->limit, VG_MSEC(1), vg_recv(&f->io, f->fd, f->buf, sizeof f->buf)));
        f->timeouts += rc == -ETIMEDOUT;
        /* Also if the limit came first: the bytes may have come as well. */
        if (f->io.ret > 0)
            f->got += (int)f->io.ret;
        else
            CHECK_EQ(f->io.ret, -ECANCELED);
    }
    VG_RETURN(0);
}

static struct patient *patient(struct patient *f, int fd, int wanted)
{
    VG_SETUP(f, patient);
    f->fd = fd;
    f->wanted = wanted;
    f->got = f->timeouts = 0;
    return f;
}

TEST(a_timeout_that_meets_data_hands_over_both)
{
    FOR_WORKERS (workers) {
        enum { N = 100 };
        struct world world;
        struct vg_handle handle;
        const struct patient *frame;
        int fd[2];

        world_open(&world, workers);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
        CHECK_EQ(VG_SPAWN(world.exec, &handle, patient, fd[0], N), 0);
        for (int i = 0; i < N; i++) {
            usleep((unsigned)(i * 37 % 2500));
            CHECK_EQ(write(fd[1], "x", 1), 1);
        }
        wait_until_done(&handle);
        frame = vg_task_frame(&handle);
        CHECK_EQ(frame->got, N);
        CHECK(frame->timeouts > 0);
        vg_task_release(&handle);
        close(fd[0]);
        close(fd[1]);
        world_close(&world);
    }
}

struct careless {
    VG_FRAME(ssize_t);
    int fd;
    struct vg_io io;
};

VG_ASYNC(careless)
{
    VG_BEGIN(f);
    ssize_t len;
    char buf[8] = "";
    VG_AWAIT(len, vg_recv(&f->io, f->fd, buf, sizeof buf));
    VG_RETURN(len);
}

static struct careless *careless(struct careless *f, int fd)
{
    VG_SETUP(f, careless);
    f->fd = fd;
    return f;
}

static void lend_a_local(void)
{
    struct world world;
    static struct careless frame;
    int fd[2];

    world_open(&world, 1);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
    CHECK_EQ(vg_block_on(world.exec, &careless(&frame, fd[0])->fut), 0);
}

TEST(lending_a_local_variable_panics_in_debug_builds)
{
    if (!VG_DEBUG)
        SKIP("no debug build");
    CHECK_PANICS("move it into the frame", lend_a_local());
}
