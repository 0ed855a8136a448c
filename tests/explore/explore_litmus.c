/* SPDX-License-Identifier: MIT */
/*
 * The explorer against programs whose possible outcomes are known. Each model asserts that one outcome
 * does not happen; `expect` says whether the memory model allows it, and so must be seen, or forbids it.
 */
#include "vg_atomic.h"

static VG_ATOMIC(int) x, y, z;
static int data;
static int r[8];

static void init(void)
{
    vg_store(&x, 0, relaxed);
    vg_store(&y, 0, relaxed);
    vg_store(&z, 0, relaxed);
    data = 0;
    for (int i = 0; i < 8; i++)
        r[i] = -1;
}

/* ---- store buffering: both threads write, then read what the other writes ---------------------- */

static void sb_relaxed(int id)
{
    vg_store(id ? &y : &x, 1, release);
    r[id] = vg_load(id ? &x : &y, acquire);
}

static void sb_fenced(int id)
{
    vg_store(id ? &y : &x, 1, relaxed);
    vg_fence();
    r[id] = vg_load(id ? &x : &y, relaxed);
}

static void sb_half_fenced(int id)
{
    vg_store(id ? &y : &x, 1, relaxed);
    if (id)
        vg_fence();
    r[id] = vg_load(id ? &x : &y, relaxed);
}

static void sb_weak_fences(int id)
{
    vg_store(id ? &y : &x, 1, relaxed);
    mc_fence(mc_acq_rel, MC_SITE("fence"));
    r[id] = vg_load(id ? &x : &y, relaxed);
}

static void sb_seq_cst(int id)
{
    vg_store(id ? &y : &x, 1, seq_cst);
    r[id] = vg_load(id ? &x : &y, seq_cst);
}

static void sb_updates(int id)
{
    vg_fetch_add(id ? &y : &x, 1, acq_rel);
    r[id] = vg_load(id ? &x : &y, acquire);
}

static void not_both_zero(void)
{
    MC_ASSERT(r[0] == 1 || r[1] == 1);
}

#define SB(name, kind)                                                                             \
    MC_MODEL(name, .threads = 2, .init = init, .thread = name, .final = not_both_zero,             \
             .expect = kind)
SB(sb_relaxed, MC_ASSERTION);
SB(sb_fenced, MC_OK);
SB(sb_half_fenced, MC_ASSERTION);
SB(sb_weak_fences, MC_ASSERTION);
SB(sb_seq_cst, MC_OK);
SB(sb_updates, MC_ASSERTION);

/* ---- message passing -------------------------------------------------------------------------- */

#define MP(name, write, read, kind)                                                                \
    static void name(int id)                                                                       \
    {                                                                                              \
        if (id == 0) {                                                                             \
            VG_WR(&data);                                                                          \
            data = 1;                                                                              \
            write;                                                                                 \
        } else if (read == 1) {                                                                    \
            VG_RD(&data);                                                                          \
            MC_ASSERT(data == 1);                                                                  \
        }                                                                                          \
    }                                                                                              \
    MC_MODEL(name, .threads = 2, .init = init, .thread = name, .expect = kind)

static int load_then_fence(void)
{
    int value = vg_load(&x, relaxed);

    mc_fence(mc_acquire, MC_SITE("fence"));
    return value;
}

MP(mp_release_acquire, vg_store(&x, 1, release), vg_load(&x, acquire), MC_OK);
MP(mp_relaxed_store, vg_store(&x, 1, relaxed), vg_load(&x, acquire), MC_RACE);
MP(mp_relaxed_load, vg_store(&x, 1, release), vg_load(&x, relaxed), MC_RACE);
MP(mp_fences, (mc_fence(mc_release, MC_SITE("fence")), vg_store(&x, 1, relaxed)), load_then_fence(),
   MC_OK);
MP(mp_fence_too_late, (vg_store(&x, 1, relaxed), vg_fence()), load_then_fence(), MC_RACE);
MP(mp_release_update, (void)vg_fetch_add(&x, 1, release), vg_load(&x, acquire), MC_OK);
/* Full fences order stores and loads of atomics; by themselves they hand nothing over. */
MP(mp_fence_is_no_hand_over, (vg_fence(), vg_store(&x, 1, relaxed)),
   (vg_fence(), vg_load(&x, relaxed)), MC_RACE);

static void mp_atomics(int id)
{
    if (id == 0) {
        vg_store(&y, 1, relaxed);
        vg_store(&x, 1, release);
    } else if (vg_load(&x, acquire)) {
        MC_ASSERT(vg_load(&y, relaxed) == 1);
    }
}
MC_MODEL(mp_atomics, .threads = 2, .init = init, .thread = mp_atomics);

static void mp_atomics_relaxed(int id)
{
    if (id == 0) {
        vg_store(&y, 1, relaxed);
        vg_store(&x, 1, relaxed);
    } else if (vg_load(&x, acquire)) {
        MC_ASSERT(vg_load(&y, relaxed) == 1);
    }
}
MC_MODEL(mp_atomics_relaxed, .threads = 2, .init = init, .thread = mp_atomics_relaxed,
         .expect = MC_ASSERTION);

/* ---- coherence -------------------------------------------------------------------------------- */

