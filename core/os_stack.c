/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "vg_atomic.h"
#include "vg_os.h"
#include "vg_stack.h"

/*
 * The one request of the process. All of it is static: a signal that arrives late finds it.
 *
 * state    thread << 3 | phase; the futex of the thread that asks
 *          FREE     no request
 *          OPEN     somebody fills it in
 *          ASKED    the signal is on its way to `thread`. That thread makes it WRITING: acquire, pairs with the
 *                   release by which it became ASKED. Whoever asked makes it FREE when it is tired of waiting.
 *          WRITING  the handler runs
 *          DONE     it has; release, pairs with the acquire of whoever asked
 */
enum phase { FREE, OPEN, ASKED, WRITING, DONE };

static struct {
    VG_ATOMIC(uint32_t) state;
    struct vg_stack *stack;
    void (*also)(void *arg);
    void *arg;
} request;

static VG_ATOMIC(int) the_signal; /* 0: none yet; release, after the handler is there */

static uint32_t word(int thread, enum phase phase)
{
    return (uint32_t)thread << 3 | (uint32_t)phase;
}

static void *interrupted_at(const void *context)
{
    const ucontext_t *user = (const ucontext_t *)context;

#if defined(__x86_64__)
    return (void *)(uintptr_t)user->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (void *)(uintptr_t)user->uc_mcontext.pc;
#else
    (void)user;
    return NULL;
#endif
}

/* Without the frames of the handler itself. */
static void write_stack(struct vg_stack *stack, const void *context)
{
    enum { MORE = VG_STACK_FRAMES + 8 };
    void *const at = interrupted_at(context);
    void *frame[MORE];
    const int n = backtrace(frame, MORE);
    int first = 0;

    while (first < n && frame[first] != at)
        first++;
    stack->frames = 0;
    if (first == n) { /* it cannot see through the signal: this much is known */
        stack->frame[stack->frames++] = at;
        return;
    }
    for (int i = first; i < n && stack->frames < VG_STACK_FRAMES; i++)
        stack->frame[stack->frames++] = frame[i];
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
    const int saved = errno;
    uint32_t expected = word(gettid(), ASKED);

    (void)signal;
    if (info->si_code == SI_TKILL && info->si_pid == getpid() &&
        vg_cas(&request.state, &expected, word(gettid(), WRITING), acq_rel, relaxed)) {
        write_stack(request.stack, context);
        request.also(request.arg);
        vg_store(&request.state, word(gettid(), DONE), release);
        vg_os_wake(&request.state, 1);
    }
    errno = saved;
}

static bool is_unused(int signal)
{
    struct sigaction old;

    return sigaction(signal, NULL, &old) == 0 && !(old.sa_flags & SA_SIGINFO) &&
           old.sa_handler == SIG_DFL;
}

/* From the end that fewer libraries begin at. */
static int find_unused(void)
{
    int signal = SIGRTMAX - 1;

    while (signal > SIGRTMIN && !is_unused(signal))
        signal--;
    return signal;
}

int vg_stack_open(int signal)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK};
    const int taken = vg_load(&the_signal, acquire);
    void *frame[1];

    if (taken != 0)
        return signal == 0 || signal == taken ? 0 : -EBUSY;
    if (signal == 0)
        signal = find_unused();
    if (signal < SIGRTMIN || signal > SIGRTMAX)
        return -EINVAL;
    if (!is_unused(signal))
        return -EBUSY;
    (void)backtrace(frame, 1); /* the first call loads a library, which the handler must not */
    action.sa_sigaction = on_signal;
    sigfillset(&action.sa_mask);
    if (sigaction(signal, &action, NULL) != 0)
        return -EINVAL;
    vg_store(&the_signal, signal, release);
    return 0;
}

int vg_stack_signal(void)
{
    return vg_load(&the_signal, acquire);
}

/* False: the thread has not begun by the deadline, and cannot any more. */
static bool wait_for(int thread, uint64_t deadline)
{
    uint32_t state;

    while ((state = vg_load(&request.state, acquire)) != word(thread, DONE)) {
        if (state == word(thread, ASKED) && vg_os_now() >= deadline) {
            if (vg_cas(&request.state, &state, FREE, acq_rel, acquire))
                return false;
            continue;
        }
        /* Once it writes it ends, whatever the time. */
        vg_os_wait(&request.state, state, state == word(thread, ASKED) ? deadline : VG_NEVER);
    }
    return true;
}

bool vg_stack_take(int thread, struct vg_stack *stack, void (*also)(void *arg), void *arg,
                   uint64_t patience)
{
    const int signal = vg_stack_signal();
    uint32_t expected = FREE;
    bool taken;

    if (signal == 0 || !vg_cas(&request.state, &expected, OPEN, acq_rel, relaxed))
        return false;
    request.stack = stack;
    request.also = also;
    request.arg = arg;
    vg_store(&request.state, word(thread, ASKED), release);
    if (tgkill(getpid(), thread, signal) != 0) {
        vg_store(&request.state, FREE, release);
        return false;
    }
    taken = wait_for(thread, vg_os_now() + patience);
    if (taken)
        vg_store(&request.state, FREE, release);
    return taken;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

void vg_stack_name(const void *address, char *text, size_t size)
{
    Dl_info info;

    if (dladdr(address, &info) == 0 || info.dli_fname == NULL)
        snprintf(text, size, "?");
    else if (info.dli_sname == NULL)
        snprintf(text, size, "%s+0x%zx", base_name(info.dli_fname),
                 (size_t)((uintptr_t)address - (uintptr_t)info.dli_fbase));
    else
        snprintf(text, size, "%s+0x%zx (%s+0x%zx)", base_name(info.dli_fname),
                 (size_t)((uintptr_t)address - (uintptr_t)info.dli_fbase), info.dli_sname,
                 (size_t)((uintptr_t)address - (uintptr_t)info.dli_saddr));
}
