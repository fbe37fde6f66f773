/* SPDX-License-Identifier: MIT
 * The seam's outer side: arguments are checked here once, so that backends stay thin, and what a backend needs to know
 * about the last phase A is remembered. */
#include "backend/program.h"
#include "backend/check.h"
#include <math.h>
#include <string.h>

static void own_options(DpcxrProgramOptions *options, int outputs, int parameters)
{
    if (options->pos_weight)
        options->pos_weight = g_memdup2(options->pos_weight, (gsize)outputs * sizeof(float));
    int *groups = g_new0(int, MAX(parameters, 1));
    if (options->group_of)
        memcpy(groups, options->group_of, (gsize)parameters * sizeof(int));
    options->group_of = groups;
    options->n_groups = MAX(options->n_groups, 1);
}

DpcxrProgram *dpcxr_program_new(const DpcxrBackend *backend, const DpcxrGraph *graph,
                                const DpcxrProgramOptions *options, GError **error)
{
    g_return_val_if_fail(graph->output >= 0, NULL);
    g_return_val_if_fail(options->max_rows >= 1 && options->max_units >= 1, NULL);
    g_return_val_if_fail(!options->grid || (options->training && options->norms), NULL);
    DpcxrProgramOptions own = *options;
    own_options(&own, (int)dpcxr_shape_size(dpcxr_graph_layer(graph, graph->output)->shape),
                dpcxr_graph_n_parameters(graph));
    DpcxrProgram *program = backend->compile(graph, &own, error);
    if (!program) {
        g_free((gpointer)own.pos_weight);
        g_free((gpointer)own.group_of);
        return NULL;
    }
    program->backend = backend;
    program->options.device = program->options.tuning = NULL; /* the caller's, and chosen by now */
    if (own.training && !dpcxr_program_check(program, error)) {
        dpcxr_program_free(program);
        return NULL;
    }
    return program;
}

void dpcxr_program_free(DpcxrProgram *program)
{
    if (!program)
        return;
    gpointer pos_weight = (gpointer)program->options.pos_weight, group_of = (gpointer)program->options.group_of;
    program->class->free(program);
    g_free(pos_weight);
    g_free(group_of);
}

void dpcxr_program_set_pos_weight(DpcxrProgram *program, const float *pos_weight)
{
    g_free((gpointer)program->options.pos_weight);
    program->options.pos_weight = g_memdup2(pos_weight, (gsize)program->n_outputs * sizeof(float));
}

gboolean dpcxr_program_write(DpcxrProgram *program, DpcxrBank bank, int parameter, const float *values, GError **error)
{
    g_return_val_if_fail(parameter >= 0 && parameter < program->n_parameters, FALSE);
    return program->class->write(program, bank, parameter, values, error);
}

gboolean dpcxr_program_read(DpcxrProgram *program, DpcxrBank bank, int parameter, float *values, GError **error)
{
    g_return_val_if_fail(parameter >= 0 && parameter < program->n_parameters, FALSE);
    return program->class->read(program, bank, parameter, values, error);
}

gboolean dpcxr_program_zero(DpcxrProgram *program, DpcxrBank bank, GError **error)
{
    return program->class->zero(program, bank, error);
}

gboolean dpcxr_program_forward(DpcxrProgram *program, int rows, const float *images, float *outputs, GError **error)
{
    g_return_val_if_fail(rows >= 0, FALSE);
    return rows == 0 || program->class->forward(program, rows, images, outputs, error);
}

static gboolean batch_is_sound(const DpcxrProgram *program, const DpcxrBatch *batch)
{
    if (batch->rows < 0 || batch->rows > program->options.max_rows || batch->units < 0 ||
        batch->units > program->options.max_units)
        return FALSE;
    if (batch->piece != DPCXR_WHOLE_UNITS && !(program->options.grid && batch->units == 1))
        return FALSE;
    if (batch->unit_offsets[0] != 0 || batch->unit_offsets[batch->units] != batch->rows)
        return FALSE;
    for (int u = 0; u < batch->units; u++)
        if (batch->unit_offsets[u + 1] <= batch->unit_offsets[u])
            return FALSE;
    return TRUE;
}

