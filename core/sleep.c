/* SPDX-License-Identifier: MIT */
#include <vigil/time.h>

#include <errno.h>

#include "drop.h"
#include "task.h"
#include "wheel.h"
#include "worker.h"

static vg_poll start(struct vg_sleep *sleep, struct vg_cx *cx)
{
    const uint64_t now = vg_cx_now(cx);

    if (sleep->fut.flags & VG_F_CANCEL) {
        sleep->ret = -ECANCELED;
        return VG_READY;
    }
    if (sleep->relative) {
        sleep->relative = 0;
        sleep->deadline = sleep->deadline < VG_NEVER - now ? now + sleep->deadline : VG_NEVER;
    }
    if (sleep->deadline <= now)
        return (vg_poll){vg_coop(&sleep->waiter, &sleep->fut, cx)};
    vg_arm(&sleep->waiter, &sleep->fut, cx);
    sleep->timer.deadline = sleep->deadline;
    sleep->timer.waiter = &sleep->waiter;
    vg_wheel_insert(&vg_worker_of(cx)->wheel, &sleep->timer);
    return VG_PENDING;
}

static vg_poll sleep_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_sleep *sleep = (struct vg_sleep *)(void *)fut;

    if (sleep->waiter.task == NULL)
        return start(sleep, cx);
    if (sleep->waiter.flags & VG_W_ARMED)
        return VG_PENDING;
    vg_disarm(&sleep->waiter, cx);
    sleep->ret = sleep->waiter.woken_at != 0 ? 0 : -ECANCELED;
    return VG_READY;
}

static void sleep_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_sleep *sleep = (struct vg_sleep *)(void *)fut;

    if (sleep->timer.wheel == NULL)
        return; /* deferred for want of budget: it is on its way */
    vg_wheel_remove(&sleep->timer);
    vg_task_take(cx->task, cx);
    vg_kick(&sleep->waiter, cx);
}

static const struct vg_ops sleep_ops = {
    .poll = sleep_poll,
    .cancel = sleep_cancel,
    .name = "sleep",
    .size = sizeof(struct vg_sleep),
    .kind = VG_KIND_LEAF,
    .is_timer = 1,
};

uint64_t vg_sleep_deadline(const struct vg_future *fut)
{
    return fut->ops == &sleep_ops ? ((const struct vg_sleep *)(const void *)fut)->deadline : 0;
}

uint64_t vg_now(void)
{
    const struct vg_worker *worker = vg_worker_here;

    if (worker == NULL)
        return vg_os_now();
    return worker->cx != NULL ? vg_cx_now(worker->cx) : vg_exec_now(worker->exec);
}

static struct vg_sleep *init(struct vg_sleep *sleep, uint64_t deadline, bool relative)
{
    vg_future_init(&sleep->fut, &sleep_ops);
    sleep->ret = 0;
    sleep->relative = relative;
    sleep->deadline = deadline;
    sleep->timer.wheel = NULL;
    sleep->waiter.task = NULL;
    sleep->waiter.flags = 0;
    return sleep;
}

struct vg_sleep *vg_sleep(struct vg_sleep *sleep, uint64_t after)
{
    return init(sleep, after, true);
}

struct vg_sleep *vg_sleep_until(struct vg_sleep *sleep, uint64_t deadline)
{
    return init(sleep, deadline, false);
}
