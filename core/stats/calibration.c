/* SPDX-License-Identifier: MIT */
#include "stats/calibration.h"
#include <math.h>

/* The number of the sample's scores that are above @edge. */
static gsize above(const DpcxrScored *sample, double edge)
{
    return dpcxr_scored_called(sample, nextafter(edge, INFINITY));
}

/* The quantile i / BINS of the scores, which fall from position 0. */
static double quantile(const DpcxrScored *sample, gsize i)
{
    gsize steps = i * (sample->n - 1), whole = steps / DPCXR_CALIBRATION_BINS;
    double part = (double)(steps % DPCXR_CALIBRATION_BINS) / DPCXR_CALIBRATION_BINS;
    double low = sample->scores[sample->n - 1 - whole];

    return part > 0 ? low + part * (sample->scores[sample->n - 2 - whole] - low) : low;
}

static double edge(const DpcxrScored *sample, DpcxrBinKind kind, gsize i)
{
    return kind == DPCXR_BINS_EQUAL_WIDTH ? (double)i / DPCXR_CALIBRATION_BINS : quantile(sample, i);
}

static void describe(const DpcxrScored *sample, DpcxrCalibrationBin *bin)
{
    double scores = 0;
    gsize positives = 0;

    for (gsize i = bin->first; i < bin->first + bin->n; i++) {
        scores += sample->scores[i];
        positives += sample->truths[i];
    }
    bin->mean_score = bin->n > 0 ? scores / (double)bin->n : NAN;
    bin->rate = bin->n > 0 ? (double)positives / (double)bin->n : NAN;
}

static gboolean has_scores(const DpcxrScored *sample)
{
    return sample->finite && sample->n > 0;
}

void dpcxr_calibration_bins(const DpcxrScored *sample, DpcxrBinKind kind,
                            DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS])
{
    gsize end = sample->n;

    for (gsize i = 0; i < DPCXR_CALIBRATION_BINS; i++) {
        bins[i] = (DpcxrCalibrationBin){0};
        if (!has_scores(sample))
            continue;
        bins[i].low = edge(sample, kind, i);
        bins[i].high = edge(sample, kind, i + 1);
        bins[i].first = i + 1 < DPCXR_CALIBRATION_BINS ? above(sample, bins[i].high) : 0;
        bins[i].n = end - bins[i].first;
        end = bins[i].first;
        describe(sample, &bins[i]);
    }
}

double dpcxr_calibration_error(const DpcxrScored *sample, DpcxrBinKind kind)
{
    DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS];
    double sum = 0;

    if (!has_scores(sample))
        return NAN;
    dpcxr_calibration_bins(sample, kind, bins);
    for (gsize i = 0; i < DPCXR_CALIBRATION_BINS; i++)
        if (bins[i].n > 0)
            sum += (double)bins[i].n * fabs(bins[i].mean_score - bins[i].rate);
    return sum / (double)sample->n;
}

double dpcxr_brier(const DpcxrScored *sample)
{
    double sum = 0;

    if (!has_scores(sample))
        return NAN;
    for (gsize i = 0; i < sample->n; i++) {
        double difference = sample->scores[i] - sample->truths[i];
        sum += difference * difference;
    }
    return sum / (double)sample->n;
}

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

/* No threshold, in either direction, has all positives on one side and all negatives on the other, and scores
 * differ. */
static gboolean overlaps(const DpcxrScored *sample)
{
    double highest[2] = {-INFINITY, -INFINITY}, lowest[2] = {INFINITY, INFINITY};

    for (gsize i = 0; i < sample->n; i++) {
        int truth = sample->truths[i];
        highest[truth] = MAX(highest[truth], sample->scores[i]);
        lowest[truth] = MIN(lowest[truth], sample->scores[i]);
    }
    return lowest[1] < highest[0] && lowest[0] < highest[1];
}

/* The intercept where sum (truth - P) is 0, of logit P = intercept + x: by halves, with Newton's step where that stays
 * between the ends, because the sum falls everywhere but may be all but flat on the way. */
static double find_intercept(const double *x, const guint8 *truths, gsize n)
{
    double low = -80, high = 80, at = 0; /* logits stay within 35 */

    for (;;) {
        double rest = 0, weight = 0;
        for (gsize i = 0; i < n; i++) {
            double p = logistic(at + x[i]);
            rest += truths[i] - p;
            weight += p * (1 - p);
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

static Fit fit_at(const double *x, const guint8 *truths, gsize n, double offset, double slope)
{
    Fit fit = {0};

    for (gsize i = 0; i < n; i++) {
        double z = offset + slope * x[i], p = logistic(z), weight = p * (1 - p), rest = truths[i] - p;
        double away = truths[i] ? -z : z; /* log(1 + e^away) is the loss */
        fit.likelihood -= fmax(away, 0) + log1p(exp(-fabs(away)));
        fit.g[0] += rest;
        fit.g[1] += rest * x[i];
        fit.h[0] += weight;
        fit.h[1] += weight * x[i];
        fit.h[2] += weight * x[i] * x[i];
    }
    return fit;
}

/* Newton's method, a step halved until it does not make things worse; the likelihood is concave. FALSE where that does
 * not converge. */
static gboolean maximise(const double *x, const guint8 *truths, gsize n, double *offset, double *slope)
{
    enum { MOST_STEPS = 200 };
    const double visible = 1e-5; /* what smaller steps change of the likelihood, rounding hides */
    Fit fit = fit_at(x, truths, n, *offset, *slope);

    for (int step = 0; step < MOST_STEPS; step++) {
        double determinant = fit.h[0] * fit.h[2] - fit.h[1] * fit.h[1];
        double by = (fit.h[2] * fit.g[0] - fit.h[1] * fit.g[1]) / determinant;
        double tilt = (fit.h[0] * fit.g[1] - fit.h[1] * fit.g[0]) / determinant;
        if (!isfinite(by) || !isfinite(tilt))
            return FALSE;
        double size = fabs(by) + fabs(tilt), scale = 1;
        Fit next = fit_at(x, truths, n, *offset + by, *slope + tilt);
        while (!(next.likelihood >= fit.likelihood) && size * scale > visible) {
            scale /= 2;
            next = fit_at(x, truths, n, *offset + scale * by, *slope + scale * tilt);
        }
        *offset += scale * by;
        *slope += scale * tilt;
        fit = next;
        if (size < 1e-8 * (1 + fabs(*offset) + fabs(*slope))) /* what is left is about its square */
            return TRUE;
    }
    return FALSE;
}

DpcxrRecalibration dpcxr_recalibrate(const DpcxrScored *sample)
{
    DpcxrRecalibration result = {NAN, NAN, NAN};
    g_autofree double *x = g_new(double, sample->n);
    double offset = 0, slope = 1;

    if (!dpcxr_scored_ranks(sample))
        return result;
    for (gsize i = 0; i < sample->n; i++)
        x[i] = dpcxr_logit(sample->scores[i]);
    result.intercept = find_intercept(x, sample->truths, sample->n);
    if (overlaps(sample) && maximise(x, sample->truths, sample->n, &offset, &slope)) {
        result.offset = offset;
        result.slope = slope;
    }
    return result;
}