static void coherence(int id)
{
    if (id == 0) {
        vg_store(&x, 1, relaxed);
        vg_store(&x, 2, relaxed);
    } else {
        int first = vg_load(&x, relaxed), second = vg_load(&x, relaxed);
        MC_ASSERT(first <= second);
    }
}
MC_MODEL(coherence, .threads = 2, .init = init, .thread = coherence);

static void iriw(int id, bool strong)
{
    if (id < 2) {
        VG_ATOMIC(int) *mine = id ? &y : &x;
        if (strong)
            vg_store(mine, 1, seq_cst);
        else
            vg_store(mine, 1, release);
    } else {
        VG_ATOMIC(int) *first = id == 2 ? &x : &y, *second = id == 2 ? &y : &x;
        r[2 * id - 4] = strong ? vg_load(first, seq_cst) : vg_load(first, acquire);
        r[2 * id - 3] = strong ? vg_load(second, seq_cst) : vg_load(second, acquire);
    }
}

static void iriw_acquire(int id)
{
    iriw(id, false);
}

static void iriw_seq_cst(int id)
{
    iriw(id, true);
}

static void readers_agree(void)
{
    MC_ASSERT(!(r[0] == 1 && r[1] == 0 && r[2] == 1 && r[3] == 0));
}
MC_MODEL(iriw_acquire, .threads = 4, .init = init, .thread = iriw_acquire, .final = readers_agree,
         .expect = MC_ASSERTION);
MC_MODEL(iriw_seq_cst, .threads = 4, .init = init, .thread = iriw_seq_cst, .final = readers_agree);

static void updates_are_atomic(int id)
{
    (void)id;
    vg_fetch_add(&x, 1, relaxed);
}

static void nothing_lost(void)
{
    MC_ASSERT(vg_load(&x, relaxed) == 3);
}
MC_MODEL(updates_are_atomic, .threads = 3, .init = init, .thread = updates_are_atomic,
         .final = nothing_lost);

static void load_and_store_is_not_atomic(int id)
{
    (void)id;
    vg_store(&x, vg_load(&x, relaxed) + 1, relaxed);
}
MC_MODEL(load_and_store_is_not_atomic, .threads = 3, .init = init,
         .thread = load_and_store_is_not_atomic, .final = nothing_lost, .expect = MC_ASSERTION);

static void cas_has_one_winner(int id)
{
    int seen = 0;

    if (vg_cas(&x, &seen, id + 1, acq_rel, acquire))
        vg_fetch_add(&y, 1, relaxed);
    else
        MC_ASSERT(seen != 0 && seen != id + 1);
}

static void one_winner(void)
{
    MC_ASSERT(vg_load(&y, relaxed) == 1);
}
MC_MODEL(cas_has_one_winner, .threads = 3, .init = init, .thread = cas_has_one_winner,
         .final = one_winner);

/* ---- release sequences ------------------------------------------------------------------------ */

/* The head's own later store: continues the sequence in C11 only (run with --c11 by the driver). */
static void sequence_own_store(int id)
{
    if (id == 0) {
        VG_WR(&data);
        vg_store(&x, 1, release);
        vg_store(&x, 2, relaxed);
    } else if (vg_load(&x, acquire) == 2) {
        VG_RD(&data);
    }
}
MC_MODEL(sequence_own_store, .threads = 2, .init = init, .thread = sequence_own_store,
         .expect = MC_RACE);

/* Another thread's read-modify-write: continues it in both. */
static void sequence_update(int id)
{
    if (id == 0) {
        VG_WR(&data);
        vg_store(&x, 1, release);
    } else if (id == 1) {
        int one = 1;
        vg_cas(&x, &one, 2, relaxed, relaxed);
    } else if (vg_load(&x, acquire) == 2) {
        VG_RD(&data);
    }
}
MC_MODEL(sequence_update, .threads = 3, .init = init, .thread = sequence_update);

/* Another thread's plain store: breaks it in both. */
static void sequence_foreign_store(int id)
{
    if (id == 0) {
        VG_WR(&data);
        vg_store(&x, 1, release);
    } else if (id == 1) {
        if (vg_load(&x, relaxed) == 1)
            vg_store(&x, 2, relaxed);
    } else if (vg_load(&x, acquire) == 2) {
        VG_RD(&data);
    }
}
MC_MODEL(sequence_foreign_store, .threads = 3, .init = init, .thread = sequence_foreign_store,
         .expect = MC_RACE);

/* Knowledge is handed on by a thread in the middle. */
static void causality(int id)
{
    if (id == 0) {
        VG_WR(&data);
        vg_store(&x, 1, release);
    } else if (id == 1) {
        if (vg_load(&x, acquire))
            vg_store(&y, 1, release);
    } else if (vg_load(&y, acquire)) {
        MC_ASSERT(vg_load(&x, relaxed) == 1);
        VG_RD(&data);
    }
}
MC_MODEL(causality, .threads = 3, .init = init, .thread = causality);

/* ---- what the explorer cannot show, pinned so that a change of that is noticed ------------------- */

static void load_buffering(int id)
{
    r[id] = vg_load(id ? &x : &y, relaxed);
    vg_store(id ? &y : &x, 1, relaxed);
}

static void not_both_one(void)
{
    MC_ASSERT(!(r[0] == 1 && r[1] == 1));
}
MC_MODEL(load_buffering_is_not_seen, .threads = 2, .init = init, .thread = load_buffering,
         .final = not_both_one);
