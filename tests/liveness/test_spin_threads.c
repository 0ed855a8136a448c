/* SPDX-License-Identifier: MIT */
#include <time.h>

#include <vigil/oneshot.h>

#include "room.h"

/* Futures that wake themselves, with real threads: whether it is a spin depends on how long each poll takes. */

static uint64_t cpu_time(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Computes for a while in each poll, if at all, and wakes itself for the next. */
struct slices {
    struct vg_future fut;
    int ret;
    uint64_t slice;
    int left; /* slices; negative: until it is stopped */
    VG_ATOMIC(uint32_t) *stop;
    struct vg_waiter waiter;
};

static vg_poll slices_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct slices *slices = (struct slices *)(void *)fut;

    if (slices->slice > 0)
        for (uint64_t until = cpu_time() + slices->slice; cpu_time() < until;)
            ;
    if (slices->left == 0 || vg_load(slices->stop, relaxed))
        return VG_READY;
    slices->left -= slices->left > 0;
    vg_arm(&slices->waiter, fut, cx);
    vg_notify(vg_wake(&slices->waiter));
    return VG_PENDING;
}

struct worker {
    VG_FRAME(int);
    struct slices slices;
};

VG_ASYNC(worker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, &f->slices);
    VG_RETURN(0);
}

static struct worker *worker(struct worker *f, uint64_t slice, int count, VG_ATOMIC(uint32_t) *stop)
{
    static const struct vg_ops ops = {
        .poll = slices_poll, .name = "slices", .size = sizeof f->slices, .kind = VG_KIND_LEAF};

    VG_SETUP(f, worker);
    vg_future_init(&f->slices.fut, &ops);
    f->slices.ret = 0;
    f->slices.slice = slice;
    f->slices.left = count;
    f->slices.stop = stop;
    f->slices.waiter.flags = 0;
    return f;
}

TEST(who_does_nothing_but_wake_itself_is_reported)
{
    static VG_ATOMIC(uint32_t) stop;
    struct room room;

    vg_store(&stop, 0, relaxed);
    room_open(&room, 2, true);
    CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, 0, -1, &stop), 0);
    wait_for(&room.reports[VG_VERDICT_SELF_WAKE_SPIN], 1);
    vg_store(&stop, 1, relaxed);
    wait_for(&room.ends, 1);
    room_close(&room);
    CHECK_EQ(total(&room), 1);
    CHECK_STR(room.seen[0].text, "slices in worker at");
}

TEST(who_works_in_slices_is_not_reported)
{
    static VG_ATOMIC(uint32_t) stop;
    struct room room;

    room_open(&room, 2, true);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(VG_SPAWN(room.exec, NULL, worker, VG_USEC(200), 3000, &stop), 0);
    wait_until_empty(&room);
    room_close(&room);
    CHECK_EQ(total(&room), 0);
}

struct player {
    VG_FRAME(int);
    struct vg_oneshot *mine, *other;
    int rounds;
    struct vg_oneshot_recv recv;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_TRY(f->ret, vg_oneshot_recv(&f->recv, f->mine));
        vg_oneshot_fini(f->mine);
        vg_oneshot_init(f->mine, "ball");
        CHECK_EQ(vg_oneshot_send(f->other, f), 0);
    }
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct vg_oneshot *mine, struct vg_oneshot *other,
                             int rounds)
{
    VG_SETUP(f, player);
    f->mine = mine;
    f->other = other;
    f->rounds = rounds;
    return f;
}

TEST(two_tasks_that_play_as_fast_as_they_can_are_not_reported)
{
    struct vg_oneshot ball[2];
    struct room room;

    room_open(&room, 1, true);
    for (int i = 0; i < 2; i++) {
        vg_oneshot_init(&ball[i], "ball");
        CHECK_EQ(
            VG_SPAWN(room.exec, NULL, player, &ball[i], &ball[!i], test_long() ? 3000000 : 300000),
            0);
    }
    CHECK_EQ(vg_oneshot_send(&ball[0], &room), 0);
    wait_until_empty(&room);
    room_close(&room);
    CHECK_EQ(total(&room), 0);
}
