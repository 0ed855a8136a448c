/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_SYNC_MARKET_H
#define VIGIL_TESTS_SYNC_MARKET_H

#include "ledger.h"

/*
 * Senders and receivers of one channel, of any kind, that do everything that can be done to a future: await it,
 * bound it by a deadline, park it, cancel it, and be cancelled themselves; and a close at some time. The ledger
 * tells whether a value was lost or received twice.
 */

/* Every future begins like this. */
struct any {
    struct vg_future fut;
    int ret;
};

/* Storage of a future of the channel. */
struct goods {
    union {
        struct any any;
        _Alignas(16) char storage[256];
    };
};

/* A kind of channel of uint64_t. What is NULL it does not have. */
struct market_kind {
    struct any *(*send)(struct goods *goods, void *channel, const uint64_t *value);
    int (*try_send)(void *channel, const uint64_t *value);
    struct any *(*reserve)(struct goods *goods, void *channel);
    void (*send_reserved)(void *channel, const uint64_t *value);
    void (*unreserve)(void *channel);
    struct any *(*recv)(struct goods *goods, void *channel, uint64_t *value);
    struct any *(*recv_many)(struct goods *goods, void *channel, uint64_t *values, size_t max);
    int (*try_recv)(void *channel, uint64_t *value);
    void (*close)(void *channel);
};

struct market {
    struct world world;
    struct ledger ledger;
    const struct market_kind *kind;
    void *channel;
    unsigned senders, receivers;
    struct vg_handle sender[LEDGER_SENDERS], receiver[LEDGER_SENDERS];
};

/* A future of the channel, awaited in one of several ways. */
struct deal {
    VG_FRAME(int);
    struct market *market;
    struct goods *goods;
    int rc;
    struct vg_sleep nap;
    struct vg_timeout timeout;
    VG_ARMS(2) sel;
};

static uint64_t market_draw(struct market *market, uint64_t n)
{
    return sim_below(&market->world.sim, n);
}

VG_ASYNC(deal)
{
    VG_BEGIN(f);
    struct any *any = &f->goods->any;

    switch (market_draw(f->market, 4)) {
    case 0:
        VG_AWAIT(f->rc, &f->goods->any);
        break;
    case 1:
        VG_AWAIT(f->rc, vg_timeout(&f->timeout, VG_USEC(market_draw(f->market, 3000)), any));
        break;
    case 2:
        VG_AWAIT(f->rc,
                 VG_RACE(f->sel, any, vg_sleep(&f->nap, VG_USEC(market_draw(f->market, 3000)))));
        break;
    default:
        VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(any), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_USEC(market_draw(f->market, 3000))));
        if (market_draw(f->market, 2) > 0)
            VG_AWAIT(f->rc, &f->goods->any);
        else
            VG_AWAIT_CANCEL(f->rc, &f->goods->any);
    }
    /* Cancelled before it began: a select starts none of its arms. */
    VG_RETURN(vg_started(&f->goods->any.fut) ? f->goods->any.ret : -ECANCELED);
}

static struct deal *deal(struct deal *f, struct market *market, struct goods *goods)
{
    VG_SETUP(f, deal);
    f->market = market;
    f->goods = goods;
    return f;
}

struct seller {
    VG_FRAME(int);
    struct market *market;
    const struct market_kind *kind;
    void *channel;
    unsigned who, i;
    int rc;
    uint64_t value;
    struct goods goods;
    struct deal deal;
    struct vg_sleep nap;
};

/* Uses the permit, unless it is a bad day. */
static int seller_use(struct seller *f)
{
    if (market_draw(f->market, 4) == 0) {
        f->kind->unreserve(f->channel);
        return -EAGAIN;
    }
    f->kind->send_reserved(f->channel, &f->value);
    return 0;
}

VG_ASYNC(seller)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < LEDGER_VALUES && !vg_cancelled(&f->fut); f->i++) {
        f->value = ledger_value(f->who, f->i);
        if (!f->kind->send || market_draw(f->market, 4) == 0) {
            f->rc = f->kind->try_send(f->channel, &f->value);
        } else if (f->kind->reserve && market_draw(f->market, 3) == 0) {
            f->kind->reserve(&f->goods, f->channel);
            VG_AWAIT(f->rc, deal(&f->deal, f->market, &f->goods));
            if (f->rc == 0 && market_draw(f->market, 2) > 0)
                VG_AWAIT_SHIELDED(f->deal.rc,
                                  vg_sleep(&f->nap, VG_USEC(market_draw(f->market, 500))));
            if (f->rc == 0)
                f->rc = seller_use(f);
        } else {
            f->kind->send(&f->goods, f->channel, &f->value);
            VG_AWAIT(f->rc, deal(&f->deal, f->market, &f->goods));
        }
        ledger_send(&f->market->ledger, f->who, f->i, f->rc);
        if (market_draw(f->market, 3) == 0)
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_USEC(market_draw(f->market, 2000))));
    }
    VG_RETURN(0);
}

