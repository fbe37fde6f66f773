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
