/* SPDX-License-Identifier: MIT */
/*
 * depth/N: what it costs to resume a task whose leaf lies N awaits deep: wake, queue, dequeue, poll of the leaf,
 * resume of the innermost function, which waits again. One worker; a few tasks, so that the task that wakes
 * them hardly counts. rootdown/N: the same below a future that says nothing of what it is made of, so that each wake is answered from
 * there down, through all N, as runtimes do that know of tasks only.
 */
#include <vigil/combine.h>

#include "event.h"
#include "runner.h"

enum { DEPTH_MAX = 64, TASKS = 8 };

/* One call of a chain; the last one waits for the event, again and again. */
struct level {
    VG_FRAME(int);
    struct level *next;
    struct event *event;
};

VG_ASYNC(level)
{
    VG_BEGIN(f);
    int rc;

    if (f->next != NULL) {
        VG_AWAIT(rc, f->next);
        VG_RETURN(rc);
    }
    for (;;) {
        VG_AWAIT(rc, event(f->event));
        if (rc < 0)
            VG_RETURN(rc);
    }
}

static struct level *level(struct level *f, struct level *next, struct event *on)
{
    VG_SETUP(f, level);
    f->next = next;
    f->event = on;
    return f;
}

struct chain {
    struct event event;
    struct level level[DEPTH_MAX];
};

/* Polls what is below it, whatever was woken there. */
struct gate {
    struct vg_future fut;
    int ret;
    struct vg_future *child;
};

static vg_poll gate_poll(struct vg_future *fut, struct vg_cx *cx)
{
    return vg_poll_future(((struct gate *)(void *)fut)->child, cx);
}

static void gate_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(((struct gate *)(void *)fut)->child, cx);
}

static struct gate *gate(struct gate *gate, struct vg_future *child)
{
    static const struct vg_ops ops = {.poll = gate_poll,
                                      .cancel = gate_cancel,
                                      .name = "gate",
                                      .size = sizeof(struct gate),
                                      .kind = VG_KIND_OPAQUE};

    vg_future_init(&gate->fut, &ops);
    gate->ret = 0;
    gate->child = child;
    return gate;
}

/* The root of a task, and not one of the N. */
struct sleeper {
    VG_FRAME(int);
    struct chain *chain;
    bool rootdown;
    struct gate gate;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    int rc;

    if (f->rootdown)
        VG_AWAIT(rc, gate(&f->gate, &f->chain->level[0].fut));
    else
        VG_AWAIT(rc, &f->chain->level[0]);
    VG_RETURN(rc);
}

static struct sleeper *sleeper(struct sleeper *f, struct chain *chain, int64_t depth, bool rootdown)
{
    VG_SETUP(f, sleeper);
    f->chain = chain;
    f->rootdown = rootdown;
    for (int64_t i = 0; i < depth; i++)
        level(&chain->level[i], i + 1 < depth ? &chain->level[i + 1] : NULL, &chain->event);
    return f;
}

/* Sets every event, lets the tasks run, and so on. */
struct batch {
    VG_FRAME(int);
    struct chain *chains;
    int64_t depth;
    bool rootdown;
    int64_t left;
    unsigned i;
    struct vg_handle task[TASKS];
    struct gather gather;
    struct vg_yield yield;
};

/* A task that has not come back yet is left out this time. */
static void set_all(struct batch *f)
{
    for (unsigned i = 0; i < TASKS; i++)
        f->left -= event_set(&f->chains[i].event);
}

VG_ASYNC(batch)
{
    VG_BEGIN(f);
    int rc;

    for (f->i = 0; f->i < TASKS; f->i++) {
        rc = VG_SPAWN(vg_exec_current(), &f->task[f->i], sleeper, &f->chains[f->i], f->depth,
                      f->rootdown);
        VG_ASSERT(rc == 0);
    }
    VG_AWAIT(rc, vg_yield(&f->yield));
    while (f->left > 0) {
        set_all(f);
        VG_AWAIT(rc, vg_yield(&f->yield));
    }
    for (f->i = 0; f->i < TASKS; f->i++)
        vg_task_cancel(&f->task[f->i]);
    VG_AWAIT(rc, gather(&f->gather, f->task, TASKS));
    VG_RETURN(rc);
}

static struct batch *batch(struct batch *f, struct chain *chains, int64_t depth, bool rootdown,
                           int64_t resumes)
{
    VG_SETUP(f, batch);
    f->chains = chains;
    f->depth = depth;
    f->rootdown = rootdown;
    f->left = resumes;
    return f;
}

static void run_batches(struct bench_run *run, int64_t n, bool rootdown)
{
    static struct chain chains[TASKS];
    const int64_t resumes = bench_scaled(run, 1000000);
    struct vg_exec *exec = bench_open(run);
    struct batch root;

    while (exec != NULL && bench_next(run, resumes))
        if (!bench_batch(run, exec, &batch(&root, chains, n, rootdown, resumes)->fut))
            break;
    bench_close(exec);
}

static void depth(struct bench_run *run, int64_t n)
{
    run_batches(run, n, false);
}

static void rootdown(struct bench_run *run, int64_t n)
{
    run_batches(run, n, true);
}

const struct bench bench_depth[] = {
    {"depth/1", depth, 1, 1},         {"depth/4", depth, 4, 1},
    {"depth/16", depth, 16, 1},       {"depth/64", depth, 64, 1},
    {"rootdown/1", rootdown, 1, 1},   {"rootdown/4", rootdown, 4, 1},
    {"rootdown/64", rootdown, 64, 1}, {NULL, NULL, 0, 0},
};
