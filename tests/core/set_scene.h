/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_CORE_SET_SCENE_H
#define VIGIL_TESTS_CORE_SET_SCENE_H

#include <vigil/set.h>

#include "nodes.h"
#include "rig.h"

/* Children that come and go while they run. Each waits for an event of its own, which the test sets. */

enum { CHILDREN = 6 };

struct child {
    struct vg_set_item item;
    struct event_wait wait;
};

struct scene {
    struct event event[CHILDREN], busy;
    struct vg_set set;
    struct child child[CHILDREN];
    unsigned polls[CHILDREN]; /* of each child */
    int order[CHILDREN + 1];  /* numbers of those taken out, and the -errno that ended it */
    unsigned taken;
};

static inline void count_poll(void *polls)
{
    ++*(unsigned *)polls;
}

static inline struct event_wait *child(struct scene *s, unsigned i)
{
    return event_wait_hooked(&s->child[i].wait, &s->event[i], count_poll, &s->polls[i]);
}

static inline void take(struct scene *s, const struct vg_set_item *item)
{
    CHECK(s->taken < CHILDREN);
    s->order[s->taken++] = (int)((const struct child *)(const void *)item - s->child);
}

/* Pushes all children but the last, is busy with something else if it is told to, then takes out whatever there is. */
struct collector {
    VG_FRAME(int);
    struct scene *scene;
    bool is_busy, ends_all;
    struct event_wait busy;
    struct vg_set_next next;
};

VG_ASYNC(collector)
{
    VG_BEGIN(f);
    int rc;
    vg_set_init(&f->scene->set);
    for (unsigned i = 0; i < CHILDREN - 1; i++)
        VG_SET_PUSH(&f->scene->set, &f->scene->child[i].item, child(f->scene, i));
    if (f->is_busy)
        VG_AWAIT(rc, event_wait(&f->busy, &f->scene->busy));
    for (;;) {
        VG_AWAIT(rc, vg_set_next(&f->next, &f->scene->set));
        if (rc < 0)
            break;
        take(f->scene, f->next.item);
    }
    CHECK(f->next.item == NULL);
    f->scene->order[f->scene->taken] = rc;
    if (f->ends_all)
        VG_AWAIT_CANCEL(rc, &f->scene->set);
    VG_RETURN(rc);
}

static inline struct collector *collector(struct collector *f, struct scene *scene, bool is_busy,
                                          bool ends_all)
{
    VG_SETUP(f, collector);
    f->scene = scene;
    f->is_busy = is_busy;
    f->ends_all = ends_all;
    return f;
}

static inline void set_in_order(struct rig *rig, struct scene *s, const int *order)
{
    for (unsigned i = 0; i < CHILDREN - 1; i++) {
        event_set(&s->event[order[i]]);
        rig_run(rig);
    }
}

static const int backwards[] = {3, 0, 4, 2, 1, -ENOENT};

#endif
