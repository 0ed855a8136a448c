/* SPDX-License-Identifier: MIT */
#include "nodes.h"
#include "rig.h"
#include "task.h"

/* Wakes of futures that end by other means: nothing of them may be left on any list. */

struct racer {
    VG_FRAME(int);
    struct event *event; /* two */
    bool reuse;
    VG_ARMS(2) arms;
    union {
        struct event_wait wait[2];
        struct vg_sleep nap;
    } u;
};

static void set_loser(void *arg)
{
    struct racer *f = arg;

    if (f->event[0].set)
        set_elsewhere(&f->event[1]);
}

VG_ASYNC(racer)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, VG_SELECT(f->arms,
                           VG_CANCEL(event_wait_hooked(&f->u.wait[0], &f->event[0], set_loser, f)),
                           VG_CANCEL(event_wait(&f->u.wait[1], &f->event[1]))));
    CHECK_EQ(rc, 0);
    CHECK_EQ(f->u.wait[1].ret, 0); /* it was set before it could be cancelled */
    SCRIBBLE(&f->arms);
    SCRIBBLE(&f->u);
    VG_AWAIT(rc, vg_sleep(&f->u.nap, VG_MSEC(1)));
    VG_RETURN(rc);
}

static struct racer *racer(struct racer *f, struct event *event)
{
    VG_SETUP(f, racer);
    f->event = event;
    return f;
}

TEST(a_loser_woken_while_the_winner_is_polled_ends_with_its_waiter_off_every_list)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, racer, event);
    event_set(&event[0]);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    rig_pass(&rig, VG_MSEC(1));
    CHECK_EQ(RIG_RET(&rig, 0, struct racer), 0);
    rig_close(&rig);
}

TEST(a_loser_woken_in_the_same_batch_ends_with_its_waiter_off_every_list)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, racer, event);
    event_set(&event[0]);
    event_set(&event[1]);
    rig_run(&rig);
    rig_pass(&rig, VG_MSEC(1));
    CHECK_EQ(RIG_RET(&rig, 0, struct racer), 0);
    rig_close(&rig);
}

/* ---- wakes after the end --------------------------------------------------------------------- */

/* Awaits the same event in memory that is overwritten in between. */
struct phoenix {
    VG_FRAME(int);
    struct event *event; /* two */
    unsigned lives;
    VG_ARMS(2) arms;
    struct event_wait wait[2];
};

VG_ASYNC(phoenix)
{
    VG_BEGIN(f);
    int rc;
    for (f->lives = 0; f->lives < 10; f->lives++) {
        f->event[0].set = f->event[1].set = false;
        VG_AWAIT(rc, VG_RACE(f->arms, event_wait(&f->wait[0], &f->event[0]),
                             event_wait(&f->wait[1], &f->event[1])));
        CHECK_EQ(rc, f->lives % 2);
        SCRIBBLE(&f->arms);
        SCRIBBLE(&f->wait);
    }
    VG_RETURN(0);
}

static struct phoenix *phoenix(struct phoenix *f, struct event *event)
{
    VG_SETUP(f, phoenix);
    f->event = event;
    return f;
}

TEST(a_future_can_be_made_anew_where_another_one_was_cancelled)
{
    struct rig rig;
    struct event event[2] = {{.set = false}};

    rig_open(&rig);
    rig_spawn(&rig, phoenix, event);
    for (unsigned i = 0; i < 10; i++) {
        CHECK_EQ(rig.task[0].task->armed, 2);
        event_set(&event[i % 2]);
        if (i % 3 == 0)
            event_set(&event[(i + 1) % 2]);
        rig_run(&rig);
    }
    CHECK_EQ(RIG_RET(&rig, 0, struct phoenix), 0);
    rig_close(&rig);
}
