/* SPDX-License-Identifier: MIT
 * A few images with what the model says of them, for people to look at: records of patients, which stay
 * private. */
#pragma once
#include "data/data.h"

/* Of each label (of the first twelve) the images that the model is most sure of: two wrongly negative, two
 * wrongly positive, one rightly positive, one rightly negative at the thresholds of FOLDER/results.json (0.5
 * where a label has none, so that there is something to look at); no image twice for a label. From
 * FOLDER/predictions-SPLIT.csv, as PNG of at most 256 pixels a side, as decoded, into FOLDER/samples/, which
 * is made anew (mode 0700), with samples.json: {"schema": 1, "split", "images": [{"file", "sample", "label",
 * "kind", "truth", "score", "threshold"}]}. DPCXR_ERROR_DATA where a file cannot be read, or has a sample
 * that @data has not. */
gboolean dpcxr_samples_write(const char *folder, DpcxrData *data, DpcxrSplit split, GError **error);
