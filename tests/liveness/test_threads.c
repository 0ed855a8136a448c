/* SPDX-License-Identifier: MIT */
#include "instrument/live.h"
#include "room.h"

/* The findings of the simulator, with real threads. */

struct holder {
    VG_FRAME(int);
    struct vg_mutex *mutex;
    uint64_t hold;
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(holder)
{
    VG_BEGIN(f);
    VG_TRY(f->ret, vg_lock(&f->lock, f->mutex));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(f->hold)));
    vg_unlock(f->mutex);
    VG_RETURN(f->ret);
}

static struct holder *holder(struct holder *f, struct vg_mutex *mutex, uint64_t hold)
{
    VG_SETUP(f, holder);
    f->mutex = mutex;
    f->hold = hold;
    return f;
}

/* Queues behind the holder, gives up waiting, and queues again while the first request is parked. */
struct twice {
    VG_FRAME(int);
    struct room *room;
    enum vg_policy policy;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_lock first, second;
};

static struct vg_arm first_arm(struct twice *f)
{
    vg_lock(&f->first, &f->room->mutex);
    return f->policy == VG_POLICY_PARK   ? VG_PARK(&f->first)
           : f->policy == VG_POLICY_KEEP ? VG_KEEP(&f->first)
                                         : VG_CANCEL(&f->first);
}

VG_ASYNC(twice)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(20)));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, first_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(20)))));
    if (f->policy == VG_POLICY_KEEP) {
        VG_AWAIT(f->rc, &f->first);
        vg_unlock(&f->room->mutex);
    }
    VG_AWAIT(f->rc, vg_lock(&f->second, &f->room->mutex));
    if (f->rc == 0)
        vg_unlock(&f->room->mutex);
    if (f->policy == VG_POLICY_PARK) {
        VG_AWAIT_CANCEL(f->rc, &f->first);
        if (f->rc == 0)
            vg_unlock(&f->room->mutex);
    }
    VG_RETURN(0);
}

static struct twice *twice(struct twice *f, struct room *room, enum vg_policy policy)
{
    VG_SETUP(f, twice);
    f->room = room;
    f->policy = policy;
    return f;
}

static struct vg_handle start(struct room *room, enum vg_policy policy)
{
    struct vg_handle handle = {NULL};

    CHECK_EQ(VG_SPAWN(room->exec, NULL, holder, &room->mutex, 200), 0);
    CHECK_EQ(VG_SPAWN(room->exec, &handle, twice, room, policy), 0);
    return handle;
}

static void wait_for_end(struct vg_handle *handle)
{
    while (!vg_task_done(handle))
        usleep(1000);
    vg_task_release(handle);
}

TEST(a_futurelock_is_reported_once_and_closed_when_it_is_cancelled)
{
    FOR_WORKERS (workers) {
        struct room room;
        struct vg_handle handle;

        room_open(&room, workers, false);
        handle = start(&room, VG_POLICY_PARK);
        wait_for(&room.reports[VG_VERDICT_FUTURELOCK], 1);
        CHECK_EQ(vg_load(&room.confirmed, acquire), 1);
        usleep(500000); /* the grant has come by now: no second report */
        CHECK(!vg_task_done(&handle));
        CHECK_EQ(total(&room), 1);
        vg_task_cancel(&handle);
        wait_for_end(&handle);
        wait_for(&room.ends, 1);
        CHECK_EQ(total(&room), 1);
        room_close(&room);
    }
}

TEST(healing_ends_the_program_and_is_reported)
{
    FOR_WORKERS (workers) {
        struct room room;
        struct vg_handle handle;

        room_open(&room, workers, true);
        handle = start(&room, VG_POLICY_PARK);
        wait_for_end(&handle);
        wait_for(&room.reports[VG_VERDICT_FUTURELOCK], 1);
        CHECK_EQ(total(&room), 1);
        CHECK_EQ(vg_load(&room.healed, acquire), 1);
        room_close(&room);
    }
}

TEST(kept_and_cancelled_requests_are_silent)
{
    FOR_WORKERS (workers) {
        struct room room;

        room_open(&room, workers, false);
        for (int i = 0; i < 4; i++) {
            struct vg_handle handle = start(&room, i % 2 ? VG_POLICY_KEEP : VG_POLICY_CANCEL);

            wait_for_end(&handle);
        }
        room_close(&room);
        CHECK_EQ(total(&room), 0);
    }
}

struct snoozer {
    VG_FRAME(int);
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep child, nap;
};

