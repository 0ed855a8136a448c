/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_IO_URING_COMPAT_H
#define VIGIL_IO_URING_COMPAT_H

/* What the kernel has and the headers of liburing 2.3 lack. */

#include <liburing.h>

/* 6.15. Without it a worker that sleeps in its ring is shown as waiting for I/O. */
#ifndef IORING_FEAT_NO_IOWAIT
#define IORING_FEAT_NO_IOWAIT (1U << 17)
#endif
#ifndef IORING_ENTER_NO_IOWAIT
#define IORING_ENTER_NO_IOWAIT (1U << 7)
#endif

#endif
