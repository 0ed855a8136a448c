/* SPDX-License-Identifier: MIT */
#include <vigil/io.h>

#include "lab.h"

/* Sleeps, and notes when it went on. */
struct napper {
    VG_FRAME(int);
    struct lab *lab;
    uint64_t length, ended;
    struct vg_sleep nap;
    int rc;
};

static int napper_line;

VG_ASYNC(napper)
{
    VG_BEGIN(f);
    napper_line = __LINE__ + 1;
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->length)));
    f->ended = lab_ms(f->lab);
    VG_RETURN(f->rc);
}

static struct napper *napper(struct napper *f, struct lab *lab, uint64_t length)
{
    VG_SETUP(f, napper);
    f->lab = lab;
    f->length = length;
    f->ended = 0;
    return f;
}

/* ---- a select loop whose branch sleeps over its other arm ------------------------------------- */

struct loop {
    VG_FRAME(int);
    struct lab *lab;
    enum vg_policy policy;
    uint64_t first_length, body;
    bool done[2];
    int arm, rc;
    VG_ARMS(2) sel;
    struct napper first, second;
    struct vg_sleep nap;
};

static struct vg_arm arm_of(enum vg_policy policy, struct napper *napper)
{
    return policy == VG_POLICY_PARK ? VG_PARK(napper) : VG_KEEP(napper);
}

static int body_line;

VG_ASYNC(loop)
{
    VG_BEGIN(f);
    napper(&f->first, f->lab, f->first_length);
    napper(&f->second, f->lab, 100);
    while (!f->done[0] || !f->done[1]) {
        VG_AWAIT(f->arm, VG_SELECT(f->sel, VG_WHEN(!f->done[0], arm_of(f->policy, &f->first)),
                                   VG_WHEN(!f->done[1], arm_of(f->policy, &f->second))));
        f->done[f->arm] = true;
        body_line = __LINE__ + 2;
        if (f->arm == 1)
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(f->body)));
    }
    VG_RETURN(0);
}

static struct loop *loop(struct loop *f, struct lab *lab, enum vg_policy policy,
                         uint64_t first_length, uint64_t body)
{
    VG_SETUP(f, loop);
    f->lab = lab;
    f->policy = policy;
    f->first_length = first_length;
    f->body = body;
    f->done[0] = f->done[1] = false;
    return f;
}

TEST(a_branch_that_sleeps_over_its_sibling_is_reported_after_100_ms_and_when_it_is_over)
{
    FOR_SEEDS (seed, 200) {
        struct lab lab;
        struct loop root;
        const struct lab_report *seen;

        lab_open(&lab, seed, seed % 2);
        CHECK_EQ(lab_run(&lab, &loop(&root, &lab, VG_POLICY_PARK, 300, 1000)->fut), 0);
        CHECK_EQ(root.first.ended, 1100);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK_EQ(seen->ms, 400);
        CHECK_EQ(seen->report.lasted, VG_MSEC(100));
        CHECK_EQ(seen->report.confidence, VG_CONFIRMED);
        CHECK_EQ(strcmp(seen->report.starved.frame, "napper"), 0);
        CHECK_EQ(strcmp(seen->report.starved.type, "sleep"), 0);
        CHECK_SITE(seen, seen->report.starved.site, napper, napper_line);
        CHECK_EQ(strcmp(seen->report.parent.frame, "loop"), 0);
        CHECK_SITE(seen, seen->report.parent.site, loop, body_line);
        CHECK_EQ(seen->report.woken_by, 0);
        CHECK_EQ(seen->report.woken_at, lab_at(&lab, 300));
        CHECK_EQ(lab.ends, 1);
        CHECK_EQ(lab.end[0].report.lasted, VG_MSEC(800));
        CHECK_STR(lab.end[0].text, "was polled after 800 ms");
        lab_close(&lab);
    }
}

