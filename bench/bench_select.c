/* SPDX-License-Identifier: MIT */
/*
 * select/N: a task waits for the first of N oneshots; another one sends to one of them, in turn, and lets it run; the
 * other arms are cancelled. An operation is all of that, so there is a yield in it. select_woken/N: one of N arms is woken again and
again, by a yield, while the others wait; an operation is one such wake.
 */
#include <vigil/combine.h>
#include <vigil/oneshot.h>
#include <vigil/time.h>

#include "runner.h"

enum { ARMS_MAX = 16 };

/* One worker, so nothing of it needs a lock. */
struct crossing {
    struct vg_oneshot way[ARMS_MAX];
    bool waits, over;
    unsigned ways;
};

struct sender {
    VG_FRAME(int);
    struct crossing *crossing;
    unsigned next;
    struct vg_yield yield;
};

static int send_one(struct sender *f)
{
    if (!f->crossing->waits)
        return 0;
    f->crossing->waits = false;
    f->next = (f->next + 1) % f->crossing->ways;
    return vg_oneshot_send(&f->crossing->way[f->next], f);
}

VG_ASYNC(sender)
{
    VG_BEGIN(f);
    int rc = 0;

    while (!f->crossing->over) {
        rc = send_one(f);
        VG_ASSERT(rc == 0);
        VG_AWAIT(rc, vg_yield(&f->yield));
    }
    VG_RETURN(rc);
}

static struct sender *sender(struct sender *f, struct crossing *crossing)
{
    VG_SETUP(f, sender);
    f->crossing = crossing;
    f->next = 0;
    return f;
}

struct chooser {
    VG_FRAME(int);
    struct crossing crossing;
    int64_t left;
    struct vg_handle sender;
    struct gather gather;
    struct vg_oneshot_recv recv[ARMS_MAX];
    VG_ARMS(ARMS_MAX) select;
};

static struct vg_select *choose(struct chooser *f)
{
    struct vg_arm arms[ARMS_MAX];

    for (unsigned i = 0; i < f->crossing.ways; i++)
        arms[i] = VG_CANCEL(vg_oneshot_recv(&f->recv[i], &f->crossing.way[i]));
    f->crossing.waits = true;
    return vg_select(&f->select.sel, f->select.arm, arms, f->crossing.ways);
}

VG_ASYNC(chooser)
{
    VG_BEGIN(f);
    int rc;

    for (unsigned i = 0; i < f->crossing.ways; i++)
        vg_oneshot_init(&f->crossing.way[i], "way");
    rc = VG_SPAWN(vg_exec_current(), &f->sender, sender, &f->crossing);
    VG_ASSERT(rc == 0);
    for (; f->left > 0; f->left--) {
        VG_AWAIT(rc, choose(f));
        VG_ASSERT(rc >= 0 && f->recv[rc].ret == 0);
        vg_oneshot_init(&f->crossing.way[rc], "way");
    }
    f->crossing.over = true;
    VG_AWAIT(rc, gather(&f->gather, &f->sender, 1));
    VG_RETURN(rc);
}

static struct chooser *chooser(struct chooser *f, unsigned ways, int64_t times)
{
    VG_SETUP(f, chooser);
    f->crossing.ways = ways;
    f->crossing.waits = f->crossing.over = false;
    f->left = times;
    return f;
}

static void run_select(struct bench_run *run, int64_t arms)
{
    const int64_t times = bench_scaled(run, 500000);
    struct vg_exec *exec = bench_open(run);
    struct chooser root;

    while (exec != NULL && bench_next(run, times))
        if (!bench_batch(run, exec, &chooser(&root, (unsigned)arms, times)->fut))
            break;
    bench_close(exec);
}

struct watcher {
    VG_FRAME(int);
    unsigned arms;
    int64_t times;
    struct yielder busy;
    struct vg_forever forever[ARMS_MAX - 1];
    VG_ARMS(ARMS_MAX) select;
};

static struct vg_select *watch(struct watcher *f)
{
    struct vg_arm arms[ARMS_MAX];

    arms[0] = VG_CANCEL(yielder(&f->busy, f->times));
    for (unsigned i = 1; i < f->arms; i++)
        arms[i] = VG_CANCEL(vg_forever(&f->forever[i - 1]));
    return vg_select(&f->select.sel, f->select.arm, arms, f->arms);
}

VG_ASYNC(watcher)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, watch(f));
    VG_ASSERT(rc == 0);
    VG_RETURN(f->busy.ret);
}

static struct watcher *watcher(struct watcher *f, unsigned arms, int64_t times)
{
    VG_SETUP(f, watcher);
    f->arms = arms;
    f->times = times;
    return f;
}

static void run_woken(struct bench_run *run, int64_t arms)
{
    const int64_t times = bench_scaled(run, 1000000);
    struct vg_exec *exec = bench_open(run);
    struct watcher root;

    while (exec != NULL && bench_next(run, times))
        if (!bench_batch(run, exec, &watcher(&root, (unsigned)arms, times)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_select[] = {
    {"select/2", run_select, 2, 1},
    {"select/4", run_select, 4, 1},
    {"select/8", run_select, 8, 1},
    {"select/16", run_select, 16, 1},
    {"select_woken/2", run_woken, 2, 1},
    {"select_woken/4", run_woken, 4, 1},
    {"select_woken/8", run_woken, 8, 1},
    {"select_woken/16", run_woken, 16, 1},
    {NULL, NULL, 0, 0},
};