VG_ASYNC(snoozer)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_sleep(&f->child, VG_MSEC(20))),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_NEVER));
    VG_AWAIT_CANCEL(f->rc, &f->child);
    VG_RETURN(0);
}

static struct snoozer *snoozer(struct snoozer *f)
{
    VG_SETUP(f, snoozer);
    return f;
}

TEST(a_snoozed_child_of_an_idle_process_is_found)
{
    FOR_WORKERS (workers) {
        struct room room;
        struct vg_handle handle = {NULL};

        room_open(&room, workers, true);
        CHECK_EQ(VG_SPAWN(room.exec, &handle, snoozer), 0);
        wait_for(&room.reports[VG_VERDICT_SNOOZED_CHILD], 1);
        vg_task_cancel(&handle);
        wait_for_end(&handle);
        wait_for(&room.ends, 1);
        CHECK_EQ(total(&room), 1);
        room_close(&room);
    }
}

TEST(the_watchdog_sleeps_when_nothing_is_owed_and_wakes_up_again)
{
    FOR_WORKERS (workers) {
        struct room room;

        room_open(&room, workers, true);
        for (unsigned i = 1; i <= 2; i++) {
            struct vg_handle handle = {NULL};

            wait_for(&room.live->watchdog.asleep, 1);
            CHECK_EQ(VG_SPAWN(room.exec, &handle, snoozer), 0);
            wait_for(&room.reports[VG_VERDICT_SNOOZED_CHILD], i);
            vg_task_cancel(&handle);
            wait_for_end(&handle);
            wait_for(&room.ends, i);
        }
        wait_for(&room.live->watchdog.asleep, 1);
        room_close(&room);
    }
}

/* ---- everything at once ------------------------------------------------------------------------ */

/* Selects, parks, adopts and cancels at random, for a while. */
struct mixer {
    VG_FRAME(int);
    struct room *room;
    uint64_t random;
    int rounds, rc, arm;
    VG_ARMS(2) sel;
    struct vg_lock first, second;
    struct vg_sleep nap;
    struct vg_yield yield;
};

static bool chance(struct mixer *f, unsigned one_in)
{
    f->random ^= f->random << 13;
    f->random ^= f->random >> 7;
    f->random ^= f->random << 17;
    return f->random % one_in == 0;
}

VG_ASYNC(mixer)
{
    VG_BEGIN(f);
    for (; f->rounds > 0; f->rounds--) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_PARK(vg_lock(&f->first, &f->room->mutex)),
                                   VG_CANCEL(vg_yield(&f->yield))));
        if (f->arm == 1 && chance(f, 2)) {
            VG_AWAIT(f->rc, vg_lock(&f->second, &f->room->mutex));
            if (f->rc == 0)
                vg_unlock(&f->room->mutex);
        }
        if (f->arm == 1 && chance(f, 20))
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(1)));
        if (f->arm == 1 && chance(f, 3))
            VG_AWAIT_CANCEL(f->first.ret, &f->first);
        else
            VG_AWAIT(f->first.ret, &f->first);
        if (f->first.ret == 0)
            vg_unlock(&f->room->mutex);
    }
    VG_RETURN(0);
}

static struct mixer *mixer(struct mixer *f, struct room *room, uint64_t seed, int rounds)
{
    VG_SETUP(f, mixer);
    f->room = room;
    f->random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    f->rounds = rounds;
    return f;
}

/* Snapshots and scans while tasks run and migrate: nothing here may race. */
TEST(observers_do_not_disturb_a_busy_program)
{
    FOR_WORKERS (workers) {
        struct room room;
        unsigned snapshots = 0;

        room_open(&room, workers, true);
        for (uint64_t i = 0; i < 12; i++)
            CHECK_EQ(VG_SPAWN(room.exec, NULL, mixer, &room, i + 1, test_long() ? 5000 : 500), 0);
        do {
            struct vg_snapshot *snapshot;

            CHECK_EQ(vg_snapshot(room.live, &snapshot), 0);
            CHECK(snapshot->tasks <= 12);
            vg_snapshot_free(snapshot);
            vg_watch_scan(room.live, vg_exec_now(room.exec));
            snapshots++;
        } while (vg_exec_live(room.exec) > 0);
        CHECK(snapshots > 0);
        room_close(&room);
        CHECK_EQ(vg_load(&room.reports[VG_VERDICT_FUTURELOCK], acquire),
                 vg_load(&room.healed, acquire));
    }
}
