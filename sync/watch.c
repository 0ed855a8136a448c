/* SPDX-License-Identifier: MIT */
#include <vigil/watch.h>

#include <errno.h>

#include "look.h"
#include "ring.h"
#include "vg_atomic.h"
#include "vg_spin.h"

void vg_watch_init_at(struct vg_watch *watch, const char *name, void *value, size_t size,
                      const struct vg_place *place)
{
    *watch = (struct vg_watch){
        .resource = {&vg_watch_resource_, name, place}, .value = value, .size = size};
    vg_store(&watch->version, 1, relaxed);
}

void vg_watch_fini(struct vg_watch *watch)
{
    vg_spin_lock(&watch->readers.guard);
    if (watch->readers.length > 0)
        vg_panic("vg_watch_fini: %u futures wait for changes of %s", watch->readers.length,
                 watch->resource.name ? watch->resource.name : "(unnamed)");
    vg_spin_unlock(&watch->readers.guard);
}

/* Guard held. */
static uint64_t version_of(const struct vg_watch *watch)
{
    return vg_load(&watch->version, relaxed);
}

int vg_watch_set(struct vg_watch *watch, const void *value)
{
    vg_spin_lock(&watch->readers.guard);
    if (watch->closed) {
        vg_spin_unlock(&watch->readers.guard);
        return -EPIPE;
    }
    vg_value_copy(watch->value, value, watch->size);
    /* Release: pairs with vg_watch_version(). */
    vg_store(&watch->version, version_of(watch) + 1, release);
    vg_look_wake_all(&watch->readers.guard, &watch->readers);
    return 0;
}

void vg_watch_close(struct vg_watch *watch)
{
    vg_spin_lock(&watch->readers.guard);
    watch->closed = true;
    vg_look_wake_all(&watch->readers.guard, &watch->readers);
}

/* Guard held. */
static uint64_t read_value(const struct vg_watch *watch, void *value)
{
    if (value)
        vg_value_copy(value, watch->value, watch->size);
    return version_of(watch);
}

uint64_t vg_watch_get(struct vg_watch *watch, void *value)
{
    uint64_t version;

    vg_spin_lock(&watch->readers.guard);
    version = read_value(watch, value);
    vg_spin_unlock(&watch->readers.guard);
    return version;
}

uint64_t vg_watch_version(const struct vg_watch *watch)
{
    /* Acquire: pairs with the release in vg_watch_set(). */
    return vg_load(&watch->version, acquire);
}

int vg_watch_try_changed(struct vg_watch *watch, uint64_t *seen, void *value)
{
    int rc;

    vg_spin_lock(&watch->readers.guard);
    rc = watch->closed ? -EPIPE : -EAGAIN;
    if (version_of(watch) > *seen) {
        *seen = read_value(watch, value);
        rc = 0;
    }
    vg_spin_unlock(&watch->readers.guard);
    return rc;
}

/* ---- the future ---------------------------------------------------------------------------- */

static bool look(struct vg_future *fut)
{
    struct vg_watch_changed *changed = (struct vg_watch_changed *)(void *)fut;
    struct vg_watch *watch = changed->watch;

    if (version_of(watch) > *changed->seen) {
        *changed->seen = read_value(watch, changed->value);
        changed->ret = 0;
        return true;
    }
    changed->ret = -EPIPE;
    return watch->closed;
}

static struct vg_look look_of(struct vg_future *fut)
{
    struct vg_watch_changed *changed = (struct vg_watch_changed *)(void *)fut;
    struct vg_waitlist *list = &changed->watch->readers;

    return (struct vg_look){&list->guard, list, &changed->entry, &changed->ret, look};
}

static vg_poll changed_poll(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_look l = look_of(fut);

    return vg_look_poll(&l, fut, cx);
}

static void changed_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_look l = look_of(fut);

    vg_look_cancel(&l, cx);
}

static bool changed_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_watch_changed *changed = (const struct vg_watch_changed *)(const void *)fut;

    wait->resource = &changed->watch->resource;
    return vg_look_waits(&changed->watch->readers.guard, &changed->entry, wait);
}

static const struct vg_ops changed_ops = {
    .poll = changed_poll,
    .cancel = changed_cancel,
    .waits = changed_waits,
    .name = "vg_watch_changed",
    .size = sizeof(struct vg_watch_changed),
    .kind = VG_KIND_LEAF,
};

struct vg_watch_changed *vg_watch_changed(struct vg_watch_changed *changed, struct vg_watch *watch,
                                          uint64_t *seen, void *value)
{
    vg_future_init(&changed->fut, &changed_ops);
    changed->ret = 0;
    changed->watch = watch;
    changed->seen = seen;
    changed->value = value;
    vg_waitlist_entry_init(&changed->entry);
    return changed;
}

/* ---- the resource -------------------------------------------------------------------------- */

static unsigned resource_waiters(struct vg_resource *resource)
{
    return vg_waitlist_waiters(&((struct vg_watch *)(void *)resource)->readers);
}

const struct vg_resource_ops vg_watch_resource_ = {
    .kind = "watch",
    .owner = vg_look_owner,
    .ahead = vg_look_ahead,
    .waiters = resource_waiters,
};
