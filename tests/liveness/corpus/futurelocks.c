/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>
#include <vigil/semaphore.h>

#include "corpus.h"

/* A task waits for what is with a future of its own that it does not poll. */

/* ---- rfd609-select-ref-mutex ------------------------------------------------------------------- */

struct nexus {
    VG_FRAME(int);
    struct lab *lab;
    unsigned twin;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct holder f1;
    struct vg_lock lock;
    struct vg_handle task;
    struct vg_task_wait join;
};

static int nexus_lock_line;

static struct vg_arm nexus_arm(struct nexus *f)
{
    holder(&f->f1, f->lab, &f->lab->mutex, 0, 0);
    if (f->twin != 3)
        return f->twin == 1 ? VG_CANCEL(&f->f1) : VG_PARK(&f->f1);
    CHECK_EQ(VG_SPAWN(f->lab->exec, &f->task, holder, f->lab, &f->lab->mutex, 0, 0), 0);
    return VG_PARK(vg_task_wait(&f->join, &f->task));
}

VG_ASYNC(nexus)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(10)));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, nexus_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(500)))));
    if (f->twin == 2)
        VG_AWAIT_CANCEL(f->rc, &f->f1);
    nexus_lock_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_lock(&f->lock, f->twin == 4 ? &f->lab->other : &f->lab->mutex));
    if (f->rc == 0)
        vg_unlock(f->twin == 4 ? &f->lab->other : &f->lab->mutex);
    if (f->twin == 0 || f->twin == 4)
        VG_AWAIT_CANCEL(f->rc, &f->f1);
    if (f->twin == 3) {
        VG_AWAIT(f->rc, &f->join);
        vg_task_release(&f->task);
    }
    VG_RETURN(0);
}

static int play_nexus(struct lab *lab, unsigned twin)
{
    static struct nexus f;

    VG_SETUP(&f, nexus);
    f.lab = lab;
    f.twin = twin;
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 5000), 0);
    return PLAY(lab, &f);
}

/* ---- select2-keeps-loser ----------------------------------------------------------------------- */

/* Gives up what its caller has locked. */
struct giver {
    VG_FRAME(int);
    struct vg_mutex *mutex;
};

VG_ASYNC(giver)
{
    VG_BEGIN(f);
    vg_unlock(f->mutex);
    VG_RETURN(0);
}

struct keeper {
    VG_FRAME(int);
    struct lab *lab;
    unsigned twin;
    int rc;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_sleep nap;
    struct holder a;
    struct giver b;
};

static int keeper_lock_line;

VG_ASYNC(keeper)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
    holder(&f->a, f->lab, &f->lab->mutex, 0, 0);
    VG_SETUP(&f->b, giver);
    f->b.mutex = &f->lab->mutex;
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(&f->a), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, f->twin == 1 ? VG_CANCEL(&f->a) : VG_PARK(&f->a), VG_CANCEL(&f->b)));
    if (f->twin == 2)
        VG_AWAIT_CANCEL(f->rc, &f->a);
    keeper_lock_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_lock(&f->lock, &f->lab->mutex));
    if (f->rc == 0)
        vg_unlock(&f->lab->mutex);
    if (f->twin == 0)
        VG_AWAIT_CANCEL(f->rc, &f->a);
    VG_RETURN(0);
}

static int play_keeper(struct lab *lab, unsigned twin)
{
    static struct keeper f;

    VG_SETUP(&f, keeper);
    f.lab = lab;
    f.twin = twin;
    return PLAY(lab, &f);
}

/* ---- channel-slot-with-unpolled-sender ----------------------------------------------------------- */

enum { OTHERS = 20 };

struct slot_user {
    VG_FRAME(int);
    struct vg_mpsc channel;
    uint32_t slot, value;
    unsigned twin;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_mpsc_send s1, s2;
};

static int slot_send_line;

VG_ASYNC(slot_user)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_mpsc_send(&f->s2, &f->channel, &f->value));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_mpsc_reserve(&f->s1, &f->channel)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    if (f->twin == 2)
        VG_AWAIT_CANCEL(f->rc, &f->s1);
    if (f->twin == 1) {
        (void)!vg_mpsc_try_send(&f->channel, &f->value);
        VG_AWAIT_CANCEL(f->rc, &f->s1);
        VG_RETURN(0);
    }
    slot_send_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_mpsc_send(&f->s2, &f->channel, &f->value));
    if (f->twin == 0)
        VG_AWAIT_CANCEL(f->rc, &f->s1);
    VG_RETURN(0);
}

struct slot_receiver {
    VG_FRAME(int);
    struct slot_user *user;
    uint32_t value;
    struct vg_sleep nap;
    struct vg_receive recv;
};

VG_ASYNC(slot_receiver)
{
    VG_BEGIN(f);
    do {
        VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(50)));
        VG_TRY(f->ret, vg_mpsc_recv(&f->recv, &f->user->channel, &f->value));
    } while (f->ret == 0);
    VG_RETURN(f->ret);
}

