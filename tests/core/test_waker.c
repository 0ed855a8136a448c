/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <vigil/waker.h>

#include "counting_alloc.h"
#include "nodes.h"
#include "rig.h"
#include "slot.h"
#include "task.h"
#include "vg_fault.h"

/* Wakers that outlive what they wake. */

/* A foreign event: anybody copies its waker and wakes it, at any time. */
struct foreign {
    bool happened;
    unsigned polls;
    struct vg_waker waker; /* the last one handed out */
};

struct foreign_wait {
    struct vg_future fut;
    int ret; /* 0, -ECANCELED, or what arming failed with */
    struct foreign *foreign;
    struct vg_waker waker;
};

static vg_poll foreign_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct foreign_wait *wait = (struct foreign_wait *)(void *)fut;
    struct foreign *foreign = wait->foreign;

    foreign->polls++;
    wait->ret = foreign->happened ? 0 : vg_cancelled(fut) ? -ECANCELED : 1;
    if (wait->ret == 1)
        wait->ret = vg_waker_arm(&wait->waker, fut, cx) < 0 ? -ENOMEM : 1;
    if (wait->ret == 1) {
        foreign->waker = wait->waker;
        return VG_PENDING;
    }
    vg_waker_disarm(&wait->waker, cx);
    return VG_READY;
}

/* No lock orders this against a wake: it is vg_waker_disarm() that does. */
static void foreign_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    (void)fut, (void)cx;
}

static struct foreign_wait *foreign_wait(struct foreign_wait *wait, struct foreign *foreign)
{
    static const struct vg_ops ops = {
        .poll = foreign_poll,
        .cancel = foreign_cancel,
        .name = "foreign_wait",
        .size = sizeof(struct foreign_wait),
        .kind = VG_KIND_LEAF,
    };

    vg_future_init(&wait->fut, &ops);
    wait->foreign = foreign;
    wait->waker = (struct vg_waker){NULL, 0};
    return wait;
}

static void foreign_happens(struct foreign *foreign)
{
    foreign->happened = true;
    vg_waker_wake(foreign->waker);
}

struct waiter {
    VG_FRAME(int);
    struct foreign *foreign;
    struct foreign_wait wait;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(rc, foreign_wait(&f->wait, f->foreign));
    VG_RETURN(rc);
}

static struct waiter *waiter(struct waiter *f, struct foreign *foreign)
{
    VG_SETUP(f, waiter);
    f->foreign = foreign;
    return f;
}

TEST(a_waker_wakes_its_future)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};

    rig_open(&rig);
    rig_spawn(&rig, waiter, &foreign);
    foreign_happens(&foreign);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct waiter), 0);
    CHECK_EQ(foreign.polls, 2);
    rig_close(&rig);
}

TEST(waking_twice_wakes_once)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};

    rig_open(&rig);
    rig_spawn(&rig, waiter, &foreign);
    vg_waker_wake(foreign.waker);
    vg_waker_wake(foreign.waker);
    rig_run(&rig);
    CHECK_EQ(foreign.polls, 2);
    CHECK_EQ(rig_polls(&rig, 0), 2);
    foreign_happens(&foreign);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct waiter), 0);
    rig_close(&rig);
}

TEST(a_slot_is_armed_again_after_each_wake)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};

    rig_open(&rig);
    rig_spawn(&rig, waiter, &foreign);
    for (unsigned i = 0; i < 10; i++) {
        struct vg_slot *slot = foreign.waker.slot;
        vg_waker_wake(foreign.waker);
        rig_run(&rig);
        CHECK_EQ(foreign.polls, i + 2);
        CHECK_EQ(foreign.waker.slot, slot);
    }
    foreign_happens(&foreign);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct waiter), 0);
    rig_close(&rig);
}

TEST(a_waker_of_a_future_that_has_ended_wakes_nobody)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0}, next = {.polls = 0};
    struct vg_waker stale;

    rig_open(&rig);
    rig_spawn(&rig, waiter, &foreign);
    stale = foreign.waker;
    foreign_happens(&foreign);
    rig_run(&rig);
    vg_waker_wake(stale);
    rig_spawn(&rig, waiter, &next); /* takes the same slot */
    CHECK_EQ(next.waker.slot, stale.slot);
    vg_waker_wake(stale);
    rig_run(&rig);
    CHECK_EQ(next.polls, 1);
    CHECK_EQ(rig_polls(&rig, 1), 1);
    foreign_happens(&next);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 1, struct waiter), 0);
    rig_close(&rig);
}

TEST(a_waker_of_a_task_that_is_gone_wakes_nobody)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0}, next = {.polls = 0};
    struct vg_waker stale;

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, NULL, waiter, &foreign), 0);
    rig_run(&rig);
    stale = foreign.waker;
    foreign_happens(&foreign);
    rig_run(&rig);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    vg_waker_wake(stale);
    rig_spawn(&rig, waiter, &next); /* in the same memory, with the same slot */
    CHECK_EQ(next.waker.slot, stale.slot);
    vg_waker_wake(stale);
    rig_run(&rig);
    CHECK_EQ(next.polls, 1);
    foreign_happens(&next);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct waiter), 0);
    rig_close(&rig);
}

TEST(no_memory_for_a_slot_is_an_error_of_its_future)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};

    rig_open(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[0], waiter, &foreign), 0);
    rig.tasks = 1;
    test_alloc_fail_at(1);
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct waiter), -ENOMEM);
    rig_close(&rig);
}

