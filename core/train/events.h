/* SPDX-License-Identifier: MIT
 * What a run shows in TensorBoard, private: every scalar of metrics.jsonl under its name, and at the end
 * precision-recall curves. A file for each process; where steps are done again, TensorBoard drops what they
 * were before. */
#pragma once
#include "eval/predictions.h"

typedef struct _DpcxrEvents DpcxrEvents;

/* @folder: runs/NAME/private. @step: steps done so far. */
DpcxrEvents *dpcxr_events_new(const char *folder, guint64 step, GError **error);
void dpcxr_events_add_scalar(DpcxrEvents *events, guint64 step, const char *name, double value);
/* A curve "SPLIT/LABEL" of each label that has both classes in @predictions. */
void dpcxr_events_add_curves(DpcxrEvents *events, guint64 step, const char *split, char **labels,
                             const DpcxrPredictions *predictions);
/* FALSE where any write has failed so far (a full disk). */
gboolean dpcxr_events_flush(DpcxrEvents *events, GError **error);
void dpcxr_events_free(DpcxrEvents *events); /* NULL-safe */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrEvents, dpcxr_events_free)
