/* SPDX-License-Identifier: MIT
 * The numbers of a comparison. */
#include "report/compare.h"
#include "report/align.h"
#include "stats/bootstrap.h"
#include "stats/inference.h"
#include <math.h>

/* AUROC of every run and label on some of the images, and its replicates. */
typedef struct {
    const DpcxrComparison *c;
    DpcxrScored **samples; /* [runs, labels] */
    double *auroc;         /* [runs, labels] */
    DpcxrReplicates *replicates;
} Subset;

static gsize item(const DpcxrComparison *c, guint run, gsize label)
{
    return run * c->n_labels + label;
}

static void subset_clear(Subset *subset)
{
    gsize items = subset->c->runs->len * subset->c->n_labels;
    for (gsize i = 0; i < items; i++)
        dpcxr_scored_free(subset->samples[i]);
    g_free(subset->samples);
    g_free(subset->auroc);
    dpcxr_replicates_free(subset->replicates);
}

/* Of a class in a group: a mean over labels that chance decides is worse than one over fewer. */
static gboolean has_too_few(const DpcxrComparison *c, const DpcxrScored *sample)
{
    return MIN(sample->positives, sample->n - sample->positives) < c->options.min_pos;
}

/* @keep (nullable): which images. */
static gboolean subset_init(Subset *subset, const DpcxrComparison *c, const guint8 *keep,
                            DpcxrWorkers *workers, GError **error)
{
    gsize items = c->runs->len * c->n_labels;
    const DpcxrPredictionFile *like = dpcxr_compared_run(c, c->baseline)->predictions;
    const DpcxrBootstrapOptions options = {c->options.replicates, c->options.seed, .no_calibration = TRUE};
    g_autofree DpcxrBootstrapItem *bootstrap = g_new(DpcxrBootstrapItem, items);
    double values[DPCXR_N_METRICS];
    *subset = (Subset){c, g_new(DpcxrScored *, items), g_new(double, items), NULL};
    for (guint run = 0; run < c->runs->len; run++)
        for (gsize label = 0; label < c->n_labels; label++) {
            gsize i = item(c, run, label);
            subset->samples[i] = dpcxr_known_of(dpcxr_compared_run(c, run)->predictions, label, keep);
            bootstrap[i] = (DpcxrBootstrapItem){subset->samples[i], NAN};
            dpcxr_metrics(subset->samples[i], NAN, values);
            subset->auroc[i] = keep && has_too_few(c, subset->samples[i]) ? NAN : values[DPCXR_METRIC_AUROC];
        }
    subset->replicates =
        dpcxr_bootstrap(bootstrap, items, like->patients, like->n_patients, &options, workers, error);
    return subset->replicates != NULL;
}

static const double *label_replicates(const Subset *subset, guint run, gsize label)
{
    return dpcxr_replicates_of(subset->replicates, item(subset->c, run, label), DPCXR_METRIC_AUROC);
}

/* The mean over labels that are defined on the images themselves; NaN where one of them is not in a
 * replicate, as in results.json. (transfer full) [replicates] */
static double *mean_replicates(const Subset *subset, guint run)
{
    const DpcxrComparison *c = subset->c;
    double *means = g_new(double, c->options.replicates);
    for (gsize r = 0; r < c->options.replicates; r++) {
        double sum = 0;
        gsize defined = 0;
        for (gsize label = 0; label < c->n_labels; label++) {
            gboolean good = !isnan(subset->auroc[item(c, run, label)]);
            sum += good ? label_replicates(subset, run, label)[r] : 0;
            defined += good;
        }
        means[r] = defined ? sum / (double)defined : NAN;
    }
    return means;
}

static double mean_auroc(const Subset *subset, guint run)
{
    double sum = 0;
    gsize defined = 0;
    for (gsize label = 0; label < subset->c->n_labels; label++) {
        double value = subset->auroc[item(subset->c, run, label)];
        sum += isnan(value) ? 0 : value;
        defined += !isnan(value);
    }
    return defined ? sum / (double)defined : NAN;
}