static struct seller *seller(struct seller *f, struct market *market, unsigned who)
{
    VG_SETUP(f, seller);
    f->market = market;
    f->kind = market->kind;
    f->channel = market->channel;
    f->who = who;
    return f;
}

enum { BUYER_MAX = 20 };

struct buyer {
    VG_FRAME(int);
    struct market *market;
    const struct market_kind *kind;
    void *channel;
    int rc;
    uint64_t value[BUYER_MAX];
    struct goods goods;
    struct deal deal;
    struct vg_sleep nap;
};

static void buyer_note(struct buyer *f, int count)
{
    for (int i = 0; i < count; i++)
        ledger_receive(&f->market->ledger, f->value[i]);
}

VG_ASYNC(buyer)
{
    VG_BEGIN(f);
    for (f->rc = 0; f->rc != -EPIPE && !vg_cancelled(&f->fut);) {
        if (market_draw(f->market, 4) == 0) {
            f->rc = f->kind->try_recv(f->channel, f->value);
            buyer_note(f, f->rc == 0);
        } else if (f->kind->recv_many && market_draw(f->market, 3) == 0) {
            f->kind->recv_many(&f->goods, f->channel, f->value,
                               1 + market_draw(f->market, BUYER_MAX));
            VG_AWAIT(f->rc, deal(&f->deal, f->market, &f->goods));
            buyer_note(f, f->rc);
        } else {
            f->kind->recv(&f->goods, f->channel, f->value);
            VG_AWAIT(f->rc, deal(&f->deal, f->market, &f->goods));
            buyer_note(f, f->rc == 0);
        }
        if (f->rc != -EPIPE && market_draw(f->market, 3) == 0)
            VG_AWAIT(f->deal.rc, vg_sleep(&f->nap, VG_USEC(market_draw(f->market, 2000))));
    }
    VG_RETURN(0);
}

static struct buyer *buyer(struct buyer *f, struct market *market)
{
    VG_SETUP(f, buyer);
    f->market = market;
    f->kind = market->kind;
    f->channel = market->channel;
    return f;
}

static inline bool market_never(void *arg)
{
    (void)arg;
    return false;
}

static inline bool market_over(void *arg)
{
    struct market *market = arg;

    for (unsigned i = 0; i < market->senders; i++)
        if (!vg_task_done(&market->sender[i]))
            return false;
    for (unsigned i = 0; i < market->receivers; i++)
        if (!vg_task_done(&market->receiver[i]))
            return false;
    return true;
}

static inline void market_open(struct market *market, uint64_t seed, const struct market_kind *kind,
                               void *channel, unsigned senders, unsigned receivers)
{
    struct vg_exec *exec;

    world_open(&market->world, seed, 1 + (unsigned)(seed % 4), seed % 8 != 0);
    exec = market->world.exec;
    memset(&market->ledger, 0, sizeof market->ledger);
    market->ledger.unordered = receivers > 1;
    market->kind = kind;
    market->channel = channel;
    market->senders = senders;
    market->receivers = receivers;
    for (unsigned i = 0; i < senders; i++)
        CHECK_EQ(VG_SPAWN(exec, &market->sender[i], seller, market, i), 0);
    for (unsigned i = 0; i < receivers; i++)
        CHECK_EQ(VG_SPAWN(exec, &market->receiver[i], buyer, market), 0);
}

static inline void market_cancel_one(struct market *market)
{
    unsigned i = (unsigned)market_draw(market, market->senders + market->receivers);

    vg_task_cancel(i < market->senders ? &market->sender[i]
                                       : &market->receiver[i - market->senders]);
}

/* Runs it to its end, with some cancels on the way, and receives what is left. */
static inline void market_run(struct market *market, unsigned cancels)
{
    uint64_t value;
    int rc;

    for (unsigned i = 0; i < 40; i++) {
        (void)sim_run(&market->world.sim, market->world.exec, market_over, market,
                      VG_USEC(1 + market_draw(market, 4000)));
        if (cancels > 0 && market_draw(market, 40) < cancels)
            market_cancel_one(market);
        if (market_draw(market, 80) == 0)
            market->kind->close(market->channel);
    }
    market->kind->close(market->channel);
    CHECK_EQ(sim_run(&market->world.sim, market->world.exec, market_over, market, VG_SEC(60)), 0);
    while ((rc = market->kind->try_recv(market->channel, &value)) == 0)
        ledger_receive(&market->ledger, value);
    CHECK_EQ(rc, -EPIPE);
    ledger_check(&market->ledger);
    for (unsigned i = 0; i < market->senders; i++)
        vg_task_release(&market->sender[i]);
    for (unsigned i = 0; i < market->receivers; i++)
        vg_task_release(&market->receiver[i]);
    world_close(&market->world);
}

#endif
