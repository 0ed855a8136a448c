/* SPDX-License-Identifier: MIT */
#include <vigil/rate.h>

#include "task.h"
#include "world.h"

/* On the virtual clock: who waits goes on in the very tick in which its tokens are there. */

enum { GUESTS_MAX = 12 };

struct gate {
    struct world world;
    struct vg_rate rate;
    struct diary diary;
    unsigned count;
    struct vg_handle handle[GUESTS_MAX];
};

static void gate_open(struct gate *gate, uint64_t seed, uint64_t interval, uint32_t burst)
{
    world_open(&gate->world, seed, 1 + (unsigned)(seed % 4), true);
    vg_rate_init(&gate->rate, "gate", interval, burst);
    gate->diary = (struct diary){.world = &gate->world};
    gate->count = 0;
}

static bool gate_done(void *arg)
{
    const struct gate *gate = arg;

    for (unsigned i = 0; i < gate->count; i++)
        if (!vg_task_done(&gate->handle[i]))
            return false;
    return true;
}

static int gate_run(struct gate *gate)
{
    return sim_run(&gate->world.sim, gate->world.exec, gate_done, gate, VG_SEC(1000));
}

static void gate_close(struct gate *gate)
{
    for (unsigned i = 0; i < gate->count; i++)
        vg_task_release(&gate->handle[i]);
    world_close(&gate->world);
    vg_rate_fini(&gate->rate);
}

#define GATE_ADD(gate, kind, ...)                                                                  \
    CHECK_EQ(                                                                                      \
        VG_SPAWN((gate)->world.exec, &(gate)->handle[(gate)->count++], kind, (gate), __VA_ARGS__), \
        0)

/* Comes at `arrive` ms, and takes so many tokens, so many times. */
struct guest {
    VG_FRAME(int);
    struct gate *gate;
    int who, times, rc;
    uint32_t want;
    uint64_t arrive;
    struct vg_sleep nap;
    struct vg_rate_acquire acquire;
};

VG_ASYNC(guest)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->gate->world.start + VG_MSEC(f->arrive)));
    for (; f->times > 0; f->times--) {
        VG_AWAIT(f->ret, vg_rate_acquire(&f->acquire, &f->gate->rate, f->want));
        if (f->ret < 0)
            VG_RETURN(f->ret);
        diary_note(&f->gate->diary, f->who);
    }
    VG_RETURN(0);
}

static struct guest *guest(struct guest *f, struct gate *gate, int who, uint64_t arrive,
                           uint32_t want, int times)
{
    VG_SETUP(f, guest);
    f->gate = gate;
    f->who = who;
    f->arrive = arrive;
    f->want = want;
    f->times = times;
    return f;
}

TEST(the_bucket_is_full_at_first_and_then_a_token_falls_every_interval)
{
    FOR_SEEDS (seed, 100) {
        struct gate g;
        gate_open(&g, seed, VG_MSEC(10), 3);
        GATE_ADD(&g, guest, 0, 0, 1, 8);
        CHECK_EQ(gate_run(&g), 0);
        for (unsigned i = 0; i < 8; i++)
            CHECK_DIARY(&g.diary, i, 0, i < 3 ? 0 : 10 * (i - 2));
        gate_close(&g);
    }
}

TEST(tokens_that_nobody_takes_are_kept_up_to_the_burst)
{
    FOR_SEEDS (seed, 100) {
        struct gate g;
        gate_open(&g, seed, VG_MSEC(10), 3);
        GATE_ADD(&g, guest, 0, 0, 3, 1);
        GATE_ADD(&g, guest, 1, 15, 1, 2); /* one has fallen, the next is there at 20 */
        GATE_ADD(&g, guest, 2, 500, 1, 4);
        CHECK_EQ(gate_run(&g), 0);
        CHECK_DIARY(&g.diary, 1, 1, 15);
        CHECK_DIARY(&g.diary, 2, 1, 20);
        for (unsigned i = 3; i < 6; i++)
            CHECK_DIARY(&g.diary, i, 2, 500);
        CHECK_DIARY(&g.diary, 6, 2, 510);
        gate_close(&g);
    }
}

TEST(a_large_request_is_not_starved_by_small_ones)
{
    FOR_SEEDS (seed, 100) {
        struct gate g;
        gate_open(&g, seed, VG_MSEC(10), 5);
        GATE_ADD(&g, guest, 0, 0, 5, 1);
        GATE_ADD(&g, guest, 1, 1, 5, 1);
        GATE_ADD(&g, guest, 2, 2, 1, 2);
        CHECK_EQ(gate_run(&g), 0);
        CHECK_DIARY(&g.diary, 1, 1, 50);
        CHECK_DIARY(&g.diary, 2, 2, 60);
        CHECK_DIARY(&g.diary, 3, 2, 70);
        gate_close(&g);
    }
}

TEST(one_that_is_cancelled_takes_no_tokens)
{
    FOR_SEEDS (seed, 100) {
        struct gate g;
        gate_open(&g, seed, VG_MSEC(10), 4);
        GATE_ADD(&g, guest, 0, 0, 4, 1);
        GATE_ADD(&g, guest, 1, 1, 4, 1); /* at the head */
        GATE_ADD(&g, guest, 2, 2, 2, 1); /* waits for its turn */
        GATE_ADD(&g, guest, 3, 3, 1, 1);
        world_run_until(&g.world, 5);
        CHECK_PANICS("somebody waits for rate gate", vg_rate_fini(&g.rate));
        vg_task_cancel(&g.handle[seed % 2 ? 1 : 2]);
        CHECK_EQ(gate_run(&g), 0);
        CHECK_EQ(VG_TASK_RET(&g.handle[seed % 2 ? 1 : 2], struct guest), -ECANCELED);
        if (seed % 2) {
            CHECK_DIARY(&g.diary, 1, 2, 20);
            CHECK_DIARY(&g.diary, 2, 3, 30);
        } else {
            CHECK_DIARY(&g.diary, 1, 1, 40);
            CHECK_DIARY(&g.diary, 2, 3, 50);
        }
        gate_close(&g);
    }
}

