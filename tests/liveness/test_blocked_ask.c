/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>

#include "block.h"
#include "vg_stack.h"

/* How a worker in a poll is asked where it is, and what if it does not answer. */

/* Blocks its thread in read(), with all signals blocked. */
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
