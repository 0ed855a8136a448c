/* SPDX-License-Identifier: MIT */
#include <vigil/semaphore.h>

#include "corpus.h"

/* Programs that cancel. */

enum { TREE = 20 };

struct permit_keeper {
    VG_FRAME(int);
    struct vg_semaphore *semaphore;
    struct vg_acquire acquire;
    struct vg_forever never;
};

VG_ASYNC(permit_keeper)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_acquire(&f->acquire, f->semaphore, 1));
    VG_AWAIT(f->ret, vg_forever(&f->never));
    vg_release(f->semaphore, 1);
    VG_RETURN(f->ret);
}

static struct permit_keeper *permit_keeper(struct permit_keeper *f, struct vg_semaphore *semaphore)
{
    VG_SETUP(f, permit_keeper);
    f->semaphore = semaphore;
    return f;
}

struct tree {
    VG_FRAME(int);
    struct vg_semaphore semaphore;
    struct vg_handle task[TREE];
    unsigned i;
    struct vg_sleep nap;
    struct vg_task_wait wait;
    struct vg_acquire all;
};

VG_ASYNC(tree)
{
    VG_BEGIN(f);
    vg_semaphore_init(&f->semaphore, "tree", TREE);
    for (f->i = 0; f->i < TREE; f->i++)
        CHECK_EQ(VG_SPAWN(vg_exec_current(), &f->task[f->i], permit_keeper, &f->semaphore), 0);
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(200)));
    for (f->i = 0; f->i < TREE; f->i++)
        vg_task_cancel(&f->task[f->i]);
    VG_TRY(f->ret, vg_acquire(&f->all, &f->semaphore, TREE));
    vg_release(&f->semaphore, TREE);
    for (f->i = 0; f->i < TREE; f->i++) {
        VG_AWAIT(f->ret, vg_task_wait(&f->wait, &f->task[f->i]));
        vg_task_release(&f->task[f->i]);
    }
    VG_RETURN(0);
}

static int play_tree(struct lab *lab, unsigned twin)
{
    static struct tree f;

    (void)twin;
    VG_SETUP(&f, tree);
    return PLAY(lab, &f);
}

const struct corpus_case corpus_controls_cancel[] = {
    {.id = "ok-cancel-tree", .play = play_tree},
    {.id = NULL},
};
