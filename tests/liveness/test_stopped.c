/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <sys/wait.h>

#include "room.h"

/* Leaves a woken child for a few milliseconds in each round. */
struct brief {
    VG_FRAME(int);
    int rounds, rc;
    VG_ARMS(2) sel;
    struct vg_sleep child, nap;
};

VG_ASYNC(brief)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_sleep(&f->child, VG_MSEC(5))),
                                  VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
        VG_AWAIT(f->rc, &f->child);
    }
    VG_RETURN(0);
}

static struct brief *brief(struct brief *f, int rounds)
{
    VG_SETUP(f, brief);
    f->rounds = rounds;
    return f;
}

/* Stops this process now and then, from another one. */
static pid_t start_stopper(void)
{
    const pid_t victim = getpid(), stopper = fork();

    if (stopper != 0)
        return stopper;
    for (int i = 0; i < 2; i++) {
        usleep(100000);
        kill(victim, SIGSTOP);
        usleep(400000);
        kill(victim, SIGCONT);
    }
    _exit(0);
}

TEST(nobody_is_accused_because_the_process_was_stopped)
{
    FOR_WORKERS (workers) {
        struct room room;
        pid_t stopper;

        stopper = start_stopper();
        CHECK(stopper > 0);
        room_open(&room, workers, true);
        for (int i = 0; i < 8; i++)
            CHECK_EQ(VG_SPAWN(room.exec, NULL, brief, 50), 0);
        while (vg_exec_live(room.exec) > 0)
            usleep(1000);
        CHECK_EQ(waitpid(stopper, NULL, 0), stopper);
        room_close(&room);
        CHECK_EQ(total(&room), 0);
    }
}
