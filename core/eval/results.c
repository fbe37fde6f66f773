/* SPDX-License-Identifier: MIT */
#include "eval/results.h"
#include "base/files.h"
#include "base/json-write.h"
#include "base/json.h"
#include "eval/fairness.h"
#include "stats/calibration.h"
#include <math.h>

#define SCHEMA 2

/* --- Numbers --- */

static void put_estimate_members(JsonBuilder *json, const DpcxrEstimate *estimate)
{
    dpcxr_json_put_number(json, "value", estimate->value);
    dpcxr_json_put_number(json, "low", estimate->low);
    dpcxr_json_put_number(json, "high", estimate->high);
    if (estimate->undefined > 0)
        dpcxr_json_put_count(json, "undefined", estimate->undefined);
}

static void put_estimate(JsonBuilder *json, const char *name, const DpcxrEstimate *estimate)
{
    dpcxr_json_begin_object(json, name);
    put_estimate_members(json, estimate);
    json_builder_end_object(json);
}

/* And clears the series. */
static void put_series(JsonBuilder *json, const char *name, DpcxrSeries *series, double level)
{
    DpcxrEstimate estimate = dpcxr_series_estimate(series, level);

    put_estimate(json, name, &estimate);
    dpcxr_series_clear(series);
}

/* --- Labels --- */

static void put_confusion(JsonBuilder *json, const DpcxrJudged *judged, const DpcxrJudgedView *view, gsize k)
{
    const DpcxrJudgedLabel *label = &view->labels[k];
    double threshold = dpcxr_thresholds_get(judged->thresholds, judged->file->labels[k]);
    gboolean hidden = view->too_small || label->status == DPCXR_LABEL_TOO_FEW;

    if (isnan(threshold) || hidden || !label->sample->finite || label->sample->n == 0) {
        dpcxr_json_put_string(json, "confusion", NULL);
        return;
    }
    DpcxrConfusion confusion = dpcxr_confusion(label->sample, threshold);
    dpcxr_json_begin_object(json, "confusion");
    dpcxr_json_put_count(json, "tp", (guint64)confusion.tp);
    dpcxr_json_put_count(json, "fp", (guint64)confusion.fp);
    dpcxr_json_put_count(json, "fn", (guint64)confusion.fn);
    dpcxr_json_put_count(json, "tn", (guint64)confusion.tn);
    json_builder_end_object(json);
}

static void put_bins(JsonBuilder *json, const char *name, const DpcxrScored *sample, DpcxrBinKind kind)
{
    DpcxrCalibrationBin bins[DPCXR_CALIBRATION_BINS];

    dpcxr_calibration_bins(sample, kind, bins);
    dpcxr_json_begin_array(json, name);
    for (gsize i = 0; i < DPCXR_CALIBRATION_BINS; i++) {
        json_builder_begin_object(json);
        dpcxr_json_put_number(json, "low", bins[i].low);
        dpcxr_json_put_number(json, "high", bins[i].high);
        dpcxr_json_put_count(json, "n", bins[i].n);
        dpcxr_json_put_number(json, "mean_score", bins[i].mean_score);
        dpcxr_json_put_number(json, "rate", bins[i].rate);
        json_builder_end_object(json);
    }
    json_builder_end_array(json);
}

static void put_calibration(JsonBuilder *json, const DpcxrScored *sample)
{
    if (!sample->finite || sample->n == 0) {
        dpcxr_json_put_string(json, "calibration", NULL);
        return;
    }
    dpcxr_json_begin_object(json, "calibration");
    put_bins(json, "equal_width", sample, DPCXR_BINS_EQUAL_WIDTH);
    put_bins(json, "equal_mass", sample, DPCXR_BINS_EQUAL_MASS);
    json_builder_end_object(json);
}

static void put_label(JsonBuilder *json, const DpcxrJudged *judged, gsize view, gsize k)
{
    const DpcxrJudgedView *v = &judged->views[view];
    const DpcxrJudgedLabel *label = &v->labels[k];

    dpcxr_json_begin_object(json, judged->file->labels[k]);
    dpcxr_json_put_count(json, "n", label->sample->n);
    dpcxr_json_put_count(json, "positives", label->sample->positives);
    dpcxr_json_put_count(json, "negatives", label->sample->n - label->sample->positives);
    dpcxr_json_put_count(json, "missing", label->missing);
    dpcxr_json_put_string(json, "status", dpcxr_label_status_name(label->status));
    dpcxr_json_begin_object(json, "metrics");
    for (int metric = 0; metric < DPCXR_N_METRICS; metric++) {
        DpcxrEstimate estimate = dpcxr_judged_estimate(judged, view, k, metric);
        put_estimate(json, dpcxr_metric_name(metric), &estimate);
    }
    json_builder_end_object(json);
    put_confusion(json, judged, v, k);
    if (view == 0)
        put_calibration(json, label->sample);
    json_builder_end_object(json);
}

