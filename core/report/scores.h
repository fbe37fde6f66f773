/* SPDX-License-Identifier: MIT
 * predictions-SPLIT.csv, read back: who, in which groups, what is true, what the model said. */
#pragma once
#include "stats/scored.h"
#include <dpcxr/error.h>

enum { DPCXR_TRUTH_UNKNOWN = 2 };

typedef struct {
    gsize n, n_patients;
    GPtrArray *labels, *groupings; /* char * */
    GPtrArray *samples;            /* char *, [n] */
    guint32 *patients;             /* [n] number of the patient; rows without one are each a patient */
    guint8 *truths;                /* [label][n] 0, 1 or DPCXR_TRUTH_UNKNOWN */
    double *scores;                /* [label][n] */
    GPtrArray *groups;             /* char *, [grouping][n]; "" where unknown */
} DpcxrScores;

/* @labels, @groupings (nullable): columns that there have to be, y_ and p_ of each label; NULL-terminated.
 * DPCXR_ERROR_DATA names file and line. */
DpcxrScores *dpcxr_scores_read(const char *path, const char *const *labels, const char *const *groupings, GError **error);
void dpcxr_scores_free(DpcxrScores *scores);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrScores, dpcxr_scores_free)

/* Puts the rows of @scores into the order of @like. Both must be about the same samples with the same truths: else
 * DPCXR_ERROR_DATA says which is not. Patients are then those of @like; groups are dropped. */
gboolean dpcxr_scores_align(DpcxrScores *scores, const DpcxrScores *like, GError **error);

/* The rows of one label whose truth is known, for which @keep (nullable) is not 0; `rows` count in the file.
 * (transfer full) */
DpcxrScored *dpcxr_scores_of(const DpcxrScores *scores, guint label, const guint8 *keep);
const char *dpcxr_scores_group(const DpcxrScores *scores, guint grouping, gsize row);
