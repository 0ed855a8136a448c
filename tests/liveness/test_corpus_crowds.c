/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>
#include <vigil/set.h>

#include "real_case.h"
#include "vg_sanitizer.h"

/* Cases of the corpus in which the children of one task are in each other's way. */

/* What else a busy machine may have the watchdog say is not the point here. */
static void check_no(const struct room *room, enum vg_verdict verdict)
{
    for (unsigned i = 0; i < room->count; i++)
        if (room->seen[i].report.verdict != VG_VERDICT_BLOCKED_WORKER)
            FAIL("a report that is not due:\n%s", room->seen[i].text);
    CHECK_EQ(vg_load(&room->reports[verdict], acquire), 0);
}

static const struct room_report *find(const struct room *room, enum vg_verdict verdict)
{
    for (unsigned i = 0; i < room->count; i++)
        if (room->seen[i].report.verdict == verdict)
            return &room->seen[i];
    FAIL("no report");
}

/* ---- set-spins-on-exhausted-budget --------------------------------------------------------------- */

enum { MANY = VG_TSAN ? 6000 : 20000 };

struct scatter {
    struct vg_mpsc channel;
    int slot[MANY];
    struct vg_mpsc_send send[MANY];
    struct vg_set_item item[MANY];
    VG_ATOMIC(uint32_t) stop, rounds;
};

/* A set that polls all of its children whenever any of them is woken. */
struct naive_set {
    struct vg_future fut;
    int ret;
    struct scatter *scatter;
};

static vg_poll naive_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct scatter *scatter = ((struct naive_set *)(void *)fut)->scatter;
    bool all = true;

    for (unsigned i = 0; i < MANY; i++)
        all = vg_poll_future(&scatter->send[i].fut, cx).ready && all;
    return (vg_poll){all};
}

static const struct vg_ops naive_ops = {
    .poll = naive_poll,
    .name = "naive_set",
    .size = sizeof(struct naive_set),
    .kind = VG_KIND_OPAQUE,
};

struct sower {
    VG_FRAME(int);
    struct scatter *scatter;
    bool naive;
    int left;
    struct naive_set all;
    struct vg_set set;
    struct vg_set_next next;
};

static void prepare(struct scatter *scatter)
{
    static const int value = 1;
    int got;

    while (vg_mpsc_try_recv(&scatter->channel, &got) == 0)
        ;
    for (unsigned i = 0; i < MANY; i++)
        vg_mpsc_send(&scatter->send[i], &scatter->channel, &value);
}

static int sower_line;

VG_ASYNC(sower)
{
    VG_BEGIN(f);
    while (!vg_load(&f->scatter->stop, acquire)) {
        prepare(f->scatter);
        if (f->naive) {
            vg_future_init(&f->all.fut, &naive_ops);
            sower_line = __LINE__ + 1;
            VG_AWAIT(f->ret, &f->all);
        } else {
            vg_set_init(&f->set);
            for (int i = 0; i < MANY; i++)
                VG_SET_PUSH(&f->set, &f->scatter->item[i], &f->scatter->send[i]);
            for (f->left = MANY; f->left > 0; f->left--)
                VG_AWAIT(f->ret, vg_set_next(&f->next, &f->set));
        }
        vg_fetch_add(&f->scatter->rounds, 1, acq_rel);
    }
    VG_RETURN(0);
}

static struct sower *sower(struct sower *f, struct scatter *scatter, bool naive)
{
    VG_SETUP(f, sower);
    f->scatter = scatter;
    f->naive = naive;
    f->all.scatter = scatter;
    return f;
}

static struct scatter *sow(struct room *room, bool naive)
{
    static struct scatter scatter;

    vg_store(&scatter.stop, 0, relaxed);
    vg_store(&scatter.rounds, 0, relaxed);
    vg_mpsc_init(&scatter.channel, "field", scatter.slot, MANY);
    room_open(room, 1, true);
    CHECK_EQ(VG_SPAWN(room->exec, NULL, sower, &scatter, naive), 0);
    return &scatter;
}

static void end_sowing(struct room *room, struct scatter *scatter)
{
    vg_store(&scatter->stop, 1, release);
    wait_until_empty(room);
    room_close(room);
}

TEST(set_spins_on_exhausted_budget)
{
    const uint64_t since = vg_os_now();
    const struct room_report *seen;
    struct scatter *scatter;
    struct room room;
    char line[16];

    scatter = sow(&room, true);
    wait_for(&room.reports[VG_VERDICT_BUDGET_STARVED], 1);
    end_sowing(&room, scatter);
    seen = find(&room, VG_VERDICT_BUDGET_STARVED);
    print_report("set-spins-on-exhausted-budget", seen, since);
    CHECK_EQ(room.reports[VG_VERDICT_BUDGET_STARVED], 1);
    CHECK_STR(seen->text, "vg_mpsc_send");
    CHECK_STR(seen->text, "naive_set in sower");
    snprintf(line, sizeof line, ":%d", sower_line);
    CHECK_STR(seen->text, line);

    scatter = sow(&room, false);
    wait_for(&scatter->rounds, VG_TSAN || VG_ASAN ? 2 : 20);
    end_sowing(&room, scatter);
    check_no(&room, VG_VERDICT_BUDGET_STARVED);
}