TEST(a_parked_sibling_that_is_not_woken_is_no_snoozed_child)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct loop root;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &loop(&root, &lab, VG_POLICY_PARK, 1500, 1000)->fut), 0);
        CHECK_EQ(root.first.ended, 1500);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

TEST(a_kept_sibling_is_no_snoozed_child)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct loop root;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &loop(&root, &lab, VG_POLICY_KEEP, 300, 1000)->fut), 0);
        CHECK_EQ(root.first.ended, 300);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

TEST(a_child_that_is_polled_again_before_the_limit_is_no_snoozed_child)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        struct loop root;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &loop(&root, &lab, VG_POLICY_PARK, 150, 149)->fut), 0);
        CHECK_EQ(root.first.ended, 249);
        lab_silent(&lab);
        lab_close(&lab);
    }
}

TEST(reports_of_one_kind_are_limited_to_five_a_minute)
{
    struct lab lab;
    struct loop root[7];
    struct vg_snapshot *snapshot;

    lab_open(&lab, 3, true);
    for (int i = 0; i < 7; i++)
        CHECK_EQ(lab_run(&lab, &loop(&root[i], &lab, VG_POLICY_PARK, 150, 300)->fut), 0);
    CHECK_EQ(lab.count, 5);
    CHECK_EQ(lab.ends, 5);
    CHECK_EQ(vg_snapshot(lab.live, &snapshot), 0);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_SNOOZED_CHILD].reported, 5);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_SNOOZED_CHILD].suppressed, 2);
    CHECK_EQ(snapshot->verdict[VG_VERDICT_SNOOZED_CHILD].active, 0);
    vg_snapshot_free(snapshot);

    struct vg_sleep nap;
    CHECK_EQ(lab_run(&lab, &vg_sleep(&nap, VG_SEC(60))->fut), 0);
    CHECK_EQ(lab_run(&lab, &loop(&root[0], &lab, VG_POLICY_PARK, 150, 300)->fut), 0);
    CHECK_EQ(lab.count, 6);
    CHECK_EQ(lab.seen[5].report.suppressed, 2);
    CHECK_STR(lab.seen[5].text, "2 more like this were not reported");
    lab_close(&lab);
}

/* ---- a task that is never idle --------------------------------------------------------------- */

struct busy {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct napper first, second;
    struct vg_yield yield;
};

VG_ASYNC(busy)
{
    VG_BEGIN(f);
    napper(&f->first, f->lab, 20);
    napper(&f->second, f->lab, 10);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, VG_PARK(&f->first), VG_CANCEL(&f->second)));
    while (lab_ms(f->lab) < 400) {
        f->lab->sim.now += VG_USEC(500); /* what it does takes its time */
        VG_AWAIT(f->rc, vg_yield(&f->yield));
    }
    VG_AWAIT(f->rc, &f->first);
    VG_RETURN(0);
}

static struct busy *busy(struct busy *f, struct lab *lab)
{
    VG_SETUP(f, busy);
    f->lab = lab;
    return f;
}

TEST(a_task_that_is_never_idle_is_reported_by_its_worker)
{
    FOR_SEEDS (seed, 50) {
        struct lab lab;
        struct busy root;
        const struct lab_report *seen;

        lab_open(&lab, seed, true);
        CHECK_EQ(lab_run(&lab, &busy(&root, &lab)->fut), 0);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK(seen->report.woken_at >= lab_at(&lab, 20));
        CHECK(seen->report.lasted >= VG_MSEC(100) && seen->report.lasted <= VG_MSEC(102));
        CHECK_SITE(seen, seen->report.starved.site, napper, napper_line);
        lab_close(&lab);
    }
}

/* ---- connections that nobody polls while the listener is awaited ------------------------------- */

struct conn {
    VG_FRAME(ssize_t);
    int fd;
    struct vg_io io;
    char buf[16];
};

static int conn_line;