/* ---- without waiting ----------------------------------------------------------------------- */

struct trier {
    VG_FRAME(int);
    struct gate *gate;
    struct vg_sleep nap;
};

VG_ASYNC(trier)
{
    VG_BEGIN(f);
    struct vg_rate *rate = &f->gate->rate;
    CHECK_EQ(vg_rate_try(rate, 3), -EINVAL);
    CHECK_EQ(vg_rate_try(rate, 2), 0);
    CHECK_EQ(vg_rate_try(rate, 1), -EAGAIN);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(9)));
    rate = &f->gate->rate;
    CHECK_EQ(vg_rate_try(rate, 1), -EAGAIN);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    rate = &f->gate->rate;
    CHECK_EQ(vg_rate_try(rate, 2), -EAGAIN);
    CHECK_EQ(vg_rate_try(rate, 1), 0);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(15)));
    CHECK_EQ(vg_rate_try(&f->gate->rate, 1), -EAGAIN); /* others wait, for two */
    VG_RETURN(0);
}

static struct trier *trier(struct trier *f, struct gate *gate, int unused)
{
    (void)unused;
    VG_SETUP(f, trier);
    f->gate = gate;
    return f;
}

TEST(to_try_takes_what_is_there_and_not_what_others_wait_for)
{
    struct gate g;

    gate_open(&g, 1, VG_MSEC(10), 2);
    GATE_ADD(&g, trier, 0);
    GATE_ADD(&g, guest, 1, 12, 2, 1);
    CHECK_EQ(gate_run(&g), 0);
    CHECK_DIARY(&g.diary, 0, 1, 30);
    gate_close(&g);
}

TEST(more_than_the_bucket_holds_is_refused_and_misuse_panics)
{
    struct gate g;
    struct vg_rate_acquire acquire;

    CHECK_PANICS("rate none cannot have 0 tokens", vg_rate_init(&g.rate, "none", 1, 0));
    CHECK_PANICS("one every 0 ns", vg_rate_init(&g.rate, "none", 0, 1));
    CHECK_PANICS("cannot have 3 tokens", vg_rate_init(&g.rate, "slow", INT64_MAX / 2, 3));
    gate_open(&g, 1, VG_MSEC(10), 2);
    CHECK_PANICS("no tokens asked for of rate gate", vg_rate_acquire(&acquire, &g.rate, 0));
    CHECK_PANICS("no tokens asked for of rate gate", CHECK_EQ(vg_rate_try(&g.rate, 0), 0));
    GATE_ADD(&g, guest, 0, 0, 3, 1);
    CHECK_EQ(gate_run(&g), 0);
    CHECK_EQ(VG_TASK_RET(&g.handle[0], struct guest), -EINVAL);
    gate_close(&g);
}

/* ---- at random ----------------------------------------------------------------------------- */

enum { BURST = 4, INTERVAL_MS = 7, TAKES = 10, TAKEN_MAX = 512 };

struct ledger {
    struct gate gate;
    unsigned count;
    uint64_t at[TAKEN_MAX]; /* of each token, in ns */
};

/* Takes some tokens, gives up now and then. */
struct trader {
    VG_FRAME(int);
    struct ledger *ledger;
    int i, rc;
    uint32_t want;
    struct vg_rate_acquire acquire;
    struct vg_timeout timeout;
    struct vg_sleep nap;
};

VG_ASYNC(trader)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < TAKES; f->i++) {
        f->want = 1 + (uint32_t)sim_below(&f->ledger->gate.world.sim, BURST);
        vg_rate_acquire(&f->acquire, &f->ledger->gate.rate, f->want);
        VG_AWAIT(f->rc, vg_timeout(&f->timeout, VG_MSEC(sim_below(&f->ledger->gate.world.sim, 100)),
                                   &f->acquire));
        for (; f->acquire.ret == 0 && f->want > 0; f->want--) {
            CHECK(f->ledger->count < TAKEN_MAX);
            f->ledger->at[f->ledger->count++] = vg_now();
        }
        VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(sim_below(&f->ledger->gate.world.sim, 40))));
    }
    VG_RETURN(0);
}

static struct trader *trader(struct trader *f, struct ledger *ledger)
{
    VG_SETUP(f, trader);
    f->ledger = ledger;
    return f;
}

TEST(in_no_span_of_time_more_is_taken_than_the_rate_allows)
{
    FOR_SEEDS (seed, 200) {
        static struct ledger l;
        struct gate *g = &l.gate;
        l.count = 0;
        gate_open(g, seed, VG_MSEC(INTERVAL_MS), BURST);
        for (int i = 0; i < 5; i++)
            CHECK_EQ(VG_SPAWN(g->world.exec, &g->handle[g->count++], trader, &l), 0);
        CHECK_EQ(gate_run(g), 0);
        CHECK(l.count > BURST);
        for (unsigned i = 0; i < l.count; i++)
            for (unsigned j = i + BURST; j < l.count; j++)
                CHECK(l.at[j] - l.at[i] >= VG_MSEC(INTERVAL_MS) * (j - i + 1 - BURST));
        gate_close(g);
    }
}
