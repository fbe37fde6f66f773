/* SPDX-License-Identifier: MIT */
#include "stats/bootstrap.h"
#include "stats/bootstrap-kernel.h"
#include "stats/recalibration.h"
#include <math.h>
#include <string.h>

#define SMALL_MOVE 5e-3 /* of any row's linear predictor */

/* The two regressions. */
enum { INTERCEPT, SLOPE, N_FITS };

/* An item made ready. */
typedef struct {
    const DpcxrScored *sample;
    DpcxrBootstrapRows rows;
    gsize *counts_at;
    guint8 *tied;
    double *logits;
    gboolean finite, called; /* whether there are scores; a threshold */
    /* end of each bin as a count of segments, from the highest down */
    guint32 segments_of[DPCXR_N_BIN_KINDS][DPCXR_CALIBRATION_BINS];
    DpcxrRecalibration fit;                  /* where replicates start from */
    double farthest;                         /* largest absolute logit */
    double *odds;                            /* e^logit */
    double *rests[N_FITS], *weights[N_FITS]; /* truth - P and P (1 - P) at `fit` */
} Prepared;

typedef struct {
    Prepared *items;
    gsize n_items, n_clusters;
    const DpcxrBootstrapOptions *options;
    const DpcxrBootstrapKernel *kernel;
    guint8 *counts; /* [threads, n_clusters, DPCXR_LANES] */
    DpcxrReplicates *out;
} Job;

static int by_position(const void *a, const void *b)
{
    gsize x = *(const gsize *)a, y = *(const gsize *)b;

    return (x > y) - (x < y);
}

/* Ends of bins of both kinds, in the order of falling scores, cut the rows into segments; a bin is some of
 * them. */
static void cut_segments(Prepared *item, const DpcxrScored *sample)
{
    gsize ends[DPCXR_N_BIN_KINDS][DPCXR_CALIBRATION_BINS], *all = item->rows.segment_ends, n = 0;

    for (int kind = 0; kind < DPCXR_N_BIN_KINDS; kind++) {
        DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS];
        dpcxr_calibration_bins(sample, kind, bins);
        for (gsize b = 0; b < DPCXR_CALIBRATION_BINS; b++) {
            const DpcxrCalibrationBin *bin = &bins[DPCXR_CALIBRATION_BINS - 1 - b];
            ends[kind][b] = all[n++] = bin->first + bin->n;
        }
    }
    qsort(all, n, sizeof *all, by_position);
    for (gsize i = 0; i < n; i++)
        if (i == 0 || all[i] != all[item->rows.n_segments - 1])
            all[item->rows.n_segments++] = all[i];
    for (int kind = 0; kind < DPCXR_N_BIN_KINDS; kind++)
        for (gsize b = 0, s = 0; b < DPCXR_CALIBRATION_BINS; b++) {
            while (s < item->rows.n_segments && all[s] <= ends[kind][b])
                s++;
            item->segments_of[kind][b] = (guint32)s;
        }
}

/* P at the fit of the whole sample: where all lanes take their first step from. */
static void prepare_fits(Prepared *item)
{
    const DpcxrRecalibration *fit = &item->fit;

    item->odds = g_new(double, item->rows.n);
    for (int f = 0; f < N_FITS; f++) {
        item->rests[f] = g_new(double, item->rows.n);
        item->weights[f] = g_new(double, item->rows.n);
    }
    for (gsize i = 0; i < item->rows.n; i++) {
        double x = item->logits[i], z[N_FITS] = {fit->intercept + x, fit->offset + fit->slope * x};
        item->odds[i] = exp(x);
        item->farthest = fmax(item->farthest, fabs(x));
        for (int f = 0; f < N_FITS; f++) {
            double p = 1 / (1 + exp(-z[f]));
            item->rests[f][i] = item->rows.truths[i] - p;
            item->weights[f][i] = p * (1 - p);
        }
    }
}

