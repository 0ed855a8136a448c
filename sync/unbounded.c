/* SPDX-License-Identifier: MIT */
#include <vigil/unbounded.h>

#include "inbox.h"
#include "look.h"
#include "ring.h"
#include "vg_spin.h"

/* The oldest block is the first in the list, and has a value unless it is the only one. */
struct vg_unbounded_block {
    struct vg_unbounded_block *next;
    _Alignas(16) unsigned char values[];
};

static struct vg_unbounded *channel_of(void *part)
{
    return part;
}

static size_t block_size(const struct vg_unbounded *channel)
{
    return sizeof(struct vg_unbounded_block) + (size_t)VG_UNBOUNDED_BLOCK * channel->inbox.size;
}

static struct vg_unbounded_block *alloc_block(const struct vg_unbounded *channel)
{
    const struct vg_alloc *alloc = channel->alloc;

    return alloc->alloc(alloc->self, block_size(channel), 16);
}

/* Blocks linked by next, or NULL. Without the guard. */
static void free_blocks(const struct vg_unbounded *channel, struct vg_unbounded_block *block)
{
    const struct vg_alloc *alloc = channel->alloc;
    struct vg_unbounded_block *next;

    for (; block; block = next) {
        next = block->next;
        alloc->free(alloc->self, block, block_size(channel), 16);
    }
}

/* ---- senders ------------------------------------------------------------------------------- */

/* Guard held. Appends a block, if there is one to append; true: there is room in the last one. */
static bool make_room(struct vg_unbounded *channel, struct vg_unbounded_block **fresh)
{
    struct vg_unbounded_block **from = channel->spare ? &channel->spare : fresh;

    if (channel->last && channel->tail < VG_UNBOUNDED_BLOCK)
        return true;
    if (!*from)
        return false;
    *(channel->last ? &channel->last->next : &channel->first) = *from;
    channel->last = *from;
    channel->last->next = NULL;
    channel->tail = 0;
    *from = NULL;
    return true;
}

/* Guard held. */
static int put(struct vg_unbounded *channel, const void *value, struct vg_unbounded_block **fresh,
               struct vg_notice *notice)
{
    if (channel->closed)
        return -EPIPE;
    if (!make_room(channel, fresh))
        return -ENOMEM;
    vg_value_copy(channel->last->values + (size_t)channel->tail++ * channel->inbox.size, value,
                  channel->inbox.size);
    channel->length++;
    *notice = vg_inbox_wake_one(&channel->inbox);
    return 0;
}

static int try_put(struct vg_unbounded *channel, const void *value,
                   struct vg_unbounded_block **fresh)
{
    struct vg_notice notice = {NULL};
    int rc;

    vg_spin_lock(&channel->inbox.senders.guard);
    rc = put(channel, value, fresh, &notice);
    if (*fresh && !channel->spare && rc == 0) { /* somebody else has made room meanwhile */
        channel->spare = *fresh;
        *fresh = NULL;
    }
    vg_spin_unlock(&channel->inbox.senders.guard);
    vg_notify_any(notice);
    return rc;
}

/* A block is allocated without the guard, so it is not always used. */
static int send(struct vg_unbounded *channel, const void *value)
{
    struct vg_unbounded_block *fresh = NULL;
    int rc = try_put(channel, value, &fresh);

    if (VG_LIKELY(rc != -ENOMEM))
        return rc;
    fresh = alloc_block(channel);
    if (!fresh)
        return -ENOMEM;
    fresh->next = NULL;
    rc = try_put(channel, value, &fresh);
    free_blocks(channel, fresh);
    return rc;
}

int vg_unbounded_send(struct vg_unbounded *channel, const void *value)
{
    const int rc = send(channel, value);

    if (rc == 0)
        vg_gave_here();
    return rc;
}

void vg_unbounded_close(struct vg_unbounded *channel)
{
    struct vg_notice notice;

    vg_spin_lock(&channel->inbox.senders.guard);
    channel->closed = true;
    notice = vg_inbox_wake_one(&channel->inbox);
    vg_spin_unlock(&channel->inbox.senders.guard); /* the last access to the channel */
    vg_notify_any(notice);
}

