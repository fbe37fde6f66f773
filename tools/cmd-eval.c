/* SPDX-License-Identifier: MIT
 * dpcxr eval RUN [KEY=VALUE]... [--on CONFIG] [--json]: a finished run evaluated again, from its predictions,
 * or on other data with its weights and its working points. */
#include "base/json.h"
#include "command.h"
#include "eval/evaluation.h"
#include "eval/results.h"
#include "train/external.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- What is printed --- */

static JsonObject *object_at(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static double number_at(JsonObject *object, const char *name)
{
    JsonNode *node = object ? json_object_get_member(object, name) : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : NAN;
}

/* "0.871 [0.862, 0.880]", "0.871" or "-". (transfer full) */
static char *show(JsonObject *metrics, const char *metric)
{
    JsonObject *estimate = object_at(metrics, metric);
    double value = number_at(estimate, "value"), low = number_at(estimate, "low"),
           high = number_at(estimate, "high");

    if (isnan(value))
        return g_strdup("-");
    return isnan(low) ? g_strdup_printf("%.3f", value)
                      : g_strdup_printf("%.3f [%.3f, %.3f]", value, low, high);
}

/* "1234", or nothing where there is no number. (transfer full) */
static char *show_count(double count)
{
    return isnan(count) ? g_strdup("") : g_strdup_printf("%.0f", count);
}

static void print_row(const char *name, double n, double positives, JsonObject *metrics)
{
    static const char *const columns[] = {"auroc", "auprc", "sensitivity", "specificity"};
    g_autofree char *all = show_count(n), *positive = show_count(positives);

    printf("  %-32.32s %7s %7s", name, all, positive);
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_autofree char *text = show(metrics, columns[i]);
        printf("  %-21s", text);
    }
    putchar('\n');
}

static void print_labels(JsonObject *view)
{
    JsonObject *labels = object_at(view, "labels");
    g_autoptr(GList) names = json_object_get_members(labels);

    for (GList *name = names; name; name = name->next) {
        JsonObject *label = object_at(labels, name->data);
        print_row(name->data, number_at(label, "n"), number_at(label, "positives"),
                  object_at(label, "metrics"));
    }
    print_row("mean", NAN, NAN, object_at(view, "mean"));
}

static void print_groups(JsonObject *groups)
{
    g_autoptr(GList) groupings = json_object_get_members(groups);

    for (GList *grouping = groupings; grouping; grouping = grouping->next) {
        JsonObject *values = object_at(object_at(groups, grouping->data), "values");
        g_autoptr(GList) names = json_object_get_members(values);
        printf("  by %s (means over labels)\n", (const char *)grouping->data);
        for (GList *name = names; name; name = name->next) {
            JsonObject *group = object_at(values, name->data);
            gboolean small = strcmp(json_object_get_string_member(group, "status"), "ok") != 0;
            g_autofree char *shown = g_strconcat("  ", name->data, small ? " (too small)" : "", NULL);
            print_row(shown, number_at(group, "n"), NAN, object_at(group, "mean"));
        }
    }
}

static void print_text(JsonObject *root, const char *path)
{
    JsonObject *splits = object_at(root, "splits"), *thresholds = object_at(root, "thresholds");
    g_autoptr(GList) names = json_object_get_members(splits);

    for (GList *name = names; name; name = name->next) {
        JsonObject *split = object_at(splits, name->data);
        printf("%s: %.0f images of %.0f patients", (const char *)name->data, number_at(split, "n"),
               number_at(split, "patients"));
        if (number_at(split, "without_patient") > 0)
            printf(" (%.0f without an id, each of which counts as a patient)",
                   number_at(split, "without_patient"));
        putchar('\n');
        printf("  %-32s %7s %7s  %-21s  %-21s  %-21s  %-21s\n", "", "n", "pos", "AUROC", "AUPRC",
               "sensitivity", "specificity");
        print_labels(split);
        print_groups(object_at(split, "groups"));
    }
    if (thresholds)
        printf("working points: %s on the validation split\n",
               json_object_get_string_member(thresholds, "rule"));
    printf("all of it: %s\n", path);
}

