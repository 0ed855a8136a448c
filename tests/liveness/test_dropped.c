/* SPDX-License-Identifier: MIT */
#include "lab.h"

/* Children that are cancelled and do not end, and others that pause because they may. */

enum { SEEDS = 20 };

/* ---- cancel-stalled ------------------------------------------------------------------------- */

/* Says goodbye when it is cancelled, which takes its time. */
struct polite {
    VG_FRAME(int);
    uint64_t goodbye; /* ms; 0: for a lock that somebody has */
    struct vg_mutex *mutex;
    struct vg_sleep nap;
    struct vg_lock lock;
};

static int goodbye_line;

VG_ASYNC(polite)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_SEC(60)));
    if (f->goodbye > 0) {
        VG_AWAIT_SHIELDED(f->ret, vg_sleep(&f->nap, VG_MSEC(f->goodbye)));
    } else {
        goodbye_line = __LINE__ + 1;
        VG_AWAIT_SHIELDED(f->ret, vg_lock(&f->lock, f->mutex));
        vg_unlock(f->mutex);
    }
    VG_RETURN(0);
}

static struct polite *polite(struct polite *f, uint64_t goodbye, struct vg_mutex *mutex)
{
    VG_SETUP(f, polite);
    f->goodbye = goodbye;
    f->mutex = mutex;
    return f;
}

enum how { BY_TIMEOUT, BY_SELECT, BY_HAND };

struct impatient {
    VG_FRAME(int);
    enum how how;
    uint64_t goodbye;
    struct vg_mutex *mutex;
    struct polite polite;
    struct vg_timeout timeout;
    VG_ARMS(2) sel;
    struct vg_sleep nap;
};

static int impatient_line[3];

VG_ASYNC(impatient)
{
    VG_BEGIN(f);
    polite(&f->polite, f->goodbye, f->mutex);
    if (f->how == BY_TIMEOUT) {
        impatient_line[BY_TIMEOUT] = __LINE__ + 1;
        VG_AWAIT(f->ret, vg_timeout(&f->timeout, VG_MSEC(10), &f->polite));
    } else if (f->how == BY_SELECT) {
        vg_sleep(&f->nap, VG_MSEC(10));
        impatient_line[BY_SELECT] = __LINE__ + 1;
        VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_CANCEL(&f->polite), VG_CANCEL(&f->nap)));
    } else {
        vg_sleep(&f->nap, VG_MSEC(10));
        VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_KEEP(&f->polite), VG_CANCEL(&f->nap)));
        impatient_line[BY_HAND] = __LINE__ + 1;
        VG_AWAIT_CANCEL(f->ret, &f->polite);
    }
    VG_RETURN(0);
}

static void play(struct lab *lab, enum how how, uint64_t goodbye)
{
    static struct impatient f;

    CHECK_EQ(VG_SPAWN(lab->exec, NULL, holder, lab, &lab->mutex, 0, 500), 0);
    VG_SETUP(&f, impatient);
    f.how = how;
    f.goodbye = goodbye;
    f.mutex = &lab->mutex;
    CHECK_EQ(lab_run(lab, &f.fut), 0);
    CHECK_EQ(sim_run(&lab->sim, lab->exec, lab_is_empty, lab, VG_SEC(2)), 0);
}

TEST(a_cancelled_child_that_does_not_end_is_reported_and_so_is_its_end)
{
    FOR_SEEDS (seed, SEEDS)
        for (enum how how = BY_TIMEOUT; how <= BY_HAND; how++) {
            const struct lab_report *seen;
            struct lab lab;

            lab_open(&lab, seed, true);
            play(&lab, how, 0);
            seen = lab_only(&lab, VG_VERDICT_CANCEL_STALLED);
            CHECK(seen->ms >= 110 && seen->ms <= 135);
            CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
            CHECK_STR(seen->text, "cancelled polite in impatient at ");
            CHECK_STR(seen->text, "waits     in vg_lock in polite at ");
            CHECK_STR(seen->text, "for mutex \"L\"");
            CHECK_EQ(seen->report.starved.site->line, impatient_line[how]);
            CHECK_EQ(seen->report.blocked.site->line, goodbye_line);
            CHECK_EQ(lab.ends, 1);
            lab_close(&lab);
        }
}

TEST(a_short_goodbye_is_not_reported)
{
    FOR_SEEDS (seed, SEEDS)
        for (enum how how = BY_TIMEOUT; how <= BY_HAND; how++) {
            struct lab lab;

            lab_open(&lab, seed, true);
            play(&lab, how, 80);
            lab_silent(&lab);
            lab_close(&lab);
        }
}

/* ---- VG_MAY_PAUSE ----------------------------------------------------------------------------- */

