/* SPDX-License-Identifier: MIT
 * The working points of a run: chosen on its validation split, one for each label, and then used as they
 * are. */
#pragma once
#include "config/experiment.h"
#include "eval/prediction-file.h"
#include <json-glib/json-glib.h>

typedef struct {
    DpcxrThresholdRule rule;
    double rule_value; /* NaN: the rule has none */
    char **labels;     /* NULL-terminated */
    double *values;    /* [labels] NaN: none could be chosen */
} DpcxrThresholds;

DpcxrThresholds *dpcxr_thresholds_choose(const DpcxrPredictionFile *valid, DpcxrThresholdRule rule,
                                         double rule_value);
void dpcxr_thresholds_free(DpcxrThresholds *thresholds);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrThresholds, dpcxr_thresholds_free)

/* The threshold of a label; NaN where there is none, or no @thresholds (nullable). */
double dpcxr_thresholds_get(const DpcxrThresholds *thresholds, const char *label);

/* As the member "thresholds" of results.json; NULL becomes null. */
void dpcxr_thresholds_write(const DpcxrThresholds *thresholds, JsonBuilder *json);
/* From a results.json. *thresholds NULL (and TRUE) where it has none. DPCXR_ERROR_DATA. */
gboolean dpcxr_thresholds_read(const char *path, DpcxrThresholds **thresholds, GError **error);
