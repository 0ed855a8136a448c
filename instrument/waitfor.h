/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_INSTRUMENT_WAITFOR_H
#define VIGIL_INSTRUMENT_WAITFOR_H

#include <vigil/liveness.h>

#include "longwait.h"
#include "sweep.h"
#include "vg_atomic.h"

/*
 * Which tasks wait for each other, and for nothing else.
 *
 * A task is a node of the graph if it is idle and every wake that may still reach it is for something that known tasks
 * hold. Whoever is not a node can go on: it runs, or a timer, the kernel, a thread, an unknown holder may wake it. A
 * node can go on if one of those that it waits for can. The nodes that are left stand still for ever; among them is a
 * ring, or several, and behind each ring its victims. That is exact for selects and for locks with several holders,
 * as far as the holders are known.
 *
 * Tasks are read one after the other while others run, so what one pass finds may never have been true at any one
 * moment. It is reported when the next pass finds the same, and no member was polled in between: then all of them
 * stood between the two passes as they were seen, and none of them can have let another one go on since. Only a
 * stranger may have, who unlocks what he does not hold or cancels a task.
 *
 * Everything belongs to the scan. A pass reads a cache line of each task, and holds those for a moment that wait for
 * something that others hold; how often it comes depends on how many there were, so that it takes at most a fiftieth of the time.
 */

enum {
    VG_WAITFOR_NODES = 1 << 14, /* what else waits is taken to be able to go on */
    VG_WAITFOR_SLOTS = 2 * VG_WAITFOR_NODES,
    VG_WAITFOR_ARMS = 4,
    VG_WAITFOR_HOLDERS = 4,
    VG_WAITFOR_RINGS = 4, /* reported in a pass */
};

/* What a leaf waits for. */
struct vg_waitfor_arm {
    uint64_t holder[VG_WAITFOR_HOLDERS]; /* ids of tasks */
    uint8_t holders;
    bool loose;
};

struct vg_waitfor_node {
    struct vg_task *task;
    uint64_t id, polls;
    uint32_t slot; /* where it is found by id */
    uint8_t arms;
    bool free;     /* it can go on */
    bool seen;     /* by the look at what a ring rests on */
    uint32_t walk; /* the search that came to it last; 0: none */
    struct vg_waitfor_arm arm[VG_WAITFOR_ARMS];
};

/* A ring as the last pass saw it. */
struct vg_waitfor_ring {
    uint64_t first, at; /* the member with the least id; when it was first seen */
    uint64_t polls;     /* of all members, and of all others that it rests on */
    unsigned length, victims;
    bool certain; /* nothing in it, or behind what it waits for, is loose */
};

/*
 * calm  Passes since a worker was last seen awake, up to 3. Relaxed: the watchdog's thread sets it back and reads it, whoever scans
 *       counts. A count that is lost between the two makes for one more pass.
 */
struct vg_waitfor {
    struct vg_waitfor_node *node;
    uint32_t *slot; /* by id, open addressing: 1 + index of the node; 0: free */
    unsigned nodes, rings;
    unsigned looked, read; /* tasks, in this pass */
    uint64_t due;          /* the next pass */
    VG_ATOMIC(uint32_t) calm;
    struct vg_waitfor_ring ring[VG_WAITFOR_RINGS];
    struct vg_report_link link[VG_RING_MAX];
    struct vg_sweep sweep;
    struct vg_longwaits longwaits;
};

struct vg_liveness;

/* In the scan: a pass, if it is time for one. */
void vg_waitfor_scan(struct vg_liveness *live, uint64_t now);

/* Whether the next passes may find what the last one could not be sure of. */
bool vg_waitfor_pending(const struct vg_liveness *live);

/* A worker is awake. */
static inline void vg_waitfor_stir(struct vg_waitfor *graph)
{
    vg_store(&graph->calm, 0u, relaxed);
}

/* No executor is attached any more. */
void vg_waitfor_close(struct vg_waitfor *graph);

/* ---- waitfor_graph.c ------------------------------------------------------------------------- */

/* Fills in the nodes. False: no memory. */
bool vg_waitfor_collect(struct vg_waitfor *graph, struct vg_exec *exec);

struct vg_waitfor_node *vg_waitfor_find(const struct vg_waitfor *graph, uint64_t id);

/* Those who alone can end the wait. Returns how many there are; 0: that is not known. */
unsigned vg_waitfor_holders(const struct vg_wait *wait, struct vg_owner holder[VG_WAITFOR_HOLDERS]);

/* Reads what the task waits for. It is owned. False: it can go on. */
bool vg_waitfor_read(struct vg_task *task, struct vg_waitfor_node *node);

/* ---- waitfor_rings.c ------------------------------------------------------------------------- */

/* Finds those that stand still, and up to `max` rings among them. Returns how many. */
unsigned vg_waitfor_solve(struct vg_waitfor *graph, struct vg_waitfor_ring *rings, unsigned max);

/* The next member of the ring that the node is in. */
struct vg_waitfor_node *vg_waitfor_next(const struct vg_waitfor *graph,
                                        const struct vg_waitfor_node *node);

#endif