static struct slot_receiver *slot_receiver(struct slot_receiver *f, struct slot_user *user)
{
    VG_SETUP(f, slot_receiver);
    f->user = user;
    return f;
}

struct slot_other {
    VG_FRAME(int);
    struct slot_user *user;
    uint32_t value;
    uint64_t at;
    struct vg_sleep nap;
    struct vg_mpsc_send send;
};

VG_ASYNC(slot_other)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_sleep(&f->nap, VG_MSEC(f->at)));
    VG_AWAIT(f->ret, vg_mpsc_send(&f->send, &f->user->channel, &f->value));
    VG_RETURN(f->ret);
}

static struct slot_other *slot_other(struct slot_other *f, struct slot_user *user, uint64_t at)
{
    VG_SETUP(f, slot_other);
    f->user = user;
    f->at = at;
    f->value = 0;
    return f;
}

static int play_slot(struct lab *lab, unsigned twin)
{
    static struct slot_user f;

    VG_SETUP(&f, slot_user);
    f.twin = twin;
    f.value = 0;
    vg_mpsc_init(&f.channel, "C", &f.slot, 1);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, slot_receiver, &f), 0);
    for (unsigned i = 0; i < OTHERS; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, slot_other, &f, 100 + i), 0);
    return PLAY(lab, &f);
}

/* ---- ring-slots-with-unpolled-ops: finished operations keep their slots until they are polled ------ */

struct operation {
    VG_FRAME(int);
    struct vg_semaphore *slots;
    struct vg_acquire acquire;
    struct vg_sleep kernel;
};

VG_ASYNC(operation)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_acquire(&f->acquire, f->slots, 1));
    VG_AWAIT(f->ret, vg_sleep(&f->kernel, VG_MSEC(10)));
    vg_release(f->slots, 1);
    VG_RETURN(f->ret);
}

static struct operation *operation(struct operation *f, struct vg_semaphore *slots)
{
    VG_SETUP(f, operation);
    f->slots = slots;
    return f;
}

struct copier {
    VG_FRAME(int);
    struct vg_semaphore slots;
    bool done[5];
    unsigned twin, i;
    int rc;
    VG_ARMS(5) sel;
    struct operation read[5], write;
};

static int copier_write_line;

#define COPIER_ARM(i)                                                                              \
    VG_WHEN(!f->done[i], f->twin == 2 ? VG_KEEP(&f->read[i]) : VG_PARK(&f->read[i]))

VG_ASYNC(copier)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, COPIER_ARM(0), COPIER_ARM(1), COPIER_ARM(2), COPIER_ARM(3),
                              COPIER_ARM(4)));
    f->done[f->rc] = true;
    copier_write_line = __LINE__ + 1;
    VG_AWAIT(f->rc, operation(&f->write, &f->slots));
    for (f->i = 0; f->i < 5; f->i++)
        if (!f->done[f->i])
            VG_AWAIT(f->rc, &f->read[f->i]);
    VG_RETURN(0);
}

static int play_copier(struct lab *lab, unsigned twin)
{
    static struct copier f;

    VG_SETUP(&f, copier);
    f.twin = twin;
    vg_semaphore_init(&f.slots, "ring slots", twin == 1 ? 6 : 4);
    for (unsigned i = 0; i < 5; i++) {
        f.done[i] = false;
        operation(&f.read[i], &f.slots);
    }
    return PLAY(lab, &f);
}

const struct corpus_case corpus_futurelocks[] = {
    {
        .id = "rfd609-select-ref-mutex",
        .verdict = VG_VERDICT_FUTURELOCK,
        .decisive = 510,
        .due = 50,
        .play = play_nexus,
        .twins = 4,
        .heals = true,
        .names = {"vg_lock in holder", "\"nexus\"", "mutex \"L\"", "PARKED"},
        .lines = {&nexus_lock_line},
    },
    {
        .id = "select2-keeps-loser",
        .verdict = VG_VERDICT_FUTURELOCK,
        .decisive = 10,
        .due = 50,
        .play = play_keeper,
        .twins = 2,
        .heals = true,
        .names = {"vg_lock in holder", "\"keeper\"", "mutex \"L\"", "granted"},
        .lines = {&keeper_lock_line},
    },
    {
        .id = "channel-slot-with-unpolled-sender",
        .verdict = VG_VERDICT_FUTURELOCK,
        .decisive = 1,
        .due = 50,
        .play = play_slot,
        .twins = 2,
        .heals = true,
        .names = {"vg_mpsc_reserve", "\"slot_user\"", "channel \"C\""},
        .lines = {&slot_send_line},
    },
    {
        .id = "ring-slots-with-unpolled-ops",
        .verdict = VG_VERDICT_FUTURELOCK,
        .decisive = 10,
        .due = 50,
        .play = play_copier,
        .twins = 2,
        .names = {"vg_acquire in operation", "\"copier\"", "semaphore \"ring slots\""},
        .lines = {&copier_write_line},
    },
    {.id = NULL},
};
