/* SPDX-License-Identifier: MIT */
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/combine.h>
#include <vigil/exec.h>
#include <vigil/mutex.h>
#include <vigil/set.h>
#include <vigil/stream.h>
#include <vigil/time.h>

/* Tasks that wait in all sorts of ways, and then a trap, for a debugger to look at. */

static sem_t ready;
static struct vg_mutex db = VG_MUTEX_INIT_NAMED("db");

struct query {
    VG_FRAME(int);
    struct vg_lock lock;
};

VG_ASYNC(query)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_lock(&f->lock, &db));
    vg_unlock(&db);
    VG_RETURN(rc);
}

static struct query *query(struct query *f)
{
    VG_SETUP(f, query);
    return f;
}

struct session {
    VG_FRAME(int);
    VG_ARMS(2) sel;
    VG_CHILDREN(2) join;
    struct query parked, asked;
    struct vg_sleep nap;
    struct vg_timeout timeout;
    struct vg_yield yield;
    struct vg_set set;
    struct vg_set_item item;
    struct vg_forever forever;
};

VG_ASYNC(session)
{
    VG_BEGIN(f);
    int rc;

    vg_set_init(&f->set);
    VG_SET_PUSH(&f->set, &f->item, vg_forever(&f->forever));
    VG_AWAIT(rc, VG_SELECT(f->sel, VG_PARK(query(&f->parked)), VG_CANCEL(vg_yield(&f->yield))));
    sem_post(&ready);
    vg_timeout(&f->timeout, VG_SEC(3600), vg_sleep(&f->nap, VG_SEC(7200)));
    VG_AWAIT(rc, VG_JOIN(f->join, query(&f->asked), &f->timeout));
    VG_RETURN(rc);
}

static struct session *session(struct session *f)
{
    VG_SETUP(f, session);
    return f;
}

struct holder {
    VG_FRAME(int);
    struct vg_lock lock;
    struct vg_interval_stream ticks;
    struct vg_sift odd;
    struct vg_stream *stream;
};

static bool any(void *arg, const void *item)
{
    (void)arg;
    return item != NULL;
}

VG_ASYNC(holder)
{
    VG_BEGIN(f);
    int rc;

    VG_AWAIT(rc, vg_lock(&f->lock, &db));
    sem_post(&ready);
    f->stream = vg_stream_filter(&f->odd, vg_stream_interval(&f->ticks, VG_SEC(3600)), any, NULL);
    VG_EACH (rc, f->stream)
        puts("an hour has passed");
    vg_unlock(&db);
    VG_RETURN(rc);
}

static struct holder *holder(struct holder *f)
{
    VG_SETUP(f, holder);
    return f;
}

int main(void)
{
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;

    sem_init(&ready, 0, 0);
    config.workers = 2;
    if (vg_exec_open(&exec, &config) < 0 || VG_SPAWN(exec, NULL, holder) < 0)
        return 1;
    sem_wait(&ready);
    if (VG_SPAWN(exec, NULL, session) < 0)
        return 1;
    sem_wait(&ready);
    usleep(200000); /* for the last poll to end; what the debugger shows does not depend on more */
    raise(SIGTRAP);
    return 0;
}
