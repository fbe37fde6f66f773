/* SPDX-License-Identifier: MIT
 * results.json. Schema 1:
 *     {"schema": 1, "name": .., "threshold": {"rule": "youden", "from": "valid"},
 *      "splits": {"valid" | "test": {"n": rows, "loss": .., "labels": {LABEL: {"n", "positives", METRIC..}},
 *                                    "mean": {METRIC..}, "not_defined": [labels without both classes]}}}
 * with METRIC auroc, threshold (of labels only), accuracy, sensitivity, specificity, precision, f1. What is
 * not defined is null; a mean is over the labels that have the metric. */
#include "eval/results.h"
#include <json-glib/json-glib.h>
#include <math.h>
#include "base/files.h"
#include "eval/metrics.h"

#define SCHEMA 1

static const struct {
    const char *name;
    gsize offset;
    gboolean mean; /* whether a mean over labels says anything */
} fields[] = {
    {"auroc", offsetof(DpcxrMetrics, auroc), TRUE},
    {"threshold", offsetof(DpcxrMetrics, threshold), FALSE},
    {"accuracy", offsetof(DpcxrMetrics, accuracy), TRUE},
    {"sensitivity", offsetof(DpcxrMetrics, sensitivity), TRUE},
    {"specificity", offsetof(DpcxrMetrics, specificity), TRUE},
    {"precision", offsetof(DpcxrMetrics, precision), TRUE},
    {"f1", offsetof(DpcxrMetrics, f1), TRUE},
};

static double field(const DpcxrMetrics *metrics, gsize i)
{
    return *(const double *)((const char *)metrics + fields[i].offset);
}

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

/* Thresholds of all labels, NaN where there is none. (transfer full) */
static double *choose_thresholds(const DpcxrExperiment *experiment, const DpcxrPredictions *valid)
{
    double *thresholds = g_new(double, experiment->data.n_labels);

    for (int label = 0; label < experiment->data.n_labels; label++) {
        thresholds[label] = NAN;
        if (!valid || !experiment->evaluate.threshold_youden)
            continue;
        Known known = known_rows(valid, label);
        thresholds[label] = dpcxr_youden_threshold(known.scores, known.truths, known.n);
        known_clear(&known);
    }
    return thresholds;
}

/* (transfer full) [n_labels] */
static DpcxrMetrics *judge(const DpcxrPredictions *p, const double *thresholds)
{
    DpcxrMetrics *metrics = g_new(DpcxrMetrics, p->n_labels);

    for (int label = 0; label < p->n_labels; label++) {
        Known known = known_rows(p, label);
        dpcxr_metrics(known.scores, known.truths, known.n, thresholds[label], &metrics[label]);
        known_clear(&known);
    }
    return metrics;
}

/* Mean of field @i over the labels where it is defined; NaN where nowhere. */
static double mean_field(const DpcxrMetrics *metrics, int n_labels, gsize i)
{
    double sum = 0;
    int defined = 0;

    for (int label = 0; label < n_labels; label++)
        if (!isnan(field(&metrics[label], i))) {
            sum += field(&metrics[label], i);
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

static void add_number(JsonBuilder *builder, const char *name, double value)
{
    json_builder_set_member_name(builder, name);
    if (isfinite(value))
        json_builder_add_double_value(builder, value);
    else
        json_builder_add_null_value(builder);
}

static void add_count(JsonBuilder *builder, const char *name, gsize value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, (gint64)value);
}

static void begin_object(JsonBuilder *builder, const char *name)
{
    json_builder_set_member_name(builder, name);
    json_builder_begin_object(builder);
}

static void add_label(JsonBuilder *builder, const char *name, const DpcxrMetrics *metrics)
{
    begin_object(builder, name);
    add_count(builder, "n", metrics->n);
    add_count(builder, "positives", metrics->positives);
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        add_number(builder, fields[i].name, field(metrics, i));
    json_builder_end_object(builder);
}

static void add_not_defined(JsonBuilder *builder, char **labels, const DpcxrMetrics *metrics, int n_labels)
{
    json_builder_set_member_name(builder, "not_defined");
    json_builder_begin_array(builder);
    for (int label = 0; label < n_labels; label++)
        if (metrics[label].positives == 0 || metrics[label].positives == metrics[label].n)
            json_builder_add_string_value(builder, labels[label]);
    json_builder_end_array(builder);
}

/* Returns the mean AUROC; NaN where @p is NULL. */
static double add_split(JsonBuilder *builder, DpcxrSplit split, const DpcxrPredictions *p, char **labels,
                        const double *thresholds)
{
    if (!p)
        return NAN;
    g_autofree DpcxrMetrics *metrics = judge(p, thresholds);

    begin_object(builder, dpcxr_split_name(split));
    add_count(builder, "n", p->n);
    add_number(builder, "loss", mean_loss(p));
    begin_object(builder, "labels");
    for (int label = 0; label < p->n_labels; label++)
        add_label(builder, labels[label], &metrics[label]);
    json_builder_end_object(builder);
    begin_object(builder, "mean");
    for (gsize i = 0; i < G_N_ELEMENTS(fields); i++)
        if (fields[i].mean)
            add_number(builder, fields[i].name, mean_field(metrics, p->n_labels, i));
    json_builder_end_object(builder);
    add_not_defined(builder, labels, metrics, p->n_labels);
    json_builder_end_object(builder);
    return mean_field(metrics, p->n_labels, 0);
}

static void add_threshold_rule(JsonBuilder *builder, const DpcxrExperiment *experiment,
                               const DpcxrPredictions *valid)
{
    json_builder_set_member_name(builder, "threshold");
    if (!valid || !experiment->evaluate.threshold_youden) {
        json_builder_add_null_value(builder);
        return;
    }
    json_builder_begin_object(builder);
    json_builder_set_member_name(builder, "rule");
    json_builder_add_string_value(builder, "youden");
    json_builder_set_member_name(builder, "from");
    json_builder_add_string_value(builder, dpcxr_split_name(DPCXR_SPLIT_VALID));
    json_builder_end_object(builder);
}

gboolean dpcxr_results_write(const char *path, const DpcxrExperiment *experiment,
                             const DpcxrPredictions *valid, const DpcxrPredictions *test, double *mean_auroc,
                             GError **error)
{
    g_autoptr(JsonBuilder) builder = json_builder_new();
    g_autofree double *thresholds = choose_thresholds(experiment, valid);
    double auroc;

    json_builder_begin_object(builder);
    add_count(builder, "schema", SCHEMA);
    json_builder_set_member_name(builder, "name");
    json_builder_add_string_value(builder, experiment->name);
    add_threshold_rule(builder, experiment, valid);
    begin_object(builder, "splits");
    add_split(builder, DPCXR_SPLIT_VALID, valid, experiment->data.labels, thresholds);
    auroc = add_split(builder, DPCXR_SPLIT_TEST, test, experiment->data.labels, thresholds);
    json_builder_end_object(builder);
    json_builder_end_object(builder);

    g_autoptr(JsonNode) root = json_builder_get_root(builder);
    g_autofree char *json = json_to_string(root, TRUE);
    g_autofree char *text = g_strconcat(json, "\n", NULL);
    if (!dpcxr_write_file(path, text, -1, 0600, error))
        return FALSE;
    *mean_auroc = auroc;
    return TRUE;
}
