/* SPDX-License-Identifier: MIT */
#include "eval/evaluation.h"
#include "eval/results.h"
#include <math.h>

char *dpcxr_evaluation_predictions_path(const char *folder, DpcxrSplit split)
{
    g_autofree char *name = g_strdup_printf("predictions-%s.csv", dpcxr_split_name(split));

    return g_build_filename(folder, name, NULL);
}

static gboolean is_wanted(const DpcxrExperiment *experiment, DpcxrSplit split)
{
    return split == DPCXR_SPLIT_VALID ? experiment->evaluate.valid
                                      : split == DPCXR_SPLIT_TEST && experiment->evaluate.test;
}

typedef struct {
    const DpcxrEvaluation *evaluation;
    DpcxrPredictionFile *files[DPCXR_N_SPLITS];
    DpcxrJudged *judged[DPCXR_N_SPLITS];
    DpcxrThresholds *chosen; /* (nullable) */
    DpcxrWorkers *workers;
} Work;

static gboolean read_files(Work *work, GError **error)
{
    for (int split = 0; split < DPCXR_N_SPLITS; split++) {
        g_autofree char *path = dpcxr_evaluation_predictions_path(work->evaluation->folder, split);
        gboolean wanted = is_wanted(work->evaluation->experiment, split) || split == DPCXR_SPLIT_VALID;
        if (!wanted || !g_file_test(path, G_FILE_TEST_EXISTS)) /* valid: for working points in any case */
            continue;
        work->files[split] = dpcxr_prediction_file_read(path, error);
        if (!work->files[split])
            return FALSE;
    }
    return TRUE;
}

static const DpcxrThresholds *find_thresholds(Work *work)
{
    const DpcxrExperiment *e = work->evaluation->experiment;
    const DpcxrPredictionFile *valid = work->files[DPCXR_SPLIT_VALID];

    if (work->evaluation->freeze)
        return work->evaluation->frozen;
    if (valid)
        work->chosen =
            dpcxr_thresholds_choose(valid, e->evaluate.threshold_rule, e->evaluate.threshold_value);
    return work->chosen;
}

static gboolean judge(Work *work, const DpcxrThresholds *thresholds, GError **error)
{
    DpcxrJudgeOptions options = dpcxr_judge_options(work->evaluation->experiment);

    work->workers = dpcxr_workers_new(work->evaluation->experiment->device.threads, error);
    if (!work->workers)
        return FALSE;
    for (int split = 0; split < DPCXR_N_SPLITS; split++)
        if (work->files[split] && is_wanted(work->evaluation->experiment, split)) {
            work->judged[split] = dpcxr_judge(work->files[split], thresholds, &options, work->workers, error);
            if (!work->judged[split])
                return FALSE;
        }
    return TRUE;
}

static gboolean run(Work *work, double *mean_auroc, GError **error)
{
    const DpcxrEvaluation *evaluation = work->evaluation;
    g_autofree char *path = g_build_filename(evaluation->folder, "results.json", NULL);

    if (!read_files(work, error))
        return FALSE;
    DpcxrResults results = {
        .experiment = evaluation->experiment, .name = evaluation->name, .on = evaluation->on};
    results.thresholds = find_thresholds(work);
    if (!judge(work, results.thresholds, error))
        return FALSE;
    for (int split = 0; split < DPCXR_N_SPLITS; split++) {
        results.splits[split] = work->judged[split];
        results.losses[split] = evaluation->losses[split];
    }
    *mean_auroc = NAN;
    if (work->judged[DPCXR_SPLIT_TEST]) {
        DpcxrSeries mean = dpcxr_judged_mean(work->judged[DPCXR_SPLIT_TEST], 0, DPCXR_METRIC_AUROC);
        *mean_auroc = mean.value;
        dpcxr_series_clear(&mean);
    }
    return dpcxr_results_write(&results, path, error);
}

gboolean dpcxr_evaluation_write(const DpcxrEvaluation *evaluation, double *mean_auroc, GError **error)
{
    Work work = {.evaluation = evaluation};
    gboolean good = run(&work, mean_auroc, error);

    for (int split = 0; split < DPCXR_N_SPLITS; split++) {
        dpcxr_judged_free(work.judged[split]);
        dpcxr_prediction_file_free(work.files[split]);
    }
    dpcxr_thresholds_free(work.chosen);
    dpcxr_workers_free(work.workers);
    return good;
}

gboolean dpcxr_evaluation_check(const DpcxrExperiment *experiment, const DpcxrIndex *index, GError **error)
{
    if (!experiment->stage_evaluate || experiment->evaluate.ci_method != DPCXR_CI_DELONG)
        return TRUE;
    for (int split = 0; split < DPCXR_N_SPLITS; split++) {
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        for (gsize row = 0; row < dpcxr_index_count(index); row++) {
            const char *patient = dpcxr_index_patient(index, row);
            if (!is_wanted(experiment, split) || dpcxr_index_split(index, row) != (DpcxrSplit)split ||
                !*patient || g_hash_table_add(seen, (gpointer)patient))
                continue;
            g_set_error(
                error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "evaluate.ci.method: delong takes images for independent, but a patient of the %s split has "
                "several; use bootstrap, which draws patients",
                dpcxr_split_name(split));
            return FALSE;
        }
    }
    return TRUE;
}