/* The members that all images and groups share. */
static void put_view(JsonBuilder *json, const DpcxrJudged *judged, gsize view)
{
    dpcxr_json_begin_object(json, "labels");
    for (gsize k = 0; k < judged->file->n_labels; k++)
        put_label(json, judged, view, k);
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "mean");
    for (int metric = 0; metric < DPCXR_N_METRICS; metric++) {
        DpcxrSeries mean = dpcxr_judged_mean(judged, view, metric);
        put_series(json, dpcxr_metric_name(metric), &mean, judged->ci_level);
    }
    json_builder_end_object(json);
}

/* --- Groups --- */

/* Who has a finding, and is told that there is none. */
static void put_underdiagnosis(JsonBuilder *json, const DpcxrJudged *judged, gsize view, int no_finding)
{
    if (no_finding < 0) {
        dpcxr_json_put_string(json, "underdiagnosis_rate", NULL);
        return;
    }
    DpcxrEstimate estimate = dpcxr_judged_estimate(judged, view, (gsize)no_finding, DPCXR_METRIC_FPR);
    put_estimate(json, "underdiagnosis_rate", &estimate);
}

static void put_groups(JsonBuilder *json, const DpcxrJudged *judged, guint grouping, int no_finding)
{
    const DpcxrGrouping *g = judged->groupings->pdata[grouping];

    dpcxr_json_begin_object(json, "values");
    for (gsize value = 0; value < g->n_values; value++) {
        gsize view = judged->first_view[grouping] + value;
        const DpcxrJudgedView *v = &judged->views[view];
        dpcxr_json_begin_object(json, g->values[value]);
        dpcxr_json_put_count(json, "n", v->n);
        dpcxr_json_put_count(json, "patients", v->patients);
        dpcxr_json_put_string(json, "status", v->too_small ? "too_small" : "ok");
        put_view(json, judged, view);
        put_underdiagnosis(json, judged, view, no_finding);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

static void put_gap(JsonBuilder *json, const DpcxrJudged *judged, guint grouping, gsize label,
                    DpcxrMetric metric)
{
    DpcxrGap gap = dpcxr_gap(judged, grouping, label, metric);
    DpcxrEstimate estimate = dpcxr_series_estimate(&gap.spread, judged->ci_level);

    dpcxr_json_begin_object(json, dpcxr_metric_name(metric));
    put_estimate_members(json, &estimate);
    dpcxr_json_put_string(json, "lowest", gap.lowest);
    dpcxr_json_put_string(json, "highest", gap.highest);
    dpcxr_json_put_string(json, "worst", gap.worst);
    json_builder_end_object(json);
    dpcxr_series_clear(&gap.spread);
}

static void put_gaps(JsonBuilder *json, const DpcxrJudged *judged, guint grouping)
{
    dpcxr_json_begin_object(json, "gaps");
    dpcxr_json_begin_object(json, "labels");
    for (gsize k = 0; k < judged->file->n_labels; k++) {
        dpcxr_json_begin_object(json, judged->file->labels[k]);
        for (int metric = 0; metric < DPCXR_N_METRICS; metric++)
            if (dpcxr_gap_has(metric))
                put_gap(json, judged, grouping, k, metric);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "mean");
    for (int metric = 0; metric < DPCXR_N_METRICS; metric++)
        if (dpcxr_gap_has(metric)) {
            DpcxrSeries mean = dpcxr_gap_mean(judged, grouping, metric);
            put_series(json, dpcxr_metric_name(metric), &mean, judged->ci_level);
        }
    json_builder_end_object(json);
    json_builder_end_object(json);
}

static void put_parities(JsonBuilder *json, const DpcxrJudged *judged, guint grouping)
{
    dpcxr_json_begin_object(json, "parity");
    dpcxr_json_begin_object(json, "labels");
    for (gsize k = 0; k < judged->file->n_labels; k++) {
        dpcxr_json_begin_object(json, judged->file->labels[k]);
        for (int parity = 0; parity < DPCXR_N_PARITIES; parity++) {
            DpcxrSeries series = dpcxr_parity(judged, grouping, k, parity);
            put_series(json, dpcxr_parity_name(parity), &series, judged->ci_level);
        }
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "mean");
    for (int parity = 0; parity < DPCXR_N_PARITIES; parity++) {
        DpcxrSeries mean = dpcxr_parity_mean(judged, grouping, parity);
        put_series(json, dpcxr_parity_name(parity), &mean, judged->ci_level);
    }
    json_builder_end_object(json);
    json_builder_end_object(json);
}

static void put_grouping(JsonBuilder *json, const DpcxrJudged *judged, guint grouping, int no_finding)
{
    const DpcxrGrouping *g = judged->groupings->pdata[grouping];

    dpcxr_json_begin_object(json, g->name);
    dpcxr_json_begin_array(json, "columns");
    for (int i = 0; i < 2 && g->columns[i]; i++)
        json_builder_add_string_value(json, g->columns[i]);
    json_builder_end_array(json);
    dpcxr_json_put_count(json, "unknown", g->unknown);
    put_groups(json, judged, grouping, no_finding);
    put_gaps(json, judged, grouping);
    put_parities(json, judged, grouping);
    json_builder_end_object(json);
}

/* --- Whole --- */

static void put_not_defined(JsonBuilder *json, const DpcxrJudged *judged)
{
    dpcxr_json_begin_array(json, "not_defined");
    for (gsize k = 0; k < judged->file->n_labels; k++)
        if (isnan(judged->views[0].labels[k].values[DPCXR_METRIC_AUROC]))
            json_builder_add_string_value(json, judged->file->labels[k]);
    json_builder_end_array(json);
}

static void put_split(JsonBuilder *json, const DpcxrResults *results, DpcxrSplit split)
{
    const DpcxrJudged *judged = results->splits[split];
    const char *label = results->experiment->evaluate.no_finding;
    int no_finding = label ? dpcxr_prediction_file_label(judged->file, label) : -1;

    dpcxr_json_begin_object(json, dpcxr_split_name(split));
    dpcxr_json_put_count(json, "n", judged->file->n);
    dpcxr_json_put_count(json, "patients", judged->file->n_patients);
    dpcxr_json_put_count(json, "without_patient", judged->file->without_patient);
    dpcxr_json_put_number(json, "loss", results->losses[split]);
    put_view(json, judged, 0);
    put_not_defined(json, judged);
    dpcxr_json_put_string(json, "underdiagnosis_label", no_finding >= 0 ? label : NULL);
    dpcxr_json_begin_object(json, "groups");
    for (guint g = 0; g < judged->groupings->len; g++)
        put_grouping(json, judged, g, no_finding);
    json_builder_end_object(json);
    json_builder_end_object(json);
}

static void put_ci(JsonBuilder *json, const DpcxrExperiment *e)
{
    static const char *const methods[] = {"none", "bootstrap", "delong"};

    dpcxr_json_begin_object(json, "ci");
    dpcxr_json_put_string(json, "method", methods[e->evaluate.ci_method]);
    dpcxr_json_put_string(json, "by", e->evaluate.ci_by_image ? "image" : "patient");
    dpcxr_json_put_count(json, "replicates", (guint64)e->evaluate.ci_replicates);
    dpcxr_json_put_number(json, "level", e->evaluate.ci_level);
    dpcxr_json_put_count(json, "seed", e->evaluate.ci_seed);
    json_builder_end_object(json);
}

static void put_head(JsonBuilder *json, const DpcxrResults *results)
{
    const DpcxrExperiment *e = results->experiment;

    dpcxr_json_put_count(json, "schema", SCHEMA);
    dpcxr_json_put_string(json, "name", results->name ? results->name : e->name);
    dpcxr_json_begin_array(json, "labels");
    for (int i = 0; i < e->data.n_labels; i++)
        json_builder_add_string_value(json, e->data.labels[i]);
    json_builder_end_array(json);
    dpcxr_json_begin_object(json, "data");
    dpcxr_json_put_string(json, "dataset", e->data.dataset.type);
    dpcxr_json_put_string(json, "on", results->on);
    json_builder_end_object(json);
    dpcxr_thresholds_write(results->thresholds, json);
    put_ci(json, e);
}

gboolean dpcxr_results_write(const DpcxrResults *results, const char *path, GError **error)
{
    g_autoptr(JsonBuilder) json = json_builder_new();

    json_builder_begin_object(json);
    put_head(json, results);
    dpcxr_json_begin_object(json, "splits");
    for (int split = 0; split < DPCXR_N_SPLITS; split++)
        if (results->splits[split])
            put_split(json, results, split);
    json_builder_end_object(json);
    json_builder_end_object(json);

    g_autofree char *text = dpcxr_json_text(json);
    return dpcxr_write_file(path, text, -1, 0600, error);
}

/* --- Reading --- */

static JsonObject *member(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

/* Of the file at @path; NULL where there is none, or it cannot be read. (transfer full) */
static JsonNode *read_root(const char *path)
{
    enum { DEEPEST = 32 };
    g_autofree char *text = NULL;
    gsize length = 0;

    return g_file_get_contents(path, &text, &length, NULL) ? dpcxr_json_parse(text, length, DEEPEST, NULL)
                                                           : NULL;
}

static JsonObject *splits_of(JsonNode *root)
{
    return root && JSON_NODE_HOLDS_OBJECT(root) ? member(json_node_get_object(root), "splits") : NULL;
}

gboolean dpcxr_results_has(const char *path, DpcxrSplit split)
{
    g_autoptr(JsonNode) root = read_root(path);

    return member(splits_of(root), dpcxr_split_name(split)) != NULL;
}

void dpcxr_results_read_losses(const char *path, double losses[DPCXR_N_SPLITS])
{
    g_autoptr(JsonNode) root = read_root(path);
    JsonObject *splits = splits_of(root);

    for (int split = 0; split < DPCXR_N_SPLITS; split++) {
        JsonObject *of_split = member(splits, dpcxr_split_name(split));
        JsonNode *loss = of_split ? json_object_get_member(of_split, "loss") : NULL;
        losses[split] = loss && JSON_NODE_HOLDS_VALUE(loss) ? json_node_get_double(loss) : NAN;
    }
}
