/* SPDX-License-Identifier: MIT */
#include "futurelock.h"

#include "tree.h"
#include "walk.h"

enum { PATH_MAX_LEAVES = 32, OFF_MAX = 64 };

struct futures {
    unsigned count;
    bool full;
    const struct vg_future *fut[OFF_MAX];
};

struct split {
    struct futures path;   /* leaves on the await path */
    struct futures leaves; /* leaves off it */
    struct futures frames; /* async functions off it */
    bool truncated;
};

static void add(struct futures *list, const struct vg_future *fut, unsigned max)
{
    if (list->count < max)
        list->fut[list->count++] = fut;
    else
        list->full = true;
}

static bool has(const struct futures *list, const struct vg_future *fut)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->fut[i] == fut)
            return true;
    return false;
}

static void add_owed(struct futures *list, struct vg_task *task)
{
    for (unsigned i = 0; i < VG_OWED_MAX; i++) {
        const struct vg_waiter *waiter = vg_task_owed(task, i);

        if (waiter == NULL)
            return;
        add(list, waiter->fut, OFF_MAX);
    }
}

static void sort_in(struct split *split, const struct vg_walk_item *item)
{
    if (!vg_walk_is_leaf(item->fut)) {
        if (item->parked && item->fut->ops->kind == VG_KIND_ASYNC)
            add(&split->frames, item->fut, OFF_MAX);
    } else if (item->parked) {
        if (!has(&split->leaves, item->fut))
            add(&split->leaves, item->fut, OFF_MAX);
    } else if (item->path && !has(&split->leaves, item->fut)) {
        add(&split->path, item->fut, PATH_MAX_LEAVES);
    }
}

/* False: nothing is off the path. */
static bool split_task(struct split *split, struct vg_task *task, const struct vg_future *passed)
{
    struct vg_walk walk;
    struct vg_walk_item item;

    split->path.count = split->leaves.count = split->frames.count = 0;
    split->path.full = split->leaves.full = split->frames.full = false;
    add_owed(&split->leaves, task);
    if (passed != NULL && !has(&split->leaves, passed))
        add(&split->leaves, passed, OFF_MAX);
    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item))
        sort_in(split, &item);
    split->truncated = walk.truncated || split->path.full;
    return split->leaves.count > 0 || split->frames.count > 0;
}

static bool waits_for(const struct vg_future *leaf, struct vg_wait *wait)
{
    return leaf->ops->waits != NULL && leaf->ops->waits(leaf, wait);
}

/* A frame off the path that holds the resource. A taken lock is not revocable. */
static bool is_owned_off_path(const struct split *split, struct vg_resource *resource,
                              uint64_t task, struct vg_lockup *lockup)
{
    struct vg_owner owner;

    if (split->frames.count == 0 || resource->ops->owner == NULL)
        return false;
    if (!resource->ops->owner(resource, &owner) || owner.task != task)
        return false;
    if (!has(&split->frames, owner.frame))
        return false;
    lockup->starved = owner.frame;
    lockup->owns = true;
    return true;
}

static bool stands_behind(const struct vg_future *leaf, const struct vg_future *off,
                          struct vg_resource *resource, struct vg_wait *wait)
{
    return waits_for(off, wait) && wait->resource == resource && resource->ops->ahead != NULL &&
           resource->ops->ahead(resource, off, leaf);
}

static bool is_queued_off_path(const struct split *split, const struct vg_future *leaf,
                               struct vg_resource *resource, struct vg_lockup *lockup)
{
    struct vg_wait wait;

    for (unsigned i = 0; i < split->leaves.count; i++) {
        if (!stands_behind(leaf, split->leaves.fut[i], resource, &wait))
            continue;
        if (wait.healing)
            continue;
        lockup->starved = split->leaves.fut[i];
        lockup->granted = wait.state == VG_WAIT_GRANTED;
        return true;
    }
    return false;
}

static bool is_revoked(const struct vg_future *passed, struct vg_resource *resource,
                       struct vg_lockup *lockup)
{
    struct vg_wait wait;

    if (!waits_for(passed, &wait) || wait.resource != resource)
        return false;
    lockup->starved = passed;
    lockup->granted = lockup->healing = true;
    return true;
}

static bool is_locked(const struct split *split, const struct vg_future *leaf, uint64_t task,
                      const struct vg_future *revoked, struct vg_lockup *lockup)
{
    struct vg_wait wait;

    if (!waits_for(leaf, &wait))
        return false;
    lockup->blocked = leaf;
    lockup->resource = wait.resource;
    /* The revoked grant may have been given on to this very leaf by now. */
    if (revoked != NULL)
        return is_revoked(revoked, wait.resource, lockup);
    if (wait.state == VG_WAIT_GRANTED)
        return false;
    return is_owned_off_path(split, wait.resource, task, lockup) ||
           is_queued_off_path(split, leaf, wait.resource, lockup);
}

static void add_exit(struct vg_lockup *lockup, const struct vg_future *leaf)
{
    if (lockup->exits < VG_EXITS_MAX)
        lockup->exit[lockup->exits] = (struct vg_exit){
            .type = leaf->ops->name,
            .site = vg_site_of(leaf),
            .timer = leaf->ops->is_timer,
            .io = leaf->ops->is_io,
        };
    lockup->exits++;
}

static bool is_below_opaque(const struct vg_future *starved)
{
    const struct vg_future *fence = vg_fence_above(starved);

    return fence == NULL || fence->state != VG_PARKED;
}

/* Most tasks wait for a timer or the kernel, and need no closer look. */
static bool path_waits_for_something(struct vg_task *task)
{
    struct vg_walk walk;
    struct vg_walk_item item;

    vg_walk_begin_path(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item))
        if (item.fut->ops->waits != NULL)
            return true;
    return false;
}

bool vg_lockup_find(struct vg_task *task, const struct vg_future *passed, enum vg_lockup_mode mode,
                    struct vg_lockup *lockup)
{
    const struct vg_future *revoked = mode == VG_LOCKUP_REVOKED ? passed : NULL;
    struct split split;
    struct vg_task_info info;
    unsigned locked = 0;

    *lockup = (struct vg_lockup){.exits = 0};
    if (!path_waits_for_something(task) || !split_task(&split, task, passed))
        return false;
    vg_task_info(task, &info);
    for (unsigned i = 0; i < split.path.count; i++) {
        struct vg_lockup found = {.exits = 0};
        const struct vg_future *leaf = split.path.fut[i];

        if (!is_locked(&split, leaf, info.id, revoked, &found)) {
            add_exit(lockup, leaf);
        } else if (locked++ == 0) {
            lockup->blocked = found.blocked, lockup->starved = found.starved;
            lockup->resource = found.resource, lockup->owns = found.owns;
            lockup->granted = found.granted, lockup->healing = found.healing;
        }
    }
    lockup->exits += split.truncated;
    if (locked == 0)
        return false;
    lockup->fenced_by_opaque = is_below_opaque(lockup->starved);
    return true;
}
