/* SPDX-License-Identifier: MIT
 * Which units, and which of their images, take part in a step. What is drawn here is what is accounted: the sampling
 * rate of the events is the sampler's own 64-bit threshold, rounded up. */
#pragma once
#include "privacy/secret.h"
#include "privacy/units.h"
#include <dpcxr/accountant.h>

typedef struct {
    DpcxrSamplerKind kind;
    gsize population;     /* N: number of units, as declared */
    guint64 threshold;    /* POISSON: a unit is in where its 64-bit word is at most this (so that rate 1 has one) */
    double sampling_rate; /* (threshold + 1) / 2^64, exactly, never below the wanted rate; 1 for FULL */
    int images_per_unit;  /* at most so many images of a drawn unit; 0: all */
} DpcxrSampler;

/* @rate in (0, 1]: wanted probability (FULL ignores it). DPCXR_ERROR_PRIVACY for kinds that are not implemented, a rate
 * out of range, or no population. */
gboolean dpcxr_sampler_init(DpcxrSampler *sampler, DpcxrSamplerKind kind, gsize population, double rate,
                            int images_per_unit, GError **error);

/* One step's draw. Arrays grow as needed and are reused from step to step. A draw without units is a step like any
 * other: it adds noise and is counted. */
typedef struct {
    GArray *rows;         /* gsize: index rows of all drawn units, unit after unit, in the order of DpcxrUnits */
    GArray *unit_offsets; /* gsize: [units + 1] into rows */
    GArray *units;        /* gsize: the units drawn, increasing */
    GArray *keys;         /* guint64: scratch */
} DpcxrUnitDraw;

void dpcxr_unit_draw_init(DpcxrUnitDraw *draw);
void dpcxr_unit_draw_clear(DpcxrUnitDraw *draw); /* safe on a zeroed or cleared one */
/* @sequence: ledger sequence number of the step's event (seeded mode: the step). Unit u is in by word u of (SAMPLING,
 * sequence); where it has more than images_per_unit rows, those with the smallest words of (IMAGES, sequence) are taken,
 * word i for units->rows[i]. */
void dpcxr_sampler_draw(const DpcxrSampler *sampler, const DpcxrUnits *units, const DpcxrSecret *secret,
                        guint64 sequence, DpcxrUnitDraw *draw);
