/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_MPSC_SETTING_H
#define VIGIL_TESTS_SYNC_MPSC_SETTING_H

#include <vigil/mpsc.h>

#include "world.h"

enum { SLOTS = 2 };

struct setting {
    struct world world;
    struct vg_mpsc channel;
    uint32_t slots[SLOTS];
};

static inline void setting_open(struct setting *s, uint64_t seed)
{
    world_open(&s->world, seed, 2, true);
    vg_mpsc_init(&s->channel, "jobs", s->slots, SLOTS);
}

static inline void setting_close(struct setting *s)
{
    world_close(&s->world);
    vg_mpsc_fini(&s->channel);
}

static inline int put(struct setting *s, uint32_t value)
{
    return vg_mpsc_try_send(&s->channel, &value);
}

/* The value, or a negative errno. */
static inline int get(struct setting *s)
{
    uint32_t value;
    int rc = vg_mpsc_try_recv(&s->channel, &value);

    return rc < 0 ? rc : (int)value;
}

/* ---- tasks --------------------------------------------------------------------------------- */

/* Sends one value. */
struct putter {
    VG_FRAME(int);
    struct setting *s;
    uint32_t value;
    struct vg_mpsc_send send;
};

VG_ASYNC(putter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_mpsc_send(&f->send, &f->s->channel, &f->value));
    VG_RETURN(f->ret);
}

static struct putter *putter(struct putter *f, struct setting *s, uint32_t value)
{
    VG_SETUP(f, putter);
    f->s = s;
    f->value = value;
    return f;
}

/* Receives up to `max` values at once. */
struct getter {
    VG_FRAME(int);
    struct setting *s;
    unsigned max;
    uint32_t value[64];
    struct vg_receive recv;
};

VG_ASYNC(getter)
{
    VG_BEGIN(f);
    if (f->max > 0)
        VG_AWAIT(f->ret, vg_mpsc_recv_many(&f->recv, &f->s->channel, f->value, f->max));
    else
        VG_AWAIT(f->ret, vg_mpsc_recv(&f->recv, &f->s->channel, f->value));
    VG_RETURN(f->ret);
}

static struct getter *getter(struct getter *f, struct setting *s, unsigned max)
{
    VG_SETUP(f, getter);
    f->s = s;
    f->max = max;
    return f;
}

static inline bool all_done(void *arg)
{
    (void)arg;
    return false;
}

/* Runs until nothing can happen any more. */
static inline void settle(struct setting *s)
{
    CHECK_EQ(sim_run(&s->world.sim, s->world.exec, all_done, NULL, VG_SEC(1)), -EDEADLK);
}

#define START(s, handle, ...)                                                                      \
    do {                                                                                           \
        CHECK_EQ(VG_SPAWN((s)->world.exec, (handle), __VA_ARGS__), 0);                             \
        settle(s);                                                                                 \
    } while (0)

/* The result of a task that has ended, whose handle is given up. */
static inline int result(struct vg_handle *handle)
{
    int ret;

    CHECK(vg_task_done(handle));
    ret = VG_TASK_RET(handle, struct putter); /* all frames here begin alike */
    vg_task_release(handle);
    return ret;
}

#endif
