/* SPDX-License-Identifier: MIT */
#include "loops.h"

#include <stdio.h>

struct start {
    struct worker worker;
    void (*work)(struct worker *);
};

void uv_must(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
    exit(1);
}

void *uv_zeroed(size_t number, size_t size)
{
    void *memory = calloc(number, size);

    if (memory == NULL)
        peer_die("calloc");
    return memory;
}

static void enter(void *arg)
{
    struct start *start = (struct start *)arg;

    start->work(&start->worker);
}

static void finish(struct worker *worker)
{
    uv_must(uv_run(&worker->loop, UV_RUN_DEFAULT), "what was closed");
    uv_must(uv_loop_close(&worker->loop), "uv_loop_close");
    free(worker->own);
}

struct peer_run run_loops(unsigned workers, uint64_t ops, void (*prepare)(struct worker *),
                          void (*work)(struct worker *))
{
    struct start *start = (struct start *)uv_zeroed(workers, sizeof *start);
    struct peer_run run;

    for (unsigned i = 0; i < workers; i++) {
        struct worker *worker = &start[i].worker;

        start[i].work = work;
        worker->first = ops * i / workers;
        worker->share = ops * (i + 1) / workers - worker->first;
        uv_must(uv_loop_init(&worker->loop), "uv_loop_init");
        if (prepare != NULL)
            prepare(worker);
    }
    peer_begin(&run);
    for (unsigned i = 0; i < workers; i++)
        uv_must(uv_thread_create(&start[i].worker.thread, enter, &start[i]), "uv_thread_create");
    for (unsigned i = 0; i < workers; i++)
        uv_must(uv_thread_join(&start[i].worker.thread), "uv_thread_join");
    peer_end(&run, ops);
    for (unsigned i = 0; i < workers; i++)
        finish(&start[i].worker);
    free(start);
    return run;
}

int main(int argc, char **argv)
{
    static const struct peer_bench benches[] = {
        {"timers_fire", timers_fire},
        {"timer_cancel", timer_cancel},
        {"wake_parked", wake_parked},
        {NULL, NULL},
    };

    return peer_main(argc, argv, benches, echo);
}
