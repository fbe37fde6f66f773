/* SPDX-License-Identifier: MIT
 * Events of TensorBoard as bytes: tensorboard/compat/proto/{event,summary,tensor}.proto and
 * plugins/pr_curve/plugin_data.proto. Each call replaces what is in @event. @wall: seconds since 1970. */
#pragma once
#include <glib.h>

/* The first of a file. */
void dpcxr_event_version(GByteArray *event, double wall);
/* Whatever earlier files say of @step and later is done again. */
void dpcxr_event_restart(GByteArray *event, double wall, guint64 step);
/* Not finite is a value like any other. */
void dpcxr_event_scalar(GByteArray *event, double wall, guint64 step, const char *tag, double value);
/* @curve: [DPCXR_PR_ROWS, n_thresholds], of dpcxr_pr_curve. @name: as people read it. */
void dpcxr_event_pr_curve(GByteArray *event, double wall, guint64 step, const char *tag, const char *name,
                          const float *curve, gsize n_thresholds);
