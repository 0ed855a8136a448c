/* SPDX-License-Identifier: MIT */
#include "vg_spin.h"

#include "threads.h"

enum { THREADS = 4, ROUNDS = 50000 };

static struct vg_spin spin;
static long counter;
static VG_ATOMIC(long) refused;

TEST(a_lock_is_held_until_it_is_given_back)
{
    vg_spin_lock(&spin);
    CHECK(!vg_spin_trylock(&spin));
    vg_spin_unlock(&spin);
    CHECK(vg_spin_trylock(&spin));
    CHECK(!vg_spin_trylock(&spin));
    vg_spin_unlock(&spin);
}

static void count(int id)
{
    for (int i = 0; i < ROUNDS; i++) {
        if ((id + i) % 2)
            vg_spin_lock(&spin);
        else
            while (!vg_spin_trylock(&spin)) {
                vg_fetch_add(&refused, 1, relaxed);
                vg_os_yield();
            }
        counter++;
        if (i % 1024 == 0)
            vg_os_yield(); /* the others must get through this without us */
        vg_spin_unlock(&spin);
    }
}

TEST(one_thread_at_a_time)
{
    test_threads(THREADS, count);
    CHECK_EQ(counter, (long)THREADS * ROUNDS);
}
