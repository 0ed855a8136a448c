/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include <vigil/io.h>
#include <vigil/uring.h>

#include "break.h"

/* A case of the corpus in which timers and completions are there, and nobody comes to them. */

/* ---- ready-tasks-starve-io -------------------------------------------------------------------- */

struct busy_scene {
    struct room room;
    struct vg_driver *driver;
    int pair[2];
    VG_ATOMIC(uint32_t) stop, slept, received, spun;
};

struct spinner {
    VG_FRAME(int);
    struct busy_scene *scene;
    uint64_t until;
    struct vg_yield yield;
};

VG_ASYNC(spinner)
{
    VG_BEGIN(f);
    while (!vg_load(&f->scene->stop, relaxed)) {
        vg_fetch_add(&f->scene->spun, 1, acq_rel);
        for (f->until = vg_os_now() + VG_USEC(200); vg_os_now() < f->until;)
            ;
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static struct spinner *spinner(struct spinner *f, struct busy_scene *scene)
{
    VG_SETUP(f, spinner);
    f->scene = scene;
    return f;
}

struct timed {
    VG_FRAME(int);
    struct busy_scene *scene;
    struct vg_sleep nap;
};

VG_ASYNC(timed)
{
    VG_BEGIN(f);
    while (!vg_load(&f->scene->stop, relaxed)) {
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(10)));
        vg_fetch_add(&f->scene->slept, 1, acq_rel);
    }
    VG_RETURN(0);
}

static struct timed *timed(struct timed *f, struct busy_scene *scene)
{
    VG_SETUP(f, timed);
    f->scene = scene;
    return f;
}

struct reader {
    VG_FRAME(int);
    struct busy_scene *scene;
    char byte;
    struct vg_io io;
};

VG_ASYNC(reader)
{
    VG_BEGIN(f);
    for (f->ret = 1; f->ret == 1;) {
        VG_AWAIT(f->ret, vg_recv(&f->io, f->scene->pair[0], &f->byte, 1));
        if (f->ret == 1)
            vg_fetch_add(&f->scene->received, 1, acq_rel);
    }
    VG_RETURN(0);
}

static struct reader *reader(struct reader *f, struct busy_scene *scene)
{
    VG_SETUP(f, reader);
    f->scene = scene;
    return f;
}

static void send_byte(struct busy_scene *scene)
{
    char byte = 'x';

    CHECK_EQ(write(scene->pair[1], &byte, 1), 1);
}

static void open_busy(struct busy_scene *scene)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;

    memset(scene, 0, sizeof *scene);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, scene->pair), 0);
    watch.report = record;
    watch.arg = &scene->room;
    watch.to_stderr = false;
    CHECK_EQ(vg_liveness_open(&scene->room.live, &watch), 0);
    CHECK_EQ(vg_uring_open(&scene->driver, NULL, NULL), 0);
    config.workers = 1;
    config.driver = scene->driver;
    config.probe = vg_liveness_probe(scene->room.live);
    CHECK_EQ(vg_exec_open(&scene->room.exec, &config), 0);
    CHECK_EQ(VG_SPAWN(scene->room.exec, NULL, timed, scene), 0);
    CHECK_EQ(VG_SPAWN(scene->room.exec, NULL, reader, scene), 0);
    send_byte(scene);
    wait_for(&scene->received, 1);
    wait_for(&scene->slept,
             vg_load(&scene->slept, relaxed) + 2); /* both wait again, and the kernel knows */
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(VG_SPAWN(scene->room.exec, NULL, spinner, scene), 0);
    wait_for(&scene->spun, 8);
}

static void close_busy(struct busy_scene *scene)
{
    vg_store(&scene->stop, 1, relaxed);
    close(scene->pair[1]);
    wait_until_empty(&scene->room);
    CHECK_EQ(vg_exec_close(scene->room.exec, VG_SEC(60)), 0);
    vg_uring_close(scene->driver);
    vg_liveness_close(scene->room.live);
    close(scene->pair[0]);
}

TEST(ready_tasks_starve_io)
{
    static struct busy_scene scene;

#if VG_FAULTS
    const uint64_t since = vg_os_now();

    install(NULL);
    open_busy(&scene);
    install("advance");
    send_byte(&scene);
    wait_for(&scene.room.reports[VG_VERDICT_TIMER_LATE], 1);
    wait_for(&scene.room.reports[VG_VERDICT_IO_LATE], 1);
    print_case("ready-tasks-starve-io", &scene.room, since);
    install(NULL);
    close_busy(&scene);
    CHECK_EQ(total(&scene.room), 2);
    for (unsigned i = 0; i < scene.room.count; i++) {
        if (scene.room.seen[i].report.ended)
            continue;
        CHECK_STR(scene.room.seen[i].text, "worker 0");
        CHECK_STR(scene.room.seen[i].text, "polls meanwhile");
        if (scene.room.seen[i].report.verdict == VG_VERDICT_TIMER_LATE)
            CHECK_STR(scene.room.seen[i].text, "\"timed\"");
    }
#endif
    open_busy(&scene);
    send_byte(&scene);
    wait_for(&scene.received, 2);
    wait_for(&scene.slept, 20);
    close_busy(&scene);
    check_silent(&scene.room);
}
