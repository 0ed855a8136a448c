/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "../liveness/lab.h"
#include "../liveness/room.h"

/* What the tasks wait for, written out on request. */

struct parked {
    VG_FRAME(int);
    struct lab *lab;
    int rc;
    VG_ARMS(2) sel;
    struct vg_sleep nap, long_nap;
    struct holder child;
};

VG_ASYNC(parked)
{
    VG_BEGIN(f);
    holder(&f->child, f->lab, &f->lab->mutex, 0, 0);
    VG_AWAIT(f->rc,
             VG_SELECT(f->sel, VG_PARK(&f->child), VG_CANCEL(vg_sleep(&f->nap, VG_MSEC(10)))));
    VG_AWAIT(f->rc, vg_sleep(&f->long_nap, VG_MSEC(1000)));
    VG_AWAIT_CANCEL(f->rc, &f->child);
    VG_RETURN(0);
}

static struct parked *parked(struct parked *f, struct lab *lab)
{
    VG_SETUP(f, parked);
    f->lab = lab;
    return f;
}

static char *dump(struct vg_liveness *live, uint64_t task, int *rc)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    CHECK(out != NULL);
    *rc = vg_dump(live, task, out);
    CHECK_EQ(fclose(out), 0);
    return text;
}

struct first_task {
    const char *name;
    uint64_t id;
};

static bool note_task(struct vg_task *task, void *arg)
{
    struct first_task *found = (struct first_task *)arg;
    struct vg_task_info info;

    vg_task_info(task, &info);
    if (strcmp(info.name, found->name) == 0)
        found->id = info.id;
    return true;
}

static bool is_later(void *arg)
{
    return lab_ms((const struct lab *)arg) >= 50;
}

TEST(a_dump_shows_what_each_task_awaits_and_what_is_parked_beside_it)
{
    struct first_task found = {.name = "parked"};
    struct lab lab;
    char *text, idle[64];
    int rc;

    lab_open(&lab, 1, true);
    CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 500), 0);
    CHECK_EQ(VG_SPAWN(lab.exec, NULL, parked, &lab), 0);
    CHECK_EQ(sim_run(&lab.sim, lab.exec, is_later, &lab, VG_SEC(1)), 0);
    text = dump(lab.live, 0, &rc);
    CHECK_EQ(rc, 0);
    CHECK_STR(text, "\"holder\"");
    CHECK_STR(text, "\"parked\"");
    snprintf(idle, sizeof idle, "polled 1 times: idle for %llu ms\n",
             (unsigned long long)lab_ms(&lab));
    CHECK_STR(text, idle);
    snprintf(idle, sizeof idle, "polled 2 times: idle for %llu ms\n",
             (unsigned long long)lab_ms(&lab) - 10);
    CHECK_STR(text, idle);
    CHECK_STR(text, "PARKED");
    CHECK_STR(text, "waits for mutex \"L\"");
    CHECK_STR(text, "2 tasks\n");
    free(text);
    vg_exec_each_task(lab.exec, note_task, &found);
    text = dump(lab.live, found.id, &rc);
    CHECK_EQ(rc, 0);
    CHECK_STR(text, "\"parked\"");
    CHECK(strstr(text, "spawned at") != NULL && strstr(text, "2 tasks") == NULL);
    free(text);
    text = dump(lab.live, 12345679, &rc);
    CHECK_EQ(rc, -ESRCH);
    CHECK_EQ(strlen(text), 0);
    free(text);
    lab_close(&lab);
}

/* Waits for the lock with a buffer that is large for a frame. */
struct large {
    VG_FRAME(int);
    struct lab *lab;
    struct vg_lock lock;
    char buffer[5000];
};

VG_ASYNC(large)
{
    VG_BEGIN(f);
    f->buffer[0] = 0;
    VG_TRY(f->ret, vg_lock(&f->lock, &f->lab->mutex));
    vg_unlock(&f->lab->mutex);
    VG_RETURN(0);
}

static struct large *large(struct large *f, struct lab *lab)
{
    VG_SETUP(f, large);
    f->lab = lab;
    return f;
}

