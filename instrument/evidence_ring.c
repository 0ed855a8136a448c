/* SPDX-License-Identifier: MIT */
#include "evidence.h"

#include "waitfor.h"
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
    struct vg_owner holder[VG_WAITFOR_HOLDERS];
    struct vg_wait wait;

    if (!leaf->ops->waits(leaf, &wait))
        return;
    link->resource_kind = wait.resource->ops->kind;
    link->resource_name = wait.resource->name;
    link->resource_place = wait.resource->place;
    if (vg_waitfor_holders(&wait, holder) > 0)
        link->owner = holder[0];
}

static void fill_link(struct vg_report_link *link, const struct vg_task_info *info,
                      const struct vg_future *leaf, unsigned leaves)
{
    *link = (struct vg_report_link){
        .task = info->id,
        .task_name = info->name,
        .task_spawned = info->spawned,
        .future = vg_evidence_name(leaf, NULL),
        .others = leaves - 1,
    };
    name_resource(leaf, link);
}

static void fill_evidence(struct vg_evidence *evidence, struct vg_task *task,
                          const struct vg_future *leaf)
{
    vg_evidence_task(evidence, task, 0);
    evidence->starved = task;
    evidence->report.starved = evidence->report.blocked = vg_evidence_name(leaf, NULL);
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
        fill_evidence(evidence, task, leaf);
}
