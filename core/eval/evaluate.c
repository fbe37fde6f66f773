/* SPDX-License-Identifier: MIT */
#include "eval/evaluate.h"
#include "backend/ref/ref.h"
#include "data/loader.h"

static GArray *rows_of(const DpcxrIndex *index, DpcxrSplit split)
{
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (gsize row = 0; row < dpcxr_index_count(index); row++)
        if (dpcxr_index_split(index, row) == split)
            g_array_append_val(rows, row);
    return rows;
}

static void request(DpcxrLoader *loader, const GArray *rows)
{
    g_autofree DpcxrDraw *draws = g_new0(DpcxrDraw, rows->len);
    for (guint i = 0; i < rows->len; i++)
        draws[i].row = g_array_index(rows, gsize, i);
    dpcxr_loader_request(loader, draws, rows->len);
}

static void score_losses(DpcxrPredictions *p, const float *pos_weight)
{
    g_autofree float *gradient = g_new(float, p->n_labels);
    for (gsize i = 0; i < p->n; i++) {
        gsize at = i * (gsize)p->n_labels;
        p->losses[i] = dpcxr_ref_bce(p->logits + at, p->targets + at, p->mask + at, pos_weight, p->n_labels, 0, gradient);
    }
}

DpcxrPredictions *dpcxr_evaluate(DpcxrProgram *program, const DpcxrExperiment *experiment, DpcxrData *data,
                                 DpcxrSplit split, GError **error)
{
    g_autoptr(GArray) rows = rows_of(dpcxr_data_index(data), split);
    gsize labels = (gsize)experiment->data.n_labels, at_once = (gsize)program->options.max_rows;
    gsize image = (gsize)experiment->data.size * (gsize)experiment->data.size * (gsize)experiment->data.channels;
    g_autoptr(DpcxrPredictions) p = dpcxr_predictions_new(rows->len, experiment->data.n_labels);
    g_autoptr(DpcxrLoader) loader = dpcxr_loader_new(data, experiment->data.workers, (int)at_once * 2, error);
    if (!loader)
        return NULL;
    g_autofree float *images = g_try_new(float, at_once * image);
    if (!images) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_MEMORY,
                    "not enough memory to score %" G_GSIZE_FORMAT " images at once; use a smaller train.batch.physical",
                    at_once);
        return NULL;
    }
    request(loader, rows);
    for (gsize first = 0; first < rows->len; first += at_once) {
        gsize n = MIN(at_once, rows->len - first);
        g_autofree char *problem = NULL;
        dpcxr_loader_take(loader, n, images, p->targets + first * labels, p->mask + first * labels, NULL, &problem);
        if (problem) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s split: %s; `dpcxr check --data` lists all such files",
                        dpcxr_split_name(split), problem);
            return NULL;
        }
        if (!dpcxr_program_forward(program, (int)n, images, p->logits + first * labels, error))
            return NULL;
    }
    for (gsize i = 0; i < rows->len; i++)
        p->rows[i] = g_array_index(rows, gsize, i);
    score_losses(p, program->options.pos_weight);
    return g_steal_pointer(&p);
}
