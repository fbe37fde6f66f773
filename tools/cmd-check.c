/* SPDX-License-Identifier: MIT
 * dpcxr check CONFIG [KEY=VALUE]... [--data] [--json]: whether an experiment could start. Without --data only
 * the configuration is read (and its plugins loaded); with it, the index and every image, too. */
#include "base/json-write.h"
#include "command.h"
#include "config/experiment.h"
#include "data/data.h"
#include "eval/evaluation.h"
#include "privacy/card.h"
#include "train/plan.h"
#include <stdio.h>

/* What was found, in the words of the one who found it. */
typedef struct {
    char *summary;       /* (nullable) counts */
    GPtrArray *problems; /* (nullable) of the data, strings */
    GPtrArray *voids;    /* why a run would make no claim, strings */
} Report;

static void report_clear(Report *report)
{
    g_free(report->summary);
    g_clear_pointer(&report->problems, g_ptr_array_unref);
    g_clear_pointer(&report->voids, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Report, report_clear)

static gboolean check_data(const DpcxrExperiment *experiment, Report *report, GError **error)
{
    g_autoptr(DpcxrData) data = dpcxr_data_open(experiment, error);
    if (!data)
        return FALSE;
    /* Steps, noise and the claim depend on how many units there are: what a run would refuse is refused here. */
    g_autoptr(DpcxrPlan) plan = dpcxr_plan_new(experiment, dpcxr_data_index(data), error);
    if (!plan || !dpcxr_evaluation_check(experiment, dpcxr_data_index(data), error))
        return FALSE;
    report->problems = dpcxr_data_check(data, experiment->device.threads, &report->summary);
    return TRUE;
}

static void print_text(const char *config, const Report *report)
{
    if (report->summary)
        fputs(report->summary, stdout);
    for (guint i = 0; report->problems && i < report->problems->len; i++)
        puts(g_ptr_array_index(report->problems, i));
    for (guint i = 0; i < report->voids->len; i++)
        printf("NO CLAIM: %s\n", (const char *)g_ptr_array_index(report->voids, i));
    if (!report->problems)
        printf("%s: the configuration is valid\n", config);
    else if (report->problems->len == 0)
        printf("%s: the configuration and the data are valid\n", config);
}

static void print_json(const char *config, const Report *report)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    dpcxr_json_put_string(json, "config", config);
    dpcxr_json_put_bool(json, "data_checked", report->problems != NULL);
    dpcxr_json_put_strings(json, "problems", report->problems);
    dpcxr_json_put_strings(json, "no_claim", report->voids);
    dpcxr_json_put_string(json, "summary", report->summary);
    json_builder_end_object(json);
    dpcxr_cmd_print_json(json);
}

gboolean dpcxr_cmd_check(int argc, char **argv, GError **error)
{
    gboolean with_data = FALSE, as_json = FALSE;
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {
        {"data", 0, 0, G_OPTION_ARG_NONE, &with_data, "Also read the index and every image", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &words, NULL, NULL},
        {NULL},
    };
    if (!dpcxr_cmd_parse(
            argc, argv, "CONFIG [KEY=VALUE]...",
            "Checks an experiment file; with --data also files, patient overlap between splits and label "
            "counts.",
            entries, error))
        return FALSE;
    if (!words) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr check: which experiment? dpcxr check CONFIG");
        return FALSE;
    }
    g_autoptr(DpcxrExperiment) experiment =
        dpcxr_experiment_load(words[0], (const char *const *)words + 1, error);
    if (!experiment)
        return FALSE;
    g_auto(Report) report = {.voids = dpcxr_claim_voids(experiment)};
    if (with_data && !check_data(experiment, &report, error))
        return FALSE;
    (as_json ? print_json : print_text)(words[0], &report);
    if (report.problems && report.problems->len > 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %u problem%s with the data", words[0],
                    report.problems->len, report.problems->len == 1 ? "" : "s");
        return FALSE;
    }
    return TRUE;
}
