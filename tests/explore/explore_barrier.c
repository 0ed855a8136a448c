/* SPDX-License-Identifier: MIT */
/* The barrier: what each party did before it is seen by all after it, and nobody is left there. */
#include <errno.h>
#include <string.h>

#include <vigil/barrier.h>

#include "world.h"

enum { PARTIES = 3 };

struct party {
    struct vg_future fut;
    int id, rounds, result;
    bool gives_up; /* when the event has happened */
    bool waiting;
    struct world_event event;
    struct vg_barrier_wait wait;
};

static struct world_task tasks[PARTIES];
static struct party parties[PARTIES];
static struct vg_barrier barrier;
static int slot[PARTIES], leaders;
static int present; /* how many there are in this model */

static bool meet(struct party *party, bool happened, struct vg_cx *cx)
{
    if (!party->waiting) {
        VG_WR(&slot[party->id]);
        slot[party->id]++;
        vg_barrier_wait(&party->wait, &barrier);
        party->waiting = true;
    }
    if (party->gives_up && happened)
        vg_cancel(&party->wait.fut, cx);
    if (!vg_poll_future(&party->wait.fut, cx).ready)
        return false;
    party->waiting = false;
    party->result = party->wait.ret;
    leaders += party->result == VG_BARRIER_LEADER;
    for (int i = 0; party->result >= 0 && !party->gives_up && i < present; i++) {
        VG_RD(&slot[i]);
        MC_ASSERT(slot[i] >= slot[party->id]);
    }
    return true;
}

static vg_poll party_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct party *party = (struct party *)(void *)fut;
    bool happened = true;

    if (party->gives_up)
        happened = vg_poll_future(&party->event.fut, cx).ready;
    if (party->rounds > 0 && meet(party, happened, cx))
        party->rounds--;
    return (vg_poll){party->rounds == 0 && happened};
}

static const struct vg_ops party_ops = {
    .poll = party_poll, .name = "party", .size = sizeof(struct party), .kind = VG_KIND_OPAQUE};

static void init(uint32_t quorum, int count)
{
    world_init();
    vg_barrier_init_at(&barrier, "barrier", quorum, NULL);
    leaders = 0;
    present = count;
    memset(slot, 0, sizeof slot);
}

static void init_party(struct party party)
{
    struct party *p = &parties[party.id];

    *p = party;
    p->rounds = 1;
    vg_future_init(&p->fut, &party_ops);
    world_event(&p->event);
    world_spawn(&tasks[p->id], &p->fut);
}

static void init_two(void)
{
    init(2, 2);
    for (int i = 0; i < 2; i++)
        init_party((struct party){.id = i});
}

static void meet_and_go(int id)
{
    world_work(id, &tasks[id]);
}

static void all_met(void)
{
    for (int i = 0; i < present; i++)
        MC_ASSERT(tasks[i].over && parties[i].result >= 0);
    MC_ASSERT(leaders == 1);
    vg_barrier_fini(&barrier);
}
MC_MODEL(barrier_of_two, .threads = 2, .init = init_two, .thread = meet_and_go, .final = all_met);

static void init_three(void)
{
    init(3, 3);
    for (int i = 0; i < 3; i++)
        init_party((struct party){.id = i});
}
MC_MODEL(barrier_of_three, .threads = 3, .init = init_three, .thread = meet_and_go,
         .final = all_met);

/* ---- one gives up: the two others meet, or it has met one of them and the other one is told ------- */

static void init_gives_up(void)
{
    init(2, 2);
    init_party((struct party){.id = 0, .gives_up = true});
    init_party((struct party){.id = 1, .gives_up = true});
}

static void gives_up(int id)
{
    if (id < 2) {
        world_work(id, &tasks[id]);
    } else {
        world_happen(&parties[0].event);
        world_happen(&parties[1].event);
    }
}

static void both_or_none(void)
{
    MC_ASSERT(tasks[0].over && tasks[1].over);
    MC_ASSERT((parties[0].result < 0) == (parties[1].result < 0));
    MC_ASSERT(leaders == (parties[0].result >= 0));
    vg_barrier_fini(&barrier);
}
MC_MODEL(barrier_parties_give_up, .threads = 3, .init = init_gives_up, .thread = gives_up,
         .final = both_or_none);