static DpcxrEstimate estimate(const DpcxrComparison *c, double value, const double *replicates)
{
    DpcxrPercentiles interval =
        dpcxr_percentile_interval(replicates, c->options.replicates, c->options.level);
    if (isnan(value))
        return (DpcxrEstimate){NAN, NAN, NAN, 0};
    return (DpcxrEstimate){value, interval.low, interval.high, interval.undefined};
}

static double *subtract(const double *a, const double *b, gsize n)
{
    double *difference = g_new(double, n);
    for (gsize i = 0; i < n; i++)
        difference[i] = a[i] - b[i];
    return difference;
}

/* @own, @base: replicates of the run and of the baseline. *differences (nullable) gets theirs. */
static DpcxrComparedValue compare(const DpcxrComparison *c, double value, const double *own,
                                  double base_value, const double *base, gboolean is_baseline,
                                  double **differences)
{
    gsize n = c->options.replicates;
    g_autofree double *difference = subtract(own, base, n);
    DpcxrComparedValue compared = {estimate(c, value, own), {NAN, NAN, NAN, 0}, NAN, NAN};
    if (!is_baseline && !isnan(value)) {
        compared.difference = estimate(c, value - base_value, difference);
        compared.p = dpcxr_paired_p(difference, n);
    }
    if (differences)
        *differences = g_steal_pointer(&difference);
    return compared;
}

static DpcxrComparedValue compare_means(const Subset *subset, guint run, const double *base,
                                        double **differences)
{
    const DpcxrComparison *c = subset->c;
    g_autofree double *own = mean_replicates(subset, run);
    return compare(c, mean_auroc(subset, run), own, mean_auroc(subset, c->baseline), base, run == c->baseline,
                   differences);
}

static void adjust_labels(DpcxrComparedRun *run, gsize n_labels)
{
    g_autofree double *p = g_new(double, n_labels);
    for (gsize i = 0; i < n_labels; i++)
        p[i] = run->labels[i].p;
    dpcxr_adjust_holm(p, n_labels, p);
    for (gsize i = 0; i < n_labels; i++)
        run->labels[i].p_holm = p[i];
}

static void compare_labels(const Subset *subset, guint index)
{
    const DpcxrComparison *c = subset->c;
    DpcxrComparedRun *run = g_ptr_array_index(c->runs, index);
    run->labels = g_new(DpcxrComparedValue, c->n_labels);
    for (gsize label = 0; label < c->n_labels; label++)
        run->labels[label] =
            compare(c, subset->auroc[item(c, index, label)], label_replicates(subset, index, label),
                    subset->auroc[item(c, c->baseline, label)], label_replicates(subset, c->baseline, label),
                    index == c->baseline, NULL);
    adjust_labels(run, c->n_labels);
}

static void adjust_runs(const DpcxrComparison *c)
{
    g_autofree double *p = g_new(double, c->runs->len);
    for (guint i = 0; i < c->runs->len; i++)
        p[i] = dpcxr_compared_run(c, i)->mean.p;
    dpcxr_adjust_holm(p, c->runs->len, p);
    for (guint i = 0; i < c->runs->len; i++)
        ((DpcxrComparedRun *)g_ptr_array_index(c->runs, i))->mean.p_holm = p[i];
}

static gboolean compare_all(const DpcxrComparison *c, DpcxrWorkers *workers, GError **error)
{
    Subset subset;
    gboolean good = subset_init(&subset, c, NULL, workers, error);
    g_autofree double *base = good ? mean_replicates(&subset, c->baseline) : NULL;
    for (guint i = 0; good && i < c->runs->len; i++) {
        DpcxrComparedRun *run = g_ptr_array_index(c->runs, i);
        g_autofree double *differences = NULL;
        run->mean = compare_means(&subset, i, base, &differences);
        run->p_not_inferior =
            i == c->baseline || isnan(c->options.margin) || isnan(run->mean.difference.value)
                ? NAN
                : dpcxr_non_inferiority_p(differences, c->options.replicates, c->options.margin);
        compare_labels(&subset, i);
    }
    subset_clear(&subset);
    if (good)
        adjust_runs(c);
    return good;
}

