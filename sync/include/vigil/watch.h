/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_WATCH_H
#define VIGIL_WATCH_H

#include <vigil/resource.h>
#include <vigil/waitlist.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A value that changes, and futures that complete when it has: for settings, states, "the latest of". Whoever is slow
 * sees the newest value and not those in between.
 *
 *     struct config config = initial;
 *     vg_watch_init(&watch, "config", &config);
 *
 *     writer:  rc = vg_watch_set(&watch, &changed);         (any thread; never waits)
 *     reader:  f->seen = vg_watch_get(f->watch, &f->config);
 *              for (;;) {
 *                  VG_AWAIT(rc, vg_watch_changed(&f->change, f->watch, &f->seen, &f->config));
 *                  if (rc < 0)
 *                      break;                                (-EPIPE: closed, there will be no newer one)
 *                  ...
 *              }
 *
 * Each reader remembers the version that it has seen; versions count up by one from 1. Where every value counts,
 * use <vigil/broadcast.h>.
 *
 * Memory    All storage is the caller's: the watch, the value in it, the futures, what they read into and the seen
 *           version (members of a frame, never locals). The watch may be destroyed when no call and no future is under
 *           way.
 * Threads   All calls from any thread, but vg_watch_init() and vg_watch_fini() must not race with others. The value's
 *           storage belongs to the watch between these two.
 * Ordering  What precedes vg_watch_set() happens before whoever reads that version, or a later one, goes on.
 * Errors    -EPIPE: closed. -ECANCELED: only from futures. Destruction while somebody waits panics.
 * Cost      A spin lock and a copy of the value at each call, so values should be small: for large ones watch a pointer
 *           whose target does not change. vg_watch_version() is one load. A change wakes everybody who
 *           waits, at most 32 at a time under the lock.
 */

struct vg_watch {
    /* private */
    struct vg_resource resource; /* first */
    struct vg_waitlist readers;  /* those that wait; its guard guards all that follows */
    void *value;
    size_t size;
    /* The version of the value. Written under the guard; read under it, or by anybody who wants to know whether it is
     * worth while to look. */
    VG_ATOMIC(uint64_t) version;
    bool closed;
};

/* The future that vg_watch_changed() prepares. */
struct vg_watch_changed {
    struct vg_future fut;
    int ret; /* 0, -EPIPE or -ECANCELED; valid once the future is done */
    /* private */
    struct vg_watch *watch;
    uint64_t *seen;
    void *value;
    struct vg_wait_entry entry;
};

extern VG_API const struct vg_resource_ops vg_watch_resource_;

/* Makes a watch of the `size` bytes at `value`, which are its first version. The name is static storage or NULL;
 * so is `place`. */
VG_API void vg_watch_init_at(struct vg_watch *watch, const char *name, void *value, size_t size,
                             const struct vg_place *place);

/* The same with the size of what `value` points to, initialised at this line. */
#ifdef __cplusplus
#define vg_watch_init(watch, name, value)                                                          \
    vg_watch_init_at((watch), (name), (value), sizeof *(value), NULL)
#else
#define vg_watch_init(watch, name, value)                                                          \
    vg_watch_init_at((watch), (name), (value), sizeof *(value), VG_HERE)
#endif

/* Panics if somebody waits. */
VG_API void vg_watch_fini(struct vg_watch *watch);

/* Makes the bytes at `value` the newest version: 0; -EPIPE. Equal or not, it is a change. */
VG_API VG_MUST_USE int vg_watch_set(struct vg_watch *watch, const void *value);

/* Nothing changes any more. May be called again. The value can still be read. */
VG_API void vg_watch_close(struct vg_watch *watch);

/* Copies the newest value to `value`, unless that is NULL, and returns its version. */
VG_API uint64_t vg_watch_get(struct vg_watch *watch, void *value);

/* The newest version, without a lock. */
VG_API uint64_t vg_watch_version(const struct vg_watch *watch);

/* The same without waiting: 0; -EAGAIN: there is no newer version; -EPIPE: there will be none. A spin lock for a few instructions. */
VG_API VG_MUST_USE int vg_watch_try_changed(struct vg_watch *watch, uint64_t *seen, void *value);

/*
 * Prepares `changed` as a future that completes when there is a version newer than *seen, and returns it. It then
 * has copied that to `value`, unless that is NULL, and its version to *seen. With -EPIPE or -ECANCELED both are
 * as they were. A *seen of 0 has seen nothing.
 */
VG_API struct vg_watch_changed *vg_watch_changed(struct vg_watch_changed *changed,
                                                 struct vg_watch *watch, uint64_t *seen,
                                                 void *value);

/*
 * In an async function, VG_AWAIT(rc, vg_watch_changed(changed, watch, seen, value)) without a future when nobody has to wait. It counts against the budget
 * of the poll, and fails in a cancelled frame, as that does. The arguments are evaluated once or twice.
 */
#define VG_WATCH_CHANGED(rc, changed, watch, seen, value)                                          \
    VG_AWAIT_UNLESS(rc, vg_watch_try_changed((watch), (seen), (value)),                            \
                    vg_watch_changed((changed), (watch), (seen), (value)))

#ifdef __cplusplus
}
#endif
#endif
