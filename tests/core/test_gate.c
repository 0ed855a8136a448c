/* SPDX-License-Identifier: MIT */
#include <vigil/waker.h>

#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Wakes below a biased select, which is entered from the top: none is lost, and each is reported. */

/* ---- un-parked below one --------------------------------------------------------------------- */

enum { GO, PARKED, GIVEN, OTHER, EVENTS };

/* Awaits PARKED whatever happens, then sets GIVEN. */
struct giver {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(giver)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT_SHIELDED(rc, event_wait(&f->wait, &f->event[PARKED]));
    event_set(&f->event[GIVEN]);
    VG_RETURN(rc);
}

static struct giver *giver(struct giver *f, struct event *event)
{
    VG_SETUP(f, giver);
    f->event = event;
    return f;
}

/* Parks the giver and waits for what it gives. */
struct taker {
    VG_FRAME(int);
    struct event *event;
    VG_ARMS(2) arms;
    struct giver giver;
    struct event_wait go, given;
};

VG_ASYNC(taker)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_PARK(giver(&f->giver, f->event)),
                           VG_CANCEL(event_wait(&f->go, &f->event[GO]))));
    VG_AWAIT_SHIELDED(rc, event_wait(&f->given, &f->event[GIVEN]));
    VG_AWAIT_SHIELDED(rc, &f->giver);
    VG_RETURN(rc);
}

static struct taker *taker(struct taker *f, struct event *event)
{
    VG_SETUP(f, taker);
    f->event = event;
    return f;
}

struct stubborn {
    VG_FRAME(int);
    struct event *event;
    struct event_wait wait;
};

VG_ASYNC(stubborn)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT_SHIELDED(rc, event_wait(&f->wait, &f->event[OTHER]));
    VG_RETURN(rc);
}

static struct stubborn *stubborn(struct stubborn *f, struct event *event)
{
    VG_SETUP(f, stubborn);
    f->event = event;
    return f;
}

struct gate {
    VG_FRAME(int);
    struct event *event;
    VG_ARMS(2) arms;
    struct taker taker;
    struct stubborn stubborn;
};

VG_ASYNC(gate)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT_BIASED(f->arms, VG_CANCEL(taker(&f->taker, f->event)),
                                  VG_CANCEL(stubborn(&f->stubborn, f->event))));
    VG_RETURN(rc);
}

static struct gate *gate(struct gate *f, struct event *event)
{
    VG_SETUP(f, gate);
    f->event = event;
    return f;
}

TEST(a_wake_that_was_skipped_below_a_biased_select_counts_when_its_child_is_unparked)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, gate, event);
    event_set(&event[GO]);
    rig_run(&rig);
    event_set(&event[PARKED]); /* passed over: the giver is parked */
    rig_run(&rig);
    event_poke(&event[OTHER]); /* the select is entered once more, without coming to the giver */
    rig_run(&rig);
    CHECK(!event[GIVEN].set);
    vg_task_cancel(&rig.task[0]); /* un-parks it; nothing else is woken by this */
    rig_run(&rig);
    CHECK(event[GIVEN].set);
    event_set(&event[OTHER]);
    rig_run(&rig);
    CHECK(rig_done(&rig, 0));
    rig_close(&rig);
}

/* ---- idle while others are entered ----------------------------------------------------------- */

struct patient {
    VG_FRAME(int);
    struct event *event;
    VG_ARMS(2) outer;
    VG_ARMS(1) kept;
    struct event_wait go, other, given;
};

VG_ASYNC(patient)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->outer,
                           VG_KEEP(VG_SELECT_BIASED(
                               f->kept, VG_CANCEL(event_wait(&f->given, &f->event[GIVEN])))),
                           VG_CANCEL(event_wait(&f->go, &f->event[GO]))));
    CHECK_EQ(rc, 1);
    vg_cx->task->takes += 0x80000010u; /* as if other selects had been entered so often meanwhile */
    VG_AWAIT(rc, event_wait(&f->other, &f->event[OTHER]));
    CHECK(vg_done(&f->kept.sel.fut));
    VG_AWAIT(rc, &f->kept.sel);
    VG_RETURN(rc);
}

