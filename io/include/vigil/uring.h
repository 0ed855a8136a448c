/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_URING_H
#define VIGIL_URING_H

#include <vigil/alloc.h>
#include <vigil/driver.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The driver over io_uring: every worker has a ring of its own, does its I/O through it and sleeps in it.
 *
 *     struct vg_driver *driver;
 *     struct vg_config config = VG_CONFIG_INIT;
 *     int rc = vg_uring_open(&driver, NULL, NULL);
 *     if (rc < 0) {
 *         char why[VG_URING_EXPLAIN_SIZE];
 *         fprintf(stderr, "io_uring: %s\n", vg_uring_explain(rc, why, sizeof why));
 *         return 1;
 *     }
 *     config.driver = driver;
 *     ...                               (vg_exec_open() ... vg_exec_close())
 *     vg_uring_close(driver);
 *
 * Kernel    Linux 6.1 or later. Nothing is decided by version: opening builds a ring with the flags that
 *           the workers will use, and rings its doorbell.
 * Memory    A ring of the default size takes 84 KiB. Some kernels, 6.18 among them, count that as locked
 *           memory of the user, others only as memory of the cgroup. Where the limit refuses it, it is made
 *           smaller step by step: vg_uring_stats() says what was obtained.
 * Threads   vg_uring_stats() from any thread at any time between open and close; the rest from one.
 *           One executor at a time uses a driver: a second one panics.
 * Fork      A child of fork() has neither the rings' memory nor, after exec, their descriptors. It must
 *           not use the executor.
 * Errors    vg_uring_open() and vg_exec_open() fail with -EPERM or -ENOSYS (refused), -EINVAL (kernel too
 *           old), -EOPNOTSUPP (there is a ring, and it does not answer), -ENOMEM (memory, or locked memory),
 *           -EMFILE or -ENFILE. vg_uring_explain() names cause and remedy. After an error everything is given back, and the call may be tried again.
 */

/* Zero: the default. Sizes are rounded up to a power of two. */
struct vg_uring_config {
    /* 256. Operations passed to the kernel at once. More of them only cost a further system call. */
    unsigned sq_entries;
    /* 4096. Completions that wait to be seen, before the kernel has to set them aside. */
    unsigned cq_entries;
    /* 0. How long one idle worker at a time looks at its ring before it sleeps in it. Only for cores
     * that nobody else needs: elsewhere it takes more time than it saves. */
    unsigned spin_us;
};

/* Makes a driver and tries it out on the calling thread. Hooks NULL: vg_alloc_default. Errors as above;
 * *driver is NULL then. */
VG_API VG_MUST_USE int vg_uring_open(struct vg_driver **driver,
                                     const struct vg_uring_config *config,
                                     const struct vg_alloc *alloc);

/* After vg_exec_close(); panics before. NULL: nothing. */
VG_API void vg_uring_close(struct vg_driver *driver);

#define VG_URING_EXPLAIN_SIZE 512

/* Writes, for an error of vg_uring_open() or vg_exec_open(), what on this machine caused it and what
 * can be done about it. Returns text. */
VG_API const char *vg_uring_explain(int error, char *text, size_t size);

/* Of one worker's ring. Counts since vg_exec_open(). */
struct vg_uring_stats {
    unsigned sq_entries, cq_entries; /* as obtained */
    uint64_t submissions;            /* operations taken */
    uint64_t completions;            /* operations ended */
    uint64_t inflight;               /* taken and not ended */
    uint64_t enters;                 /* system calls, parks included */
    uint64_t parks;                  /* of these, the ones that could sleep */
    uint64_t cancels;                /* cancellations passed to the kernel */
    uint64_t late_cancels;           /* of these, the ones that found the operation ended */
    uint64_t sq_full;                /* times the submission queue had to be flushed for room */
    uint64_t cq_overflows;           /* times the completion queue overflowed; ought to stay 0 */
    uint64_t doorbells;              /* writes to this worker's doorbell */
    uint64_t rearms;                 /* times the doorbell had to be armed, the first included */
    uint64_t abandoned;              /* operations that did not end when the worker stopped */
};

/* -EINVAL: no such worker. */
VG_API int vg_uring_stats(struct vg_driver *driver, unsigned worker, struct vg_uring_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
