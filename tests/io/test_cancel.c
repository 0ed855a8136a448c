/* SPDX-License-Identifier: MIT */
/* Cancelling operations, on their own worker and from another, at every moment. */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "rig.h"
#include "vg_os.h"

static void cancel(struct rig *rig, struct rig_op *op)
{
    rig->ops->cancel(rig->driver, 0, &op->op);
}

TEST(a_cancelled_receive_takes_nothing_from_the_stream)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte = 0;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    rig_flush(&rig);
    cancel(&rig, &op);
    cancel(&rig, &op);
    CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 1);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), 1);
    CHECK_EQ(byte, 'x');
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(an_operation_cancelled_before_it_was_passed_on_ends)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    cancel(&rig, &op);
    CHECK(!rig_ended(&op));
    CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_cancel_reaches_an_operation_of_a_worker_that_sleeps)
{
    struct rig rig;
    struct rig_op op;
    int fd[2];
    char byte;

    rig_open(&rig, 3, NULL);
    rig_socket_pair(fd);
    for (int i = 0; i < 200; i++) {
        unsigned worker = 1 + (unsigned)i % 2;

        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, worker, &op);
        cancel(&rig, &op);
        CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    }
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_cancel_storm_ends_every_operation_although_the_queue_is_small)
{
    enum { N = 3000 };
    static struct rig_op op[N];
    static char buf[N];
    const struct vg_uring_config small = {.sq_entries = 64, .cq_entries = 128};
    struct rig rig;
    int fd[2];

    rig_open(&rig, 1, &small);
    rig_socket_pair(fd);
    for (int i = 0; i < N; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
    }
    for (int i = 0; i < N; i++)
        cancel(&rig, &op[i]);
    rig_results(&rig, op, N);
    for (int i = 0; i < N; i++)
        CHECK_EQ(op[i].result, -ECANCELED);
    CHECK(rig_stats(&rig, 0).sq_full > 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

/* What has no place in the queue is cancelled without being passed on. */
static void cancel_while_it_waits(void (*ask)(struct vg_ring *ring, struct vg_op *op))
{
    struct rig rig;
    struct rig_op op[2];
    struct vg_ring *ring;
    int fd[2];
    char buf[2] = "";

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    CHECK_EQ(write(fd[1], "xy", 2), 2);
    for (struct io_uring_sqe *sqe; (sqe = io_uring_get_sqe(&ring->uring)) != NULL;) {
        io_uring_prep_nop(sqe);
        sqe->user_data = VG_TAG_CANCEL;
    }
    ring->stalled = true; /* as when the kernel has no memory for more */
    for (int i = 0; i < 2; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
        CHECK_EQ(vg_load(&op[i].op.state, relaxed), VG_OP_WAITING);
    }
    ask(ring, &op[0].op);
    CHECK(!rig_ended(&op[0]));
    rig_results(&rig, op, 2);
    CHECK_EQ(op[0].result, -ECANCELED);
    CHECK_EQ(op[1].result, 1);
    CHECK_EQ(buf[1], 'x');
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(an_operation_that_waits_for_room_can_be_cancelled)
{
    cancel_while_it_waits(vg_ring_cancel);
    cancel_while_it_waits(vg_ring_cancel_remote);
}

TEST(a_cancel_that_finds_no_room_is_passed_on_later)
{
    struct rig rig;
    struct rig_op op;
    struct vg_ring *ring;
    int fd[2];
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    rig_flush(&rig);
    for (struct io_uring_sqe *sqe; (sqe = io_uring_get_sqe(&ring->uring)) != NULL;) {
        io_uring_prep_nop(sqe);
        sqe->user_data = VG_TAG_CANCEL;
    }
    ring->stalled = true;
    cancel(&rig, &op);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    CHECK(rig.ops->ready(rig.driver, 0));
    CHECK_EQ(rig_result(&rig, &op), -ECANCELED);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 1);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_late_cancel_does_not_touch_the_memory_s_next_operation)
{
    struct rig rig;
    struct rig_op op;
    struct vg_ring *ring;
    struct io_uring_sqe *sqe;
    int fd[2];
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    for (int i = 0; i < 100; i++) {
        uint64_t old;

        CHECK_EQ(write(fd[1], "x", 1), 1);
        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, 0, &op);
        old = vg_ring_tag(&op.op);
        CHECK_EQ(rig_result(&rig, &op), 1);
        cancel(&rig, &op);

        rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, 0, &op);
        rig_flush(&rig);
        /* What a cancel of the first would be, had it been under way all the time. */
        sqe = vg_ring_sqe(ring);
        io_uring_prep_cancel64(sqe, old, 0);
        sqe->user_data = VG_TAG_CANCEL;
        rig_flush(&rig);
        CHECK_EQ(rig_stats(&rig, 0).late_cancels, i + 1);
        CHECK(!rig_ended(&op));
        CHECK_EQ(write(fd[1], "y", 1), 1);
        CHECK_EQ(rig_result(&rig, &op), 1);
        CHECK_EQ(byte, 'y');
    }
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

/* Ends together with its victim, and is seen first. */
struct killer {
    struct rig_op op; /* first */
    struct vg_ring *ring;
    struct rig_op *victim;
};

static void kill_victim(struct vg_op *op, int32_t result)
{
    struct killer *killer = (struct killer *)(void *)op;

    CHECK_EQ(result, 1);
    vg_fetch_add(&killer->op.ended, 1, acq_rel);
    vg_ring_cancel_remote(killer->ring, &killer->victim->op);
}

TEST(a_cancel_that_waits_in_the_inbox_goes_when_its_operation_ends)
{
    struct rig rig;
    struct rig_op victim;
    struct killer killer;
    int fd[2];
    char buf[2];

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    CHECK_EQ(write(fd[1], "xy", 2), 2);
    killer.ring = vg_uring_ring(rig.driver, 0);
    killer.victim = &victim;
    rig_init(&killer.op, VG_OP_RECV, fd[0], &buf[0], 1);
    killer.op.op.done = kill_victim;
    rig_init(&victim, VG_OP_RECV, fd[0], &buf[1], 1);
    rig_submit(&rig, 0, &killer.op);
    rig_submit(&rig, 0, &victim);
    CHECK_EQ(rig_result(&rig, &victim), 1);
    memset(&victim, 0xdd, sizeof victim);
    CHECK_EQ(vg_load(&killer.ring->inbox.any, relaxed), 0);
    CHECK_EQ(killer.ring->inbox.first, NULL);
    rig_flush(&rig);
    CHECK_EQ(rig_stats(&rig, 0).cancels, 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(stopping_a_worker_ends_what_is_in_flight_before_it_returns)
{
    enum { N = 200 };
    static struct rig_op op[N];
    static char buf[N];
    const struct vg_uring_config small = {.sq_entries = 16, .cq_entries = 32};
    struct rig rig;
    int fd[2];

    rig_open(&rig, 1, &small);
    rig_socket_pair(fd);
    for (int i = 0; i < N; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
        if (i % 3 == 0)
            cancel(&rig, &op[i]);
    }
    rig.ops->stop(rig.driver, 0);
    for (int i = 0; i < N; i++) {
        CHECK(rig_ended(&op[i]));
        CHECK_EQ(op[i].result, -ECANCELED);
    }
    vg_ring_cancel_remote(vg_uring_ring(rig.driver, 0), &op[0].op);
    CHECK_EQ(rig_stats(&rig, 0).cancels, (N + 2) / 3);
    rig_close(&rig);
    close(fd[0]);
    close(fd[1]);
}

TEST(what_does_not_end_is_reported_and_its_ring_is_kept)
{
    struct rig rig;
    struct vg_ring *ring;
    struct vg_op op = {.state = VG_OP_FLYING};

    rig_open(&rig, 1, NULL);
    ring = vg_uring_ring(rig.driver, 0);
    vg_ring_add(&ring->count.submissions, 1); /* and the kernel never answers */
    rig.ops->stop(rig.driver, 0);
    CHECK_EQ(rig_stats(&rig, 0).abandoned, 1);
    CHECK((fcntl(ring->uring.ring_fd, F_GETFD) & FD_CLOEXEC) != 0);
    /* Nobody empties its inbox any more, or hears its bell. */
    vg_ring_cancel_remote(ring, &op);
    CHECK_EQ(ring->inbox.first, NULL);
    CHECK_EQ(vg_load(&op.state, relaxed), VG_OP_FLYING);
    io_uring_queue_exit(&ring->uring);
    rig.ops->close(rig.driver);
    vg_uring_close(rig.driver);
}
