/* SPDX-License-Identifier: MIT
 * How fast images get to training: decoded each time, from shards on disk, from memory; in turns in one process. */
#pragma once
#include "config/experiment.h"

typedef struct {
    gsize images;          /* of an epoch: all rows of the data set */
    double decoded, whole; /* images/s, median over the epochs; whole: JPEG files not shrunk while decoding */
    double shards, memory;
} DpcxrLoaderTimes;

/* Reads all images of @experiment @epochs times from each source, with @workers threads (0: one a processor), augmented where they
 * are training images. Shards go to data.cache.dir, or, where that is null, to a folder under the system's temporary one,
 * which is removed again. DPCXR_ERROR_DATA where an image cannot be read. */
gboolean dpcxr_bench_loader(DpcxrExperiment *experiment, int workers, int epochs, DpcxrLoaderTimes *times,
                            GError **error);
