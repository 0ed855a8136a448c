/* SPDX-License-Identifier: MIT */
#include "idle.h"

#include <string.h>

#include "vg_spin.h"

void vg_idle_init(struct vg_idle *idle, unsigned workers)
{
    VG_ASSERT(workers > 0);
    VG_ASSERT(workers <= VG_IDLE_MAX);
    memset(idle, 0, sizeof *idle);
    idle->workers = workers;
}

bool vg_idle_start_search(struct vg_idle *idle)
{
    uint32_t word = vg_load(&idle->word, relaxed);

    /* Each failed round is another worker's change of state, and after that one may be enough. */
    do {
        if (2 * vg_idle_searching_(word) >= idle->workers)
            return false;
        /* Publishes nothing: who reads the count has its own fence. */
    } while (!vg_cas(&idle->word, &word, word + VG_IDLE_SEARCHING_, acq_rel, relaxed));
    return true;
}

bool vg_idle_stop_search(struct vg_idle *idle)
{
    /* A full fence follows where it matters: in the notification that the last one owes. */
    uint32_t word = vg_fetch_sub(&idle->word, VG_IDLE_SEARCHING_, acq_rel);

    VG_ASSERT(vg_idle_searching_(word) > 0);
    return vg_idle_searching_(word) == 1;
}

/* Guard held. */
static uint32_t sleeping(struct vg_idle *idle)
{
    return vg_idle_sleeping_(vg_load(&idle->word, relaxed));
}

void vg_idle_prepare_park(struct vg_idle *idle, unsigned worker, bool searching)
{
    /* Before the worker is in the list: who picks it from there finds PARKED. */
    vg_store(&idle->parkers[worker].state, VG_PARKED_, release);
    vg_spin_lock(&idle->guard);
    idle->sleepers[sleeping(idle)] = (uint8_t)worker;
    vg_fetch_add(&idle->word, VG_IDLE_SLEEPING_ - (searching ? VG_IDLE_SEARCHING_ : 0u), acq_rel);
    vg_spin_unlock(&idle->guard);
    vg_fence(); /* pairs with the fences in notify and notify_worker */
}

/* Guard held. Takes the worker off the list; false if it is not there. */
static bool leave(struct vg_idle *idle, unsigned worker)
{
    uint32_t n = sleeping(idle), i = n;

    while (i > 0 && idle->sleepers[i - 1] != worker)
        i--;
    if (i == 0)
        return false;
    memmove(&idle->sleepers[i - 1], &idle->sleepers[i], n - i);
    vg_fetch_sub(&idle->word, VG_IDLE_SLEEPING_, acq_rel);
    return true;
}

bool vg_idle_end_park(struct vg_idle *idle, unsigned worker)
{
    bool picked;

    vg_spin_lock(&idle->guard);
    picked = !leave(idle, worker);
    vg_spin_unlock(&idle->guard);
    /* The acquire pairs with the release of whoever claimed the doorbell. */
    vg_xchg(&idle->parkers[worker].state, VG_RUNNING_, acq_rel);
    return picked;
}

int vg_idle_pick_(struct vg_idle *idle)
{
    uint32_t word;
    unsigned worker = VG_IDLE_MAX;

    vg_spin_lock(&idle->guard);
    word = vg_load(&idle->word, relaxed);
    /* Both may have changed. If somebody began to search after the fence of notify, it sees the work. */
    if (vg_idle_searching_(word) == 0 && vg_idle_sleeping_(word) > 0) {
        worker = idle->sleepers[vg_idle_sleeping_(word) - 1];
        vg_fetch_sub(&idle->word, VG_IDLE_SLEEPING_ - VG_IDLE_SEARCHING_, acq_rel);
    }
    vg_spin_unlock(&idle->guard);
    /* If the claim fails, a message for that worker has already woken it. */
    return worker < VG_IDLE_MAX && vg_idle_claim_(idle, worker) ? (int)worker : -1;
}
