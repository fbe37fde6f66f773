/* SPDX-License-Identifier: MIT
 * predictions-SPLIT.csv read back: what every number of an evaluation is computed from, so that a run's files
 * say it again at any time. */
#pragma once
#include <dpcxr/error.h>

typedef struct {
    char *path;
    gsize n, n_labels, n_columns;
    char **labels;  /* [n_labels], NULL-terminated, in the order of the file */
    char **columns; /* [n_columns], NULL-terminated: names of groups */
    char **samples; /* [n] */
    char **cells;   /* [n, n_columns] group of the row, "" where unknown */
    guint8 *known;  /* [n_labels, n] whether the truth is known */
    guint8 *truths; /* [n_labels, n] */
    double *scores; /* [n_labels, n] */
    guint32 *
        patients; /* [n] number of the patient, 0 .. n_patients - 1; of a row without an id, one of its own */
    gsize n_patients;
    gsize without_patient; /* rows without an id */
} DpcxrPredictionFile;

/* Labels are those with a column y_LABEL and a column p_LABEL; what stands before the first y_ column, after
 * sample_id and patient_id, are groups. DPCXR_ERROR_DATA: cannot be read, columns missing, a truth that is
 * not 1, 0 or empty, a score that is not a number, a sample that is there twice. */
DpcxrPredictionFile *dpcxr_prediction_file_read(const char *path, GError **error);
void dpcxr_prediction_file_free(DpcxrPredictionFile *file);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrPredictionFile, dpcxr_prediction_file_free)

/* [n] of one label. */
const double *dpcxr_prediction_file_scores(const DpcxrPredictionFile *file, gsize label);
const guint8 *dpcxr_prediction_file_truths(const DpcxrPredictionFile *file, gsize label);
const guint8 *dpcxr_prediction_file_known(const DpcxrPredictionFile *file, gsize label);
/* Position of a label, or -1. */
int dpcxr_prediction_file_label(const DpcxrPredictionFile *file, const char *label);
