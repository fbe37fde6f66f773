/* SPDX-License-Identifier: MIT */
#include "stats/recalibration.h"
#include <math.h>

double dpcxr_logit(double p)
{
    const double closest = 1e-15;
    double kept = CLAMP(p, closest, 1 - closest);

    return log(kept / (1 - kept));
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* What is regressed. */
typedef struct {
    const double *x; /* logits */
    const guint8 *truths, *times;
    gsize n;
} Regression;

static double times_of(const Regression *r, gsize i)
{
    return r->times ? r->times[i] : 1;
}

/* Whether both classes are there, and whether no threshold, in either direction, has all positives on one
 * side and all negatives on the other, and logits differ. */
static void look(const Regression *r, gboolean *both, gboolean *overlap)
{
    double highest[2] = {-INFINITY, -INFINITY}, lowest[2] = {INFINITY, INFINITY};

    for (gsize i = 0; i < r->n; i++) {
        int truth = r->truths[i];
        if (times_of(r, i) == 0)
            continue;
        highest[truth] = MAX(highest[truth], r->x[i]);
        lowest[truth] = MIN(lowest[truth], r->x[i]);
    }
    *both = isfinite(highest[0]) && isfinite(highest[1]);
    *overlap = *both && lowest[1] < highest[0] && lowest[0] < highest[1];
}

/* The intercept where sum (truth - P) is 0, of logit P = intercept + x: by halves, with Newton's step where
 * that stays between the ends, because the sum falls everywhere but may be all but flat on the way. */
static double find_intercept(const Regression *r)
{
    double low = -80, high = 80, at = 0; /* logits stay within 35 */

    for (;;) {
        double rest = 0, weight = 0;
        for (gsize i = 0; i < r->n; i++) {
            double p = logistic(at + r->x[i]), times = times_of(r, i);
            rest += times * (r->truths[i] - p);
            weight += times * p * (1 - p);
        }
        double next = at + rest / weight;
        *(rest > 0 ? &low : &high) = at;
        if (!(next > low && next < high))
            next = low + (high - low) / 2;
        if (fabs(next - at) < 1e-14 * (1 + fabs(at)) || next <= low || next >= high)
            return next;
        at = next;
    }
}

/* Log-likelihood, gradient and information of logit P = offset + slope * x. */
typedef struct {
    double likelihood, g[2], h[3];
} Fit;

static Fit fit_at(const Regression *r, double offset, double slope)
{
    Fit fit = {0};

    for (gsize i = 0; i < r->n; i++) {
        double x = r->x[i], times = times_of(r, i);
        double z = offset + slope * x, p = logistic(z), weight = times * p * (1 - p),
               rest = times * (r->truths[i] - p);
        double away = r->truths[i] ? -z : z; /* log(1 + e^away) is the loss */
        fit.likelihood -= times * (fmax(away, 0) + log1p(exp(-fabs(away))));
        fit.g[0] += rest;
        fit.g[1] += rest * x;
        fit.h[0] += weight;
        fit.h[1] += weight * x;
        fit.h[2] += weight * x * x;
    }
    return fit;
}

/* Newton's method, a step halved until it does not make things worse; the likelihood is concave. FALSE where
 * that does not converge. */
static gboolean maximise(const Regression *r, double *offset, double *slope)
{
    enum { MOST_STEPS = 200 };
    const double visible = 1e-5; /* what smaller steps change of the likelihood, rounding hides */
    Fit fit = fit_at(r, *offset, *slope);

    for (int step = 0; step < MOST_STEPS; step++) {
        double determinant = fit.h[0] * fit.h[2] - fit.h[1] * fit.h[1];
        double by = (fit.h[2] * fit.g[0] - fit.h[1] * fit.g[1]) / determinant;
        double tilt = (fit.h[0] * fit.g[1] - fit.h[1] * fit.g[0]) / determinant;
        if (!isfinite(by) || !isfinite(tilt))
            return FALSE;
        double size = fabs(by) + fabs(tilt), scale = 1;
        Fit next = fit_at(r, *offset + by, *slope + tilt);
        while (!(next.likelihood >= fit.likelihood) && size * scale > visible) {
            scale /= 2;
            next = fit_at(r, *offset + scale * by, *slope + scale * tilt);
        }
        *offset += scale * by;
        *slope += scale * tilt;
        fit = next;
        if (size < 1e-8 * (1 + fabs(*offset) + fabs(*slope))) /* what is left is about its square */
            return TRUE;
    }
    return FALSE;
}

static DpcxrRecalibration recalibrate(const Regression *r)
{
    DpcxrRecalibration result = {NAN, NAN, NAN};
    gboolean both, overlap;
    double offset = 0, slope = 1;

    look(r, &both, &overlap);
    if (both)
        result.intercept = find_intercept(r);
    if (overlap && maximise(r, &offset, &slope)) {
        result.offset = offset;
        result.slope = slope;
    }
    return result;
}

DpcxrRecalibration dpcxr_recalibrate(const DpcxrScored *sample, const guint8 *times)
{
    g_autofree double *x = g_new(double, sample->n);
    Regression regression = {x, sample->truths, times, sample->n};

    if (!dpcxr_scored_ranks(sample))
        return (DpcxrRecalibration){NAN, NAN, NAN};
    for (gsize i = 0; i < sample->n; i++)
        x[i] = dpcxr_logit(sample->scores[i]);
    return recalibrate(&regression);
}
