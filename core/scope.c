/* SPDX-License-Identifier: MIT */
#include "scope.h"

#include "worker.h"

/*
 * Scopes. Their children are tasks whose `joiner` is the scope, and whose reference the scope takes over when they
 * end; all else about them belongs to the task of the scope alone, so that a spawn costs no atomic of
 * the scope's. See <vigil/scope.h> for `word`.
 */

/* In the task, in front of the frame. */
struct vg_scope_child {
    struct vg_scope_child *next; /* older */
    uint32_t ret_at;
} __attribute__((aligned(16)));

static struct vg_scope_child *child_of(void *frame)
{
    return (struct vg_scope_child *)frame - 1;
}

/* ---- the ends of children: on any worker ---------------------------------------------------- */

/* The parent runs where its last child ran, and next: the results are in this cache. */
static void wake_parent(struct vg_scope *scope)
{
    const struct vg_notice notice = vg_wake(&scope->waiter);

    if (notice.task != NULL)
        vg_enqueue(notice.task->exec, notice.task, VG_QUEUE_SCOPE);
}

/* The child has not been taken from the count, so the scope stays. */
static void fail(struct vg_scope *scope, int error)
{
    uint64_t word = vg_load(&scope->word, relaxed);
    int none = 0;

    /* Acquire and release: a chain of hand-overs with the word. */
    if (!vg_cas(&scope->error, &none, error, acq_rel, relaxed) || scope->policy == VG_SCOPE_ALL)
        return;
    /* Acquire: the waiter, which the poll of the scope has armed. Release: the error, for that poll. */
    while (!vg_cas(&scope->word, &word, (word | VG_SCOPE_FAILED) & ~(uint64_t)VG_SCOPE_WAITING,
                   acq_rel, relaxed))
        continue;
    if (word & VG_SCOPE_WAITING)
        wake_parent(scope);
}

static int failure_of(struct vg_task *task)
{
    const struct vg_scope_child *child = vg_task_frame_of(task);
    int ret = 0;

    if (child->ret_at != 0)
        ret = *(const int *)(const void *)((const char *)task->root + child->ret_at);
    return ret < 0 ? ret : 0;
}

void vg_scope_leave(struct vg_task *task, uintptr_t joiner)
{
    struct vg_scope *const scope = (struct vg_scope *)(joiner & ~VG_JOINER_SCOPE);
    const int error = failure_of(task);
    uint64_t word;

    /* The last access to the task. Release: pairs with the acquire in vg_scope_sweep(). */
    vg_store(&task->joiner, VG_JOINED, release);
    if (VG_UNLIKELY(error < 0))
        fail(scope, error);
    /* Release: the results, for the parent's poll. Acquire, for who comes last: the waiter. */
    word = vg_fetch_sub(&scope->word, VG_SCOPE_ONE, acq_rel);
    if (word & VG_SCOPE_WAITING && vg_scope_count(word) == 1)
        wake_parent(scope);
}

/* ---- the children: by the task of the scope ------------------------------------------------- */

/* Frees the children that have ended; all have, if the scope has. */
void vg_scope_sweep(struct vg_scope *scope)
{
    struct vg_scope_child **at = &scope->children, *child;

    while ((child = *at) != NULL) {
        struct vg_task *const task = vg_task_of_frame(child);

        /* Pairs with the release in vg_scope_leave(): nobody there will touch the task again. */
        if (vg_load(&task->joiner, acquire) != VG_JOINED) {
            at = &child->next;
            continue;
        }
        *at = child->next;
        scope->listed--;
        vg_task_unref(task);
    }
    scope->sweep_at = 2 * scope->listed + VG_SCOPE_SWEEP_MIN;
}

uint64_t vg_scope_some_child(const struct vg_scope *scope)
{
    enum { LOOKS = 64 };
    const struct vg_scope_child *child = scope->children;

    for (unsigned i = 0; i < LOOKS && child != NULL; i++, child = child->next) {
        struct vg_task *const task = vg_task_of_frame((void *)(uintptr_t)child);

        if (vg_load(&task->joiner, relaxed) != VG_JOINED)
            return vg_load(&task->id, relaxed);
    }
    return 0;
}

void vg_scope_cancel_children(struct vg_scope *scope)
{
    struct vg_scope_child *child;

    if (scope->asked)
        return;
    scope->asked = true;
    for (child = scope->children; child != NULL; child = child->next)
        (void)vg_task_ask_cancel(vg_task_of_frame(child)); /* nothing, if it has ended */
}

static void check_open(const struct vg_scope *scope)
{
    const struct vg_cx *cx = vg_worker_here != NULL ? vg_worker_here->cx : NULL;

    if (VG_UNLIKELY(cx == NULL || cx->task != scope->task))
        vg_panic("scope %s is used by another task than the one that opened it",
                 vg_scope_name(scope));
    if (VG_UNLIKELY(scope->fut.state == VG_DONE))
        vg_panic("a spawn into scope %s, which has ended: open it again", vg_scope_name(scope));
}

void *vg_scope_alloc(struct vg_scope *scope, size_t size, int *rc)
{
    struct vg_task *task;

    check_open(scope);
    *rc = -ECANCELED;
    if (VG_UNLIKELY(scope->asked || vg_load(&scope->word, relaxed) & VG_SCOPE_FAILED))
        return NULL;
    if (VG_UNLIKELY(scope->listed >= scope->sweep_at))
        vg_scope_sweep(scope);
    *rc = -ENOMEM;
    task = vg_task_new(scope->task->exec, size + sizeof(struct vg_scope_child));
    return task != NULL ? (struct vg_scope_child *)vg_task_frame_of(task) + 1 : NULL;
}

void vg_scope_discard(void *frame)
{
    vg_task_discard(child_of(frame));
}

int vg_scope_spawn_at(struct vg_scope *scope, struct vg_future *root, uint32_t ret_at,
                      const struct vg_place *place)
{
    struct vg_scope_child *const child = child_of(root);
    int rc;

    child->ret_at = ret_at;
    rc = vg_task_start_child(vg_task_of_frame(child), root, (uintptr_t)scope | VG_JOINER_SCOPE,
                             place);
    if (rc < 0) {
        vg_scope_discard(root);
        return rc;
    }
    child->next = scope->children;
    scope->children = child;
    scope->listed++;
    scope->spawned++;
    return 0;
}

uint32_t vg_scope_live(const struct vg_scope *scope)
{
    return vg_scope_count(vg_load(&scope->word, relaxed)) + scope->spawned;
}
