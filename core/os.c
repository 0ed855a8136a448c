/* SPDX-License-Identifier: MIT */
#include "vg_os.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vg_sanitizer.h"
#include "vg_stack.h"

uint64_t vg_os_cpu_time(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void vg_os_yield(void)
{
    sched_yield();
}

void vg_os_wait(VG_ATOMIC(uint32_t) *word, uint32_t expected, uint64_t deadline)
{
    struct timespec ts = {
        .tv_sec = (time_t)(deadline / 1000000000u),
        .tv_nsec = (long)(deadline % 1000000000u),
    };
    struct timespec *until = deadline == VG_NEVER ? NULL : &ts;

    /* The bitset form takes an absolute deadline. */
    syscall(SYS_futex, (void *)word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, until, NULL,
            FUTEX_BITSET_MATCH_ANY);
}

void vg_os_wake(VG_ATOMIC(uint32_t) *word, int count)
{
    syscall(SYS_futex, (void *)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
}

int vg_os_thread_id(void)
{
    return gettid();
}

/* The attributes must be destroyed if it succeeds. */
static int init_attributes(pthread_attr_t *attributes, size_t stack_size)
{
    if (pthread_attr_init(attributes) != 0)
        return -EAGAIN;
    if (stack_size == 0 || pthread_attr_setstacksize(attributes, stack_size) == 0)
        return 0;
    pthread_attr_destroy(attributes);
    return -EINVAL;
}

int vg_os_check_stack_size(size_t size)
{
    pthread_attr_t attributes;
    const int rc = init_attributes(&attributes, size);

    if (rc == 0)
        pthread_attr_destroy(&attributes);
    return rc;
}

int vg_os_thread_start(struct vg_os_thread *thread, const char *name)
{
    pthread_attr_t attributes;
    pthread_t id;
    sigset_t all, old;
    char cut[16];
    int rc;

    if (init_attributes(&attributes, thread->stack_size) < 0)
        return -EAGAIN;

    sigfillset(&all);
    if (vg_stack_signal() != 0)
        sigdelset(&all, vg_stack_signal());
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&id, &attributes, thread->run, thread->arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attributes);
    if (rc != 0)
        return -EAGAIN;
    thread->handle = id;
    snprintf(cut, sizeof cut, "%s", name);
    pthread_setname_np(id, cut);
    return 0;
}

void vg_os_thread_join(struct vg_os_thread *thread)
{
    pthread_join(thread->handle, NULL);
}

#if VG_ASAN
#include <sanitizer/asan_interface.h>

/* AddressSanitizer may keep locals elsewhere, to find their use after return. */
static bool on_fake_stack(const void *address)
{
    void *stack = __asan_get_current_fake_stack();

    return stack != NULL &&
           __asan_addr_is_in_fake_stack(stack, (void *)(uintptr_t)address, NULL, NULL) != NULL;
}
#else
static bool on_fake_stack(const void *address)
{
    (void)address;
    return false;
}
#endif

bool vg_os_on_stack(const void *address)
{
    static _Thread_local uintptr_t low, high;

    if (high == 0) {
        pthread_attr_t attr;
        void *base;
        size_t size;

        if (pthread_getattr_np(pthread_self(), &attr) != 0)
            return false;
        pthread_attr_getstack(&attr, &base, &size);
        pthread_attr_destroy(&attr);
        low = (uintptr_t)base;
        high = low + size;
    }
    return ((uintptr_t)address >= low && (uintptr_t)address < high) || on_fake_stack(address);
}

void *vg_os_reserve(size_t size)
{
    void *space = mmap(NULL, size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return space == MAP_FAILED ? NULL : space;
}

void vg_os_populate(void *space, size_t size)
{
    const size_t page = 4096;
    const uintptr_t begin = ((uintptr_t)space + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)space + size) / page * page;

#ifdef MADV_POPULATE_WRITE
    if (begin < end)
        madvise((void *)begin, end - begin, MADV_POPULATE_WRITE);
#else
    (void)begin, (void)end;
#endif
}

void vg_os_huge(void *space, size_t size)
{
    madvise(space, size, MADV_HUGEPAGE);
}

void vg_os_unreserve(void *space, size_t size)
{
    if (space != NULL)
        munmap(space, size);
}

uint64_t vg_os_random(void)
{
    uint64_t bits;

    if (getrandom(&bits, sizeof bits, GRND_NONBLOCK) != (ssize_t)sizeof bits)
        bits = vg_os_now() ^ ((uint64_t)getpid() << 32);
    return bits;
}
