/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "room.h"
#include "vg_sanitizer.h"
#include "vg_stack.h"

/* Workers that do not come out of a poll, with real threads. The programs wait until they have been reported. */

/* Blocks its thread in read(). */
struct reader {
    VG_FRAME(int);
    int fd;
    struct vg_yield yield;
};

static int reader_line;

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    reader_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    char byte;
    CHECK_EQ(read(f->fd, &byte, 1), 1);
    VG_RETURN(0);
}

static struct reader *reader(struct reader *f, int fd)
{
    VG_SETUP(f, reader);
    f->fd = fd;
    return f;
}

/* The same with all signals blocked. */
struct deaf {
    VG_FRAME(int);
    int fd;
    struct vg_yield yield;
};

VG_ASYNC(deaf)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_yield(&f->yield));
    sigset_t all, old;
    char byte;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    CHECK_EQ(read(f->fd, &byte, 1), 1);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    VG_RETURN(0);
}

static struct deaf *deaf(struct deaf *f, int fd)
{
    VG_SETUP(f, deaf);
    f->fd = fd;
    return f;
}

/* Computes until it is told to stop. */
struct computer {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *stop;
    struct vg_yield yield;
};

static int computer_line;

VG_ASYNC(computer)
{
    VG_BEGIN(f);
    computer_line = __LINE__ + 1;
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

static const struct room_report *find(const struct room *room, bool (*is)(const struct vg_report *))
{
    for (unsigned i = 0; i < vg_load(&room->count, acquire); i++)
        if (is(&room->seen[i].report))
            return &room->seen[i];
    return NULL;
}

static const struct room_report *wait_for_one(const struct room *room,
                                              bool (*is)(const struct vg_report *))
{
    const struct room_report *seen;

    while ((seen = find(room, is)) == NULL)
        usleep(1000);
    return seen;
}

static bool is_of_worker_0(const struct vg_report *report)
{
    return !report->ended && report->worker == 0;
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

/* ThreadSanitizer puts signals off until the thread makes a call that it knows. */
static void check_where(const struct room_report *seen, const char *function, int line)
{
    char text[32];

    if (seen->report.stack == NULL && VG_TSAN)
        return;
    CHECK(seen->report.stack != NULL);
    CHECK(seen->report.parent.site != NULL);
    CHECK_EQ(strcmp(seen->report.parent.site->func, function), 0);
    CHECK_EQ(seen->report.parent.site->line, line);
    snprintf(text, sizeof text, "test_blocked.c:%d: vg_yield", line);
    CHECK_STR(seen->text, text);
    CHECK_STR(seen->text, "  stack     #0  ");
    CHECK_STR(seen->text, "            #1  ");
    CHECK_STR(seen->text, "test_blocked+0x"); /* module and offset: no symbols were asked for */
}

static void wait_until_empty(const struct room *room)
{
    while (vg_exec_live(room->exec) > 0)
        usleep(1000);
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
        check_where(seen[i], "reader_body", reader_line);
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
    CHECK(snapshot->watch_ns > 0);
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
    check_where(seen, "computer_body", computer_line);
    seen = wait_for_one(&room, is_repeated);
    CHECK_STR(seen->text, "is still in one poll");
    CHECK(seen->report.lasted >= 2 * room.seen[0].report.lasted);
    vg_store(&stop, 1, relaxed);
    wait_until_empty(&room);
    wait_for(&room.ends, 1);
    room_close(&room);
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

static int endless_line;

VG_ASYNC(endless)
{
    VG_BEGIN(f);
    endless_line = __LINE__ + 2;
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
        CHECK_EQ(seen->report.parent.site->line, endless_line);
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

/* ---- asking ------------------------------------------------------------------------------------ */

static bool is_without_stack(const struct vg_report *report)
{
    return !report->ended && report->stack == NULL;
}

/* As room_open(), with one worker, and stacks as configured. */
static void open_with(struct room *room, struct vg_liveness_config watch)
{
    struct vg_config config = VG_CONFIG_INIT;

    memset(room, 0, sizeof *room);
    watch.report = record;
    watch.arg = room;
    watch.to_stderr = false;
    CHECK_EQ(vg_liveness_open(&room->live, &watch), 0);
    config.workers = 1;
    config.probe = vg_liveness_probe(room->live);
    CHECK_EQ(vg_exec_open(&room->exec, &config), 0);
    vg_mutex_init(&room->mutex, "room");
}

TEST(stacks_can_be_switched_off)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct room room;
    int fd[2];

    CHECK_EQ(pipe(fd), 0);
    watch.stack_signal = -1;
    open_with(&room, watch);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, reader, fd[0]), 0);
    CHECK_STR(wait_for_one(&room, is_without_stack)->text, "not known");
    CHECK_EQ(write(fd[1], "x", 1), 1);
    wait_for(&room.ends, 1);
    room_close(&room);
    close(fd[0]), close(fd[1]);
}

static void name_it(void *arg, const void *address, char *text, size_t size)
{
    CHECK_EQ(arg, &name_it);
    CHECK(address != NULL);
    snprintf(text, size, "here");
}

TEST(the_program_can_name_addresses)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    const struct room_report *seen;
    struct room room;
    int fd[2];

    CHECK_EQ(pipe(fd), 0);
    watch.symbolize = name_it;
    watch.symbolize_arg = (void *)&name_it;
    open_with(&room, watch);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, reader, fd[0]), 0);
    seen = wait_for_one(&room, is_of_worker_0);
    if (!VG_TSAN)
        CHECK_STR(seen->text, "#0  here\n");
    CHECK_EQ(write(fd[1], "x", 1), 1);
    wait_for(&room.ends, 1);
    room_close(&room);
    close(fd[0]), close(fd[1]);
}

