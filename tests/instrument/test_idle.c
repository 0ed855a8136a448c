/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vigil/async.h>
#include <vigil/exec.h>
#include <vigil/liveness.h>
#include <vigil/time.h>
#include <vigil/uring.h>

#include "harness.h"
#include "instrument/live.h"

/* A program that waits costs nothing, instruments included: its threads sleep, and are not woken. */

struct waiting {
    VG_FRAME(int);
    struct vg_sleep nap;
};

VG_ASYNC(waiting)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_SEC(3600)));
    VG_RETURN(0);
}

static struct waiting *waiting(struct waiting *f)
{
    VG_SETUP(f, waiting);
    return f;
}

struct usage {
    uint64_t cpu, switches;
};

/* Sanitizers have threads of their own. */
static bool is_ours(const char *thread)
{
    char path[64], name[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "/proc/self/task/%.16s/comm", thread);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    CHECK(fgets(name, sizeof name, file) != NULL);
    fclose(file);
    return strncmp(name, "vigil-", 6) == 0;
}

/* Of the workers and the watchdog. */
static struct usage measure(void)
{
    DIR *dir = opendir("/proc/self/task");
    struct usage usage = {0, 0};
    const struct dirent *entry;
    unsigned threads = 0;

    CHECK(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        const int thread = atoi(entry->d_name);
        struct vg_os_look look;

        if (thread == 0 || !is_ours(entry->d_name) || !vg_os_look_at(thread, &look))
            continue;
        threads++;
        usage.cpu += vg_os_cpu_time_of(thread);
        usage.switches += look.switches;
    }
    closedir(dir);
    CHECK_EQ(threads, 3);
    return usage;
}

/* How often threads of the executor were given a processor in that time. */
static uint64_t count_switches(unsigned seconds)
{
    const struct usage before = measure();
    struct usage after;

    sleep(seconds);
    after = measure();
    printf("%u s: %llu us of CPU time, %llu switches\n", seconds,
           (unsigned long long)(after.cpu - before.cpu) / 1000,
           (unsigned long long)(after.switches - before.switches));
    return after.switches - before.switches;
}

/* A worker may return from its sleep for no reason, and then the watchdog is awake for a while. */
TEST(the_threads_of_an_idle_executor_are_not_woken)
{
    struct vg_config config = VG_CONFIG_INIT;
    const unsigned seconds = test_long() ? 10 : 1;
    struct vg_driver *driver;
    struct vg_liveness *live;
    struct vg_exec *exec;
    uint64_t switches;

    CHECK_EQ(vg_uring_open(&driver, NULL, &vg_alloc_default), 0);
    CHECK_EQ(vg_liveness_open(&live, NULL), 0);
    config.workers = 2;
    config.driver = driver;
    config.probe = vg_liveness_probe(live);
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(VG_SPAWN(exec, NULL, waiting), 0);
    while (vg_exec_busy(exec) || !vg_load(&live->watchdog.asleep, acquire))
        usleep(1000);
    switches = count_switches(seconds);
    for (unsigned tries = 1; tries < 5 && switches >= 5 * seconds; tries++)
        switches = count_switches(seconds);
    CHECK(switches < 5 * seconds);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    vg_liveness_close(live);
    vg_uring_close(driver);
}
