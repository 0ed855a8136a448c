/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vigil/uring.h>

#include "harness.h"
#include "request.h"

/*
 * Small scenes, played on the kernel's sockets through io_uring and on the simulated ones. Every result has
 * to be the same, so that what a program meets under the simulator it meets in the world too.
 */

enum { RESULTS_MAX = 32, NOT_YET = 1000000 };

struct stage {
    struct vg_driver *driver;
    struct sim *sim; /* NULL: the kernel */
    int results[RESULTS_MAX];
    unsigned count;
};

/* ---- the same means on both ---------------------------------------------------------------- */

static void note(struct stage *s, int result)
{
    CHECK(s->count < RESULTS_MAX);
    s->results[s->count++] = result;
}

static void begin(struct stage *s, struct request *r, enum vg_op_code code, int fd, void *addr,
                  uint32_t len, int flags)
{
    *r = (struct request){.op = {.done = request_done, .addr = addr, .len = len, .fd = fd}};
    r->op.code = (uint8_t)code;
    r->op.flags = (uint32_t)flags;
    s->driver->ops->submit(s->driver, 0, &r->op);
}

/* Notes the result if it comes; if it has not come after a while, it does not. */
static void end(struct stage *s, struct request *r)
{
    for (int i = 0; i < 25 && r->ends == 0; i++) {
        if (s->sim)
            settle(s->sim);
        else
            s->driver->ops->park(s->driver, 0, s->driver->ops->now(s->driver) + VG_MSEC(2));
    }
    note(s, r->ends ? r->result : NOT_YET);
}

/* For what certainly comes: it is only a hang that is bounded. */
static int finish(struct stage *s, struct request *r)
{
    for (int i = 0; i < 200 && r->ends == 0; i++)
        end(s, r), s->count--;
    CHECK_EQ(r->ends, 1);
    note(s, r->result);
    return r->result;
}

static int run_op(struct stage *s, enum vg_op_code code, int fd, void *addr, uint32_t len,
                  int flags)
{
    struct request r;

    begin(s, &r, code, fd, addr, len, flags);
    return finish(s, &r);
}

static void stop(struct stage *s, struct request *r)
{
    s->driver->ops->cancel(s->driver, 0, &r->op);
}

static int stream(struct stage *s)
{
    return s->sim ? sim_socket(s->sim) : socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static int listener(struct stage *s, struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;

    if (s->sim) {
        int simulated = sim_listen(s->sim, 8);
        sim_address(s->sim, simulated, address);
        return simulated;
    }
    int fd = stream(s);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_EQ(bind(fd, (struct sockaddr *)address, len), 0);
    CHECK_EQ(listen(fd, 8), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)address, &len), 0);
    return fd;
}

static void drop(struct stage *s, int fd)
{
    CHECK_EQ(s->sim ? sim_close_fd(s->sim, fd) : close(fd), 0);
}

static void pair(struct stage *s, int fd[2])
{
    struct sockaddr_in address;
    int from = listener(s, &address);
    struct request accept;

    fd[0] = stream(s);
    begin(s, &accept, VG_OP_ACCEPT, from, NULL, 0, 0);
    CHECK_EQ(run_op(s, VG_OP_CONNECT, fd[0], &address, sizeof address, 0), 0);
    fd[1] = finish(s, &accept);
    CHECK(fd[1] >= 0);
    s->count -= 2; /* descriptors differ */
    drop(s, from);
}

static void drop_pair(struct stage *s, const int fd[2])
{
    drop(s, fd[0]);
    drop(s, fd[1]);
}

/* ---- the scenes ---------------------------------------------------------------------------- */

static char buf[2][64];

static void bytes_arrive_and_a_stream_ends(struct stage *s)
{
    int fd[2];
    pair(s, fd);
    run_op(s, VG_OP_SEND, fd[0], "0123456789", 10, 0);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 4, 0);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 64, MSG_PEEK);
    run_op(s, VG_OP_SHUTDOWN, fd[0], NULL, 0, SHUT_WR);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 64, 0);
    note(s, buf[0][0]);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 64, 0);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 64, 0);
    run_op(s, VG_OP_SEND, fd[0], "x", 1, 0);
    run_op(s, VG_OP_SEND, fd[1], "x", 1, 0);
    run_op(s, VG_OP_RECV, fd[0], buf[0], 64, 0);
    drop_pair(s, fd);
}