static void prepare(Prepared *item, const DpcxrBootstrapItem *from, const guint32 *cluster_of,
                    gboolean no_calibration)
{
    const DpcxrScored *sample = from->sample;

    item->sample = sample;
    item->finite = sample->finite;
    item->called = sample->finite && !isnan(from->threshold);
    item->counts_at = g_new(gsize, sample->n);
    item->tied = g_new(guint8, sample->n);
    item->logits = g_new(double, sample->n);
    for (gsize i = 0; i < sample->n; i++) {
        item->counts_at[i] = (gsize)cluster_of[sample->rows[i]] * DPCXR_LANES;
        item->tied[i] = i + 1 < sample->n && sample->scores[i + 1] == sample->scores[i];
        item->logits[i] = dpcxr_logit(sample->scores[i]);
    }
    item->rows = (DpcxrBootstrapRows){sample->n,  item->counts_at, sample->truths,
                                      item->tied, sample->scores,  item->logits};
    item->rows.called = item->called ? dpcxr_scored_called(sample, from->threshold) : 0;
    if (no_calibration)
        return;
    if (sample->finite)
        cut_segments(item, sample);
    item->fit = dpcxr_recalibrate(sample, NULL);
    prepare_fits(item);
}

static void prepared_clear(Prepared *item)
{
    g_free(item->counts_at);
    g_free(item->tied);
    g_free(item->logits);
    g_free(item->odds);
    for (int f = 0; f < N_FITS; f++) {
        g_free(item->rests[f]);
        g_free(item->weights[f]);
    }
}

/* Where the metrics of one item go, in the replicates of one block. */
typedef struct {
    const Job *job;
    const Prepared *item;
    const guint8 *counts;
    double *values; /* of the item and its first metric and the block's first replicate */
    gsize n_lanes;  /* the last block may have fewer that count */
} Block;

static void put(const Block *block, DpcxrMetric metric, gsize lane, double value)
{
    if (lane < block->n_lanes)
        block->values[(gsize)metric * block->job->out->replicates + lane] = value;
}

static void put_confusion(const Block *block, gsize lane, const DpcxrRankSums *sums)
{
    double values[DPCXR_N_METRICS];
    double tp = sums->tp[lane], fp = sums->fp[lane], positives = sums->positives[lane],
           negatives = sums->negatives[lane];
    DpcxrConfusion confusion = {tp, fp, positives - tp, negatives - fp};

    dpcxr_confusion_metrics(&confusion, values);
    for (int metric = DPCXR_METRIC_SENSITIVITY; metric < DPCXR_METRIC_PREVALENCE; metric++)
        put(block, metric, lane, block->item->called ? values[metric] : NAN);
    put(block, DPCXR_METRIC_PREVALENCE, lane, values[DPCXR_METRIC_PREVALENCE]);
}

static void put_ranking(const Block *block, DpcxrRankSums *sums)
{
    gboolean finite = block->item->finite;

    block->job->kernel->rank(&block->item->rows, block->counts, sums);
    for (gsize lane = 0; lane < block->n_lanes; lane++) {
        double positives = sums->positives[lane], negatives = sums->negatives[lane];
        gboolean both = finite && positives > 0 && negatives > 0;
        put(block, DPCXR_METRIC_AUROC, lane,
            both ? 1 - sums->wrong[lane] / (2 * positives * negatives) : NAN);
        put(block, DPCXR_METRIC_AUPRC, lane, both ? sums->precision[lane] / positives : NAN);
        put_confusion(block, lane, sums);
    }
}

/* Sum over bins of the absolute sum of (score - truth) in them. */
static double bin_errors(const Prepared *item, const DpcxrResidualSums *sums, int kind, gsize lane)
{
    double errors = 0;

    for (gsize b = 0, s = 0; b < DPCXR_CALIBRATION_BINS; b++) {
        double sum = 0;
        for (; s < item->segments_of[kind][b]; s++)
            sum += sums->segments[s][lane];
        errors += fabs(sum);
    }
    return errors;
}

static void put_residuals(const Block *block, const DpcxrRankSums *ranks)
{
    DpcxrResidualSums sums;

    block->job->kernel->residuals(&block->item->rows, block->counts, &sums);
    for (gsize lane = 0; lane < block->n_lanes; lane++) {
        double n = ranks->positives[lane] + ranks->negatives[lane];
        double share = block->item->finite && n > 0 ? 1 / n : NAN;
        put(block, DPCXR_METRIC_BRIER, lane, share * sums.squares[lane]);
        put(block, DPCXR_METRIC_ECE_EQUAL_WIDTH, lane,
            share * bin_errors(block->item, &sums, DPCXR_BINS_EQUAL_WIDTH, lane));
        put(block, DPCXR_METRIC_ECE_EQUAL_MASS, lane,
            share * bin_errors(block->item, &sums, DPCXR_BINS_EQUAL_MASS, lane));
    }
}

