/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_GAME_H
#define VIGIL_TESTS_SYNC_GAME_H

#include <vigil/async.h>
#include <vigil/exec.h>

#include "harness.h"

/*
 * Many tasks that use the same things, and what they have done together. Before this, a test defines
 *
 *     enum { TASKS = ... };
 *     struct shared { ... };
 *     struct player { ... uint64_t score; };                                       (what it has done)
 *     static struct player *player(struct player *f, struct shared *shared, unsigned seed);
 */

struct game {
    VG_FRAME(int);
    struct shared *shared;
    int i, rc;
    uint64_t score; /* of all */
    struct vg_handle handle[TASKS];
    struct vg_task_wait wait;
};

VG_ASYNC(game)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < TASKS; f->i++)
        CHECK_EQ(
            VG_SPAWN(vg_exec_current(), &f->handle[f->i], player, f->shared, (unsigned)f->i + 1),
            0);
    for (f->i = 0; f->i < TASKS; f->i++) {
        VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->handle[f->i]));
        f->score += ((const struct player *)vg_task_frame(&f->handle[f->i]))->score;
        vg_task_release(&f->handle[f->i]);
    }
    VG_RETURN(0);
}

static inline struct game *game(struct game *f, struct shared *shared)
{
    VG_SETUP(f, game);
    f->shared = shared;
    f->score = 0;
    return f;
}

#endif
