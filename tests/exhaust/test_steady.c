/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/io.h>
#include <vigil/liveness.h>
#include <vigil/mutex.h>
#include <vigil/oneshot.h>
#include <vigil/time.h>
#include <vigil/uring.h>

#include "counting_alloc.h"
#include "harness.h"
#include "vg_atomic.h"

/*
 * Once a task runs, nothing that it awaits needs memory: timers, combinators, locks, I/O, cancelling, closing. All
 * of this runs while every request fails, and none is made.
 */

enum { WORKERS = 2, TASKS = 8, TICKS = 5 };

struct room {
    struct vg_exec *exec;
    struct vg_mutex mutex;
    struct vg_oneshot oneshot;
    uint64_t locked; /* under the mutex */
    VG_ATOMIC(uint64_t) cancelled;
    int pair[2], silent[2];
};

struct clock {
    VG_FRAME(int);
    unsigned i;
    struct vg_sleep nap, other;
    struct vg_timeout limit;
    struct vg_interval tick;
    VG_ARMS(2) arms;
    VG_CHILDREN(2) both;
};

VG_ASYNC(clock)
{
    VG_BEGIN(f);
    int64_t missed;
    int rc;
    VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(2)));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_timeout(&f->limit, VG_MSEC(1), vg_sleep(&f->nap, VG_SEC(1000))));
    CHECK_EQ(rc, -ETIMEDOUT);
    VG_AWAIT(rc, vg_timeout(&f->limit, VG_SEC(1000), vg_sleep(&f->nap, VG_MSEC(1))));
    CHECK_EQ(rc, 0);
    vg_interval_init(&f->tick, VG_MSEC(1));
    for (f->i = 0; f->i < TICKS; f->i++) {
        VG_AWAIT(missed, vg_interval_next(&f->tick));
        CHECK(missed >= 0);
    }
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_CANCEL(vg_sleep(&f->nap, VG_SEC(1000))),
                           VG_CANCEL(vg_sleep(&f->other, VG_MSEC(1)))));
    CHECK_EQ(rc, 1);
    VG_AWAIT(rc, VG_JOIN(f->both, vg_sleep(&f->nap, VG_MSEC(1)), vg_sleep(&f->other, VG_MSEC(2))));
    CHECK_EQ(rc, 0);
    VG_RETURN(0);
}

static struct clock *clock(struct clock *f)
{
    VG_SETUP(f, clock);
    return f;
}

struct locker {
    VG_FRAME(int);
    struct room *room;
    unsigned i;
    struct vg_lock lock;
    struct vg_yield yield;
    struct vg_sleep nap;
};

VG_ASYNC(locker)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < TICKS; f->i++) {
        VG_AWAIT(rc, vg_lock(&f->lock, &f->room->mutex));
        CHECK_EQ(rc, 0);
        f->room->locked++;
        VG_AWAIT(rc, vg_sleep(&f->nap, VG_USEC(200)));
        vg_unlock(&f->room->mutex);
        VG_AWAIT(rc, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static struct locker *locker(struct locker *f, struct room *room)
{
    VG_SETUP(f, locker);
    f->room = room;
    return f;
}

/* Sends to itself, and tells by the oneshot when it is through. */
struct talker {
    VG_FRAME(int);
    struct room *room;
    unsigned i;
    struct vg_send_all send;
    struct vg_io io;
    char out[100], in[100];
};

VG_ASYNC(talker)
{
    VG_BEGIN(f);
    ssize_t rc;
    for (f->i = 0; f->i < 100; f->i++) {
        memset(f->out, (int)f->i, sizeof f->out);
        VG_AWAIT(rc, vg_send_all(&f->send, f->room->pair[0], f->out, sizeof f->out));
        CHECK_EQ(rc, sizeof f->out);
        VG_AWAIT(rc, vg_recv(&f->io, f->room->pair[1], f->in, sizeof f->in));
        CHECK_EQ(rc, sizeof f->in);
        CHECK_EQ(memcmp(f->in, f->out, sizeof f->in), 0);
    }
    CHECK_EQ(vg_oneshot_send(&f->room->oneshot, f->room), 0);
    VG_RETURN(0);
}

static struct talker *talker(struct talker *f, struct room *room)
{
    VG_SETUP(f, talker);
    f->room = room;
    return f;
}

/* Has received when the talker is through; then waits for bytes that never come, until the executor closes. */
struct sitter {
    VG_FRAME(int);
    struct room *room;
    struct vg_oneshot_recv recv;
    struct vg_io io;
    char byte;
};

VG_ASYNC(sitter)
{
    VG_BEGIN(f);
    ssize_t rc;
    VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->room->oneshot));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_recv(&f->io, f->room->silent[0], &f->byte, 1));
    CHECK_EQ(rc, -ECANCELED);
    vg_fetch_add(&f->room->cancelled, 1, relaxed);
    VG_RETURN(0);
}

static struct sitter *sitter(struct sitter *f, struct room *room)
{
    VG_SETUP(f, sitter);
    f->room = room;
    return f;
}

static void start(struct room *room, struct vg_handle *handle)
{
    for (unsigned i = 0; i < TASKS; i++) {
        CHECK_EQ(VG_SPAWN(room->exec, &handle[2 * i], clock), 0);
        CHECK_EQ(VG_SPAWN(room->exec, &handle[2 * i + 1], locker, room), 0);
    }
    CHECK_EQ(VG_SPAWN(room->exec, &handle[2 * TASKS], talker, room), 0);
    CHECK_EQ(VG_SPAWN(room->exec, NULL, sitter, room), 0);
}

static void end(struct vg_handle *handle)
{
    for (unsigned i = 0; i < 2 * TASKS + 1; i++) {
        while (!vg_task_done(&handle[i]))
            usleep(100);
        vg_task_release(&handle[i]);
    }
}

static void open_room(struct room *room, struct vg_driver *driver, struct vg_liveness *live)
{
    struct vg_config config = VG_CONFIG_INIT;

    config.driver = driver;
    config.probe = vg_liveness_probe(live);
    config.workers = WORKERS;
    config.alloc = &test_alloc;
    CHECK_EQ(vg_exec_open(&room->exec, &config), 0);
    vg_mutex_init(&room->mutex, "m");
    vg_oneshot_init(&room->oneshot, "o");
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, room->pair), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, room->silent), 0);
}

static void close_room(struct room *room)
{
    CHECK_EQ(vg_exec_close(room->exec, VG_SEC(20)), 0);
    vg_mutex_fini(&room->mutex);
    vg_oneshot_fini(&room->oneshot);
    for (unsigned i = 0; i < 2; i++) {
        close(room->pair[i]);
        close(room->silent[i]);
    }
}

TEST(tasks_that_run_need_no_memory_and_end_without_any)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct room room = {.locked = 0};
    struct vg_handle handle[2 * TASKS + 1];
    struct vg_liveness *live;
    struct vg_driver *driver;
    uint64_t before;
    int rc = vg_uring_open(&driver, NULL, &test_alloc);

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    watch.alloc = &test_alloc;
    CHECK_EQ(vg_liveness_open(&live, &watch), 0);
    open_room(&room, driver, live);
    start(&room, handle);
    before = test_alloc_requests();
    test_alloc_fail(1, INT32_MAX);
    end(handle);
    close_room(&room);
    CHECK_EQ(test_alloc_requests(), before);
    CHECK_EQ(room.locked, TASKS * TICKS);
    CHECK_EQ(vg_load(&room.cancelled, relaxed), 1);
    vg_liveness_close(live);
    vg_uring_close(driver);
}
