/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_LIVENESS_SCRIPT_H
#define VIGIL_TESTS_LIVENESS_SCRIPT_H

#include <vigil/mpsc.h>
#include <vigil/rwlock.h>
#include <vigil/semaphore.h>

#include "lab.h"

/*
 * Programs as data: tasks that do one step after the other, with locks, semaphores and channels that they share. What
 * the steps of a task leave open at its end stays as it is.
 */

enum { STAGE_THINGS = 8, SCRIPT_STEPS = 12, STAGE_SLOTS = 4, STAGE_ACTORS = 8 };

enum op {
    OP_END,
    OP_NAP,       /* a: until that millisecond */
    OP_LOCK,      /* a: mutex */
    OP_UNLOCK,    /* a */
    OP_EITHER,    /* a, b: mutexes, of which one is taken */
    OP_LOCK_FOR,  /* a: mutex, b: ms, after which it gives up and ends */
    OP_READ,      /* a: rwlock */
    OP_WRITE,     /* a */
    OP_READ_DONE, /* a */
    OP_ACQUIRE,   /* a: semaphore, b: permits */
    OP_OBJECT,    /* a, b: the same, and lets go of them as an object */
    OP_RELEASE,   /* a, b */
    OP_SEND,      /* a: channel */
    OP_RECV,      /* a */
    OP_TRY_RECV,  /* a */
    OP_JOIN,      /* a: actor */
    OP_HAND_OVER, /* a: mutex */
};

struct step {
    enum op op;
    unsigned a, b;
};

struct stage {
    struct lab lab;
    struct vg_mutex mutex[STAGE_THINGS];
    struct vg_rwlock rwlock[STAGE_THINGS];
    struct vg_semaphore semaphore[STAGE_THINGS];
    struct vg_mpsc channel[STAGE_THINGS];
    uint32_t slots[STAGE_THINGS][STAGE_SLOTS];
    struct vg_handle actor[STAGE_ACTORS];
    unsigned actors;
    /* who has it, or has received from it, as the steps themselves have it; NULL: nobody */
    const struct actor *locked[STAGE_THINGS], *acquired[STAGE_THINGS], *receiver[STAGE_THINGS];
};

struct actor {
    VG_FRAME(int);
    struct stage *stage;
    struct step step[SCRIPT_STEPS];
    unsigned at;
    uint64_t since; /* when that step began, ms */
    int rc;
    uint32_t value;
    VG_ARMS(2) sel;
    union {
        struct vg_sleep nap;
        struct vg_lock lock[2];
        struct vg_rdlock rdlock;
        struct vg_wrlock wrlock;
        struct vg_acquire acquire;
        struct vg_mpsc_send send;
        struct vg_receive recv;
        struct vg_task_wait join;
    };
    struct vg_timeout timeout;
    struct vg_permit permit;
};

/* The steps that take no time; what an acquire leaves to do. */
static inline void act(struct actor *f)
{
    struct stage *s = f->stage;
    const struct step *now = &f->step[f->at];

    switch (now->op) {
    case OP_OBJECT:
        f->permit = vg_permit_take(&f->acquire);
        break;
    case OP_LOCK:
    case OP_LOCK_FOR:
        s->locked[now->a] = f;
        break;
    case OP_EITHER:
        s->locked[f->rc == 0 ? now->a : now->b] = f;
        break;
    case OP_ACQUIRE:
        s->acquired[now->a] = f;
        break;
    case OP_UNLOCK:
        s->locked[now->a] = NULL;
        vg_unlock(&s->mutex[now->a]);
        break;
    case OP_READ_DONE:
        vg_rdunlock(&s->rwlock[now->a]);
        break;
    case OP_RELEASE:
        s->acquired[now->a] = NULL;
        vg_release(&s->semaphore[now->a], now->b);
        break;
    case OP_TRY_RECV:
        (void)!vg_mpsc_try_recv(&s->channel[now->a], &f->value);
        break;
    case OP_HAND_OVER:
        vg_mutex_hand_over(&s->mutex[now->a]);
        break;
    default:
        break;
    }
}

static int actor_lock_line;

