/* SPDX-License-Identifier: MIT */
#include "eval/pr-curve.h"

/* How many scores of each class lie from each threshold up to the next: [2, n_thresholds], negatives first.
 * FALSE where that cannot be said, or a class is empty. */
static gboolean count(const double *scores, const guint8 *labels, gsize n, gsize n_thresholds, gsize *counts)
{
    gsize of_class[2] = {0, 0};
    for (gsize i = 0; i < n; i++) {
        if (!(scores[i] >= 0 && scores[i] <= 1))
            return FALSE;
        gsize truth = labels[i] != 0;
        counts[truth * n_thresholds + (gsize)(scores[i] * (double)(n_thresholds - 1))]++;
        of_class[truth]++;
    }
    return of_class[0] > 0 && of_class[1] > 0;
}

gboolean dpcxr_pr_curve(const double *scores, const guint8 *labels, gsize n, gsize n_thresholds, float *curve)
{
    g_autofree gsize *counts = g_new0(gsize, 2 * n_thresholds);
    if (!count(scores, labels, n, n_thresholds, counts))
        return FALSE;
    const gsize *negatives = counts, *positives = counts + n_thresholds;
    gsize all_negatives = 0, all_positives = 0, tp = 0, fp = 0;
    for (gsize i = 0; i < n_thresholds; i++) {
        all_negatives += negatives[i];
        all_positives += positives[i];
    }
    for (gsize i = n_thresholds; i-- > 0;) {
        tp += positives[i];
        fp += negatives[i];
        curve[DPCXR_PR_TRUE_POSITIVES * n_thresholds + i] = (float)tp;
        curve[DPCXR_PR_FALSE_POSITIVES * n_thresholds + i] = (float)fp;
        curve[DPCXR_PR_TRUE_NEGATIVES * n_thresholds + i] = (float)(all_negatives - fp);
        curve[DPCXR_PR_FALSE_NEGATIVES * n_thresholds + i] = (float)(all_positives - tp);
        curve[DPCXR_PR_PRECISION * n_thresholds + i] = tp + fp ? (float)((double)tp / (double)(tp + fp)) : 0;
        curve[DPCXR_PR_RECALL * n_thresholds + i] = (float)((double)tp / (double)all_positives);
    }
    return TRUE;
}
