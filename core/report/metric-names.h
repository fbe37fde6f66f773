/* SPDX-License-Identifier: MIT
 * What the metrics of results.json are called on a page. */
#pragma once
#include "report/look.h"

/* "auroc" is "AUROC"; a name that is not known stays as it is. (transfer none) */
const char *dpcxr_metric_title(const char *metric);
/* Why a label or a group has no number, by its status; NULL for "ok". (transfer none) */
const char *dpcxr_status_text(const char *status);
/* "splits"/SPLIT of @results. (nullable) (transfer none) */
JsonObject *dpcxr_results_split(JsonObject *results, const char *split);
