/* SPDX-License-Identifier: MIT
 * Batches of runs without privacy: every unit once an epoch, in an order from the public seed. A batch is a pure function
 * of (seed, step), so a resumed run goes on where it was. */
#pragma once
#include "privacy/sampler.h"

typedef struct {
    const DpcxrUnits *units; /* borrowed */
    guint64 seed;
    gsize batch;             /* units a step; batches run on across the end of an epoch */
    int images_per_unit;     /* 0: all */
    guint64 epoch;           /* of `order` */
    guint32 *order;          /* [units->n] (owned) NULL: none yet */
} DpcxrShuffle;

void dpcxr_shuffle_init(DpcxrShuffle *shuffle, const DpcxrUnits *units, guint64 seed, gsize batch, int images_per_unit);
void dpcxr_shuffle_clear(DpcxrShuffle *shuffle);
/* The units and rows of @step, in the order of the permutation. */
void dpcxr_shuffle_draw(DpcxrShuffle *shuffle, guint64 step, DpcxrUnitDraw *draw);
