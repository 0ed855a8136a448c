/* SPDX-License-Identifier: MIT */
#include "ring.h"
#include "vg_os.h"

/* How soon to try again when the kernel had no memory or room for what is to be submitted. */
#define RETRY VG_MSEC(1)

enum { LOOKS = 64 }; /* at the ring, for one at the clock */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static void enter(struct vg_ring *ring, const struct __kernel_timespec *limit)
{
    struct io_uring_getevents_arg arg = {.ts = (uintptr_t)limit};
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;

    if (ring->registered)
        flags |= IORING_ENTER_REGISTERED_RING;
    if (ring->no_iowait)
        flags |= IORING_ENTER_NO_IOWAIT;
    vg_ring_add(&ring->count.parks, 1);
    /* Why it returned does not matter: the turn that follows looks at everything. */
    vg_ring_entered(ring, io_uring_enter2((unsigned)ring->uring.enter_ring_fd, 0, 1, flags,
                                          (sigset_t *)(void *)&arg, sizeof arg));
}

void vg_ring_wait(struct vg_ring *ring, uint64_t deadline)
{
    struct __kernel_timespec limit;
    uint64_t now;

    if (deadline == VG_NEVER && vg_ring_quiet(ring)) {
        enter(ring, NULL);
        return;
    }
    now = vg_os_now();
    if (!vg_ring_quiet(ring))
        deadline = earlier(deadline, now + RETRY);
    if (deadline <= now)
        return;
    limit.tv_sec = (int64_t)((deadline - now) / VG_SEC(1));
    limit.tv_nsec = (long long)((deadline - now) % VG_SEC(1));
    enter(ring, &limit);
}

static bool look(struct vg_ring *ring, uint64_t until)
{
    do {
        for (int i = 0; i < LOOKS; i++) {
            if (vg_ring_ready(ring))
                return true;
            vg_pause();
        }
    } while (vg_os_now() < until);
    return false;
}

bool vg_ring_spin(struct vg_ring *ring, uint64_t deadline)
{
    uint32_t nobody = 0;
    bool found;

    if (ring->spin_ns == 0 || vg_load(ring->spinner, relaxed) != 0)
        return false;
    /* Hands nothing over: it only keeps a second worker from spinning too. */
    if (!vg_cas(ring->spinner, &nobody, 1, acq_rel, relaxed))
        return false;
    found = look(ring, earlier(deadline, vg_os_now() + ring->spin_ns));
    vg_store(ring->spinner, 0, release); /* as above */
    return found;
}
