/* SPDX-License-Identifier: MIT
 * An open data set of an experiment: the index, the plugin that decodes, and the policies that make rows for the
 * network out of it (uncertain and missing labels, resize, channels, normalisation, augmentation). */
#pragma once
#include "config/experiment.h"
#include "data/index.h"

typedef struct _DpcxrData DpcxrData;

/* Opens the dataset of @experiment (borrowed). DPCXR_ERROR_DATA, DPCXR_ERROR_USAGE (an augmentation that refuses the labels). */
DpcxrData *dpcxr_data_open(const DpcxrExperiment *experiment, GError **error);
void dpcxr_data_free(DpcxrData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrData, dpcxr_data_free)

const DpcxrIndex *dpcxr_data_index(const DpcxrData *data);
/* What the label policies make of a row: @targets and @mask of n_labels. */
void dpcxr_data_targets(const DpcxrData *data, gsize row, float *targets, float *mask);

/* One image to be made. */
typedef struct {
    gsize row;
    guint64 step;     /* address of the augmentation's random stream, with the row and @view */
    guint32 view;
    gboolean augment; /* training images only */
} DpcxrDraw;

/* Decodes, resizes (antialiased, to 8 bits: the same with and without cache), normalises and augments one image into
 * @pixels [size, size, channels], @targets and @mask [n_labels]. Thread-safe. DPCXR_ERROR_DATA names the sample. */
gboolean dpcxr_data_load(DpcxrData *data, const DpcxrDraw *draw, float *pixels, float *targets, float *mask,
                         GError **error);

/* Every problem with the files of the index, one line each: unreadable images, patients in two splits, splits without
 * rows, labels without positives or negatives. Reads all images with @threads threads. Returns problems as an
 * array of strings (empty: none) and puts counts as text into @summary. (transfer full both) */
GPtrArray *dpcxr_data_check(DpcxrData *data, int threads, char **summary);
