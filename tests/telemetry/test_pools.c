/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include <vigil/pool.h>

#include "tasks.h"

/* The figures of pools of threads. */

static VG_ATOMIC(uint32_t) open_gate;

static int wait_at_gate(void *arg)
{
    (void)arg;
    while (vg_load(&open_gate, acquire) == 0)
        usleep(1000);
    return 0;
}

struct caller {
    VG_FRAME(int);
    struct vg_pool *pool;
    struct vg_spawn_blocking call;
};

VG_ASYNC(caller)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_spawn_blocking(&f->call, f->pool, wait_at_gate, NULL));
    VG_RETURN(f->ret);
}

static struct caller *caller(struct caller *f, struct vg_pool *pool)
{
    VG_SETUP(f, caller);
    f->pool = pool;
    return f;
}

TEST(the_pools_that_were_named_are_on_the_page_of_metrics)
{
    const struct vg_pool_config small = {.name = "files", .threads_max = 1};
    struct vg_telemetry_config config = {.page_max = 0};
    struct vg_pool *pool[2];
    struct vg_handle handle[3];
    struct place place;
    char *page;

    for (unsigned i = 0; i < 2; i++)
        CHECK_EQ(vg_pool_open(&pool[i], &small), 0);
    room_open(&place.room, 2, true);
    config.pools = pool;
    config.pools_count = 2;
    CHECK_EQ(vg_telemetry_open(&place.telemetry, place.room.live, "127.0.0.1:0", &config), 0);
    place.address = vg_telemetry_address(place.telemetry);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(VG_SPAWN(place.room.exec, &handle[i], caller, pool[0]), 0);
    free(get_until_both(place.address, "/metrics", "\nvigil_pool_waiting_calls{pool=\"files\"} 2\n",
                        "\nvigil_pool_threads{pool=\"files\",state=\"busy\"} 1\n"));
    vg_store(&open_gate, 1, release);
    page = get_until(place.address, "/metrics",
                     "\nvigil_pool_calls_total{pool=\"files\",outcome=\"ended\"} 3\n");
    CHECK_STR(page, "\nvigil_pool_threads{pool=\"files#2\",state=\"busy\"} 0\n");
    CHECK_STR(page, "\nvigil_pool_calls_total{pool=\"files#2\",outcome=\"ended\"} 0\n");
    CHECK_STR(page, "\nvigil_pool_wait_time_seconds_total{pool=\"files\"} ");
    CHECK_STR(page, "\nvigil_pool_run_time_max_seconds{pool=\"files\"} ");
    free(page);
    end_tasks(handle, 3);
    place_close(&place);
    for (unsigned i = 0; i < 2; i++)
        vg_pool_close(pool[i]);
}

TEST(more_pools_than_there_is_room_for_are_refused)
{
    const struct vg_telemetry_config config = {.pools_count = VG_TELEMETRY_POOLS + 1};
    struct vg_telemetry *telemetry;
    struct room room;

    room_open(&room, 1, true);
    CHECK_EQ(vg_telemetry_open(&telemetry, room.live, "127.0.0.1:0", &config), -EINVAL);
    CHECK(telemetry == NULL);
    room_close(&room);
}
