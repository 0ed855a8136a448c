/* SPDX-License-Identifier: MIT */
#include "fork.h"

#include "worker.h"

/* The join of a fork that was made into a task. */

/* Looks before a join sleeps, and for how long it does before it looks again for something to do. */
#ifdef VG_EXPLORE
enum { LOOKS = 1 }; /* each of which would be explored */
#else
enum { LOOKS = 64 };
#endif
enum { NAP_NS = 100000 };

/*
 * Runs a fork that was made within the job, by the worker that runs it. Only these: what else there is may
 * wait for what is below on this stack, or may take for ever.
 */
static bool help(struct vg_worker *worker, const struct vg_fork_job *job, struct vg_worker *runner)
{
    /* Pairs with the release in vg_fork_promote(): the slot, not the task that is in it by now. */
    struct vg_task *const task = vg_load(&runner->fork.offer, acquire);
    struct vg_fork_job *found;
    bool mine;

    /* Whatever task it is: the reference shows it whole. */
    if (task == NULL || !vg_task_try_ref(task))
        return false;
    found = (struct vg_fork_job *)(void *)task->root;
    mine = found->fut.ops == &vg_fork_ops && found->within == job && vg_fork_claim(found, worker);
    if (mine)
        vg_fork_run(found, worker);
    vg_task_unref(task);
    return mine;
}

static void nap(struct vg_fork_job *job, uint32_t state, struct vg_worker *worker)
{
    /* Release: nothing. Acquire: nothing; whoever sets DONE sees it, or has set it before. */
    if (state & VG_FORK_SLEEPS ||
        vg_cas(&job->state, &state, state | VG_FORK_SLEEPS, acq_rel, relaxed))
        vg_os_wait(&job->state, state | VG_FORK_SLEEPS, vg_exec_now(worker->exec) + NAP_NS);
}

static void wait_for(struct vg_fork_job *job, struct vg_worker *worker)
{
    unsigned looks = 0;
    uint32_t state;

    /* Pairs with the exchange in vg_fork_run(). */
    while ((state = vg_load(&job->state, acquire)) != VG_FORK_DONE) {
        struct vg_worker *const runner = &worker->exec->workers[state >> 8];

        if (help(worker, job, runner)) {
            looks = 0;
            continue;
        }
        if (looks++ % LOOKS == 0)
            (void)vg_fork_ask(runner);
        if (looks % LOOKS != 0)
            vg_pause();
        else
            nap(job, state, worker);
    }
}

void vg_fork_join_slow_(struct vg_forks *forks, uint32_t index)
{
    struct vg_worker *const worker = (struct vg_worker *)(void *)forks;
    struct vg_fork_job *const job = forks->noted[index].arg;

    forks->promoted = index; /* before it is run: that may fork too */
    if (vg_fork_claim(job, worker))
        job->run(job->arg);
    else
        wait_for(job, worker);
    vg_task_unref(vg_task_of_frame(job));
}
