/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TOKEN_H
#define VIGIL_TOKEN_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Cancellation tokens: one call tells everybody who works on something, in many tasks, that it is not wanted any more.
 *
 *     vg_token_init(&server->stop, "stop");
 *     vg_token_init_child(&session->stop, "session", &server->stop);
 *
 *     task:      VG_AWAIT(arm, VG_SELECT(f->sel, VG_CANCEL(vg_recv(...)),
 *                                                VG_CANCEL(vg_token_wait(&f->stopped, &session->stop))));
 *     anybody:   vg_token_cancel(&server->stop);       (all sessions, too)
 *                vg_token_cancel(&session->stop);      (this session)
 *
 * Tokens form a tree: cancelling one cancels all below it, and nothing above. It cannot be taken back. A
 * token only tells: futures end when their tasks see it, and clean up as they like. To cancel one task, and all it
 * awaits, use vg_task_cancel().
 *
 * Memory    Tokens and futures are storage of the caller, and nothing is allocated. A token must outlive its
 *           children, and a root the calls of vg_token_cancel() on any token of its tree. Whoever learns of the cancel
 *           may end a child at once, although the call that cancelled it has not returned yet.
 * Threads   All calls from any thread, but the initialisation and the end of a token must not race with other calls
 *           on the same token; those of its parent and its siblings may go on.
 * Ordering  What precedes vg_token_cancel() happens before whoever sees that token, or one below it, cancelled.
 * Errors    -ECANCELED, and only from the future, when it was itself cancelled. Ending a token that has children or
 *           is waited for panics.
 * Cost      vg_token_cancelled() is one load. A tree has one spin lock, in its root, held for a few instructions by
 *           every other call; vg_token_cancel() releases it after every 32 steps. Adding and removing a child
 *           does not depend on how many there are.
 */

struct vg_token {
    /* private */
    struct vg_resource resource; /* first */
    struct vg_waitlist waiters;  /* the guard of the root's guards the whole tree */
    struct vg_token *root, *parent;
    struct vg_token *first;      /* child that is not cancelled */
    struct vg_token *work;       /* in a root: cancelled, and not all of it has been told */
    struct vg_token *next, **at; /* on a list of its parent's or the root's; at is NULL: on none */
    uint32_t children;
    /* 0, then 1 for ever. Written under the guard. */
    VG_ATOMIC(uint32_t) cancelled;
};

/* The future that vg_token_wait() prepares. */
struct vg_token_wait {
    struct vg_future fut;
    int ret; /* 0: the token is cancelled; -ECANCELED: the wait was; valid once the future is done */
    /* private */
    struct vg_token *token;
    struct vg_wait_entry entry;
};

extern VG_API const struct vg_resource_ops vg_token_resource_;

/* Makes a token that is not cancelled, below `parent`; if that is cancelled so is the token. NULL: a root. The name is
 * static storage or NULL; so is `place`. */
VG_API void vg_token_init_at(struct vg_token *token, const char *name, struct vg_token *parent,
                             const struct vg_place *place);

/* vg_token_init_at() this line. */
#ifdef __cplusplus
#define vg_token_init(token, name) vg_token_init_at((token), (name), NULL, NULL)
#define vg_token_init_child(token, name, parent) vg_token_init_at((token), (name), (parent), NULL)
#else
#define vg_token_init(token, name) vg_token_init_at((token), (name), NULL, VG_HERE)
#define vg_token_init_child(token, name, parent)                                                   \
    vg_token_init_at((token), (name), (parent), VG_HERE)
#endif

/* Takes the token out of its tree. Panics if it has children or somebody waits for it. */
VG_API void vg_token_fini(struct vg_token *token);

/* Cancels the token and all below it. May be called again. When it returns all have been told. */
VG_API void vg_token_cancel(struct vg_token *token);

VG_API bool vg_token_cancelled(const struct vg_token *token);

/* Prepares `wait` as a future that completes when the token is cancelled, and returns it. */
VG_API struct vg_token_wait *vg_token_wait(struct vg_token_wait *wait, struct vg_token *token);

#ifdef __cplusplus
}
#endif
#endif
