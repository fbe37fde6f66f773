/* SPDX-License-Identifier: MIT */
#include "eval/judge.h"
#include "eval/known.h"
#include "stats/delong.h"
#include <math.h>

const char *dpcxr_label_status_name(DpcxrLabelStatus status)
{
    static const char *const names[] = {"ok", "one_class", "no_labels", "too_few", "not_finite"};

    return names[status];
}

DpcxrJudgeOptions dpcxr_judge_options(const DpcxrExperiment *e)
{
    return (DpcxrJudgeOptions){
        e->evaluate.ci_method, e->evaluate.ci_by_image, (gsize)e->evaluate.ci_replicates,
        e->evaluate.ci_level,  e->evaluate.ci_seed,     e->evaluate.min_n,
        e->evaluate.min_pos};
}

/* --- One view --- */

static DpcxrLabelStatus find_status(const DpcxrScored *sample, gsize min_pos)
{
    gsize negatives = sample->n - sample->positives;

    if (sample->n == 0)
        return DPCXR_LABEL_NO_LABELS;
    if (!sample->finite)
        return DPCXR_LABEL_NOT_FINITE;
    if (sample->positives < min_pos || negatives < min_pos)
        return DPCXR_LABEL_TOO_FEW;
    return dpcxr_scored_ranks(sample) ? DPCXR_LABEL_OK : DPCXR_LABEL_ONE_CLASS;
}

/* @min_pos 0: of all images, where few are no reason to be silent. */
static void judge_view(DpcxrJudged *judged, gsize view, DpcxrScored *const *samples, gsize min_pos)
{
    DpcxrJudgedView *v = &judged->views[view];

    v->labels = g_new0(DpcxrJudgedLabel, judged->file->n_labels);
    for (gsize k = 0; k < judged->file->n_labels; k++) {
        DpcxrJudgedLabel *label = &v->labels[k];
        double threshold = dpcxr_thresholds_get(judged->thresholds, judged->file->labels[k]);
        label->sample = samples[k];
        label->missing = v->n - samples[k]->n;
        label->status = find_status(samples[k], min_pos);
        dpcxr_metrics(samples[k], threshold, label->values);
        for (int m = 0; m < DPCXR_N_METRICS; m++)
            if (v->too_small || label->status == DPCXR_LABEL_TOO_FEW)
                label->values[m] = NAN;
    }
}

static void count_view(DpcxrJudgedView *view, const DpcxrPredictionFile *file, const guint8 *keep)
{
    g_autofree guint8 *seen = g_new0(guint8, file->n_patients);

    for (gsize i = 0; i < file->n; i++)
        if (!keep || keep[i]) {
            view->n++;
            view->patients += !seen[file->patients[i]];
            seen[file->patients[i]] = 1;
        }
}

static void judge_group(DpcxrJudged *judged, gsize view, const guint8 *keep, const DpcxrJudgeOptions *options)
{
    gsize labels = judged->file->n_labels;
    g_autofree DpcxrScored **samples = g_new(DpcxrScored *, labels);

    count_view(&judged->views[view], judged->file, keep);
    judged->views[view].too_small = judged->views[view].n < options->min_n;
    for (gsize k = 0; k < labels; k++)
        samples[k] = dpcxr_scored_filter(judged->views[0].labels[k].sample, keep);
    judge_view(judged, view, samples, options->min_pos);
}

static void judge_all(DpcxrJudged *judged)
{
    gsize labels = judged->file->n_labels;
    g_autofree DpcxrScored **samples = g_new(DpcxrScored *, labels);

    count_view(&judged->views[0], judged->file, NULL);
    for (gsize k = 0; k < labels; k++)
        samples[k] = dpcxr_known_rows(judged->file, k);
    judge_view(judged, 0, samples, 0);
}

/* --- All views --- */

static void lay_out(DpcxrJudged *judged)
{
    judged->groupings = dpcxr_groupings(judged->file);
    judged->first_view = g_new(gsize, judged->groupings->len);
    judged->n_views = 1;
    for (guint g = 0; g < judged->groupings->len; g++) {
        judged->first_view[g] = judged->n_views;
        judged->n_views += ((DpcxrGrouping *)judged->groupings->pdata[g])->n_values;
    }
    judged->views = g_new0(DpcxrJudgedView, judged->n_views);
}

static void judge_groups(DpcxrJudged *judged, const DpcxrJudgeOptions *options)
{
    g_autofree guint8 *keep = g_new(guint8, judged->file->n);

    for (guint g = 0; g < judged->groupings->len; g++) {
        const DpcxrGrouping *grouping = judged->groupings->pdata[g];
        for (gsize value = 0; value < grouping->n_values; value++) {
            for (gsize i = 0; i < judged->file->n; i++)
                keep[i] = grouping->value_of[i] == (int)value;
            judge_group(judged, judged->first_view[g] + value, keep, options);
        }
    }
}

static gboolean has_value(const DpcxrJudgedView *view, gsize label)
{
    return !view->too_small && view->labels[label].status != DPCXR_LABEL_TOO_FEW;
}

