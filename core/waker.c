/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/waker.h>

#include "slot.h"
#include "vg_fault.h"
#include "vg_spin.h"
#include "worker.h"

/* Slots come in blocks that live as long as the executor, and go round through the workers' free lists. */
enum { BLOCK = 64 };

struct vg_slot_block {
    struct vg_slot slots[BLOCK];
    struct vg_slot_block *next;
};

static struct vg_slot *add_block(struct vg_exec *exec)
{
    struct vg_slot_block *block =
        VG_FAULT("slots") ? NULL : exec->alloc.alloc(exec->alloc.self, sizeof *block, VG_LINE);
    unsigned i;

    if (block == NULL)
        return NULL;
    for (i = 0; i < BLOCK; i++) {
        block->slots[i].waiter.flags = 0;
        vg_store(&block->slots[i].state, vg_slot_word(0, VG_SLOT_FREE), relaxed);
        block->slots[i].next = i + 1 < BLOCK ? &block->slots[i + 1] : NULL;
    }
    vg_spin_lock(&exec->slots_guard);
    block->next = exec->slot_blocks;
    exec->slot_blocks = block;
    vg_spin_unlock(&exec->slots_guard);
    return &block->slots[0];
}

/* Moves up to a block of free slots from one list to the other; returns how many. Guard held. */
static unsigned move_slots(struct vg_slot **from, struct vg_slot **to)
{
    struct vg_slot *slot;
    unsigned n;

    for (n = 0; n < BLOCK && (slot = *from) != NULL; n++) {
        *from = slot->next;
        slot->next = *to;
        *to = slot;
    }
    return n;
}

static void refill(struct vg_worker *worker)
{
    struct vg_exec *const exec = worker->exec;

    vg_spin_lock(&exec->slots_guard);
    worker->free_slots_count = move_slots(&exec->free_slots, &worker->free_slots);
    vg_spin_unlock(&exec->slots_guard);
    if (worker->free_slots_count > 0)
        return;
    worker->free_slots = add_block(exec);
    worker->free_slots_count = worker->free_slots != NULL ? BLOCK : 0;
}

static struct vg_slot *get_slot(struct vg_worker *worker)
{
    struct vg_slot *slot;

    if (worker->free_slots == NULL)
        refill(worker);
    slot = worker->free_slots;
    if (slot == NULL)
        return NULL;
    worker->free_slots = slot->next;
    worker->free_slots_count--;
    return slot;
}

static void put_slot(struct vg_slot *slot)
{
    struct vg_worker *const worker = vg_worker_here;
    struct vg_exec *const exec = worker->exec;

    slot->waiter.flags = 0;
    slot->next = worker->free_slots;
    worker->free_slots = slot;
    if (++worker->free_slots_count < 2 * BLOCK)
        return;
    vg_spin_lock(&exec->slots_guard);
    worker->free_slots_count -= move_slots(&worker->free_slots, &exec->free_slots);
    vg_spin_unlock(&exec->slots_guard);
}

void vg_slot_recycle(struct vg_slot *slot)
{
    vg_slot_free(slot);
    put_slot(slot);
}

void vg_slots_release(struct vg_exec *exec)
{
    struct vg_slot_block *block, *next;

    for (block = exec->slot_blocks; block != NULL; block = next) {
        next = block->next;
        exec->alloc.free(exec->alloc.self, block, sizeof *block, VG_LINE);
    }
}

int vg_waker_arm(struct vg_waker *waker, struct vg_future *fut, struct vg_cx *cx)
{
    if (waker->slot == NULL)
        waker->slot = get_slot(vg_worker_of(cx));
    if (waker->slot == NULL)
        return -ENOMEM;
    waker->slot->waiter.flags |= VG_W_SLOT;
    vg_arm(&waker->slot->waiter, fut, cx);
    waker->generation = vg_slot_arm(waker->slot);
    return 0;
}

/* It has fired, and its waiter is still on its way: whoever collects it frees the slot. */
static void leave_in_flight(struct vg_waiter *waiter, struct vg_task *task)
{
    vg_unarmed(waiter, task);
    waiter->fut = NULL;
    waiter->flags = VG_W_SLOT;
    task->inflight++;
}

static void disarm_fired(struct vg_slot *slot, struct vg_cx *cx)
{
    struct vg_waiter *waiter = &slot->waiter;

    (void)VG_FAULT("disarm");
    vg_task_take(cx->task, cx);
    if (waiter->flags & VG_W_ARMED) {
        leave_in_flight(waiter, cx->task);
        return;
    }
    if (waiter->flags & VG_W_OWED) {
        vg_record_wait(waiter, cx);
        vg_wlist_remove(&waiter->node);
    }
    vg_slot_recycle(slot);
}

void vg_waker_disarm(struct vg_waker *waker, struct vg_cx *cx)
{
    struct vg_slot *const slot = waker->slot;

    if (slot == NULL)
        return;
    waker->slot = NULL;
    if (slot->waiter.flags & VG_W_ARMED && vg_slot_disarm(slot, waker->generation)) {
        vg_unarmed(&slot->waiter, cx->task);
        put_slot(slot);
    } else {
        disarm_fired(slot, cx);
    }
}

void vg_waker_wake(struct vg_waker waker)
{
    if (waker.slot != NULL && vg_slot_fire(waker.slot, waker.generation)) {
        if (VG_FAULT("fired")) /* a test may stop the waker here */
            return;
        vg_notify(vg_waiter_push(&waker.slot->waiter));
    }
}
