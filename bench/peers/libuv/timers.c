/* SPDX-License-Identifier: MIT */
#include "loops.h"

/* timers_fire: the timers of a loop lie in one array, which is there, and has been written to, before. */

static void make_timers(struct worker *worker)
{
    uv_timer_t *timers = (uv_timer_t *)uv_zeroed(worker->share + 1, sizeof *timers);

    for (uint64_t i = 0; i < worker->share; i++)
        uv_must(uv_timer_init(&worker->loop, &timers[i]), "uv_timer_init");
    worker->own = timers;
}

static void fired(uv_timer_t *timer)
{
    uint64_t *count = (uint64_t *)timer->data;

    ++*count;
}

static void fire(struct worker *worker)
{
    uv_timer_t *timers = (uv_timer_t *)worker->own;
    uint64_t x = PEER_SLEEPS, count = 0;

    for (uint64_t i = 0; i < worker->first; i++)
        (void)peer_sleep_ms(&x); /* those of the loops before */
    uv_update_time(&worker->loop);
    for (uint64_t i = 0; i < worker->share; i++) {
        timers[i].data = &count;
        uv_must(uv_timer_start(&timers[i], fired, peer_sleep_ms(&x), 0), "uv_timer_start");
    }
    uv_must(uv_run(&worker->loop, UV_RUN_DEFAULT), "uv_run");
    peer_check("timers that fired", count, worker->share);
    for (uint64_t i = 0; i < worker->share; i++)
        uv_close((uv_handle_t *)&timers[i], NULL);
}

struct peer_run timers_fire(unsigned workers)
{
    return run_loops(workers, peer_count(1000000), make_timers, fire);
}

/* timer_cancel: a timer is started, the loop takes a turn, and the timer is stopped before it is due. */

struct turn {
    uv_idle_t idle;
    uv_timer_t timer;
    uint64_t left;
};

static void too_late(uv_timer_t *timer)
{
    (void)timer;
    peer_die("stopping a timer in time");
}

static void start_timer(struct turn *turn)
{
    uv_must(uv_timer_start(&turn->timer, too_late, 10000, 0), "uv_timer_start");
}

static void next_turn(uv_idle_t *idle)
{
    struct turn *turn = (struct turn *)idle->data;

    uv_must(uv_timer_stop(&turn->timer), "uv_timer_stop");
    if (--turn->left == 0)
        uv_must(uv_idle_stop(idle), "uv_idle_stop");
    else
        start_timer(turn);
}

static void prepare(struct worker *worker)
{
    struct turn *turn = (struct turn *)uv_zeroed(1, sizeof *turn);

    worker->own = turn;
    turn->idle.data = turn;
    turn->left = worker->share;
    uv_must(uv_idle_init(&worker->loop, &turn->idle), "uv_idle_init");
    uv_must(uv_timer_init(&worker->loop, &turn->timer), "uv_timer_init");
}

static void cancel(struct worker *worker)
{
    struct turn *turn = (struct turn *)worker->own;

    if (turn->left > 0) {
        start_timer(turn);
        uv_must(uv_idle_start(&turn->idle, next_turn), "uv_idle_start");
    }
    uv_must(uv_run(&worker->loop, UV_RUN_DEFAULT), "uv_run");
    peer_check("turns left", turn->left, 0);
    uv_close((uv_handle_t *)&turn->idle, NULL);
    uv_close((uv_handle_t *)&turn->timer, NULL);
}

struct peer_run timer_cancel(unsigned workers)
{
    return run_loops(workers, peer_count(1000000), prepare, cancel);
}
