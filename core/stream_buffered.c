/* SPDX-License-Identifier: MIT */
#include <vigil/stream.h>

/*
 * The futures in flight are in a set, which the frame keeps; so they run whether somebody waits or not. `next` waits for the
 * first of them to end. It and the stream below are kept too while the caller looks at a slot.
 */

static struct vg_buffered *buffered_of(struct vg_future *fut)
{
    return (struct vg_buffered *)(void *)fut;
}

static void put_free(struct vg_buffered *b, struct vg_stream_slot *slot)
{
    slot->next = b->free;
    b->free = slot;
}

static struct vg_stream_slot *take_free(struct vg_buffered *b)
{
    struct vg_stream_slot *const slot = b->free;

    b->free = slot->next;
    slot->next = NULL;
    return slot;
}

static void begin(struct vg_buffered *b, void *item, struct vg_cx *cx)
{
    struct vg_stream_slot *const slot = take_free(b);
    struct vg_future *const fut = b->start(b->arg, item, slot);

    b->flying++;
    slot->landed = false;
    if (b->ordered) {
        *b->newest = slot;
        b->newest = &slot->next;
    }
    vg_set_push(&b->set, &slot->item, fut, cx);
}

/* Begins as many as there is room for. True: the stream below has an end or a failure to tell. */
static bool fill(struct vg_buffered *b, struct vg_cx *cx)
{
    while (b->free != NULL && vg_stream_pull(&b->stream, b->up, cx)) {
        if (b->up->ret <= 0)
            return true;
        begin(b, vg_stream_taken(b->up), cx);
    }
    return false;
}

/* True: `next` has ended since it was last taken. It starts anew if it has to. */
static bool has_next(struct vg_buffered *b, struct vg_cx *cx)
{
    if (b->next.fut.flags & VG_F_TAKEN)
        vg_set_next(&b->next, &b->set);
    if (vg_cancelled(&b->stream.fut))
        vg_cancel(&b->next.fut, cx);
    if (!vg_poll_future(&b->next.fut, cx).ready)
        return false;
    b->next.fut.flags |= VG_F_TAKEN;
    return true;
}

/* Takes one that has ended out of the set. NULL: none has, or the waiting was cancelled. */
static struct vg_stream_slot *land(struct vg_buffered *b, struct vg_cx *cx)
{
    struct vg_stream_slot *slot;

    /* It may have been cancelled while it was kept. */
    if (!has_next(b, cx) || (b->next.ret < 0 && !has_next(b, cx)) || b->next.ret < 0)
        return NULL;
    slot = (struct vg_stream_slot *)(void *)b->next.item;
    slot->landed = true;
    return slot;
}

static vg_poll give(struct vg_buffered *b, struct vg_stream_slot *slot, struct vg_cx *cx)
{
    if (b->ordered) {
        b->oldest = slot->next;
        if (b->oldest == NULL)
            b->newest = &b->oldest;
    }
    b->flying--;
    put_free(b, slot); /* nothing new begins before the caller asks again */
    vg_stream_leave(&b->stream, &b->up->fut, cx);
    vg_stream_leave(&b->stream, &b->next.fut, cx);
    return vg_stream_give(&b->stream, 1, slot);
}

/* One that may be given; NULL: none yet. */
static struct vg_stream_slot *find(struct vg_buffered *b, struct vg_cx *cx)
{
    struct vg_stream_slot *slot = NULL;

    do {
        if (b->ordered && b->oldest != NULL && b->oldest->landed)
            return b->oldest;
        slot = b->flying > 0 ? land(b, cx) : NULL;
    } while (b->ordered && slot != NULL);
    return slot;
}

/* The waiting was cancelled, what flies was not. */
static vg_poll stop(struct vg_buffered *b)
{
    if (vg_stream_flies(&b->stream, &b->up->fut) || vg_stream_flies(&b->stream, &b->next.fut))
        return VG_PENDING;
    if (b->up->fut.state == VG_DONE && b->up->ret == -ECANCELED)
        (void)vg_stream_taken(b->up);
    return vg_stream_give(&b->stream, -ECANCELED, NULL);
}

static bool end(struct vg_future *fut, struct vg_cx *cx)
{
    if (fut->state == VG_INIT)
        return true;
    vg_cancel(fut, cx);
    (void)vg_poll_future(fut, cx); /* it may have been kept */
    vg_settle(fut, cx);
    return vg_done(fut);
}

static vg_poll close_all(struct vg_buffered *b, struct vg_cx *cx)
{
    const bool up = vg_stream_pull(&b->stream, b->up, cx);
    const bool next = end(&b->next.fut, cx);
    const bool set = end(&b->set.fut, cx);

    return up && next && set ? vg_stream_give(&b->stream, 0, NULL) : VG_PENDING;
}

static vg_poll buffered_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_buffered *const b = buffered_of(fut);
    struct vg_stream_slot *slot;
    bool told;

    if (b->stream.closing)
        return close_all(b, cx);
    told = !vg_cancelled(fut) && fill(b, cx);
    slot = find(b, cx);
    if (slot != NULL)
        return give(b, slot, cx);
    if (vg_cancelled(fut))
        return stop(b);
    if (told && (b->flying == 0 || (b->up->ret < 0 && !b->ordered))) {
        vg_stream_leave(&b->stream, &b->next.fut, cx);
        return vg_stream_pass(&b->stream, b->up);
    }
    return VG_PENDING;
}

static void buffered_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_buffered *const b = buffered_of(fut);

    vg_stream_cancel(&b->stream, b->up, cx);
    if (vg_stream_flies(&b->stream, &b->next.fut))
        vg_cancel(&b->next.fut, cx);
    if (b->stream.closing)
        vg_cancel(&b->set.fut, cx);
}

static struct vg_future *buffered_child(const struct vg_future *fut, unsigned i)
{
    const struct vg_buffered *const b = (const struct vg_buffered *)(const void *)fut;

    return i == 0 ? &b->up->fut : i == 1 ? (struct vg_future *)(uintptr_t)&b->next.fut : NULL;
}

static const struct vg_ops buffered_ops = {
    .poll = buffered_poll,
    .cancel = buffered_cancel,
    .child = buffered_child,
    .name = "stream_buffered",
    .size = sizeof(struct vg_buffered),
    .kind = VG_KIND_NODE,
};

struct vg_stream *vg_buffered_init_(struct vg_buffered *b, struct vg_stream *up, void *slots,
                                    size_t size, size_t count, bool ordered,
                                    struct vg_future *(*start)(void *arg, void *item,
                                                               struct vg_stream_slot *slot),
                                    void *arg)
{
    VG_ASSERT(count > 0);
    vg_stream_init(&b->stream, &buffered_ops);
    b->up = up;
    b->start = start;
    b->arg = arg;
    b->free = b->oldest = NULL;
    b->newest = &b->oldest;
    for (size_t i = count; i > 0; i--)
        put_free(b, (struct vg_stream_slot *)(void *)((char *)slots + (i - 1) * size));
    b->flying = 0;
    b->ordered = ordered;
    vg_set_init(&b->set);
    vg_set_next(&b->next, &b->set);
    return &b->stream;
}