/* ---- one-task-many-cpu-children ------------------------------------------------------------------- */

enum { CHILDREN = 100 };

struct farm {
    uint64_t busy_ns;
    VG_ATOMIC(uint32_t) stop, done;
};

struct job {
    VG_FRAME(int);
    struct farm *farm;
    uint64_t until;
    struct vg_sleep nap;
};

static VG_ATOMIC(int) job_line;

VG_ASYNC(job)
{
    VG_BEGIN(f);
    vg_store(&job_line, __LINE__ + 1, relaxed);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1)));
    for (f->until = vg_os_now() + f->farm->busy_ns; vg_os_now() < f->until;)
        ;
    vg_fetch_add(&f->farm->done, 1, acq_rel);
    VG_RETURN(0);
}

static struct job *job(struct job *f, struct farm *farm)
{
    VG_SETUP(f, job);
    f->farm = farm;
    return f;
}

struct farmer {
    VG_FRAME(int);
    struct farm *farm;
    struct vg_exec *exec; /* to spawn the jobs on; NULL: they are children */
    int left;
    struct vg_set set;
    struct vg_set_next next;
    struct vg_set_item item[CHILDREN];
    struct job job[CHILDREN];
    struct vg_handle handle[CHILDREN];
    struct vg_task_wait wait;
};

VG_ASYNC(farmer)
{
    VG_BEGIN(f);
    while (!vg_load(&f->farm->stop, acquire)) {
        vg_set_init(&f->set);
        for (int i = 0; i < CHILDREN; i++) {
            if (f->exec == NULL)
                VG_SET_PUSH(&f->set, &f->item[i], job(&f->job[i], f->farm));
            else
                CHECK_EQ(VG_SPAWN(f->exec, &f->handle[i], job, f->farm), 0);
        }
        for (f->left = CHILDREN; f->left > 0; f->left--) {
            if (f->exec == NULL) {
                VG_AWAIT(f->ret, vg_set_next(&f->next, &f->set));
                continue;
            }
            VG_AWAIT(f->ret, vg_task_wait(&f->wait, &f->handle[f->left - 1]));
            vg_task_release(&f->handle[f->left - 1]);
        }
    }
    VG_RETURN(0);
}

static struct farmer *farmer(struct farmer *f, struct farm *farm, struct vg_exec *exec)
{
    VG_SETUP(f, farmer);
    f->farm = farm;
    f->exec = exec;
    return f;
}

static void run_farm(struct room *room, struct farm *farm, unsigned workers, bool spawns,
                     uint64_t busy_ns)
{
    *farm = (struct farm){.busy_ns = busy_ns};
    room_open(room, workers, true);
    CHECK_EQ(VG_SPAWN(room->exec, NULL, farmer, farm, spawns ? room->exec : NULL), 0);
}

static void close_farm(struct room *room, struct farm *farm)
{
    vg_store(&farm->stop, 1, release);
    wait_until_empty(room);
    room_close(room);
}

TEST(one_task_many_cpu_children)
{
    const uint64_t since = vg_os_now();
    const struct room_report *seen;
    struct farm farm;
    struct room room;
    char line[16];

    run_farm(&room, &farm, 3, false, VG_MSEC(1));
    wait_for(&room.reports[VG_VERDICT_NO_PARALLELISM], 1);
    close_farm(&room, &farm);
    seen = find(&room, VG_VERDICT_NO_PARALLELISM);
    print_report("one-task-many-cpu-children", seen, since);
    CHECK_EQ(room.reports[VG_VERDICT_NO_PARALLELISM], 1);
    CHECK_STR(seen->text, "\"farmer\"");
    CHECK_STR(seen->text, "child     job at");
    snprintf(line, sizeof line, ":%d", vg_load(&job_line, relaxed));
    CHECK_STR(seen->text, line);

    run_farm(&room, &farm, 3, true, VG_MSEC(1)); /* as tasks */
    wait_for(&farm.done, 1000);
    close_farm(&room, &farm);
    check_no(&room, VG_VERDICT_NO_PARALLELISM);

    run_farm(&room, &farm, 1, false, VG_MSEC(1)); /* nobody else is there */
    wait_for(&farm.done, 800);
    close_farm(&room, &farm);
    check_no(&room, VG_VERDICT_NO_PARALLELISM);

    run_farm(&room, &farm, 3, false, VG_USEC(10)); /* little to do */
    wait_for(&farm.done, 10000);
    close_farm(&room, &farm);
    check_no(&room, VG_VERDICT_NO_PARALLELISM);
}
