/* SPDX-License-Identifier: MIT */
#include <vigil/rwlock.h>

#include "library.h"

/* Comes at `arrive` ms, reads or writes for `hold` ms, `times` times without a pause. Gives up after `patience` ms of
 * waiting, unless that is 0. */
struct visitor {
    VG_FRAME(int);
    struct library *library;
    int who, times, rc;
    bool writes;
    uint64_t arrive, hold, patience;
    struct vg_sleep nap;
    struct vg_timeout timeout;
    union {
        struct vg_rdlock rd;
        struct vg_wrlock wr;
    } u;
};

static struct vg_future *lock_of(struct visitor *f)
{
    if (f->writes)
        return &vg_wrlock(&f->u.wr, &f->library->lock)->fut;
    return &vg_rdlock(&f->u.rd, &f->library->lock)->fut;
}

VG_ASYNC(visitor)
{
    VG_BEGIN(f);
    if (f->arrive > 0)
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->library->world.start + VG_MSEC(f->arrive)));
    for (; f->times > 0; f->times--) {
        VG_AWAIT(f->rc, vg_timeout_fut(&f->timeout, f->patience ? VG_MSEC(f->patience) : VG_NEVER,
                                       lock_of(f)));
        f->rc = f->writes ? f->u.wr.ret : f->u.rd.ret;
        if (f->rc < 0)
            VG_RETURN(f->rc);
        enter(f->library, f->writes);
        diary_note(&f->library->diary, f->who);
        if (f->hold > 0)
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->hold)));
        leave(f->library, f->writes);
    }
    VG_RETURN(0);
}

static struct visitor *visitor(struct visitor *f, struct library *library, int who, bool writes,
                               uint64_t arrive, uint64_t hold, uint64_t patience, int times)
{
    VG_SETUP(f, visitor);
    f->library = library;
    f->who = who;
    f->writes = writes;
    f->arrive = arrive;
    f->hold = hold;
    f->patience = patience;
    f->times = times;
    return f;
}

#define READER(library, who, arrive, hold)                                                         \
    LIBRARY_ADD(library, visitor, who, false, arrive, hold, 0, 1)
#define WRITER(library, who, arrive, hold)                                                         \
    LIBRARY_ADD(library, visitor, who, true, arrive, hold, 0, 1)

/* ---- order --------------------------------------------------------------------------------- */

TEST(readers_share_and_a_writer_is_alone)
{
    FOR_SEEDS (seed, 100) {
        struct library l;
        library_open(&l, seed, true);
        READER(&l, 0, 1, 20);
        READER(&l, 1, 2, 20);
        WRITER(&l, 2, 3, 10);
        WRITER(&l, 3, 4, 10);
        CHECK_EQ(library_run(&l), 0);
        CHECK_DIARY(&l.diary, 0, 0, 1);
        CHECK_DIARY(&l.diary, 1, 1, 2);
        CHECK_DIARY(&l.diary, 2, 2, 22);
        CHECK_DIARY(&l.diary, 3, 3, 32);
        library_close(&l);
    }
}

/* Two readers whose visits overlap for ever. */
TEST(readers_do_not_starve_a_writer)
{
    FOR_SEEDS (seed, 100) {
        struct library l;
        unsigned met = 0;
        library_open(&l, seed, true);
        LIBRARY_ADD(&l, visitor, 0, false, 1, 10, 0, 10);
        LIBRARY_ADD(&l, visitor, 1, false, 6, 10, 0, 10);
        WRITER(&l, 2, 23, 5);
        CHECK_EQ(library_run(&l), 0);
        for (unsigned i = 0; i < l.diary.count; i++)
            if (l.diary.entry[i].who == 2) {
                CHECK_EQ(l.diary.entry[i].ms, 31); /* the readers inside at 23 leave at 26 and 31 */
                met++;
            }
        CHECK_EQ(met, 1);
        library_close(&l);
    }
}

TEST(writers_do_not_starve_readers_who_get_in_together)
{
    FOR_SEEDS (seed, 100) {
        struct library l;
        unsigned met = 0;
        library_open(&l, seed, true);
        LIBRARY_ADD(&l, visitor, 0, true, 1, 10, 0, 10);
        LIBRARY_ADD(&l, visitor, 1, true, 2, 10, 0, 10);
        for (int i = 2; i < 6; i++)
            READER(&l, i, 15, 5);
        CHECK_EQ(library_run(&l), 0);
        for (unsigned i = 0; i < l.diary.count; i++)
            if (l.diary.entry[i].who >= 2) {
                CHECK_EQ(l.diary.entry[i].ms, 31); /* two writers before them: from 11, from 21 */
                met++;
            }
        CHECK_EQ(met, 4);
        library_close(&l);
    }
}

TEST(a_writer_that_gives_up_lets_the_readers_behind_it_in)
{
    FOR_SEEDS (seed, 100) {
        struct library l;
        library_open(&l, seed, true);
        READER(&l, 0, 1, 100);
        LIBRARY_ADD(&l, visitor, 1, true, 2, 1, 20, 1);
        READER(&l, 2, 10, 1);
        READER(&l, 3, 11, 1);
        CHECK_EQ(library_run(&l), 0);
        CHECK_EQ(VG_TASK_RET(&l.handle[1], struct visitor), -ECANCELED);
        CHECK_EQ(l.diary.entry[1].ms, 22);
        CHECK_EQ(l.diary.entry[2].ms, 22);
        library_close(&l);
    }
}

/* ---- downgrading ---------------------------------------------------------------------------- */

