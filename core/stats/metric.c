/* SPDX-License-Identifier: MIT */
#include "stats/metric.h"
#include "stats/calibration.h"
#include "stats/ranking.h"
#include "stats/recalibration.h"
#include <math.h>

static const struct {
    const char *name;
    int direction;
} table[DPCXR_N_METRICS] = {
    [DPCXR_METRIC_AUROC] = {"auroc", 1},
    [DPCXR_METRIC_AUPRC] = {"auprc", 1},
    [DPCXR_METRIC_SENSITIVITY] = {"sensitivity", 1},
    [DPCXR_METRIC_SPECIFICITY] = {"specificity", 1},
    [DPCXR_METRIC_FNR] = {"fnr", -1},
    [DPCXR_METRIC_FPR] = {"fpr", -1},
    [DPCXR_METRIC_PPV] = {"ppv", 1},
    [DPCXR_METRIC_NPV] = {"npv", 1},
    [DPCXR_METRIC_F1] = {"f1", 1},
    [DPCXR_METRIC_ACCURACY] = {"accuracy", 1},
    [DPCXR_METRIC_POSITIVE_RATE] = {"positive_rate", 0},
    [DPCXR_METRIC_PREVALENCE] = {"prevalence", 0},
    [DPCXR_METRIC_BRIER] = {"brier", -1},
    [DPCXR_METRIC_ECE_EQUAL_WIDTH] = {"ece_equal_width", -1},
    [DPCXR_METRIC_ECE_EQUAL_MASS] = {"ece_equal_mass", -1},
    [DPCXR_METRIC_CALIBRATION_SLOPE] = {"calibration_slope", 0},
    [DPCXR_METRIC_CALIBRATION_INTERCEPT] = {"calibration_intercept", 0},
};

const char *dpcxr_metric_name(DpcxrMetric metric)
{
    return metric >= 0 && metric < DPCXR_N_METRICS ? table[metric].name : NULL;
}

int dpcxr_metric_direction(DpcxrMetric metric)
{
    return table[metric].direction;
}

DpcxrConfusion dpcxr_confusion(const DpcxrScored *sample, double threshold)
{
    gsize called = dpcxr_scored_called(sample, threshold), tp = 0;

    for (gsize i = 0; i < called; i++)
        tp += sample->truths[i];
    gsize fn = sample->positives - tp;
    return (DpcxrConfusion){(double)tp, (double)(called - tp), (double)fn, (double)(sample->n - called - fn)};
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

void dpcxr_confusion_metrics(const DpcxrConfusion *c, double *values)
{
    double n = c->tp + c->fp + c->fn + c->tn;

    values[DPCXR_METRIC_SENSITIVITY] = ratio(c->tp, c->tp + c->fn);
    values[DPCXR_METRIC_SPECIFICITY] = ratio(c->tn, c->tn + c->fp);
    values[DPCXR_METRIC_FNR] = ratio(c->fn, c->tp + c->fn);
    values[DPCXR_METRIC_FPR] = ratio(c->fp, c->tn + c->fp);
    values[DPCXR_METRIC_PPV] = ratio(c->tp, c->tp + c->fp);
    values[DPCXR_METRIC_NPV] = ratio(c->tn, c->tn + c->fn);
    values[DPCXR_METRIC_F1] = ratio(2 * c->tp, 2 * c->tp + c->fp + c->fn);
    values[DPCXR_METRIC_ACCURACY] = ratio(c->tp + c->tn, n);
    values[DPCXR_METRIC_POSITIVE_RATE] = ratio(c->tp + c->fp, n);
    values[DPCXR_METRIC_PREVALENCE] = ratio(c->tp + c->fn, n);
}

void dpcxr_metrics(const DpcxrScored *sample, double threshold, double *values)
{
    for (int i = 0; i < DPCXR_N_METRICS; i++)
        values[i] = NAN;
    if (sample->n > 0)
        values[DPCXR_METRIC_PREVALENCE] = (double)sample->positives / (double)sample->n;
    if (!sample->finite)
        return;
    if (!isnan(threshold)) {
        DpcxrConfusion confusion = dpcxr_confusion(sample, threshold);
        dpcxr_confusion_metrics(&confusion, values);
    }
    DpcxrRecalibration recalibration = dpcxr_recalibrate(sample, NULL);
    values[DPCXR_METRIC_AUROC] = dpcxr_auroc(sample);
    values[DPCXR_METRIC_AUPRC] = dpcxr_auprc(sample);
    values[DPCXR_METRIC_BRIER] = dpcxr_brier(sample);
    values[DPCXR_METRIC_ECE_EQUAL_WIDTH] = dpcxr_calibration_error(sample, DPCXR_BINS_EQUAL_WIDTH);
    values[DPCXR_METRIC_ECE_EQUAL_MASS] = dpcxr_calibration_error(sample, DPCXR_BINS_EQUAL_MASS);
    values[DPCXR_METRIC_CALIBRATION_SLOPE] = recalibration.slope;
    values[DPCXR_METRIC_CALIBRATION_INTERCEPT] = recalibration.intercept;
}
