/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include <vigil/combine.h>

#include "block.h"

/* Workers that do not come out of a poll. The programs wait until they have been reported. */

/* Computes until it is told to stop. */
struct computer {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *stop;
    struct vg_yield yield;
};

static VG_ATOMIC(int) computer_line;

VG_ASYNC(computer)
{
    VG_BEGIN(f);
    vg_store(&computer_line, __LINE__ + 1, relaxed);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    while (!vg_load(f->stop, relaxed))
        ;
    VG_RETURN(0);
}

static struct computer *computer(struct computer *f, VG_ATOMIC(uint32_t) *stop)
{
    VG_SETUP(f, computer);
    f->stop = stop;
    return f;
}

static bool is_of_worker_1(const struct vg_report *report)
{
    return !report->ended && report->worker == 1;
}

static bool is_of_all(const struct vg_report *report)
{
    return !report->ended && report->all_workers;
}

static bool is_end(const struct vg_report *report)
{
    return report->ended;
}

static bool is_repeated(const struct vg_report *report)
{
    return report->again;
}

/* ThreadSanitizer puts signals off until the thread makes a call that it knows, and hides where that was. */
static void check_where(const struct room_report *seen, const char *function, int line)
{
    char text[32];

    if (seen->report.stack == NULL && VG_TSAN)
        return;
    CHECK(seen->report.stack != NULL);
    CHECK(seen->report.parent.site != NULL);
    CHECK_EQ(strcmp(seen->report.parent.site->func, function), 0);
    CHECK_EQ(seen->report.parent.site->line, line);
    snprintf(text, sizeof text, ":%d: vg_yield", line);
    CHECK_STR(seen->text, text);
    CHECK_STR(seen->text, "  stack     #0  ");
    if (!VG_TSAN)
        CHECK_STR(seen->text, "            #1  ");
    CHECK_STR(seen->text, "+0x"); /* module and offset: no symbols were asked for */
}

TEST(two_of_two_workers_that_sleep_in_the_kernel)
{
    struct room room;
    const struct room_report *seen[2], *end;
    struct vg_snapshot *snapshot;
    int fd[2];

    CHECK_EQ(pipe(fd), 0);
    room_open(&room, 2, true);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, reader, fd[0]), 0);
    seen[0] = wait_for_one(&room, is_of_worker_0);
    seen[1] = wait_for_one(&room, is_of_worker_1);
    CHECK_STR(wait_for_one(&room, is_of_all)->text, "every worker is blocked");
    for (int i = 0; i < 2; i++) {
        const struct vg_report *report = &seen[i]->report;

        CHECK_EQ(report->verdict, VG_VERDICT_BLOCKED_WORKER);
        CHECK_EQ(report->confidence, VG_CONFIRMED);
        CHECK(report->asleep);
        CHECK(report->lasted >= VG_MSEC(20));
        CHECK_EQ(strcmp(report->task_name, "reader"), 0);
        CHECK_STR(seen[i]->text, "\"reader\"");
        CHECK_STR(seen[i]->text, "asleep in the kernel");
        CHECK_STR(seen[i]->text, "test_blocked.c:"); /* where it was spawned */
        check_where(seen[i], "reader_body", vg_load(&reader_line, relaxed));
    }
    CHECK(seen[0]->report.task != seen[1]->report.task);
    CHECK_EQ(vg_snapshot(room.live, &snapshot), 0);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_BLOCKED_WORKER].active, 2);
    vg_snapshot_free(snapshot);
    CHECK_EQ(write(fd[1], "xy", 2), 2);
    wait_for(&room.ends, 2);
    end = wait_for_one(&room, is_end);
    CHECK_STR(end->text, "blocked-worker ended: worker");
    CHECK_EQ(vg_snapshot(room.live, &snapshot), 0);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_BLOCKED_WORKER].active, 0);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(snapshot->worker[i].blocked, 1);
        CHECK(snapshot->worker[i].blocked_max >= VG_MSEC(20));
        CHECK_EQ(snapshot->worker[i].blocked_ns, snapshot->worker[i].blocked_max);
    }
    CHECK(snapshot->watchdog_cpu > 0);
    vg_snapshot_free(snapshot);
    room_close(&room);
    CHECK_EQ(total(&room), vg_load(&room.reports[VG_VERDICT_BLOCKED_WORKER], acquire));
    close(fd[0]), close(fd[1]);
}

TEST(a_worker_that_computes_and_tasks_that_wait_behind_it)
{
    static VG_ATOMIC(uint32_t) stop;
    struct room room;
    const struct room_report *seen;

    vg_store(&stop, 0, relaxed);
    room_open(&room, 1, true);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, computer, &stop), 0);
    seen = wait_for_one(&room, is_of_worker_0);
    CHECK(!seen->report.asleep);
    CHECK(seen->report.cpu_ns >= VG_MSEC(20));
    CHECK_EQ(strcmp(seen->report.task_name, "computer"), 0);
    CHECK_STR(seen->text, "computing");
    check_where(seen, "computer_body", vg_load(&computer_line, relaxed));
    seen = wait_for_one(&room, is_repeated);
    CHECK_STR(seen->text, "is still in one poll");
    CHECK(seen->report.lasted >= 2 * room.seen[0].report.lasted);
    vg_store(&stop, 1, relaxed);
    wait_until_empty(&room);
    wait_for(&room.ends, 1);
    room_close(&room);
}

