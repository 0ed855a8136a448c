/* SPDX-License-Identifier: MIT */
#include "hand.h"

enum { SERVED_MAX = 8 };

struct served {
    unsigned count;
    struct vg_notice notice[SERVED_MAX];
};

static void tell(const struct served *served)
{
    for (unsigned i = 0; i < served->count; i++)
        vg_notify(served->notice[i]);
}

/* Guard held. */
static void serve(struct hand *hand, struct served *served)
{
    struct hand_take *head;

    while ((head = hand->first) != NULL && head->want <= hand->free && served->count < SERVED_MAX) {
        hand->first = head->next;
        hand->free -= head->want;
        hand->granted += head->want;
        head->state = HAND_GRANTED;
        served->notice[served->count++] = vg_wake(&head->waiter);
    }
}

static void queue_up(struct hand_take *take, struct vg_cx *cx)
{
    struct hand_take **end = &take->hand->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = take;
    take->next = NULL;
    take->state = HAND_QUEUED;
    vg_arm(&take->waiter, &take->fut, cx);
}

static void run_meanwhile(struct hand *hand)
{
    void (*meanwhile)(struct hand *) = hand->meanwhile;

    hand->meanwhile = NULL;
    if (meanwhile != NULL)
        meanwhile(hand);
}

/* Guard held. */
static bool begin(struct hand_take *take, struct vg_cx *cx)
{
    struct hand *hand = take->hand;

    if (hand->first == NULL && take->want <= hand->free) {
        hand->free -= take->want;
        hand->held += take->want;
        return true;
    }
    if (hand->fault == HAND_HAS_A_GAP) {
        vg_spin_unlock(&hand->guard);
        run_meanwhile(hand);
        vg_spin_lock(&hand->guard);
    }
    queue_up(take, cx);
    return false;
}

static vg_poll end(struct hand_take *take, int ret, struct vg_cx *cx)
{
    vg_disarm(&take->waiter, cx);
    take->state = HAND_OUT;
    take->ret = ret;
    return VG_READY;
}

static vg_poll take_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct hand_take *take = (struct hand_take *)(void *)fut;
    struct hand *hand = take->hand;
    bool got = false;

    if (vg_cancelled(fut))
        return end(take, -ECANCELED, cx);
    vg_spin_lock(&hand->guard);
    if (take->state == HAND_GRANTED) {
        hand->granted -= take->want;
        hand->held += take->want;
        got = true;
    } else if (take->state != HAND_QUEUED) {
        got = begin(take, cx);
    }
    vg_spin_unlock(&hand->guard);
    run_meanwhile(hand);
    return got ? end(take, 0, cx) : VG_PENDING;
}

static void unlink_take(struct hand_take *take)
{
    struct hand_take **link = &take->hand->first;

    while (*link != NULL && *link != take)
        link = &(*link)->next;
    if (*link != NULL)
        *link = take->next;
}

static void take_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct hand_take *take = (struct hand_take *)(void *)fut;
    struct hand *hand = take->hand;
    struct served served = {.count = 0};

    vg_spin_lock(&hand->guard);
    if (take->state == HAND_GRANTED) {
        hand->granted -= take->want;
        if (hand->fault != HAND_LOSES_GRANT)
            hand->free += take->want;
    }
    unlink_take(take);
    if (hand->fault != HAND_STRANDS_QUEUE && hand->fault != HAND_LOSES_GRANT)
        serve(hand, &served);
    vg_spin_unlock(&hand->guard);
    tell(&served);
    vg_kick(&take->waiter, cx);
}

void hand_give(struct hand *hand, uint32_t units)
{
    struct served served = {.count = 0};

    vg_spin_lock(&hand->guard);
    hand->held -= units;
    hand->free += units;
    serve(hand, &served);
    vg_spin_unlock(&hand->guard);
    tell(&served);
}

/* ---- what the instruments are told ------------------------------------------------------------- */

static bool hand_state(struct vg_resource *resource, struct vg_resource_state *state)
{
    struct hand *hand = (struct hand *)(void *)resource;

    vg_spin_lock(&hand->guard);
    *state = (struct vg_resource_state){
        .total = hand->total,
        .free = hand->free,
        .held = hand->held,
        .granted = hand->granted,
        .next = hand->first != NULL ? &hand->first->fut : NULL,
        .wanted = hand->first != NULL ? hand->first->want : 0,
    };
    vg_spin_unlock(&hand->guard);
    return true;
}

static unsigned hand_waiters(struct vg_resource *resource)
{
    const struct hand *hand = (const struct hand *)(const void *)resource;
    unsigned n = 0;

    for (const struct hand_take *take = hand->first; take != NULL; take = take->next)
        n++;
    return n;
}

static bool take_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct hand_take *take = (const struct hand_take *)(const void *)fut;

    *wait = (struct vg_wait){
        .resource = &take->hand->resource,
        .want = take->want,
        .state = take->state == HAND_GRANTED ? VG_WAIT_GRANTED : VG_WAIT_QUEUED,
    };
    return take->state >= HAND_QUEUED;
}

void hand_init(struct hand *hand, const char *name, uint32_t total, enum hand_fault fault)
{
    static const struct vg_resource_ops ops = {
        .kind = "semaphore", .loose = true, .waiters = hand_waiters, .state = hand_state};

    *hand = (struct hand){
        .resource = {&ops, name, VG_HERE}, .total = total, .free = total, .fault = fault};
}

struct hand_take *hand_take(struct hand_take *take, struct hand *hand, uint32_t want)
{
    static const struct vg_ops ops = {
        .poll = take_poll,
        .cancel = take_cancel,
        .waits = take_waits,
        .name = "hand_take",
        .size = sizeof(struct hand_take),
        .kind = VG_KIND_LEAF,
        .is_held = true,
    };

    vg_future_init(&take->fut, &ops);
    take->ret = 0;
    take->state = HAND_OUT;
    take->want = want;
    take->hand = hand;
    take->waiter.flags = 0;
    return take;
}
