/* SPDX-License-Identifier: MIT */
#include "eval/fairness.h"
#include <math.h>

gboolean dpcxr_gap_has(DpcxrMetric metric)
{
    return metric != DPCXR_METRIC_F1 && metric < DPCXR_METRIC_ECE_EQUAL_MASS;
}

/* The values of a metric in the groups that have one: series into @parts, views into @views (both
 * [n_values]). */
static gsize gather(const DpcxrJudged *judged, guint grouping, gsize label, DpcxrMetric metric,
                    DpcxrSeries *parts, gsize *views)
{
    const DpcxrGrouping *g = judged->groupings->pdata[grouping];
    gsize n = 0;

    for (gsize value = 0; value < g->n_values; value++) {
        parts[n] = dpcxr_judged_series(judged, judged->first_view[grouping] + value, label, metric);
        views[n] = value;
        n += !isnan(parts[n].value);
    }
    return n;
}

static void name_ends(DpcxrGap *gap, const DpcxrGrouping *grouping, DpcxrMetric metric,
                      const DpcxrSeries *parts, const gsize *views, gsize n)
{
    gsize lowest = 0, highest = 0;
    int direction = dpcxr_metric_direction(metric);

    for (gsize i = 1; i < n; i++) {
        lowest = parts[i].value < parts[lowest].value ? i : lowest;
        highest = parts[i].value > parts[highest].value ? i : highest;
    }
    gap->lowest = grouping->values[views[lowest]];
    gap->highest = grouping->values[views[highest]];
    gap->worst = direction > 0 ? gap->lowest : direction < 0 ? gap->highest : NULL;
}

DpcxrGap dpcxr_gap(const DpcxrJudged *judged, guint grouping, gsize label, DpcxrMetric metric)
{
    const DpcxrGrouping *g = judged->groupings->pdata[grouping];
    g_autofree DpcxrSeries *parts = g_new(DpcxrSeries, g->n_values + 1);
    g_autofree gsize *views = g_new(gsize, g->n_values + 1);
    DpcxrGap gap = {.spread.value = NAN};
    gsize n = gather(judged, grouping, label, metric, parts, views);

    if (n < 2)
        return gap;
    gap.spread = dpcxr_series_combine(dpcxr_statistic_spread, parts, n);
    name_ends(&gap, g, metric, parts, views, n);
    return gap;
}

static const char *const names[DPCXR_N_PARITIES] = {
    "statistical_parity_difference", "equal_opportunity_difference", "equalised_odds_difference",
    "accuracy_parity_difference", "equity_scaled_auroc"};

const char *dpcxr_parity_name(DpcxrParity parity)
{
    return names[parity];
}

static DpcxrSeries odds(const DpcxrJudged *judged, guint grouping, gsize label)
{
    DpcxrSeries parts[] = {dpcxr_gap(judged, grouping, label, DPCXR_METRIC_SENSITIVITY).spread,
                           dpcxr_gap(judged, grouping, label, DPCXR_METRIC_FPR).spread};
    DpcxrSeries larger = {.value = NAN};

    if (!isnan(parts[0].value) && !isnan(parts[1].value))
        larger = dpcxr_series_combine(dpcxr_statistic_largest, parts, 2);
    dpcxr_series_clear(&parts[0]);
    dpcxr_series_clear(&parts[1]);
    return larger;
}

static DpcxrSeries equity_scaled(const DpcxrJudged *judged, guint grouping, gsize label)
{
    const DpcxrGrouping *g = judged->groupings->pdata[grouping];
    g_autofree DpcxrSeries *parts = g_new(DpcxrSeries, g->n_values + 2);
    g_autofree gsize *views = g_new(gsize, g->n_values + 1);

    parts[0] = dpcxr_judged_series(judged, 0, label, DPCXR_METRIC_AUROC);
    gsize n = gather(judged, grouping, label, DPCXR_METRIC_AUROC, parts + 1, views);
    if (n < 2)
        return (DpcxrSeries){.value = NAN};
    return dpcxr_series_combine(dpcxr_statistic_equity_scaled, parts, n + 1);
}

DpcxrSeries dpcxr_parity(const DpcxrJudged *judged, guint grouping, gsize label, DpcxrParity parity)
{
    switch (parity) {
    case DPCXR_PARITY_STATISTICAL:
        return dpcxr_gap(judged, grouping, label, DPCXR_METRIC_POSITIVE_RATE).spread;
    case DPCXR_PARITY_EQUAL_OPPORTUNITY:
        return dpcxr_gap(judged, grouping, label, DPCXR_METRIC_SENSITIVITY).spread;
    case DPCXR_PARITY_EQUALISED_ODDS:
        return odds(judged, grouping, label);
    case DPCXR_PARITY_ACCURACY:
        return dpcxr_gap(judged, grouping, label, DPCXR_METRIC_ACCURACY).spread;
    case DPCXR_PARITY_EQUITY_SCALED:
        return equity_scaled(judged, grouping, label);
    default:
        g_return_val_if_reached((DpcxrSeries){.value = NAN});
    }
}

typedef DpcxrSeries (*OfLabel)(const DpcxrJudged *judged, guint grouping, gsize label, int what);

static DpcxrSeries mean_over_labels(const DpcxrJudged *judged, guint grouping, OfLabel of_label, int what)
{
    gsize labels = judged->file->n_labels, n = 0;
    g_autofree DpcxrSeries *parts = g_new(DpcxrSeries, labels);

    for (gsize k = 0; k < labels; k++) {
        parts[n] = of_label(judged, grouping, k, what);
        if (isnan(parts[n].value))
            dpcxr_series_clear(&parts[n]);
        else
            n++;
    }
    DpcxrSeries mean = dpcxr_series_combine(dpcxr_statistic_mean, parts, n);
    for (gsize k = 0; k < n; k++)
        dpcxr_series_clear(&parts[k]);
    return mean;
}

static DpcxrSeries gap_of_label(const DpcxrJudged *judged, guint grouping, gsize label, int metric)
{
    return dpcxr_gap(judged, grouping, label, metric).spread;
}

static DpcxrSeries parity_of_label(const DpcxrJudged *judged, guint grouping, gsize label, int parity)
{
    return dpcxr_parity(judged, grouping, label, parity);
}

DpcxrSeries dpcxr_gap_mean(const DpcxrJudged *judged, guint grouping, DpcxrMetric metric)
{
    return mean_over_labels(judged, grouping, gap_of_label, (int)metric);
}

DpcxrSeries dpcxr_parity_mean(const DpcxrJudged *judged, guint grouping, DpcxrParity parity)
{
    return mean_over_labels(judged, grouping, parity_of_label, (int)parity);
}
