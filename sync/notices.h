/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_NOTICES_H
#define VIGIL_SYNC_NOTICES_H

#include <vigil/future.h>

/* The tasks to notify after a guard: as many as one critical section may wake. */

enum { VG_NOTICES_MAX = 16 };

struct vg_notices {
    unsigned count;
    struct vg_notice notice[VG_NOTICES_MAX];
};

static inline void vg_notices_init(struct vg_notices *notices)
{
    notices->count = 0; /* the rest is not read */
}

static inline void vg_notices_add(struct vg_notices *notices, struct vg_notice notice)
{
    if (notice.task)
        notices->notice[notices->count++] = notice;
}

/* vg_notify(), where there is nobody to notify most of the time. */
static inline void vg_notify_any(struct vg_notice notice)
{
    if (notice.task)
        vg_notify(notice);
}

/* Without locks. */
static inline void vg_notices_send(const struct vg_notices *notices)
{
    for (unsigned i = 0; i < notices->count; i++)
        vg_notify(notices->notice[i]);
}

#endif
