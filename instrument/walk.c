/* SPDX-License-Identifier: MIT */
#include "walk.h"

#include <vigil/probe.h>

bool vg_walk_is_leaf(const struct vg_future *fut)
{
    return fut->ops->child == NULL;
}

/* A node may name children that it has not started, or that belong to somebody else by now. */
static bool awaits(const struct vg_future *node, const struct vg_future *fut)
{
    return fut->state == VG_RUNNING && fut->up == node;
}

static void push(struct vg_walk *walk, const struct vg_walk_item *item)
{
    struct vg_walk_branch *branch;

    if (vg_walk_is_leaf(item->fut))
        return;
    if (walk->depth == VG_WALK_BRANCHES) {
        walk->truncated = true;
        return;
    }
    branch = &walk->branch[walk->depth++];
    branch->node = *item;
    branch->index = 0;
    branch->background = NULL;
}

/* An async frame has one awaited child; the rest hang on a list, which is followed here because asking for
 * them by number would take quadratic time. */
static const struct vg_future *next_of_frame(const struct vg_walk *walk,
                                             struct vg_walk_branch *branch)
{
    const struct vg_future *frame = branch->node.fut, *fut;

    if (branch->index == 0) {
        branch->index = 1;
        branch->background = walk->path_only ? NULL : vg_frame_background(frame, 0);
        fut = frame->ops->child(frame, 0);
        if (fut != NULL && awaits(frame, fut))
            return fut;
    }
    fut = branch->background;
    if (fut != NULL)
        branch->background = fut->next;
    return fut;
}

static const struct vg_future *next_of_node(struct vg_walk *walk, struct vg_walk_branch *branch)
{
    const struct vg_future *node = branch->node.fut, *fut;

    while ((fut = node->ops->child(node, branch->index++)) != NULL) {
        if (awaits(node, fut))
            return fut;
        if (walk->budget == 0)
            break;
        walk->budget--;
    }
    return NULL;
}

static struct vg_walk_item describe(const struct vg_walk_item *above, const struct vg_future *fut)
{
    struct vg_walk_item item = {
        .fut = fut,
        .depth = above->depth + 1,
        .path = above->path && fut->state == VG_RUNNING,
        .parked = above->parked || fut->state == VG_PARKED,
    };
    return item;
}

void vg_walk_begin(struct vg_walk *walk, const struct vg_future *root)
{
    walk->root = root;
    walk->depth = 0;
    walk->budget = VG_WALK_NODES;
    walk->path_only = walk->truncated = false;
}

void vg_walk_begin_path(struct vg_walk *walk, const struct vg_future *root)
{
    vg_walk_begin(walk, root);
    walk->path_only = true;
}

static bool take_root(struct vg_walk *walk, struct vg_walk_item *item)
{
    item->fut = walk->root;
    item->depth = 0;
    item->path = true;
    item->parked = false;
    walk->root = NULL;
    if (item->fut->state != VG_RUNNING)
        return false;
    push(walk, item);
    return true;
}

bool vg_walk_next(struct vg_walk *walk, struct vg_walk_item *item)
{
    if (walk->root != NULL)
        return take_root(walk, item);
    while (walk->depth > 0) {
        struct vg_walk_branch *branch = &walk->branch[walk->depth - 1];
        const bool frame = branch->node.fut->ops->kind == VG_KIND_ASYNC;
        const struct vg_future *fut =
            frame ? next_of_frame(walk, branch) : next_of_node(walk, branch);

        if (walk->budget == 0) {
            walk->truncated = true;
            return false;
        }
        if (fut == NULL) {
            walk->depth--;
            continue;
        }
        *item = describe(&branch->node, fut);
        walk->budget--;
        if (frame && branch->background == NULL) /* the last child: a long chain needs no stack */
            walk->depth--;
        push(walk, item);
        return true;
    }
    return false;
}

bool vg_walk_finds(struct vg_task *task, const struct vg_future *fut)
{
    struct vg_walk walk;
    struct vg_walk_item item;

    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item))
        if (item.fut == fut)
            return true;
    return false;
}
