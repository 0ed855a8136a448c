/* SPDX-License-Identifier: MIT */
#include "waitfor.h"

#include <string.h>

#include "vg_fault.h"
#include "vg_mix.h"
#include "vg_os.h"
#include "walk.h"

static unsigned slot_of(uint64_t id)
{
    return (unsigned)(vg_mix(id) >> 40) % VG_WAITFOR_SLOTS;
}

struct vg_waitfor_node *vg_waitfor_find(const struct vg_waitfor *graph, uint64_t id)
{
    for (unsigned i = slot_of(id); graph->slot[i] != 0; i = (i + 1) % VG_WAITFOR_SLOTS)
        if (graph->node[graph->slot[i] - 1].id == id)
            return &graph->node[graph->slot[i] - 1];
    return NULL;
}

static void enter(struct vg_waitfor *graph, const struct vg_waitfor_node *node)
{
    unsigned i = slot_of(node->id);

    while (graph->slot[i] != 0)
        i = (i + 1) % VG_WAITFOR_SLOTS;
    graph->slot[i] = ++graph->nodes;
    graph->node[graph->nodes - 1] = *node;
    graph->node[graph->nodes - 1].slot = i;
}

/* The last pass's. */
static void forget_all(struct vg_waitfor *graph)
{
    for (; graph->nodes > 0; graph->nodes--)
        graph->slot[graph->node[graph->nodes - 1].slot] = 0;
}

static bool reserve(struct vg_waitfor *graph)
{
    const size_t nodes = VG_WAITFOR_NODES * sizeof *graph->node;

    if (graph->node == NULL && !VG_FAULT("waitfor"))
        graph->node = vg_os_reserve(nodes + VG_WAITFOR_SLOTS * sizeof *graph->slot);
    graph->slot = (uint32_t *)(void *)((char *)graph->node + nodes);
    return graph->node != NULL;
}

void vg_waitfor_close(struct vg_waitfor *graph)
{
    if (graph->node != NULL)
        vg_os_unreserve(graph->node, VG_WAITFOR_NODES * sizeof *graph->node +
                                         VG_WAITFOR_SLOTS * sizeof *graph->slot);
    memset(graph, 0, sizeof *graph);
}

/* ---- one task ------------------------------------------------------------------------------ */

unsigned vg_waitfor_holders(const struct vg_wait *wait, struct vg_owner holder[VG_WAITFOR_HOLDERS])
{
    const struct vg_resource_ops *ops = wait->resource->ops;

    if (wait->by == VG_BY_TASK) {
        holder[0] = (struct vg_owner){.task = wait->task};
        return 1;
    }
    if (wait->by != VG_BY_HOLDERS || wait->state != VG_WAIT_QUEUED)
        return 0;
    if (ops->holders != NULL)
        return ops->holders(wait->resource, holder, VG_WAITFOR_HOLDERS);
    return ops->owner != NULL && ops->owner(wait->resource, &holder[0]);
}

/* False: there may be somebody else who can end this wait. */
static bool read_arm(const struct vg_future *leaf, struct vg_waitfor_arm *arm)
{
    struct vg_owner holder[VG_WAITFOR_HOLDERS];
    struct vg_wait wait;
    unsigned n;

    if (!leaf->ops->is_held || !leaf->ops->waits(leaf, &wait))
        return false;
    n = vg_waitfor_holders(&wait, holder);
    if (n == 0 || n > VG_WAITFOR_HOLDERS)
        return false;
    arm->loose = wait.by == VG_BY_HOLDERS && wait.resource->ops->loose;
    arm->holders = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        arm->holder[i] = holder[i].task;
        if (holder[i].task == 0)
            return false;
    }
    return true;
}

static bool waits_for_itself(const struct vg_waitfor_node *node)
{
    for (unsigned i = 0; i < node->arms; i++)
        for (unsigned k = 0; k < node->arm[i].holders; k++)
            if (node->arm[i].holder[k] == node->id)
                return true;
    return false;
}

/* What parked futures wait for lets nobody go on; who waits for what one of his own has is in a futurelock. */
static bool read_leaves(struct vg_task *task, struct vg_waitfor_node *node, uint32_t armed)
{
    struct vg_walk walk;
    struct vg_walk_item item;
    unsigned parked = 0;

    node->arms = 0;
    vg_walk_begin(&walk, vg_task_root(task));
    while (vg_walk_next(&walk, &item)) {
        if (!vg_walk_is_leaf(item.fut))
            continue;
        if (item.parked)
            parked++;
        else if (node->arms == VG_WAITFOR_ARMS || !read_arm(item.fut, &node->arm[node->arms++]))
            return false;
    }
    if (walk.truncated || node->arms == 0 || node->arms + parked < armed)
        return false;
    return parked == 0 || !waits_for_itself(node);
}

bool vg_waitfor_read(struct vg_task *task, struct vg_waitfor_node *node)
{
    struct vg_task_info info;

    vg_task_info(task, &info);
    node->task = task;
    node->id = info.id;
    node->polls = info.polls;
    node->free = false;
    node->seen = false;
    node->walk = 0;
    return info.held > 0 && info.held == info.armed && read_leaves(task, node, info.armed);
}

/* ---- all of them --------------------------------------------------------------------------- */

static bool visit(struct vg_task *task, void *arg)
{
    struct vg_waitfor *graph = (struct vg_waitfor *)arg;
    struct vg_waitfor_node node;
    struct vg_task_info info;
    bool stands, concerned;

    graph->looked++;
    vg_task_info(task, &info);
    concerned = vg_longwaits_concern(&graph->longwaits, info.id);
    if (info.running || (info.held == 0 && !concerned) || !vg_inspect_begin(task))
        return true;
    graph->read++;
    stands = vg_waitfor_read(task, &node);
    if (concerned)
        vg_longwaits_holder(&graph->longwaits, task);
    if (info.held > 0)
        vg_sweep_task(graph, task);
    vg_inspect_end(task);
    if (stands)
        enter(graph, &node);
    return graph->nodes < VG_WAITFOR_NODES;
}

bool vg_waitfor_collect(struct vg_waitfor *graph, struct vg_exec *exec)
{
    if (!reserve(graph))
        return false;
    forget_all(graph);
    graph->looked = graph->read = graph->sweep.finds = 0;
    vg_longwaits_begin(&graph->longwaits);
    vg_exec_each_task(exec, visit, graph);
    return true;
}
