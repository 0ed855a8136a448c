/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <sys/socket.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/io.h>
#include <vigil/time.h>

#include "actor.h"
#include "harness.h"
#include "sim.h"

/* Every future of io is cancelled before every step of the executor, from its start to its end; and nothing is lost by it. */

enum { SEEDS = 200, LARGE = 20000 };

struct scene;

struct act {
    const char *name;
    void (*open)(struct scene *s);
    struct vg_future *(*make)(struct scene *s);
    void (*give)(struct scene *s);  /* what it waits for, after 5 ms */
    void (*check)(struct scene *s); /* it has ended */
};

struct scene {
    struct sim sim;
    struct vg_exec *exec;
    const struct act *act;
    uint64_t when; /* the step before which it is cancelled */
    struct vg_handle actor, giver;
    int fd[2], listener, client;
    uint32_t sent, received; /* by the far end, or by the test */
    char buffer[LARGE];
    union {
        struct vg_io io;
        struct vg_send_all send_all;
        struct vg_connect connect;
    };
};

/* ---- receive and send ------------------------------------------------------------------------ */

static void open_pair(struct scene *s)
{
    CHECK_EQ(sim_pair(&s->sim, s->fd), 0);
}

static struct vg_future *make_recv(struct scene *s)
{
    return &vg_recv(&s->io, s->fd[0], s->buffer, 64)->fut;
}

static void give_bytes(struct scene *s)
{
    const int n = sim_write(&s->sim, s->fd[1], "0123456789", 10);

    CHECK(n > 0);
    s->sent = (uint32_t)n;
}

/* What was sent has been received, or can still be. */
static void check_recv(struct scene *s)
{
    const uint32_t got = s->io.ret > 0 ? (uint32_t)s->io.ret : 0;

    CHECK(s->io.ret > 0 || s->io.ret == -ECANCELED);
    CHECK_EQ(got + sim_unread(&s->sim, s->fd[0]), s->sent);
}

/* Nothing goes into the stream before the far end reads. */
static void open_full(struct scene *s)
{
    int n;

    open_pair(s);
    while ((n = sim_write(&s->sim, s->fd[0], s->buffer, 4096)) > 0)
        s->sent += (uint32_t)n;
    CHECK_EQ(n, -EAGAIN);
}

static void give_room(struct scene *s)
{
    int n;

    while ((n = sim_read(&s->sim, s->fd[1], s->buffer, sizeof s->buffer)) > 0)
        s->received += (uint32_t)n;
}

static struct vg_future *make_send(struct scene *s)
{
    return &vg_send(&s->io, s->fd[0], "0123456789", 10)->fut;
}

static void check_arrived(struct scene *s, ssize_t ret)
{
    give_room(s);
    CHECK(ret > 0 || ret == -ECANCELED);
    CHECK_EQ(s->received, s->sent + (ret > 0 ? (uint32_t)ret : 0));
}

static void check_send(struct scene *s)
{
    check_arrived(s, s->io.ret);
}

static struct vg_future *make_send_all(struct scene *s)
{
    return &vg_send_all(&s->send_all, s->fd[0], "0123456789", 10)->fut;
}