TEST(a_thread_that_blocks_signals_is_reported_without_a_stack)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct room room;
    int fd[2];

    CHECK_EQ(pipe(fd), 0);
    open_with(&room, watch);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, deaf, fd[0]), 0);
    CHECK_STR(wait_for_one(&room, is_without_stack)->text, "not known");
    CHECK_EQ(write(fd[1], "x", 1), 1);
    wait_for(&room.ends, 1);
    room_close(&room); /* the signal that was pending has come, and found nobody who waits for it */
    close(fd[0]), close(fd[1]);
}

static void ignore(int signal)
{
    (void)signal;
}

TEST(signals_that_cannot_be_had_are_refused)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_liveness *live;
    int signal;

    CHECK_EQ(vg_liveness_open(&live, NULL), 0);
    vg_liveness_close(live);
    signal = vg_stack_signal();
    CHECK(signal > SIGRTMIN);
    watch.stack_signal = signal;
    CHECK_EQ(vg_liveness_open(&live, &watch), 0);
    vg_liveness_close(live);
    watch.stack_signal = signal - 1;
    CHECK_EQ(vg_liveness_open(&live, &watch), -EBUSY);
}

TEST(a_signal_that_somebody_handles_is_not_taken)
{
    CHECK(signal(SIGRTMAX - 1, ignore) == SIG_DFL);
    CHECK_EQ(vg_stack_open(SIGUSR1), -EINVAL);
    CHECK_EQ(vg_stack_open(SIGRTMAX - 1), -EBUSY);
    CHECK_EQ(vg_stack_open(0), 0);
    CHECK_EQ(vg_stack_signal(), SIGRTMAX - 2);
}

/* ---- look-alikes ------------------------------------------------------------------------------- */

/* Waits, and computes for a few milliseconds at a time. */
struct worker {
    VG_FRAME(int);
    int rounds;
    uint64_t nap, work;
    struct vg_sleep sleep;
};

static uint64_t cpu_time(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->ret, vg_sleep(&f->sleep, f->nap));
        for (uint64_t until = cpu_time() + f->work; cpu_time() < until;)
            ;
    }
    VG_RETURN(0);
}

static struct worker *worker(struct worker *f, int rounds, uint64_t nap, uint64_t work)
{
    VG_SETUP(f, worker);
    f->rounds = rounds;
    f->nap = nap;
    f->work = work;
    return f;
}

TEST(who_sleeps_in_a_future_or_computes_for_a_moment_is_not_reported)
{
    struct room room;

    room_open(&room, 2, true);
    for (int i = 0; i < 8; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 1, VG_MSEC(300), VG_MSEC(10)), 0);
    wait_until_empty(&room);
    room_close(&room);
    CHECK_EQ(total(&room), 0);
}

/* More threads than processors: workers are often runnable and do not run. */
TEST(who_waits_for_a_processor_is_not_reported)
{
    static VG_ATOMIC(uint32_t) stop;
    enum { HOGS = 8 };
    struct room room, hogs;

    vg_store(&stop, 0, relaxed);
    room_open(&hogs, HOGS, true);
    vg_liveness_set_level(hogs.live, VG_LEVEL_OFF);
    for (int i = 0; i < HOGS; i++)
        CHECK_EQ(VG_SPAWN(hogs.exec, NULL, computer, &stop), 0);
    room_open(&room, 4, true);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 50, VG_MSEC(1), VG_MSEC(2)), 0);
    wait_until_empty(&room);
    room_close(&room);
    vg_store(&stop, 1, relaxed);
    room_close(&hogs);
    CHECK_EQ(total(&room), 0);
}

/* Stops this process now and then, from another one. */
static pid_t start_stopper(void)
{
    const pid_t victim = getpid(), stopper = fork();

    if (stopper != 0)
        return stopper;
    for (int i = 0; i < 4; i++) {
        usleep(100000);
        kill(victim, SIGSTOP);
        usleep(400000);
        kill(victim, SIGCONT);
    }
    _exit(0);
}

TEST(who_is_stopped_in_a_poll_is_not_reported)
{
    struct room room;
    pid_t stopper = start_stopper();
    int status;

    CHECK(stopper > 0);
    room_open(&room, 2, true);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 150, VG_USEC(10), VG_MSEC(5)), 0);
    wait_until_empty(&room);
    CHECK_EQ(waitpid(stopper, &status, 0), stopper);
    room_close(&room);
    CHECK_EQ(total(&room), 0);
}
