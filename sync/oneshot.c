/* SPDX-License-Identifier: MIT */
#include <vigil/oneshot.h>

#include <errno.h>

#include "vg_spin.h"

/*
 * The word of a oneshot: one of these, or the receive's waiter while nothing has been sent and it waits.
 * EMPTY     Nothing was sent, and nobody waits.
 * ENDING    The sender puts the value in place and wakes the receive. It alone goes on from here, within a few instructions, and
 *           that is its last access: who comes upon this waits for the next.
 * SENT      The value lies in the oneshot.
 * RECEIVED  The value was taken out, by the poll of a receive or by a drop.
 * CLOSED    The sender ended without a value.
 * DROPPED   The receiver ended while nothing had been sent.
 */
enum { EMPTY, ENDING, SENT, RECEIVED, CLOSED, DROPPED, STATES = 16 };

static const char *name_of(const struct vg_oneshot *oneshot)
{
    return oneshot->resource.name ? oneshot->resource.name : "(unnamed)";
}

static bool is_waiter(uintptr_t word)
{
    return word >= STATES;
}

/* The word, when the sender has let go of it. */
static uintptr_t settled(struct vg_oneshot *oneshot)
{
    unsigned looks = 0;
    uintptr_t word;

    /* Pairs with the release at the end of end_sender(): the value, and all that the sender did. */
    while ((word = vg_load(&oneshot->word, acquire)) == ENDING)
        vg_spin_look_again(&looks);
    return word;
}

void vg_oneshot_init_at(struct vg_oneshot *oneshot, const char *name, const struct vg_place *place)
{
    *oneshot = (struct vg_oneshot){.resource = {&vg_oneshot_resource_, name, place}};
}

void vg_oneshot_fini(struct vg_oneshot *oneshot)
{
    if (is_waiter(settled(oneshot)))
        vg_panic("vg_oneshot_fini: a receive waits for oneshot %s", name_of(oneshot));
}

static struct vg_notice wake(struct vg_waiter *waiter)
{
    waiter->queued = 0;
    return vg_wake(waiter);
}

/* The sender ends, in state SENT or CLOSED. False: the receiver has dropped its end. */
static bool end_sender(struct vg_oneshot *oneshot, uintptr_t state, void *value)
{
    struct vg_notice notice = {NULL};
    uintptr_t word = vg_load(&oneshot->word, relaxed);

    do {
        if (word == DROPPED)
            return false;
        if (VG_UNLIKELY(word != EMPTY && !is_waiter(word)))
            vg_panic("the sender of oneshot %s has sent or closed before", name_of(oneshot));
        /* Acquire: the waiter, of start_waiting(). Release: nothing; the store below has it. */
    } while (!vg_cas(&oneshot->word, &word, (uintptr_t)ENDING, acq_rel, relaxed));
    oneshot->value = value;
    if (is_waiter(word))
        notice = wake((struct vg_waiter *)word);
    /* The last access: the receiver may free it. Pairs with the acquire in settled(). */
    vg_store(&oneshot->word, state, release);
    vg_notify(notice);
    return true;
}

int vg_oneshot_send(struct vg_oneshot *oneshot, void *value)
{
    return end_sender(oneshot, SENT, value) ? 0 : -EPIPE;
}

void vg_oneshot_close(struct vg_oneshot *oneshot)
{
    (void)end_sender(oneshot, CLOSED, NULL);
}

/* By the receiver. */
static void *take(struct vg_oneshot *oneshot)
{
    vg_store(&oneshot->word, (uintptr_t)RECEIVED, relaxed); /* nobody else changes it any more */
    return oneshot->value;
}

void *vg_oneshot_drop(struct vg_oneshot *oneshot)
{
    uintptr_t word;

    do {
        word = settled(oneshot);
        if (VG_UNLIKELY(is_waiter(word)))
            vg_panic("vg_oneshot_drop: a receive waits for oneshot %s", name_of(oneshot));
        /* Orders nothing: the sender learns only that it is too late. */
    } while (word == EMPTY && !vg_cas(&oneshot->word, &word, (uintptr_t)DROPPED, acq_rel, relaxed));
    return word == SENT ? take(oneshot) : NULL;
}

/* ---- the future ---------------------------------------------------------------------------- */

/* False: the sender has just ended. */
static bool start_waiting(struct vg_oneshot_recv *recv, struct vg_cx *cx)
{
    uintptr_t empty = EMPTY;

    vg_arm(&recv->waiter, &recv->fut, cx);
    recv->waiter.queued = 1;
    /* Release: the waiter, for the acquire in end_sender(). */
    if (vg_cas(&recv->oneshot->word, &empty, (uintptr_t)&recv->waiter, acq_rel, relaxed))
        return true;
    recv->waiter.queued = 0;
    vg_disarm(&recv->waiter, cx);
    return false;
}