TEST(a_dump_says_who_has_what_is_waited_for_and_which_functions_are_large)
{
    struct lab lab;
    char *text, size[32];
    int rc;

    lab_open(&lab, 1, true);
    CHECK_EQ(VG_SPAWN(lab.exec, NULL, holder, &lab, &lab.mutex, 0, 500), 0);
    CHECK_EQ(sim_run(&lab.sim, lab.exec, is_later, &lab, VG_MSEC(60)), -ETIME);
    CHECK_EQ(VG_SPAWN(lab.exec, NULL, large, &lab), 0);
    CHECK_EQ(sim_run(&lab.sim, lab.exec, lab_is_empty, &lab, VG_MSEC(10)), -ETIME);
    text = dump(lab.live, 0, &rc);
    CHECK_EQ(rc, 0);
    CHECK_STR(text, "vg_lock  waits for mutex \"L\" of task out.1\n");
    snprintf(size, sizeof size, "  LARGE: %zu bytes", sizeof(struct large));
    CHECK_STR(text, size);
    CHECK(strstr(strstr(text, "LARGE") + 1, "LARGE") == NULL);
    free(text);
    CHECK_EQ(sim_run(&lab.sim, lab.exec, lab_is_empty, &lab, VG_SEC(5)), 0);
    lab_silent(&lab);
    lab_close(&lab);
}

TEST(without_tasks_and_without_an_executor_there_is_nothing)
{
    struct vg_liveness *live;
    char *text;
    int rc;

    CHECK_EQ(vg_liveness_open(&live, NULL), 0);
    text = dump(live, 0, &rc);
    CHECK_EQ(rc, 0);
    CHECK_EQ(strcmp(text, "0 tasks\n"), 0);
    free(text);
    vg_liveness_close(live);
}

/* ---- on a signal ---------------------------------------------------------------------------------- */

struct waiter {
    VG_FRAME(int);
    struct vg_forever never;
};

VG_ASYNC(waiter)
{
    VG_BEGIN(f);
    VG_AWAIT(f->ret, vg_forever(&f->never));
    VG_RETURN(f->ret);
}

static struct waiter *waiter(struct waiter *f)
{
    VG_SETUP(f, waiter);
    return f;
}

static bool file_has(const char *path, const char *text)
{
    char data[4096];
    FILE *file = fopen(path, "r");
    size_t n;

    CHECK(file != NULL);
    n = fread(data, 1, sizeof data - 1, file);
    fclose(file);
    data[n] = '\0';
    return strstr(data, text) != NULL;
}

TEST(a_signal_has_everything_written_to_stderr)
{
    struct vg_liveness_config watch = VG_LIVENESS_INIT;
    struct vg_config config = VG_CONFIG_INIT;
    struct vg_liveness *live, *second;
    char path[] = "/tmp/vigil-dump-XXXXXX";
    struct vg_handle handle;
    struct vg_exec *exec;
    const int fd = mkstemp(path), saved = dup(STDERR_FILENO);

    CHECK(fd >= 0 && saved >= 0);
    watch.dump_signal = SIGUSR1;
    CHECK_EQ(vg_liveness_open(&live, &watch), 0);
    CHECK_EQ(vg_liveness_open(&second, &watch), -EBUSY);
    CHECK(second == NULL);
    config.probe = vg_liveness_probe(live);
    config.workers = 1;
    CHECK_EQ(vg_exec_open(&exec, &config), 0);
    CHECK_EQ(VG_SPAWN(exec, &handle, waiter), 0);
    CHECK(dup2(fd, STDERR_FILENO) >= 0);
    usleep(300000); /* all are asleep, the watchdog included */
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
    while (!file_has(path, "1 tasks\n"))
        usleep(1000);
    CHECK(dup2(saved, STDERR_FILENO) >= 0);
    CHECK(file_has(path, "\"waiter\""));
    vg_task_cancel(&handle);
    vg_task_release(&handle);
    CHECK_EQ(vg_exec_close(exec, VG_SEC(5)), 0);
    vg_liveness_close(live);
    CHECK_EQ(vg_liveness_open(&live, &watch), 0); /* it is free again */
    vg_liveness_close(live);
    watch.dump_signal = SIGKILL;
    CHECK_EQ(vg_liveness_open(&live, &watch), -EINVAL);
    close(fd);
    close(saved);
    unlink(path);
}
