/* SPDX-License-Identifier: MIT
 * The report of a run: one page, and its figures as files. */
#pragma once
#include <dpcxr/error.h>

/* From the files of the run in @root to private/report.html and private/figures/; with @release, from those in release/
 * alone to release/report.html, without figures as files. Written anew each time. @path (nullable) gets where the page is.
 * Errors as dpcxr_run_files_read, and DPCXR_ERROR_FAILED. */
gboolean dpcxr_report_write(const char *root, gboolean release, char **path, GError **error);
