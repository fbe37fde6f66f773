/* SPDX-License-Identifier: MIT */
#include "sweep/summary.h"
#include "base/files.h"
#include "base/json-write.h"
#include "sweep/table.h"

enum { SCHEMA = 1 };

GPtrArray *dpcxr_sweep_tested_beside(const DpcxrSweep *sweep)
{
    GPtrArray *runs = g_ptr_array_new();
    for (guint p = 0; p < sweep->points->len && !dpcxr_sweep_tests_all(sweep); p++) {
        const DpcxrSweepPoint *point = g_ptr_array_index(sweep->points, p);
        for (guint i = 0; i < point->runs->len && !point->chosen; i++) {
            DpcxrSweepRun *run = g_ptr_array_index(point->runs, i);
            if (run->outcome.tested)
                g_ptr_array_add(runs, run->name);
        }
    }
    return runs;
}

static void put_strings(JsonBuilder *json, const char *key, char **strings)
{
    dpcxr_json_begin_array(json, key);
    for (; *strings; strings++)
        json_builder_add_string_value(json, *strings);
    json_builder_end_array(json);
}

static void put_auroc(JsonBuilder *json, const char *key, const DpcxrAuroc *auroc)
{
    dpcxr_json_begin_object(json, key);
    dpcxr_json_put_number(json, "value", auroc->value);
    dpcxr_json_put_number(json, "low", auroc->low);
    dpcxr_json_put_number(json, "high", auroc->high);
    json_builder_end_object(json);
}

static void put_spread(JsonBuilder *json, const char *key, const DpcxrSpread *spread)
{
    dpcxr_json_begin_object(json, key);
    dpcxr_json_put_count(json, "n", spread->n);
    dpcxr_json_put_number(json, "mean", spread->mean);
    dpcxr_json_put_number(json, "sd", spread->deviation);
    json_builder_end_object(json);
}

static void put_charges(JsonBuilder *json, const char *key, const DpcxrSweepCost *cost,
                        const DpcxrCharge *charges)
{
    dpcxr_json_begin_object(json, key);
    for (gsize i = 0; charges && i < cost->n; i++) {
        dpcxr_json_begin_object(json, cost->labels[i]);
        dpcxr_json_put_number(json, "epsilon", charges[i].epsilon);
        dpcxr_json_put_number(json, "delta", charges[i].delta);
        if (charges[i].approximate)
            dpcxr_json_put_bool(json, "approximate", TRUE);
        if (charges[i].refused)
            dpcxr_json_put_string(json, "refused", charges[i].refused);
        json_builder_end_object(json);
    }
    json_builder_end_object(json);
}

static void put_run(JsonBuilder *json, const DpcxrSweepRun *run, const DpcxrSweepCost *cost)
{
    const DpcxrOutcome *outcome = &run->outcome;
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "name", run->name);
    dpcxr_json_put_string(json, "folder", run->folder);
    dpcxr_json_put_count(json, "seed", run->seed);
    dpcxr_json_put_string(json, "status", dpcxr_run_status_name(outcome->status));
    dpcxr_json_put_string(json, "message", outcome->message);
    put_auroc(json, "valid_auroc", &outcome->valid);
    put_auroc(json, "test_auroc", &outcome->test);
    dpcxr_json_put_number(json, "noise_multiplier", outcome->noise_multiplier);
    dpcxr_json_put_string(json, "accountant",
                          outcome->claimed ? run->experiment->privacy.accountant.type : NULL);
    dpcxr_json_put_number(json, "epsilon", outcome->epsilon);
    dpcxr_json_put_number(json, "delta", outcome->delta);
    put_charges(json, "accountants", cost, outcome->charges);
    json_builder_end_object(json);
}

