/* SPDX-License-Identifier: MIT */
#include <semaphore.h>

#include "counting_alloc.h"
#include "nodes.h"
#include "rig.h"
#include "vg_atomic.h"

/* Who and what is still there when an executor closes. */

struct waiter {
    VG_FRAME(int);
    struct event *event;
    bool stubborn;
    sem_t *waits; /* posted after each poll of the wait */
    struct event_wait wait;
};

static void post(void *semaphore)
{
    sem_post(semaphore);
}

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    int rc;
    if (f->stubborn)
        VG_AWAIT_SHIELDED(rc, event_wait_hooked(&f->wait, f->event, post, f->waits));
    else
        VG_AWAIT(rc, event_wait_hooked(&f->wait, f->event, post, f->waits));
    VG_RETURN(rc);
}

static struct waiter *waiter(struct waiter *f, struct event *event, bool stubborn, sem_t *waits)
{
    VG_SETUP(f, waiter);
    f->event = event;
    f->stubborn = stubborn;
    f->waits = waits;
    return f;
}

/* ---- a handle -------------------------------------------------------------------------------- */

static void close_with_a_handle(void)
{
    struct rig rig;
    struct event event = {.set = true};
    sem_t waits;

    sem_init(&waits, 0, 0);
    rig_open(&rig);
    rig_spawn(&rig, waiter, &event, false, &waits);
    CHECK(rig_done(&rig, 0));
    (void)vg_exec_close(rig.exec, VG_SEC(1));
}

TEST(a_handle_that_was_not_released_before_the_executor_closes_panics)
{
    CHECK_PANICS("the handle of waiter, which has ended, was not released", close_with_a_handle());
}

/* ---- a thread that has pushed the last wake -------------------------------------------------- */

/* Stops the thread outside in its ring, when the task that it woke may already run. */
static struct {
    struct vg_driver_futex futex;
    struct vg_driver_ops ops;
    void (*park)(struct vg_driver *driver, unsigned worker, uint64_t deadline);
    void (*unpark)(struct vg_driver *driver, unsigned worker);
    void (*stop)(struct vg_driver *driver, unsigned worker);
    void (*close)(struct vg_driver *driver);
    struct event event;
    sem_t waits, parked, rings;
    VG_ATOMIC(int) stopped, inside, closed;
} guest;

static _Thread_local bool outside;

static void guest_park(struct vg_driver *driver, unsigned worker, uint64_t deadline)
{
    sem_post(&guest.parked);
    guest.park(driver, worker, deadline);
}

/* Stays until all tasks have ended and no worker is left. Who does not wait for this thread closes now. */
static void linger(void)
{
    uint64_t end;

    while (!vg_load(&guest.stopped, acquire)) /* pairs with the store in guest_stop() */
        vg_os_yield();
    for (end = vg_os_now() + VG_MSEC(50); vg_os_now() < end && !vg_load(&guest.closed, acquire);)
        vg_os_yield();
    vg_store(&guest.inside, 0, release); /* pairs with the load in guest_close() */
}

static void guest_unpark(struct vg_driver *driver, unsigned worker)
{
    if (!outside) {
        guest.unpark(driver, worker);
        return;
    }
    vg_store(&guest.inside, 1, release); /* pairs with the load in guest_close() */
    sem_post(&guest.rings);
    guest.unpark(driver, worker);
    linger();
}

/* Stops the thread outside before it has a task. */
static void *guest_alloc(void *self, size_t size, size_t align)
{
    (void)self;
    if (outside) {
        vg_store(&guest.inside, 1, release); /* pairs with the load in guest_close() */
        sem_post(&guest.rings);
        linger();
    }
    return test_alloc_get(size, align);
}

static void guest_free(void *self, void *p, size_t size, size_t align)
{
    (void)self;
    test_alloc_put(p, size, align);
}

static void guest_stop(struct vg_driver *driver, unsigned worker)
{
    guest.stop(driver, worker);
    vg_store(&guest.stopped, 1, release); /* pairs with the load in linger() */
}

static void guest_close(struct vg_driver *driver)
{
    CHECK_EQ(vg_load(&guest.inside, acquire), 0); /* pairs with the stores around linger() */
    vg_store(&guest.closed, 1, release);          /* pairs with the load in linger() */
    if (guest.close != NULL)
        guest.close(driver);
}

static void *set_from_outside(void *event)
{
    outside = true;
    event_set(event);
    return NULL;
}