/* Rests for longer than the watchdog stays up, and then blocks its thread. */
struct riser {
    VG_FRAME(int);
    struct vg_sleep nap;
    struct reader reader;
};

VG_ASYNC(riser)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(500)));
    VG_AWAIT(f->ret, &f->reader);
    VG_RETURN(0);
}

static struct riser *riser(struct riser *f, int fd)
{
    VG_SETUP(f, riser);
    reader(&f->reader, fd);
    return f;
}

TEST(a_worker_that_blocks_after_a_long_rest)
{
    struct room room;
    int fd[2];

    CHECK_EQ(pipe(fd), 0);
    room_open(&room, 1, true);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, riser, fd[0]), 0);
    wait_for(&room.live->watchdog.asleep, 1);
    wait_for(&room.reports[VG_VERDICT_BLOCKED_WORKER], 1);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    wait_for(&room.ends, 1);
    room_close(&room);
    close(fd[0]), close(fd[1]);
}

/* Runs in short polls for longer than the watchdog stays up for nothing, and then blocks its thread. */
struct runner {
    VG_FRAME(int);
    uint64_t until;
    struct vg_yield yield;
    struct reader reader;
};

VG_ASYNC(runner)
{
    VG_BEGIN(f);
    f->until = vg_now() + VG_MSEC(500);
    while (vg_now() < f->until)
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    VG_AWAIT(f->ret, &f->reader);
    VG_RETURN(0);
}

static struct runner *runner(struct runner *f, int fd)
{
    VG_SETUP(f, runner);
    reader(&f->reader, fd);
    return f;
}

TEST(a_worker_that_blocks_after_a_long_run)
{
    struct room room;
    int fd[2];

    CHECK_EQ(pipe(fd), 0);
    room_open(&room, 1, true);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, runner, fd[0]), 0);
    wait_for(&room.reports[VG_VERDICT_BLOCKED_WORKER], 1);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    wait_for(&room.ends, 1);
    room_close(&room);
    close(fd[0]), close(fd[1]);
}

/* Awaits what is always ready, in a loop: the timeout around it is not looked at. */
struct endless {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *stop;
    struct instant {
        struct vg_future fut;
        int ret;
    } instant;
};

static vg_poll instant_poll(struct vg_future *fut, struct vg_cx *cx)
{
    (void)fut, (void)cx;
    return VG_READY;
}

static struct instant *instant(struct instant *instant)
{
    static const struct vg_ops ops = {
        .poll = instant_poll, .name = "instant", .size = sizeof *instant, .kind = VG_KIND_LEAF};

    vg_future_init(&instant->fut, &ops);
    instant->ret = 0;
    return instant;
}

static VG_ATOMIC(int) endless_line;

VG_ASYNC(endless)
{
    VG_BEGIN(f);
    vg_store(&endless_line, __LINE__ + 2, relaxed);
    while (!vg_load(f->stop, relaxed))
        VG_AWAIT(f->ret, instant(&f->instant));
    VG_RETURN(0);
}

static struct endless *endless(struct endless *f, VG_ATOMIC(uint32_t) *stop)
{
    VG_SETUP(f, endless);
    f->stop = stop;
    return f;
}

struct hurried {
    VG_FRAME(int);
    struct endless endless;
    struct vg_timeout timeout;
};

VG_ASYNC(hurried)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_timeout(&f->timeout, VG_MSEC(100), &f->endless));
    VG_RETURN(f->ret);
}

static struct hurried *hurried(struct hurried *f, VG_ATOMIC(uint32_t) *stop)
{
    VG_SETUP(f, hurried);
    endless(&f->endless, stop);
    return f;
}

static bool is_never_yielded(const struct vg_report *report)
{
    return !report->ended && report->verdict == VG_VERDICT_NEVER_YIELDED;
}

TEST(a_loop_over_what_is_always_ready_blocks_and_then_never_yields)
{
    static VG_ATOMIC(uint32_t) stop;
    struct room room;
    const struct room_report *seen;
    struct vg_snapshot *snapshot;

    vg_store(&stop, 0, relaxed);
    room_open(&room, 1, true);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, hurried, &stop), 0);
    seen = wait_for_one(&room, is_of_worker_0);
    CHECK_EQ(seen->report.verdict, VG_VERDICT_BLOCKED_WORKER);
    CHECK(!seen->report.asleep);
    if (seen->report.stack != NULL && seen->report.parent.site != NULL) {
        CHECK_EQ(strcmp(seen->report.parent.site->func, "endless_body"), 0);
        CHECK_EQ(seen->report.parent.site->line, vg_load(&endless_line, relaxed));
    }
    seen = wait_for_one(&room, is_never_yielded);
    CHECK(seen->report.cpu_ns >= VG_SEC(1));
    CHECK_STR(seen->text, "since it began");
    CHECK_EQ(vg_snapshot(room.live, &snapshot), 0);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_BLOCKED_WORKER].active, 0);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_NEVER_YIELDED].active, 1);
    vg_snapshot_free(snapshot);
    vg_store(&stop, 1, relaxed);
    wait_for(&room.ends, 1);
    CHECK_STR(wait_for_one(&room, is_end)->text, "never-yielded ended");
    room_close(&room);
    CHECK_EQ(vg_load(&room.ends, acquire), 1);
}
