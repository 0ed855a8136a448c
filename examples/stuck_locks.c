/* SPDX-License-Identifier: MIT */
#include "stuck.h"

#include <vigil/async.h>
#include <vigil/mutex.h>
#include <vigil/time.h>

/* Tasks that wait for each other. */

struct account {
    struct vg_mutex mutex;
    long balance;
};

/* Locks both accounts, the one that pays first; between the two it awaits something, as real code does. */
struct transfer {
    VG_FRAME(int);
    struct account *from, *to;
    struct vg_lock first, second;
    struct vg_sleep audit;
};

VG_ASYNC(transfer)
{
    VG_BEGIN(f);
    int rc;

    VG_TRY(rc, vg_lock(&f->first, &f->from->mutex));
    VG_AWAIT(rc, vg_sleep(&f->audit, VG_MSEC(20)));
    VG_AWAIT(rc, vg_lock(&f->second, &f->to->mutex));
    if (rc == 0) {
        f->from->balance--;
        f->to->balance++;
        vg_unlock(&f->to->mutex);
    }
    vg_unlock(&f->from->mutex);
    VG_RETURN(rc);
}

static struct transfer *transfer(struct transfer *f, struct account *from, struct account *to)
{
    VG_SETUP(f, transfer);
    f->from = from;
    f->to = to;
    return f;
}

/* Two pay each other; a third has to wait behind them. */
int stuck_cross(struct vg_exec *exec)
{
    static struct account alice = {VG_MUTEX_INIT_NAMED("alice"), 10};
    static struct account bob = {VG_MUTEX_INIT_NAMED("bob"), 10};
    static struct account carol = {VG_MUTEX_INIT_NAMED("carol"), 10};
    int rc = VG_SPAWN(exec, NULL, transfer, &alice, &bob);

    if (rc == 0)
        rc = VG_SPAWN(exec, NULL, transfer, &bob, &alice);
    if (rc == 0)
        rc = VG_SPAWN(exec, NULL, transfer, &carol, &bob);
    return rc;
}
