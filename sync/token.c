/* SPDX-License-Identifier: MIT */
#include <vigil/token.h>

#include "look.h"
#include "notices.h"
#include "vg_atomic.h"
#include "vg_spin.h"

/*
 * A token is on its parent's list of children until it is cancelled; then on its root's list of work, until all who
 * wait for it have been woken and all its children are on that list, too. Whoever cancels works until the list is
 * empty, and holds on to no token but the root meanwhile: any other may be ended between two sections.
 */

enum { STEPS = VG_NOTICES_MAX };

static struct vg_spin *guard_of(const struct vg_token *token)
{
    return &token->root->waiters.guard;
}

static const char *name_of(const struct vg_token *token)
{
    return token->resource.name ? token->resource.name : "(unnamed)";
}

/* ---- lists; the guard is held -------------------------------------------------------------- */

static void link_at(struct vg_token **head, struct vg_token *token)
{
    token->next = *head;
    token->at = head;
    if (token->next)
        token->next->at = &token->next;
    *head = token;
}

static void unlink_token(struct vg_token *token)
{
    if (!token->at)
        return;
    *token->at = token->next;
    if (token->next)
        token->next->at = token->at;
    token->at = NULL;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void join_parent(struct vg_token *token, struct vg_token *parent)
{
    vg_spin_lock(guard_of(parent));
    parent->children++;
    if (vg_load(&parent->cancelled, relaxed))
        vg_store(&token->cancelled, 1, relaxed);
    else
        link_at(&parent->first, token);
    vg_spin_unlock(guard_of(parent));
}

void vg_token_init_at(struct vg_token *token, const char *name, struct vg_token *parent,
                      const struct vg_place *place)
{
    *token = (struct vg_token){.resource = {&vg_token_resource_, name, place}, .parent = parent};
    token->root = parent ? parent->root : token;
    if (parent)
        join_parent(token, parent);
}

void vg_token_fini(struct vg_token *token)
{
    struct vg_spin *guard = guard_of(token);

    vg_spin_lock(guard);
    if (token->waiters.length > 0)
        vg_panic("vg_token_fini: %u futures wait for token %s", token->waiters.length,
                 name_of(token));
    if (token->children > 0)
        vg_panic("vg_token_fini: token %s has %u children", name_of(token), token->children);
    unlink_token(token);
    if (token->parent)
        token->parent->children--;
    vg_spin_unlock(guard);
}

/* ---- cancelling ---------------------------------------------------------------------------- */

/* Guard held. */
static void begin(struct vg_token *token)
{
    if (vg_load(&token->cancelled, relaxed))
        return;
    /* Release: pairs with vg_token_cancelled(). */
    vg_store(&token->cancelled, 1, release);
    unlink_token(token);
    link_at(&token->root->work, token);
}

/* Guard held. Wakes one who waits, or goes down to one child, or is done with the token. */
static void step(struct vg_token *token, struct vg_notices *notices)
{
    if (token->waiters.first)
        vg_notices_add(notices, vg_waitlist_serve(&token->waiters, token->waiters.first));
    else if (token->first)
        begin(token->first);
    else
        unlink_token(token);
}

void vg_token_cancel(struct vg_token *token)
{
    struct vg_token *root = token->root;
    bool more;

    vg_spin_lock(guard_of(root));
    begin(token);
    do {
        struct vg_notices notices;

        vg_notices_init(&notices);
        for (int i = 0; i < STEPS && root->work; i++)
            step(root->work, &notices);
        more = root->work != NULL;
        vg_spin_unlock(guard_of(root));
        vg_notices_send(&notices);
        if (more)
            vg_spin_lock(guard_of(root));
    } while (more);
}

bool vg_token_cancelled(const struct vg_token *token)
{
    /* Acquire: pairs with the release in begin(). */
    return vg_load(&token->cancelled, acquire) != 0;
}

/* ---- the future ---------------------------------------------------------------------------- */

static bool look(struct vg_future *fut)
{
    struct vg_token_wait *wait = (struct vg_token_wait *)(void *)fut;

    wait->ret = 0;
    return vg_token_cancelled(wait->token);
}

static struct vg_look look_of(struct vg_future *fut)
{
    struct vg_token_wait *wait = (struct vg_token_wait *)(void *)fut;

    return (struct vg_look){guard_of(wait->token), &wait->token->waiters, &wait->entry, &wait->ret,
                            look};
}

static vg_poll wait_poll(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_look l = look_of(fut);

    return vg_look_poll(&l, fut, cx);
}

static void wait_cancel(struct vg_future *fut, struct vg_cx *cx)
{
    const struct vg_look l = look_of(fut);

    vg_look_cancel(&l, cx);
}

static bool wait_waits(const struct vg_future *fut, struct vg_wait *wait)
{
    const struct vg_token_wait *w = (const struct vg_token_wait *)(const void *)fut;

    wait->resource = &w->token->resource;
    return vg_look_waits(guard_of(w->token), &w->entry, wait);
}

static const struct vg_ops wait_ops = {
    .poll = wait_poll,
    .cancel = wait_cancel,
    .waits = wait_waits,
    .name = "vg_token_wait",
    .size = sizeof(struct vg_token_wait),
    .kind = VG_KIND_LEAF,
};

struct vg_token_wait *vg_token_wait(struct vg_token_wait *wait, struct vg_token *token)
{
    vg_future_init(&wait->fut, &wait_ops);
    wait->ret = 0;
    wait->token = token;
    vg_waitlist_entry_init(&wait->entry);
    return wait;
}

/* ---- the resource -------------------------------------------------------------------------- */

static unsigned resource_waiters(struct vg_resource *resource)
{
    struct vg_token *token = (struct vg_token *)(void *)resource;
    unsigned waiters;

    vg_spin_lock(guard_of(token));
    waiters = token->waiters.length;
    vg_spin_unlock(guard_of(token));
    return waiters;
}

const struct vg_resource_ops vg_token_resource_ = {
    .kind = "token",
    .owner = vg_look_owner,
    .ahead = vg_look_ahead,
    .waiters = resource_waiters,
};
