/* SPDX-License-Identifier: MIT
 * ROC metrics over scores sorted once; conventions are scikit-learn's, values checked against it
 * (tests/golden/metrics/make.py). */
#include "eval/metrics.h"
#include <math.h>
#include <stdlib.h>

typedef struct {
    double score;
    gboolean positive;
} Scored;

static int by_falling_score(const void *a, const void *b)
{
    double x = ((const Scored *)a)->score, y = ((const Scored *)b)->score;

    return (x < y) - (x > y);
}

/* A point of the ROC curve: positives and negatives with a score of at least @threshold. */
typedef struct {
    double threshold;
    gsize tp, fp;
} RocPoint;

/* The curve, one point for each distinct score from the highest down, so the last one has everybody. NULL
 * where a score is NaN or a class is missing. */
static RocPoint *roc_curve(const double *scores, const guint8 *labels, gsize n, gsize *n_points)
{
    g_autofree Scored *sorted = g_new(Scored, n);
    g_autofree RocPoint *points = g_new(RocPoint, n);
    gsize positives = 0, count = 0;

    for (gsize i = 0; i < n; i++) {
        if (isnan(scores[i]))
            return NULL;
        sorted[i] = (Scored){scores[i], labels[i] != 0};
        positives += sorted[i].positive;
    }
    if (positives == 0 || positives == n)
        return NULL;
    qsort(sorted, n, sizeof *sorted, by_falling_score);
    for (gsize i = 0, tp = 0; i < n; i++) {
        tp += sorted[i].positive;
        if (i + 1 == n || sorted[i + 1].score != sorted[i].score)
            points[count++] = (RocPoint){sorted[i].score, tp, i + 1 - tp};
    }
    *n_points = count;
    return g_steal_pointer(&points);
}

double dpcxr_auroc(const double *scores, const guint8 *labels, gsize n)
{
    gsize n_points;
    g_autofree RocPoint *points = roc_curve(scores, labels, n, &n_points);
    RocPoint above = {0};
    double pairs = 0; /* (positive, negative) in the right order, ties half; exact below 2^52 */

    if (!points)
        return NAN;
    for (gsize i = 0; i < n_points; i++) {
        pairs += 0.5 * (double)(points[i].tp + above.tp) * (double)(points[i].fp - above.fp);
        above = points[i];
    }
    return pairs / ((double)above.tp * (double)above.fp);
}

/* Whether @p is halfway between its neighbours. scikit-learn leaves such points out; that they cannot be
 * better is true but for rounding, and rounding decides between thresholds that are equally good. */
static gboolean is_halfway(const RocPoint *p)
{
    return p[1].tp - p[0].tp == p[0].tp - p[-1].tp && p[1].fp - p[0].fp == p[0].fp - p[-1].fp;
}

double dpcxr_youden_threshold(const double *scores, const guint8 *labels, gsize n)
{
    gsize n_points;
    g_autofree RocPoint *points = roc_curve(scores, labels, n, &n_points);
    double best = -INFINITY, threshold = NAN;

    if (!points)
        return NAN;
    const RocPoint *last = &points[n_points - 1];
    for (gsize i = 0; i < n_points; i++) {
        const RocPoint *p = &points[i];
        double youden = (double)p->tp / (double)last->tp - (double)p->fp / (double)last->fp;
        gboolean left_out = i > 0 && p < last && is_halfway(p);
        if (youden > best && !left_out) {
            best = youden;
            threshold = p->threshold;
        }
    }
    return threshold;
}

static double ratio(gsize part, gsize whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

void dpcxr_metrics(const double *scores, const guint8 *labels, gsize n, double threshold,
                   DpcxrMetrics *metrics)
{
    gsize tp = 0, fp = 0, positives = 0;
    gboolean defined = !isnan(threshold);

    for (gsize i = 0; i < n; i++) {
        gboolean called = scores[i] >= threshold;
        defined = defined && !isnan(scores[i]);
        positives += labels[i] != 0;
        tp += called && labels[i];
        fp += called && !labels[i];
    }
    *metrics =
        (DpcxrMetrics){n, positives, dpcxr_auroc(scores, labels, n), threshold, NAN, NAN, NAN, NAN, NAN};
    if (!defined)
        return;
    gsize negatives = n - positives, fn = positives - tp;
    metrics->accuracy = ratio(tp + negatives - fp, n);
    metrics->sensitivity = ratio(tp, positives);
    metrics->specificity = ratio(negatives - fp, negatives);
    metrics->precision = ratio(tp, tp + fp);
    metrics->f1 = ratio(2 * tp, 2 * tp + fp + fn);
}
