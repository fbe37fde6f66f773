/* SPDX-License-Identifier: MIT
 * results.json. Schema 1:
 *     {"schema": 1, "name": .., "threshold": {"rule": "youden", "from": "valid"},
 *      "splits": {"valid" | "test": {"n": rows, "loss": .., "labels": {LABEL: {"n", "positives", METRIC..}},
 *                                    "mean": {METRIC..}, "not_defined": [labels without both classes]}}}
 * with METRIC auroc, threshold (of labels only), accuracy, sensitivity, specificity, precision (ppv), f1. What is
 * not defined is null; a mean is over the labels that have the metric. */
#include "eval/results.h"
#include "base/files.h"
#include "base/json-write.h"
#include "stats/metric.h"
#include "stats/threshold.h"
#include <math.h>

#define SCHEMA 1

typedef struct {
    gsize n, positives;
    double threshold, values[DPCXR_N_METRICS];
} Judged;

/* The rows whose truth is known for one label. */
typedef struct {
    double *scores;
    guint8 *truths;
    gsize n;
} Known;

static Known known_rows(const DpcxrPredictions *p, int label)
{
    Known known = {g_new(double, p->n), g_new(guint8, p->n), 0};

    for (gsize i = 0; i < p->n; i++)
        if (dpcxr_predictions_truth(p, i, label, &known.truths[known.n]))
            known.scores[known.n++] = dpcxr_predictions_score(p, i, label);
    return known;
}

static void known_clear(Known *known)
{
    g_free(known->scores);
    g_free(known->truths);
}

static DpcxrScored *sample_of(const DpcxrPredictions *p, int label)
{
    Known known = known_rows(p, label);
    DpcxrScored *sample = dpcxr_scored_new(known.scores, known.truths, known.n);

    known_clear(&known);
    return sample;
}

/* Thresholds of all labels, NaN where there is none. (transfer full) */
static double *choose_thresholds(const DpcxrExperiment *experiment, const DpcxrPredictions *valid)
{
    double *thresholds = g_new(double, experiment->data.n_labels);

    for (int label = 0; label < experiment->data.n_labels; label++) {
        thresholds[label] = NAN;
        if (!valid || !experiment->evaluate.threshold_youden)
            continue;
        g_autoptr(DpcxrScored) sample = sample_of(valid, label);
        thresholds[label] = dpcxr_threshold_choose(sample, DPCXR_THRESHOLD_YOUDEN, NAN);
    }
    return thresholds;
}

/* (transfer full) [n_labels] */
static Judged *judge(const DpcxrPredictions *p, const double *thresholds)
{
    Judged *judged = g_new(Judged, p->n_labels);

    for (int label = 0; label < p->n_labels; label++) {
        g_autoptr(DpcxrScored) sample = sample_of(p, label);
        judged[label] = (Judged){sample->n, sample->positives, thresholds[label]};
        dpcxr_metrics(sample, thresholds[label], judged[label].values);
    }
    return judged;
}

/* Mean of a metric over the labels where it is defined; NaN where nowhere. */
static double mean_of(const Judged *judged, int n_labels, DpcxrMetric metric)
{
    double sum = 0;
    int defined = 0;

    for (int label = 0; label < n_labels; label++)
        if (!isnan(judged[label].values[metric])) {
            sum += judged[label].values[metric];
            defined++;
        }
    return defined ? sum / defined : NAN;
}

/* Mean over the images with a known label; the others have no loss. */
static double mean_loss(const DpcxrPredictions *p)
{
    double sum = 0;
    gsize n = 0;

    for (gsize i = 0; i < p->n; i++) {
        gboolean any = FALSE;
        for (int label = 0; label < p->n_labels; label++)
            any = any || p->mask[i * (gsize)p->n_labels + (gsize)label] != 0;
        sum += any ? (double)p->losses[i] : 0;
        n += any;
    }
    return n ? sum / (double)n : NAN;
}

static void add_label(JsonBuilder *json, const char *name, const Judged *judged)
{
    dpcxr_json_begin_object(json, name);
    dpcxr_json_put_count(json, "n", judged->n);
    dpcxr_json_put_count(json, "positives", judged->positives);
    dpcxr_json_put_number(json, "threshold", judged->threshold);
    for (int i = 0; i < DPCXR_N_METRICS; i++)
        dpcxr_json_put_number(json, dpcxr_metric_name(i), judged->values[i]);
    json_builder_end_object(json);
}

static void add_not_defined(JsonBuilder *json, char **labels, const Judged *judged, int n_labels)
{
    dpcxr_json_begin_array(json, "not_defined");
    for (int label = 0; label < n_labels; label++)
        if (judged[label].positives == 0 || judged[label].positives == judged[label].n)
            json_builder_add_string_value(json, labels[label]);
    json_builder_end_array(json);
}

/* Returns the mean AUROC; NaN where @p is NULL. */
static double add_split(JsonBuilder *json, DpcxrSplit split, const DpcxrPredictions *p, char **labels,
                        const double *thresholds)
{
    if (!p)
        return NAN;
    g_autofree Judged *judged = judge(p, thresholds);

    dpcxr_json_begin_object(json, dpcxr_split_name(split));
    dpcxr_json_put_count(json, "n", p->n);
    dpcxr_json_put_number(json, "loss", mean_loss(p));
    dpcxr_json_begin_object(json, "labels");
    for (int label = 0; label < p->n_labels; label++)
        add_label(json, labels[label], &judged[label]);
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "mean");
    for (int i = 0; i < DPCXR_N_METRICS; i++)
        dpcxr_json_put_number(json, dpcxr_metric_name(i), mean_of(judged, p->n_labels, i));
    json_builder_end_object(json);
    add_not_defined(json, labels, judged, p->n_labels);
    json_builder_end_object(json);
    return mean_of(judged, p->n_labels, DPCXR_METRIC_AUROC);
}

static void add_threshold_rule(JsonBuilder *json, const DpcxrExperiment *experiment,
                               const DpcxrPredictions *valid)
{
    if (!valid || !experiment->evaluate.threshold_youden) {
        dpcxr_json_put_string(json, "threshold", NULL);
        return;
    }
    dpcxr_json_begin_object(json, "threshold");
    dpcxr_json_put_string(json, "rule", "youden");
    dpcxr_json_put_string(json, "from", dpcxr_split_name(DPCXR_SPLIT_VALID));
    json_builder_end_object(json);
}

gboolean dpcxr_results_write(const char *path, const DpcxrExperiment *experiment,
                             const DpcxrPredictions *valid, const DpcxrPredictions *test, double *mean_auroc,
                             GError **error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    g_autofree double *thresholds = choose_thresholds(experiment, valid);
    double auroc;

    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "schema", SCHEMA);
    dpcxr_json_put_string(json, "name", experiment->name);
    add_threshold_rule(json, experiment, valid);
    dpcxr_json_begin_object(json, "splits");
    add_split(json, DPCXR_SPLIT_VALID, valid, experiment->data.labels, thresholds);
    auroc = add_split(json, DPCXR_SPLIT_TEST, test, experiment->data.labels, thresholds);
    json_builder_end_object(json);
    json_builder_end_object(json);

    g_autofree char *text = dpcxr_json_text(json);
    if (!dpcxr_write_file(path, text, -1, 0600, error))
        return FALSE;
    *mean_auroc = auroc;
    return TRUE;
}
