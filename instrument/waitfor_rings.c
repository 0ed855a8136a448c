/* SPDX-License-Identifier: MIT */
#include "waitfor.h"

static bool may_end(const struct vg_waitfor *graph, const struct vg_waitfor_arm *arm)
{
    for (unsigned i = 0; i < arm->holders; i++) {
        const struct vg_waitfor_node *holder = vg_waitfor_find(graph, arm->holder[i]);

        if (holder == NULL || holder->free)
            return true;
    }
    return false;
}

/* True: it turns out to be able to go on. */
static bool frees(const struct vg_waitfor *graph, struct vg_waitfor_node *node)
{
    for (unsigned i = 0; i < node->arms && !node->free; i++)
        node->free = may_end(graph, &node->arm[i]);
    return node->free;
}

/* There and back again, so that chains in the order of their ids, as they mostly are, take one round. */
static void free_all(struct vg_waitfor *graph)
{
    bool more = true;

    while (more) {
        more = false;
        for (unsigned i = 0; i < graph->nodes; i++)
            more |= !graph->node[i].free && frees(graph, &graph->node[i]);
        for (unsigned i = graph->nodes; i-- > 0;)
            more |= !graph->node[i].free && frees(graph, &graph->node[i]);
    }
}

struct vg_waitfor_node *vg_waitfor_next(const struct vg_waitfor *graph,
                                        const struct vg_waitfor_node *node)
{
    return vg_waitfor_find(graph, node->arm[0].holder[0]);
}

static struct vg_waitfor_node *least_of(const struct vg_waitfor *graph,
                                        struct vg_waitfor_node *member)
{
    struct vg_waitfor_node *least = member, *node = member;

    while ((node = vg_waitfor_next(graph, node)) != member)
        if (node->id < least->id)
            least = node;
    return least;
}

/* Follows the first of each one's holders until it has been there: in this walk, and that is a ring; or in one before,
 * whose ring is known. */
static struct vg_waitfor_node *walk_from(const struct vg_waitfor *graph,
                                         struct vg_waitfor_node *node, uint32_t number)
{
    while (node->walk == 0) {
        node->walk = number;
        node = vg_waitfor_next(graph, node);
    }
    return node->walk == number ? node : NULL;
}

/* What the node waits for is looked at next. False: there is too much of it. */
static bool push_holders(const struct vg_waitfor *graph, const struct vg_waitfor_node *node,
                         struct vg_waitfor_node **stack, unsigned *depth, unsigned max)
{
    for (unsigned i = 0; i < node->arms; i++)
        for (unsigned k = 0; k < node->arm[i].holders; k++) {
            if (*depth == max)
                return false;
            stack[(*depth)++] = vg_waitfor_find(graph, node->arm[i].holder[k]);
        }
    return true;
}

static bool is_loose(const struct vg_waitfor_node *node)
{
    for (unsigned i = 0; i < node->arms; i++)
        if (node->arm[i].loose)
            return true;
    return false;
}

/* All that the ring's standstill rests on, which may be more than its members where they wait for one of several: each of them
 * is to stand unchanged, and nothing may be loose. */
static void add_up(const struct vg_waitfor *graph, struct vg_waitfor_node *node,
                   struct vg_waitfor_ring *ring)
{
    enum { DEPTH_MAX = 64 };
    struct vg_waitfor_node *stack[DEPTH_MAX];
    unsigned depth = 0;

    ring->certain = true;
    stack[depth++] = node;
    while (depth > 0) {
        node = stack[--depth];
        if (node->seen)
            continue;
        node->seen = true;
        ring->polls += node->polls;
        if (!push_holders(graph, node, stack, &depth, DEPTH_MAX) || is_loose(node))
            ring->certain = false;
    }
}

static void describe(struct vg_waitfor *graph, struct vg_waitfor_node *member,
                     struct vg_waitfor_ring *ring)
{
    struct vg_waitfor_node *const first = least_of(graph, member), *node = first;

    *ring = (struct vg_waitfor_ring){.first = first->id};
    do {
        ring->length++;
        node = vg_waitfor_next(graph, node);
    } while (node != first);
    for (unsigned i = 0; i < graph->nodes; i++)
        graph->node[i].seen = false;
    add_up(graph, first, ring);
}

unsigned vg_waitfor_solve(struct vg_waitfor *graph, struct vg_waitfor_ring *rings, unsigned max)
{
    struct vg_waitfor_node *member;
    unsigned n = 0, stand = 0, members = 0;

    free_all(graph);
    for (unsigned i = 0; i < graph->nodes; i++) {
        if (graph->node[i].free)
            continue;
        stand++;
        member = walk_from(graph, &graph->node[i], i + 1);
        if (member == NULL || n == max)
            continue;
        describe(graph, member, &rings[n]);
        members += rings[n++].length;
    }
    if (n ==
        1) /* of several rings, whose victim is whose would be guesswork where tasks wait for one of many */
        rings[0].victims = stand - members;
    return n;
}