/* Items whose values are not shown are drawn as an empty sample, which costs nothing. */
static gboolean draw_replicates(DpcxrJudged *judged, const DpcxrJudgeOptions *options, DpcxrWorkers *workers,
                                GError **error)
{
    gsize labels = judged->file->n_labels, n = judged->n_views * labels;
    g_autofree DpcxrBootstrapItem *items = g_new(DpcxrBootstrapItem, n);
    g_autofree guint32 *by_image = g_new(guint32, judged->file->n);
    g_autoptr(DpcxrScored) nobody = dpcxr_scored_new(NULL, NULL, 0);
    DpcxrBootstrapOptions bootstrap = {options->ci_replicates, options->ci_seed};

    for (gsize i = 0; i < judged->file->n; i++)
        by_image[i] = (guint32)i;
    for (gsize i = 0; i < n; i++) {
        const DpcxrJudgedView *view = &judged->views[i / labels];
        gsize k = i % labels;
        items[i].sample = has_value(view, k) ? view->labels[k].sample : nobody;
        items[i].threshold = dpcxr_thresholds_get(judged->thresholds, judged->file->labels[k]);
    }
    judged->replicates = dpcxr_bootstrap(items, n, options->ci_by_image ? by_image : judged->file->patients,
                                         options->ci_by_image ? judged->file->n : judged->file->n_patients,
                                         &bootstrap, workers, error);
    return judged->replicates != NULL;
}

static gboolean check_delong(const DpcxrPredictionFile *file, GError **error)
{
    gsize several = file->n - file->n_patients;

    if (several == 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "%s: evaluate.ci.method: delong takes images for independent, but there are %zu images of "
                "%zu patients; use "
                "bootstrap, which draws patients",
                file->path, file->n, file->n_patients);
    return FALSE;
}

DpcxrJudged *dpcxr_judge(const DpcxrPredictionFile *file, const DpcxrThresholds *thresholds,
                         const DpcxrJudgeOptions *options, DpcxrWorkers *workers, GError **error)
{
    if (options->ci_method == DPCXR_CI_DELONG && !check_delong(file, error))
        return NULL;
    g_autoptr(DpcxrJudged) judged = g_new0(DpcxrJudged, 1);

    judged->file = file;
    judged->thresholds = thresholds;
    judged->ci_method = options->ci_method;
    judged->ci_level = options->ci_level;
    lay_out(judged);
    judge_all(judged);
    judge_groups(judged, options);
    if (options->ci_method == DPCXR_CI_BOOTSTRAP && !draw_replicates(judged, options, workers, error))
        return NULL;
    return g_steal_pointer(&judged);
}

void dpcxr_judged_free(DpcxrJudged *judged)
{
    if (!judged)
        return;
    for (gsize v = 0; v < judged->n_views; v++) {
        for (gsize k = 0; judged->views[v].labels && k < judged->file->n_labels; k++)
            dpcxr_scored_free(judged->views[v].labels[k].sample);
        g_free(judged->views[v].labels);
    }
    g_free(judged->views);
    g_free(judged->first_view);
    g_clear_pointer(&judged->groupings, g_ptr_array_unref);
    dpcxr_replicates_free(judged->replicates);
    g_free(judged);
}

/* --- What comes out --- */

DpcxrSeries dpcxr_judged_series(const DpcxrJudged *judged, gsize view, gsize label, DpcxrMetric metric)
{
    DpcxrSeries series = {.value = judged->views[view].labels[label].values[metric]};

    if (judged->replicates) {
        series.n = judged->replicates->replicates;
        series.replicates =
            dpcxr_replicates_of(judged->replicates, view * judged->file->n_labels + label, metric);
    }
    return series;
}

static DpcxrEstimate estimate_delong(const DpcxrScored *sample, double level)
{
    DpcxrDeLong delong = dpcxr_delong(sample->scores, sample->truths, sample->n);
    DpcxrEstimate estimate = {.value = delong.auroc};

    dpcxr_delong_interval(&delong, level, &estimate.low, &estimate.high);
    return estimate;
}

DpcxrEstimate dpcxr_judged_estimate(const DpcxrJudged *judged, gsize view, gsize label, DpcxrMetric metric)
{
    DpcxrSeries series = dpcxr_judged_series(judged, view, label, metric);

    if (judged->ci_method == DPCXR_CI_DELONG && metric == DPCXR_METRIC_AUROC && !isnan(series.value))
        return estimate_delong(judged->views[view].labels[label].sample, judged->ci_level);
    return dpcxr_series_estimate(&series, judged->ci_level);
}

DpcxrSeries dpcxr_judged_mean(const DpcxrJudged *judged, gsize view, DpcxrMetric metric)
{
    g_autofree DpcxrSeries *parts = g_new(DpcxrSeries, judged->file->n_labels);
    gsize n = 0;

    for (gsize k = 0; k < judged->file->n_labels; k++) {
        parts[n] = dpcxr_judged_series(judged, view, k, metric);
        n += !isnan(parts[n].value);
    }
    return dpcxr_series_combine(dpcxr_statistic_mean, parts, n);
}