static void check_send_all(struct scene *s)
{
    give_room(s);
    if (s->send_all.ret >= 0)
        CHECK_EQ(s->received, s->sent + 10);
    else
        CHECK(s->received >= s->sent && s->received <= s->sent + 10);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void open_listener(struct scene *s)
{
    s->listener = sim_listen(&s->sim, 4);
    s->client = -1;
}

static struct vg_future *make_accept(struct scene *s)
{
    return &vg_accept(&s->io, s->listener)->fut;
}

static void give_client(struct scene *s)
{
    s->client = sim_connect(&s->sim, s->listener);
    CHECK(s->client >= 0);
}

/* The connection is had by the accept, or waits for the next one. */
static void check_accept(struct scene *s)
{
    CHECK(s->io.ret >= 0 || s->io.ret == -ECANCELED);
    CHECK_EQ((s->io.ret >= 0) + sim_backlog(&s->sim, s->listener), 1);
    if (s->io.ret >= 0)
        CHECK_EQ(sim_close_fd(&s->sim, (int)s->io.ret), 0);
}

/* ---- what is not cancelled --------------------------------------------------------------------- */

static struct vg_future *make_shutdown(struct scene *s)
{
    return &vg_shutdown(&s->io, s->fd[0], SHUT_WR)->fut;
}

static struct vg_future *make_close(struct scene *s)
{
    return &vg_close(&s->io, s->fd[0])->fut;
}

static void give_nothing(struct scene *s)
{
    (void)s;
}

static void check_done(struct scene *s)
{
    CHECK_EQ(s->io.ret, 0);
}

static void check_closed(struct scene *s)
{
    check_done(s);
    s->fd[0] = -1;
}

static const struct act acts[] = {
    {"recv", open_pair, make_recv, give_bytes, check_recv},
    {"send", open_full, make_send, give_room, check_send},
    {"send_all", open_full, make_send_all, give_room, check_send_all},
    {"accept", open_listener, make_accept, give_client, check_accept},
    {"shutdown", open_pair, make_shutdown, give_nothing, check_done},
    {"close", open_pair, make_close, give_nothing, check_closed},
};

/* ---- the tasks --------------------------------------------------------------------------------- */

struct giver {
    VG_FRAME(int);
    struct scene *scene;
    struct vg_sleep nap;
};

VG_ASYNC(giver)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(5)));
    f->scene->act->give(f->scene);
    VG_RETURN(0);
}

static struct giver *giver(struct giver *f, struct scene *scene)
{
    VG_SETUP(f, giver);
    f->scene = scene;
    return f;
}

/* ---- the scene --------------------------------------------------------------------------------- */

static void scene_open(struct scene *s, const struct act *act, uint64_t seed, uint64_t when)
{
    struct vg_config config;

    memset(s, 0, sizeof *s);
    s->fd[0] = s->fd[1] = s->listener = s->client = -1;
    s->act = act;
    s->when = when;
    sim_open(&s->sim, seed, 2);
    config = sim_config(&s->sim);
    CHECK_EQ(vg_exec_open(&s->exec, &config), 0);
    act->open(s);
    CHECK_EQ(VG_SPAWN(s->exec, &s->actor, actor, act->make(s)), 0);
    CHECK_EQ(VG_SPAWN(s->exec, &s->giver, giver, s), 0);
}

static void close_fd(struct scene *s, int fd)
{
    if (fd >= 0)
        CHECK_EQ(sim_close_fd(&s->sim, fd), 0);
}

static void scene_close(struct scene *s)
{
    vg_task_release(&s->actor);
    vg_task_release(&s->giver);
    CHECK_EQ(vg_exec_close(s->exec, VG_SEC(5)), 0);
    close_fd(s, s->fd[0]);
    close_fd(s, s->fd[1]);
    close_fd(s, s->client);
    close_fd(s, s->listener);
    sim_close(&s->sim);
}

static bool is_time(void *arg)
{
    const struct scene *s = (const struct scene *)arg;

    return s->sim.stats.steps >= s->when || vg_task_done(&s->actor);
}

static bool are_done(void *arg)
{
    const struct scene *s = (const struct scene *)arg;

    return vg_task_done(&s->actor) && vg_task_done(&s->giver);
}

/* Returns whether the act was over by then. */
static bool cancel_at(const struct act *act, uint64_t seed, uint64_t when)
{
    static struct scene s;
    bool over;

    test_note("%s, cancelled before step %llu", act->name, (unsigned long long)when);
    scene_open(&s, act, seed, when);
    CHECK_EQ(sim_run(&s.sim, s.exec, is_time, &s, VG_SEC(1)), 0);
    over = vg_task_done(&s.actor);
    vg_task_cancel(&s.actor);
    CHECK_EQ(sim_run(&s.sim, s.exec, are_done, &s, VG_SEC(1)), 0);
    act->check(&s);
    scene_close(&s);
    return over;
}

TEST(every_operation_can_be_cancelled_before_every_step_and_nothing_is_lost)
{
    FOR_SEEDS (seed, SEEDS)
        for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++) {
            uint64_t when = 0;

            while (!cancel_at(&acts[i], seed, when)) {
                when++;
                CHECK(when < 1000);
            }
            CHECK(when > 2);
        }
}
