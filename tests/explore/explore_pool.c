/* SPDX-License-Identifier: MIT */
/*
 * The pool of threads for calls that block: each call is run once, or not at all and says so; no call waits while a thread
 * sleeps or may be started; and the pool closes when all have ended, whatever threads do meanwhile.
 */
#include <errno.h>
#include <string.h>

#include "pool.h"
#include "world.h"

enum { USERS = 2, SLOTS = 2, LATER = 77 };

struct user {
    struct vg_future fut;
    bool gives_up; /* when the event has happened */
    struct world_event event;
    struct vg_spawn_blocking blocking;
    int result;
    int ran; /* by the thread; read by the task */
};

static struct world_task tasks[USERS];
static struct user users[USERS];
static int users_left; /* by the model only, like the following */
static struct vg_pool *pool;

/* ---- threads: those of the model, that wait to be hired ----------------------------------------- */

struct slot {
    struct vg_os_thread *thread; /* NULL: none */
    bool busy;                   /* until it has been joined */
    struct mc_bell hired, left;
};

static struct slot slots[SLOTS];

int vg_os_thread_start(struct vg_os_thread *thread, const char *name)
{
    (void)name;
    for (unsigned i = 0; i < SLOTS; i++)
        if (!slots[i].busy) {
            slots[i].busy = true;
            slots[i].thread = thread;
            thread->handle = i;
            mc_bell_ring(&slots[i].hired);
            return 0;
        }
    return -EAGAIN;
}

int vg_os_check_stack_size(size_t size)
{
    (void)size;
    return 0;
}

void vg_os_thread_join(struct vg_os_thread *thread)
{
    mc_bell_wait(&slots[thread->handle].left);
    slots[thread->handle].busy = false;
}

static void serve(struct slot *slot)
{
    for (;;) {
        mc_bell_wait(&slot->hired);
        if (slot->thread == NULL)
            return;
        (void)slot->thread->run(slot->thread->arg);
        slot->thread = NULL;
        mc_bell_ring(&slot->left);
    }
}

static void dismiss_all(void)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        MC_ASSERT(!slots[i].busy);
        mc_bell_ring(&slots[i].hired);
    }
}

/* ---- the futex, and the clock -------------------------------------------------------------------- */

enum { SLEEPERS = SLOTS + 1 };

static struct sleeper {
    bool sleeps;
    struct mc_bell bell;
} sleepers[SLEEPERS];
static uint64_t now;

uint64_t vg_os_now(void)
{
    return now;
}

static struct sleeper *begin_sleep(void)
{
    unsigned i = 0;

    while (sleepers[i].sleeps)
        i++;
    sleepers[i].sleeps = true;
    return &sleepers[i];
}

/* What is compared with is read after the sleeper is there for all to see: as if both were one step. The kernel has full fences in
 * both calls. */
void vg_os_wait(VG_ATOMIC(uint32_t) *word, uint32_t expected, uint64_t deadline)
{
    struct sleeper *sleeper;

    if (deadline != VG_NEVER && mc_choose(2) == 1) {
        now = now > deadline ? now : deadline;
        return;
    }
    if (vg_load(word, relaxed) != expected) /* others may run before it is there */
        return;
    sleeper = begin_sleep();
    vg_fence();
    if (vg_load(word, relaxed) == expected)
        mc_bell_wait(&sleeper->bell);
    else
        (void)mc_bell_try(&sleeper->bell);
    sleeper->sleeps = false;
}

void vg_os_wake(VG_ATOMIC(uint32_t) *word, int count)
{
    (void)word;
    vg_fence();
    for (unsigned i = 0; i < SLEEPERS && count > 0; i++)
        if (sleepers[i].sleeps) {
            mc_bell_ring(&sleepers[i].bell);
            count--;
        }
}

/* ---- memory -------------------------------------------------------------------------------------- */

static char memory[1 + 2 * SLOTS][512] __attribute__((aligned(64)));
static bool used[1 + 2 * SLOTS];

static void *take(void *self, size_t size, size_t align)
{
    (void)self, (void)align;
    MC_ASSERT(size <= sizeof memory[0]);
    for (unsigned i = 0; i < 1 + 2 * SLOTS; i++)
        if (!used[i]) {
            used[i] = true;
            mc_alloc(memory[i], sizeof memory[i]);
            return memory[i];
        }
    return NULL;
}

