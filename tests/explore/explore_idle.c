/* SPDX-License-Identifier: MIT */
/*
 * Workers go to sleep while others make work. No job is left while somebody who could do it sleeps: the
 * first of two jobs ends only when the second has been done, so they need two workers at a time.
 */
#include "idle.h"

#include <string.h>

#include "explore.h"

enum { WORKERS = 2, JOBS = 2 };

static struct vg_idle idle;
static struct mc_bell doorbells[WORKERS], second_done;
static VG_ATOMIC(int) jobs[JOBS], inbox[WORKERS];
static int payload;
static int expected, done; /* by the model only */

static void init(unsigned workers, int jobs_to_do)
{
    vg_idle_init(&idle, workers);
    for (int i = 0; i < JOBS; i++)
        vg_store(&jobs[i], 0, relaxed);
    for (int i = 0; i < WORKERS; i++)
        vg_store(&inbox[i], 0, relaxed);
    expected = jobs_to_do;
    done = 0;
}

static void ring(int worker)
{
    if (worker >= 0)
        mc_bell_ring(&doorbells[worker]);
}

static void publish(int job)
{
    vg_store(&jobs[job], 1, release);
    ring(vg_idle_notify(&idle));
}

static void send(unsigned worker)
{
    VG_WR(&payload);
    vg_store(&inbox[worker], 1, release);
    if (vg_idle_notify_worker(&idle, worker))
        ring((int)worker);
}

static bool take(VG_ATOMIC(int) *from)
{
    int one = 1;

    return vg_load(from, relaxed) && vg_cas(from, &one, 0, acq_rel, relaxed);
}

/* The number of a job that is now the caller's, JOBS for a message, -1 if there is none. */
static int find(unsigned me)
{
    for (int i = 0; i < JOBS; i++)
        if (take(&jobs[i]))
            return i;
    return take(&inbox[me]) ? JOBS : -1;
}

static bool last_look(unsigned me)
{
    for (int i = 0; i < JOBS; i++)
        if (vg_load(&jobs[i], relaxed))
            return true;
    return vg_load(&inbox[me], relaxed) != 0;
}

static void run(int job)
{
    if (job == 0 && expected > 1)
        mc_bell_wait(&second_done);
    if (job == 1)
        mc_bell_ring(&second_done);
    if (job == JOBS)
        VG_RD(&payload);
    done++;
}

static bool is_more(unsigned me)
{
    vg_fence();
    return last_look(me);
}

/* The loop that idle.h prescribes. */
static void worker(unsigned me)
{
    bool searching = vg_idle_start_search(&idle);

    while (done < expected) {
        int job = find(me);
        if (job >= 0) {
            if (searching && vg_idle_stop_search(&idle) && is_more(me))
                ring(vg_idle_notify(&idle));
            searching = false;
            run(job);
            continue;
        }
        vg_idle_prepare_park(&idle, me, searching);
        if (!last_look(me) && vg_idle_may_park(&idle, me) && done < expected)
            mc_bell_wait(&doorbells[me]);
        searching = vg_idle_end_park(&idle, me) || vg_idle_start_search(&idle);
    }
    if (searching)
        (void)!vg_idle_stop_search(&idle);
    /* The end of the model is no business of the protocol. */
    for (int i = 0; i < WORKERS; i++)
        mc_bell_ring(&doorbells[i]);
}

static void final(void)
{
    MC_ASSERT(done == expected);
    MC_ASSERT(vg_load(&idle.word, relaxed) == 0);
}

static void init_one_job(void)
{
    init(1, 1);
}

static void one_job(int id)
{
    if (id == 0)
        worker(0);
    else
        publish(0);
}
MC_MODEL(idle_one_job, .threads = 2, .init = init_one_job, .thread = one_job, .final = final);

static void init_one_message(void)
{
    init(1, 1);
}

static void one_message(int id)
{
    if (id == 0)
        worker(0);
    else
        send(0);
}
MC_MODEL(idle_one_message, .threads = 2, .init = init_one_message, .thread = one_message,
         .final = final);

/* One worker, picked from the list of sleepers by one thread and told by another. */
static void init_job_and_message(void)
{
    init(1, 2);
}

static void job_and_message(int id)
{
    if (id == 0)
        worker(0);
    else if (id == 1)
        publish(1);
    else
        send(0);
}
MC_MODEL(idle_job_and_message, .threads = 3, .init = init_job_and_message,
         .thread = job_and_message, .final = final);

static void init_two_workers(void)
{
    init(2, 2);
}

static void two_workers(int id)
{
    if (id < 2) {
        worker((unsigned)id);
    } else {
        publish(0);
        publish(1);
    }
}
MC_MODEL(idle_two_workers, .threads = 3, .init = init_two_workers, .thread = two_workers,
         .final = final);