static guint8 *members(const DpcxrComparison *c, const DpcxrComparedGroup *group)
{
    const DpcxrPredictionFile *file = dpcxr_compared_run(c, c->baseline)->predictions;
    guint8 *keep = g_new(guint8, file->n);
    for (gsize row = 0; row < file->n; row++)
        keep[row] = g_str_equal(file->cells[row * file->n_columns + group->column], group->value);
    return keep;
}

static const DpcxrComparedValue nothing = {{NAN, NAN, NAN, 0}, {NAN, NAN, NAN, 0}, NAN, NAN};

static gboolean compare_group(const DpcxrComparison *c, gsize group, DpcxrWorkers *workers, GError **error)
{
    Subset subset;
    g_autofree guint8 *keep = members(c, &c->groups[group]);
    gboolean good = subset_init(&subset, c, keep, workers, error);
    g_autofree double *base = good ? mean_replicates(&subset, c->baseline) : NULL;
    for (guint i = 0; good && i < c->runs->len; i++)
        ((DpcxrComparedRun *)g_ptr_array_index(c->runs, i))->groups[group] =
            compare_means(&subset, i, base, NULL);
    subset_clear(&subset);
    return good;
}

static gboolean compare_groups(const DpcxrComparison *c, DpcxrWorkers *workers, GError **error)
{
    for (guint i = 0; i < c->runs->len; i++) {
        DpcxrComparedRun *run = g_ptr_array_index(c->runs, i);
        run->groups = g_new(DpcxrComparedValue, c->n_groups);
        for (gsize group = 0; group < c->n_groups; group++)
            run->groups[group] = nothing;
    }
    for (gsize group = 0; group < c->n_groups; group++)
        if (!c->groups[group].small && !compare_group(c, group, workers, error))
            return FALSE;
    return TRUE;
}

static DpcxrRelation relate(const double *x, const double *y, gsize n)
{
    DpcxrCorrelation r = dpcxr_pearson(x, y, n);
    return r.n < 3 ? (DpcxrRelation){r.n, NAN, NAN}
                   : (DpcxrRelation){r.n, r.r, r.p}; /* two points lie on a line */
}

/* Whether who is rare loses more: Pearson's r of the difference with prevalence, and with the size of the
 * group. */
static void correlate(const DpcxrComparison *c, DpcxrComparedRun *run)
{
    gsize n = MAX(c->n_labels, c->n_groups);
    g_autofree double *x = g_new(double, n), *y = g_new(double, n);
    for (gsize i = 0; i < c->n_labels; i++) {
        x[i] = c->known[i] ? (double)c->positives[i] / (double)c->known[i] : NAN;
        y[i] = run->labels[i].difference.value;
    }
    run->with_prevalence = relate(x, y, c->n_labels);
    for (gsize i = 0; i < c->n_groups; i++) {
        x[i] = (double)c->groups[i].n;
        y[i] = run->groups[i].difference.value;
    }
    run->with_size = relate(x, y, c->n_groups);
}

DpcxrComparison *dpcxr_compare(const char *const *roots, const DpcxrCompareOptions *options, GError **error)
{
    g_autoptr(DpcxrComparison) c = dpcxr_compare_read(roots, options, error);
    g_autoptr(DpcxrWorkers) workers = c ? dpcxr_workers_new(0, error) : NULL;
    if (!workers || !compare_all(c, workers, error) || !compare_groups(c, workers, error))
        return NULL;
    for (guint i = 0; i < c->runs->len; i++)
        correlate(c, g_ptr_array_index(c->runs, i));
    return g_steal_pointer(&c);
}
