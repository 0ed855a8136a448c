/* SPDX-License-Identifier: MIT */
#include <vigil/waker.h>

#include "counting_alloc.h"
#include "rig.h"

/* Waker slots that are taken on one worker and given back on another. */

struct call {
    struct vg_future fut;
    int ret;
    bool *happened;
    struct vg_waker *handed_out, waker;
};

static vg_poll call_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct call *call = (struct call *)(void *)fut;

    if (!*call->happened && !vg_cancelled(fut)) {
        CHECK_EQ(vg_waker_arm(&call->waker, fut, cx), 0);
        *call->handed_out = call->waker;
        return VG_PENDING;
    }
    vg_waker_disarm(&call->waker, cx);
    return VG_READY;
}

struct caller {
    VG_FRAME(int);
    struct call call;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, &f->call);
    VG_RETURN(rc);
}

static struct caller *caller(struct caller *f, bool *happened, struct vg_waker *handed_out)
{
    static const struct vg_ops ops = {
        .poll = call_poll,
        .name = "call",
        .size = sizeof(struct call),
        .kind = VG_KIND_LEAF,
    };

    VG_SETUP(f, caller);
    vg_future_init(&f->call.fut, &ops);
    f->call.ret = 0;
    f->call.happened = happened;
    f->call.handed_out = handed_out;
    f->call.waker = (struct vg_waker){.slot = NULL};
    return f;
}

/* Tasks one after the other: each begins on worker 0 and ends on worker 1. */
static void make_calls(struct rig *rig, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct vg_waker waker = {.slot = NULL};
        bool happened = false;

        CHECK_EQ(VG_SPAWN(rig->exec, NULL, caller, &happened, &waker), 0);
        for (unsigned n = 0; waker.slot == NULL && n < 10; n++)
            (void)vg_exec_step(rig->exec, 0);
        CHECK(waker.slot != NULL);
        happened = true;
        vg_waker_wake(waker);
        for (unsigned n = 0; vg_exec_live(rig->exec) > 0 && n < 10; n++)
            (void)vg_exec_step(rig->exec, 1);
        CHECK_EQ(vg_exec_live(rig->exec), 0);
    }
}

TEST(slots_go_round_between_workers)
{
    struct rig rig;
    uint64_t requests;

    rig_open_config(&rig, 2, NULL, true);
    make_calls(&rig, 500);
    requests = test_alloc_requests();
    make_calls(&rig, 2000);
    CHECK_EQ(test_alloc_requests(), requests);
    rig_close(&rig);
}