static void a_cancelled_recv_leaves_the_stream_alone(struct stage *s)
{
    struct request recv;
    int fd[2];
    pair(s, fd);
    begin(s, &recv, VG_OP_RECV, fd[1], buf[0], 64, 0);
    end(s, &recv);
    stop(s, &recv);
    finish(s, &recv);
    run_op(s, VG_OP_SEND, fd[0], "abc", 3, 0);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 64, 0);
    drop_pair(s, fd);
}

static void everything_is_waited_for(struct stage *s)
{
    struct request recv;
    int fd[2];
    pair(s, fd);
    begin(s, &recv, VG_OP_RECV, fd[1], buf[0], 5, MSG_WAITALL);
    run_op(s, VG_OP_SEND, fd[0], "abc", 3, 0);
    end(s, &recv);
    run_op(s, VG_OP_SEND, fd[0], "defg", 4, 0);
    finish(s, &recv);
    note(s, buf[0][4]);
    begin(s, &recv, VG_OP_RECV, fd[1], buf[0], 5, MSG_WAITALL);
    end(s, &recv);
    stop(s, &recv);
    finish(s, &recv);
    begin(s, &recv, VG_OP_RECV, fd[1], buf[0], 5, MSG_WAITALL);
    run_op(s, VG_OP_SEND, fd[0], "h", 1, 0);
    end(s, &recv);
    run_op(s, VG_OP_SHUTDOWN, fd[0], NULL, 0, SHUT_WR);
    finish(s, &recv);
    run_op(s, VG_OP_RECV, fd[1], buf[0], 5, MSG_WAITALL);
    drop_pair(s, fd);
}

static void a_shutdown_ends_what_waits(struct stage *s)
{
    struct request near, far;
    int fd[2];
    pair(s, fd);
    begin(s, &near, VG_OP_RECV, fd[0], buf[0], 64, 0);
    begin(s, &far, VG_OP_RECV, fd[1], buf[1], 64, 0);
    end(s, &near);
    run_op(s, VG_OP_SHUTDOWN, fd[0], NULL, 0, SHUT_RDWR);
    finish(s, &near);
    finish(s, &far);
    run_op(s, VG_OP_SEND, fd[0], "x", 1, 0);
    drop_pair(s, fd);
}

static void a_close_ends_what_waits(struct stage *s)
{
    struct request near, far;
    int fd[2];
    pair(s, fd);
    begin(s, &near, VG_OP_RECV, fd[0], buf[0], 64, 0);
    begin(s, &far, VG_OP_RECV, fd[1], buf[1], 64, 0);
    end(s, &near);
    run_op(s, VG_OP_CLOSE, fd[0], NULL, 0, 0);
    finish(s, &near);
    finish(s, &far);
    run_op(s, VG_OP_RECV, fd[1], buf[1], 64, 0);
    drop(s, fd[1]);
}

static void a_close_over_unread_bytes(struct stage *s)
{
    struct request far;
    int fd[2];
    pair(s, fd);
    run_op(s, VG_OP_SEND, fd[1], "unread", 6, 0);
    begin(s, &far, VG_OP_RECV, fd[1], buf[1], 64, 0);
    end(s, &far);
    run_op(s, VG_OP_CLOSE, fd[0], NULL, 0, 0);
    finish(s, &far);
    run_op(s, VG_OP_RECV, fd[1], buf[1], 64, 0);
    run_op(s, VG_OP_SEND, fd[1], "x", 1, 0);
    drop(s, fd[1]);
}

static void a_bare_close_over_unread_bytes_is_a_reset(struct stage *s)
{
    struct request far;
    int fd[2];
    pair(s, fd);
    run_op(s, VG_OP_SEND, fd[1], "unread", 6, 0);
    begin(s, &far, VG_OP_RECV, fd[1], buf[1], 64, 0);
    end(s, &far);
    drop(s, fd[0]);
    finish(s, &far);
    run_op(s, VG_OP_RECV, fd[1], buf[1], 64, 0);
    run_op(s, VG_OP_SEND, fd[1], "x", 1, 0);
    drop(s, fd[1]);
}

static void a_bare_close_tells_nobody_while_a_recv_is_in_flight(struct stage *s)
{
    struct request near, far;
    int fd[2];
    pair(s, fd);
    begin(s, &near, VG_OP_RECV, fd[0], buf[0], 64, 0);
    begin(s, &far, VG_OP_RECV, fd[1], buf[1], 64, 0);
    end(s, &near);
    drop(s, fd[0]);
    end(s, &near);
    end(s, &far);
    stop(s, &near);
    finish(s, &near);
    finish(s, &far);
    drop(s, fd[1]);
}

