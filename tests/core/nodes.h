/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_CORE_NODES_H
#define VIGIL_TESTS_CORE_NODES_H

#include "event.h"
#include "harness.h"
#include "vg_os.h"

/* ---- a future around another one: counts its polls, and does something when the child has ended ---- */

struct around {
    struct vg_future fut;
    int ret;
    struct vg_future *child;
    unsigned *polls;
    void (*then)(void *arg);
    void *arg;
};

static inline vg_poll around_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct around *around = (struct around *)(void *)fut;

    if (around->polls != NULL)
        ++*around->polls;
    if (!vg_poll_future(around->child, cx).ready)
        return VG_PENDING;
    if (around->then != NULL)
        around->then(around->arg);
    return VG_READY;
}

static inline void around_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    vg_cancel(((struct around *)(void *)fut)->child, cx);
}

static inline struct vg_future *around_child(const struct vg_future *fut, unsigned i)
{
    return i == 0 ? ((const struct around *)(const void *)fut)->child : NULL;
}

static inline struct around *around_init(struct around *around, struct vg_future *child,
                                         unsigned *polls, const struct vg_ops *ops)
{
    vg_future_init(&around->fut, ops);
    around->ret = 0;
    around->child = child;
    around->polls = polls;
    around->then = NULL;
    return around;
}

static inline struct around *around(struct around *around, struct vg_future *child, unsigned *polls)
{
    static const struct vg_ops ops = {
        .poll = around_poll,
        .cancel = around_cancel,
        .child = around_child,
        .name = "around",
        .size = sizeof(struct around),
        .kind = VG_KIND_NODE,
    };

    return around_init(around, child, polls, &ops);
}

/* The same, but it does not say what it is made of. */
static inline struct around *opaque(struct around *around, struct vg_future *child, unsigned *polls)
{
    static const struct vg_ops ops = {
        .poll = around_poll,
        .cancel = around_cancel,
        .name = "opaque",
        .size = sizeof(struct around),
        .kind = VG_KIND_OPAQUE,
    };

    return around_init(around, child, polls, &ops);
}

/* ---- from another thread, which has ended when these return ---------------------------------- */

static inline void *elsewhere_set(void *event)
{
    event_set(event);
    return NULL;
}

static inline void *elsewhere_poke(void *event)
{
    event_poke(event);
    return NULL;
}

static inline void elsewhere(void *(*run)(void *arg), void *arg)
{
    struct vg_os_thread thread = {.run = run, .arg = arg};

    CHECK_EQ(vg_os_thread_start(&thread, "elsewhere"), 0);
    vg_os_thread_join(&thread);
}

static inline void set_elsewhere(struct event *event)
{
    elsewhere(elsewhere_set, event);
}

static inline void poke_elsewhere(struct event *event)
{
    elsewhere(elsewhere_poke, event);
}

#endif