static void put_point(JsonBuilder *json, const DpcxrSweep *sweep, const DpcxrSweepPoint *point,
                      const DpcxrSweepCost *cost)
{
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "name", point->name);
    dpcxr_json_begin_object(json, "values");
    for (gsize k = 0; k < sweep->n_keys; k++)
        dpcxr_json_put_string(json, sweep->keys[k], point->values[k]);
    json_builder_end_object(json);
    dpcxr_json_put_string(json, "calibrated_by",
                          point->accountant >= 0 ? cost->labels[point->accountant] : NULL);
    dpcxr_json_put_bool(json, "private",
                        ((DpcxrSweepRun *)point->runs->pdata[0])->experiment->privacy.enabled);
    dpcxr_json_put_bool(json, "chosen", point->chosen);
    put_spread(json, "valid_auroc", &point->valid);
    put_spread(json, "test_auroc", &point->test);
    dpcxr_json_begin_array(json, "runs");
    for (guint i = 0; i < point->runs->len; i++)
        put_run(json, g_ptr_array_index(point->runs, i), cost);
    json_builder_end_array(json);
    json_builder_end_object(json);
}

static void put_choice(JsonBuilder *json, const DpcxrSweep *sweep, const DpcxrSweepEnd *end)
{
    g_autoptr(GPtrArray) beside = dpcxr_sweep_tested_beside(sweep);
    dpcxr_json_begin_object(json, "choice");
    dpcxr_json_put_string(json, "split", "valid");
    dpcxr_json_put_string(json, "metric", "auroc");
    put_strings(json, "per", sweep->base->sweep.per);
    dpcxr_json_put_string(json, "none", end->not_chosen);
    dpcxr_json_put_string(json, "test",
                          !sweep->base->evaluate.test    ? "none"
                          : dpcxr_sweep_tests_all(sweep) ? "all"
                                                         : "chosen");
    dpcxr_json_put_strings(json, "test_read_beside", beside);
    json_builder_end_object(json);
}

static void put_together(JsonBuilder *json, const DpcxrSweepCost *cost)
{
    dpcxr_json_begin_object(json, "together");
    dpcxr_json_put_count(json, "runs", cost->runs);
    dpcxr_json_put_string(json, "without_claim", cost->unclaimed);
    dpcxr_json_put_string(json, "none", cost->problem);
    put_charges(json, "accountants", cost, cost->together);
    json_builder_end_object(json);
}

char *dpcxr_sweep_json(const DpcxrSweep *sweep, const DpcxrSweepCost *cost, const DpcxrSweepEnd *end)
{
    const DpcxrExperiment *base = sweep->base;
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "schema", SCHEMA);
    dpcxr_json_put_string(json, "name", sweep->name);
    dpcxr_json_put_string(json, "folder", sweep->folder);
    dpcxr_json_put_bool(json, "stopped", end->stopped);
    dpcxr_json_put_count(json, "failed", end->failed);
    put_strings(json, "keys", sweep->keys);
    dpcxr_json_put_count(json, "repeat", (guint64)base->sweep.repeat);
    put_strings(json, "accountants", cost->labels);
    dpcxr_json_put_string(json, "at",
                          base->sweep.n_accountants == 0 ? NULL
                          : base->sweep.at_epsilon       ? "epsilon"
                                                         : "noise");
    put_choice(json, sweep, end);
    put_together(json, cost);
    dpcxr_json_begin_array(json, "points");
    for (guint p = 0; p < sweep->points->len; p++)
        put_point(json, sweep, g_ptr_array_index(sweep->points, p), cost);
    json_builder_end_array(json);
    json_builder_end_object(json);
    return dpcxr_json_text(json);
}

gboolean dpcxr_sweep_write(const DpcxrSweep *sweep, const DpcxrSweepCost *cost, const DpcxrSweepEnd *end,
                           GError **error)
{
    g_autofree char *json = dpcxr_sweep_json(sweep, cost, end), *csv = dpcxr_sweep_csv(sweep, cost);
    g_autofree char *json_path = g_build_filename(sweep->folder, "sweep.json", NULL);
    g_autofree char *csv_path = g_build_filename(sweep->folder, "sweep.csv", NULL);
    return dpcxr_write_file(json_path, json, -1, 0600, error) &&
           dpcxr_write_file(csv_path, csv, -1, 0600, error);
}
