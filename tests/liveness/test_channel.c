/* SPDX-License-Identifier: MIT */
#include <vigil/mpsc.h>

#include "lab.h"

/* What is found where a task waits for a channel behind a future of its own. */

enum first { FIRST_SENDS, FIRST_RESERVES, FIRST_RECEIVES };

struct program {
    struct lab lab;
    struct vg_mpsc channel;
    uint32_t slots[1];
};

/* Starts one future, parks it, and sends. */
struct hasty {
    VG_FRAME(int);
    struct program *p;
    enum first first;
    uint32_t value, received;
    int rc;
    struct vg_mpsc_send send, queued;
    struct vg_receive recv;
    struct vg_sleep nap;
    VG_ARMS(2) sel;
};

static struct vg_arm first_of(struct hasty *f)
{
    if (f->first == FIRST_RECEIVES)
        return VG_PARK(vg_mpsc_recv(&f->recv, &f->p->channel, &f->received));
    if (f->first == FIRST_SENDS)
        return VG_PARK(vg_mpsc_send(&f->queued, &f->p->channel, &f->value));
    return VG_PARK(vg_mpsc_reserve(&f->queued, &f->p->channel));
}

static int fill(struct hasty *f)
{
    return vg_mpsc_try_send(&f->p->channel, &f->value);
}

static int send_line;

VG_ASYNC(hasty)
{
    VG_BEGIN(f);
    if (f->first != FIRST_RECEIVES)
        CHECK_EQ(fill(f), 0);
    VG_AWAIT(f->rc, VG_SELECT(f->sel, first_of(f), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    CHECK_EQ(f->rc, 1);
    if (f->first == FIRST_RECEIVES)
        CHECK_EQ(fill(f), 0);
    send_line = __LINE__ + 1;
    VG_AWAIT(f->ret, vg_mpsc_send(&f->send, &f->p->channel, &f->value));
    if (f->first == FIRST_RECEIVES)
        VG_AWAIT_CANCEL(f->rc, &f->recv);
    else
        VG_AWAIT_CANCEL(f->rc, &f->queued);
    VG_RETURN(f->ret);
}

static struct hasty *hasty(struct hasty *f, struct program *p, enum first first)
{
    VG_SETUP(f, hasty);
    f->p = p;
    f->first = first;
    return f;
}

/* Receives at 20, 40, 60 and 80 ms. */
struct slow {
    VG_FRAME(int);
    struct program *p;
    unsigned i;
    int rc;
    uint32_t value;
    struct vg_sleep nap;
};

VG_ASYNC(slow)
{
    VG_BEGIN(f);
    for (f->i = 1; f->i <= 4; f->i++) {
        VG_AWAIT(f->rc, vg_sleep_until(&f->nap, lab_at(&f->p->lab, 20 * f->i)));
        (void)!vg_mpsc_try_recv(&f->p->channel, &f->value);
    }
    VG_RETURN(0);
}

static struct slow *slow(struct slow *f, struct program *p)
{
    VG_SETUP(f, slow);
    f->p = p;
    return f;
}

static int run(struct program *p, struct hasty *root, uint64_t seed, enum first first, bool healing)
{
    lab_open(&p->lab, seed, healing);
    vg_mpsc_init(&p->channel, "C", p->slots, 1);
    CHECK_EQ(VG_SPAWN(p->lab.exec, NULL, slow, p), 0);
    return lab_run(&p->lab, &hasty(root, p, first)->fut);
}

TEST(a_parked_send_holds_up_nobody)
{
    FOR_SEEDS (seed, 50) {
        struct program p;
        struct hasty root;
        CHECK_EQ(run(&p, &root, seed, FIRST_SENDS, seed % 2), 0);
        CHECK_EQ(root.ret, 0);
        CHECK_EQ(root.queued.ret, 0);
        lab_silent(&p.lab);
        lab_close(&p.lab);
    }
}

TEST(a_parked_reservation_is_taken_back_and_reported_as_healed)
{
    FOR_SEEDS (seed, 50) {
        struct program p;
        struct hasty root;
        const struct lab_report *seen;
        CHECK_EQ(run(&p, &root, seed, FIRST_RESERVES, true), 0);
        CHECK_EQ(root.ret, 0);
        CHECK_EQ(root.queued.ret, -ECANCELED);
        seen = lab_only(&p.lab, VG_VERDICT_FUTURELOCK);
        CHECK(seen->report.healed);
        CHECK_EQ(seen->at, 20);
        lab_close(&p.lab);
    }
}

TEST(without_healing_it_is_reported_when_the_send_queues_behind_it)
{
    FOR_SEEDS (seed, 50) {
        struct program p;
        struct hasty root;
        const struct lab_report *seen;
        CHECK_EQ(run(&p, &root, seed, FIRST_RESERVES, false), -EDEADLK);
        seen = lab_only(&p.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 10);
        CHECK_EQ(seen->report.waiters, 2);
        CHECK_EQ(strcmp(seen->report.resource_kind, "channel"), 0);
        CHECK_EQ(strcmp(seen->report.resource_name, "C"), 0);
        CHECK_EQ(strcmp(seen->report.resource_place->func, "run"), 0);
        CHECK_EQ(strcmp(seen->report.starved.type, "vg_mpsc_reserve"), 0);
        CHECK_EQ(strcmp(seen->report.blocked.type, "vg_mpsc_send"), 0);
        CHECK_SITE(seen, seen->report.blocked.site, hasty, send_line);
        lab_close(&p.lab);
    }
}

/* Nobody else receives. */
TEST(a_task_that_sends_to_its_own_parked_receive_is_reported)
{
    FOR_SEEDS (seed, 50) {
        struct program p;
        struct hasty root;
        const struct lab_report *seen;
        lab_open(&p.lab, seed, true);
        vg_mpsc_init(&p.channel, "C", p.slots, 1);
        CHECK_EQ(lab_run(&p.lab, &hasty(&root, &p, FIRST_RECEIVES)->fut), -EDEADLK);
        seen = lab_only(&p.lab, VG_VERDICT_FUTURELOCK);
        CHECK_EQ(seen->at, 10);
        CHECK_EQ(strcmp(seen->report.resource_name, "C"), 0);
        CHECK_EQ(strcmp(seen->report.starved.type, "vg_receive"), 0);
        CHECK_EQ(strcmp(seen->report.blocked.type, "vg_mpsc_send"), 0);
        lab_close(&p.lab);
    }
}
