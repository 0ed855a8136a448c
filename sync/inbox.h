/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_INBOX_H
#define VIGIL_SYNC_INBOX_H

#include <errno.h>

#include <vigil/inbox.h>

#include "notices.h"
#include "vg_spin.h"
#include "waitlist.h"

/* What a channel does for its receiver: */
struct vg_inbox_ops {
    /* Guard held. Moves up to `max` values out, at most VG_SECTION_MAX. Returns how many. */
    uint32_t (*take)(struct vg_inbox *inbox, void *values, uint32_t max,
                     struct vg_notices *notices);
    /* Guard held. Whether there is a value to take. */
    bool (*has)(const struct vg_inbox *inbox);
    /* Guard held. No value will come any more. Those that are left are received first. */
    bool (*is_over)(const struct vg_inbox *inbox);
    /* Frees the garbage that take() has left. NULL: it leaves none. */
    void (*dispose)(struct vg_inbox *inbox, void *garbage);
};

static inline const char *vg_inbox_name(const struct vg_inbox *inbox)
{
    return inbox->resource.name ? inbox->resource.name : "(unnamed)";
}

/* Guard held. Wakes the one receiver that waits. It is not handed anything: it looks for itself. */
static inline struct vg_notice vg_inbox_wake_one(struct vg_inbox *inbox)
{
    struct vg_waiter *waiter = inbox->receiver;

    if (!waiter)
        return (struct vg_notice){NULL};
    inbox->receiver = NULL;
    waiter->queued = 0;
    return vg_wake(waiter);
}

/* Guard held. There is one value more for the taking. Where there are several receivers it is set aside for the oldest
 * that waits: otherwise one that is not polled would keep it from the others. */
static inline struct vg_notice vg_inbox_wake(struct vg_inbox *inbox)
{
    if (inbox->receivers)
        return vg_waitlist_grant_one(inbox->receivers);
    return vg_inbox_wake_one(inbox);
}

/* Guard held. Values that are set aside for receivers. */
static inline uint32_t vg_inbox_set_aside(const struct vg_inbox *inbox)
{
    return inbox->receivers ? inbox->receivers->granted : 0;
}

/* Guard held. Reports want to know who makes room in the channel. */
void vg_inbox_note_taker(struct vg_inbox *inbox, const struct vg_future *leaf, struct vg_cx *cx);

/* Guard held. The only task that has received so far; false: there is no such task. */
bool vg_inbox_taker(const struct vg_inbox *inbox, struct vg_owner *taker);

/* Prepares the future. */
struct vg_receive *vg_inbox_recv(struct vg_receive *recv, struct vg_inbox *inbox, void *values,
                                 size_t max, bool many);

/* Guard held. Panics if a receive waits. */
void vg_inbox_fini(const struct vg_inbox *inbox);

/* For vg_resource_ops. */
unsigned vg_inbox_waiters(struct vg_resource *resource);

extern const struct vg_ops vg_inbox_recv_ops_;

/* After the guard. */
static inline void vg_inbox_finish(struct vg_inbox *inbox, const struct vg_inbox_ops *ops,
                                   const struct vg_notices *notices)
{
    vg_notices_send(notices);
    if (VG_UNLIKELY(notices->garbage != NULL))
        ops->dispose(inbox, notices->garbage);
}

/* Without waiting: 0, -EAGAIN or -EPIPE. Inline, for the compiler to see what `ops` are. */
static inline int vg_inbox_try_recv(struct vg_inbox *inbox, const struct vg_inbox_ops *ops,
                                    void *value)
{
    struct vg_notices notices;
    int rc = 0;

    vg_notices_init(&notices);
    vg_spin_lock(&inbox->senders.guard);
    inbox->shared = true;
    inbox->reader = NULL;
    if (ops->take(inbox, value, 1, &notices) == 0)
        rc = ops->is_over(inbox) ? -EPIPE : -EAGAIN;
    vg_spin_unlock(&inbox->senders.guard);
    vg_inbox_finish(inbox, ops, &notices);
    return rc;
}

#endif
