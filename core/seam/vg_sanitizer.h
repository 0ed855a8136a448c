/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_CORE_VG_SANITIZER_H
#define VIGIL_CORE_VG_SANITIZER_H

/* Which sanitizer this is compiled for, whatever the compiler: VG_ASAN, VG_TSAN, VG_MSAN, each 0 or 1. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define VG_ASAN 1
#else
#define VG_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || __has_feature(thread_sanitizer)
#define VG_TSAN 1
#else
#define VG_TSAN 0
#endif

#if __has_feature(memory_sanitizer)
#define VG_MSAN 1
#else
#define VG_MSAN 0
#endif

#endif
