/* SPDX-License-Identifier: MIT */
#include "waitfor.h"

#include <string.h>

#include "live.h"

/* What a pass costs, in nanoseconds: estimated, so that it is the same on the virtual clock. */
enum { SHARE = 50, LOOK_NS = 10, READ_NS = 500, CALM = 3 };

static const struct vg_waitfor_ring *seen_before(const struct vg_waitfor *graph,
                                                 const struct vg_waitfor_ring *ring)
{
    for (unsigned i = 0; i < graph->rings; i++)
        if (graph->ring[i].first == ring->first && graph->ring[i].length == ring->length &&
            graph->ring[i].polls == ring->polls)
            return &graph->ring[i];
    return NULL;
}

/* Reads the member once more, with its names. False: it is not as it was. */
static bool describe_member(const struct vg_waitfor_node *node, struct vg_report_link *link,
                            struct vg_evidence *evidence)
{
    struct vg_waitfor_node again;
    bool same;

    if (!vg_inspect_begin(node->task))
        return false;
    same =
        vg_waitfor_read(node->task, &again) && again.id == node->id && again.polls == node->polls;
    if (same)
        vg_evidence_link(evidence, node->task, link);
    vg_inspect_end(node->task);
    return same;
}

static bool describe_ring(struct vg_liveness *live, const struct vg_waitfor_ring *ring)
{
    struct vg_waitfor *const graph = &live->waitfor;
    struct vg_waitfor_node *node = vg_waitfor_find(graph, ring->first);

    for (unsigned i = 0; i < ring->length; i++, node = vg_waitfor_next(graph, node))
        if (!describe_member(node, i < VG_RING_MAX ? &graph->link[i] : NULL,
                             i == 0 ? &live->found : NULL))
            return false;
    return true;
}

static void report(struct vg_liveness *live, const struct vg_waitfor_ring *ring, uint64_t now)
{
    struct vg_report *const report = &live->found.report;

    if (!describe_ring(live, ring))
        return;
    report->verdict = ring->length > 1 ? VG_VERDICT_WAIT_CYCLE : VG_VERDICT_RECURSIVE_WAIT;
    report->confidence = ring->certain ? VG_CONFIRMED : VG_SUSPECTED;
    report->at = ring->at;
    report->ring = live->waitfor.link;
    report->ring_length = ring->length;
    report->victims = ring->victims;
    vg_report_evidence(live, &live->found, now);
}

static void pass(struct vg_liveness *live, uint64_t now)
{
    struct vg_waitfor *const graph = &live->waitfor;
    struct vg_waitfor_ring ring[VG_WAITFOR_RINGS];
    const struct vg_waitfor_ring *before;
    unsigned n;

    if (!vg_waitfor_collect(graph, live->exec))
        return;
    n = vg_waitfor_solve(graph, ring, VG_WAITFOR_RINGS);
    for (unsigned i = 0; i < n; i++) {
        before = seen_before(graph, &ring[i]);
        ring[i].at = before != NULL ? before->at : now;
        if (before != NULL)
            report(live, &ring[i], now);
    }
    vg_sweep_end(live, now);
    vg_longwaits_end(live, now);
    memcpy(graph->ring, ring, n * sizeof *ring);
    graph->rings = n;
    if (vg_load(&graph->calm, relaxed) < CALM)
        vg_store(&graph->calm, vg_load(&graph->calm, relaxed) + 1, relaxed);
    graph->due =
        now + SHARE * ((uint64_t)graph->looked * LOOK_NS + (uint64_t)graph->read * READ_NS);
}

void vg_waitfor_scan(struct vg_liveness *live, uint64_t now)
{
    if (vg_exec_held(live->exec) == 0)
        live->waitfor.rings = live->waitfor.sweep.before = 0;
    else if (now >= live->waitfor.due)
        pass(live, now);
}

bool vg_waitfor_pending(const struct vg_liveness *live)
{
    return vg_exec_held(live->exec) > 0 && (vg_load(&live->waitfor.calm, relaxed) < CALM ||
                                            vg_longwaits_pending(&live->waitfor.longwaits));
}
