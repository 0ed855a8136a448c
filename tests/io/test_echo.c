/* SPDX-License-Identifier: MIT */
/* A server and its clients as tasks of one executor. */
#include <netinet/in.h>
#include <unistd.h>

#include "vg_atomic.h"
#include "world.h"

/* ---- the server ----------------------------------------------------------------------------- */

struct serve {
    VG_FRAME(int);
    int fd;
    ssize_t len;
    struct vg_io io;
    struct vg_send_all send;
    char buf[1000];
};

VG_ASYNC(serve)
{
    VG_BEGIN(f);
    ssize_t rc;
    for (;;) {
        VG_AWAIT(f->len, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
        if (f->len <= 0)
            break;
        VG_AWAIT(rc, vg_send_all(&f->send, f->fd, f->buf, (size_t)f->len));
        if (rc < 0)
            break;
    }
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    VG_RETURN((int)rc);
}

static struct serve *serve(struct serve *f, int fd)
{
    VG_SETUP(f, serve);
    f->fd = fd;
    return f;
}

struct server {
    VG_FRAME(int);
    int listener;
    struct vg_io io;
};

VG_ASYNC(server)
{
    VG_BEGIN(f);
    ssize_t fd;
    for (;;) {
        VG_AWAIT(fd, vg_accept(&f->io, f->listener));
        if (fd < 0)
            break;
        CHECK_EQ(vg_tcp_nodelay((int)fd), 0);
        CHECK_EQ(VG_SPAWN(vg_exec_current(), NULL, serve, (int)fd), 0);
    }
    VG_RETURN((int)fd);
}

static struct server *server(struct server *f, int listener)
{
    VG_SETUP(f, server);
    f->listener = listener;
    return f;
}

/* ---- a client ------------------------------------------------------------------------------- */

enum { MESSAGE_MAX = 5000 };

struct client {
    VG_FRAME(int);
    const struct sockaddr_storage *to;
    unsigned seed, rounds, round;
    int fd;
    size_t size, got;
    struct vg_connect connect;
    struct vg_io io;
    struct vg_send_all send;
    char out[MESSAGE_MAX], in[MESSAGE_MAX];
};

static void write_message(struct client *f)
{
    f->size = 1 + (f->seed * 2654435761u + f->round * 40503u) % (MESSAGE_MAX - 1);
    f->got = 0;
    for (size_t i = 0; i < f->size; i++)
        f->out[i] = (char)(f->seed + f->round + i);
}

VG_ASYNC(client)
{
    VG_BEGIN(f);
    ssize_t rc;
    VG_TRY(f->fd,
           vg_connect(&f->connect, (const struct sockaddr *)f->to, sizeof(struct sockaddr_in)));
    for (f->round = 0; f->round < f->rounds; f->round++) {
        write_message(f);
        VG_AWAIT(rc, vg_send_all(&f->send, f->fd, f->out, f->size));
        CHECK_EQ(rc, f->size);
        while (f->got < f->size) {
            VG_AWAIT(rc, vg_recv(&f->io, f->fd, f->in + f->got, f->size - f->got));
            CHECK(rc > 0);
            f->got += (size_t)rc;
        }
        CHECK_EQ(memcmp(f->in, f->out, f->size), 0);
    }
    VG_AWAIT(rc, vg_shutdown(&f->io, f->fd, SHUT_WR));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_recv(&f->io, f->fd, f->in, sizeof f->in));
    CHECK_EQ(rc, 0);
    VG_AWAIT(rc, vg_close(&f->io, f->fd));
    VG_RETURN((int)rc);
}

static struct client *client(struct client *f, const struct sockaddr_storage *to, unsigned seed,
                             unsigned rounds)
{
    VG_SETUP(f, client);
    f->to = to;
    f->seed = seed;
    f->rounds = rounds;
    return f;
}

enum { CLIENTS = 50 };

struct crowd {
    VG_FRAME(int);
    const struct sockaddr_storage *to;
    unsigned rounds, i;
    struct vg_handle task[CLIENTS];
    struct vg_task_wait wait;
};

VG_ASYNC(crowd)
{
    VG_BEGIN(f);
    int rc;
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->task[i], client, f->to, i, f->rounds), 0);
    for (f->i = 0; f->i < CLIENTS; f->i++) {
        VG_AWAIT(rc, vg_task_wait(&f->wait, &f->task[f->i]));
        CHECK_EQ(rc, 0);
        CHECK_EQ(VG_TASK_RET(&f->task[f->i], struct client), 0);
        vg_task_release(&f->task[f->i]);
    }
    VG_RETURN(0);
}

static struct crowd *crowd(struct crowd *f, const struct sockaddr_storage *to, unsigned rounds)
{
    VG_SETUP(f, crowd);
    f->to = to;
    f->rounds = rounds;
    memset(f->task, 0, sizeof f->task);
    return f;
}

