/* SPDX-License-Identifier: MIT
 * Binomial probabilities by the saddle-point expansion of C. Loader: Fast and Accurate Computation of Binomial
 * Probabilities, 2000; tails by summing ratios of neighbours on the side of the mean where they fall. */
#include "privacy/binomial.h"
#include <float.h>
#include <math.h>

#define LOG_2PI 1.837877066409345483560659472811

/* log n! - log(sqrt(2 pi n) (n / e)^n) */
static double stirling_error(double n)
{
    if (n < 16) {
        int sign;
        return lgamma_r(n + 1, &sign) - (n + 0.5) * log(n) + n - LOG_2PI / 2;
    }
    double n2 = n * n;
    return (1.0 / 12 - (1.0 / 360 - (1.0 / 1260 - (1.0 / 1680 - 1.0 / 1188 / n2) / n2) / n2) / n2) / n;
}

/* x log(x / m) + m - x >= 0, with its digits where x is near m. */
static double deviance(double x, double m)
{
    double v = (x - m) / (x + m);
    if (fabs(v) > 0.1)
        return x * log(x / m) + m - x;
    double sum = (x - m) * v, term = 2 * x * v;
    for (int j = 3; j < 1000; j += 2) {
        term *= v * v;
        double next = sum + term / j;
        if (next == sum)
            break;
        sum = next;
    }
    return sum;
}

double dpcxr_binomial_log_mass(guint64 n, double q, guint64 k)
{
    double all = (double)n, in = (double)k, out = (double)(n - k);
    if (q == 0 || q == 1)
        return k == (q == 0 ? 0 : n) ? 0 : -INFINITY;
    if (k == 0)
        return all * log1p(-q);
    if (k == n)
        return all * log(q);
    return stirling_error(all) - stirling_error(in) - stirling_error(out) - deviance(in, all * q) -
           deviance(out, all * (1 - q)) - 0.5 * (LOG_2PI + log(in) + log1p(-in / all));
}

/* sum over j >= k of P(X = j) / P(X = k), for k above the mean: the terms fall, and ever faster. */
static double ratios_above(guint64 n, double odds, guint64 k)
{
    double sum = 1, term = 1;
    for (guint64 j = k; j < n && term > sum * (DBL_EPSILON / 64); j++) {
        term *= (double)(n - j) / (double)(j + 1) * odds;
        sum += term;
    }
    return sum;
}

/* sum over j < k of P(X = j) / P(X = k), for k not above the mean (and one unit more). */
static double ratios_below(double odds, guint64 n, guint64 k)
{
    double sum = 0, term = 1;
    for (guint64 j = k; j > 0 && (sum == 0 || term > sum * (DBL_EPSILON / 64)); j--) {
        term *= (double)j / (double)(n - j + 1) / odds;
        sum += term;
    }
    return sum;
}

double dpcxr_binomial_tail(guint64 n, double q, guint64 k, double *ratio)
{
    *ratio = INFINITY;
    if (q == 1)
        return 1;
    double mass = exp(dpcxr_binomial_log_mass(n, q, k)), odds = q / (1 - q);
    if ((double)k > (double)n * q) {
        *ratio = ratios_above(n, odds, k);
        return MIN(1, mass * *ratio);
    }
    if (!(mass > 0))
        return 1;
    double tail = 1 - mass * ratios_below(odds, n, k);
    *ratio = tail / mass;
    return tail;
}
