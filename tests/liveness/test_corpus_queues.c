/* SPDX-License-Identifier: MIT */
#include <vigil/notify.h>

#include "break.h"
#include "vg_sanitizer.h"

/* Cases of the corpus in which a task is queued and not run. */

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
    CHECK_EQ(room.ends, 1);
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
        if (room.seen[i].report.verdict == VG_VERDICT_TASK_STARVED && !room.seen[i].report.ended) {
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
