/* SPDX-License-Identifier: MIT */
/*
 * watch_get: vg_watch_get() of a word. watch_version: vg_watch_version(). watch_changed: a change, and a task that waits for
 * it. token_cancelled: vg_token_cancelled(). token_child: a child is made and ended below a token with 1000 others.
 */
#include <vigil/async.h>
#include <vigil/time.h>
#include <vigil/token.h>
#include <vigil/watch.h>

#include "runner.h"

static void watch_get(struct bench_run *run, int64_t arg)
{
    uint64_t value = 1, read;
    struct vg_watch watch;

    (void)arg;
    vg_watch_init(&watch, "bench", &value);
    BENCH_REPEAT (run)
        if (vg_watch_get(&watch, &read) != 1)
            bench_fail(run, "vg_watch_get");
    vg_watch_fini(&watch);
}

static void watch_version(struct bench_run *run, int64_t arg)
{
    uint64_t value = 1;
    struct vg_watch watch;

    (void)arg;
    vg_watch_init(&watch, "bench", &value);
    BENCH_REPEAT (run)
        if (vg_watch_version(&watch) != 1)
            bench_fail(run, "vg_watch_version");
    vg_watch_fini(&watch);
}

struct reader {
    VG_FRAME(int);
    struct vg_watch *watch;
    uint64_t seen, value;
    struct vg_watch_changed change;
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    do {
        VG_AWAIT(f->ret, vg_watch_changed(&f->change, f->watch, &f->seen, &f->value));
    } while (f->ret == 0);
    VG_RETURN(f->ret);
}

static struct reader *reader(struct reader *f, struct vg_watch *watch)
{
    VG_SETUP(f, reader);
    f->watch = watch;
    f->seen = 0;
    return f;
}

struct writer {
    VG_FRAME(int);
    int64_t left;
    uint64_t value;
    struct vg_watch watch;
    struct vg_yield yield;
    struct vg_task_wait wait;
    struct vg_handle reader;
};

VG_ASYNC(writer)
{
    VG_BEGIN(f);
    int rc = VG_SPAWN(vg_exec_current(), &f->reader, reader, &f->watch);

    VG_ASSERT(rc == 0);
    for (; f->left > 0; f->left--) {
        rc = vg_watch_set(&f->watch, &f->left);
        VG_ASSERT(rc == 0);
        VG_AWAIT(rc, vg_yield(&f->yield));
    }
    vg_watch_close(&f->watch);
    VG_AWAIT(rc, vg_task_wait(&f->wait, &f->reader));
    vg_task_release(&f->reader);
    vg_watch_fini(&f->watch);
    VG_RETURN(0);
}

static struct writer *writer(struct writer *f, int64_t times)
{
    VG_SETUP(f, writer);
    vg_watch_init(&f->watch, "bench", &f->value);
    f->left = times;
    return f;
}

static void watch_changed(struct bench_run *run, int64_t arg)
{
    struct vg_exec *exec = bench_open(run);
    struct writer root;

    (void)arg;
    while (exec != NULL && bench_next(run, BENCH_BATCH))
        if (!bench_batch(run, exec, &writer(&root, BENCH_BATCH)->fut))
            break;
    bench_close(exec);
}

static void token_cancelled(struct bench_run *run, int64_t arg)
{
    struct vg_token token;

    (void)arg;
    vg_token_init(&token, "bench");
    BENCH_REPEAT (run)
        if (vg_token_cancelled(&token))
            bench_fail(run, "vg_token_cancelled");
    vg_token_fini(&token);
}

static void token_child(struct bench_run *run, int64_t arg)
{
    enum { OTHERS = 1000 };
    static struct vg_token root, other[OTHERS];
    struct vg_token child;

    (void)arg;
    vg_token_init(&root, "bench");
    for (int i = 0; i < OTHERS; i++)
        vg_token_init_child(&other[i], NULL, &root);
    BENCH_REPEAT (run) {
        vg_token_init_child(&child, NULL, &root);
        vg_token_fini(&child);
    }
    for (int i = 0; i < OTHERS; i++)
        vg_token_fini(&other[i]);
    vg_token_fini(&root);
}

const struct bench bench_watch[] = {
    {"watch_get", watch_get, 0, 1},         {"watch_version", watch_version, 0, 1},
    {"watch_changed", watch_changed, 0, 1}, {"token_cancelled", token_cancelled, 0, 1},
    {"token_child", token_child, 0, 1},     {NULL, NULL, 0, 0},
};
