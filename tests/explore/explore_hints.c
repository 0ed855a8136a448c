/* SPDX-License-Identifier: MIT */
/*
 * What mc_hint() says of a word: depth first it is always up to date, so that the order in which another thread's two relaxed stores
 * arrive cannot be told; by priorities it can.
 */
#include "vg_atomic.h"

static VG_ATOMIC(int) figure, ready;

static void init(void)
{
    vg_store(&figure, 0, relaxed);
    vg_store(&ready, 0, relaxed);
    mc_hint(&figure);
}

static void thread(int id)
{
    if (id == 0) {
        vg_store(&figure, 1, relaxed);
        vg_store(&ready, 1, relaxed);
    } else if (vg_load(&ready, relaxed) == 1) {
        MC_ASSERT(vg_load(&figure, relaxed) == 1);
    }
}
MC_MODEL(hints_newest, .threads = 2, .init = init, .thread = thread);
