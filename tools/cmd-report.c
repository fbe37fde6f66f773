/* SPDX-License-Identifier: MIT
 * dpcxr report RUN: the page of a run, made again from its files. */
#include "command.h"
#include "report/report.h"
#include <stdio.h>

static gboolean report(const char *const *roots, gboolean release, GError **error)
{
    for (; *roots; roots++) {
        g_autofree char *path = NULL;
        if (!dpcxr_report_write(*roots,
                                release ? DPCXR_REPORT_RELEASE : DPCXR_REPORT_PAGE | DPCXR_REPORT_FIGURES,
                                &path, error))
            return FALSE;
        printf("%s\n", path);
    }
    return TRUE;
}

gboolean dpcxr_cmd_report(int argc, char **argv, GError **error)
{
    gboolean release = FALSE;
    g_auto(GStrv) roots = NULL;
    const GOptionEntry entries[] = {
        {"release", 0, 0, G_OPTION_ARG_NONE, &release,
         "Only what the guarantee covers, into RUN/release/report.html", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &roots, NULL, NULL},
        {0}};
    if (!dpcxr_cmd_parse(argc, argv, "RUN...",
                         "Makes RUN/private/report.html and RUN/private/figures/ from the files of a run.",
                         entries, error))
        return FALSE;
    if (roots)
        return report((const char *const *)roots, release, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "dpcxr report: of which run? e.g. dpcxr report runs/quickstart");
    return FALSE;
}
