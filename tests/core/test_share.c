/* SPDX-License-Identifier: MIT */
#include "rig.h"
#include "worker.h"

/* Which of what a poll queues is left to its own worker, and what others are called for or come for. */

struct nothing {
    VG_FRAME(int);
};

VG_ASYNC(nothing)
{
    VG_BEGIN(f);
    VG_RETURN(0);
}

static struct nothing *nothing(struct nothing *f)
{
    VG_SETUP(f, nothing);
    return f;
}

enum { CHILDREN_MAX = 2 };

/* Spawns tasks, and says whether another worker was called meanwhile. */
struct parent {
    VG_FRAME(bool);
    struct rig *rig;
    unsigned detached, children, i;
    int rc;
    struct vg_handle child[CHILDREN_MAX];
    struct vg_task_wait wait;
};

/* And has not been called. */
static bool other_sleeps(struct rig *rig)
{
    return vg_idle_may_park(&rig->exec->idle, 1 - vg_worker_here->index);
}

VG_ASYNC(parent)
{
    VG_BEGIN(f);
    CHECK(other_sleeps(f->rig));
    for (f->i = 0; f->i < f->detached; f->i++)
        CHECK_EQ(VG_SPAWN(f->rig->exec, NULL, nothing), 0);
    for (f->i = 0; f->i < f->children; f->i++)
        CHECK_EQ(VG_SPAWN(f->rig->exec, &f->child[f->i], nothing), 0);
    f->ret = !other_sleeps(f->rig);
    while (f->i > 0) {
        f->i--;
        VG_AWAIT(f->rc, vg_task_wait(&f->wait, &f->child[f->i]));
        vg_task_release(&f->child[f->i]);
    }
    VG_RETURN(f->ret);
}

static struct parent *parent(struct parent *f, struct rig *rig, unsigned detached,
                             unsigned children)
{
    VG_SETUP(f, parent);
    f->rig = rig;
    f->detached = detached;
    f->children = children;
    return f;
}

static void ignore(struct vg_probe *probe, unsigned worker, const struct vg_visit *visit)
{
    (void)probe, (void)worker, (void)visit;
}

static unsigned called_first(struct rig *rig)
{
    return vg_idle_may_park(&rig->exec->idle, 0);
}

/* Two workers sleep; one is called from outside, for the parent. Whether it calls the other. */
static bool calls_other(bool observed, unsigned detached, unsigned children)
{
    struct vg_probe probe = {.visited = ignore};
    struct rig rig;
    bool called;

    rig_open_config(&rig, 2, observed ? &probe : NULL, true);
    rig_run(&rig);
    CHECK_EQ(VG_SPAWN(rig.exec, &rig.task[rig.tasks++], parent, &rig, detached, children), 0);
    CHECK_EQ(vg_exec_step(rig.exec, called_first(&rig)), VG_STEP_RAN);
    rig_run(&rig);
    called = RIG_RET(&rig, 0, struct parent);
    rig_close(&rig);
    return called;
}

TEST(nobody_is_called_for_a_task_that_its_worker_runs_next)
{
    CHECK(!calls_other(true, 1, 0));
    CHECK(!calls_other(true, 0, 1));
}

TEST(others_are_called_for_what_it_does_not_run_next)
{
    CHECK(calls_other(true, 2, 0));
    CHECK(calls_other(true, 0, 2));
    CHECK(calls_other(true, 1, 1));
}

TEST(without_an_observer_they_are_called_for_everything)
{
    CHECK(calls_other(false, 1, 0));
    CHECK(calls_other(false, 0, 1));
}

/* ---- what is worth stealing ------------------------------------------------------------------ */

TEST(tiny_tasks_are_worth_stealing_if_there_are_many_of_them)
{
    struct rig rig;
    static struct vg_task tasks[21];
    struct vg_worker *worker;

    rig_open_config(&rig, 2, NULL, true);
    worker = &rig.exec->workers[0];
    vg_store(&worker->pulse.step_ns, VG_STEAL_NS / 20, relaxed);
    for (unsigned i = 0; i < 20; i++) {
        CHECK(!vg_worth_stealing(worker));
        CHECK(vg_runq_push_owner(&worker->runq, &tasks[i]));
    }
    CHECK(vg_worth_stealing(worker));
    while (vg_runq_pop_owner(&worker->runq) != NULL)
        ;
    rig_close(&rig);
}