/* ---- ended by somebody else while the waker is on its way ------------------------------------ */

/* Waits for the foreign event or a plain one. */
struct either {
    VG_FRAME(int);
    struct foreign *foreign;
    struct event *event;
    VG_ARMS(2) arms;
    union {
        struct {
            struct foreign_wait foreign;
            struct event_wait plain;
        } wait;
        unsigned char bytes[256];
    } u;
    struct vg_sleep nap;
    uint64_t rest;
};

VG_ASYNC(either)
{
    VG_BEGIN(f);
    int rc;
    VG_AWAIT(f->ret, VG_SELECT(f->arms, VG_CANCEL(event_wait(&f->u.wait.plain, f->event)),
                               VG_CANCEL(foreign_wait(&f->u.wait.foreign, f->foreign))));
    SCRIBBLE(&f->arms);
    SCRIBBLE(&f->u);
    if (f->rest > 0) {
        VG_AWAIT(rc, vg_sleep(&f->nap, f->rest));
        CHECK_EQ(rc, 0);
    }
    VG_RETURN(f->ret);
}

static struct either *either(struct either *f, struct foreign *foreign, struct event *event,
                             uint64_t rest)
{
    VG_SETUP(f, either);
    f->foreign = foreign;
    f->event = event;
    f->rest = rest;
    return f;
}

TEST(a_wake_that_waits_to_be_collected_is_taken_back)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};
    struct event event = {.set = false};

    rig_open(&rig);
    rig_spawn(&rig, either, &foreign, &event, VG_MSEC(1));
    event_set(&event);
    vg_waker_wake(foreign.waker); /* behind it, in the same batch */
    rig_run(&rig);
    CHECK_EQ(rig.task[0].task->inflight, 0);
    CHECK_EQ(rig.task[0].task->armed, 1);
    rig_pass(&rig, VG_MSEC(1));
    CHECK_EQ(RIG_RET(&rig, 0, struct either), 0);
    rig_close(&rig);
}

#if VG_FAULTS

/* A waker on a thread of its own that stops between winning the slot and waking. */
static struct {
    sem_t stopped, go;
    struct vg_os_thread thread;
} slow;

static int stop_when_fired(const char *name)
{
    if (strcmp(name, "fired") == 0) {
        sem_post(&slow.stopped);
        sem_wait(&slow.go);
    }
    return 0;
}

static void *slow_main(void *arg)
{
    vg_waker_wake(*(const struct vg_waker *)arg);
    return NULL;
}

static void slow_wake(struct vg_waker *waker)
{
    sem_init(&slow.stopped, 0, 0);
    sem_init(&slow.go, 0, 0);
    vg_fault_install(stop_when_fired);
    slow.thread = (struct vg_os_thread){.run = slow_main, .arg = waker};
    CHECK_EQ(vg_os_thread_start(&slow.thread, "slow"), 0);
    sem_wait(&slow.stopped);
    vg_fault_install(NULL);
}

static void slow_goes_on(void)
{
    sem_post(&slow.go);
    vg_os_thread_join(&slow.thread);
}

TEST(a_slot_is_not_used_again_before_its_wake_has_arrived)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0}, next = {.polls = 0};
    struct event event = {.set = false};
    struct vg_waker stale;

    rig_open(&rig);
    rig_spawn(&rig, either, &foreign, &event, VG_SEC(1));
    stale = foreign.waker;
    slow_wake(&stale);
    event_set(&event);
    rig_run(&rig);
    CHECK_EQ(rig.task[0].task->inflight, 1);
    rig_spawn(&rig, waiter, &next);
    CHECK(next.waker.slot != stale.slot);

    slow_goes_on();
    rig_run(&rig);
    CHECK_EQ(rig.task[0].task->inflight, 0);
    CHECK_EQ(next.polls, 1);
    vg_waker_wake(stale);
    foreign_happens(&next);
    rig_pass(&rig, VG_SEC(1));
    CHECK_EQ(RIG_RET(&rig, 0, struct either), 0);
    CHECK_EQ(RIG_RET(&rig, 1, struct waiter), 0);
    rig_close(&rig);
}

TEST(a_task_stays_until_the_wakes_that_are_under_way_to_it_have_arrived)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};
    struct event event = {.set = false};
    struct vg_waker stale;

    rig_open(&rig);
    rig_spawn(&rig, either, &foreign, &event, 0);
    stale = foreign.waker;
    slow_wake(&stale);
    event_set(&event);
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    vg_task_cancel(&rig.task[0]); /* which it outlives */
    rig_run(&rig);
    CHECK(!rig_done(&rig, 0));
    CHECK_EQ(vg_exec_live(rig.exec), 1);

    slow_goes_on();
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct either), 0);
    CHECK_EQ(vg_exec_live(rig.exec), 0);
    rig_close(&rig);
}

TEST(a_second_waker_may_come_while_the_first_is_under_way)
{
    struct rig rig;
    struct foreign foreign = {.polls = 0};
    struct vg_waker copy;

    rig_open(&rig);
    rig_spawn(&rig, waiter, &foreign);
    copy = foreign.waker;
    slow_wake(&copy);
    foreign_happens(&foreign);
    rig_run(&rig);
    CHECK_EQ(foreign.polls, 1); /* the first one brings the news */
    slow_goes_on();
    rig_run(&rig);
    CHECK_EQ(RIG_RET(&rig, 0, struct waiter), 0);
    rig_close(&rig);
}

#endif
