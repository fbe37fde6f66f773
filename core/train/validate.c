/* SPDX-License-Identifier: MIT */
#include "train/validate.h"
#include "eval/evaluate.h"
#include "stats/ranking.h"
#include <math.h>

gboolean dpcxr_validation_due(const DpcxrExperiment *experiment, guint64 step, guint64 steps)
{
    guint64 points = (guint64)experiment->evaluate.curve_points, every = points ? MAX(steps / points, 1) : 0;
    return every && experiment->stage_evaluate && experiment->evaluate.valid &&
           (step == steps || step % every == 0);
}

static double label_auroc(const DpcxrPredictions *p, int label)
{
    g_autofree double *scores = g_new(double, p->n);
    g_autofree guint8 *truths = g_new(guint8, p->n);
    gsize known = 0;
    for (gsize i = 0; i < p->n; i++)
        if (dpcxr_predictions_truth(p, i, label, &truths[known]))
            scores[known++] = dpcxr_predictions_score(p, i, label);
    g_autoptr(DpcxrScored) sample = dpcxr_scored_new(scores, truths, known);
    return dpcxr_auroc(sample);
}

static double mean_auroc(const DpcxrPredictions *p)
{
    double sum = 0;
    int defined = 0;
    for (int label = 0; label < p->n_labels; label++) {
        double auroc = label_auroc(p, label);
        sum += isnan(auroc) ? 0 : auroc;
        defined += !isnan(auroc);
    }
    return defined ? sum / defined : NAN;
}

gboolean dpcxr_validate(DpcxrProgram *program, const DpcxrExperiment *experiment, DpcxrData *data,
                        DpcxrValidation *validation, GError **error)
{
    *validation = (DpcxrValidation){NAN, NAN};
    if (dpcxr_index_count_split(dpcxr_data_index(data), DPCXR_SPLIT_VALID) == 0)
        return TRUE;
    g_autoptr(DpcxrPredictions) p = dpcxr_evaluate(program, experiment, data, DPCXR_SPLIT_VALID, error);
    if (!p)
        return FALSE;
    *validation = (DpcxrValidation){dpcxr_predictions_loss(p), mean_auroc(p)};
    return TRUE;
}
