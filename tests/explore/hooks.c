/* SPDX-License-Identifier: MIT */
#include "internal.h"

#include <string.h>

/*
 * Library sources are compiled with -fsanitize=thread and linked without its run-time library: the
 * compiler puts a call before each plain access to memory, and the calls end up here. So everything that
 * they touch is checked for races and for freed memory, without a mark in the source. (Models
 * themselves are not compiled so: their own bookkeeping is no part of the program; they mark with VG_RD, VG_WR.)
 */

static struct mc_site *site_of(const void *pc)
{
    enum { SITES = 4096 };
    static struct mc_site sites[SITES];
    size_t i = (size_t)(((uintptr_t)pc * UINT64_C(0x9E3779B97F4A7C15)) >> 52);

    while (sites[i].pc && sites[i].pc != pc)
        i = (i + 1) % SITES;
    sites[i].pc = pc;
    return &sites[i];
}

static void note(const volatile void *p, size_t size, bool write, const void *pc)
{
    if (mc_run.current == MC_MAIN || thread_own_memory(p))
        return;
    if (write)
        mc_write(p, size, site_of(pc));
    else
        mc_read(p, size, site_of(pc));
}

#define HOOK(name, size, write)                                                                    \
    void __tsan_##name(void *p);                                                                   \
    void __tsan_##name(void *p)                                                                    \
    {                                                                                              \
        note(p, size, write, __builtin_return_address(0));                                         \
    }

HOOK(read1, 1, false)
HOOK(read2, 2, false)
HOOK(read4, 4, false)
HOOK(read8, 8, false)
HOOK(read16, 16, false)
HOOK(unaligned_read2, 2, false)
HOOK(unaligned_read4, 4, false)
HOOK(unaligned_read8, 8, false)
HOOK(unaligned_read16, 16, false)
HOOK(write1, 1, true)
HOOK(write2, 2, true)
HOOK(write4, 4, true)
HOOK(write8, 8, true)
HOOK(write16, 16, true)
HOOK(unaligned_write2, 2, true)
HOOK(unaligned_write4, 4, true)
HOOK(unaligned_write8, 8, true)
HOOK(unaligned_write16, 16, true)

#define RANGE(name, write)                                                                         \
    void __tsan_##name(void *p, size_t size);                                                      \
    void __tsan_##name(void *p, size_t size)                                                       \
    {                                                                                              \
        note(p, size, write, __builtin_return_address(0));                                         \
    }

RANGE(read_range, false)
RANGE(write_range, true)

void __tsan_init(void);
void __tsan_func_entry(void *pc);
void __tsan_func_exit(void *pc);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *pc)
{
    (void)pc;
}

void __tsan_func_exit(void *pc)
{
    (void)pc;
}
