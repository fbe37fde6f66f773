/* SPDX-License-Identifier: MIT
 * dpcxr run (dpcxr-run): one experiment, or what it would be. */
#include "command.h"
#include "config/experiment.h"
#include "train/run.h"
#include <stdio.h>

static gboolean run(const DpcxrExperiment *experiment, const DpcxrRunOptions *options, gboolean dry, gboolean print,
                    GError **error)
{
    if (print) {
        fputs(experiment->yaml, stdout);
        return TRUE;
    }
    return dry ? dpcxr_run_dry(experiment, error) : dpcxr_run(experiment, options, error);
}

gboolean dpcxr_cmd_run(int argc, char **argv, GError **error)
{
    gboolean dry = FALSE, print = FALSE;
    DpcxrRunOptions options = {0};
    g_autofree char *out = NULL;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &dry, "Show model, memory, steps, noise and epsilon; write nothing", NULL},
        {"print-config", 0, 0, G_OPTION_ARG_NONE, &print, "Print the configuration with every value resolved", NULL},
        {"resume", 0, 0, G_OPTION_ARG_NONE, &options.resume, "Go on with a run that was stopped or killed", NULL},
        {"quiet", 0, 0, G_OPTION_ARG_NONE, &options.quiet, "No progress, only the RESULT line and problems", NULL},
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &out, "Folder of the run folders (default: runs)", "DIR"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "CONFIG [KEY=VALUE]...", "Train, evaluate and account one experiment.", entries,
                         error))
        return FALSE;
    if (!rest || !rest[0]) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "dpcxr run: which configuration? e.g. dpcxr run configs/quickstart.yaml");
        return FALSE;
    }
    options.out = out;
    g_autoptr(DpcxrExperiment) experiment =
        dpcxr_experiment_load(rest[0], (const char *const *)rest + 1, error);
    return experiment && run(experiment, &options, dry, print, error);
}
