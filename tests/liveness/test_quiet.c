/* SPDX-License-Identifier: MIT */
#include <vigil/io.h>
#include <vigil/oneshot.h>

#include "lab.h"

/* Programs that are merely idle, slow or busy: whatever the seed, nobody is accused. */

enum { SEEDS = 60 };

/* Runs the program `start` builds on the lab, with healing and without. */
#define QUIET(start_and_run)                                                                       \
    FOR_SEEDS (seed, SEEDS) {                                                                      \
        struct lab lab;                                                                            \
        lab_open(&lab, seed, seed % 2);                                                            \
        start_and_run;                                                                             \
        lab_silent(&lab);                                                                          \
        lab_close(&lab);                                                                           \
    }

static bool is_empty(void *arg)
{
    return vg_exec_live(((const struct lab *)arg)->exec) == 0;
}

static void run_all(struct lab *lab)
{
    CHECK_EQ(sim_run(&lab->sim, lab->exec, is_empty, lab, VG_SEC(3600)), 0);
}

/* ---- idle ------------------------------------------------------------------------------------ */

struct idle_conn {
    VG_FRAME(ssize_t);
    int fd;
    struct vg_io io;
    char buf[8];
};

VG_ASYNC(idle_conn)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
    VG_RETURN(f->ret);
}

static struct idle_conn *idle_conn(struct idle_conn *f, int fd)
{
    VG_SETUP(f, idle_conn);
    f->fd = fd;
    return f;
}

static void idle_server(struct lab *lab)
{
    struct vg_sleep nap;
    int fd[200][2];

    for (int i = 0; i < 200; i++) {
        CHECK_EQ(sim_pair(&lab->sim, fd[i]), 0);
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, idle_conn, fd[i][0]), 0);
    }
    CHECK_EQ(lab_run(lab, &vg_sleep(&nap, VG_SEC(600))->fut), 0);
    for (int i = 0; i < 200; i++)
        CHECK_EQ(sim_close_fd(&lab->sim, fd[i][1]), 0);
    run_all(lab);
    for (int i = 0; i < 200; i++)
        CHECK_EQ(sim_close_fd(&lab->sim, fd[i][0]), 0);
}

TEST(an_idle_server)
{
    FOR_SEEDS (seed, 4) {
        struct lab lab;

        lab_open(&lab, seed, true);
        idle_server(&lab);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* ---- long queues ----------------------------------------------------------------------------- */

TEST(a_long_queue_of_tasks_before_one_mutex)
{
    FOR_SEEDS (seed, 5) {
        struct lab lab;

        lab_open(&lab, seed, seed % 2);
        for (int i = 0; i < 500; i++)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 20), 0);
        run_all(&lab);
        CHECK_EQ(lab_ms(&lab), 10000);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

TEST(a_guard_that_is_held_over_a_long_await)
{
    QUIET({
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 2000), 0);
        for (uint64_t i = 0; i < 5; i++)
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 10 + i, 1), 0);
        run_all(&lab);
    });
}

/* ---- parked children that are all right ------------------------------------------------------- */

struct parker {
    VG_FRAME(int);
    struct lab *lab;
    uint64_t wait; /* of the branch, ms */
    int rc;
    VG_ARMS(2) sel;
    struct holder child;
    struct vg_sleep nap, body;
};

/* Parks a child at 10 ms, does something else, awaits the child. */
VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(&f->child), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, vg_sleep(&f->body, VG_MSEC(f->wait)));
    VG_AWAIT(f->rc, &f->child);
    VG_RETURN(f->rc);
}

static struct parker *parker(struct parker *f, struct lab *lab, uint64_t wait)
{
    VG_SETUP(f, parker);
    f->lab = lab;
    f->wait = wait;
    holder(&f->child, lab, &lab->mutex, 0, 0);
    return f;
}

TEST(a_parked_child_whose_event_comes_after_the_branch)
{
    QUIET({
        struct parker root;
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 5000), 0);
        CHECK_EQ(lab_run(&lab, &parker(&root, &lab, 3000)->fut), 0);
        CHECK_EQ(root.ret, 0);
    });
}

TEST(a_parked_child_that_is_woken_a_moment_before_it_is_polled)
{
    QUIET({
        struct parker root;
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 1009), 0);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 500, 0), 0);
        CHECK_EQ(lab_run(&lab, &parker(&root, &lab, 1000)->fut), 0);
        CHECK_EQ(root.ret, 0);
    });
}

struct finisher {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct holder child;
    struct vg_sleep nap, body;
};

