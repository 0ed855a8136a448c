/* SPDX-License-Identifier: MIT */
#include "tally.h"

/* A wait that has not ended counts with its age, in the part it has come to. */
static void add(struct vg_tally *tally, const struct vg_site *site, enum vg_node node,
                enum vg_segment segment, uint64_t woken_at)
{
    const uint64_t age = tally->now > woken_at ? tally->now - woken_at : 0;
    const struct vg_sites *const sites = &tally->live->sites;
    struct vg_tally_line *line =
        vg_tally_line(tally, (unsigned)vg_slot_of(sites->begin, sites->count, site, node));
    struct vg_snapshot_open *open = &tally->open;

    line->open++;
    line->waits.sum[segment] += age;
    line->waits.sum[VG_SEG_TOTAL] += age;
    vg_hist_add(&line->waits.hist[segment], age);
    vg_hist_add(&line->waits.hist[VG_SEG_TOTAL], age);

    open->count++;
    open->over_10ms += age >= VG_MSEC(10);
    open->over_100ms += age >= VG_MSEC(100);
    open->over_1s += age >= VG_SEC(1);
    if (age > open->oldest_of[node])
        open->oldest_of[node] = age;
    if (age >= open->oldest) {
        open->oldest = age;
        open->site = site;
        open->node = node;
    }
}

struct owed {
    unsigned count;
    struct {
        const struct vg_site *site;
        enum vg_node node;
        uint64_t woken_at;
    } wait[VG_OWED_MAX];
};

static enum vg_node node_of(const struct vg_future *fut)
{
    return fut->flags & VG_F_BESIDE ? VG_NODE_CHILD : VG_NODE_TASK;
}

/* Of a task that is idle; false if it is not. */
static bool copy_owed(struct owed *owed, struct vg_task *task)
{
    struct vg_waiter *waiter;

    owed->count = 0;
    if (!vg_inspect_begin(task))
        return false;
    while (owed->count < VG_OWED_MAX && (waiter = vg_task_owed(task, owed->count)) != NULL) {
        owed->wait[owed->count].site = vg_site_of(waiter->fut);
        owed->wait[owed->count].node = node_of(waiter->fut);
        owed->wait[owed->count].woken_at = waiter->woken_at;
        owed->count++;
    }
    vg_inspect_end(task);
    return true;
}

/* A task that is owned and has no stamp is being polled, but for the moment between two polls of it. */
static void count_task(struct vg_tally *tally, const struct vg_task_info *info)
{
    if (info->ended)
        return;
    if (!info->running)
        tally->idle++;
    else if (info->woken_at == 0 && tally->running < tally->live->workers)
        tally->running++;
    else
        tally->queued++;
}

static bool visit(struct vg_task *task, void *arg)
{
    struct vg_tally *tally = (struct vg_tally *)arg;
    struct vg_task_info info;
    struct owed owed;

    vg_task_info(task, &info);
    count_task(tally, &info);
    if (info.woken_at != 0)
        add(tally, NULL, VG_NODE_TASK, VG_SEG_RUNTIME, info.woken_at);
    if (info.owed_since == 0)
        return true;
    if (!copy_owed(&owed, task))
        add(tally, NULL, VG_NODE_CHILD, VG_SEG_PARENT, info.owed_since);
    for (unsigned i = 0; i < owed.count; i++)
        add(tally, owed.wait[i].site, owed.wait[i].node, VG_SEG_PARENT, owed.wait[i].woken_at);
    return true;
}

void vg_tally_open_waits(struct vg_tally *tally)
{
    if (tally->live->exec != NULL)
        vg_exec_each_task(tally->live->exec, visit, tally);
}