TEST(an_echo_server_returns_what_each_client_sent)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        struct vg_handle handle;
        static struct crowd frame;
        int listener = world_listen(128, &address);

        world_open(&world, workers);
        CHECK_EQ(VG_SPAWN(world.exec, &handle, server, listener), 0);
        CHECK_EQ(vg_block_on(world.exec, &crowd(&frame, &address, test_long() ? 500 : 25)->fut), 0);
        CHECK_EQ(frame.ret, 0);
        vg_task_cancel(&handle);
        vg_task_release(&handle);
        world_close(&world);
        close(listener);
    }
}

TEST(one_connection_alternates_between_two_tasks_without_a_lost_wake)
{
    TEST_TIMEOUT(120);
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        struct vg_handle handle;
        static struct client frame;
        int listener = world_listen(128, &address);

        world_open(&world, workers);
        CHECK_EQ(VG_SPAWN(world.exec, &handle, server, listener), 0);
        CHECK_EQ(
            vg_block_on(world.exec, &client(&frame, &address, 7, test_long() ? 200000 : 5000)->fut),
            0);
        CHECK_EQ(frame.ret, 0);
        vg_task_cancel(&handle);
        vg_task_release(&handle);
        world_close(&world);
        close(listener);
    }
}

TEST(closing_the_executor_cancels_what_is_in_flight)
{
    FOR_WORKERS (workers) {
        struct world world;
        struct sockaddr_storage address;
        int listener = world_listen(128, &address), pair[100][2];

        world_open(&world, workers);
        CHECK_EQ(VG_SPAWN(world.exec, NULL, server, listener), 0);
        for (int i = 0; i < 100; i++) {
            CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
            CHECK_EQ(VG_SPAWN(world.exec, NULL, serve, pair[i][0]), 0);
        }
        /* Some are in flight by now, some have not begun. */
        while (world_stats(&world).inflight < 20)
            usleep(100);
        world_close(&world);
        for (int i = 0; i < 100; i++) {
            char byte;

            /* Each was closed by its task. */
            CHECK_EQ(read(pair[i][1], &byte, 1), 0);
            close(pair[i][1]);
        }
        close(listener);
    }
}

/* Memory that is never given back: the tasks below are not polled to their end, and stay in it. */
static void *arena_alloc(void *self, size_t size, size_t align)
{
    static _Alignas(4096) char arena[16 << 20];
    static size_t used;

    (void)self;
    used = (used + align - 1) & ~(align - 1);
    if (size > sizeof arena - used)
        return NULL;
    used += size;
    return arena + used - size;
}

static void arena_free(void *self, void *ptr, size_t size, size_t align)
{
    (void)self, (void)ptr, (void)size, (void)align;
}

TEST(closing_without_patience_still_takes_every_operation_back_from_the_kernel)
{
    enum { N = 20 };
    struct vg_config config = VG_CONFIG_INIT;
    const struct vg_alloc arena = {.alloc = arena_alloc, .free = arena_free};
    struct world world = {.workers = 1};
    static int pair[N][2];

    if (vg_uring_open(&world.driver, NULL, NULL) < 0)
        SKIP("io_uring is refused here");
    config.driver = world.driver;
    config.workers = world.workers;
    config.quiet = true;
    config.alloc = &arena;
    CHECK_EQ(vg_exec_open(&world.exec, &config), 0);
    for (int i = 0; i < N; i++) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair[i]), 0);
        CHECK_EQ(VG_SPAWN(world.exec, NULL, serve, pair[i][0]), 0);
    }
    while (world_stats(&world).inflight < N)
        usleep(100);
    CHECK_EQ(vg_exec_close(world.exec, 0), N);
    CHECK_EQ(world_stats(&world).inflight, 0);
    CHECK_EQ(world_stats(&world).abandoned, 0);
    vg_uring_close(world.driver);
    for (int i = 0; i < N; i++) {
        close(pair[i][0]);
        close(pair[i][1]);
    }
}

/* ---- spawns from outside -------------------------------------------------------------------- */

struct tick {
    VG_FRAME(int);
    VG_ATOMIC(uint32_t) *count;
};

VG_ASYNC(tick)
{
    VG_BEGIN(f);
    vg_fetch_add(f->count, 1u, relaxed);
    VG_RETURN(0);
}

static struct tick *tick(struct tick *f, VG_ATOMIC(uint32_t) *count)
{
    VG_SETUP(f, tick);
    f->count = count;
    return f;
}

TEST(a_storm_of_spawns_rings_no_more_often_than_workers_sleep)
{
    enum { N = 100000 };
    FOR_WORKERS (workers) {
        struct world world;
        VG_ATOMIC(uint32_t) count = 0;
        struct vg_uring_stats stats;

        world_open(&world, workers);
        for (unsigned i = 0; i < N; i++)
            CHECK_EQ(VG_SPAWN(world.exec, NULL, tick, &count), 0);
        while (vg_load(&count, relaxed) < N)
            usleep(100);
        /* Once for each announcement of sleep. Some of these were taken back before the park: on a busy machine
         * quite a few, but by far not one for each spawn. */
        stats = world_stats(&world);
        CHECK(stats.doorbells <= 4 * stats.parks + N / 10);
        world_close(&world);
    }
}
