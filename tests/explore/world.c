/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <string.h>

#include <vigil/async.h>

#include "drop.h"

enum { WORKERS = 3 };

__thread struct vg_worker *vg_worker_here;

static struct vg_exec exec;
static struct vg_worker workers[WORKERS];

void world_init(void)
{
    memset(&exec, 0, sizeof exec);
    memset(workers, 0, sizeof workers);
    exec.heals = true;
    exec.budget = VG_BUDGET;
    exec.workers = workers;
    exec.workers_count = WORKERS;
    for (int i = 0; i < WORKERS; i++) {
        workers[i].exec = &exec;
        workers[i].index = (unsigned)i;
        workers[i].now = 1;
    }
    vg_worker_here = NULL;
    mc_thread_local(&vg_worker_here);
}

struct vg_worker *world_worker(int worker)
{
    return &workers[worker];
}

struct world_task *world_task_of(struct vg_task *task)
{
    return (struct world_task *)(void *)task;
}

void world_spawn(struct world_task *task, struct vg_future *root)
{
    struct vg_task *t = &task->task;

    memset(task, 0, sizeof *task);
    vg_task_init_slot(t);
    t->exec = &exec;
    t->root = root;
    t->base = VG_WORD_S;
    vg_store(&t->name, "task", relaxed);
    vg_store(&t->id, 1, relaxed);
    vg_store(&t->word, (uintptr_t)VG_WORD_S, relaxed);
    vg_enqueue(&exec, t, VG_QUEUE_BACK);
}

__attribute__((weak)) int vg_task_start(struct vg_task *task, struct vg_future *root, unsigned refs,
                                        const struct vg_place *place);

void world_start(struct world_task *task, struct vg_future *root, unsigned refs)
{
    memset(task, 0, sizeof *task);
    vg_task_init_slot(&task->task);
    task->task.exec = &exec;
    MC_ASSERT(vg_task_start(&task->task, root, refs, NULL) == 0);
}

void world_work(int worker, struct world_task *task)
{
    enum vg_poll_end end = VG_END_IDLE;

    vg_worker_here = &workers[worker];
    while (end != VG_END_DONE) {
        mc_bell_wait(&task->runnable);
        if (task->over)
            break;
        task->queued = 0;
        MC_ASSERT(task->polled++ == 0);
        end = vg_task_poll(&workers[worker], &task->task);
        if (end == VG_END_REQUEUE) {
            task->polled = 0;
            vg_enqueue(&exec, &task->task, VG_QUEUE_BACK);
        }
    }
    task->over = 1;
    mc_bell_ring(&task->runnable); /* for the other worker, if there is one: the end of the model */
}

/* ---- what the library asks of an executor ------------------------------------------------------ */

void vg_enqueue(struct vg_exec *owner, struct vg_task *task, enum vg_place_in_queue where)
{
    struct world_task *t = world_task_of(task);

    (void)owner;
    (void)where;
    MC_ASSERT(!t->over);
    MC_ASSERT(t->queued++ == 0);
    t->polled = 0;
    mc_bell_ring(&t->runnable);
}

void vg_enqueue_here(struct vg_worker *here, struct vg_task *task, enum vg_place_in_queue where)
{
    vg_enqueue(here->exec, task, where);
}

/* Models of task.c and handle.c bring the real ones. */
#define REPLACEABLE __attribute__((weak))

void vg_slab_free(struct vg_slabs *slabs, struct vg_slab_cache *cache, struct vg_task *task)
{
    (void)slabs;
    (void)cache;
    mc_free(task, sizeof *task);
}

REPLACEABLE struct vg_task *vg_slab_alloc(struct vg_slabs *slabs, struct vg_slab_cache *cache,
                                          size_t size)
{
    (void)slabs;
    (void)cache;
    (void)size;
    return NULL;
}

void vg_block_release(VG_ATOMIC(uint32_t) *word, uint32_t how)
{
    (void)word;
    (void)how;
}

