/* SPDX-License-Identifier: MIT */
#include "spin.h"

/* The task's row, or the one that gives way to it. */
static struct vg_row *find(struct vg_spins *spins, uint64_t task)
{
    struct vg_row *oldest = &spins->row[0];

    for (unsigned i = 0; i < VG_SPIN_ROWS; i++) {
        struct vg_row *row = &spins->row[i];

        if (row->task == task)
            return row;
        if (row->seen < oldest->seen)
            oldest = row;
    }
    return oldest;
}

static bool is_spin(const struct vg_row *row)
{
    return row->visits >= VG_SPIN_VISITS && row->spun >= VG_SPIN_SAMPLE &&
           row->busy <= row->spun * VG_SPIN_LONGEST;
}

struct vg_row *vg_spins_note(struct vg_spins *spins, uint64_t task,
                             const struct vg_fruitless *fruitless)
{
    struct vg_row *row = find(spins, task);

    if (row->task != task || fruitless->visits <= row->visits) /* a new one */
        *row = (struct vg_row){.task = task, .began = fruitless->began};
    row->seen = fruitless->ended;
    row->busy += fruitless->ended - fruitless->began;
    row->polls++;
    row->spun += fruitless->spun;
    row->visits = fruitless->visits;
    if (row->posted || !is_spin(row) || row->seen < spins->posted_at + VG_SPIN_PAUSE)
        return NULL;
    return row;
}

void vg_spins_posted(struct vg_spins *spins, struct vg_row *row)
{
    row->posted = true;
    spins->posted_at = row->seen;
}