/* The kept arm ends while its frame awaits something else for long; nobody asks for its result. */
VG_ASYNC(finisher)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_KEEP(&f->child), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, vg_sleep(&f->body, VG_SEC(5)));
    VG_RETURN(f->rc);
}

static struct finisher *finisher(struct finisher *f, struct lab *lab)
{
    VG_SETUP(f, finisher);
    f->lab = lab;
    holder(&f->child, lab, &lab->mutex, 0, 50);
    return f;
}

TEST(a_finished_sibling)
{
    QUIET({
        struct finisher root;
        CHECK_EQ(lab_run(&lab, &finisher(&root, &lab)->fut), 0);
        CHECK_EQ(root.child.ret, 0);
    });
}

struct joiner {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct vg_handle handle;
    struct vg_task_wait wait;
    struct vg_sleep nap;
    struct vg_lock lock;
};

/* Parks the wait for a task that holds the very mutex which is locked next: the holder runs. */
VG_ASYNC(joiner)
{
    VG_BEGIN(f);
    CHECK_EQ(VG_SPAWN(f->lab->exec, &f->handle, holder, f->lab, &f->lab->mutex, 0, 5000), 0);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_task_wait(&f->wait, &f->handle)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(50)))));
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
    vg_unlock(&f->lab->mutex);
    VG_AWAIT(f->rc, &f->wait);
    vg_task_release(&f->handle);
    VG_RETURN(0);
}

static struct joiner *joiner(struct joiner *f, struct lab *lab)
{
    VG_SETUP(f, joiner);
    f->lab = lab;
    return f;
}

TEST(a_parked_wait_for_a_task_that_holds_the_lock)
{
    QUIET({
        struct joiner root;
        CHECK_EQ(lab_run(&lab, &joiner(&root, &lab)->fut), 0);
        CHECK_EQ(lab_ms(&lab), 5000);
    });
}

/* ---- busy ------------------------------------------------------------------------------------ */

struct table {
    struct vg_oneshot ball[2];
};

struct player {
    VG_FRAME(int);
    struct table *table;
    int side, rounds;
    struct vg_oneshot_recv recv;
    int rc;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->rc, vg_oneshot_recv(&f->recv, &f->table->ball[f->side]));
        vg_oneshot_fini(&f->table->ball[f->side]);
        vg_oneshot_init(&f->table->ball[f->side], "ball");
        CHECK_EQ(vg_oneshot_send(&f->table->ball[!f->side], f), 0);
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct table *table, int side, int rounds)
{
    VG_SETUP(f, player);
    f->table = table;
    f->side = side;
    f->rounds = rounds;
    return f;
}

TEST(two_tasks_that_play_ping_pong)
{
    QUIET({
        struct table table;
        for (int i = 0; i < 2; i++) {
            vg_oneshot_init(&table.ball[i], "ball");
            CHECK_EQ(VG_SPAWN(lab.exec, NULL, player, &table, i, 2000), 0);
        }
        CHECK_EQ(vg_oneshot_send(&table.ball[0], &table), 0);
        run_all(&lab);
    });
}

struct worker {
    VG_FRAME(int);
    struct lab *lab;
    int slices;
    struct vg_yield yield;
};

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    for (; f->slices > 0; f->slices--) {
        f->lab->sim.now += VG_USEC(200);
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static struct worker *worker(struct worker *f, struct lab *lab, int slices)
{
    VG_SETUP(f, worker);
    f->lab = lab;
    f->slices = slices;
    return f;
}

TEST(a_task_that_computes_in_slices)
{
    QUIET({
        struct parker root;
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, worker, &lab, 3000), 0);
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 40), 0);
        CHECK_EQ(lab_run(&lab, &parker(&root, &lab, 80)->fut), 0);
    });
}

struct pair {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_CHILDREN(2) all;
    struct vg_sleep a, b;
};

/* Both deadlines wake the task at once. */
VG_ASYNC(pair)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_JOIN(f->all, vg_sleep(&f->a, VG_MSEC(200)), vg_sleep(&f->b, VG_MSEC(200))));
    VG_RETURN(f->rc);
}

static struct pair *pair(struct pair *f, struct lab *lab)
{
    VG_SETUP(f, pair);
    f->lab = lab;
    return f;
}

TEST(two_events_that_wake_one_task)
{
    QUIET({
        struct pair root;
        CHECK_EQ(lab_run(&lab, &pair(&root, &lab)->fut), 0);
    });
}

struct storm {
    VG_FRAME(int);
    struct lab *lab;
    int rounds, arm;
    VG_ARMS(2) sel;
    struct vg_yield yield;
    struct vg_lock lock;
};