gboolean dpcxr_program_phase_a(DpcxrProgram *program, const DpcxrBatch *batch, DpcxrBatchResult *result, GError **error)
{
    if (!program->options.training || !batch_is_sound(program, batch))
        g_error("dpcxr_program_phase_a: %d rows in %d units do not fit this program", batch->rows, batch->units);
    program->rows = batch->rows;
    program->units = batch->units;
    program->piece = batch->piece;
    return batch->rows == 0 || program->class->phase_a(program, batch, result, error);
}

/* What adds floats has no place in a program that adds integers, and the other way round. */
static void need_grid(const DpcxrProgram *program, gboolean grid, const char *what)
{
    if (program->options.grid != grid)
        g_error("dpcxr_program_%s: the program %s", what, grid ? "has no grid" : "adds up on a grid");
}

static void check_coefficients(const float *coefficients, int n, const char *what)
{
    for (int i = 0; i < n; i++)
        if (!(coefficients[i] >= 0 && isfinite(coefficients[i])))
            g_error("dpcxr_program_%s: coefficient %d is %g", what, i, (double)coefficients[i]);
}

gboolean dpcxr_program_phase_b(DpcxrProgram *program, DpcxrBank bank, const float *coefficients, GError **error)
{
    g_return_val_if_fail(bank == DPCXR_BANK_SUM || bank == DPCXR_BANK_UNIT, FALSE);
    need_grid(program, FALSE, "phase_b");
    check_coefficients(coefficients, program->options.n_groups * program->units, "phase_b");
    return program->units == 0 || program->class->phase_b(program, bank, coefficients, error);
}

gboolean dpcxr_program_bank_norms(DpcxrProgram *program, DpcxrBank bank, double *norms2, GError **error)
{
    return program->class->bank_norms(program, bank, norms2, error);
}

gboolean dpcxr_program_fold(DpcxrProgram *program, const float *coefficients, GError **error)
{
    need_grid(program, FALSE, "fold");
    check_coefficients(coefficients, program->options.n_groups, "fold");
    return program->class->fold(program, coefficients, error);
}

gboolean dpcxr_program_phase_b_grid(DpcxrProgram *program, const float *coefficients, double scale, double limit,
                                    gboolean *dropped, GError **error)
{
    need_grid(program, TRUE, "phase_b_grid");
    check_coefficients(coefficients, program->options.n_groups * program->units, "phase_b_grid");
    if (!(scale > 0 && isfinite(scale) && limit >= 0))
        g_error("dpcxr_program_phase_b_grid: scale %g, limit %g", scale, limit);
    return program->units == 0 ||
           program->class->phase_b_grid(program, coefficients, scale, limit, dropped, error);
}

gboolean dpcxr_program_read_grid(DpcxrProgram *program, int parameter, gint64 *values, GError **error)
{
    need_grid(program, TRUE, "read_grid");
    g_return_val_if_fail(parameter >= 0 && parameter < program->n_parameters, FALSE);
    return program->class->read_grid(program, parameter, values, error);
}

gboolean dpcxr_program_settle(DpcxrProgram *program, int parameter, const gint64 *noise, double spacing, GError **error)
{
    need_grid(program, TRUE, "settle");
    g_return_val_if_fail(parameter >= 0 && parameter < program->n_parameters, FALSE);
    return program->class->settle(program, parameter, noise, spacing, error);
}

gboolean dpcxr_program_update(DpcxrProgram *program, const DpcxrUpdate *update, GError **error)
{
    g_return_val_if_fail(update->scale > 0, FALSE);
    return program->class->update(program, update, error);
}

gsize dpcxr_program_memory(const DpcxrProgram *program)
{
    return program->class->memory(program);
}

const char *dpcxr_program_device(const DpcxrProgram *program)
{
    return program->class->device ? program->class->device(program) : NULL;
}
