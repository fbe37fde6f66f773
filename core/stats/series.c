/* SPDX-License-Identifier: MIT */
#include "stats/series.h"
#include "stats/inference.h"
#include <math.h>

static double apply(DpcxrStatistic statistic, const double *values, gsize n)
{
    for (gsize i = 0; i < n; i++)
        if (isnan(values[i]))
            return NAN;
    return n > 0 ? statistic(values, n) : NAN;
}

DpcxrSeries dpcxr_series_combine(DpcxrStatistic statistic, const DpcxrSeries *parts, gsize n_parts)
{
    gsize n = n_parts > 0 ? parts[0].n : 0;
    g_autofree double *values = g_new(double, n_parts);
    double *replicates = n > 0 ? g_new(double, n) : NULL;

    for (gsize r = 0; r < n; r++) {
        for (gsize k = 0; k < n_parts; k++)
            values[k] = parts[k].replicates[r];
        replicates[r] = apply(statistic, values, n_parts);
    }
    for (gsize k = 0; k < n_parts; k++)
        values[k] = parts[k].value;
    return (DpcxrSeries){apply(statistic, values, n_parts), n, replicates, replicates};
}

void dpcxr_series_clear(DpcxrSeries *series)
{
    g_free(series->owned);
    *series = (DpcxrSeries){.value = NAN};
}

DpcxrEstimate dpcxr_series_estimate(const DpcxrSeries *series, double level)
{
    DpcxrEstimate estimate = {series->value, NAN, NAN, 0};

    if (series->n == 0 || isnan(series->value))
        return estimate;
    DpcxrPercentiles interval = dpcxr_percentile_interval(series->replicates, series->n, level);
    return (DpcxrEstimate){series->value, interval.low, interval.high, interval.undefined};
}

double dpcxr_statistic_mean(const double *values, gsize n)
{
    double sum = 0;

    for (gsize i = 0; i < n; i++)
        sum += values[i];
    return sum / (double)n;
}

double dpcxr_statistic_largest(const double *values, gsize n)
{
    double largest = values[0];

    for (gsize i = 1; i < n; i++)
        largest = fmax(largest, values[i]);
    return largest;
}

double dpcxr_statistic_spread(const double *values, gsize n)
{
    double smallest = values[0];

    for (gsize i = 1; i < n; i++)
        smallest = fmin(smallest, values[i]);
    return dpcxr_statistic_largest(values, n) - smallest;
}

double dpcxr_statistic_equity_scaled(const double *values, gsize n)
{
    double away = 0;

    for (gsize i = 1; i < n; i++)
        away += fabs(values[0] - values[i]);
    return values[0] / (1 + away);
}
