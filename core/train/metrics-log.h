/* SPDX-License-Identifier: MIT
 * metrics.jsonl: one object a line, {"step", "epoch", "name", "value", "wall"}. Appended to, also after a resume: where a
 * step was done again, the later line counts. */
#pragma once
#include <dpcxr/error.h>

typedef struct _DpcxrMetricsLog DpcxrMetricsLog;

/* Mode 0600. */
DpcxrMetricsLog *dpcxr_metrics_log_open(const char *path, GError **error);
/* NaN becomes null. */
void dpcxr_metrics_log_add(DpcxrMetricsLog *log, guint64 step, double epoch, const char *name, double value);
/* Everything so far to the file; FALSE where a write failed since the last call (a full disk). */
gboolean dpcxr_metrics_log_flush(DpcxrMetricsLog *log, GError **error);
void dpcxr_metrics_log_free(DpcxrMetricsLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrMetricsLog, dpcxr_metrics_log_free)
