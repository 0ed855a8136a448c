/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "corpus.h"

/* Wakes that are one too many, and meant to be. */

/* ---- a future wakes itself once, to close a race -------------------------------------------- */

struct gate {
    bool open;
    struct vg_waiter *waiter;
};

/* Queues, and looks once more before it relies on that: the look is another poll. */
struct pass {
    struct vg_future fut;
    int ret;
    unsigned polls;
    struct gate *gate;
    struct vg_waiter waiter;
};

static vg_poll pass_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct pass *pass = (struct pass *)(void *)fut;
    const unsigned polls = pass->polls++;

    vg_disarm(&pass->waiter, cx);
    pass->gate->waiter = NULL;
    pass->ret = vg_cancelled(fut) ? -ECANCELED : 0;
    if (pass->gate->open || vg_cancelled(fut))
        return VG_READY;
    vg_arm(&pass->waiter, fut, cx);
    if (polls == 0)
        vg_notify(vg_wake(&pass->waiter));
    else
        pass->gate->waiter = &pass->waiter;
    return VG_PENDING;
}

static void pass_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_kick(&((struct pass *)(void *)fut)->waiter, cx);
}

static const struct vg_ops pass_ops = {
    .poll = pass_poll,
    .cancel = pass_cancel,
    .name = "pass",
    .size = sizeof(struct pass),
    .kind = VG_KIND_LEAF,
};

struct walker {
    VG_FRAME(int);
    struct gate *gate;
    unsigned i;
    struct pass pass;
};

VG_ASYNC(walker)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 50; f->i++) {
        memset(&f->pass, 0, sizeof f->pass);
        vg_future_init(&f->pass.fut, &pass_ops);
        f->pass.gate = f->gate;
        VG_TRY(f->ret, &f->pass);
        f->gate->open = false;
    }
    VG_RETURN(0);
}

static struct walker *walker(struct walker *f, struct gate *gate)
{
    VG_SETUP(f, walker);
    f->gate = gate;
    return f;
}

struct keeper {
    VG_FRAME(int);
    struct gate *gate;
    unsigned i;
    struct vg_sleep nap;
};

VG_ASYNC(keeper)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 50; f->i++) {
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(20)));
        f->gate->open = true;
        if (f->gate->waiter != NULL)
            vg_notify(vg_wake(f->gate->waiter));
    }
    VG_RETURN(0);
}

static struct keeper *keeper(struct keeper *f, struct gate *gate)
{
    VG_SETUP(f, keeper);
    f->gate = gate;
    return f;
}

static int play_reentrant(struct lab *lab, unsigned twin)
{
    static struct gate gate;

    (void)twin;
    gate = (struct gate){.open = false};
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, walker, &gate), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, keeper, &gate), 0);
    return corpus_play_for(lab, VG_SEC(20));
}

/* ---- two events wake one task before it runs ------------------------------------------------- */

struct twice {
    VG_FRAME(int);
    struct vg_notifier *bells;
    unsigned i;
    VG_ARMS(2) sel;
    struct vg_notified first, second;
};

VG_ASYNC(twice)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 50; f->i++) {
        vg_notified(&f->first, &f->bells[0]);
        vg_notified(&f->second, &f->bells[1]);
        VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_CANCEL(&f->first), VG_CANCEL(&f->second)));
        if (f->ret < 0)
            VG_RETURN(f->ret);
    }
    VG_RETURN(0);
}

static struct twice *twice(struct twice *f, struct vg_notifier *bells)
{
    VG_SETUP(f, twice);
    f->bells = bells;
    return f;
}

struct bellman {
    VG_FRAME(int);
    struct vg_notifier *bells;
    unsigned i;
    struct vg_sleep nap;
};

VG_ASYNC(bellman)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 50; f->i++) {
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
        vg_notify_one(&f->bells[0]);
        vg_notify_one(&f->bells[1]);
    }
    VG_RETURN(0);
}

static struct bellman *bellman(struct bellman *f, struct vg_notifier *bells)
{
    VG_SETUP(f, bellman);
    f->bells = bells;
    return f;
}

static int play_double(struct lab *lab, unsigned twin)
{
    static struct vg_notifier bells[2];

    (void)twin;
    vg_notifier_init(&bells[0], "one");
    vg_notifier_init(&bells[1], "two");
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, twice, bells), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, bellman, bells), 0);
    return corpus_play_for(lab, VG_SEC(20));
}

const struct corpus_case corpus_controls_wake[] = {
    {.id = "ok-reentrant-wake", .play = play_reentrant},
    {.id = "ok-double-wake", .play = play_double},
    {.id = NULL},
};
