/* SPDX-License-Identifier: MIT */
#include <vigil/fork.h>

struct loop {
    size_t grain;
    void (*body)(void *context, size_t begin, size_t end);
    void *context;
};

struct part {
    const struct loop *loop;
    size_t begin, end;
};

/* As deep as the length has bits. */
static void run_part(void *arg)
{
    struct part part = *(const struct part *)arg;
    struct part right = part, left = part;
    struct vg_fork fork;

    if (part.end - part.begin <= part.loop->grain) {
        part.loop->body(part.loop->context, part.begin, part.end);
        return;
    }
    left.end = right.begin = part.begin + (part.end - part.begin) / 2;
    vg_fork(&fork, run_part, &right);
    vg_fork_offer_(fork.forks);
    run_part(&left);
    vg_fork_join(&fork);
}

void vg_parallel_for(size_t begin, size_t end, size_t grain,
                     void (*body)(void *context, size_t begin, size_t end), void *context)
{
    const struct loop loop = {grain > 0 ? grain : 1, body, context};
    struct part all = {&loop, begin, end};

    if (begin < end)
        run_part(&all);
}
