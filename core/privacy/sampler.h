/* SPDX-License-Identifier: MIT
 * Which units, and which of their images, take part in a step. What is drawn here is what is accounted: the sampling
 * rate of the events is the sampler's own 64-bit threshold, rounded up. */
#pragma once
#include <dpcxr/accountant.h>
#include "privacy/secret.h"
#include "privacy/units.h"

typedef struct {
    DpcxrSamplerKind kind;
    gsize population;       /* N: number of units */
    guint64 threshold;      /* POISSON: a unit is in where its 64-bit word is below */
    double sampling_rate;   /* threshold / 2^64, rounded up; 1 for FULL */
    int images_per_unit;    /* at most so many images of a drawn unit; 0: all */
} DpcxrSampler;

/* @rate in (0, 1]: wanted probability. DPCXR_ERROR_PRIVACY for kinds that are not implemented or a rate out of range. */
gboolean dpcxr_sampler_init(DpcxrSampler *sampler, DpcxrSamplerKind kind, gsize population, double rate,
                            int images_per_unit, GError **error);

/* One step's draw. Arrays grow as needed and are reused from step to step. */
typedef struct {
    GArray *rows;         /* gsize: index rows of all drawn units, unit after unit */
    GArray *unit_offsets; /* gsize: [units + 1] into rows */
    GArray *units;        /* gsize: the units drawn, increasing */
} DpcxrUnitDraw;

void dpcxr_unit_draw_init(DpcxrUnitDraw *draw);
void dpcxr_unit_draw_clear(DpcxrUnitDraw *draw);
/* @sequence: ledger sequence number of the step's event (seeded mode: the step). */
void dpcxr_sampler_draw(const DpcxrSampler *sampler, const DpcxrUnits *units, const DpcxrSecret *secret,
                        guint64 sequence, DpcxrUnitDraw *draw);
