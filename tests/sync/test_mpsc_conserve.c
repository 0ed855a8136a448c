/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>

#include "market.h"

static struct any *on_send(struct goods *goods, void *channel, const uint64_t *value)
{
    return (struct any *)vg_mpsc_send((struct vg_mpsc_send *)(void *)goods, channel, value);
}

static int on_try_send(void *channel, const uint64_t *value)
{
    return vg_mpsc_try_send(channel, value);
}

static struct any *on_reserve(struct goods *goods, void *channel)
{
    return (struct any *)vg_mpsc_reserve((struct vg_mpsc_send *)(void *)goods, channel);
}

static void on_send_reserved(void *channel, const uint64_t *value)
{
    vg_mpsc_send_reserved(channel, value);
}

static void on_unreserve(void *channel)
{
    vg_mpsc_unreserve(channel);
}

static struct any *on_recv(struct goods *goods, void *channel, uint64_t *value)
{
    return (struct any *)vg_mpsc_recv((struct vg_receive *)(void *)goods, channel, value);
}

static struct any *on_recv_many(struct goods *goods, void *channel, uint64_t *values, size_t max)
{
    return (struct any *)vg_mpsc_recv_many((struct vg_receive *)(void *)goods, channel, values,
                                           max);
}

static int on_try_recv(void *channel, uint64_t *value)
{
    return vg_mpsc_try_recv(channel, value);
}

static void on_close(void *channel)
{
    vg_mpsc_close(channel);
}

static const struct market_kind mpsc = {
    .send = on_send,
    .try_send = on_try_send,
    .reserve = on_reserve,
    .send_reserved = on_send_reserved,
    .unreserve = on_unreserve,
    .recv = on_recv,
    .recv_many = on_recv_many,
    .try_recv = on_try_recv,
    .close = on_close,
};

static void run(uint64_t seed, unsigned cancels, unsigned *sent, unsigned *cancelled)
{
    struct market market;
    struct vg_mpsc channel;
    uint64_t slots[5];

    vg_mpsc_init(&channel, "market", slots, 1 + seed % 5);
    market_open(&market, seed, &mpsc, &channel, 1 + (unsigned)(seed % LEDGER_SENDERS), 1);
    market_run(&market, cancels);
    vg_mpsc_fini(&channel);
    *sent += market.ledger.sent;
    *cancelled += market.ledger.cancelled;
}

TEST(every_value_is_received_once_or_still_with_its_sender)
{
    unsigned sent = 0, cancelled = 0;

    TEST_TIMEOUT(120);
    FOR_SEEDS (seed, 400)
        run(seed, 20, &sent, &cancelled);
    CHECK(sent > 10000);
    CHECK(cancelled > 1000);
}

TEST(without_cancels_from_outside_too)
{
    unsigned sent = 0, cancelled = 0;

    TEST_TIMEOUT(120);
    FOR_SEEDS (seed, 200)
        run(seed, 0, &sent, &cancelled);
    CHECK(sent > 10000);
    CHECK(cancelled > 1000);
}
