/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_WALK_H
#define VIGIL_INSTRUMENT_WALK_H

#include <vigil/future.h>

/*
 * Visits the live futures of a task from the root down, each before its children, the awaited ones before
 * those in the background. Without recursion and within fixed bounds; the task must be owned.
 *
 *     vg_walk_begin(&walk, vg_task_root(task));
 *     while (vg_walk_next(&walk, &item))
 *         ...
 *     if (walk.truncated)                     (there is more)
 */

enum { VG_WALK_BRANCHES = 48, VG_WALK_NODES = 1024 };

struct vg_walk_item {
    const struct vg_future *fut;
    unsigned depth;
    bool path;   /* on the task's await path */
    bool parked; /* it is parked, or something above it is */
};

/* A node some of whose children are still to come. */
struct vg_walk_branch {
    struct vg_walk_item node;
    const struct vg_future *background; /* an async frame's, the next one */
    unsigned index;                     /* of the next child */
};

struct vg_walk {
    const struct vg_future *root;
    unsigned depth; /* of the stack */
    unsigned budget;
    bool path_only; /* do not look at the background */
    bool truncated;
    struct vg_walk_branch branch[VG_WALK_BRANCHES];
};

void vg_walk_begin(struct vg_walk *walk, const struct vg_future *root);

/* Visits only what is on the await path. */
void vg_walk_begin_path(struct vg_walk *walk, const struct vg_future *root);
bool vg_walk_next(struct vg_walk *walk, struct vg_walk_item *item);

/* Whether that future is among them, as far as they are visited. */
bool vg_walk_finds(struct vg_task *task, const struct vg_future *fut);

/* Whether the walk shows no children of this future, whatever it has. */
bool vg_walk_is_leaf(const struct vg_future *fut);

#endif