/* The sender has ended: what comes of it. */
static int receive(struct vg_oneshot *oneshot, uintptr_t word, void **value)
{
    if (VG_UNLIKELY(word == DROPPED))
        vg_panic("receive from oneshot %s, which the receiver has dropped", name_of(oneshot));
    *value = word == SENT ? take(oneshot) : NULL;
    return word == SENT ? 0 : -EPIPE;
}

static void check_alone(const struct vg_oneshot *oneshot, uintptr_t word)
{
    if (VG_UNLIKELY(is_waiter(word)))
        vg_panic("two receives wait for oneshot %s", name_of(oneshot));
}

int vg_oneshot_try_recv(struct vg_oneshot *oneshot, void **value)
{
    const uintptr_t word = settled(oneshot);

    check_alone(oneshot, word);
    if (word != EMPTY)
        return receive(oneshot, word, value);
    *value = NULL;
    return -EAGAIN;
}

/* Nobody will wake it from here on. */
static void stop_waiting(struct vg_oneshot_recv *recv)
{
    const uintptr_t mine = (uintptr_t)&recv->waiter;
    uintptr_t word;

    do {
        word = settled(recv->oneshot);
        /* Orders nothing: the sender has not seen the waiter. */
    } while (word == mine &&
             !vg_cas(&recv->oneshot->word, &word, (uintptr_t)EMPTY, acq_rel, relaxed));
    recv->waiter.queued = 0;
}

static vg_poll recv_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_oneshot_recv *recv = (struct vg_oneshot_recv *)(void *)fut;
    uintptr_t word;

    if (VG_UNLIKELY(vg_cancelled(fut))) {
        stop_waiting(recv);
        recv->ret = -ECANCELED;
    } else {
        word = settled(recv->oneshot);
        if (word == (uintptr_t)&recv->waiter)
            return VG_PENDING;
        check_alone(recv->oneshot, word);
        if (word == EMPTY && start_waiting(recv, cx))
            return VG_PENDING;
        if (word == EMPTY) /* it was */
            word = settled(recv->oneshot);
        recv->ret = receive(recv->oneshot, word, &recv->value);
    }
    vg_disarm(&recv->waiter, cx);
    return VG_READY;
}

static void recv_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct vg_oneshot_recv *recv = (struct vg_oneshot_recv *)(void *)fut;

    stop_waiting(recv);
    vg_kick(&recv->waiter, cx);
}

static bool recv_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_oneshot_recv *recv = (const struct vg_oneshot_recv *)(const void *)fut;
    const uintptr_t word = vg_load(&recv->oneshot->word, relaxed);

    *wait = (struct vg_wait){
        .resource = &recv->oneshot->resource,
        .want = 1,
        .state = word == EMPTY || is_waiter(word) ? VG_WAIT_QUEUED : VG_WAIT_GRANTED,
    };
    return true;
}

static const struct vg_ops recv_ops = {
    .poll = recv_poll,
    .cancel = recv_cancel,
    .waits = recv_waits,
    .name = "vg_oneshot_recv",
    .size = sizeof(struct vg_oneshot_recv),
    .kind = VG_KIND_LEAF,
};

struct vg_oneshot_recv *vg_oneshot_recv(struct vg_oneshot_recv *recv, struct vg_oneshot *oneshot)
{
    vg_future_init(&recv->fut, &recv_ops);
    recv->ret = 0;
    recv->value = NULL;
    recv->oneshot = oneshot;
    recv->waiter.task = NULL;
    recv->waiter.flags = 0;
    return recv;
}

/* ---- the resource -------------------------------------------------------------------------- */

/* The sender is not known before it sends. */
static bool resource_owner(struct vg_resource *resource, struct vg_owner *owner)
{
    (void)resource, (void)owner;
    return false;
}

static bool resource_ahead(struct vg_resource *resource, const struct vg_future *first,
                           const struct vg_future *second)
{
    (void)resource, (void)first, (void)second;
    return false;
}

static unsigned resource_waiters(struct vg_resource *resource)
{
    struct vg_oneshot *oneshot = (struct vg_oneshot *)(void *)resource;

    return is_waiter(vg_load(&oneshot->word, relaxed));
}

const struct vg_resource_ops vg_oneshot_resource_ = {
    .kind = "oneshot",
    .owner = resource_owner,
    .ahead = resource_ahead,
    .waiters = resource_waiters,
};
