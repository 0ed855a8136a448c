/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include <vigil/io.h>
#include <vigil/notify.h>
#include <vigil/uring.h>

#include "real_case.h"
#include "vg_fault.h"
#include "vg_sanitizer.h"

/*
 * Cases of the corpus that a sound scheduler does not have: their programs are the look-alikes. The faults are put into
 * it by fault points, which only debug builds have.
 */

#if VG_FAULTS
static VG_ATOMIC(const char *) broken; /* a fault point */

static int break_one(const char *name)
{
    const char *point = vg_load(&broken, acquire);

    return point != NULL && strcmp(name, point) == 0;
}

static void install(const char *name)
{
    vg_store(&broken, name, release);
    vg_fault_install(break_one);
}
#endif

/* ---- lifo-pingpong-starves-queue ------------------------------------------------------------- */

struct court {
    struct vg_notifier side[2];
    VG_ATOMIC(uint32_t) stop;
    VG_ATOMIC(uint32_t) ticks;
};

struct player {
    VG_FRAME(int);
    struct court *court;
    unsigned side;
    struct vg_notified notified;
};

VG_ASYNC(player)
{
    VG_BEGIN(f);
    while (!vg_load(&f->court->stop, relaxed)) {
        vg_notify_one(&f->court->side[!f->side]);
        VG_AWAIT(f->ret, vg_notified(&f->notified, &f->court->side[f->side]));
    }
    vg_notify_one(&f->court->side[!f->side]);
    VG_RETURN(0);
}

static struct player *player(struct player *f, struct court *court, unsigned side)
{
    VG_SETUP(f, player);
    f->court = court;
    f->side = side;
    return f;
}

struct onlooker {
    VG_FRAME(int);
    struct court *court;
    struct vg_yield yield;
};

VG_ASYNC(onlooker)
{
    VG_BEGIN(f);
    while (!vg_load(&f->court->stop, relaxed)) {
        vg_fetch_add(&f->court->ticks, 1, acq_rel);
        VG_AWAIT(f->ret, vg_yield(&f->yield));
    }
    VG_RETURN(0);
}

static struct onlooker *onlooker(struct onlooker *f, struct court *court)
{
    VG_SETUP(f, onlooker);
    f->court = court;
    return f;
}

static void play_court(struct room *room, struct court *court)
{
    *court = (struct court){.stop = 0};
    for (unsigned i = 0; i < 2; i++)
        vg_notifier_init(&court->side[i], "side");
    room_open(room, 1, true);
    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(VG_SPAWN(room->exec, NULL, player, court, i), 0);
    CHECK_EQ(VG_SPAWN(room->exec, NULL, onlooker, court), 0);
}

static void end_court(struct room *room, struct court *court)
{
    vg_store(&court->stop, 1, relaxed);
    wait_until_empty(room);
    room_close(room);
    for (unsigned i = 0; i < 2; i++)
        vg_notifier_fini(&court->side[i]);
}

TEST(lifo_pingpong_starves_queue)
{
    struct court court;
    struct room room;

#if VG_FAULTS
    const uint64_t since = vg_os_now();

    install("lifo");
    play_court(&room, &court);
    wait_for(&room.reports[VG_VERDICT_TASK_STARVED], 1);
    print_case("lifo-pingpong-starves-queue", &room, since);
    end_court(&room, &court);
    install(NULL);
    CHECK_EQ(total(&room), 1);
    CHECK_STR(room.seen[0].text, "\"onlooker\"");
    CHECK_STR(room.seen[0].text, "first in the run queue of worker 0");
#endif
    play_court(&room, &court);
    wait_for(&court.ticks, VG_TSAN || VG_ASAN ? 50000 : 2000000);
    end_court(&room, &court);
    check_silent(&room);
}

/* ---- lifo-slot-behind-long-poll -------------------------------------------------------------- */

enum { WORKERS = 3 };

struct pocket_scene {
    struct vg_notifier notifier;
    VG_ATOMIC(uint32_t) waits, release, marked;
};

struct sleeper {
    VG_FRAME(int);
    struct pocket_scene *scene;
    struct vg_notified notified;
};

VG_ASYNC(sleeper)
{
    VG_BEGIN(f);
    vg_store(&f->scene->waits, 1, release);
    VG_AWAIT(f->ret, vg_notified(&f->notified, &f->scene->notifier));
    vg_store(&f->scene->marked, 1, release);
    VG_RETURN(0);
}

static struct sleeper *sleeper(struct sleeper *f, struct pocket_scene *scene)
{
    VG_SETUP(f, sleeper);
    f->scene = scene;
    return f;
}

struct hog {
    VG_FRAME(int);
    struct pocket_scene *scene;
    bool computes;
};

VG_ASYNC(hog)
{
    VG_BEGIN(f);
    vg_notify_one(&f->scene->notifier);
    while (f->computes && !vg_load(&f->scene->release, acquire))
        ;
    VG_RETURN(0);
}

static struct hog *hog(struct hog *f, struct pocket_scene *scene, bool computes)
{
    VG_SETUP(f, hog);
    f->scene = scene;
    f->computes = computes;
    return f;
}

static void play_pocket(struct room *room, struct pocket_scene *scene, bool computes)
{
    *scene = (struct pocket_scene){.waits = 0};
    vg_notifier_init(&scene->notifier, "bell");
    room_open(room, WORKERS, true);
    CHECK_EQ(VG_SPAWN(room->exec, NULL, sleeper, scene), 0);
    wait_for(&scene->waits, 1);
    CHECK_EQ(VG_SPAWN(room->exec, NULL, hog, scene, computes), 0);
}

static void end_pocket(struct room *room, struct pocket_scene *scene)
{
    vg_store(&scene->release, 1, release);
    wait_until_empty(room);
    room_close(room);
    vg_notifier_fini(&scene->notifier);
}

TEST(lifo_slot_behind_long_poll)
{
    struct pocket_scene scene;
    struct room room;

#if VG_FAULTS
    const uint64_t since = vg_os_now();

    install("rescue");
    play_pocket(&room, &scene, true);
    wait_for(&room.reports[VG_VERDICT_TASK_STARVED], 1);
    end_pocket(&room, &scene);
    install(NULL);
    CHECK_EQ(room.reports[VG_VERDICT_TASK_STARVED], 1);
    CHECK_EQ(total(&room) - 1, room.reports[VG_VERDICT_BLOCKED_WORKER]);
    for (unsigned i = 0; i < room.count; i++)
        if (room.seen[i].report.verdict == VG_VERDICT_TASK_STARVED) {
            print_report("lifo-slot-behind-long-poll", &room.seen[i], since);
            CHECK_STR(room.seen[i].text, "\"sleeper\"");
            CHECK_STR(room.seen[i].text, "in the private slot of worker");
            CHECK_STR(room.seen[i].text, "\"hog\"");
        }
#endif
    play_pocket(&room, &scene,
                true); /* the long poll is a fault; the task that waited is rescued */
    wait_for(&scene.marked, 1);
    end_pocket(&room, &scene);
    CHECK_EQ(room.reports[VG_VERDICT_TASK_STARVED], 0);
    play_pocket(&room, &scene, false);
    wait_for(&scene.marked, 1);
    end_pocket(&room, &scene);
    check_silent(&room);
}

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