REPLACEABLE uint64_t vg_now(void)
{
    return 1;
}

/* Real ones are reused and stay what they are; to touch one after its end is an error here all the same. */
REPLACEABLE void vg_task_unref(struct vg_task *task)
{
    world_task_of(task)->over = 1;
    mc_free(task, sizeof *task);
}

REPLACEABLE void vg_task_leave(struct vg_task *task)
{
    vg_task_unref(task);
}

void vg_exec_task_ended(struct vg_exec *owner)
{
    (void)owner;
    mc_fail(MC_ASSERTION, "an executor that is not closing was told of an end");
}

int vg_fault_fire(const char *name);

int vg_fault_fire(const char *name)
{
    (void)name;
    return 0;
}

uint64_t vg_exec_now(const struct vg_exec *owner)
{
    (void)owner;
    return 1;
}

/* Nor does it matter here who carries what. */
void vg_gave_here(void)
{
}

/* Nor how long it takes to end. */
void vg_drop_pending(const struct vg_future *fut, struct vg_cx *cx)
{
    (void)fut, (void)cx;
}

/* Nothing is dropped here. */
void vg_drop_note_end(const struct vg_future *fut, struct vg_cx *cx)
{
    (void)cx;
    MC_ASSERT(fut == NULL);
}

bool vg_exec_heals(const struct vg_exec *owner)
{
    return owner->heals;
}

struct vg_exec *vg_exec_current(void)
{
    return &exec;
}

const struct vg_future *vg_frame_of(const struct vg_future *fut)
{
    (void)fut;
    return NULL;
}

const struct vg_site *vg_site_of(const struct vg_future *fut)
{
    (void)fut;
    return NULL;
}

struct vg_future *vg_frame_background(const struct vg_future *frame, unsigned i)
{
    (void)frame;
    (void)i;
    return NULL;
}

uint64_t vg_task_id_here(const struct vg_cx *cx)
{
    return cx->id;
}

struct vg_owner vg_owner_here(const struct vg_future *leaf, struct vg_cx *cx)
{
    (void)leaf;
    (void)cx;
    return (struct vg_owner){0};
}

struct vg_owner vg_owner_current(void)
{
    return (struct vg_owner){0};
}

/* ---- an event ----------------------------------------------------------------------------------- */

static vg_poll event_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct world_event *event = (struct world_event *)(void *)fut;
    bool happened;

    vg_spin_lock(&event->guard);
    happened = event->happened || vg_cancelled(fut);
    if (happened) {
        event->waiter.queued = 0;
    } else if (!(event->waiter.flags & VG_W_ARMED)) {
        vg_arm(&event->waiter, fut, cx);
        event->waiter.queued = 1;
    }
    vg_spin_unlock(&event->guard);
    if (happened)
        vg_disarm(&event->waiter, cx);
    return (vg_poll){happened};
}

static void event_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    struct world_event *event = (struct world_event *)(void *)fut;

    vg_spin_lock(&event->guard);
    event->waiter.queued = 0;
    vg_spin_unlock(&event->guard);
    vg_kick(&event->waiter, cx);
}

static const struct vg_ops event_ops = {
    .poll = event_poll,
    .cancel = event_cancel,
    .name = "event",
    .size = sizeof(struct world_event),
    .kind = VG_KIND_LEAF,
};

struct world_event *world_event(struct world_event *event)
{
    memset(event, 0, sizeof *event);
    vg_future_init(&event->fut, &event_ops);
    return event;
}

void world_happen(struct world_event *event)
{
    struct vg_notice notice = {NULL};

    vg_spin_lock(&event->guard);
    event->happened = 1;
    if (event->waiter.queued) {
        event->waiter.queued = 0;
        notice = vg_wake(&event->waiter);
    }
    vg_spin_unlock(&event->guard);
    vg_notify(notice);
}
