/* SPDX-License-Identifier: MIT
 * A few images with what the model says of them, for people to look at: records of patients, which stay private. */
#pragma once
#include "eval/predictions.h"

/* Of each label (of the first twelve) the images that the model is most sure of: two wrongly negative, two wrongly
 * positive, one rightly positive, one rightly negative at the thresholds of @results (results.json; 0.5 where a label has
 * none, so that there is something to look at); no image twice for a label. As PNG of at most 256 pixels a side, as decoded, into @folder with samples.json:
 * {"schema": 1, "split", "images": [{"file", "sample", "patient", "label", "kind", "truth", "score", "threshold"}]}.
 * @folder is made anew, mode 0700. DPCXR_ERROR_DATA where an image cannot be read. */
gboolean dpcxr_samples_write(const char *folder, DpcxrData *data, DpcxrSplit split, const DpcxrPredictions *predictions,
                             const char *results, GError **error);
