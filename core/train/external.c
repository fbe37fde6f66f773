/* SPDX-License-Identifier: MIT */
#include "train/external.h"
#include "base/files.h"
#include "eval/evaluate.h"
#include "eval/evaluation.h"
#include "train/network.h"
#include <math.h>
#include <string.h>

typedef struct {
    const DpcxrExperiment *own, *other;
    const char *root; /* of the run */
    char *folder;     /* of what is written */
    DpcxrData *data;
    DpcxrGraph *graph;
    DpcxrProgram *program;
} External;

static void external_clear(External *x)
{
    dpcxr_program_free(x->program);
    dpcxr_graph_free(x->graph);
    dpcxr_data_free(x->data);
    g_free(x->folder);
}

/* What the network was made for, and what it is to be shown. */
static gboolean check_same(const External *x, GError **error)
{
    const DpcxrExperiment *own = x->own, *other = x->other;
    const char *problem = NULL;

    if (!g_strv_equal((const char *const *)own->data.labels, (const char *const *)other->data.labels))
        problem = "data.labels";
    else if (own->data.size != other->data.size)
        problem = "data.image.size";
    else if (own->data.channels != other->data.channels)
        problem = "data.image.channels";
    else if (own->data.normalise != other->data.normalise)
        problem = "data.image.normalise";
    if (!problem)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "%s of %s is not that of the run %s; the network needs it as it was", problem, other->name,
                x->root);
    return FALSE;
}

/* (transfer full) NULL with an error where the run has no weights. */
static char *find_weights(const External *x, GError **error)
{
    static const char *const folders[] = {"release", "private"};

    for (gsize i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *path = g_build_filename(x->root, folders[i], "model.safetensors", NULL);
        if (g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&path);
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s has no model.safetensors; is the run finished?",
                x->root);
    return NULL;
}

static gboolean open_network(External *x, GError **error)
{
    enum { USUAL_ROWS = 32 };
    const DpcxrExperiment *other = x->other;
    int rows = other->train.physical ? other->train.physical : USUAL_ROWS;
    DpcxrProgramOptions options = {.max_rows = rows,
                                   .max_units = rows,
                                   .threads = other->device.threads,
                                   .device = other->device.name,
                                   .precision = other->device.precision,
                                   .n_groups = 1};
    g_autofree char *weights = find_weights(x, error);

    if (!weights || !(x->graph = dpcxr_network_build(x->own, error)))
        return FALSE;
    const DpcxrBackend *backend = dpcxr_backend_find(other->device.type, &options, error);
    x->program = backend ? dpcxr_program_new(backend, x->graph, &options, error) : NULL;
    return x->program && dpcxr_network_load(x->program, weights, error);
}

static gboolean is_wanted(const External *x, DpcxrSplit split)
{
    return (split == DPCXR_SPLIT_VALID && x->other->evaluate.valid) ||
           (split == DPCXR_SPLIT_TEST && x->other->evaluate.test);
}

static gboolean open_data(External *x, GError **error)
{
    gsize rows = 0;

    x->data = dpcxr_data_open(x->other, error);
    if (!x->data || !dpcxr_evaluation_check(x->other, dpcxr_data_index(x->data), error))
        return FALSE;
    for (int split = 0; split < DPCXR_N_SPLITS; split++)
        rows += is_wanted(x, split) ? dpcxr_index_count_split(dpcxr_data_index(x->data), split) : 0;
    if (rows > 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s has no rows in the splits of its evaluate.splits",
                x->other->name);
    return FALSE;
}

/* A file of an earlier evaluation must not stay where this one has none. */
static gboolean score(External *x, DpcxrSplit split, double *loss, GError **error)
{
    g_autofree char *path = dpcxr_evaluation_predictions_path(x->folder, split);

    *loss = NAN;
    dpcxr_remove_tree(path);
    if (!is_wanted(x, split) || dpcxr_index_count_split(dpcxr_data_index(x->data), split) == 0)
        return TRUE;
    g_autoptr(DpcxrPredictions) predictions = dpcxr_evaluate(x->program, x->other, x->data, split, error);
    if (!predictions)
        return FALSE;
    *loss = dpcxr_predictions_loss(predictions);
    return dpcxr_predictions_write(predictions, path, x->other, x->data, error);
}

static gboolean judge(External *x, const DpcxrThresholds *frozen, GError **error)
{
    DpcxrEvaluation evaluation = {.folder = x->folder,
                                  .experiment = x->other,
                                  .name = x->own->name,
                                  .on = x->other->name,
                                  .freeze = TRUE,
                                  .frozen = frozen};
    double auroc;

    for (int split = 0; split < DPCXR_N_SPLITS; split++)
        if (!score(x, split, &evaluation.losses[split], error))
            return FALSE;
    return dpcxr_evaluation_write(&evaluation, &auroc, error);
}

gboolean dpcxr_external_evaluate(const char *folder, const DpcxrExperiment *own, const DpcxrExperiment *other,
                                 const DpcxrThresholds *frozen, char **out, GError **error)
{
    External x = {own, other, folder, g_build_filename(folder, "private", "eval", other->name, NULL)};
    gboolean good = check_same(&x, error) && open_data(&x, error) && open_network(&x, error) &&
                    dpcxr_make_folder(x.folder, 0700, error) && judge(&x, frozen, error);

    *out = good ? g_steal_pointer(&x.folder) : NULL;
    external_clear(&x);
    return good;
}
