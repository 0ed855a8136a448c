/* SPDX-License-Identifier: MIT */
/* Another thread wakes a loop by uv_async_send(), and sleeps until the loop has posted a semaphore. One loop only. */
#include "loops.h"

struct parked {
    uv_loop_t loop;
    uv_async_t async;
    uv_sem_t answer;
    uint64_t left;
};

static void woken(uv_async_t *async)
{
    struct parked *parked = (struct parked *)async->data;

    if (--parked->left == 0)
        uv_close((uv_handle_t *)async, NULL);
    uv_sem_post(&parked->answer);
}

static void serve(void *arg)
{
    struct parked *parked = (struct parked *)arg;

    uv_must(uv_run(&parked->loop, UV_RUN_DEFAULT), "uv_run");
}

struct peer_run wake_parked(unsigned workers)
{
    struct parked parked = {.left = peer_count(20000)};
    const uint64_t rounds = parked.left;
    struct peer_run run;
    uv_thread_t thread;

    (void)workers;
    uv_must(uv_loop_init(&parked.loop), "uv_loop_init");
    uv_must(uv_async_init(&parked.loop, &parked.async, woken), "uv_async_init");
    uv_must(uv_sem_init(&parked.answer, 0), "uv_sem_init");
    parked.async.data = &parked;
    uv_must(uv_thread_create(&thread, serve, &parked), "uv_thread_create");
    peer_begin(&run);
    for (uint64_t i = 0; i < rounds; i++) {
        uv_must(uv_async_send(&parked.async), "uv_async_send");
        uv_sem_wait(&parked.answer);
    }
    peer_end(&run, rounds);
    uv_must(uv_thread_join(&thread), "uv_thread_join");
    uv_must(uv_loop_close(&parked.loop), "uv_loop_close");
    uv_sem_destroy(&parked.answer);
    return run;
}
