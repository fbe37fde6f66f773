/* SPDX-License-Identifier: MIT
 * The working point: from which score on a patient is called positive. Chosen on a validation split and then
 * frozen. */
#pragma once
#include "stats/scored.h"

typedef enum {
    DPCXR_THRESHOLD_YOUDEN,      /* sensitivity + specificity - 1 is largest */
    DPCXR_THRESHOLD_SENSITIVITY, /* the highest with a sensitivity of at least the value */
    DPCXR_THRESHOLD_SPECIFICITY, /* the lowest with a specificity of at least the value */
    DPCXR_THRESHOLD_F1,          /* F1 is largest */
    DPCXR_N_THRESHOLD_RULES
} DpcxrThresholdRule;

/* "youden", "sensitivity", "specificity", "f1" */
const char *dpcxr_threshold_rule_name(DpcxrThresholdRule rule);
/* Whether the rule needs a value. */
gboolean dpcxr_threshold_rule_has_value(DpcxrThresholdRule rule);

/* Positive: score >= threshold. One of the sample's scores, or, where a specificity asks to call nobody, the
 * next number above the highest. Of equally good ones the highest (as scikit-learn's roc_curve and argmax
 * give for Youden's index, but for its extra point above all scores). @value in (0, 1], for rules that have
 * one. NaN where the sample does not rank. */
double dpcxr_threshold_choose(const DpcxrScored *sample, DpcxrThresholdRule rule, double value);
