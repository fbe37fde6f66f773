/* SPDX-License-Identifier: MIT
 * What is protected: the training units and the rows (images) each of them owns. */
#pragma once
#include "config/experiment.h"
#include "data/index.h"

typedef struct {
    DpcxrUnit unit;
    gsize n;         /* units */
    gsize *offsets;  /* [n + 1] into rows */
    gsize *rows;     /* rows of the index, training split only */
    gsize max_rows;  /* of the largest unit */
} DpcxrUnits;

const char *dpcxr_unit_name(DpcxrUnit unit); /* "patient", "image": as configurations, ledgers and cards say */

/* DPCXR_ERROR_PRIVACY: a blank patient id under unit: patient, one image in two rows under unit: image;
 * DPCXR_ERROR_DATA: no training rows. */
DpcxrUnits *dpcxr_units_new(const DpcxrIndex *index, DpcxrUnit unit, GError **error);
void dpcxr_units_free(DpcxrUnits *units);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrUnits, dpcxr_units_free)
