/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/driver.h>

#include "vg_atomic.h"
#include "vg_os.h"
#include "worker.h"

/* park[i].word: 1 if worker i was unparked and has not parked since. */

static VG_ATOMIC(uint32_t) *word_of(struct vg_driver *driver, unsigned worker)
{
    return &((struct vg_driver_futex *)(void *)driver)->park[worker].word;
}

static int futex_open(struct vg_driver *driver, unsigned workers)
{
    unsigned i;

    for (i = 0; i < workers; i++)
        vg_store(word_of(driver, i), 0u, relaxed);
    return 0;
}

static void futex_close(struct vg_driver *driver)
{
    (void)driver;
}

static int futex_start(struct vg_driver *driver, unsigned worker)
{
    (void)driver, (void)worker;
    return 0;
}

static void futex_stop(struct vg_driver *driver, unsigned worker)
{
    (void)driver, (void)worker;
}

static uint64_t futex_now(struct vg_driver *driver)
{
    (void)driver;
    return vg_os_now();
}

static bool futex_ready(struct vg_driver *driver, unsigned worker)
{
    (void)driver, (void)worker;
    return false;
}

static unsigned futex_turn(struct vg_driver *driver, unsigned worker)
{
    (void)driver, (void)worker;
    return 0;
}

static void futex_park(struct vg_driver *driver, unsigned worker, uint64_t deadline)
{
    VG_ATOMIC(uint32_t) *word = word_of(driver, worker);

    vg_os_wait(word, 0, deadline);
    /* Acquire: pairs with the release in futex_unpark(). */
    (void)vg_xchg(word, 0u, acq_rel);
}

static void futex_unpark(struct vg_driver *driver, unsigned worker)
{
    VG_ATOMIC(uint32_t) *word = word_of(driver, worker);

    vg_store(word, 1u, release);
    vg_os_wake(word, 1);
}

static void futex_submit(struct vg_driver *driver, unsigned worker, struct vg_op *op)
{
    (void)driver, (void)worker, (void)op;
    vg_panic("I/O needs a driver that does it, such as vg_uring_open(): this executor has none");
}

static void futex_cancel(struct vg_driver *driver, unsigned worker, struct vg_op *op)
{
    (void)driver, (void)worker, (void)op;
}

static const struct vg_driver_ops futex_ops = {
    .name = "futex",
    .open = futex_open,
    .close = futex_close,
    .start = futex_start,
    .stop = futex_stop,
    .now = futex_now,
    .ready = futex_ready,
    .turn = futex_turn,
    .park = futex_park,
    .unpark = futex_unpark,
    .submit = futex_submit,
    .cancel = futex_cancel,
};

struct vg_driver *vg_driver_gone(void)
{
    static const struct vg_driver gone = {&futex_ops};

    return (struct vg_driver *)(uintptr_t)&gone;
}

struct vg_driver *vg_driver_futex(struct vg_driver_futex *futex)
{
    futex->driver.ops = &futex_ops;
    return &futex->driver;
}
