/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"

/* Since when a task owes a poll to what was woken. */

enum { FIRST, SECOND, THIRD, GO, MORE, BACK, EVENTS };

/* Parks three waits, takes up the third, and in the end the others. */
struct debtor {
    VG_FRAME(int);
    struct event *event; /* EVENTS */
    VG_ARMS(4) arms;
    struct event_wait wait[EVENTS];
    unsigned i;
};

VG_ASYNC(debtor)
{
    VG_BEGIN(f);
    int rc;
    for (f->i = 0; f->i < EVENTS; f->i++)
        event_wait(&f->wait[f->i], &f->event[f->i]);
    VG_AWAIT(rc, VG_SELECT(f->arms, VG_PARK(&f->wait[FIRST]), VG_PARK(&f->wait[SECOND]),
                           VG_PARK(&f->wait[THIRD]), VG_CANCEL(&f->wait[GO])));
    VG_AWAIT(rc, &f->wait[MORE]);
    VG_AWAIT(rc, &f->wait[THIRD]);
    VG_AWAIT(rc, &f->wait[FIRST]);
    VG_AWAIT(rc, &f->wait[SECOND]);
    VG_RETURN(rc);
}

static struct debtor *debtor(struct debtor *f, struct event *event)
{
    VG_SETUP(f, debtor);
    f->event = event;
    return f;
}

static uint64_t owed_since(const struct rig *rig)
{
    struct vg_task_info info;

    vg_task_info(rig->task[0].task, &info);
    return info.owed_since;
}

TEST(a_task_owes_since_the_oldest_wake_whatever_order_it_has_looked_at_them_in)
{
    struct rig rig;
    struct event event[EVENTS] = {{.set = false}};
    uint64_t first;

    rig_open(&rig);
    rig_spawn(&rig, debtor, event);
    event_set(&event[GO]);
    rig_run(&rig);
    CHECK_EQ(owed_since(&rig), 0);
    first = sim_now(&rig.sim);
    event_set(&event[FIRST]);
    rig_run(&rig);
    CHECK_EQ(owed_since(&rig), first);
    rig_pass(&rig, VG_MSEC(10));
    event_set(&event[MORE]); /* what was passed over is looked at again, behind the next */
    event_set(&event[SECOND]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    CHECK_EQ(owed_since(&rig), first);
    event_set(&event[THIRD]);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct debtor), 0);
    rig_close(&rig);
}
