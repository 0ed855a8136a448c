/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "tasks.h"

/* Scraped without pause while tasks are spawned, woken, migrate and end, and their slots are used again. */

struct errand {
    VG_FRAME(int);
    struct room *room;
    unsigned turns;
    VG_ARMS(2) sel;
    struct vg_lock lock;
    struct vg_yield yield;
    struct vg_sleep nap;
};

VG_ASYNC(errand)
{
    VG_BEGIN(f);
    for (; f->turns > 0; f->turns--) {
        VG_AWAIT(f->ret, VG_SELECT(f->sel, VG_KEEP(vg_lock(&f->lock, &f->room->mutex)),
                                   VG_CANCEL(vg_yield(&f->yield))));
        VG_AWAIT(f->ret, &f->lock);
        if (f->lock.ret == 0)
            vg_unlock(&f->room->mutex);
        VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_USEC(1)));
    }
    VG_RETURN(0);
}

static struct errand *errand(struct errand *f, struct room *room, unsigned turns)
{
    VG_SETUP(f, errand);
    f->room = room;
    f->turns = turns;
    return f;
}

struct scraper {
    pthread_t thread;
    const char *address, *paths[2];
    VG_ATOMIC(uint32_t) *stop;
    unsigned scrapes;
};

static void *scrape(void *arg)
{
    struct scraper *scraper = (struct scraper *)arg;

    do {
        char *response = get(scraper->address, scraper->paths[scraper->scrapes++ % 2]);

        CHECK_EQ(status_of(response), 200);
        CHECK(strlen(body_of(response)) > 0);
        free(response);
    } while (!vg_load(scraper->stop, acquire));
    return NULL;
}

TEST(scrapes_race_with_nothing_that_tasks_do)
{
    const unsigned tasks = test_long() ? 200000 : 20000;
    VG_ATOMIC(uint32_t) stop = 0;
    struct place place;
    struct scraper scraper[2] = {{.paths = {"/metrics", "/tasks"}, .stop = &stop},
                                 {.paths = {"/tasks.json", "/verdicts"}, .stop = &stop}};

    TEST_TIMEOUT(300);
    place_open(&place, 3);
    for (unsigned i = 0; i < 2; i++) {
        scraper[i].address = place.address;
        CHECK_EQ(pthread_create(&scraper[i].thread, NULL, scrape, &scraper[i]), 0);
    }
    for (unsigned i = 0; i < tasks; i++) {
        while (vg_exec_live(place.room.exec) > 2000)
            usleep(100);
        CHECK_EQ(VG_SPAWN(place.room.exec, NULL, errand, &place.room, 1 + i % 4), 0);
    }
    while (vg_exec_live(place.room.exec) > 0)
        usleep(1000);
    vg_store(&stop, 1, release);
    for (unsigned i = 0; i < 2; i++) {
        pthread_join(scraper[i].thread, NULL);
        CHECK(scraper[i].scrapes > 0);
    }
    CHECK_EQ(total(&place.room), 0);
    place_close(&place);
}

/* The executor is closed under a scrape: each page sees all of it or none. */
TEST(an_executor_may_be_closed_under_a_scrape)
{
    struct vg_config config = VG_CONFIG_INIT;
    VG_ATOMIC(uint32_t) stop = 0;
    struct vg_liveness *live;
    struct vg_telemetry *telemetry;
    struct vg_exec *exec;
    struct scraper scraper = {.paths = {"/tasks", "/metrics"}, .stop = &stop};

    CHECK_EQ(vg_liveness_open(&live, NULL), 0);
    CHECK_EQ(vg_telemetry_open(&telemetry, live, "127.0.0.1:0", NULL), 0);
    scraper.address = vg_telemetry_address(telemetry);
    CHECK_EQ(pthread_create(&scraper.thread, NULL, scrape, &scraper), 0);
    config.probe = vg_liveness_probe(live);
    config.workers = 2;
    config.alloc = &test_alloc;
    for (int round = 0; round < 50; round++) {
        struct vg_handle handle[20];

        CHECK_EQ(vg_exec_open(&exec, &config), 0);
        for (unsigned i = 0; i < 20; i++) {
            CHECK_EQ(VG_SPAWN(exec, &handle[i], sleeper), 0);
            vg_task_release(&handle[i]);
        }
        CHECK_EQ(vg_exec_close(exec, VG_SEC(60)), 0);
    }
    vg_store(&stop, 1, release);
    pthread_join(scraper.thread, NULL);
    vg_telemetry_close(telemetry);
    vg_liveness_close(live);
}