/* Offset and slope of each lane, and its last step. */
typedef struct {
    double offset[DPCXR_LANES], slope[DPCXR_LANES], moved[DPCXR_LANES];
} Lanes;

/* Newton's step of one of the two regressions in all lanes. Returns the largest of their moves. */
static double step_lanes(const Block *block, int fit, const DpcxrLogisticSums *s, Lanes *lanes)
{
    double largest = 0;

    for (gsize lane = 0; lane < block->n_lanes; lane++) {
        double h0 = s->h[0][lane], h1 = s->h[1][lane], h2 = s->h[2][lane], g0 = s->g[0][lane],
               g1 = s->g[1][lane];
        double determinant = h0 * h2 - h1 * h1;
        double by = fit == SLOPE ? (h2 * g0 - h1 * g1) / determinant : g0 / h0;
        double tilt = fit == SLOPE ? (h0 * g1 - h1 * g0) / determinant : 0;
        lanes->offset[lane] += by;
        lanes->slope[lane] += tilt;
        lanes->moved[lane] =
            fabs(by) + fabs(tilt) * block->item->farthest; /* NaN, or grows, in a lane that runs away */
        if (lanes->moved[lane] > largest)
            largest = lanes->moved[lane];
    }
    return largest;
}

/* Gradient and information at each lane's own parameters. */
static void sum_lanes(const Block *block, int fit, const Lanes *lanes, DpcxrLogisticSums *sums)
{
    const DpcxrBootstrapKernel *kernel = block->job->kernel;
    double factor[DPCXR_LANES];

    if (fit == SLOPE) {
        kernel->logistic(&block->item->rows, block->counts, lanes->offset, lanes->slope, sums);
        return;
    }
    for (gsize lane = 0; lane < DPCXR_LANES; lane++)
        factor[lane] = exp(lanes->offset[lane]);
    kernel->shifted(&block->item->rows, block->counts, block->item->odds, factor, sums);
}

/* From the fit of the whole sample until no lane moves any more by what an interval could show: after a step,
 * the error left is about its square. */
static void fit_lanes(const Block *block, int fit, double offset, double slope, Lanes *lanes)
{
    enum { MOST_STEPS = 8 };
    const Prepared *item = block->item;
    DpcxrLogisticSums sums = {{{0}}};

    for (gsize lane = 0; lane < DPCXR_LANES; lane++) {
        lanes->offset[lane] = offset;
        lanes->slope[lane] = slope;
        lanes->moved[lane] = INFINITY;
    }
    if (isnan(offset))
        return;
    block->job->kernel->common(&item->rows, block->counts, item->rests[fit], item->weights[fit], &sums);
    double moved = step_lanes(block, fit, &sums, lanes);
    for (int step = 1; step < MOST_STEPS && moved > SMALL_MOVE; step++) {
        sum_lanes(block, fit, lanes, &sums);
        moved = step_lanes(block, fit, &sums, lanes);
    }
}

/* The slow, safe way, for a lane that did not converge: small resamples, and those that have no maximum. */
static DpcxrRecalibration fit_one(const Block *block, gsize lane)
{
    const Prepared *item = block->item;
    g_autofree guint8 *times = g_new(guint8, item->rows.n);

    for (gsize i = 0; i < item->rows.n; i++)
        times[i] = block->counts[item->counts_at[i] + lane];
    return dpcxr_recalibrate(item->sample, times);
}

static void put_recalibration(const Block *block)
{
    const DpcxrRecalibration *fit = &block->item->fit;
    Lanes intercepts, slopes;

    fit_lanes(block, INTERCEPT, fit->intercept, 1, &intercepts);
    fit_lanes(block, SLOPE, fit->offset, fit->slope, &slopes);
    for (gsize lane = 0; lane < block->n_lanes; lane++) {
        DpcxrRecalibration found = {slopes.slope[lane], slopes.offset[lane], intercepts.offset[lane]};
        gboolean converged =
            intercepts.moved[lane] <= SMALL_MOVE && (isnan(fit->slope) || slopes.moved[lane] <= SMALL_MOVE);
        if (!converged && !isnan(fit->intercept)) /* what the whole does not have, no resample has */
            found = fit_one(block, lane);
        put(block, DPCXR_METRIC_CALIBRATION_INTERCEPT, lane, found.intercept);
        put(block, DPCXR_METRIC_CALIBRATION_SLOPE, lane, found.slope);
    }
}