static gboolean print_results(const char *folder, gboolean as_json, GError **error)
{
    enum { DEEPEST = 32 };
    g_autofree char *path = g_build_filename(folder, "results.json", NULL), *text = NULL;
    gsize length;

    if (!g_file_get_contents(path, &text, &length, error))
        return FALSE;
    if (as_json) {
        fputs(text, stdout);
        return TRUE;
    }
    g_autoptr(JsonNode) root = dpcxr_json_parse(text, length, DEEPEST, error);
    if (!root)
        return FALSE;
    print_text(json_node_get_object(root), path);
    return TRUE;
}

/* --- What is done --- */

/* A finished run has no other data, model or training; how it is judged may change. */
static gboolean check_overrides(char **overrides, GError **error)
{
    for (; *overrides; overrides++)
        if (!g_str_has_prefix(*overrides, "evaluate.") && !g_str_has_prefix(*overrides, "device.")) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "dpcxr eval: %s: only evaluate.* and device.* can be changed; the rest of a run is "
                        "what it was",
                        *overrides);
            return FALSE;
        }
    return TRUE;
}

static DpcxrExperiment *load_run(const char *run, char **overrides, GError **error)
{
    g_autofree char *path = g_build_filename(run, "private", "config.yaml", NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return dpcxr_experiment_load(path, (const char *const *)overrides, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr eval: %s is not the folder of a run: it has no private/config.yaml", run);
    return NULL;
}

static gboolean has_predictions(const char *folder)
{
    for (int split = 0; split < DPCXR_N_SPLITS; split++) {
        g_autofree char *path = dpcxr_evaluation_predictions_path(folder, split);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return TRUE;
    }
    return FALSE;
}

static gboolean evaluate_again(const char *run, const DpcxrExperiment *experiment, gboolean as_json,
                               GError **error)
{
    g_autofree char *folder = g_build_filename(run, "private", NULL);
    g_autofree char *results = g_build_filename(folder, "results.json", NULL);
    DpcxrEvaluation evaluation = {.folder = folder, .experiment = experiment};
    double auroc;

    if (!has_predictions(folder)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                    "dpcxr eval: %s has no predictions; is the run finished?", run);
        return FALSE;
    }
    dpcxr_results_read_losses(results, evaluation.losses); /* which predictions do not tell */
    return dpcxr_evaluation_write(&evaluation, &auroc, error) && print_results(folder, as_json, error);
}

static gboolean evaluate_on(const char *run, const DpcxrExperiment *own, const char *config, char **overrides,
                            gboolean as_json, GError **error)
{
    g_autofree char *results = g_build_filename(run, "private", "results.json", NULL), *folder = NULL;
    g_autoptr(DpcxrExperiment) other = dpcxr_experiment_load(config, (const char *const *)overrides, error);
    g_autoptr(DpcxrThresholds) frozen = NULL;

    return other && dpcxr_thresholds_read(results, &frozen, error) &&
           dpcxr_external_evaluate(run, own, other, frozen, &folder, error) &&
           print_results(folder, as_json, error);
}

gboolean dpcxr_cmd_eval(int argc, char **argv, GError **error)
{
    gboolean as_json = FALSE;
    g_autofree char *on = NULL;
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"on", 0, 0, G_OPTION_ARG_FILENAME, &on,
         "Score the data of this experiment with the run's weights and thresholds", "CONFIG"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print results.json", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &words, NULL, NULL},
        {NULL},
    };

    if (!dpcxr_cmd_parse(argc, argv, "RUN [evaluate.KEY=VALUE]...",
                         "Evaluates a finished run again: from its predictions, or with --on on other data.",
                         entries, error))
        return FALSE;
    if (!words || !words[0]) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr eval: which run? e.g. dpcxr eval runs/quickstart");
        return FALSE;
    }
    if (!check_overrides(words + 1, error))
        return FALSE;
    static char *nothing[] = {NULL};
    g_autoptr(DpcxrExperiment) experiment = load_run(words[0], on ? nothing : words + 1, error);
    if (!experiment)
        return FALSE;
    return on ? evaluate_on(words[0], experiment, on, words + 1, as_json, error)
              : evaluate_again(words[0], experiment, as_json, error);
}
