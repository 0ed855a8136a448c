/* SPDX-License-Identifier: MIT */
/*
 * The program of Oxide's RFD 609: a select is left while one of its arms waits for a mutex, and the code
 * behind it locks the same mutex. Whether that deadlocks is a matter of what becomes of the arm.
 *
 *     --policy cancel   op1 leaves the queue. Order: background op2
 *     --policy keep     op1 runs while op2 waits. Order: background op1 op2
 *     --policy park     nobody polls op1, and op2 stands behind it. With --healing on the mutex passes op1
 *                       over, and that is reported: background op2 op1. With --healing off nothing
 *                       happens any more, and that is reported.
 */
#include "futurelock.h"

#include <string.h>
#include <time.h>

#include <vigil/async.h>
#include <vigil/exec.h>

#define HOLD VG_MSEC(500)     /* how long somebody else has the mutex */
#define PATIENCE VG_MSEC(100) /* how long op1 may take before op2 is tried */
#define WORK VG_MSEC(10)

static void step(struct story *story, const char *who)
{
    if (story->steps < FL_STEPS_MAX)
        story->step[story->steps++] = who;
}

/* ---- do_thing: works under the mutex ------------------------------------------------------- */

struct do_thing {
    VG_FRAME(int);
    const char *name;
    struct vg_mutex *db;
    struct story *story;
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(do_thing)
{
    VG_BEGIN(f);
    int rc;

    VG_TRY(rc, vg_lock(&f->lock, f->db));
    VG_AWAIT(rc, vg_sleep(&f->nap, WORK));
    if (rc == 0)
        step(f->story, f->name);
    vg_unlock(f->db);
    VG_RETURN(rc);
}

static struct do_thing *do_thing(struct do_thing *f, const char *name, struct vg_mutex *db,
                                 struct story *story)
{
    VG_SETUP(f, do_thing);
    f->name = name;
    f->db = db;
    f->story = story;
    return f;
}

/* ---- do_stuff: tries op1, and after a while op2 -------------------------------------------- */

struct do_stuff {
    VG_FRAME(int);
    struct vg_mutex *db;
    struct story *story;
    struct do_thing op1, op2;
    struct vg_sleep nap;
    VG_ARMS(2) sel;
};

static struct vg_arm arm_of(struct do_thing *op, enum vg_policy policy)
{
    switch (policy) {
    case VG_POLICY_KEEP:
        return VG_KEEP(op);
    case VG_POLICY_PARK:
        return VG_PARK(op);
    default:
        return VG_CANCEL(op);
    }
}

VG_ASYNC(do_stuff)
{
    VG_BEGIN(f);
    int rc;

    do_thing(&f->op1, "op1", f->db, f->story);
    VG_AWAIT(rc, VG_SELECT(f->sel, arm_of(&f->op1, f->story->options.policy),
                           VG_CANCEL(vg_sleep(&f->nap, PATIENCE))));
    if (rc == 1) {
        VG_AWAIT(rc, do_thing(&f->op2, "op2", f->db, f->story));
        f->story->op2 = rc;
    }
    VG_AWAIT(rc, &f->op1); /* a future that has ended gives its result again */
    f->story->op1 = rc;
    VG_RETURN(0);
}

static struct do_stuff *do_stuff(struct do_stuff *f, struct vg_mutex *db, struct story *story)
{
    VG_SETUP(f, do_stuff);
    f->db = db;
    f->story = story;
    return f;
}

/* ---- background: has the mutex when do_stuff comes -------------------------------------------- */

struct background {
    VG_FRAME(int);
    struct vg_mutex *db;
    struct story *story;
    struct vg_lock lock;
    struct vg_sleep nap;
};

VG_ASYNC(background)
{
    VG_BEGIN(f);
    int rc;

    VG_TRY(rc, vg_lock(&f->lock, f->db));
    rc = VG_SPAWN(vg_exec_current(), NULL, do_stuff, f->db, f->story);
    if (rc == 0)
        VG_AWAIT(rc, vg_sleep(&f->nap, HOLD));
    if (rc == 0)
        step(f->story, "background");
    vg_unlock(f->db);
    VG_RETURN(rc);
}

static struct background *background(struct background *f, struct vg_mutex *db, struct story *story)
{
    VG_SETUP(f, background);
    f->db = db;
    f->story = story;
    return f;
}

/* ---- main ---------------------------------------------------------------------------------- */

/* Waits until all tasks have ended, or the deadline has passed. */
static void watch(struct story *story, const struct vg_exec *exec)
{
    const struct timespec nap = {.tv_sec = 0, .tv_nsec = (long)VG_MSEC(2)};
    const uint64_t began = vg_now();

    do {
        nanosleep(&nap, NULL);
        story->took = vg_now() - began;
        story->hung = vg_exec_live(exec) > 0;
    } while (story->hung && story->took < VG_MSEC(story->options.deadline_ms));
}

/* What the instruments saw; taken before everything is cancelled. */
static int run(struct story *story, struct vg_liveness *live, struct vg_snapshot **snapshot)
{
    static struct vg_mutex db;
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_exec *exec;
    int rc, left;

    vg_mutex_init(&db, "db");
    config.name = "futurelock";
    config.workers = 2;
    config.probe = vg_liveness_probe(live);
    config.no_healing = !story->options.healing;
    rc = vg_exec_open(&exec, &config);
    if (rc < 0)
        return rc;
    rc = VG_SPAWN(exec, NULL, background, &db, story);
    if (rc == 0) {
        watch(story, exec);
        rc = vg_snapshot(live, snapshot);
    }
    left = vg_exec_close(exec, VG_SEC(2));
    if (left == 0)
        vg_mutex_fini(&db);
    return rc < 0 ? rc : left;
}

static int verdict(const struct story *story)
{
    unsigned healed;

    if (!story->hung)
        return FL_FINISHED;
    return fl_futurelocks(story, &healed) > healed ? FL_HUNG : FL_FAILED;
}

int main(int argc, char **argv)
{
    struct story story = {.op1 = 1, .op2 = 1};
    struct vg_liveness_config config = VG_LIVENESS_INIT;
    struct vg_snapshot *snapshot = NULL;
    struct vg_liveness *live;
    int rc = fl_args(&story.options, argc, argv);

    if (rc != 0)
        return rc < 0 ? FL_FINISHED : rc;
    config.report = fl_keep_report;
    config.arg = &story;
    rc = vg_liveness_open(&live, &config);
    if (rc == 0) {
        rc = run(&story, live, &snapshot);
        vg_liveness_close(live);
    }
    if (rc == 0) {
        fl_print(&story, stdout);
        rc = fl_write(&story, snapshot);
    }
    if (rc != 0)
        fprintf(stderr, "futurelock: %s\n", rc < 0 ? strerror(-rc) : "tasks were left behind");
    vg_snapshot_free(snapshot);
    fl_forget(&story);
    return rc != 0 ? FL_FAILED : verdict(&story);
}
