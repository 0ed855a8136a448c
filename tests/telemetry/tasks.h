/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_TELEMETRY_TASKS_H
#define VIGIL_TESTS_TELEMETRY_TASKS_H

#include "http.h"

/* Tasks to look at. */

struct sleeper {
    VG_FRAME(int);
    struct vg_sleep nap;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_NEVER));
    VG_RETURN(0);
}

static inline struct sleeper *sleeper(struct sleeper *f)
{
    VG_SETUP(f, sleeper);
    return f;
}

static inline void spawn_sleepers(struct room *room, struct vg_handle *handle, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_EQ(VG_SPAWN(room->exec, &handle[i], sleeper), 0);
}

static inline void end_tasks(struct vg_handle *handle, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        vg_task_cancel(&handle[i]);
    for (unsigned i = 0; i < count; i++) {
        while (!vg_task_done(&handle[i]))
            usleep(1000);
        vg_task_release(&handle[i]);
    }
}

#endif
