/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_QUIET_H
#define VIGIL_TESTS_LIVENESS_QUIET_H

#include "lab.h"

/* For programs that are merely idle, slow or busy: whatever the seed, nobody is accused. */

enum { SEEDS = 60 };

/* Runs the program `start` builds on the lab, with healing and without. */
#define QUIET(start_and_run)                                                                       \
    FOR_SEEDS (seed, SEEDS) {                                                                      \
        struct lab lab;                                                                            \
        lab_open(&lab, seed, seed % 2);                                                            \
        start_and_run;                                                                             \
        lab_silent(&lab);                                                                          \
        lab_close(&lab);                                                                           \
    }

static inline void run_all(struct lab *lab)
{
    CHECK_EQ(sim_run(&lab->sim, lab->exec, lab_is_empty, lab, VG_SEC(3600)), 0);
}

struct parker {
    VG_FRAME(int);
    struct lab *lab;
    uint64_t wait; /* of the branch, ms */
    int rc;
    VG_ARMS(2) sel;
    struct holder child;
    struct vg_sleep nap, body;
};

/* Parks a child at 10 ms, does something else, awaits the child. */
VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(&f->child), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, vg_sleep(&f->body, VG_MSEC(f->wait)));
    VG_AWAIT(f->rc, &f->child);
    VG_RETURN(f->rc);
}

static inline struct parker *parker(struct parker *f, struct lab *lab, uint64_t wait)
{
    VG_SETUP(f, parker);
    f->lab = lab;
    f->wait = wait;
    holder(&f->child, lab, &lab->mutex, 0, 0);
    return f;
}

#endif
