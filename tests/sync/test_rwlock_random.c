/* SPDX-License-Identifier: MIT */
#include <vigil/rwlock.h>

#include "library.h"

/* Readers and writers that are cancelled, kept and parked at random. */

enum { STEPS = 12 };

struct tourist {
    VG_FRAME(int);
    struct library *library;
    int step, rc, arm;
    bool writes;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_rdlock rd;
    struct vg_wrlock wr;
};

static struct vg_sleep *doze(struct tourist *f)
{
    return vg_sleep(&f->nap, VG_MSEC(sim_below(&f->library->world.sim, 6)));
}

static struct vg_future *ask(struct tourist *f)
{
    f->writes = sim_chance(&f->library->world.sim, 400);
    if (f->writes)
        return &vg_wrlock(&f->wr, &f->library->lock)->fut;
    return &vg_rdlock(&f->rd, &f->library->lock)->fut;
}

static struct vg_arm ask_arm(struct tourist *f)
{
    struct vg_future *fut = ask(f);

    return (struct vg_arm){fut, (uint8_t)sim_below(&f->library->world.sim, 3), true, false};
}

VG_ASYNC(tourist)
{
    VG_BEGIN(f);
    for (f->step = 0; f->step < STEPS; f->step++) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, ask_arm(f), VG_CANCEL(doze(f))));
        VG_AWAIT(f->rc, doze(f));
        if (sim_chance(&f->library->world.sim, 500)) {
            if (f->writes)
                VG_AWAIT_CANCEL(f->rc, &f->wr);
            else
                VG_AWAIT_CANCEL(f->rc, &f->rd);
        } else if (f->writes) {
            VG_AWAIT(f->rc, &f->wr);
        } else {
            VG_AWAIT(f->rc, &f->rd);
        }
        if (f->rc < 0)
            continue;
        enter(f->library, f->writes);
        VG_AWAIT(f->rc, doze(f));
        if (f->writes && sim_chance(&f->library->world.sim, 300)) {
            f->library->writers--;
            f->library->readers++;
            f->writes = false;
            vg_downgrade(&f->library->lock);
            VG_AWAIT(f->rc, doze(f));
        }
        leave(f->library, f->writes);
    }
    VG_RETURN(0);
}

static struct tourist *tourist(struct tourist *f, struct library *library, int unused)
{
    (void)unused;
    VG_SETUP(f, tourist);
    f->library = library;
    return f;
}

static bool cancel_now_and_then(void *arg)
{
    struct library *library = arg;

    if (sim_chance(&library->world.sim, 3))
        vg_task_cancel(&library->handle[sim_below(&library->world.sim, library->count)]);
    return library_done(arg);
}

TEST(nobody_is_beside_a_writer_whatever_is_cancelled_kept_or_parked)
{
    TEST_TIMEOUT(240);
    FOR_SEEDS (seed, 300) {
        struct library l;
        library_open(&l, seed, seed % 5 != 0);
        for (int i = 0; i < 8; i++)
            LIBRARY_ADD(&l, tourist, 0);
        CHECK_EQ(sim_run(&l.world.sim, l.world.exec, cancel_now_and_then, &l, VG_SEC(100)), 0);
        library_close(&l);
    }
}
