/* SPDX-License-Identifier: MIT
 * The hockey-stick curve of a composed distribution. */
#include "privacy/loss/curve.h"
#include <float.h>
#include <math.h>

struct DpcxrLossCurve {
    double spacing, tilt, first, log_scale, log_error, shift, rounding;
    gsize n;
    /* At point i: sums over j >= i of the mass times e^(-(1 + tilt) d), d the distance to point i; and of the
     * mass times (e^(-tilt d) - e^(-(1 + tilt) d)). */
    double *whole[2], *excess[2];
};

DpcxrLossCurve *dpcxr_loss_curve_new(const DpcxrLossLattice *lattice, double spacing, double tilt)
{
    DpcxrLossCurve *curve = g_new0(DpcxrLossCurve, 1);
    curve->spacing = spacing;
    curve->tilt = tilt;
    curve->first = lattice->offset + (double)lattice->first * spacing;
    curve->log_scale = lattice->log_scale;
    curve->log_error = log(lattice->error) - log1p(tilt);
    curve->shift =
        lattice->shift + 4 * DBL_EPSILON * (fabs(lattice->offset) + fabs((double)lattice->first * spacing));
    curve->n = lattice->n;
    curve->rounding = 8 * DBL_EPSILON * ((double)lattice->n + 16) + lattice->relative;
    double a = exp(-tilt * spacing), b = exp(-(1 + tilt) * spacing), difference = -a * expm1(-spacing);
    for (int bound = 0; bound < 2; bound++) {
        double *whole = curve->whole[bound] = g_new(double, lattice->n);
        double *excess = curve->excess[bound] = g_new(double, lattice->n);
        double next_whole = 0, next_excess = 0;
        for (gsize i = lattice->n; i-- > 0;) {
            next_excess = excess[i] = a * next_excess + difference * next_whole;
            next_whole = whole[i] = lattice->values[bound][i] + b * next_whole;
        }
    }
    return curve;
}

void dpcxr_loss_curve_free(DpcxrLossCurve *curve)
{
    if (!curve)
        return;
    for (int bound = 0; bound < 2; bound++) {
        g_free(curve->whole[bound]);
        g_free(curve->excess[bound]);
    }
    g_free(curve);
}

/* delta(epsilon) = e^(log_scale - tilt epsilon) times the tilted mean of e^(-tilt d) (1 - e^-d), d > 0 the
 * distance of the loss to epsilon. That function is at most 1 / (1 + tilt), which is what an error in mass
 * counts for. */
double dpcxr_loss_curve_log_delta(const DpcxrLossCurve *curve, int bound, double epsilon)
{
    gboolean is_upper = bound == DPCXR_LOSS_UPPER;
    double at = epsilon + (is_upper ? -curve->shift : curve->shift), mean = 0;
    double i = MAX(0, floor((at - curve->first) / curve->spacing) + 1);
    double log_mean = -INFINITY;
    if (i < (double)curve->n) {
        double d = MAX(0, curve->first + i * curve->spacing - at);
        mean = curve->excess[bound][(gsize)i] - curve->whole[bound][(gsize)i] * expm1(-d);
        log_mean = log(mean) - curve->tilt * d + (is_upper ? curve->rounding : -curve->rounding);
    }
    double exponent = curve->log_scale - curve->tilt * at;
    double rounding = 8 * DBL_EPSILON * (fabs(curve->log_scale) + fabs(curve->tilt * at) + 1);
    if (is_upper) {
        double most = MAX(log_mean, curve->log_error), least = MIN(log_mean, curve->log_error);
        double sum = most == -INFINITY ? most : most + log1p(exp(least - most));
        return MIN(0, exponent + sum + rounding);
    }
    if (!(log_mean > curve->log_error))
        return -INFINITY;
    return exponent + log_mean + log1p(-exp(curve->log_error - log_mean)) - rounding;
}

static double upper_epsilon(const DpcxrLossCurve *curve, double log_delta)
{
    double low = 0, high = MAX(1e-6, curve->first + (double)curve->n * curve->spacing);
    if (!(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, 0) > log_delta))
        return 0;
    while (dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, high) > log_delta) {
        low = high;
        high *= 2;
        if (high > 1e12)
            return INFINITY;
    }
    for (int i = 0; i < 200 && high - low > 1e-13 * high; i++) {
        double middle = (low + high) / 2;
        *(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_UPPER, middle) > log_delta ? &low : &high) = middle;
    }
    return high;
}

/* The lower bound of delta is good near the tilted mean only, so it is looked for from the upper bound
 * downward. */
static double lower_epsilon(const DpcxrLossCurve *curve, double log_delta)
{
    double upper = upper_epsilon(curve, log_delta), high = upper, low = upper;
    if (!isfinite(high))
        return 0;
    for (double part = 1e-6; !(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_LOWER, low) > log_delta);
         part *= 1.5) {
        if (low <= 0)
            return 0;
        high = low;
        low = part < 1 ? (1 - part) * upper : 0;
    }
    for (int i = 0; i < 100 && high - low > 1e-13 * high; i++) {
        double middle = (low + high) / 2;
        *(dpcxr_loss_curve_log_delta(curve, DPCXR_LOSS_LOWER, middle) > log_delta ? &low : &high) = middle;
    }
    return low;
}

double dpcxr_loss_curve_epsilon(const DpcxrLossCurve *curve, int bound, double log_delta)
{
    return bound == DPCXR_LOSS_UPPER ? upper_epsilon(curve, log_delta) : lower_epsilon(curve, log_delta);
}
