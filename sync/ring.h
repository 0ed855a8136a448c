/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_SYNC_RING_H
#define VIGIL_SYNC_RING_H

#include <string.h>

#include <vigil/ring.h>

/* Everything here is called with the guard of the channel held. */

/* Most values are a word or two, for which a call of memcpy() would be most of the cost. */
static inline void vg_value_copy(void *to, const void *from, size_t size)
{
    if (size == 8)
        memcpy(to, from, 8);
    else if (size == 16)
        memcpy(to, from, 16);
    else
        memcpy(to, from, size);
}

static inline void vg_value_check_size(size_t size)
{
    if (size == 0 || size > INT32_MAX)
        vg_panic("the values of a channel have 1 to %d bytes, not %zu", INT32_MAX, size);
}

static inline void vg_value_check_capacity(size_t capacity)
{
    if (capacity == 0 || capacity > INT32_MAX)
        vg_panic("a bounded channel has 1 to %d slots, not %zu", INT32_MAX, capacity);
}

static inline void vg_ring_init(struct vg_ring *ring, void *slots, size_t size, size_t capacity)
{
    vg_value_check_size(size);
    vg_value_check_capacity(capacity);
    *ring =
        (struct vg_ring){.slots = slots, .size = (uint32_t)size, .capacity = (uint32_t)capacity};
}

static inline unsigned char *vg_ring_slot(const struct vg_ring *ring, uint32_t i)
{
    uint32_t slot = ring->head + i;

    return ring->slots +
           (size_t)(slot < ring->capacity ? slot : slot - ring->capacity) * ring->size;
}

/* There is a free slot. */
static inline void vg_ring_push(struct vg_ring *ring, const void *value)
{
    VG_DEBUG_ASSERT(ring->length < ring->capacity);
    vg_value_copy(vg_ring_slot(ring, ring->length), value, ring->size);
    ring->length++;
}

/* There is a value. */
static inline void vg_ring_pop(struct vg_ring *ring, void *value)
{
    VG_DEBUG_ASSERT(ring->length > 0);
    vg_value_copy(value, vg_ring_slot(ring, 0), ring->size);
    ring->head = ring->head + 1 < ring->capacity ? ring->head + 1 : 0;
    ring->length--;
}

#endif
