/* SPDX-License-Identifier: MIT */
#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/liveness.h>

#include <semaphore.h>

#include "event.h"
#include "harness.h"

/* A task that was woken by one that does not come out of its poll is run by another worker. */

struct woken {
    VG_FRAME(int);
    struct event *event;
    sem_t *waits, *ran;
    struct event_wait wait;
};

VG_ASYNC(woken)
{
    VG_BEGIN(f);
    int rc;
    sem_post(f->waits);
    VG_AWAIT(rc, event_wait(&f->wait, f->event));
    sem_post(f->ran);
    VG_RETURN(rc);
}

static struct woken *woken(struct woken *f, struct event *event, sem_t *waits, sem_t *ran)
{
    VG_SETUP(f, woken);
    f->event = event;
    f->waits = waits;
    f->ran = ran;
    return f;
}

struct blocker {
    VG_FRAME(int);
    struct event *event;
    sem_t *ran;
};

/* Wakes the other, which comes into this worker's private slot, and blocks the worker until it has run. */
VG_ASYNC(blocker)
{
    VG_BEGIN(f);
    event_set(f->event);
    while (sem_wait(f->ran) != 0)
        CHECK_EQ(errno, EINTR);
    VG_RETURN(0);
}

static struct blocker *blocker(struct blocker *f, struct event *event, sem_t *ran)
{
    VG_SETUP(f, blocker);
    f->event = event;
    f->ran = ran;
    return f;
}

static void silent(const struct vg_report *report, void *arg)
{
    (void)report, (void)arg;
}

TEST(what_a_blocked_poll_has_woken_runs_elsewhere)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness *live;
    struct vg_exec *exec;

    watch.to_stderr = false;
    watch.report = silent;
    CHECK_EQ(vg_liveness_open(&live, &watch), 0);
    config.workers = 2;
    config.probe = vg_liveness_probe(live);
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    for (unsigned round = 0; round < 5; round++) {
        struct event event = {.set = false};
        struct blocker root;
        sem_t waits, ran;

        sem_init(&waits, 0, 0);
        sem_init(&ran, 0, 0);
        CHECK_EQ(VG_SPAWN(exec, NULL, woken, &event, &waits, &ran), 0);
        while (sem_wait(&waits) != 0)
            CHECK_EQ(errno, EINTR);
        CHECK_EQ(vg_block_on(exec, &blocker(&root, &event, &ran)->fut), 0);
        sem_destroy(&waits);
        sem_destroy(&ran);
    }
    CHECK_EQ(vg_exec_close(exec, VG_SEC(10)), 0);
    vg_liveness_close(live);
}
