/* SPDX-License-Identifier: MIT */
/*
 * The task word: wakers push waiters, workers take them, poll and give the task back, an observer reads
 * it while it is idle. Every wake is answered; whoever owns the task is alone with its frame.
 */
#include "word.h"

#include "explore.h"

enum { WAITERS = 2, WORKERS = 2 };

struct waiter {
    struct vg_wnode node;
    int payload;
} __attribute__((aligned(16)));

static VG_ATOMIC(uintptr_t) word;
static uintptr_t base;
static struct waiter waiters[WAITERS];
static int frame;                               /* what polls write and the observer reads */
static struct mc_bell queue, rearmed;           /* the run queue's one place */
static int to_answer, answered, queued, owners; /* by the model only */

static void init(int wakes)
{
    vg_store(&word, 0, relaxed);
    base = 0;
    for (int i = 0; i < WAITERS; i++)
        waiters[i] = (struct waiter){.payload = 0};
    to_answer = wakes;
    answered = queued = owners = 0;
}

static void enqueue(void)
{
    MC_ASSERT(queued++ == 0);
    mc_bell_ring(&queue);
}

static void wake(int i)
{
    VG_WR(&waiters[i].payload);
    waiters[i].payload++;
    if (vg_word_push(&word, &waiters[i].node) == VG_PUSH_ENQUEUE)
        enqueue();
}

/* Answers a wake; the first of waiter 0 arms it again, for another waker, within the poll. */
static void visit(struct vg_wnode *node)
{
    struct waiter *waiter = (struct waiter *)(void *)node;

    VG_RD(&waiter->payload);
    MC_ASSERT(waiter->payload > 0);
    answered++;
    if (waiter == &waiters[0] && waiter->payload == 1)
        mc_bell_ring(&rearmed);
}

static void poll(void)
{
    struct vg_wnode *node, *next;

    MC_ASSERT(owners++ == 0);
    VG_WR(&frame);
    frame++;
    VG_WR(&base);
    for (node = vg_word_take(&word, &base); node; node = next) {
        VG_RD(&node->next);
        next = (struct vg_wnode *)node->next;
        visit(node);
    }
    owners--;
}

static void work(void)
{
    while (answered < to_answer) {
        mc_bell_wait(&queue);
        if (answered == to_answer)
            break;
        queued--;
        poll();
        VG_RD(&base);
        if (!vg_word_end(&word, &base))
            enqueue();
    }
    mc_bell_ring(&queue); /* for the other worker, if there is one: the end of the model */
}

static void observe(void)
{
    int before;

    if (!vg_word_claim(&word))
        return;
    MC_ASSERT(owners++ == 0);
    VG_RD(&frame);
    before = frame;
    VG_RD(&frame);
    MC_ASSERT(frame == before);
    owners--;
    if (!vg_word_unclaim(&word))
        enqueue();
}

static void all_answered(void)
{
    MC_ASSERT(answered == to_answer);
    MC_ASSERT(vg_load(&word, relaxed) == 0 || queued > 0);
}

static void rewake(void)
{
    mc_bell_wait(&rearmed);
    wake(0);
}

static void init_two(void)
{
    init(2);
}

static void init_three(void)
{
    init(3);
}

static void one_worker(int id)
{
    if (id == 0) {
        work();
    } else if (id == 1) {
        wake(0);
        wake(1);
    } else {
        rewake();
    }
}
MC_MODEL(word_rearmed_in_poll, .threads = 3, .init = init_three, .thread = one_worker,
         .final = all_answered);

static void two_workers(int id)
{
    if (id < WORKERS) {
        work();
    } else {
        wake(0);
        rewake();
    }
}
MC_MODEL(word_two_workers, .threads = 3, .init = init_two, .thread = two_workers,
         .final = all_answered);

static void observed(int id)
{
    if (id == 0) {
        work();
    } else if (id == 1) {
        wake(0);
        rewake();
    } else {
        observe();
        observe();
    }
}
MC_MODEL(word_observed, .threads = 3, .init = init_two, .thread = observed, .final = all_answered);

static void two_wakers_observed(int id)
{
    if (id == 0)
        work();
    else if (id < 3)
        wake(id - 1);
    else
        observe();
}
MC_MODEL(word_two_wakers_observed, .threads = 4, .init = init_two, .thread = two_wakers_observed,
         .final = all_answered);

static void observed_and_migrating(int id)
{
    if (id < WORKERS) {
        work();
    } else if (id == 2) {
        wake(0);
        rewake();
    } else {
        observe();
    }
}
MC_MODEL(word_observed_and_migrating, .threads = 4, .init = init_two,
         .thread = observed_and_migrating, .final = all_answered);

/* ---- the end of a task ------------------------------------------------------------------------ */

static void init_spawned(void)
{
    init(1);
    vg_store(&word, VG_WORD_S, relaxed);
    queued = 1;
    mc_bell_ring(&queue);
}

/* Late pushes are refused or forgotten, and nobody reads the frame of a task that has finished. */
static void finished(int id)
{
    if (id == 0) {
        mc_bell_wait(&queue);
        poll();
        vg_word_finish(&word);
        mc_free(&frame, sizeof frame);
        answered = to_answer;
    } else if (id == 1) {
        VG_WR(&waiters[1].payload);
        waiters[1].payload = 1;
        MC_ASSERT(vg_word_push(&word, &waiters[1].node) != VG_PUSH_ENQUEUE);
    } else {
        observe();
    }
}

static void refuses(void)
{
    MC_ASSERT(vg_word_push(&word, &waiters[0].node) == VG_PUSH_REFUSED);
    MC_ASSERT(!vg_word_claim(&word));
}
MC_MODEL(word_finished, .threads = 3, .init = init_spawned, .thread = finished, .final = refuses);

/* ---- another task in the slot ---------------------------------------------------------------------- */

static VG_ATOMIC(uint64_t) slot_id; /* as in task.h: odd while the slot holds a task */
static uint64_t frame_of;           /* what the frame says about whose it is */

static void init_slot(void)
{
    init(1);
    vg_store(&slot_id, 1, relaxed);
    frame_of = 1;
}

/* The first task is woken, polled, and ends; the next one is spawned into its slot, and suspends. */
static void end_and_spawn(void)
{
    mc_bell_wait(&queue);
    queued--;
    poll();
    vg_word_finish(&word);
    vg_store(&slot_id, 2, relaxed);

    VG_WR(&frame_of);
    frame_of = 3;
    VG_WR(&base);
    base = 0;
    vg_store(&word, (uintptr_t)VG_WORD_S, release);
    vg_store(&slot_id, 3, release);
    MC_ASSERT(vg_word_take(&word, &base) == NULL);
    MC_ASSERT(vg_word_end(&word, &base));
}

/* Looks for the task that the walk has shown, which may have ended before it is held. */
static void observe_by_id(void)
{
    const uint64_t id = vg_load(&slot_id, acquire);

    if (!(id & 1) || !vg_word_claim(&word))
        return;
    if (vg_load(&slot_id, relaxed) == id) {
        VG_RD(&frame_of);
        MC_ASSERT(frame_of == id);
    }
    if (!vg_word_unclaim(&word))
        enqueue();
}

static void reused(int id)
{
    if (id == 0) {
        end_and_spawn();
    } else if (id == 1) {
        wake(0);
    } else {
        observe_by_id();
        observe_by_id();
    }
}
MC_MODEL(word_observed_and_reused, .threads = 3, .init = init_slot, .thread = reused,
         .final = all_answered);
