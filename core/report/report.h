/* SPDX-License-Identifier: MIT
 * The report of a run: one page, and its figures as files. */
#pragma once
#include <dpcxr/error.h>

typedef enum {
    DPCXR_REPORT_PAGE = 1,    /* private/report.html */
    DPCXR_REPORT_FIGURES = 2, /* private/figures/ */
    DPCXR_REPORT_RELEASE = 4  /* release/report.html, from what is in release/ alone */
} DpcxrReportParts;

/* Makes @parts (or-ed) from the files of the run in @root, anew each time. @path (nullable) gets the page, or
 * without one the figures. Errors as dpcxr_run_files_read, and DPCXR_ERROR_FAILED. */
gboolean dpcxr_report_write(const char *root, int parts, char **path, GError **error);
