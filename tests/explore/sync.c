/* SPDX-License-Identifier: MIT */
#include "internal.h"

/* Locks and bells: what one thread leaves there, the next one to get it has seen. */
struct object {
    const volatile void *address; /* NULL: forgotten */
    int holder;                   /* of a lock, or -1 */
    bool rung;                    /* a bell */
    struct view left;
};

enum { OBJECTS = 64 };

static struct object objects[OBJECTS];
static int object_count;

void sync_clear(void)
{
    object_count = 0;
}

void sync_forget(const volatile void *p, size_t size)
{
    for (int i = 0; i < object_count; i++)
        if ((uintptr_t)objects[i].address - (uintptr_t)p < size)
            objects[i].address = NULL;
}

static struct object *object(const volatile void *address)
{
    struct object *new = &objects[object_count];

    for (int i = 0; i < object_count; i++)
        if (objects[i].address == address)
            return &objects[i];
    if (object_count == OBJECTS)
        mc_fail(MC_ASSERTION, "the model has more than %d locks and bells", OBJECTS);
    object_count++;
    new->address = address;
    new->holder = -1;
    new->rung = false;
    view_clear(&new->left);
    return new;
}

static bool is_free(const void *lock)
{
    return ((const struct object *)lock)->holder < 0;
}

static void take(struct object *lock, const struct mc_site *site)
{
    report_step(site, "taken");
    lock->holder = mc_run.current;
    view_join(memory_view(), &lock->left);
}

void mc_lock(void *p, const struct mc_site *site)
{
    if (mc_run.current == MC_MAIN)
        return;
    thread_step(p);
    plain_atomic(p, 1, site);
    thread_wait(is_free, object(p), false, site);
    plain_atomic(p, 1, site); /* still there after the wait? */
    take(object(p), site);
}

bool mc_trylock(void *p, const struct mc_site *site)
{
    if (mc_run.current == MC_MAIN)
        return true;
    thread_step(p);
    plain_atomic(p, 1, site);
    if (!is_free(object(p))) {
        report_step(site, "held by thread %d", object(p)->holder);
        return false;
    }
    take(object(p), site);
    return true;
}

void mc_unlock(void *p, const struct mc_site *site)
{
    struct object *lock;

    if (mc_run.current == MC_MAIN)
        return;
    thread_step(p);
    plain_atomic(p, 1, site);
    lock = object(p);
    if (lock->holder != mc_run.current)
        mc_fail(MC_ASSERTION, "unlocked by who does not hold it: %s", report_site(site));
    report_step(site, "%s", "");
    lock->holder = -1;
    view_copy(&lock->left, memory_view());
}

static bool has_rung(const void *bell)
{
    return ((const struct object *)bell)->rung;
}

void mc_bell_ring(struct mc_bell *bell)
{
    if (mc_run.current != MC_MAIN) {
        thread_step(bell);
        view_join(&object(bell)->left, memory_view());
    }
    report_step(MC_SITE("ring"), "%p", (void *)bell);
    object(bell)->rung = true;
}

static void answer(struct object *bell)
{
    bell->rung = false;
    view_join(memory_view(), &bell->left);
    view_clear(&bell->left); /* the next answer learns from the next rings only */
}

void mc_bell_wait(struct mc_bell *bell)
{
    thread_step(bell);
    thread_wait(has_rung, object(bell), true, MC_SITE("wait for the bell"));
    report_step(MC_SITE("woken"), "%p", (void *)bell);
    answer(object(bell));
}

bool mc_bell_try(struct mc_bell *bell)
{
    thread_step(bell);
    if (!object(bell)->rung)
        return false;
    answer(object(bell));
    return true;
}