/* Has a child whose event comes while it does something else for a second. */
struct pausing {
    VG_FRAME(int);
    bool may;
    struct vg_mutex *mutex; /* that the child waits for; NULL: a timer */
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep tick, nap, long_nap;
    struct vg_lock lock;
};

static struct vg_arm paused(struct pausing *f)
{
    if (f->mutex != NULL)
        return VG_MAY_PAUSE(&f->lock);
    return f->may ? VG_MAY_PAUSE(&f->tick) : VG_PARK(&f->tick);
}

VG_ASYNC(pausing)
{
    VG_BEGIN(f);
    vg_sleep(&f->tick, VG_MSEC(50));
    if (f->mutex != NULL)
        vg_lock(&f->lock, f->mutex);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, paused(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, vg_sleep(&f->long_nap, VG_SEC(1)));
    if (f->mutex != NULL) {
        VG_AWAIT(f->ret, &f->lock);
        vg_unlock(f->mutex);
    } else {
        VG_AWAIT(f->ret, &f->tick);
    }
    VG_RETURN(0);
}

struct giver {
    VG_FRAME(int);
    struct lab *lab;
    struct vg_sleep nap;
};

VG_ASYNC(giver)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(500)));
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static struct giver *giver(struct giver *f, struct lab *lab)
{
    VG_SETUP(f, giver);
    f->lab = lab;
    return f;
}

static void play_pause(struct lab *lab, bool may, struct vg_mutex *mutex)
{
    static struct pausing f;

    VG_SETUP(&f, pausing);
    f.may = may;
    f.mutex = mutex;
    CHECK_EQ(lab_run(lab, &f.fut), 0);
}

TEST(a_child_that_may_pause_is_not_snoozed)
{
    FOR_SEEDS (seed, SEEDS) {
        struct lab lab;

        lab_open(&lab, seed, true);
        play_pause(&lab, true, NULL);
        lab_silent(&lab);
        lab_close(&lab);

        lab_open(&lab, seed, true);
        play_pause(&lab, false, NULL);
        (void)lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        lab_close(&lab);
    }
}

TEST(who_may_pause_may_not_keep_what_others_want)
{
    FOR_SEEDS (seed, SEEDS) {
        struct lab lab;

        lab_open(&lab, seed, false);
        CHECK(vg_trylock(&lab.mutex));
        CHECK_EQ(VG_SPAWN(lab.exec, NULL, giver, &lab), 0);
        play_pause(&lab, true, &lab.mutex);
        /* At 500 it is handed to the child, which nobody polls before 1010. */
        CHECK_EQ(lab.count, 1);
        CHECK(lab.seen[0].report.granted);
        CHECK_EQ(lab.seen[0].ms, 600);
        lab_close(&lab);
    }
}

/* ---- where what was cancelled had got to ------------------------------------------------------- */

/* Races a function that waits in its second await against a timer, ten times; then lets it win twice. */
struct racer {
    VG_FRAME(int);
    int i;
    VG_ARMS(2) sel;
    struct polite polite;
    struct vg_sleep nap;
};

VG_ASYNC(racer)
{
    VG_BEGIN(f);
    for (f->i = 0; f->i < 12; f->i++) {
        polite(&f->polite, 1, NULL);
        vg_sleep(&f->nap, f->i < 10 ? VG_MSEC(10) : VG_SEC(100));
        VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_CANCEL(&f->polite), VG_CANCEL(&f->nap)));
    }
    VG_RETURN(0);
}

static const struct vg_snapshot_row *row_of(const struct vg_snapshot *snapshot, const char *func,
                                            enum vg_node node)
{
    for (unsigned i = 0; i < snapshot->rows; i++) {
        const struct vg_snapshot_row *row = &snapshot->row[i];

        if (row->node == node && row->site != NULL && strstr(row->site->func, func) != NULL &&
            strstr(row->site->expr, "VG_SEC(60)") != NULL)
            return row;
    }
    FAIL("no row of %s", func);
}

TEST(cancelled_futures_are_counted_where_they_waited)
{
    static struct racer f;
    struct vg_snapshot *snapshot;
    struct lab lab;

    lab_open(&lab, 3, true);
    VG_SETUP(&f, racer);
    CHECK_EQ(lab_run(&lab, &f.fut), 0);
    CHECK_EQ(vg_snapshot(lab.live, &snapshot), 0);
    CHECK_EQ(row_of(snapshot, "polite", VG_NODE_CHILD)->cancelled, 10);
    CHECK_EQ(row_of(snapshot, "polite", VG_NODE_CHILD)->count, 2);
    vg_snapshot_free(snapshot);
    lab_close(&lab);
}
