/* SPDX-License-Identifier: MIT */
#include "stats/distribution.h"
#include <math.h>

static double normal_below(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

double dpcxr_normal_quantile(double p)
{
    g_return_val_if_fail(p > 0 && p < 1, NAN);
    if (p > 0.5)
        return -dpcxr_normal_quantile(1 - p);
    double low = -40, high = 0; /* erfc still tells 1e-308 from 0 there */

    for (;;) { /* halves until there is nothing between */
        double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            return high;
        if (normal_below(middle) < p)
            low = middle;
        else
            high = middle;
    }
}

double dpcxr_normal_two_sided(double z)
{
    return erfc(fabs(z) * M_SQRT1_2);
}

/* Continued fraction of the incomplete beta function by Lentz's method (DLMF 8.17.22), for x below its
 * mean. */
static double beta_fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), f;

    d = 1 / (fabs(d) < tiny ? tiny : d);
    f = d;
    for (int m = 1; m < 10000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double terms[2] = {even, odd}, change = 1;
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            c = 1 + terms[i] / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            change = d * c;
            f *= change;
        }
        if (fabs(change - 1) < 1e-16)
            break;
    }
    return f;
}

/* Regularised incomplete beta function I_x(a, b); @y = 1 - x, given because it may be known better. */
static double beta_below(double x, double y, double a, double b)
{
    if (x <= 0)
        return 0;
    if (y <= 0)
        return 1;
    double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(y));

    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, y) / b;
}

double dpcxr_student_two_sided(double t, double df)
{
    double square = t * t;

    if (isnan(t) || !(df > 0))
        return NAN;
    return isinf(square) ? 0 : beta_below(df / (df + square), square / (df + square), df / 2, 0.5);
}