/* Loses the mutex to its holder in each round. */
VG_ASYNC(storm)
{
    VG_BEGIN(f);
    for (f->rounds = 0; f->rounds < 2000; f->rounds++) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_CANCEL(vg_lock(&f->lock, &f->lab->mutex)),
                                   VG_CANCEL(vg_yield(&f->yield))));
        CHECK_EQ(f->arm, 1);
    }
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static struct storm *storm(struct storm *f, struct lab *lab)
{
    VG_SETUP(f, storm);
    f->lab = lab;
    return f;
}

TEST(a_storm_of_selects_whose_loser_is_cancelled)
{
    QUIET({
        struct storm root;
        CHECK(vg_trylock(&lab.mutex));
        CHECK_EQ(lab_run(&lab, &storm(&root, &lab)->fut), 0);
    });
}

/* ---- cancelled ------------------------------------------------------------------------------- */

struct nest {
    VG_FRAME(int);
    struct lab *lab;
    unsigned depth;
    int rc;
    VG_ARMS(2) sel;
    struct vg_mutex mutex;
    struct vg_lock lock;
    struct vg_sleep nap, body;
    struct nest *inner;
};

enum { DEPTH = 100 };

static struct nest nests[DEPTH];

static struct nest *nest(struct nest *f, struct lab *lab, unsigned depth);

/* Holds a mutex each, and has a parked child each. */
VG_ASYNC(nest)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->mutex));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_sleep(&f->nap, VG_SEC(60))),
                              VG_CANCEL(vg_sleep(&f->body, VG_MSEC(1)))));
    if (f->depth + 1 < DEPTH)
        VG_AWAIT(f->rc, nest(&nests[f->depth + 1], f->lab, f->depth + 1));
    else
        VG_AWAIT(f->rc, vg_sleep(&f->body, VG_NEVER));
    if (vg_started(&f->nap.fut))
        VG_AWAIT_CANCEL(f->rc, &f->nap);
    vg_unlock(&f->mutex);
    VG_RETURN(f->rc);
}

static struct nest *nest(struct nest *f, struct lab *lab, unsigned depth)
{
    VG_SETUP(f, nest);
    f->lab = lab;
    f->depth = depth;
    vg_mutex_init(&f->mutex, "nested");
    return f;
}

struct nest_task {
    VG_FRAME(int);
    struct lab *lab;
};

VG_ASYNC(nest_task)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, nest(&nests[0], f->lab, 0));
    VG_RETURN(f->ret);
}

static struct nest_task *nest_task(struct nest_task *f, struct lab *lab)
{
    VG_SETUP(f, nest_task);
    f->lab = lab;
    return f;
}

TEST(a_deep_task_that_is_cancelled)
{
    FOR_SEEDS (seed, 20) {
        struct lab lab;
        struct vg_handle handle;
        struct vg_sleep nap;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(VG_SPAWN(lab.exec, &handle, nest_task, &lab), 0);
        CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_SEC(2))->fut), 0);
        vg_task_cancel(&handle);
        run_all(&lab);
        vg_task_release(&handle);
        for (unsigned i = 0; i < DEPTH; i++)
            vg_mutex_fini(&nests[i].mutex);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

/* ---- the executor is late, not the parents ----------------------------------------------------- */

struct hog {
    VG_FRAME(int);
    struct lab *lab;
    uint64_t at, length;
    struct vg_sleep nap;
};

/* Wakes somebody, and then keeps the worker. */
VG_ASYNC(hog)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep_until(&f->nap, lab_at(f->lab, f->at)));
    vg_unlock(&f->lab->mutex);
    f->lab->sim.now += VG_MSEC(f->length);
    VG_RETURN(0);
}

static struct hog *hog(struct hog *f, struct lab *lab, uint64_t at, uint64_t length)
{
    VG_SETUP(f, hog);
    f->lab = lab;
    f->at = at;
    f->length = length;
    return f;
}

/* The child is woken at 45 ms; its task waits for the worker until 245 ms, and polls it at 260. */
TEST(a_parked_child_whose_task_had_to_wait_for_a_worker)
{
    FOR_SEEDS (seed, SEEDS) {
        struct lab lab;
        struct parker root;

        lab_open(&lab, seed * 4, true);
        CHECK(vg_trylock(&lab.mutex));
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, hog, &lab, 45, 200), 0);
        CHECK_EQ(lab_run(&lab, &parker(&root, &lab, 250)->fut), 0);
        CHECK_EQ(lab_ms(&lab), 260);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
