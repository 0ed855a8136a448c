/* SPDX-License-Identifier: MIT */
#include "corpus.h"

/* Busy for nothing. */

/* ---- wake-self-while-full --------------------------------------------------------------------------- */

struct admit {
    struct vg_future fut;
    int ret;
    bool waits; /* properly: there is a list */
    unsigned *inside;
    struct vg_waiter waiter;
    struct admit **list, *next;
};

static vg_poll admit_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct admit *admit = (struct admit *)(void *)fut;

    if (vg_cancelled(fut) || *admit->inside < 2) {
        admit->ret = vg_cancelled(fut) ? -ECANCELED : 0;
        *admit->inside += admit->ret == 0;
        vg_disarm(&admit->waiter, cx);
        return VG_READY;
    }
    vg_arm(&admit->waiter, fut, cx);
    if (admit->waits) {
        admit->next = *admit->list;
        *admit->list = admit;
    } else {
        vg_notify(vg_wake(&admit->waiter));
    }
    return VG_PENDING;
}

static struct admit *admit(struct admit *admit, unsigned *inside, struct admit **list, bool waits)
{
    static const struct vg_ops ops = {
        .poll = admit_poll, .name = "admit", .size = sizeof *admit, .kind = VG_KIND_LEAF};

    vg_future_init(&admit->fut, &ops);
    admit->ret = 0;
    admit->waits = waits;
    admit->inside = inside;
    admit->list = list;
    admit->waiter.flags = 0;
    return admit;
}

struct guest {
    VG_FRAME(int);
    unsigned *inside;
    struct admit **list;
    bool waits;
    struct admit admit;
    struct vg_sleep nap;
};

static int guest_line;

VG_ASYNC(guest)
{
    VG_BEGIN(f);
    guest_line = __LINE__ + 1;
    VG_TRY(f->ret, admit(&f->admit, f->inside, f->list, f->waits));
    VG_AWAIT(f->ret, vg_sleep(&f->nap, VG_MSEC(1000)));
    --*f->inside;
    if (*f->list != NULL) {
        struct admit *next = *f->list;

        *f->list = next->next;
        vg_notify(vg_wake(&next->waiter));
    }
    VG_RETURN(0);
}

static struct guest *guest(struct guest *f, unsigned *inside, struct admit **list, bool waits)
{
    VG_SETUP(f, guest);
    f->inside = inside;
    f->list = list;
    f->waits = waits;
    return f;
}

static int play_admit(struct lab *lab, unsigned twin)
{
    static unsigned inside;
    static struct admit *list;

    inside = 0;
    list = NULL;
    for (unsigned i = 0; i < 8; i++)
        CHECK_EQ(VG_SPAWN(lab->exec, NULL, guest, &inside, &list, twin == 1), 0);
    return corpus_play_all(lab);
}

/* ---- tls-close-notify-spin -------------------------------------------------------------------------- */

struct tls_read {
    struct vg_future fut;
    int ret;
    unsigned left; /* bytes below the layer that nobody decodes */
    bool consumes; /* it does */
    bool progress; /* and says so */
    struct vg_waiter waiter;
};

static vg_poll tls_read_poll(struct vg_future *fut, struct vg_cx *cx)
{
    struct tls_read *read = (struct tls_read *)(void *)fut;

    if (vg_cancelled(fut) || read->left == 0) {
        read->ret = vg_cancelled(fut) ? -ECANCELED : 0;
        vg_disarm(&read->waiter, cx);
        return VG_READY;
    }
    if (read->consumes)
        read->left--;
    if (read->progress)
        vg_progress(cx);
    vg_arm(&read->waiter, fut, cx);
    vg_notify(vg_wake(&read->waiter)); /* there may be more */
    return VG_PENDING;
}

struct copy {
    VG_FRAME(int);
    struct tls_read read;
};

static int copy_line;

VG_ASYNC(copy)
{
    VG_BEGIN(f);
    copy_line = __LINE__ + 1;
    VG_AWAIT(f->ret, &f->read);
    VG_RETURN(f->ret);
}

static struct copy *copy(struct copy *f, unsigned left, bool consumes)
{
    static const struct vg_ops ops = {
        .poll = tls_read_poll, .name = "tls_read", .size = sizeof f->read, .kind = VG_KIND_LEAF};

    VG_SETUP(f, copy);
    vg_future_init(&f->read.fut, &ops);
    f->read.ret = 0;
    f->read.left = left;
    f->read.consumes = f->read.progress = consumes;
    f->read.waiter.flags = 0;
    return f;
}

static int play_tls(struct lab *lab, unsigned twin)
{
    CHECK_EQ(VG_SPAWN(lab->exec, NULL, copy, 5000, twin == 1), 0);
    return corpus_play_for(lab, VG_MSEC(500));
}

const struct corpus_case corpus_spins[] = {
    {
        .id = "wake-self-while-full",
        .verdict = VG_VERDICT_SELF_WAKE_SPIN,
        .decisive = 0,
        .due = 100,
        .play = play_admit,
        .twins = 1,
        .busy = true,
        .names = {"admit in guest", "6 tasks do the same"},
        .lines = {&guest_line},
    },
    {
        .id = "tls-close-notify-spin",
        .verdict = VG_VERDICT_SELF_WAKE_SPIN,
        .decisive = 0,
        .due = 100,
        .play = play_tls,
        .twins = 1,
        .busy = true,
        .names = {"tls_read in copy"},
        .lines = {&copy_line},
    },
    {.id = NULL},
};
