/* SPDX-License-Identifier: MIT
 * What a person sees of a running training: a bar on a terminal, a line every 30 seconds elsewhere. Private, as all
 * standard output. */
#pragma once
#include <glib.h>

typedef struct _DpcxrProgress DpcxrProgress;

typedef struct {
    guint64 step;       /* steps done */
    double loss;        /* running mean per image */
    double epsilon;     /* spent so far; NaN: none */
    guint64 images;     /* seen so far in this process */
} DpcxrProgressState;

/* @what: "train", ... @steps: in all; @first: done before this process. */
DpcxrProgress *dpcxr_progress_new(const char *what, guint64 first, guint64 steps, gboolean quiet);
/* Whether it is time to show something; asks the clock only. */
gboolean dpcxr_progress_due(const DpcxrProgress *progress);
void dpcxr_progress_show(DpcxrProgress *progress, const DpcxrProgressState *state);
/* Shows the last state and ends the line. NULL-safe. */
void dpcxr_progress_free(DpcxrProgress *progress);
