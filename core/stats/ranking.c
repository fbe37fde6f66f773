/* SPDX-License-Identifier: MIT */
#include "stats/ranking.h"
#include <math.h>

DpcxrCurvePoint *dpcxr_curve(const DpcxrScored *sample, gsize *n_points)
{
    *n_points = 0;
    if (!dpcxr_scored_ranks(sample))
        return NULL;
    DpcxrCurvePoint *points = g_new(DpcxrCurvePoint, sample->n);
    gsize tp = 0;

    for (gsize i = 0; i < sample->n; i++) {
        tp += sample->truths[i];
        if (i + 1 == sample->n || sample->scores[i + 1] != sample->scores[i])
            points[(*n_points)++] = (DpcxrCurvePoint){sample->scores[i], tp, i + 1 - tp};
    }
    return points;
}

double dpcxr_auroc(const DpcxrScored *sample)
{
    gsize n_points;
    g_autofree DpcxrCurvePoint *points = dpcxr_curve(sample, &n_points);
    DpcxrCurvePoint above = {0};
    double pairs = 0; /* in the right order, ties half; exact below 2^52 */

    if (!points)
        return NAN;
    for (gsize i = 0; i < n_points; i++) {
        pairs += 0.5 * (double)(points[i].tp + above.tp) * (double)(points[i].fp - above.fp);
        above = points[i];
    }
    return pairs / ((double)above.tp * (double)above.fp);
}

double dpcxr_auprc(const DpcxrScored *sample)
{
    gsize n_points, above = 0;
    g_autofree DpcxrCurvePoint *points = dpcxr_curve(sample, &n_points);
    double sum = 0;

    if (!points)
        return NAN;
    for (gsize i = 0; i < n_points; i++) {
        const DpcxrCurvePoint *p = &points[i];
        sum += (double)(p->tp - above) * (double)p->tp / (double)(p->tp + p->fp);
        above = p->tp;
    }
    return sum / (double)above;
}
