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
    guint64 threshold;    /* POISSON, TRUNCATED_POISSON: a unit comes in where its 64-bit word is at most this (so that
                             rate 1 has one) */
    double sampling_rate; /* (threshold + 1) / 2^64, exactly, never below the wanted rate; 1 for FULL; cap / population
                             rounded up for FIXED and SHUFFLE */
    gsize cap;            /* TRUNCATED_POISSON: most units of a step; FIXED, SHUFFLE: units of a step; else 0 */
    int images_per_unit;  /* at most so many images of a drawn unit; 0: all */
} DpcxrSampler;

/* @rate in (0, 1]: wanted probability of POISSON and TRUNCATED_POISSON; the others ignore it. @cap: see DpcxrSampler;
 * ignored where it is 0 there. DPCXR_ERROR_PRIVACY for a rate or a cap out of range, or no population. */
gboolean dpcxr_sampler_init(DpcxrSampler *sampler, DpcxrSamplerKind kind, gsize population, double rate, gsize cap,
                            int images_per_unit, GError **error);

/* The cap that cuts a Poisson sample of @population units at @rate in (0, 1] no more often than in one step of 1e10:
 * the smallest there is. */
guint64 dpcxr_sampler_default_cap(guint64 population, double rate);

/* Steps that share one permutation, and so one record of the ledger: those of an epoch for SHUFFLE, else 1. */
guint64 dpcxr_sampler_record_steps(const DpcxrSampler *sampler);

/* One step's draw. Arrays grow as needed and are reused from step to step. A draw without units is a step like any
 * other: it adds noise and is counted. */
typedef struct {
    GArray *rows;         /* gsize: index rows of all drawn units, unit after unit, in the order of DpcxrUnits */
    GArray *unit_offsets; /* gsize: [units + 1] into rows */
    GArray *units;        /* gsize: the units drawn, increasing */
    GArray *keys;         /* guint64: scratch */
    GArray *ranks;        /* scratch */
} DpcxrUnitDraw;

void dpcxr_unit_draw_init(DpcxrUnitDraw *draw);
void dpcxr_unit_draw_clear(DpcxrUnitDraw *draw); /* safe on a zeroed or cleared one */
/* @sequence: ledger sequence number of the step (seeded mode: the step). @position: which step of its epoch it is, for
 * SHUFFLE; else 0. docs/randomness.md says which words decide what. @units->n is the sampler's population. */
void dpcxr_sampler_draw(const DpcxrSampler *sampler, const DpcxrUnits *units, const DpcxrSecret *secret,
                        guint64 sequence, guint64 position, DpcxrUnitDraw *draw);
