/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_NOTICES_H
#define VIGIL_SYNC_NOTICES_H

#include <vigil/future.h>

/* What is left to do after a guard: tasks to notify, as many as one critical section may wake, and memory. */

/* Values that one section moves. Each may wake a sender and a receiver. */
enum { VG_SECTION_MAX = 16, VG_NOTICES_MAX = 2 * VG_SECTION_MAX };

struct vg_notices {
    unsigned count;
    struct vg_notice notice[VG_NOTICES_MAX];
    void *garbage; /* to be freed; NULL: nothing */
};

static inline void vg_notices_init(struct vg_notices *notices)
{
    notices->count = 0;
    notices->garbage = NULL;
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
