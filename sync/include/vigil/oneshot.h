/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_ONESHOT_H
#define VIGIL_ONESHOT_H

#include <vigil/resource.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * One value, handed over once: from a sender, who may be anybody, to a future.
 *
 *     receiver:  vg_oneshot_init(&f->reply, "reply");
 *                rc = submit(request, &f->reply);
 *                VG_AWAIT(rc, vg_oneshot_recv(&f->recv, &f->reply));
 *                if (rc == 0)
 *                    use(f->recv.value);
 *     sender:    if (vg_oneshot_send(reply, answer) < 0)
 *                    free_answer(answer);         (the receiver has gone)
 *
 * Each end says when it is through. The sender sends, or closes if it has nothing to send after
 * all. The receiver receives, or drops its end and gets back what was sent but not received. The
 * value is a pointer that the oneshot only carries: whoever has it last frees it.
 *
 * Memory    All storage is the caller's. The receiver may free the oneshot when both ends are
 *           through: when a receive has completed with 0 or -EPIPE, although the sender's call has
 *           not returned yet; or, after a drop, when the sender's call has. The sender must not
 *           touch it after its one call.
 * Threads   One sender on any thread; one receiver, whose receives run on workers one at a time.
 *           vg_oneshot_init() and vg_oneshot_fini() must not race with other calls.
 * Ordering  What precedes the send or the close happens before the receive completes.
 * Errors    Send: -EPIPE. Receive: -EPIPE, -ECANCELED. Sending or closing a second time, receiving
 *           twice at once or after a drop, and finishing while a receive waits panic.
 * Cost      A compare-and-swap for the send, or close, and one for a receive that has to wait, with a wake; none for one
 *           that finds the value there.
 */

struct vg_oneshot {
    /* private */
    struct vg_resource resource;
    VG_ATOMIC(uintptr_t) word; /* empty, sent, received, closed, dropped; or who waits */
    void *value;
};

/* The future that vg_oneshot_recv() prepares. */
struct vg_oneshot_recv {
    struct vg_future fut;
    int ret; /* 0, -EPIPE: no value will come; -ECANCELED: it may still come to a later receive */
    void *value; /* what was sent; NULL unless ret is 0 */
    /* private */
    struct vg_oneshot *oneshot;
    struct vg_waiter waiter;
};

extern VG_API const struct vg_resource_ops vg_oneshot_resource_;

/* Makes an empty oneshot. The name is static storage or NULL; so is `place`. */
VG_API void vg_oneshot_init_at(struct vg_oneshot *oneshot, const char *name,
                               const struct vg_place *place);

/* vg_oneshot_init_at() this line. */
#ifdef __cplusplus
#define vg_oneshot_init(oneshot, name) vg_oneshot_init_at((oneshot), (name), NULL)
#else
#define vg_oneshot_init(oneshot, name) vg_oneshot_init_at((oneshot), (name), VG_HERE)
#endif

/* Panics if a receive waits. Afterwards the storage may be reused. */
VG_API void vg_oneshot_fini(struct vg_oneshot *oneshot);

/* Hands the value over. 0; -EPIPE: the receiver has dropped its end, the value is still the
 * caller's. */
VG_API VG_MUST_USE int vg_oneshot_send(struct vg_oneshot *oneshot, void *value);

/* The sender has nothing to send, and ends. */
VG_API void vg_oneshot_close(struct vg_oneshot *oneshot);

/* The receiver wants nothing any more: a later send fails. Returns a value that was sent and not
 * received, for the caller to free, else NULL. Panics if a receive waits: cancel that first. */
VG_API VG_MUST_USE void *vg_oneshot_drop(struct vg_oneshot *oneshot);

/*
 * Prepares `recv` as a future that completes when the value is there or will never come, and
 * returns it. A receive that is cancelled takes nothing: a value that was sent stays for the next
 * receive, or for vg_oneshot_drop().
 */
VG_API struct vg_oneshot_recv *vg_oneshot_recv(struct vg_oneshot_recv *recv,
                                               struct vg_oneshot *oneshot);

/* Receives without waiting, like a receive whose `value` is *value: 0; -EAGAIN: nothing has been sent yet; -EPIPE. By the receiver,
 * on any thread. A load. */
VG_API VG_MUST_USE int vg_oneshot_try_recv(struct vg_oneshot *oneshot, void **value);

/*
 * In an async function, VG_AWAIT(rc, vg_oneshot_recv(recv, oneshot)) without a future when nobody has to wait. It fails in a
 * cancelled frame, as that does; neither counts against the budget of the poll, for there is one value. The arguments are
 * evaluated once or twice. The value is in (recv)->value either way.
 */
#define VG_ONESHOT_RECV(rc, recv, oneshot)                                                         \
    VG_AWAIT_UNLESS_(rc, !vg_cancelled(&vg_self->fut),                                             \
                     vg_oneshot_try_recv((oneshot), &(recv)->value),                               \
                     vg_oneshot_recv((recv), (oneshot)))

#ifdef __cplusplus
}
#endif
#endif
