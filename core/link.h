/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_LINK_H
#define VIGIL_CORE_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "vg_atomic.h"

/*
 * A singly linked intrusive list. A link belongs to whoever has the element; links are handed from
 * thread to thread with the element, hence the VG_RD and VG_WR marks.
 */
struct vg_link {
    struct vg_link *next;
};

#define VG_LINK_OWNER(link, type, member) ((type *)(void *)((char *)(link)-offsetof(type, member)))

static inline struct vg_link *vg_link_next(const struct vg_link *link)
{
    VG_RD(&link->next);
    return link->next;
}

static inline void vg_link_set(struct vg_link *link, struct vg_link *next)
{
    VG_WR(&link->next);
    link->next = next;
}

/* A list with one owner: first in, first out. All zero is an empty one. */
struct vg_fifo {
    struct vg_link *first;
    struct vg_link *last; /* undefined while the list is empty */
    size_t length;
};

static inline bool vg_fifo_empty(const struct vg_fifo *fifo)
{
    return !fifo->first;
}

static inline void vg_fifo_push(struct vg_fifo *fifo, struct vg_link *link)
{
    vg_link_set(link, NULL);
    if (fifo->first)
        vg_link_set(fifo->last, link);
    else
        fifo->first = link;
    fifo->last = link;
    fifo->length++;
}

/* The oldest element, or NULL. */
static inline struct vg_link *vg_fifo_pop(struct vg_fifo *fifo)
{
    struct vg_link *link = fifo->first;

    if (!link)
        return NULL;
    fifo->first = vg_link_next(link);
    fifo->length--;
    return link;
}

/* Turns a chain round in place: what was pushed last in front becomes the oldest in front. */
static inline struct vg_link *vg_link_reverse(struct vg_link *chain)
{
    struct vg_link *reversed = NULL;

    while (chain) {
        struct vg_link *next = vg_link_next(chain);
        vg_link_set(chain, reversed);
        reversed = chain;
        chain = next;
    }
    return reversed;
}

#endif