VG_ASYNC(actor)
{
    VG_BEGIN(f);
    for (; f->step[f->at].op != OP_END; f->at++) {
        f->since = lab_ms(&f->stage->lab);
        switch (f->step[f->at].op) {
        case OP_NAP:
            VG_AWAIT(f->rc, vg_sleep_until(&f->nap, lab_at(&f->stage->lab, f->step[f->at].a)));
            break;
        case OP_LOCK:
            actor_lock_line = __LINE__ + 1;
            VG_AWAIT(f->rc, vg_lock(&f->lock[0], &f->stage->mutex[f->step[f->at].a]));
            break;
        case OP_EITHER:
            VG_AWAIT(
                f->rc,
                VG_SELECT(f->sel,
                          VG_CANCEL(vg_lock(&f->lock[0], &f->stage->mutex[f->step[f->at].a])),
                          VG_CANCEL(vg_lock(&f->lock[1], &f->stage->mutex[f->step[f->at].b]))));
            break;
        case OP_LOCK_FOR:
            vg_lock(&f->lock[0], &f->stage->mutex[f->step[f->at].a]);
            VG_AWAIT(f->rc, vg_timeout(&f->timeout, VG_MSEC(f->step[f->at].b), &f->lock[0]));
            if (f->rc < 0)
                VG_RETURN(0);
            break;
        case OP_READ:
            VG_AWAIT(f->rc, vg_rdlock(&f->rdlock, &f->stage->rwlock[f->step[f->at].a]));
            break;
        case OP_WRITE:
            VG_AWAIT(f->rc, vg_wrlock(&f->wrlock, &f->stage->rwlock[f->step[f->at].a]));
            break;
        case OP_ACQUIRE:
        case OP_OBJECT:
            VG_AWAIT(f->rc, vg_acquire(&f->acquire, &f->stage->semaphore[f->step[f->at].a],
                                       f->step[f->at].b));
            break;
        case OP_SEND:
            VG_AWAIT(f->rc,
                     vg_mpsc_send(&f->send, &f->stage->channel[f->step[f->at].a], &f->value));
            break;
        case OP_RECV:
            f->stage->receiver[f->step[f->at].a] = f;
            VG_AWAIT(f->rc,
                     vg_mpsc_recv(&f->recv, &f->stage->channel[f->step[f->at].a], &f->value));
            break;
        case OP_JOIN:
            VG_AWAIT(f->rc, vg_task_wait(&f->join, &f->stage->actor[f->step[f->at].a]));
            break;
        default:
            break;
        }
        if (f->rc == -ECANCELED || vg_cancelled(&f->fut))
            VG_RETURN(f->rc);
        act(f);
    }
    VG_RETURN(0);
}

static inline struct actor *actor(struct actor *f, struct stage *stage, const struct step *steps)
{
    VG_SETUP(f, actor);
    f->stage = stage;
    memcpy(f->step, steps, sizeof f->step);
    f->at = 0;
    f->rc = 0;
    f->value = 0;
    f->permit = (struct vg_permit){NULL, 0};
    return f;
}

/* Semaphores with `permits`, channels with `slots`. */
static inline void stage_open_for(struct stage *s, uint64_t seed, uint32_t permits, size_t slots,
                                  void (*report)(const struct vg_report *report, void *arg),
                                  void *arg)
{
    static const char *const names[STAGE_THINGS] = {"M0", "M1", "M2", "M3", "M4", "M5", "M6", "M7"};

    lab_open_for(&s->lab, seed, seed % 2, report, arg);
    for (unsigned i = 0; i < STAGE_THINGS; i++) {
        vg_mutex_init(&s->mutex[i], names[i]);
        vg_rwlock_init(&s->rwlock[i], "R");
        vg_semaphore_init(&s->semaphore[i], "S", permits);
        vg_mpsc_init(&s->channel[i], "C", s->slots[i], slots);
    }
    s->actors = 0;
    memset(s->locked, 0, sizeof s->locked);
    memset(s->acquired, 0, sizeof s->acquired);
    memset(s->receiver, 0, sizeof s->receiver);
}

static inline void stage_open(struct stage *s, uint64_t seed, uint32_t permits, size_t slots)
{
    stage_open_for(s, seed, permits, slots, lab_record, &s->lab);
}

static inline void stage_add(struct stage *s, const struct step *steps)
{
    CHECK(s->actors < STAGE_ACTORS);
    CHECK_EQ(VG_SPAWN(s->lab.exec, &s->actor[s->actors++], actor, s, steps), 0);
}

#define NAP(a) ((struct step){OP_NAP, (a), 0})
#define LOCK(a) ((struct step){OP_LOCK, (a), 0})
#define UNLOCK(a) ((struct step){OP_UNLOCK, (a), 0})
#define EITHER(a, b) ((struct step){OP_EITHER, (a), (b)})
#define LOCK_FOR(a, b) ((struct step){OP_LOCK_FOR, (a), (b)})
#define READ(a) ((struct step){OP_READ, (a), 0})
#define WRITE(a) ((struct step){OP_WRITE, (a), 0})
#define READ_DONE(a) ((struct step){OP_READ_DONE, (a), 0})
#define ACQUIRE(a, b) ((struct step){OP_ACQUIRE, (a), (b)})
#define OBJECT(a, b) ((struct step){OP_OBJECT, (a), (b)})
#define RELEASE(a, b) ((struct step){OP_RELEASE, (a), (b)})
#define SEND(a) ((struct step){OP_SEND, (a), 0})
#define RECV(a) ((struct step){OP_RECV, (a), 0})
#define TRY_RECV(a) ((struct step){OP_TRY_RECV, (a), 0})
#define JOIN(a) ((struct step){OP_JOIN, (a), 0})
#define HAND_OVER(a) ((struct step){OP_HAND_OVER, (a), 0})

#define ACTOR(stage, ...) stage_add((stage), (const struct step[SCRIPT_STEPS]){__VA_ARGS__})

/* 0: all came to their ends; -EDEADLK. */
static inline int stage_run(struct stage *s)
{
    return sim_run(&s->lab.sim, s->lab.exec, lab_is_empty, s, VG_SEC(3600));
}

/* What is locked stays so: the things are left as they are. */
static inline void stage_close(struct stage *s)
{
    for (unsigned i = 0; i < s->actors; i++)
        vg_task_release(&s->actor[i]);
    CHECK_EQ(vg_exec_close(s->lab.exec, VG_SEC(600)), 0);
    vg_liveness_close(s->lab.live);
    sim_close(&s->lab.sim);
}

#endif
