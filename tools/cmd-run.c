/* SPDX-License-Identifier: MIT
 * dpcxr run (dpcxr-run): one experiment, or what it would be. */
#include "command.h"
#include "config/experiment.h"
#include "privacy/secret.h"
#include "train/run.h"
#include <stdio.h>

/* Leak checkers trace the process at its end, which a protected one does not allow. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DPCXR_SANITIZED 1
#elif defined(__has_feature)
#define DPCXR_SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define DPCXR_SANITIZED 0
#endif

/* From here on no core dump and no debugger sees the key of the noise. */
static gboolean protect(const DpcxrExperiment *experiment, GError **error)
{
    return DPCXR_SANITIZED || !experiment->privacy.enabled || dpcxr_secret_protect_process(error);
}

static gboolean run(const DpcxrExperiment *experiment, const DpcxrRunOptions *options, gboolean dry, gboolean print,
                    GError **error)
{
    if (print) {
        fputs(experiment->yaml, stdout);
        return TRUE;
    }
    if (dry)
        return dpcxr_run_dry(experiment, error);
    return protect(experiment, error) && dpcxr_run(experiment, options, error);
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
