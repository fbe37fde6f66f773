/* SPDX-License-Identifier: MIT */
#include "report/metric-names.h"

static const struct {
    const char *name, *title;
} titles[] = {
    {"auroc", "AUROC"},
    {"auprc", "AUPRC"},
    {"sensitivity", "Sensitivity"},
    {"specificity", "Specificity"},
    {"fnr", "FNR"},
    {"fpr", "FPR"},
    {"ppv", "PPV"},
    {"npv", "NPV"},
    {"f1", "F1"},
    {"accuracy", "Accuracy"},
    {"positive_rate", "Called positive"},
    {"prevalence", "Prevalence"},
    {"brier", "Brier"},
    {"ece_equal_width", "ECE, equal width"},
    {"ece_equal_mass", "ECE, equal mass"},
    {"calibration_slope", "Slope"},
    {"calibration_intercept", "Intercept"},
    {"statistical_parity_difference", "Statistical parity difference"},
    {"equal_opportunity_difference", "Equal opportunity difference"},
    {"equalised_odds_difference", "Equalised odds difference"},
    {"accuracy_parity_difference", "Accuracy parity difference"},
    {"equity_scaled_auroc", "Equity-scaled AUROC"},
};

const char *dpcxr_metric_title(const char *metric)
{
    for (gsize i = 0; i < G_N_ELEMENTS(titles); i++)
        if (g_str_equal(titles[i].name, metric))
            return titles[i].title;
    return metric;
}

static const struct {
    const char *status, *text;
} statuses[] = {
    {"one_class", "one class only"},           {"no_labels", "no known labels"},
    {"too_few", "too few of a class"},         {"too_small", "too small"},
    {"not_finite", "a score is not a number"},
};

const char *dpcxr_status_text(const char *status)
{
    for (gsize i = 0; status && i < G_N_ELEMENTS(statuses); i++)
        if (g_str_equal(statuses[i].status, status))
            return statuses[i].text;
    return !status || g_str_equal(status, "ok") ? NULL : status;
}

JsonObject *dpcxr_results_split(JsonObject *results, const char *split)
{
    return split ? dpcxr_look_object(results, "splits", split, NULL) : NULL;
}
