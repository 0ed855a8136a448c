/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_WORLD_H
#define VIGIL_TESTS_WORLD_H

#include "harness.h"
#include "sim.h"

/* An executor on a simulator, and what the programs on it count. */
struct world {
    struct sim sim;
    struct vg_exec *exec;
    uint64_t started, ended, cancelled, refused;
    unsigned left; /* tasks that may still be spawned */
};

static inline void world_open(struct world *w, uint64_t seed, unsigned workers)
{
    memset(w, 0, sizeof *w);
    sim_open(&w->sim, seed, workers);
    struct vg_config config = sim_config(&w->sim);
    CHECK_EQ(vg_exec_open(&w->exec, &config), 0);
}

static inline void world_close(struct world *w)
{
    CHECK_EQ(vg_exec_close(w->exec, VG_SEC(60)), 0);
    CHECK_EQ(w->started, w->ended);
    sim_close(&w->sim);
}

/* For sim_run(). */
static inline bool world_is_empty(void *arg)
{
    return vg_exec_live(((struct world *)arg)->exec) == 0;
}

/* One to eight workers. */
static inline unsigned world_workers(uint64_t seed)
{
    return 1 + (unsigned)(seed % 8);
}

#endif
