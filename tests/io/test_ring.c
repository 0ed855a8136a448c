/* SPDX-License-Identifier: MIT */
/* What the rings survive. */
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counting_alloc.h"
#include "rig.h"
#include "vg_os.h"

/* One entry into the kernel brings about 20 completions, however many there are. */
TEST(five_hundred_ready_receives_are_reported_in_a_bounded_number_of_turns)
{
    enum { N = 512 };
    static struct rig_op op[N];
    static int fd[N][2];
    static char buf[N];
    struct rig rig;
    unsigned turns = 0, reported = 0;

    rig_open(&rig, 1, NULL);
    for (int i = 0; i < N; i++) {
        rig_socket_pair(fd[i]);
        rig_init(&op[i], VG_OP_RECV, fd[i][0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
    }
    rig_flush(&rig);
    for (int i = 0; i < N; i++)
        CHECK_EQ(write(fd[i][1], "x", 1), 1);
    for (; reported < N && turns < 16; turns++) {
        CHECK(rig.ops->ready(rig.driver, 0));
        reported += rig.ops->turn(rig.driver, 0);
    }
    CHECK_EQ(reported, N);
    for (int i = 0; i < N; i++) {
        CHECK(rig_ended(&op[i]));
        close(fd[i][0]);
        close(fd[i][1]);
    }
    rig_close(&rig);
}

TEST(nothing_is_lost_when_the_completion_queue_overflows_and_the_doorbell_still_rings)
{
    enum { N = 64, ROUNDS = 200 };
    static struct rig_op op[N];
    static int fd[N][2];
    static char buf[N];
    const struct vg_uring_config small = {.sq_entries = 4, .cq_entries = 4};
    struct rig rig;
    int rounds;

    rig_open(&rig, 1, &small);
    for (int i = 0; i < N; i++)
        rig_socket_pair(fd[i]);
    /* Until an overflow has met the doorbell too. */
    for (rounds = 0; rounds < ROUNDS && rig_stats(&rig, 0).rearms < 3; rounds++) {
        for (int i = 0; i < N; i++) {
            rig_init(&op[i], VG_OP_RECV, fd[i][0], &buf[i], 1);
            rig_submit(&rig, 0, &op[i]);
        }
        rig_flush(&rig);
        for (int i = 0; i < N; i++) {
            CHECK_EQ(write(fd[i][1], "x", 1), 1);
            if (i % 16 == rounds % 16)
                rig.ops->unpark(rig.driver, 0);
        }
        for (unsigned reported = 0; reported < N;) {
            CHECK(rig.ops->ready(rig.driver, 0));
            reported += rig.ops->turn(rig.driver, 0);
        }
        rig_results(&rig, op, N);
    }
    CHECK(rounds < ROUNDS);
    CHECK(rig_stats(&rig, 0).cq_overflows > 0);
    CHECK(rig_stats(&rig, 0).cq_overflows <= rig_stats(&rig, 0).enters);
    /* Hangs, and fails by its time limit, if the bell went deaf. */
    rig.ops->unpark(rig.driver, 0);
    rig.ops->park(rig.driver, 0, VG_NEVER);
    for (int i = 0; i < N; i++) {
        close(fd[i][0]);
        close(fd[i][1]);
    }
    rig_close(&rig);
}

TEST(an_operation_that_found_no_room_is_passed_on_later)
{
    enum { N = 300 };
    static struct rig_op op[N];
    static char buf[N];
    const struct vg_uring_config small = {.sq_entries = 2, .cq_entries = 4};
    struct rig rig;
    int fd[2];
    char data[N];

    rig_open(&rig, 1, &small);
    rig_socket_pair(fd);
    for (int i = 0; i < N; i++)
        data[i] = (char)(i % 128);
    CHECK_EQ(write(fd[1], data, N), N);
    for (int i = 0; i < N; i++) {
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
    }
    rig_results(&rig, op, N);
    CHECK(rig_stats(&rig, 0).sq_full > 0);
    /* In the order of their submission. */
    CHECK_EQ(memcmp(buf, data, N), 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

/* Fills the submission queue, as when the kernel has no memory for more. */
static void stall(struct vg_ring *ring)
{
    for (struct io_uring_sqe *sqe; (sqe = io_uring_get_sqe(&ring->uring)) != NULL;) {
        io_uring_prep_nop(sqe);
        sqe->user_data = VG_TAG_CANCEL;
    }
    ring->stalled = true;
}

TEST(an_operation_does_not_overtake_those_that_wait_for_room)
{
    enum { N = 5 };
    struct rig rig;
    struct rig_op op[N];
    struct vg_ring *ring;
    int fd[2];
    char buf[N];

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    ring = vg_uring_ring(rig.driver, 0);
    CHECK_EQ(write(fd[1], "abcde", N), N);
    stall(ring);
    for (int i = 0; i < N; i++) {
        if (i == 2)
            CHECK(io_uring_submit(&ring->uring) > 0); /* now there is room again */
        rig_init(&op[i], VG_OP_RECV, fd[0], &buf[i], 1);
        rig_submit(&rig, 0, &op[i]);
    }
    CHECK(!rig.ops->ready(rig.driver, 0) || io_uring_cq_ready(&ring->uring) > 0);
    rig_results(&rig, op, N);
    CHECK_EQ(memcmp(buf, "abcde", N), 0);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(a_stalled_ring_tries_again_instead_of_sleeping_for_ever)
{
    struct rig rig;
    struct rig_op op;
    struct vg_ring *ring;

    rig_open(&rig, 1, NULL);
    rig_flush(&rig);
    ring = vg_uring_ring(rig.driver, 0);
    stall(ring);
    rig_init(&op, VG_OP_CLOSE, -1, NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK(!rig.ops->ready(rig.driver, 0)); /* it is of no use to try at once */
    vg_ring_wait(ring, VG_NEVER);
    CHECK_EQ(rig_result(&rig, &op), -EBADF);
    rig_close(&rig);
}

struct storm {
    pthread_t target;
    VG_ATOMIC(uint32_t) stop;
};

static void ignore(int number)
{
    (void)number;
}

static void *send_signals(void *arg)
{
    struct storm *storm = (struct storm *)arg;

    while (!vg_load(&storm->stop, acquire)) { /* pairs with the release of the test */
        pthread_kill(storm->target, SIGUSR1);
        for (int i = 0; i < 200; i++)
            vg_pause();
    }
    return NULL;
}

TEST(signals_neither_lose_operations_nor_submit_them_twice)
{
    enum { N = 20000 };
    struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
    struct storm storm = {.target = pthread_self()};
    struct rig rig;
    struct rig_op out, in;
    pthread_t thread;
    int fd[2];
    char byte;

    CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    thread = rig_thread(send_signals, &storm);
    for (int i = 0; i < N; i++) {
        char expected = (char)(i % 100);

        rig_init(&in, VG_OP_RECV, fd[0], &byte, 1);
        rig_submit(&rig, 0, &in);
        if (i % 3 == 0)
            rig.ops->park(rig.driver, 0, vg_os_now() + VG_USEC(50));
        rig_init(&out, VG_OP_SEND, fd[1], &expected, 1);
        rig_submit(&rig, 0, &out);
        CHECK_EQ(rig_result(&rig, &in), 1);
        CHECK_EQ(byte, expected);
        CHECK_EQ(rig_result(&rig, &out), 1);
    }
    vg_store(&storm.stop, 1, release); /* pairs with the acquire in send_signals */
    pthread_join(thread, NULL);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

/* The kernel writes to the parent's rings only; the child has no mapping that it could disturb. */
TEST(a_child_of_fork_has_neither_rings_nor_doorbells)
{
    struct rig rig;
    struct rig_op op;
    struct vg_ring *ring;
    int fd[2], status;
    pid_t child;
    char byte;

    rig_open(&rig, 1, NULL);
    rig_socket_pair(fd);
    rig_init(&op, VG_OP_RECV, fd[0], &byte, 1);
    rig_submit(&rig, 0, &op);
    ring = vg_uring_ring(rig.driver, 0);
    CHECK((fcntl(ring->uring.ring_fd, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(ring->bell, F_GETFD) & FD_CLOEXEC) != 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        unsigned char resident;
        long page = sysconf(_SC_PAGESIZE);

        _exit(mincore(ring->uring.sq.sqes, (size_t)page, &resident) < 0 && errno == ENOMEM &&
                      mincore(ring->uring.sq.ring_ptr, (size_t)page, &resident) < 0 &&
                      errno == ENOMEM
                  ? 0
                  : 1);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 0);
    CHECK_EQ(write(fd[1], "x", 1), 1);
    CHECK_EQ(rig_result(&rig, &op), 1);
    close(fd[0]);
    close(fd[1]);
    rig_close(&rig);
}

TEST(what_completes_is_told_apart_by_address_tag_and_generation)
{
    struct vg_op op[2] = {{.generation = 0x10001}, {.generation = 2}};
    const uint64_t tag = vg_ring_tag(&op[0]);

    CHECK_EQ(tag & VG_TAG_MASK, VG_TAG_OP);
    CHECK_EQ(tag & VG_TAG_ADDRESS, (uintptr_t)&op[0]);
    CHECK_EQ(tag >> 48, 1);
    CHECK(tag != vg_ring_tag(&op[1]));
    CHECK((VG_TAG_BELL & VG_TAG_ADDRESS) == 0);
    CHECK((VG_TAG_CANCEL & VG_TAG_ADDRESS) == 0);
    CHECK(VG_TAG_BELL != VG_TAG_CANCEL);
    CHECK(VG_TAG_BELL != VG_TAG_OP);
    op[0].generation++;
    CHECK(tag != vg_ring_tag(&op[0]));
}

TEST(an_operation_that_is_not_aligned_is_refused)
{
    static char memory[2 * sizeof(struct rig_op)];
    struct rig rig;

    rig_open(&rig, 1, NULL);
    CHECK_PANICS("assertion failed",
                 rig.ops->submit(rig.driver, 0, (struct vg_op *)(void *)(memory + 4)));
    rig_close(&rig);
}

static void submit_nothing(void)
{
    struct rig rig;
    struct rig_op op;

    rig_open(&rig, 1, NULL); /* here: a child of fork() does not have the ring */
    rig_init(&op, VG_OP_COUNT, -1, NULL, 0);
    rig_submit(&rig, 0, &op);
}

TEST(an_operation_of_no_code_panics)
{
    CHECK_PANICS("io/uring_submit.c:...: operation of unknown code 6", submit_nothing());
}

TEST(a_driver_serves_one_executor_and_is_closed_after_it)
{
    struct rig rig;

    rig_open(&rig, 1, NULL);
    CHECK_PANICS("io/uring.c:...: vg_exec_open: the io_uring driver serves another executor",
                 (void)!rig.ops->open(rig.driver, 1));
    CHECK_PANICS("io/uring.c:...: vg_uring_close: the driver serves an executor",
                 vg_uring_close(rig.driver));
    rig_close(&rig);
}

TEST(a_driver_can_be_opened_again_and_counts_afresh)
{
    struct rig rig;
    struct rig_op op;
    struct vg_uring_stats stats;

    rig_open(&rig, 1, NULL);
    rig_init(&op, VG_OP_CLOSE, -1, NULL, 0);
    rig_submit(&rig, 0, &op);
    CHECK_EQ(rig_result(&rig, &op), -EBADF);
    rig.ops->stop(rig.driver, 0);
    rig.ops->close(rig.driver);
    stats = rig_stats(&rig, 0);
    CHECK_EQ(stats.submissions, 1);
    CHECK_EQ(stats.completions, 1);
    CHECK_EQ(stats.sq_entries, 256);
    CHECK_EQ(stats.cq_entries, 4096);
    CHECK_EQ(vg_uring_stats(rig.driver, 1, &stats), -EINVAL);

    CHECK_EQ(rig.ops->open(rig.driver, 1), 0);
    CHECK_EQ(rig.ops->start(rig.driver, 0), 0);
    CHECK_EQ(rig_stats(&rig, 0).submissions, 0);
    rig_close(&rig);
}

TEST(opening_survives_the_failure_of_any_allocation)
{
    struct vg_driver *driver;
    int rc = vg_uring_open(&driver, NULL, &test_alloc);

    if (rc == -EPERM || rc == -ENOSYS)
        SKIP("io_uring is refused here");
    CHECK_EQ(rc, 0);
    vg_uring_close(driver);
    for (uint64_t n = 1; n <= 2; n++) {
        test_alloc_fail_at(n);
        CHECK_EQ(vg_uring_open(&driver, NULL, &test_alloc), -ENOMEM);
    }
    test_alloc_fail_at(0);
}
