/* SPDX-License-Identifier: MIT
 * Runs beside each other on the same images: what each loses against one of them, over labels and groups,
 * with paired tests. Every interval and every p comes from one set of resamples of patients, so that
 * differences are paired. */
#pragma once
#include "eval/prediction-file.h"
#include "report/look.h"
#include "report/run-files.h"

typedef struct {
    const char *split;    /* "test" or "valid" */
    const char *baseline; /* (nullable) one of the runs; NULL: the first without a claim, else the first */
    double margin;        /* of non-inferiority of the mean AUROC; NaN: not asked for */
    gsize replicates;
    double level; /* of intervals, 0.95 */
    guint64 seed;
    gsize min_n, min_pos; /* images that a group needs; positives, and negatives, of a label in it to count */
} DpcxrCompareOptions;

/* AUROC of a label, of a group (mean over labels), or of all (the same). NaN where it is not defined. */
typedef struct {
    DpcxrEstimate auroc;
    DpcxrEstimate difference; /* run minus baseline: negative is worse. Of the baseline: NaN */
    double p;                 /* two-sided, paired; NaN where there is none */
    double p_holm;            /* of labels: adjusted over the labels of the run; of all: over the runs */
} DpcxrComparedValue;

/* Pearson's correlation; NaN where there are too few points. */
typedef struct {
    gsize n;
    double r, p;
} DpcxrRelation;

typedef struct {
    DpcxrRunFiles *files;
    DpcxrPredictionFile *predictions;         /* rows in the order of the baseline's */
    double epsilon, delta;                    /* NaN without a claim */
    const char *accountant;                   /* (nullable) */
    DpcxrComparedValue mean;                  /* over labels */
    double p_not_inferior;                    /* one-sided; NaN without a margin */
    DpcxrComparedValue *labels;               /* [n_labels] */
    DpcxrComparedValue *groups;               /* [n_groups] */
    DpcxrRelation with_prevalence, with_size; /* of the difference: over labels, over groups */
} DpcxrComparedRun;

typedef struct {
    char *grouping, *value;
    gsize column; /* of the predictions */
    gsize n;
    gboolean small; /* fewer images than options.min_n: no numbers */
} DpcxrComparedGroup;

typedef struct {
    DpcxrCompareOptions options;
    GPtrArray *runs; /* DpcxrComparedRun * */
    guint baseline;  /* position in runs */
    gsize n, n_patients;
    gsize n_labels, n_groups;
    char **labels;            /* [n_labels], NULL-terminated */
    gsize *positives, *known; /* [n_labels] */
    DpcxrComparedGroup *groups;
} DpcxrComparison;

/* @roots: at least two run folders, NULL-terminated. DPCXR_ERROR_USAGE: too few, the baseline is none of
 * them. DPCXR_ERROR_DATA: a run was not evaluated on that split, lacks a label, or was evaluated on other
 * images; the message says which. */
DpcxrComparison *dpcxr_compare(const char *const *roots, const DpcxrCompareOptions *options, GError **error);
void dpcxr_comparison_free(DpcxrComparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrComparison, dpcxr_comparison_free)

const DpcxrComparedRun *dpcxr_compared_run(const DpcxrComparison *comparison, guint i);

/* For compare.c: the runs read and put in the same order of images; everything but numbers. */
DpcxrComparison *dpcxr_compare_read(const char *const *roots, const DpcxrCompareOptions *options,
                                    GError **error);

/* comparison.html, comparison.json, runs.csv, runs.tex, labels.csv, labels.tex, groups.csv, figures/ into
 * @folder (mode 0700), which is made. @all_accountants: AUROC over the epsilons of every accountant that
 * bounds a run, not only of the one that claims. DPCXR_ERROR_USAGE: @folder is there and is none. */
gboolean dpcxr_comparison_write(const DpcxrComparison *comparison, const char *folder,
                                gboolean all_accountants, GError **error);
/* comparison.json. (transfer full) */
char *dpcxr_comparison_json(const DpcxrComparison *comparison);
