/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "model.h"
#include "vg_sanitizer.h"

/* In --long twenty times as many. */
enum { PROGRAMS = VG_TSAN || VG_ASAN ? 1000 : 20000, STEPS = 20, KINDS = 32 };

/* How often each operation has ended well, and otherwise. */
struct tally {
    unsigned ops, well[KINDS], otherwise[KINDS];
};

static struct tally tally;

static const struct op *op_of(unsigned i)
{
    const struct {
        const struct op *ops;
        unsigned count;
    } parts[] = {{lock_ops, lock_ops_count},
                 {tube_ops, tube_ops_count},
                 {news_ops, news_ops_count},
                 {signal_ops, signal_ops_count},
                 {round_ops, round_ops_count}};

    for (unsigned part = 0; part < sizeof parts / sizeof *parts; i -= parts[part++].count)
        if (i < parts[part].count)
            return &parts[part].ops[i];
    FAIL("no such operation");
}

static const struct op *choose(struct actor *a)
{
    return op_of(draw(a, tally.ops));
}

static void count(const struct op *op, bool well)
{
    unsigned i = 0;

    while (op_of(i) != op)
        i++;
    if (well)
        tally.well[i]++;
    else
        tally.otherwise[i]++;
}

/* ---- the tasks ----------------------------------------------------------------------------------- */

static void end(struct actor *a)
{
    const int ret = vg_started(a->wait) ? *a->result : -ECANCELED;

    count(a->op, ret >= 0);
    a->wait = NULL;
    a->op->end(a, ret);
}

static uint64_t patience(struct actor *a)
{
    return VG_MSEC(draw(a, draw(a, 4) == 0 ? 60 : 6));
}

VG_ASYNC(actor)
{
    VG_BEGIN(f);
    for (f->step = 0; f->step < STEPS; f->step++) {
        f->op = choose(f);
        f->wait = f->op->begin(f);
        if (f->wait == NULL) {
            count(f->op, true);
        } else {
            VG_AWAIT(f->rc, vg_timeout_fut(&f->timeout, patience(f), f->wait));
            if (f->team.scoped)
                VG_AWAIT_CANCEL(f->rc, &f->team.scope);
            end(f);
        }
        if (draw(f, 3) == 0)
            VG_AWAIT(f->rc, vg_sleep(&f->nap, VG_MSEC(draw(f, 3))));
    }
    locks_let_go(f);
    f->model->actor[f->index] = NULL;
    VG_RETURN(0);
}

static struct actor *actor(struct actor *f, struct model *model, unsigned index)
{
    VG_SETUP(f, actor);
    f->model = model;
    f->index = index;
    f->wait = NULL;
    f->due_since = 0;
    f->holds = (struct holds){.mutex = false};
    f->team.scoped = false;
    model->actor[index] = f;
    news_begin(f);
    return f;
}

/* ---- a program ----------------------------------------------------------------------------------- */

struct program {
    struct model model;
    struct vg_handle handle[ACTORS];
};

unsigned waiting_in(const struct model *model, const struct op *op)
{
    unsigned waiting = 0;

    for (unsigned i = 0; i < model->actors; i++)
        waiting +=
            model->actor[i] != NULL && model->actor[i]->wait != NULL && model->actor[i]->op == op;
    return waiting;
}

static void check_due(struct actor *a)
{
    const uint64_t now = sim_now(&a->model->world.sim);

    if (a->wait == NULL || a->op->due == NULL || !a->op->due(a))
        a->due_since = 0;
    else if (a->due_since == 0)
        a->due_since = now;
    else if (a->due_since != now)
        FAIL("task %u waits in vain: %s", a->index, a->op->name);
}

/* After each step of the simulator. */
static bool is_over(void *arg)
{
    struct program *p = (struct program *)arg;
    struct model *m = &p->model;
    bool over = true;

    locks_check(&m->locks);
    tubes_check(&m->tubes);
    for (unsigned i = 0; i < m->actors; i++) {
        over = over && vg_task_done(&p->handle[i]);
        if (m->actor[i] != NULL)
            check_due(m->actor[i]);
    }
    if (!over && sim_below(&m->world.sim, 200) == 0)
        vg_task_cancel(&p->handle[sim_below(&m->world.sim, m->actors)]);
    return over && m->rounds.started == m->rounds.ended;
}

static void open_all(struct model *m, uint64_t seed)
{
    world_open(&m->world, seed, 1 + (unsigned)(seed % 4), seed % 3 != 0);
    locks_open(&m->locks);
    tubes_open(&m->tubes);
    news_open(&m->news);
    signals_open(&m->signals, sim_now(&m->world.sim));
    rounds_open(&m->rounds);
    m->actors = 2 + (unsigned)(seed % (ACTORS - 1));
}

static void run(struct program *p, uint64_t seed)
{
    struct model *m = &p->model;

    open_all(m, seed);
    for (unsigned i = 0; i < m->actors; i++)
        CHECK_EQ(VG_SPAWN(m->world.exec, &p->handle[i], actor, m, i), 0);
    CHECK_EQ(sim_run(&m->world.sim, m->world.exec, is_over, p, VG_SEC(100)), 0);
    for (unsigned i = 0; i < m->actors; i++)
        vg_task_release(&p->handle[i]);
    world_close(&m->world);
    locks_close(&m->locks);
    tubes_close(&m->tubes);
    news_close(&m->news);
    signals_close(&m->signals);
    rounds_close(&m->rounds);
}

/* Nothing was left out, and whatever can be cancelled was. */
static void check_tally(void)
{
    for (unsigned i = 0; i < tally.ops; i++) {
        printf("%-16s %8u ended well %8u otherwise\n", op_of(i)->name, tally.well[i],
               tally.otherwise[i]);
        CHECK(tally.well[i] > 0);
        CHECK(op_of(i)->end == NULL || tally.otherwise[i] > 0);
    }
}

TEST(whatever_is_done_with_them_primitives_do_what_their_models_allow)
{
    static struct program program;
    unsigned programs = 0;

    TEST_TIMEOUT(600);
    tally = (struct tally){.ops = lock_ops_count + tube_ops_count + news_ops_count +
                                  signal_ops_count + round_ops_count};
    CHECK(tally.ops <= KINDS);
    FOR_SEEDS (seed, PROGRAMS) {
        run(&program, seed);
        programs++;
    }
    if (programs >= PROGRAMS)
        check_tally();
}
