/* SPDX-License-Identifier: MIT */
/*
 * The explorer against programs with races, uses of freed memory, and threads that wait for ever; and
 * against correct ones that look much the same.
 */
#include "vg_atomic.h"
#include "vg_spin.h"

static VG_ATOMIC(int) x, y;
static int data;
static struct vg_spin lock_a, lock_b;
static struct mc_bell bell;

static void init(void)
{
    vg_store(&x, 0, relaxed);
    vg_store(&y, 0, relaxed);
    data = 0;
}

static void two_readers(int id)
{
    (void)id;
    VG_RD(&data);
}
MC_MODEL(two_readers, .threads = 2, .init = init, .thread = two_readers);

static void write_after_read(int id)
{
    if (id == 0)
        VG_RD(&data);
    else
        VG_WR(&data);
}
MC_MODEL(write_after_read, .threads = 2, .init = init, .thread = write_after_read,
         .expect = MC_RACE);

static void locked_counter(int id)
{
    (void)id;
    vg_spin_lock(&lock_a);
    VG_RD(&data);
    VG_WR(&data);
    data++;
    vg_spin_unlock(&lock_a);
}

static void counted(void)
{
    MC_ASSERT(data == 3);
}
MC_MODEL(locked_counter, .threads = 3, .init = init, .thread = locked_counter, .final = counted);

static void trylock_does_not_wait(int id)
{
    if (!vg_spin_trylock(&lock_a)) {
        vg_fetch_add(&x, 1, relaxed);
        return;
    }
    VG_WR(&data);
    data = id;
    vg_spin_unlock(&lock_a);
}

static void somebody_was_refused(void)
{
    MC_ASSERT(vg_load(&x, relaxed) == 0);
}
MC_MODEL(trylock_does_not_wait, .threads = 2, .init = init, .thread = trylock_does_not_wait,
         .final = somebody_was_refused, .expect = MC_ASSERTION);

static void locks_crossed(int id)
{
    vg_spin_lock(id ? &lock_a : &lock_b);
    vg_spin_lock(id ? &lock_b : &lock_a);
    vg_spin_unlock(&lock_a);
    vg_spin_unlock(&lock_b);
}
MC_MODEL(locks_crossed, .threads = 2, .init = init, .thread = locks_crossed, .expect = MC_DEADLOCK);

static void free_after_hand_back(int id)
{
    if (id == 0) {
        vg_store(&x, 1, relaxed);
        vg_store(&y, 1, release);
    } else if (vg_load(&y, acquire)) {
        mc_free(&x, sizeof x);
    }
}
MC_MODEL(free_after_hand_back, .threads = 2, .init = init, .thread = free_after_hand_back);

static void free_without_hand_back(int id)
{
    if (id == 0) {
        vg_store(&y, 1, release);
        vg_store(&x, 1, relaxed);
    } else if (vg_load(&y, acquire)) {
        mc_free(&x, sizeof x);
    }
}
MC_MODEL(free_without_hand_back, .threads = 2, .init = init, .thread = free_without_hand_back,
         .expect = MC_FREED);

/* The last access is a read that tells nobody: the one who frees cannot know that it has happened. */
static void free_under_reader(int id)
{
    if (id == 0) {
        if (vg_load(&x, relaxed) == 0)
            vg_store(&y, 1, relaxed);
    } else if (vg_load(&y, acquire)) {
        mc_free(&x, sizeof x);
    }
}
MC_MODEL(free_under_reader, .threads = 2, .init = init, .thread = free_under_reader,
         .expect = MC_FREED);

static void lock_freed_by_next_owner(int id)
{
    (void)id;
    vg_spin_lock(&lock_a);
    if (++data == 2) {
        vg_spin_unlock(&lock_a);
        mc_free(&lock_a, sizeof lock_a);
        return;
    }
    vg_spin_unlock(&lock_a);
}
MC_MODEL(lock_freed_by_next_owner, .threads = 2, .init = init, .thread = lock_freed_by_next_owner);

static void bell_hands_over(int id)
{
    if (id == 0) {
        VG_WR(&data);
        data = 7;
        mc_bell_ring(&bell);
    } else {
        mc_bell_wait(&bell);
        VG_RD(&data);
        MC_ASSERT(data == 7);
    }
}
MC_MODEL(bell_hands_over, .threads = 2, .init = init, .thread = bell_hands_over);

static void bell_never_rung(int id)
{
    if (id == 0 && vg_load(&x, relaxed) == 0)
        mc_bell_wait(&bell);
    else
        vg_store(&x, 1, relaxed);
}
MC_MODEL(bell_never_rung, .threads = 2, .init = init, .thread = bell_never_rung,
         .expect = MC_LOST_WAKE);

static void spinning_ends(int id)
{
    if (id == 0)
        vg_store(&x, 1, release);
    else
        while (!vg_load(&x, acquire))
            vg_pause();
}
MC_MODEL(spinning_ends, .threads = 2, .init = init, .thread = spinning_ends);

static void panics_are_failures(int id)
{
    VG_ASSERT(id == 0);
}
MC_MODEL(panics_are_failures, .threads = 2, .init = init, .thread = panics_are_failures,
         .expect = MC_ASSERTION);