VG_ASYNC(conn)
{
    VG_BEGIN(f);
    conn_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_recv(&f->io, f->fd, f->buf, sizeof f->buf));
    VG_RETURN(f->ret);
}

static struct conn *conn(struct conn *f, int fd)
{
    VG_SETUP(f, conn);
    f->fd = fd;
    return f;
}

struct server {
    VG_FRAME(int);
    enum vg_policy policy;
    int next_fd;
    ssize_t got, next;
    int rc;
    VG_ARMS(2) sel;
    struct conn conn;
    struct vg_sleep nap;
    struct vg_io io;
    char buf[16];
};

static struct vg_arm conn_arm(struct server *f)
{
    return f->policy == VG_POLICY_PARK ? VG_PARK(&f->conn) : VG_KEEP(&f->conn);
}

VG_ASYNC(server)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, conn_arm(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(5)))));
    VG_AWAIT(f->next, vg_recv(&f->io, f->next_fd, f->buf, sizeof f->buf));
    VG_AWAIT(f->got, &f->conn);
    VG_RETURN(0);
}

static struct server *server(struct server *f, enum vg_policy policy, int fd, int next_fd)
{
    VG_SETUP(f, server);
    f->policy = policy;
    f->next_fd = next_fd;
    conn(&f->conn, fd);
    return f;
}

struct outside {
    VG_FRAME(int);
    struct lab *lab;
    int fd, next_fd, rc;
    struct vg_sleep nap;
};

/* Writes to the first connection at 50 ms, and to the other at 800 ms. */
VG_ASYNC(outside)
{
    VG_BEGIN(f);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(50)));
    CHECK_EQ(sim_write(&f->lab->sim, f->fd, "ping", 4), 4);
    VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(750)));
    CHECK_EQ(sim_write(&f->lab->sim, f->next_fd, "pong", 4), 4);
    VG_RETURN(0);
}

static struct outside *outside(struct outside *f, struct lab *lab, int fd, int next_fd)
{
    VG_SETUP(f, outside);
    f->lab = lab;
    f->fd = fd;
    f->next_fd = next_fd;
    return f;
}

static void serve(struct lab *lab, uint64_t seed, enum vg_policy policy)
{
    struct server root;
    int fd[2], next[2];

    lab_open(lab, seed, true);
    lab->sim.faults.short_io = 0;
    CHECK_EQ(sim_pair(&lab->sim, fd), 0);
    CHECK_EQ(sim_pair(&lab->sim, next), 0);
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, outside, lab, fd[1], next[1]), 0);
    CHECK_EQ(lab_run(lab, &server(&root, policy, fd[0], next[0])->fut), 0);
    CHECK_EQ(root.got, 4);
    CHECK_EQ(root.next, 4);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(sim_close_fd(&lab->sim, fd[i]), 0);
        CHECK_EQ(sim_close_fd(&lab->sim, next[i]), 0);
    }
}

TEST(a_connection_that_is_parked_while_another_is_awaited_is_reported)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;
        const struct lab_report *seen;

        serve(&lab, seed, VG_POLICY_PARK);
        seen = lab_only(&lab, VG_VERDICT_SNOOZED_CHILD);
        CHECK(seen->report.lasted >= VG_MSEC(100) && seen->report.lasted <= VG_MSEC(110));
        CHECK(seen->ms >= 150 && seen->ms <= 180);
        CHECK_SITE(seen, seen->report.starved.site, conn, conn_line);
        CHECK_EQ(strcmp(seen->report.parent.frame, "server"), 0);
        CHECK_STR(seen->text, "(kernel)");
        lab_close(&lab);
    }
}

TEST(a_connection_that_is_kept_while_another_is_awaited_is_fine)
{
    FOR_SEEDS (seed, 100) {
        struct lab lab;

        serve(&lab, seed, VG_POLICY_KEEP);
        lab_silent(&lab);
        lab_close(&lab);
    }
}
