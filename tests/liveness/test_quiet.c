/* SPDX-License-Identifier: MIT */
#include <vigil/io.h>

#include "quiet.h"

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
