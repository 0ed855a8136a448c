/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>

#include "vg_atomic.h"
#include "vg_os.h"

/*
 * The one handler of the process.
 *
 * state  FREE, TAKEN while somebody sets it up or takes it down, READY. Release to READY, pairs with the acquire in the handler;
 *        taken by compare-and-swap.
 */
enum { FREE, TAKEN, READY };

static struct {
    VG_ATOMIC(uint32_t) state;
    void (*handler)(void *arg);
    void *arg;
    struct sigaction before;
} the;

static void on_signal(int signal)
{
    const int saved = errno;

    (void)signal;
    if (vg_load(&the.state, acquire) == READY)
        the.handler(the.arg);
    errno = saved;
}

int vg_os_signal(int signal, void (*handler)(void *arg), void *arg)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    uint32_t free = FREE;

    if (!vg_cas(&the.state, &free, TAKEN, acq_rel, relaxed))
        return -EBUSY;
    the.handler = handler;
    the.arg = arg;
    if (sigaction(signal, &action, &the.before) != 0) {
        vg_store(&the.state, FREE, release);
        return -EINVAL;
    }
    vg_store(&the.state, READY, release);
    return 0;
}

void vg_os_signal_end(int signal)
{
    vg_store(&the.state, TAKEN, release);
    (void)sigaction(signal, &the.before, NULL);
    vg_store(&the.state, FREE, release);
}
