/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_CORE_STREAM_TREE_H
#define VIGIL_TESTS_CORE_STREAM_TREE_H

#include "stream_scene.h"

/*
 * A random tree of streams of numbers, beside what a plain computation on lists says it gives. The order counts unless a merge or an
 * unordered buffer is in it; what depends on the order is not put above one of these.
 */

enum { NODES = 12, LIST_MAX = 64, FLIGHTS = 3 };

struct list {
    int value[LIST_MAX];
    unsigned length;
    bool sorted; /* in the order in which it is given */
};

struct flight {
    struct vg_stream_slot slot;
    struct event_wait wait;
    int number;
};

struct node {
    struct gate gate;
    struct count count;
    struct vg_iter iter;
    struct vg_sift sift[2];
    struct vg_chunks chunks;
    struct vg_both both;
    struct vg_buffered buffered;
    struct flight flight[FLIGHTS];
    struct event landing[LIST_MAX];
    unsigned begun;
    int chunk[2], value;
};

struct tree {
    uint64_t seed;
    struct node node[NODES];
    unsigned used;
};

static inline unsigned pick(struct tree *tree, unsigned n)
{
    tree->seed = tree->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(tree->seed >> 33) % n;
}

/* ---- what the adapters do, and the same on lists ------------------------------------------------- */

static inline void *twice(void *arg, void *item)
{
    struct node *const node = (struct node *)arg;

    node->value = 2 * *(const int *)item;
    return &node->value;
}

static inline bool is_no_third(void *arg, const void *item)
{
    (void)arg;
    return *(const int *)item % 3 != 0;
}

static inline void *add_chunk(void *arg, void *item)
{
    struct node *const node = (struct node *)arg;
    const struct vg_chunks *const chunks = (const struct vg_chunks *)item;

    node->value = 0;
    for (size_t i = 0; i < chunks->count; i++)
        node->value = 7 * node->value + ((const int *)chunks->items)[i];
    return &node->value;
}

static inline void *add_pair(void *arg, void *item)
{
    struct node *const node = (struct node *)arg;
    void *const *const pair = (void *const *)item;

    node->value = 5 * *(const int *)pair[0] + *(const int *)pair[1];
    return &node->value;
}

static inline void *number_of(void *arg, void *item)
{
    const struct flight *const flight = (const struct flight *)item;
    struct node *const node = (struct node *)arg;

    node->value = flight->number;
    return &node->value;
}

static inline struct vg_future *take_off(void *arg, void *item, struct vg_stream_slot *slot)
{
    struct flight *const flight = (struct flight *)(void *)slot;
    struct node *const node = (struct node *)arg;

    CHECK(node->begun < LIST_MAX);
    flight->number = *(const int *)item;
    return &event_wait(&flight->wait, &node->landing[node->begun++])->fut;
}

static inline void append(struct list *list, int value)
{
    CHECK(list->length < LIST_MAX);
    list->value[list->length++] = value;
}

static inline void append_all(struct list *list, const struct list *more)
{
    for (unsigned i = 0; i < more->length; i++)
        append(list, more->value[i]);
    list->sorted = list->sorted && more->sorted;
}

static inline void map_list(struct list *list)
{
    for (unsigned i = 0; i < list->length; i++)
        list->value[i] *= 2;
}

static inline void filter_list(struct list *list)
{
    unsigned n = 0;

    for (unsigned i = 0; i < list->length; i++)
        if (list->value[i] % 3 != 0)
            list->value[n++] = list->value[i];
    list->length = n;
}

static inline void chunk_list(struct list *list)
{
    unsigned n = 0;

    for (unsigned i = 0; i < list->length; i += 2)
        list->value[n++] =
            i + 1 < list->length ? 7 * list->value[i] + list->value[i + 1] : list->value[i];
    list->length = n;
}

static inline void zip_list(struct list *list, const struct list *other)
{
    if (list->length > other->length)
        list->length = other->length;
    for (unsigned i = 0; i < list->length; i++)
        list->value[i] = 5 * list->value[i] + other->value[i];
}

/* ---- building ------------------------------------------------------------------------------------ */

static inline struct vg_stream *leaf(struct tree *tree, struct node *node, struct list *list)
{
    const unsigned length = pick(tree, GATES);
    const int first = (int)pick(tree, 50);

    *list = (struct list){.sorted = true};
    for (unsigned i = 0; i < length; i++)
        append(list, first + (int)i);
    if (pick(tree, 3) > 0)
        return vg_stream_take(&node->sift[0], gate(&node->gate, first), length);
    node->count = (struct count){.at = first - 1, .end = first - 1 + (int)length};
    return vg_stream_iter(&node->iter, count_next, &node->count);
}

/* Of one stream, whatever its order. */
static inline struct vg_stream *any_order(struct tree *tree, struct node *node,
                                          struct vg_stream *up, struct list *list)
{
    switch (pick(tree, 3)) {
    case 0:
        map_list(list);
        return vg_stream_map(&node->sift[0], up, twice, node);
    case 1:
        filter_list(list);
        return vg_stream_filter(&node->sift[0], up, is_no_third, NULL);
    default:
        list->sorted = false;
        up = vg_buffer_unordered(&node->buffered, up, node->flight, take_off, node);
        return vg_stream_map(&node->sift[0], up, number_of, node);
    }
}

static inline struct vg_stream *in_order(struct tree *tree, struct node *node, struct vg_stream *up,
                                         struct list *list)
{
    const unsigned most = pick(tree, 5);

    switch (pick(tree, 3)) {
    case 0:
        list->length = list->length < most ? list->length : most;
        return vg_stream_take(&node->sift[0], up, most);
    case 1:
        chunk_list(list);
        up = vg_stream_chunks(&node->chunks, up, node->chunk, sizeof(int), 2);
        return vg_stream_map(&node->sift[0], up, add_chunk, node);
    default:
        up = vg_buffered(&node->buffered, up, node->flight, take_off, node);
        return vg_stream_map(&node->sift[0], up, number_of, node);
    }
}

static inline struct vg_stream *of_two(struct tree *tree, struct node *node,
                                       struct vg_stream *up[2], struct list *list,
                                       const struct list *other)
{
    const bool both_sorted = list->sorted && other->sorted;

    switch (pick(tree, both_sorted ? 3 : 2)) {
    case 0:
        append_all(list, other);
        list->sorted = false;
        return vg_stream_merge(&node->both, up[0], up[1]);
    case 1:
        append_all(list, other);
        return vg_stream_chain(&node->both, up[0], up[1]);
    default:
        zip_list(list, other);
        return vg_stream_map(&node->sift[0], vg_stream_zip(&node->both, up[0], up[1]), add_pair,
                             node);
    }
}

static inline struct vg_stream *grow(struct tree *tree, unsigned depth, struct list *list)
{
    struct node *const node = &tree->node[tree->used++];
    struct vg_stream *up[2];
    struct list other;

    CHECK(tree->used <= NODES);
    if (depth == 0 || tree->used + 2 >= NODES)
        return leaf(tree, node, list);
    up[0] = grow(tree, depth - 1, list);
    if (pick(tree, 3) == 0 && tree->used + 2 < NODES) {
        up[1] = grow(tree, depth > 2 ? 1 : depth - 1, &other);
        return of_two(tree, node, up, list, &other);
    }
    return list->sorted && pick(tree, 2) ? in_order(tree, node, up[0], list)
                                         : any_order(tree, node, up[0], list);
}

#endif