static void connections_outlive_a_cancelled_accept(struct stage *s)
{
    struct sockaddr_in address;
    struct request accept;
    int from = listener(s, &address), client = stream(s);
    begin(s, &accept, VG_OP_ACCEPT, from, NULL, 0, 0);
    end(s, &accept);
    stop(s, &accept);
    finish(s, &accept);
    run_op(s, VG_OP_CONNECT, client, &address, sizeof address, 0);
    int taken = run_op(s, VG_OP_ACCEPT, from, NULL, 0, 0);
    s->results[s->count - 1] = taken >= 0;
    run_op(s, VG_OP_CONNECT, client, &address, sizeof address, 0);
    drop(s, taken);
    drop(s, client);
    drop(s, from);
}

static void a_listener_ends(struct stage *s)
{
    struct sockaddr_in address;
    struct request accept;
    int from = listener(s, &address), client = stream(s);
    begin(s, &accept, VG_OP_ACCEPT, from, NULL, 0, 0);
    end(s, &accept);
    run_op(s, VG_OP_CLOSE, from, NULL, 0, 0);
    finish(s, &accept);
    run_op(s, VG_OP_CONNECT, client, &address, sizeof address, 0);
    drop(s, client);
}

static void what_makes_no_sense(struct stage *s)
{
    int fd[2], loose = stream(s);
    pair(s, fd);
    run_op(s, VG_OP_ACCEPT, fd[0], NULL, 0, 0);
    run_op(s, VG_OP_RECV, loose, buf[0], 1, 0);
    run_op(s, VG_OP_SEND, loose, "x", 1, 0);
    run_op(s, VG_OP_SHUTDOWN, loose, NULL, 0, SHUT_WR);
    run_op(s, VG_OP_RECV, 999999, buf[0], 1, 0);
    run_op(s, VG_OP_CLOSE, 999999, NULL, 0, 0);
    drop(s, loose);
    drop_pair(s, fd);
}

/* ---- on both stages ------------------------------------------------------------------------ */

static void play_for_real(struct stage *s, void (*scene)(struct stage *s))
{
    char why[VG_URING_EXPLAIN_SIZE];
    int rc = vg_uring_open(&s->driver, NULL, NULL);

    if (rc < 0)
        SKIP(vg_uring_explain(rc, why, sizeof why));
    CHECK_EQ(s->driver->ops->open(s->driver, 1), 0);
    CHECK_EQ(s->driver->ops->start(s->driver, 0), 0);
    scene(s);
    s->driver->ops->stop(s->driver, 0);
    s->driver->ops->close(s->driver);
    vg_uring_close(s->driver);
}

static void play_simulated(struct stage *s, uint64_t seed, void (*scene)(struct stage *s))
{
    struct sim sim;

    sim_open(&sim, seed, 1);
    sim.faults.short_io = 0;
    sim.may_use_bad_fds = true;
    s->sim = &sim;
    s->driver = &sim.driver;
    scene(s);
    sim_close(&sim);
}

static void play(void (*scene)(struct stage *s))
{
    struct stage real = {0};

    play_for_real(&real, scene);
    FOR_SEEDS (seed, 50) {
        struct stage simulated = {0};
        play_simulated(&simulated, seed, scene);
        CHECK_EQ(simulated.count, real.count);
        for (unsigned i = 0; i < real.count; i++)
            if (simulated.results[i] != real.results[i])
                FAIL("result %u is %d, the kernel's was %d", i, simulated.results[i],
                     real.results[i]);
    }
}

#define SCENE(name)                                                                                \
    TEST(the_simulator_agrees_when_##name)                                                         \
    {                                                                                              \
        play(name);                                                                                \
    }

SCENE(bytes_arrive_and_a_stream_ends)
SCENE(a_cancelled_recv_leaves_the_stream_alone)
SCENE(everything_is_waited_for)
SCENE(a_shutdown_ends_what_waits)
SCENE(a_close_ends_what_waits)
SCENE(a_close_over_unread_bytes)
SCENE(a_bare_close_over_unread_bytes_is_a_reset)
SCENE(a_bare_close_tells_nobody_while_a_recv_is_in_flight)
SCENE(connections_outlive_a_cancelled_accept)
SCENE(a_listener_ends)
SCENE(what_makes_no_sense)
