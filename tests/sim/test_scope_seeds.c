/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/fork.h>
#include <vigil/scope.h>

#include "world.h"

/*
 * Random trees of scopes: nodes that yield, sleep, fork, fail, spawn late, give their scope up for a deadline, and are cancelled at
 * every poll of the whole. Whatever happens, a node ends after all its children, whose memory it may use until then.
 */

enum { KIDS = 4, DEPTH = 3 };

/* What a child leaves in its parent's frame. */
struct report {
    bool begun, ended;
    int ret;
};

struct node {
    VG_FRAME(int);
    struct world *w;
    struct report *report;
    unsigned depth;
    unsigned i, kids;
    struct report kid[KIDS];
    struct vg_yield yield;
    struct vg_sleep nap;
    VG_ARMS(2) sel;
    struct vg_scope scope;
};

static struct node *node(struct node *f, struct world *w, struct report *report, unsigned depth);

static void triple(void *arg)
{
    *(unsigned *)arg *= 3;
}

/* Forks, on a simulator on which others are often idle. */
static void compute(struct world *w)
{
    unsigned left = (unsigned)sim_below(&w->sim, 100), right = left + 1, want = 3 * left;
    struct vg_fork fork;

    vg_fork(&fork, triple, &right);
    triple(&left);
    vg_fork_join(&fork);
    CHECK_EQ(left, want);
    CHECK_EQ(right, want + 3);
}

static void spawn(struct node *f)
{
    struct report *const report = &f->kid[f->kids];
    int rc = VG_SCOPE_SPAWN(&f->scope, node, f->w, report, f->depth - 1);

    *report = (struct report){.begun = false};
    if (rc == 0)
        f->kids++;
    else
        CHECK_EQ(rc, -ECANCELED);
    f->w->started += rc == 0;
    f->w->refused += rc < 0;
}

/* The children have ended, and the scope says how. */
static void check_kids(const struct node *f)
{
    int bad = 0;
    bool named = f->scope.ret == -ECANCELED;

    for (unsigned i = 0; i < f->kids; i++) {
        CHECK(f->kid[i].begun && f->kid[i].ended);
        bad += f->kid[i].ret < 0;
        named = named || f->kid[i].ret == f->scope.ret;
    }
    CHECK_EQ(vg_scope_live(&f->scope), 0);
    CHECK(bad == 0 || f->scope.ret < 0);
    CHECK(f->scope.ret == 0 || named);
}

static enum vg_scope_policy policy(struct world *w)
{
    return sim_chance(&w->sim, 500) ? VG_SCOPE_CANCEL : VG_SCOPE_ALL;
}

VG_ASYNC(node)
{
    VG_BEGIN(f);
    int rc = 0;
    f->report->begun = true;
    vg_scope_open(&f->scope, "tree", policy(f->w));
    for (f->i = 0; f->depth > 0 && f->i < KIDS; f->i++) {
        spawn(f);
        if (sim_chance(&f->w->sim, 300))
            VG_AWAIT(rc, vg_yield(&f->yield));
        if (sim_chance(&f->w->sim, 100))
            VG_AWAIT(rc, vg_sleep(&f->nap, VG_MSEC(1) + sim_below(&f->w->sim, VG_MSEC(20))));
    }
    compute(f->w);
    if (sim_chance(&f->w->sim, 300)) {
        VG_AWAIT(rc, VG_RACE(f->sel, &f->scope, vg_sleep(&f->nap, VG_MSEC(10))));
        VG_AWAIT_CANCEL(rc, &f->scope); /* it may not have been started */
    } else {
        VG_AWAIT(rc, &f->scope);
    }
    check_kids(f);
    if (sim_chance(&f->w->sim, 50))
        rc = -EIO;
    f->report->ret = f->scope.ret < 0 ? f->scope.ret : rc < 0 ? rc : 0;
    f->report->ended = true;
    f->w->ended++;
    f->w->cancelled += vg_cancelled(&f->fut);
    VG_RETURN(f->report->ret);
}

static struct node *node(struct node *f, struct world *w, struct report *report, unsigned depth)
{
    VG_SETUP(f, node);
    f->w = w;
    f->report = report;
    f->depth = depth;
    f->kids = 0;
    return f;
}

/* Runs a tree, and cancels its root after so many steps. True: it was over before that. */
struct countdown {
    struct world *w;
    uint64_t left;
};

static bool is_time(void *arg)
{
    struct countdown *countdown = arg;

    return vg_exec_live(countdown->w->exec) == 0 || countdown->left-- == 0;
}

static bool run_tree(uint64_t seed, uint64_t cancel_after, unsigned depth)
{
    struct world w;
    struct countdown countdown = {&w, cancel_after};
    struct report report = {.begun = false};
    struct vg_handle root;
    bool over;

    world_open(&w, seed, world_workers(seed));
    CHECK_EQ(VG_SPAWN(w.exec, &root, node, &w, &report, depth), 0);
    w.started++;
    CHECK_EQ(sim_run(&w.sim, w.exec, is_time, &countdown, VG_SEC(60)), 0);
    over = vg_task_done(&root);
    vg_task_cancel(&root);
    CHECK_EQ(sim_run(&w.sim, w.exec, world_is_empty, &w, VG_SEC(60)), 0);
    CHECK(report.ended);
    CHECK_EQ(VG_TASK_RET(&root, struct node), report.ret);
    vg_task_release(&root);
    world_close(&w);
    return over;
}

TEST(whatever_happens_in_a_tree_of_scopes_each_outlives_its_children)
{
    FOR_SEEDS (seed, 400)
        CHECK(run_tree(seed, UINT64_MAX, DEPTH));
}

TEST(a_tree_of_scopes_that_is_cancelled_at_any_step_ends_in_order)
{
    FOR_SEEDS (seed, 12) {
        uint64_t step = 0;

        while (!run_tree(seed, step, 2))
            step++;
        CHECK(step > 4);
    }
}