/* ---- the receiver -------------------------------------------------------------------------- */

/* Guard held. The first block is used up. One empty block is kept; returns one that is to be freed, or NULL. */
static struct vg_unbounded_block *retire(struct vg_unbounded *channel)
{
    struct vg_unbounded_block *block = channel->first;

    channel->first = block->next;
    channel->head = 0;
    if (!channel->first)
        channel->last = NULL;
    block->next = NULL;
    if (channel->spare)
        return block;
    channel->spare = block;
    return NULL;
}

static void pop(struct vg_unbounded *channel, void *value)
{
    vg_value_copy(value, channel->first->values + (size_t)channel->head++ * channel->inbox.size,
                  channel->inbox.size);
    channel->length--;
}

/* One section uses up one block at most, for it takes fewer values than a block holds. */
_Static_assert((int)VG_SECTION_MAX <= (int)VG_UNBOUNDED_BLOCK, "one block to free");

static uint32_t take(struct vg_inbox *inbox, void *values, uint32_t max, struct vg_notices *notices)
{
    struct vg_unbounded *channel = channel_of(inbox);
    unsigned char *value = values;
    uint32_t n = max < VG_SECTION_MAX ? max : VG_SECTION_MAX;

    if (channel->length < n)
        n = (uint32_t)channel->length;
    for (uint32_t i = 0; i < n; i++, value += inbox->size) {
        pop(channel, value);
        if (channel->head == VG_UNBOUNDED_BLOCK)
            notices->garbage = retire(channel);
    }
    return n;
}

static bool is_over(const struct vg_inbox *inbox)
{
    return ((const struct vg_unbounded *)(const void *)inbox)->closed;
}

static void dispose(struct vg_inbox *inbox, void *garbage)
{
    free_blocks(channel_of(inbox), garbage);
}

static bool has(const struct vg_inbox *inbox)
{
    return ((const struct vg_unbounded *)(const void *)inbox)->length > 0;
}

static const struct vg_inbox_ops inbox_ops = {
    .take = take, .has = has, .is_over = is_over, .dispose = dispose};

int vg_unbounded_try_recv(struct vg_unbounded *channel, void *value)
{
    return vg_inbox_try_recv(&channel->inbox, &inbox_ops, value);
}

struct vg_receive *vg_unbounded_recv(struct vg_receive *recv, struct vg_unbounded *channel,
                                     void *value)
{
    return vg_inbox_recv(recv, &channel->inbox, value, 1, false);
}

struct vg_receive *vg_unbounded_recv_many(struct vg_receive *recv, struct vg_unbounded *channel,
                                          void *values, size_t max)
{
    return vg_inbox_recv(recv, &channel->inbox, values, max, true);
}

/* ---- life ---------------------------------------------------------------------------------- */

void vg_unbounded_init_at(struct vg_unbounded *channel, const char *name, size_t size,
                          const struct vg_alloc *alloc, const struct vg_place *place)
{
    vg_value_check_size(size);
    *channel = (struct vg_unbounded){.inbox = {.resource = {&vg_unbounded_resource_, name, place},
                                               .ops = &inbox_ops,
                                               .size = (uint32_t)size},
                                     .alloc = alloc ? alloc : &vg_alloc_default};
}

void vg_unbounded_fini(struct vg_unbounded *channel)
{
    vg_spin_lock(&channel->inbox.senders.guard);
    vg_inbox_fini(&channel->inbox);
    vg_spin_unlock(&channel->inbox.senders.guard);
    free_blocks(channel, channel->first);
    free_blocks(channel, channel->spare);
}

size_t vg_unbounded_length(struct vg_unbounded *channel)
{
    size_t length;

    vg_spin_lock(&channel->inbox.senders.guard);
    length = channel->length;
    vg_spin_unlock(&channel->inbox.senders.guard);
    return length;
}

/* ---- the resource -------------------------------------------------------------------------- */

const struct vg_resource_ops vg_unbounded_resource_ = {
    .kind = "channel",
    .owner = vg_look_owner,
    .ahead = vg_look_ahead,
    .waiters = vg_inbox_waiters,
};
