/* SPDX-License-Identifier: MIT
 * One label of one set of images: scores and truths, sorted once. Everything that is measured about a label
 * goes from the highest score down, so whoever has a sample need not sort again. */
#pragma once
#include <glib.h>

typedef struct {
    gsize n, positives;
    gboolean finite; /* no score is NaN; where one is, nothing about scores is defined */
    double *scores;  /* [n] falling */
    guint8 *truths;  /* [n] 1, 0 */
    guint32 *rows;   /* [n] position in the arrays it was made from; equal scores are in this order */
} DpcxrScored;

/* @scores, @truths: [n]; only rows whose truth is known. @n below 2^32. */
DpcxrScored *dpcxr_scored_new(const double *scores, const guint8 *truths, gsize n);
/* The rows of @sample for which @keep[row] is not 0; `rows` still counts as in @sample. */
DpcxrScored *dpcxr_scored_filter(const DpcxrScored *sample, const guint8 *keep);
void dpcxr_scored_free(DpcxrScored *sample);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrScored, dpcxr_scored_free)

/* Whether there are scores to rank: both classes, no NaN. */
gboolean dpcxr_scored_ranks(const DpcxrScored *sample);
/* End of the run of equal scores that begins at @i: the first position with a lower one, or n. */
gsize dpcxr_scored_tie_end(const DpcxrScored *sample, gsize i);
/* How many scores are at least @threshold. */
gsize dpcxr_scored_called(const DpcxrScored *sample, double threshold);