TEST(a_single_task_is_worth_stealing_if_its_worker_takes_long)
{
    struct rig rig;
    static struct vg_task task;
    struct vg_worker *worker;

    rig_open_config(&rig, 2, NULL, true);
    worker = &rig.exec->workers[0];
    CHECK(vg_runq_push_owner(&worker->runq, &task));
    vg_store(&worker->pulse.step_ns, VG_STEAL_NS - 1, relaxed);
    CHECK(!vg_worth_stealing(worker));
    vg_store(&worker->pulse.step_ns, VG_STEAL_NS, relaxed);
    CHECK(vg_worth_stealing(worker));
    CHECK(vg_runq_pop_owner(&worker->runq) == &task);
    rig_close(&rig);
}

/* Nothing runs here while the thief looks. */
TEST(a_single_tiny_task_is_taken_all_the_same_if_its_worker_gets_nowhere)
{
    struct rig rig;
    static struct vg_task task;

    rig_open_config(&rig, 2, NULL, true);
    vg_store(&rig.exec->workers[0].pulse.step_ns, 0u, relaxed);
    CHECK(vg_runq_push_owner(&rig.exec->workers[0].runq, &task));
    CHECK(vg_steal(&rig.exec->workers[1]) == &task);
    rig_close(&rig);
}

/* ---- children -------------------------------------------------------------------------------- */

/* Of a worker whose steps are short, or of no length at all. */
static bool is_child_worth_stealing(struct vg_probe *probe, uint32_t step_ns)
{
    struct rig rig;
    static struct vg_task task;
    struct vg_worker *worker;
    bool worth;

    rig_open_config(&rig, 2, probe, true);
    worker = &rig.exec->workers[0];
    vg_store(&worker->pulse.step_ns, step_ns, relaxed);
    CHECK(vg_deque_push_owner(&worker->deque, &task));
    worth = vg_worth_stealing(worker);
    CHECK(vg_deque_take_owner(&worker->deque) == &task);
    rig_close(&rig);
    return worth;
}

TEST(a_child_is_worth_stealing_if_its_worker_takes_long_or_nobody_would_call_others_for_it)
{
    struct vg_probe probe = {.visited = ignore};

    CHECK(!is_child_worth_stealing(&probe, VG_STEAL_NS - 1));
    CHECK(is_child_worth_stealing(&probe, VG_STEAL_NS));
    CHECK(is_child_worth_stealing(NULL, 0));
}

TEST(a_tiny_child_is_taken_all_the_same_if_it_stays_the_oldest)
{
    struct vg_probe probe = {.visited = ignore};
    static struct vg_task child[2];
    struct rig rig;

    rig_open_config(&rig, 2, &probe, true);
    vg_store(&rig.exec->workers[0].pulse.step_ns, 0u, relaxed);
    CHECK(vg_deque_push_owner(&rig.exec->workers[0].deque, &child[0]));
    CHECK(vg_deque_push_owner(&rig.exec->workers[0].deque, &child[1]));
    CHECK(vg_steal(&rig.exec->workers[1]) == &child[0]);
    CHECK(vg_deque_take_owner(&rig.exec->workers[0].deque) == &child[1]);
    rig_close(&rig);
}

/* At two looks at the clock, so much apart, a child is the oldest. Whether others are called at the second. */
static bool calls_for_oldest(uint64_t apart, bool another)
{
    static struct vg_task child[2];
    struct vg_worker *worker;
    struct rig rig;
    bool called;

    rig_open_config(&rig, 2, NULL, true);
    rig_run(&rig);
    worker = &rig.exec->workers[0];
    CHECK(vg_deque_push_owner(&worker->deque, &child[0]));
    worker->now = VG_SEC(1);
    vg_share_oldest(worker);
    CHECK(vg_idle_may_park(&rig.exec->idle, 1));
    if (another) {
        CHECK(vg_deque_take_owner(&worker->deque) == &child[0]);
        CHECK(vg_deque_push_owner(&worker->deque, &child[1]));
    }
    worker->now += apart;
    vg_share_oldest(worker);
    called = !vg_idle_may_park(&rig.exec->idle, 0) || !vg_idle_may_park(&rig.exec->idle, 1);
    CHECK(vg_deque_take_owner(&worker->deque) == &child[another]);
    rig_run(&rig);
    rig_close(&rig);
    return called;
}

TEST(others_are_called_for_a_child_that_stays_the_oldest)
{
    CHECK(calls_for_oldest(VG_STUCK_NS, false));
    CHECK(!calls_for_oldest(VG_STUCK_NS - 1, false));
    CHECK(!calls_for_oldest(VG_STUCK_NS, true));
}