static struct patient *patient(struct patient *f, struct event *event)
{
    VG_SETUP(f, patient);
    f->event = event;
    return f;
}

TEST(a_biased_select_may_be_idle_while_others_are_entered_two_milliard_times)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, patient, event);
    event_set(&event[GO]);
    rig_run(&rig);
    event_set(&event[GIVEN]);
    rig_run(&rig);
    event_set(&event[OTHER]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct patient), 0);
    rig_close(&rig);
}

/* ---- what the probe hears -------------------------------------------------------------------- */

struct listener {
    struct vg_probe probe;
    unsigned visits;
    uint64_t runtime_ns;
};

static void hear_visit(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    struct listener *listener = (struct listener *)(void *)probe;

    CHECK_EQ(worker, 0);
    listener->visits++;
    listener->runtime_ns = visit->runtime_ns;
}

/* An event whose wait is woken by a waker. */
struct foreign_wait {
    struct vg_future fut;
    int ret;
    bool *happened;
    struct vg_waker *handed_out, waker;
};

static vg_poll foreign_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct foreign_wait *wait = (struct foreign_wait *)(void *)fut;

    if (!*wait->happened && !vg_cancelled(fut)) {
        CHECK_EQ(vg_waker_arm(&wait->waker, fut, cx), 0);
        *wait->handed_out = wait->waker;
        return VG_PENDING;
    }
    vg_waker_disarm(&wait->waker, cx);
    return VG_READY;
}

static struct foreign_wait *foreign_wait(struct foreign_wait *wait, bool *happened,
                                         struct vg_waker *handed_out)
{
    static const struct vg_ops ops = {
        .poll = foreign_poll,
        .name = "foreign_wait",
        .size = sizeof(struct foreign_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    wait->ret = 0;
    wait->happened = happened;
    wait->handed_out = handed_out;
    wait->waker = (struct vg_waker){.slot = NULL};
    return wait;
}

struct chooser {
    VG_FRAME(int);
    struct event *event;
    bool *happened;
    struct vg_waker *waker;
    VG_ARMS(1) arms;
    struct event_wait wait;
    struct foreign_wait foreign;
};

VG_ASYNC(chooser)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT_BIASED(f->arms, VG_CANCEL(event_wait(&f->wait, f->event))));
    VG_AWAIT(
        rc, VG_SELECT_BIASED(f->arms, VG_CANCEL(foreign_wait(&f->foreign, f->happened, f->waker))));
    VG_RETURN(rc);
}

static struct chooser *chooser(struct chooser *f, struct event *event, bool *happened,
                               struct vg_waker *waker)
{
    VG_SETUP(f, chooser);
    f->event = event;
    f->happened = happened;
    f->waker = waker;
    return f;
}

TEST(a_wake_below_a_biased_select_is_measured)
{
    struct rig rig;
    struct listener listener = {.probe = {.visited = hear_visit}};
    struct event event = {.set = false};
    struct vg_waker waker = {.slot = NULL};
    bool happened = false;

    rig_open_config(&rig, 1, &listener.probe, true);
    rig_spawn(&rig, chooser, &event, &happened, &waker);
    CHECK_EQ(listener.visits, 0);
    event_set(&event);
    rig.sim.now += VG_MSEC(3);
    rig_run(&rig);
    CHECK_EQ(listener.visits, 1);
    CHECK_EQ(listener.runtime_ns, VG_MSEC(3));
    happened = true;
    vg_waker_wake(waker);
    rig.sim.now += VG_MSEC(2);
    rig_run(&rig);
    CHECK_EQ(listener.visits, 2);
    CHECK_EQ(listener.runtime_ns, VG_MSEC(2));
    CHECK_EQ(RIG_RET(&rig, 0, struct chooser), 0);
    rig_close(&rig);
}
