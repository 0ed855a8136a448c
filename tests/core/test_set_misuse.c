/* SPDX-License-Identifier: MIT */
#include <vigil/set.h>

#include "nodes.h"
#include "panic.h"
#include "rig.h"

/* What a set does not put up with. */

struct misuse {
    VG_FRAME(int);
    struct event *event;
    struct vg_set *set;
    bool twice; /* waits twice at once; otherwise it just returns */
    struct vg_set own;
    struct vg_set_item item;
    struct event_wait wait;
    struct vg_set_next next[2];
    VG_CHILDREN(2) both;
};

VG_ASYNC(misuse)
{
    VG_BEGIN(f);
    int rc = 0;
    vg_set_init(&f->own);
    VG_SET_PUSH(f->set != NULL ? f->set : &f->own, &f->item, event_wait(&f->wait, f->event));
    if (f->twice)
        VG_AWAIT(rc, VG_JOIN(f->both, vg_set_next(&f->next[0], &f->own),
                             vg_set_next(&f->next[1], &f->own)));
    VG_RETURN(rc);
}

static struct misuse *misuse(struct misuse *f, struct event *event, struct vg_set *set, bool twice)
{
    VG_SETUP(f, misuse);
    f->event = event;
    f->set = set;
    f->twice = twice;
    return f;
}

TEST(a_frame_that_returns_before_its_set_has_ended_is_told_so)
{
    struct event event = {.set = false};
    struct rig rig;

    rig_open(&rig);
    CHECK_PANICS(PANIC("core/async.c", "misuse returns while its child set is kept and still runs",
                       "misuse", "misuse") "(start)",
                 rig_spawn(&rig, misuse, &event, NULL, false));
    rig_close(&rig);
}

TEST(two_that_wait_for_what_ends_next_are_found_out)
{
    struct event event = {.set = false};
    struct rig rig;

    rig_open(&rig);
    CHECK_PANICS(PANIC("core/set_next.c", "two futures wait for what ends next in one set",
                       "misuse", "set_next") "VG_JOIN(f->both",
                 rig_spawn(&rig, misuse, &event, NULL, true));
    rig_close(&rig);
}

struct holder {
    VG_FRAME(int);
    struct event *event;
    struct vg_set *set;
    struct vg_set_item item;
    struct event_wait wait;
};

VG_ASYNC(holder)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(f->set);
    VG_SET_PUSH(f->set, &f->item, event_wait(&f->wait, f->event));
    VG_AWAIT(rc, f->set);
    VG_RETURN(rc);
}

static struct holder *holder(struct holder *f, struct event *event, struct vg_set *set)
{
    VG_SETUP(f, holder);
    f->event = event;
    f->set = set;
    return f;
}

TEST(a_set_is_not_pushed_to_by_another_task)
{
    struct event event = {.set = false}, other = {.set = false};
    struct vg_set set;
    struct rig rig;

    rig_open(&rig);
    rig_spawn(&rig, holder, &event, &set);
    CHECK_PANICS(PANIC("core/set.c", "event_wait is pushed to a set of another task", "misuse",
                       "misuse") "(start)",
                 rig_spawn(&rig, misuse, &other, &set, false));
    event_set(&event);
    rig_run(&rig);
    rig_close(&rig);
}
