/* SPDX-License-Identifier: MIT */
/* The read-write lock: nobody writes beside somebody else, what a writer wrote is seen by who comes later, all get in. */
#include <string.h>

#include <vigil/rwlock.h>

#include "world.h"

struct user {
    struct vg_future fut;
    bool writes, downgrades;
    struct vg_rdlock rd;
    struct vg_wrlock wr;
};

static struct world_task tasks[2];
static struct user users[2];
static struct vg_rwlock lock;
static int guarded;
static int readers, writers; /* by the model only */

static void enter(bool writes)
{
    if (writes) {
        VG_WR(&guarded);
        guarded++;
        MC_ASSERT(writers++ == 0 && readers == 0);
    } else {
        VG_RD(&guarded);
        MC_ASSERT(writers == 0);
        readers++;
    }
}

static void leave(bool writes)
{
    if (writes) {
        writers--;
        vg_wrunlock(&lock);
    } else {
        VG_RD(&guarded);
        readers--;
        vg_rdunlock(&lock);
    }
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;

    if (!vg_poll_future(user->writes ? &user->wr.fut : &user->rd.fut, cx).ready)
        return VG_PENDING;
    enter(user->writes);
    if (user->downgrades) {
        writers--;
        readers++;
        vg_downgrade(&lock);
    }
    leave(user->writes && !user->downgrades);
    return VG_READY;
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init_user(int i, struct user user)
{
    users[i] = user;
    vg_future_init(&users[i].fut, &user_ops);
    vg_rdlock(&users[i].rd, &lock);
    vg_wrlock(&users[i].wr, &lock);
    world_spawn(&tasks[i], &users[i].fut);
}

static void init(bool writes)
{
    world_init();
    vg_rwlock_init_at(&lock, "lock", NULL);
    MC_ASSERT(writes ? vg_trywrlock(&lock) : vg_tryrdlock(&lock));
    readers = !writes;
    writers = writes;
}

static void all_got_in(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over);
    MC_ASSERT(readers == 0 && writers == 0);
    MC_ASSERT(vg_trywrlock(&lock));
}

/* ---- a writer and a reader wait for a reader ------------------------------------------------------ */

static void init_reader_first(void)
{
    init(false);
    init_user(0, (struct user){.writes = true});
    init_user(1, (struct user){.writes = false});
}

static void reader_first(int id)
{
    if (id < 2)
        world_work(id, &tasks[id]);
    else
        leave(false);
}
MC_MODEL(rwlock_reader_first, .threads = 3, .init = init_reader_first, .thread = reader_first,
         .final = all_got_in);

/* ---- two readers wait for a writer --------------------------------------------------------------- */

static void init_writer_first(void)
{
    init(true);
    init_user(0, (struct user){.writes = false});
    init_user(1, (struct user){.writes = false});
}

static void writer_first(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        VG_WR(&guarded);
        guarded++;
        leave(true);
    }
}
MC_MODEL(rwlock_writer_first, .threads = 3, .init = init_writer_first, .thread = writer_first,
         .final = all_got_in);

/* ---- a writer that becomes a reader --------------------------------------------------------------- */

static void init_downgrade(void)
{
    init(true);
    init_user(0, (struct user){.writes = true, .downgrades = true});
    init_user(1, (struct user){.writes = false});
}
MC_MODEL(rwlock_downgrade, .threads = 3, .init = init_downgrade, .thread = writer_first,
         .final = all_got_in);

/* ---- without waiting, beside one who waits --------------------------------------------------------- */

static void init_tried(void)
{
    init(false);
    init_user(0, (struct user){.writes = true});
    init_user(1, (struct user){.writes = false});
}

static void tried(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
        return;
    }
    leave(false);
    if (vg_tryrdlock(&lock)) {
        enter(false);
        leave(false);
    }
    if (vg_trywrlock(&lock)) {
        enter(true);
        leave(true);
    }
}
MC_MODEL(rwlock_tried, .threads = 3, .init = init_tried, .thread = tried, .final = all_got_in);
