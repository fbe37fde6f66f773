/* SPDX-License-Identifier: MIT
 * A split judged: every metric of every label, of all images and of each group, with what the bootstrap makes
 * of it. */
#pragma once
#include "eval/groups.h"
#include "eval/thresholds.h"
#include "stats/bootstrap.h"
#include "stats/series.h"

typedef enum {
    DPCXR_LABEL_OK,
    DPCXR_LABEL_ONE_CLASS,  /* positives or negatives only */
    DPCXR_LABEL_NO_LABELS,  /* no image with a known truth */
    DPCXR_LABEL_TOO_FEW,    /* of a group: fewer positives or negatives than min_pos */
    DPCXR_LABEL_NOT_FINITE, /* a score is NaN */
} DpcxrLabelStatus;

const char *dpcxr_label_status_name(DpcxrLabelStatus status); /* "ok", "one_class", .. */

typedef struct {
    DpcxrScored *sample;
    gsize missing; /* images whose truth is not known */
    DpcxrLabelStatus status;
    double values[DPCXR_N_METRICS];
} DpcxrJudgedLabel;

/* All images, or a group. */
typedef struct {
    gsize n, patients;
    gboolean too_small;       /* fewer than min_n images: no metric has a value */
    DpcxrJudgedLabel *labels; /* [labels] */
} DpcxrJudgedView;

typedef struct {
    const DpcxrPredictionFile *file;   /* (borrowed) */
    const DpcxrThresholds *thresholds; /* (borrowed, nullable) */
    GPtrArray *groupings;              /* of DpcxrGrouping */
    gsize n_views;
    DpcxrJudgedView *views; /* all images, then the values of each grouping */
    gsize *first_view;      /* [groupings] */
    DpcxrCiMethod ci_method;
    double ci_level;
    DpcxrReplicates *replicates; /* (nullable) [views, labels] items */
} DpcxrJudged;

/* How, as `evaluate:` has it. */
typedef struct {
    DpcxrCiMethod ci_method;
    gboolean ci_by_image;
    gsize ci_replicates;
    double ci_level;
    guint64 ci_seed;
    gsize min_n, min_pos;
} DpcxrJudgeOptions;

DpcxrJudgeOptions dpcxr_judge_options(const DpcxrExperiment *experiment);

/* @file, @thresholds (nullable: none): outlive what is returned. DPCXR_ERROR_DATA: delong, and a patient has
 * several images. */
DpcxrJudged *dpcxr_judge(const DpcxrPredictionFile *file, const DpcxrThresholds *thresholds,
                         const DpcxrJudgeOptions *options, DpcxrWorkers *workers, GError **error);
void dpcxr_judged_free(DpcxrJudged *judged);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrJudged, dpcxr_judged_free)

/* A metric of a label; nothing to free. */
DpcxrSeries dpcxr_judged_series(const DpcxrJudged *judged, gsize view, gsize label, DpcxrMetric metric);
/* With its interval: percentiles of the bootstrap, or DeLong's of AUROC. */
DpcxrEstimate dpcxr_judged_estimate(const DpcxrJudged *judged, gsize view, gsize label, DpcxrMetric metric);
/* Mean over the labels where the metric has a value. (clear with dpcxr_series_clear) */
DpcxrSeries dpcxr_judged_mean(const DpcxrJudged *judged, gsize view, DpcxrMetric metric);
