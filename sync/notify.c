/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include <errno.h>

#include "claim.h"
#include "permits.h"

/* A notification is a unit that comes from nowhere, and that a wait uses up. */

void vg_notifier_init_at(struct vg_notifier *notifier, const char *name,
                         const struct vg_place *place)
{
    vg_permits_init(&notifier->permits, &vg_notifier_resource_, name, place, 0, 1);
}

void vg_notifier_fini(struct vg_notifier *notifier)
{
    const struct vg_permits_use use = vg_permits_use(&notifier->permits);

    if (use.waiters > 0)
        vg_panic("vg_notifier_fini: %u futures wait for notifier %s", use.waiters,
                 vg_permits_name(&notifier->permits));
}

void vg_notifier_set_healing(struct vg_notifier *notifier, bool healing)
{
    vg_permits_set_healing(&notifier->permits, healing);
}

void vg_notify_one(struct vg_notifier *notifier)
{
    vg_permits_add(&notifier->permits, 1);
}

void vg_notify_all(struct vg_notifier *notifier)
{
    vg_permits_dismiss(&notifier->permits, false, 0);
}

int vg_try_notified(struct vg_notifier *notifier)
{
    return vg_permits_try(&notifier->permits, 1) ? 0 : -EAGAIN;
}

const struct vg_resource_ops vg_notifier_resource_ = {
    .kind = "notifier",
    .ahead = vg_permits_ahead,
    .waiters = vg_permits_waiters,
};

static vg_poll notified_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_notified *notified = (struct vg_notified *)(void *)fut;

    if (!vg_claim_poll(fut, cx).ready)
        return VG_PENDING;
    notified->ret = vg_claim_result(&notified->claim, 0);
    return VG_READY;
}

static const struct vg_ops notified_ops = {
    .poll = notified_poll,
    VG_CLAIM_OPS,
    .name = "vg_notified",
    .size = sizeof(struct vg_notified),
};

struct vg_notified *vg_notified(struct vg_notified *notified, struct vg_notifier *notifier)
{
    vg_claim_init(&notified->claim, &notified_ops, &notifier->permits, 1);
    notified->ret = 0;
    return notified;
}
