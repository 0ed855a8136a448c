/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_ONCE_H
#define VIGIL_ONCE_H

#include <vigil/permits.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Something that is initialised once, by whoever needs it first, while the others wait.
 *
 *     VG_AWAIT(rc, vg_once(&f->once, &shared->loaded, load(&f->load, shared)));
 *     if (rc < 0)
 *         VG_RETURN(rc);
 *     use(shared->table);
 *
 * Everybody who needs it brings an initialiser, a future of its own whose `ret` is an int; only one of them runs at a
 * time. When one has ended with 0 or more, all waits complete with 0, and so do all later ones, without a look at
 * their initialisers.
 *
 * Failure   An initialiser that ends with an error ends its own wait with that error; the next who waits runs his.
 * Cancel    -ECANCELED. A wait that is cancelled while its initialiser runs cancels that, and completes when it has ended;
 *           the next who waits takes over and runs his own from the start. (A future that has started is bound to its
 *           task; what is to survive its driver belongs into a task of its own.) If it ended well all the same, it counts.
 * Fairness  First come, first served among waiters that are polled.
 * Healing   A turn that was granted and is passed over goes to the next who waits. An initialiser that has started and is
 *           parked holds up all others; the instruments name it as the owner.
 * Memory    All storage is the caller's; nothing is allocated. The once-cell must outlive every wait, and neither may be
 *           moved. An initialiser that was not needed has not been started.
 * Threads   Any future on any worker may wait; vg_once_done() from any thread. vg_once_init() and vg_once_fini() must not
 *           race with other calls.
 * Ordering  What the initialiser did happens before the end of every wait that completes with 0, and before
 *           vg_once_done() says so.
 * Errors    Those of the initialiser; -ECANCELED. Destroying a cell that somebody waits for or initialises panics.
 * Cost      Initialised: one load. Waiting: a spin lock for a list edit.
 */

struct vg_once_cell {
    /* private */
    struct vg_permits permits; /* one unit: the turn to initialise; closed when that is done */
    /* 1: initialised. Set once, by whose turn it is, before the permits are closed. */
    VG_ATOMIC(uint32_t) done;
};

/* The future that vg_once() prepares. */
struct vg_once {
    struct vg_future fut;
    int ret; /* 0, -ECANCELED, or the initialiser's error; valid once the future is done */
    /* private */
    bool my_turn;
    struct vg_once_cell *cell;
    struct vg_claim turn;
    struct vg_future *initialiser;
    const int *result; /* the initialiser's */
};

extern VG_API const struct vg_resource_ops vg_once_resource_;

/* For static storage: static struct vg_once_cell c = VG_ONCE_INIT_NAMED("table"); */
#define VG_ONCE_INIT_NAMED(name)                                                                   \
    {                                                                                              \
        VG_PERMITS_INIT_(&vg_once_resource_, name, 1, 1), 0                                        \
    }

/* Makes a cell that is not initialised. The name is static storage or NULL; so is `place`. */
VG_API void vg_once_init_at(struct vg_once_cell *cell, const char *name,
                            const struct vg_place *place);

/* vg_once_init_at() this line. */
#ifdef __cplusplus
#define vg_once_init(cell, name) vg_once_init_at((cell), (name), NULL)
#else
#define vg_once_init(cell, name) vg_once_init_at((cell), (name), VG_HERE)
#endif

/* Panics if somebody waits or initialises. Afterwards the storage may be reused. */
VG_API void vg_once_fini(struct vg_once_cell *cell);

/* Whether it has been initialised. */
VG_API bool vg_once_done(const struct vg_once_cell *cell);

/* Prepares `once` as a future that completes when the cell has been initialised, by p, a pointer to a future, or by
 * somebody else's; and returns it. p must not have started. */
#define vg_once(once, cell, p) vg_once_fut((once), (cell), &(p)->fut, &(p)->ret)
VG_API struct vg_once *vg_once_fut(struct vg_once *once, struct vg_once_cell *cell,
                                   struct vg_future *initialiser, const int *result);

#ifdef __cplusplus
}
#endif
#endif