static void give(void *self, void *p, size_t size, size_t align)
{
    (void)self, (void)size, (void)align;
    used[((char *)p - memory[0]) / (long)sizeof memory[0]] = false;
    mc_free(p, sizeof memory[0]);
}

const struct vg_alloc vg_alloc_default = {.alloc = take, .free = give};

/* ---- users --------------------------------------------------------------------------------------- */

static int call(void *arg)
{
    struct user *user = (struct user *)arg;

    VG_WR(&user->ran);
    user->ran++;
    return 5;
}

/* Nobody may touch the future any more. */
static void end(struct user *user)
{
    user->result = user->blocking.ret;
    mc_free(&user->blocking, sizeof user->blocking);
    VG_RD(&user->ran);
    MC_ASSERT(user->result == 5 || user->result == -ECANCELED || user->result == -EAGAIN);
    MC_ASSERT(user->ran == (user->result == 5));
}

static void try(struct user *user, bool happened, struct vg_cx *cx)
{
    if (user->gives_up && happened)
        vg_cancel(&user->blocking.fut, cx);
    if (vg_poll_future(&user->blocking.fut, cx).ready)
        end(user);
}

static vg_poll user_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct user *user = (struct user *)(void *)fut;
    bool happened = true;

    if (user->gives_up)
        happened = vg_poll_future(&user->event.fut, cx).ready;
    if (user->result == LATER)
        try(user, happened, cx);
    return (vg_poll){user->result != LATER && happened};
}

static const struct vg_ops user_ops = {
    .poll = user_poll, .name = "user", .size = sizeof(struct user), .kind = VG_KIND_OPAQUE};

static void init(unsigned threads_max)
{
    world_init();
    memset(slots, 0, sizeof slots);
    memset(sleepers, 0, sizeof sleepers);
    memset(used, 0, sizeof used);
    now = 1;
    users_left = 0;
    MC_ASSERT(vg_pool_open(&pool, &(struct vg_pool_config){.threads_max = threads_max}) == 0);
}

static void init_user(int i, bool gives_up)
{
    struct user *user = &users[i];

    memset(user, 0, sizeof *user);
    user->gives_up = gives_up;
    user->result = LATER;
    vg_future_init(&user->fut, &user_ops);
    vg_spawn_blocking(&user->blocking, pool, call, user);
    world_event(&user->event);
    world_spawn(&tasks[i], &user->fut);
    users_left++;
}

/* The last one closes the pool. */
static void use(int i)
{
    world_work(i, &tasks[i]);
    if (--users_left > 0)
        return;
    vg_pool_close(pool);
    dismiss_all();
}

static void all_is_given_back(void)
{
    for (unsigned i = 0; i < 1 + 2 * SLOTS; i++)
        MC_ASSERT(!used[i]);
}

/* ---- one call --------------------------------------------------------------------------------- */

static void init_one(void)
{
    init(1);
    init_user(0, false);
}

static void work_one(int id)
{
    if (id == 0)
        use(0);
    else
        serve(&slots[id - 1]);
}

static void one_has_run(void)
{
    MC_ASSERT(users[0].result == 5);
    all_is_given_back();
}
MC_MODEL(pool_one, .threads = 3, .init = init_one, .thread = work_one, .final = one_has_run);

/* ---- two calls, one thread or two --------------------------------------------------------------- */

static void init_two_share(void)
{
    init(1);
    init_user(0, false);
    init_user(1, false);
}

static void init_two(void)
{
    init(2);
    init_user(0, false);
    init_user(1, false);
}

static void work_two(int id)
{
    if (id < USERS)
        use(id);
    else
        serve(&slots[id - USERS]);
}

static void both_have_run(void)
{
    MC_ASSERT(users[0].result == 5 && users[1].result == 5);
    all_is_given_back();
}
MC_MODEL(pool_two_share, .threads = 4, .init = init_two_share, .thread = work_two,
         .final = both_have_run);
MC_MODEL(pool_two, .threads = 4, .init = init_two, .thread = work_two, .final = both_have_run);

/* ---- one gives up ------------------------------------------------------------------------------- */

static void init_gives_up(void)
{
    init(1);
    init_user(0, true);
}

static void work_gives_up(int id)
{
    if (id < 3)
        work_one(id);
    else
        world_happen(&users[0].event);
}
MC_MODEL(pool_gives_up, .threads = 4, .init = init_gives_up, .thread = work_gives_up,
         .final = all_is_given_back);
