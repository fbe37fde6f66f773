/* SPDX-License-Identifier: MIT */
#include "stats/inference.h"
#include "stats/distribution.h"
#include <math.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The numbers of @values that are not NaN, in order, into @sorted [n]; how many. */
static gsize sort_defined(const double *values, gsize n, double *sorted)
{
    gsize defined = 0;

    for (gsize i = 0; i < n; i++)
        if (!isnan(values[i]))
            sorted[defined++] = values[i];
    if (defined > 0)
        qsort(sorted, defined, sizeof *sorted, by_value);
    return defined;
}

static double quantile(const double *sorted, gsize n, double p)
{
    double at = p * (double)(n - 1);
    gsize whole = MIN((gsize)at, n - 1);
    double part = at - (double)whole;

    return part > 0 && whole + 1 < n ? sorted[whole] + part * (sorted[whole + 1] - sorted[whole])
                                     : sorted[whole];
}

/* Replicates that are defined are not a sample of all: with more than one in twenty missing nothing is said. */
static gboolean enough(double defined, gsize n)
{
    return defined > 0 && ((double)n - defined) * 20 <= (double)n;
}

DpcxrPercentiles dpcxr_percentile_interval(const double *values, gsize n, double level)
{
    g_autofree double *sorted = g_new(double, n);
    gsize defined = sort_defined(values, n, sorted);
    DpcxrPercentiles interval = {NAN, NAN, n - defined};

    if (!enough((double)defined, n))
        return interval;
    interval.low = quantile(sorted, defined, (1 - level) / 2);
    interval.high = quantile(sorted, defined, (1 + level) / 2);
    return interval;
}

double dpcxr_paired_p(const double *differences, gsize n)
{
    double below = 1, above = 1, all = 1;

    for (gsize i = 0; i < n; i++) {
        below += differences[i] <= 0;
        above += differences[i] >= 0;
        all += !isnan(differences[i]);
    }
    return enough(all - 1, n) ? fmin(2 * fmin(below, above) / all, 1) : NAN;
}

double dpcxr_non_inferiority_p(const double *differences, gsize n, double margin)
{
    double worse = 1, all = 1;

    for (gsize i = 0; i < n; i++) {
        worse += differences[i] <= -margin;
        all += !isnan(differences[i]);
    }
    return enough(all - 1, n) ? worse / all : NAN;
}

typedef struct {
    double p;
    gsize at;
} Ranked;

static int by_p(const void *a, const void *b)
{
    return by_value(&((const Ranked *)a)->p, &((const Ranked *)b)->p);
}

/* Those that are not NaN from the smallest up (transfer full); *@n becomes how many. @adjusted becomes NaN
 * all over. */
static Ranked *rank(const double *p, gsize *n, double *adjusted)
{
    Ranked *ranked = g_new(Ranked, *n);
    gsize count = 0;

    for (gsize i = 0; i < *n; i++)
        if (!isnan(p[i]))
            ranked[count++] = (Ranked){p[i], i};
    for (gsize i = 0; i < *n; i++)
        adjusted[i] = NAN;
    if (count > 0)
        qsort(ranked, count, sizeof *ranked, by_p);
    *n = count;
    return ranked;
}

void dpcxr_adjust_holm(const double *p, gsize n, double *adjusted)
{
    g_autofree Ranked *ranked = rank(p, &n, adjusted);
    double largest = 0;

    for (gsize i = 0; i < n; i++) {
        largest = fmax(largest, fmin((double)(n - i) * ranked[i].p, 1));
        adjusted[ranked[i].at] = largest;
    }
}

void dpcxr_adjust_benjamini_hochberg(const double *p, gsize n, double *adjusted)
{
    g_autofree Ranked *ranked = rank(p, &n, adjusted);
    double least = 1;

    for (gsize i = n; i-- > 0;) {
        least = fmin(least, (double)n / (double)(i + 1) * ranked[i].p);
        adjusted[ranked[i].at] = least;
    }
}

/* Sums of products of deviations from the means. */
typedef struct {
    double xx, xy, yy;
} Products;

static Products deviations(const double *x, const double *y, gsize n, gsize *pairs)
{
    double sum_x = 0, sum_y = 0;
    Products products = {0};

    *pairs = 0;
    for (gsize i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i])) {
            sum_x += x[i];
            sum_y += y[i];
            (*pairs)++;
        }
    for (gsize i = 0; i < n; i++)
        if (!isnan(x[i]) && !isnan(y[i])) {
            double dx = x[i] - sum_x / (double)*pairs, dy = y[i] - sum_y / (double)*pairs;
            products.xx += dx * dx;
            products.xy += dx * dy;
            products.yy += dy * dy;
        }
    return products;
}

DpcxrCorrelation dpcxr_pearson(const double *x, const double *y, gsize n)
{
    DpcxrCorrelation result = {0, NAN, NAN};
    Products products = deviations(x, y, n, &result.n);

    if (result.n < 2 || !(products.xx > 0 && products.yy > 0))
        return result;
    result.r = CLAMP(products.xy / sqrt(products.xx) / sqrt(products.yy), -1, 1);
    double df = (double)result.n - 2;
    if (df > 0) /* (1 - r)(1 + r): r close to 1 keeps its digits */
        result.p = dpcxr_student_two_sided(result.r * sqrt(df / ((1 - result.r) * (1 + result.r))), df);
    return result;
}