struct editor {
    VG_FRAME(int);
    struct library *library;
    struct vg_wrlock wrlock;
    struct vg_sleep nap;
};

VG_ASYNC(editor)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_wrlock(&f->wrlock, &f->library->lock));
    enter(f->library, true);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
    f->library->writers--;
    f->library->readers++;
    vg_downgrade(&f->library->lock);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
    leave(f->library, false);
    VG_RETURN(0);
}

static struct editor *editor(struct editor *f, struct library *library, int unused)
{
    (void)unused;
    VG_SETUP(f, editor);
    f->library = library;
    return f;
}

TEST(a_writer_that_becomes_a_reader_lets_other_readers_in_and_no_writer)
{
    FOR_SEEDS (seed, 100) {
        struct library l;
        library_open(&l, seed, true);
        LIBRARY_ADD(&l, editor, 0);
        READER(&l, 1, 1, 1);
        READER(&l, 2, 2, 1);
        WRITER(&l, 3, 3, 1);
        READER(&l, 4, 4, 1);
        CHECK_EQ(library_run(&l), 0);
        CHECK_EQ(l.diary.entry[0].ms, 10);
        CHECK_EQ(l.diary.entry[1].ms, 10);
        CHECK_DIARY(&l.diary, 2, 3, 20);
        CHECK_DIARY(&l.diary, 3, 4, 21);
        library_close(&l);
    }
}

/* ---- passed over --------------------------------------------------------------------------- */

/* Asks to write, parks that, comes back at 50. */
struct parker {
    VG_FRAME(int);
    struct library *library;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
    struct vg_wrlock wrlock;
};

VG_ASYNC(parker)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->library->world.start + VG_MSEC(2)));
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(vg_wrlock(&f->wrlock, &f->library->lock)),
                              VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(1)))));
    VG_AWAIT(f->rc, vg_sleep_until(&f->nap, f->library->world.start + VG_MSEC(50)));
    VG_AWAIT(f->rc, &f->wrlock);
    enter(f->library, true);
    diary_note(&f->library->diary, 9);
    leave(f->library, true);
    VG_RETURN(0);
}

static struct parker *parker(struct parker *f, struct library *library, int unused)
{
    (void)unused;
    VG_SETUP(f, parker);
    f->library = library;
    return f;
}

TEST(a_writer_that_is_passed_over_does_not_hold_back_readers)
{
    FOR_SEEDS (seed, 100) {
        struct library l;
        library_open(&l, seed, true);
        READER(&l, 0, 1, 9);
        LIBRARY_ADD(&l, parker, 0);
        READER(&l, 1, 5, 20);
        READER(&l, 2, 6, 60);
        CHECK_EQ(library_run(&l), 0);
        CHECK_EQ(l.diary.entry[1].ms, 10);
        CHECK_EQ(l.diary.entry[2].ms, 10);
        CHECK_DIARY(&l.diary, 3, 9, 70);
        library_close(&l);
    }
}

/* ---- without waiting, and misuse -------------------------------------------------------------- */

TEST(to_try_is_to_share_or_to_be_alone)
{
    static struct vg_rwlock l = VG_RWLOCK_INIT_NAMED("static");

    CHECK_STR(l.permits.resource.name, "static");
    CHECK(vg_tryrdlock(&l));
    CHECK(vg_tryrdlock(&l));
    CHECK(!vg_trywrlock(&l));
    vg_rdunlock(&l);
    vg_rdunlock(&l);
    CHECK(vg_trywrlock(&l));
    CHECK(!vg_trywrlock(&l));
    CHECK(!vg_tryrdlock(&l));
    vg_downgrade(&l);
    CHECK(vg_tryrdlock(&l));
    CHECK(!vg_trywrlock(&l));
    vg_rdunlock(&l);
    vg_rdunlock(&l);
    vg_rwlock_fini(&l);
}

TEST(to_try_to_read_fails_behind_a_writer_that_waits)
{
    struct library l;

    library_open(&l, 1, true);
    CHECK(vg_tryrdlock(&l.lock));
    WRITER(&l, 0, 0, 0);
    CHECK_EQ(library_run(&l), -EDEADLK);
    CHECK(!vg_tryrdlock(&l.lock));
    CHECK_PANICS("1 futures wait for rwlock library", vg_rwlock_fini(&l.lock));
    vg_rdunlock(&l.lock);
    CHECK_PANICS("no writer has rwlock library", vg_wrunlock(&l.lock)); /* granted, not taken */
    CHECK_EQ(library_run(&l), 0);
    library_close(&l);
}

TEST(misuse_panics_by_name)
{
    struct vg_rwlock l;

    vg_rwlock_init(&l, "routes");
    CHECK_STR(l.permits.resource.place->func, __func__);
    CHECK_PANICS("no reader has rwlock routes", vg_rdunlock(&l));
    CHECK_PANICS("no writer has rwlock routes", vg_wrunlock(&l));
    CHECK_PANICS("no writer has rwlock routes", vg_downgrade(&l));
    CHECK(vg_tryrdlock(&l));
    CHECK_PANICS("no writer has rwlock routes", vg_wrunlock(&l));
    CHECK_PANICS("no writer has rwlock routes", vg_downgrade(&l));
    CHECK_PANICS("rwlock routes is held by 1 readers", vg_rwlock_fini(&l));
    vg_rdunlock(&l);
    CHECK(vg_trywrlock(&l));
    CHECK_PANICS("no reader has rwlock routes", vg_rdunlock(&l));
    CHECK_PANICS("rwlock routes is held by a writer", vg_rwlock_fini(&l));
    vg_wrunlock(&l);
    vg_rwlock_fini(&l);
}
