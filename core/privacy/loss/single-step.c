/* SPDX-License-Identifier: MIT
 * With u and v the losses without sampling that sampling at rate q turns into epsilon, and G the curve of the Gaussian
 * mechanism with mu = 1 / sigma,
 *
 *     P against Q:  delta = q G(u),                  e^epsilon = 1 - q + q e^u
 *     Q against P:  delta = q e^(epsilon - v) G(v),  e^-epsilon = 1 - q + q e^-v
 *
 * because e^epsilon Q = (1-q) Q + q e^u Q cancels against the part of P that did not draw the unit, and likewise the
 * other way round; there is no v, and delta is 0, where epsilon is beyond -log(1-q). */
#include "privacy/loss/single-step.h"
#include <dpcxr/gaussian-curve.h>
#include <float.h>
#include <math.h>

#define ROUNDING (16 * DBL_EPSILON) /* relative, of u and v: an expm1, a quotient, a log1p */

static double forward(const DpcxrLossPart *step, double epsilon, int side)
{
    double u = epsilon < 700 ? log1p(expm1(epsilon) / step->q) : epsilon - log(step->q);
    double mu = 1 / step->sigma * (1 + side * DBL_EPSILON);
    return log(step->q) + dpcxr_gaussian_log_delta(u * (1 - side * ROUNDING), mu, side);
}

static double reverse(const DpcxrLossPart *step, double epsilon, int side)
{
    if (step->q == 1)
        return -INFINITY; /* the same curve */
    /* e^-v, and how far it may be off */
    double ratio = epsilon < 0.5 ? 1 + expm1(-epsilon) / step->q : (exp(-epsilon) - (1 - step->q)) / step->q;
    double off = ROUNDING * (exp(-epsilon) + 1 - step->q) / step->q;
    if (!(ratio > 2 * off)) { /* v cannot be told, but is more than this; delta falls with it */
        if (side < 0)
            return -INFINITY;
        ratio = 4 * off;
    }
    double v = epsilon < 0.5 && ratio > 0.5 ? -log1p(expm1(-epsilon) / step->q) : -log(MIN(1, ratio));
    double error = ROUNDING * v + (ratio > 0.5 && epsilon < 0.5 ? 0 : off / (ratio - off));
    double mu = 1 / step->sigma * (1 + side * DBL_EPSILON);
    double at = MAX(0, v - side * error);
    return log(step->q) + epsilon - at + dpcxr_gaussian_log_delta(at, mu, side);
}

double dpcxr_loss_single_log_delta(const DpcxrLossPart *step, double epsilon, int side)
{
    double log_delta = MAX(forward(step, epsilon, side), reverse(step, epsilon, side));
    return MIN(0, log_delta + side * 8 * DBL_EPSILON * (1 + fabs(log_delta)));
}

double dpcxr_loss_single_epsilon(const DpcxrLossPart *step, double log_delta, int side)
{
    double low = 0, high = 1e-12;
    if (!(dpcxr_loss_single_log_delta(step, 0, side) > log_delta))
        return 0;
    while (dpcxr_loss_single_log_delta(step, high, side) > log_delta && high < 1e12)
        high *= 16;
    for (int i = 0; i < 200; i++) {
        double middle = low + (high - low) / 2;
        if (middle == low || middle == high)
            break;
        *(dpcxr_loss_single_log_delta(step, middle, side) > log_delta ? &low : &high) = middle;
    }
    return side > 0 ? high : low;
}