/* One worker, on the driver and with the memory above. */
static struct vg_exec *guest_open(void)
{
    static const struct vg_alloc alloc = {.alloc = guest_alloc, .free = guest_free};
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    sem_init(&guest.waits, 0, 0);
    sem_init(&guest.parked, 0, 0);
    sem_init(&guest.rings, 0, 0);
    config.workers = 1;
    config.alloc = &alloc;
    config.driver = vg_driver_futex(&guest.futex);
    guest.ops = *config.driver->ops;
    guest.park = guest.ops.park;
    guest.unpark = guest.ops.unpark;
    guest.stop = guest.ops.stop;
    guest.close = guest.ops.close;
    guest.ops.park = guest_park;
    guest.ops.unpark = guest_unpark;
    guest.ops.stop = guest_stop;
    guest.ops.close = guest_close;
    config.driver->ops = &guest.ops;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    return exec;
}

TEST(an_executor_is_there_until_the_thread_that_made_the_last_wake_has_left_it)
{
    struct vg_os_thread thread = {.run = set_from_outside, .arg = &guest.event};
    struct vg_exec *const exec = guest_open();

    sem_wait(&guest.parked); /* so that the next one comes after the wait below */
    CHECK_EQ(VG_SPAWN(exec, NULL, waiter, &guest.event, false, &guest.waits), 0);
    sem_wait(&guest.waits);
    sem_wait(&guest.parked);
    CHECK_EQ(vg_os_thread_start(&thread, "outside"), 0);
    sem_wait(&guest.rings);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(60)), 0);
    vg_os_thread_join(&thread);
    CHECK_EQ(vg_load(&guest.closed, relaxed), 1);
}

/* ---- a thread that blocks -------------------------------------------------------------------- */

static struct {
    struct vg_exec *exec;
    struct event event;
    struct waiter future;
    sem_t waits;
    int rc;
} blocked;

static void *block(void *arg)
{
    (void)arg;
    blocked.rc = vg_block_on(blocked.exec, &blocked.future.fut);
    return NULL;
}

/* Returns when the future waits. */
static void block_elsewhere(struct vg_os_thread *thread, bool stubborn)
{
    struct vg_config config = VG_CONFIG_INIT;

    config.workers = 1;
    config.quiet = true;
    blocked.rc = 1;
    blocked.event = (struct event){.set = false};
    sem_init(&blocked.waits, 0, 0);
    CHECK_EQ(vg_exec_open(&blocked.exec, &config), 0);
    waiter(&blocked.future, &blocked.event, stubborn, &blocked.waits);
    *thread = (struct vg_os_thread){.run = block};
    CHECK_EQ(vg_os_thread_start(thread, "blocked"), 0);
    sem_wait(&blocked.waits);
}

/* Ends the process, because the task's memory stays. */
static _Noreturn void close_over_a_stubborn_future(void)
{
    struct vg_os_thread thread;

    block_elsewhere(&thread, true);
    CHECK_EQ(vg_exec_close(blocked.exec, VG_MSEC(1)), 1);
    vg_os_thread_join(&thread);
    CHECK_EQ(blocked.rc, -ESHUTDOWN);
    FAIL("as expected");
}

TEST(a_thread_whose_future_is_left_over_is_told_so)
{
    CHECK_PANICS("as expected", close_over_a_stubborn_future());
}

static void *block_from_outside(void *arg)
{
    outside = true;
    return block(arg);
}

TEST(an_executor_is_there_until_the_thread_that_came_to_block_has_left_it)
{
    struct vg_os_thread thread = {.run = block_from_outside};

    blocked.exec = guest_open();
    waiter(&blocked.future, &blocked.event, false, &blocked.waits);
    CHECK_EQ(vg_os_thread_start(&thread, "blocked"), 0);
    sem_wait(&guest.rings);
    CHECK_EQ(vg_exec_close(blocked.exec, VG_SEC(60)), 0);
    vg_os_thread_join(&thread);
    CHECK_EQ(blocked.rc, -ESHUTDOWN);
}

/* On the way out nothing can stop the thread; so, many times. */
TEST(an_executor_is_there_until_the_thread_that_blocked_has_left_it)
{
    struct vg_os_thread thread;

    for (unsigned i = 0; i < 100; i++) {
        block_elsewhere(&thread, false);
        CHECK_EQ(vg_exec_close(blocked.exec, VG_SEC(60)), 0);
        vg_os_thread_join(&thread);
        CHECK_EQ(blocked.rc, 0);
        CHECK_EQ(blocked.future.ret, -ECANCELED);
    }
}
