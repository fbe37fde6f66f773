/* SPDX-License-Identifier: MIT
 * data.json: which images were found, which were left out and why, and who is in each split. For the report's
 * data flow and demographics (CLAIM and TRIPOD ask for both). */
#pragma once
#include "data/data.h"

/* {"schema": 1, "dataset": .., "found": images, "excluded": [{"reason", "images"}],
 * "patients_in_several_splits": .., "splits": {SPLIT: {"images", "patients", "groups": {GROUP: {VALUE:
 * {"images", "patients"}}}, "labels": {LABEL: {"positive", "negative", "uncertain", "missing"}}}}}
 * Splits without rows are left out; every group has the same values in all of them, "" where it is not known. Labels
 * are as in the files. A blank patient id counts as one patient an image. Mode 0600. */
gboolean dpcxr_data_flow_write(const char *path, const DpcxrExperiment *experiment, const DpcxrIndex *index,
                               GError **error);
