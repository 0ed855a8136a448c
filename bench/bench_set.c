/* SPDX-License-Identifier: MIT */
/*
 * set/N: a set of N futures, each of which is woken again and again and stays in the set. Its task takes wakes in one go until
 * its budget is used up; an operation is one wake and the poll of the child that it leads to, from 1 to a million
 * children. set_next: a child that ends at once is pushed and taken out.
 */
#include <stdlib.h>

#include <vigil/set.h>
#include <vigil/time.h>

#include "runner.h"

/* Ends after so many yields. */
struct member {
    struct vg_set_item item;
    struct yielder stay;
};

struct many {
    VG_FRAME(int);
    struct member *member;
    int64_t members, times;
    struct vg_set set;
    struct vg_set_next next;
};

VG_ASYNC(many)
{
    VG_BEGIN(f);
    int rc;

    vg_set_init(&f->set);
    for (int64_t i = 0; i < f->members; i++)
        VG_SET_PUSH(&f->set, &f->member[i].item, yielder(&f->member[i].stay, f->times));
    for (rc = 0; rc == 0;)
        VG_AWAIT(rc, vg_set_next(&f->next, &f->set));
    VG_RETURN(rc == -ENOENT ? 0 : rc);
}

static struct many *many(struct many *f, struct member *member, int64_t members, int64_t times)
{
    VG_SETUP(f, many);
    f->member = member;
    f->members = members;
    f->times = times;
    return f;
}

static void set(struct bench_run *run, int64_t members)
{
    const int64_t total = bench_scaled(run, 4000000);
    const int64_t times = total > members ? total / members : 1;
    struct member *const member = malloc((size_t)members * sizeof *member);
    struct vg_exec *exec = bench_open(run);
    struct many root;

    if (member == NULL)
        bench_fail(run, "malloc");
    while (exec != NULL && member != NULL && bench_next(run, members * times))
        if (!bench_batch(run, exec, &many(&root, member, members, times)->fut))
            break;
    bench_close(exec);
    free(member);
}

struct through {
    VG_FRAME(int);
    int64_t left;
    struct member member;
    struct vg_set set;
    struct vg_set_next next;
};

VG_ASYNC(through)
{
    VG_BEGIN(f);
    int rc;

    vg_set_init(&f->set);
    for (rc = 0; f->left > 0 && rc == 0; f->left--) {
        VG_SET_PUSH(&f->set, &f->member.item, yielder(&f->member.stay, 0));
        VG_AWAIT(rc, vg_set_next(&f->next, &f->set));
    }
    VG_RETURN(rc);
}

static struct through *through(struct through *f, int64_t times)
{
    VG_SETUP(f, through);
    f->left = times;
    return f;
}

static void set_next(struct bench_run *run, int64_t arg)
{
    const int64_t times = bench_scaled(run, 4000000);
    struct vg_exec *exec = bench_open(run);
    struct through root;

    (void)arg;
    while (exec != NULL && bench_next(run, times))
        if (!bench_batch(run, exec, &through(&root, times)->fut))
            break;
    bench_close(exec);
}

const struct bench bench_set[] = {
    {"set/1", set, 1, 1},         {"set/100", set, 100, 1},         {"set/1000", set, 1000, 1},
    {"set/10000", set, 10000, 1}, {"set/1000000", set, 1000000, 1}, {"set_next", set_next, 0, 1},
    {NULL, NULL, 0, 0},
};