static void leave_out_calibration(const Block *block)
{
    for (int metric = DPCXR_METRIC_BRIER; metric < DPCXR_N_METRICS; metric++)
        for (gsize lane = 0; lane < block->n_lanes; lane++)
            put(block, metric, lane, NAN);
}

static void run_block(gpointer data, int i, int thread)
{
    const Job *job = data;
    gsize first = (gsize)i * DPCXR_LANES, stride = (gsize)DPCXR_N_METRICS * job->out->replicates;
    guint8 *counts = job->counts + (gsize)thread * job->n_clusters * DPCXR_LANES;

    dpcxr_resample(job->options->seed, first, job->n_clusters, counts);
    for (gsize k = 0; k < job->n_items; k++) {
        DpcxrRankSums sums;
        Block block = {job, &job->items[k], counts, job->out->values + k * stride + first,
                       MIN(DPCXR_LANES, job->out->replicates - first)};
        put_ranking(&block, &sums);
        if (job->options->no_calibration) {
            leave_out_calibration(&block);
            continue;
        }
        put_residuals(&block, &sums);
        put_recalibration(&block);
    }
}

/* Room for values and counts; FALSE where there is none. */
static gboolean make_room(Job *job, int threads)
{
    gsize cells, counts;

    if (!g_size_checked_mul(&cells, job->n_items * DPCXR_N_METRICS, job->out->replicates) ||
        !g_size_checked_mul(&counts, job->n_clusters * DPCXR_LANES, (gsize)threads))
        return FALSE;
    job->out->values = g_try_new(double, MAX(cells, 1));
    job->counts = g_try_new(guint8, MAX(counts, 1));
    return job->out->values && job->counts;
}

static DpcxrReplicates *run(Job *job, DpcxrWorkers *workers, GError **error)
{
    g_autoptr(DpcxrReplicates) out = job->out;
    gsize blocks = (out->replicates + DPCXR_LANES - 1) / DPCXR_LANES;

    if (!make_room(job, dpcxr_workers_threads(workers))) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "not enough memory for %zu replicates of %zu metrics of %zu samples; lower "
                    "evaluate.ci.replicates",
                    out->replicates, (gsize)DPCXR_N_METRICS, job->n_items);
        return NULL;
    }
    dpcxr_workers_run(workers, (int)blocks, run_block, job);
    return g_steal_pointer(&out);
}

DpcxrReplicates *dpcxr_bootstrap(const DpcxrBootstrapItem *items, gsize n_items, const guint32 *cluster_of,
                                 gsize n_clusters, const DpcxrBootstrapOptions *options,
                                 DpcxrWorkers *workers, GError **error)
{
    g_return_val_if_fail(options->replicates <= G_MAXINT, NULL);
    Job job = {.items = g_new0(Prepared, n_items),
               .n_items = n_items,
               .n_clusters = n_clusters,
               .options = options,
               .kernel = dpcxr_bootstrap_kernel(),
               .out = g_new0(DpcxrReplicates, 1)};

    job.out->n_items = n_items;
    job.out->replicates = options->replicates;
    for (gsize i = 0; i < n_items; i++)
        prepare(&job.items[i], &items[i], cluster_of, options->no_calibration);
    DpcxrReplicates *out = run(&job, workers, error);
    for (gsize i = 0; i < n_items; i++)
        prepared_clear(&job.items[i]);
    g_free(job.items);
    g_free(job.counts);
    return out;
}

void dpcxr_replicates_free(DpcxrReplicates *replicates)
{
    if (!replicates)
        return;
    g_free(replicates->values);
    g_free(replicates);
}

const double *dpcxr_replicates_of(const DpcxrReplicates *replicates, gsize item, DpcxrMetric metric)
{
    return replicates->values + (item * DPCXR_N_METRICS + (gsize)metric) * replicates->replicates;
}
