/* SPDX-License-Identifier: MIT
 * A row's placement is the share of the other class that it is on the right side of, ties half. The AUROC is
 * the mean placement of either class, its variance that of the two means. */
#include "stats/delong.h"
#include "stats/distribution.h"
#include "stats/scored.h"
#include <math.h>

/* Into @placements [n], by row. FALSE where the sample does not rank. */
static gboolean place(const DpcxrScored *sample, double *placements)
{
    double positives = (double)sample->positives, negatives = (double)(sample->n - sample->positives);
    gsize tp = 0, fp = 0;

    if (!dpcxr_scored_ranks(sample))
        return FALSE;
    for (gsize i = 0, end; i < sample->n; i = end) {
        gsize tied[2] = {0, 0};
        end = dpcxr_scored_tie_end(sample, i);
        for (gsize k = i; k < end; k++)
            tied[sample->truths[k]]++;
        double below = (negatives - (double)fp - 0.5 * (double)tied[0]) / negatives,
               above = ((double)tp + 0.5 * (double)tied[1]) / positives;
        for (gsize k = i; k < end; k++)
            placements[sample->rows[k]] = sample->truths[k] ? below : above;
        tp += tied[1];
        fp += tied[0];
    }
    return TRUE;
}

/* Mean of the placements of one class, and the variance of that mean; *@variance is NaN for a single row. */
static double mean_of(const double *placements, const guint8 *truths, gsize n, guint8 truth, double *variance)
{
    double sum = 0, squares = 0, count = 0;

    for (gsize i = 0; i < n; i++)
        if ((truths[i] != 0) == truth) {
            sum += placements[i];
            count++;
        }
    double mean = sum / count;
    for (gsize i = 0; i < n; i++)
        if ((truths[i] != 0) == truth)
            squares += (placements[i] - mean) * (placements[i] - mean);
    *variance = count > 1 ? squares / (count - 1) / count : NAN;
    return mean;
}

/* From placements, or from their differences: everything here is linear in them. */
static DpcxrDeLong judge(const double *placements, const guint8 *truths, gsize n)
{
    double of_positives, of_negatives;
    double auroc = mean_of(placements, truths, n, 1, &of_positives);

    mean_of(placements, truths, n, 0, &of_negatives);
    return (DpcxrDeLong){auroc, of_positives + of_negatives};
}

static gboolean place_scores(const double *scores, const guint8 *truths, gsize n, double *placements)
{
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, n);

    return place(sample, placements);
}

DpcxrDeLong dpcxr_delong(const double *scores, const guint8 *truths, gsize n)
{
    g_autofree double *placements = g_new(double, n);

    if (!place_scores(scores, truths, n, placements))
        return (DpcxrDeLong){NAN, NAN};
    return judge(placements, truths, n);
}

void dpcxr_delong_interval(const DpcxrDeLong *delong, double level, double *low, double *high)
{
    double margin = dpcxr_normal_quantile(0.5 + level / 2) * sqrt(delong->variance);

    *low = isnan(margin) ? NAN : fmax(delong->auroc - margin, 0);
    *high = isnan(margin) ? NAN : fmin(delong->auroc + margin, 1);
}

DpcxrDeLongTest dpcxr_delong_test(const double *first, const double *second, const guint8 *truths, gsize n)
{
    g_autofree double *placements = g_new(double, n), *others = g_new(double, n);

    if (!place_scores(first, truths, n, placements) || !place_scores(second, truths, n, others))
        return (DpcxrDeLongTest){NAN, NAN, NAN, NAN};
    for (gsize i = 0; i < n; i++)
        placements[i] -= others[i];
    DpcxrDeLong difference = judge(placements, truths, n);
    double z = difference.variance > 0 ? difference.auroc / sqrt(difference.variance) : NAN;
    return (DpcxrDeLongTest){difference.auroc, difference.variance, z,
                             isnan(z) ? NAN : dpcxr_normal_two_sided(z)};
}
