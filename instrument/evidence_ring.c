/* SPDX-License-Identifier: MIT */
#include "evidence.h"

#include <string.h>

#include "walk.h"

/* The first leaf of the task, and how many there are. */
static const struct vg_future *first_leaf(struct vg_task *task, unsigned *count)
{
    const struct vg_future *leaf = NULL;
    struct vg_walk walk;
    struct vg_walk_item item;

    *count = 0;
    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item)) {
        if (!vg_walk_is_leaf(item.fut))
            continue;
        if ((*count)++ == 0)
            leaf = item.fut;
    }
    return leaf;
}

static void name_resource(const struct vg_future *leaf, struct vg_report_link *link)
{
    struct vg_wait wait;

    if (!leaf->ops->waits(leaf, &wait))
        return;
    link->resource_kind = wait.resource->ops->kind;
    link->resource_name = wait.resource->name;
    link->resource_place = wait.resource->place;
    if (wait.by == VG_BY_TASK)
        link->owner.task = wait.task;
    else if (wait.resource->ops->holders != NULL)
        (void)wait.resource->ops->holders(wait.resource, &link->owner, 1);
    else
        (void)wait.resource->ops->owner(wait.resource, &link->owner);
}

static struct vg_report_future name_leaf(const struct vg_future *leaf)
{
    const struct vg_future *frame = vg_frame_of(leaf);
    struct vg_report_future named = {.type = leaf->ops->name, .site = vg_site_of(leaf)};

    if (frame != NULL)
        named.frame = frame->ops->name;
    return named;
}

static void fill_link(struct vg_report_link *link, const struct vg_task_info *info,
                      const struct vg_future *leaf, unsigned leaves)
{
    *link = (struct vg_report_link){
        .task = info->id,
        .task_name = info->name,
        .task_spawned = info->spawned,
        .future = name_leaf(leaf),
        .others = leaves - 1,
    };
    name_resource(leaf, link);
}

static void fill_evidence(struct vg_evidence *evidence, struct vg_task *task,
                          const struct vg_task_info *info, const struct vg_future *leaf)
{
    struct vg_report *report = &evidence->report;

    memset(evidence, 0, offsetof(struct vg_evidence, tree));
    evidence->polls = info->polls;
    evidence->starved = task;
    report->task = info->id;
    report->task_name = info->name;
    report->task_spawned = info->spawned;
    report->starved = report->blocked = name_leaf(leaf);
    vg_tree_copy(&evidence->tree, task, NULL, leaf);
}

void vg_evidence_link(struct vg_evidence *evidence, struct vg_task *task,
                      struct vg_report_link *link)
{
    struct vg_task_info info;
    unsigned leaves;
    const struct vg_future *leaf = first_leaf(task, &leaves);

    vg_task_info(task, &info);
    if (link != NULL)
        fill_link(link, &info, leaf, leaves);
    if (evidence != NULL)
        fill_evidence(evidence, task, &info, leaf);
}
