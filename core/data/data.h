/* SPDX-License-Identifier: MIT
 * An open data set of an experiment: the index, the plugin that decodes, and the policies that make rows for the
 * network out of it (uncertain and missing labels, resize, channels, normalisation, augmentation). */
#pragma once
#include "config/experiment.h"
#include "data/index.h"
#include "data/shard-cache.h"

typedef struct _DpcxrData DpcxrData;

/* Opens the dataset of @experiment (borrowed). Decoded, resized images are taken from
 * data.cache.dir, as far as they are there (dpcxr_data_build_cache), or kept in memory up to 2 GiB or a quarter of the machine's
 * memory, whichever is less; results do not depend on it.
 * DPCXR_ERROR_DATA, DPCXR_ERROR_USAGE (an augmentation that refuses the labels). */
DpcxrData *dpcxr_data_open(const DpcxrExperiment *experiment, GError **error);
void dpcxr_data_free(DpcxrData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrData, dpcxr_data_free)

const DpcxrExperiment *dpcxr_data_experiment(const DpcxrData *data);
const DpcxrIndex *dpcxr_data_index(const DpcxrData *data);
/* Empties the cache of decoded images and gives it another limit; 0: none. Not while anything loads. */
void dpcxr_data_limit_cache(DpcxrData *data, gsize bytes);
/* Puts what is missing there into data.cache.dir; nothing to do without one. An image that cannot be read is left out, and whoever
 * asks for it hears why. @verify also repairs damaged records, which takes reading
 * everything; @threads 0: one a processor; @counts nullable, untouched without a cache. DPCXR_ERROR_FAILED where it
 * cannot be written. Not while anything loads. */
gboolean dpcxr_data_build_cache(DpcxrData *data, int threads, gboolean verify, DpcxrShardCounts *counts, GError **error);
const DpcxrShardCache *dpcxr_data_shards(const DpcxrData *data); /* NULL without data.cache.dir */
/* Lets decoders make whole images, also where they could shrink on the way: to see what that is worth. Without a cache on disk. */
void dpcxr_data_decode_whole(DpcxrData *data);
/* What the label policies make of a row: @targets and @mask of n_labels. */
void dpcxr_data_targets(const DpcxrData *data, gsize row, float *targets, float *mask);

/* One image to be made. */
typedef struct {
    gsize row;
    guint64 step;     /* address of the augmentation's random stream, with the row and @view; below 2^48 */
    guint32 view;     /* below 2^16 */
    gboolean augment; /* training images only */
} DpcxrDraw;

/* Decodes, resizes (antialiased, to 8 bits: the same with and without cache), normalises and augments one image into
 * @pixels [size, size, channels], @targets and @mask [n_labels]. Thread-safe. DPCXR_ERROR_DATA names the sample. */
gboolean dpcxr_data_load(DpcxrData *data, const DpcxrDraw *draw, float *pixels, float *targets, float *mask,
                         GError **error);

/* A row as a person would look at it: decoded, gray where the experiment is, no side longer than @side, in 8 bits; neither
 * normalised nor augmented, and not from a cache. The caller clears @image. DPCXR_ERROR_DATA names the sample. */
gboolean dpcxr_data_show(DpcxrData *data, gsize row, int side, DpcxrImage *image, GError **error);

/* Decodes and resizes a row without handing it out, so that it is known to be readable and (if it fits) cached.
 * Thread-safe. DPCXR_ERROR_DATA names the sample and the file. */
gboolean dpcxr_data_prepare(DpcxrData *data, gsize row, GError **error);

/* Reads all images with @threads threads (0: one a processor) and returns a line for each that cannot be read, in the
 * order of the index. Those are the problems that a run should not start with. (transfer full) */
GPtrArray *dpcxr_data_check_files(DpcxrData *data, int threads);

/* A line for each pair of splits that share patients. (transfer full) */
GPtrArray *dpcxr_data_check_overlap(const DpcxrIndex *index);

/* Every problem with the data set, one line each: unreadable images, patients in two splits, rows without a patient where
 * patients are the unit, splits that the experiment uses without rows, or without positives or negatives of a label. Reads all images with @threads threads. Returns
 * problems as an array of strings (empty: none) and puts counts as text into @summary (nullable). (transfer full both) */
GPtrArray *dpcxr_data_check(DpcxrData *data, int threads, char **summary);
