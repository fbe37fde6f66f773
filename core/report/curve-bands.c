/* SPDX-License-Identifier: MIT */
#include "report/curve-bands.h"
#include "stats/inference.h"
#include "stats/resample.h"
#include <math.h>

/* Heights of one label's two curves: [DPCXR_BAND_POINTS, rounded replicates]. */
typedef struct {
    double *roc, *pr;
} Heights;

typedef struct {
    DpcxrScored *const *samples;
    const guint32 *patients;
    const guint8 *counts; /* [patients, DPCXR_LANES] of this round */
    gsize first, replicates;
    Heights *heights;
} Round;

/* One resample's way along both curves, from the highest score down. */
typedef struct {
    double positives, negatives;
    double tp, fp;         /* so far */
    int roc_next, pr_next; /* the places that are not passed yet */
    double *roc, *pr;      /* heights at place 0; the next is @stride further */
    gsize stride;
} Walk;

static double place(int k)
{
    return (double)k / (DPCXR_BAND_POINTS - 1);
}

/* The curve goes straight from where it was to (@tp, @fp). A place that is reached by a vertical part has its
 * upper end. */
static void pass_roc(Walk *w, double tp, double fp)
{
    double from = w->fp / w->negatives, to = fp / w->negatives;
    double low = w->tp / w->positives, high = tp / w->positives;
    while (w->roc_next < DPCXR_BAND_POINTS && place(w->roc_next) < to) {
        double share = (place(w->roc_next) - from) / (to - from);
        w->roc[(gsize)w->roc_next++ * w->stride] = low + share * (high - low);
    }
}

/* Precision at a recall is that of the first working point which has it. */
static void pass_pr(Walk *w, double tp, double fp)
{
    while (w->pr_next < DPCXR_BAND_POINTS && place(w->pr_next) * w->positives <= tp + 1e-9 && tp > 0)
        w->pr[(gsize)w->pr_next++ * w->stride] = tp / (tp + fp);
}

static void walk(Walk *w, const DpcxrScored *sample, const guint32 *patients, const guint8 *counts)
{
    for (gsize i = 0; i < sample->n;) {
        gsize end = dpcxr_scored_tie_end(sample, i);
        double tp = w->tp, fp = w->fp;
        for (; i < end; i++) {
            double drawn = counts[(gsize)patients[sample->rows[i]] * DPCXR_LANES];
            if (sample->truths[i])
                tp += drawn;
            else
                fp += drawn;
        }
        pass_roc(w, tp, fp);
        pass_pr(w, tp, fp);
        w->tp = tp;
        w->fp = fp;
    }
    while (w->roc_next < DPCXR_BAND_POINTS)
        w->roc[(gsize)w->roc_next++ * w->stride] = 1;
}

static void count_classes(Walk *w, const DpcxrScored *sample, const guint32 *patients, const guint8 *counts)
{
    for (gsize i = 0; i < sample->n; i++) {
        double drawn = counts[(gsize)patients[sample->rows[i]] * DPCXR_LANES];
        w->positives += sample->truths[i] ? drawn : 0;
        w->negatives += sample->truths[i] ? 0 : drawn;
    }
}

static void walk_label(gpointer data, int label, int thread)
{
    const Round *round = data;
    const DpcxrScored *sample = round->samples[label];
    if (!dpcxr_scored_ranks(sample))
        return;
    for (gsize lane = 0; lane < DPCXR_LANES && round->first + lane < round->replicates; lane++) {
        const guint8 *counts = round->counts + lane;
        Walk w = {.roc = round->heights[label].roc + round->first + lane,
                  .pr = round->heights[label].pr + round->first + lane,
                  .stride = round->replicates};
        count_classes(&w, sample, round->patients, counts);
        if (w.positives > 0 && w.negatives > 0)
            walk(&w, sample, round->patients, counts);
    }
}

static void fill_band(const double *heights, gsize replicates, double level, double *low, double *high)
{
    for (gsize k = 0; k < DPCXR_BAND_POINTS; k++) {
        DpcxrPercentiles p = dpcxr_percentile_interval(heights + k * replicates, replicates, level);
        low[k] = p.low;
        high[k] = p.high;
    }
}

static double *nothing(gsize n)
{
    double *values = g_new(double, n);
    for (gsize i = 0; i < n; i++)
        values[i] = NAN;
    return values;
}

void dpcxr_curve_bands(DpcxrScored *const *samples, gsize n, const guint32 *patients, gsize n_patients,
                       gsize replicates, double level, guint64 seed, DpcxrWorkers *workers, DpcxrBands *bands)
{
    g_autofree guint8 *counts = g_new(guint8, n_patients * DPCXR_LANES);
    g_autofree Heights *heights = g_new(Heights, n);
    Round round = {.samples = samples,
                   .patients = patients,
                   .counts = counts,
                   .replicates = replicates,
                   .heights = heights};
    for (gsize i = 0; i < n; i++)
        heights[i] =
            (Heights){nothing(DPCXR_BAND_POINTS * replicates), nothing(DPCXR_BAND_POINTS * replicates)};
    for (; round.first < replicates; round.first += DPCXR_LANES) {
        dpcxr_resample(seed, round.first, n_patients, counts);
        dpcxr_workers_run(workers, (int)n, walk_label, &round);
    }
    for (gsize i = 0; i < n; i++) {
        fill_band(heights[i].roc, replicates, level, bands[i].roc_low, bands[i].roc_high);
        fill_band(heights[i].pr, replicates, level, bands[i].pr_low, bands[i].pr_high);
        g_free(heights[i].roc);
        g_free(heights[i].pr);
    }
}
