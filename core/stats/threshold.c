/* SPDX-License-Identifier: MIT */
#include "stats/threshold.h"
#include "stats/ranking.h"
#include <math.h>

typedef struct {
    const DpcxrCurvePoint *points;
    gsize n_points;
    double positives, negatives;
} Curve;

static const char *const names[DPCXR_N_THRESHOLD_RULES] = {"youden", "sensitivity", "specificity", "f1"};

const char *dpcxr_threshold_rule_name(DpcxrThresholdRule rule)
{
    return names[rule];
}

gboolean dpcxr_threshold_rule_has_value(DpcxrThresholdRule rule)
{
    return rule == DPCXR_THRESHOLD_SENSITIVITY || rule == DPCXR_THRESHOLD_SPECIFICITY;
}

/* Whether a point that is not at an end is halfway between its neighbours. scikit-learn leaves such points
 * out; that they cannot be better is true but for rounding, and rounding decides between thresholds that are
 * equally good. */
static gboolean is_halfway(const Curve *curve, gsize i)
{
    const DpcxrCurvePoint *p = &curve->points[i];

    return i > 0 && i + 1 < curve->n_points && p[1].tp - p[0].tp == p[0].tp - p[-1].tp &&
           p[1].fp - p[0].fp == p[0].fp - p[-1].fp;
}

static double choose_youden(const Curve *curve)
{
    double best = -INFINITY, threshold = NAN;

    for (gsize i = 0; i < curve->n_points; i++) {
        const DpcxrCurvePoint *p = &curve->points[i];
        double youden = (double)p->tp / curve->positives - (double)p->fp / curve->negatives;
        if (youden > best && !is_halfway(curve, i)) {
            best = youden;
            threshold = p->threshold;
        }
    }
    return threshold;
}

static double choose_f1(const Curve *curve)
{
    double best = -INFINITY, threshold = NAN;

    for (gsize i = 0; i < curve->n_points; i++) {
        const DpcxrCurvePoint *p = &curve->points[i];
        double f1 = 2 * (double)p->tp / ((double)(p->tp + p->fp) + curve->positives);
        if (f1 > best) {
            best = f1;
            threshold = p->threshold;
        }
    }
    return threshold;
}

/* The last point has a sensitivity of 1, so there always is one. */
static double choose_sensitivity(const Curve *curve, double value)
{
    gsize i = 0;

    while (i + 1 < curve->n_points && (double)curve->points[i].tp / curve->positives < value)
        i++;
    return curve->points[i].threshold;
}

static double choose_specificity(const Curve *curve, double value)
{
    double threshold = nextafter(curve->points[0].threshold, INFINITY);

    for (gsize i = 0; i < curve->n_points; i++) {
        if ((curve->negatives - (double)curve->points[i].fp) / curve->negatives < value)
            break;
        threshold = curve->points[i].threshold;
    }
    return threshold;
}

double dpcxr_threshold_choose(const DpcxrScored *sample, DpcxrThresholdRule rule, double value)
{
    gsize n_points;
    g_autofree DpcxrCurvePoint *points = dpcxr_curve(sample, &n_points);
    Curve curve = {points, n_points, (double)sample->positives, (double)(sample->n - sample->positives)};

    if (!points)
        return NAN;
    switch (rule) {
    case DPCXR_THRESHOLD_YOUDEN:
        return choose_youden(&curve);
    case DPCXR_THRESHOLD_SENSITIVITY:
        return choose_sensitivity(&curve, value);
    case DPCXR_THRESHOLD_SPECIFICITY:
        return choose_specificity(&curve, value);
    case DPCXR_THRESHOLD_F1:
        return choose_f1(&curve);
    default:
        g_return_val_if_reached(NAN);
    }
}
