/* SPDX-License-Identifier: MIT */
#include "eval/known.h"

DpcxrScored *dpcxr_known_rows(const DpcxrPredictionFile *file, gsize label)
{
    const double *scores = dpcxr_prediction_file_scores(file, label);
    const guint8 *truths = dpcxr_prediction_file_truths(file, label),
                 *known = dpcxr_prediction_file_known(file, label);
    g_autofree double *known_scores = g_new(double, file->n);
    g_autofree guint8 *known_truths = g_new(guint8, file->n);
    g_autofree guint32 *rows = g_new(guint32, file->n);
    gsize n = 0;

    for (gsize i = 0; i < file->n; i++)
        if (known[i]) {
            known_scores[n] = scores[i];
            known_truths[n] = truths[i];
            rows[n++] = (guint32)i;
        }
    DpcxrScored *sample = dpcxr_scored_new(known_scores, known_truths, n);
    for (gsize i = 0; i < n; i++)
        sample->rows[i] = rows[sample->rows[i]];
    return sample;
}
