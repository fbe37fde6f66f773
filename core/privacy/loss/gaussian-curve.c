/* SPDX-License-Identifier: MIT
 * With the density phi and Mills' ratio M = Q / phi, delta is phi(a) (M(a) - M(b)), because e^epsilon phi(b) = phi(a): no
 * overflow, and logarithms down to any delta. At a given a it grows with mu and falls with a, so directed rounding of a
 * and mu bounds it. */
#include <dpcxr/gaussian-curve.h>
#include <float.h>
#include <math.h>

#define LOG_SQRT_2PI 0.91893853320467274178032973640562

/* Relative error of the functions below: erfc and exp of the C library (at most 5 units in the last place), after a
 * rounded argument, for which x < 3 costs another 10. */
#define RELATIVE_ERROR (64 * DBL_EPSILON)

/* Q(x) / phi(x) for x > 0. From 3 on the continued fraction of Laplace, whose error falls like e^(-2 x sqrt(2n)). */
static double mills(double x)
{
    if (x < 3)
        return sqrt(G_PI_2) * erfc(x / G_SQRT2) * exp(x * x / 2);
    double tail = x;
    for (int k = 60; k > 0; k--)
        tail = x + k / tail;
    return 1 / tail;
}

double dpcxr_gaussian_log_delta(double epsilon, double mu, int side)
{
    double error = side * RELATIVE_ERROR;
    double a = epsilon / mu - mu / 2 - side * 4 * DBL_EPSILON * (epsilon / mu + mu / 2);
    if (a > 1e150) /* a^2 overflows */
        return side > 0 ? -1e299 : -INFINITY;
    if (a > 0) {
        double gap = mills(a) * (1 + error) - mills(a + mu) * (1 - error);
        if (!(gap > 0))
            return -INFINITY;
        double value = -a * a / 2 - LOG_SQRT_2PI + log(gap);
        return MIN(0, value + side * 4 * DBL_EPSILON * (a * a + fabs(log(gap)) + 1));
    }
    double lost = exp(-a * a / 2 - LOG_SQRT_2PI) * mills(a + mu) * (1 - error * (1 + a * a));
    double value = erfc(a / G_SQRT2) / 2 * (1 + error) - lost;
    return value > 0 ? MIN(0, log(value) + side * 4 * DBL_EPSILON * (1 + fabs(log(value)))) : -INFINITY;
}

double dpcxr_gaussian_epsilon(double delta, double mu, int side)
{
    double target = log(delta) * (1 + side * 4 * DBL_EPSILON);
    /* Q(a) <= e^(-a^2 / 2) */
    double low = 0, high = (mu * mu / 2 + mu * sqrt(-2 * target)) * (1 + 1e-9);
    if (!isfinite(high))
        return side > 0 ? INFINITY : 0;
    if (mu == 0 || dpcxr_gaussian_log_delta(0, mu, side) <= target)
        return 0;
    while (dpcxr_gaussian_log_delta(high, mu, side) > target && high < G_MAXDOUBLE / 4)
        high *= 2;
    for (int i = 0; i < 200; i++) {
        double middle = low + (high - low) / 2;
        if (middle == low || middle == high)
            break;
        *(dpcxr_gaussian_log_delta(middle, mu, side) > target ? &low : &high) = middle;
    }
    return side > 0 ? high : low;
}
