/* SPDX-License-Identifier: MIT
 * Phase A and evaluation: units (or rows) handed out to workers, each through the whole graph. */
#include "backend/cpu/internal.h"
#include "backend/ref/ref.h"
#include <math.h>
#include <string.h>

typedef struct {
    CpuProgram *program;
    const DpcxrBatch *batch;
    DpcxrBatchResult *result;
} PhaseA;

/* The loss is a few numbers a row; the reference's f64 is the one that everybody uses. */
static void row_loss(const PhaseA *job, CpuRow *row)
{
    const DpcxrProgram *base = &job->program->base;
    const CpuKernels *kernels = dpcxr_cpu_kernels_of(row, base->graph->output);
    gsize n = (gsize)base->n_outputs, at = (gsize)row->row * n;
    float *logits = job->result->logits + at, *gradient = row->worker->output_gradient;
    const float *given = job->batch->output_gradient;
    kernels->expand(dpcxr_cpu_output(row, base->graph->output), logits, n);
    if (given)
        job->result->losses[row->row] = 0;
    else
        job->result->losses[row->row] =
            dpcxr_ref_bce(logits, job->batch->targets + at, job->batch->mask + at, base->options.pos_weight,
                          base->n_outputs, job->batch->row_weights[row->row], gradient);
    kernels->narrow(given ? given + at : gradient, dpcxr_cpu_gradient(row, base->graph->output), n);
}

static gboolean run_row(const PhaseA *job, CpuWorker *worker, int unit, int index, GError **error)
{
    CpuProgram *program = job->program;
    gsize image = dpcxr_shape_size(dpcxr_graph_layer(program->base.graph, 0)->shape);
    float *image_gradient = job->result->input_gradient;
    CpuRow row = {.program = program,
                  .worker = worker,
                  .layout = &program->plan.training,
                  .image = job->batch->images + (gsize)index * image,
                  .image_gradient = image_gradient ? image_gradient + (gsize)index * image : NULL,
                  .row = index,
                  .unit = unit,
                  .first = index == job->batch->unit_offsets[unit] && job->batch->piece != DPCXR_NEXT_PIECE};
    if (!dpcxr_cpu_row_forward(&row, error))
        return FALSE;
    row_loss(job, &row);
    return dpcxr_cpu_row_backward(&row, error);
}

/* On a grid nothing may depend on the batch: a unit's norm is that of the gradient as it will be formed, or, where one image
 * has no partner to be summed with, an upper bound of it from Gram matrices. */
static double gram_norm2(const PhaseA *job, CpuWorker *worker, int i, int unit)
{
    CpuProgram *program = job->program;
    int first = job->batch->unit_offsets[unit], end = job->batch->unit_offsets[unit + 1];
    if (job->batch->piece != DPCXR_WHOLE_UNITS)
        return dpcxr_cpu_grid_piece_norm2(program, i);
    if (program->base.options.grid && end - first > 1)
        return dpcxr_cpu_grid_norm2(program, worker, i, first, end);
    return dpcxr_cpu_gram_norm2(program, worker, program->plan.gradients[i].step, unit);
}

static double slot_norm2(const PhaseA *job, int i, int unit)
{
    const CpuProgram *program = job->program;
    const CpuGradient *gradient = &program->plan.gradients[i];
    const float *slot = program->slots + (gsize)unit * program->plan.slot + gradient->offset;
    double slack = program->base.options.grid ? 0 : (program->base.options.max_units + 3) * 0x1p-24;
    return dpcxr_cpu_norm2_bound(program->kernels, slot, gradient->size, slack);
}

/* One value that is not finite makes all norms of the unit so: whatever the clipping groups, it is left out
 * whole. */
static void unit_norms(const PhaseA *job, CpuWorker *worker, int unit)
{
    CpuProgram *program = job->program;
    const CpuPlan *plan = &program->plan;
    int units = job->batch->units, n = program->base.n_parameters;
    gboolean finite = TRUE;
    if (n == 0)
        return;
    double *norms2 = job->result->norms2 + unit;
    for (int i = 0; i < n; i++) {
        double bound = plan->gradients[i].method == CPU_GRAM ? gram_norm2(job, worker, i, unit)
                                                             : slot_norm2(job, i, unit);
        norms2[(gsize)i * units] = bound;
        finite = finite && isfinite(bound);
    }
    for (int i = 0; !finite && i < n; i++)
        norms2[(gsize)i * units] = INFINITY;
}

static void run_unit(gpointer data, int unit, int thread)
{
    const PhaseA *job = data;
    CpuWorker *worker = &job->program->workers[thread];
    dpcxr_onednn_enter();
    for (int row = job->batch->unit_offsets[unit]; row < job->batch->unit_offsets[unit + 1]; row++)
        if (worker->error || !run_row(job, worker, unit, row, &worker->error))
            return;
    if (job->program->base.options.norms && job->batch->piece == DPCXR_WHOLE_UNITS)
        unit_norms(job, worker, unit);
}

/* A piece's gradients are added up by all workers, and only then measured. */
static gboolean finish_piece(const PhaseA *job, GError **error)
{
    if (!dpcxr_cpu_grid_add_piece(job->program, error))
        return FALSE;
    unit_norms(job, &job->program->workers[0], 0);
    return TRUE;
}

gboolean dpcxr_cpu_phase_a(DpcxrProgram *base, const DpcxrBatch *batch, DpcxrBatchResult *result,
                           GError **error)
{
    PhaseA job = {(CpuProgram *)base, batch, result};
    memcpy(job.program->unit_offsets, batch->unit_offsets, ((gsize)batch->units + 1) * sizeof(int));
    return dpcxr_cpu_conv2d_pack(job.program, error) &&
           dpcxr_cpu_run(job.program, batch->units, run_unit, &job, error) &&
           (batch->piece == DPCXR_WHOLE_UNITS || finish_piece(&job, error));
}

typedef struct {
    CpuProgram *program;
    const float *images;
    float *outputs;
} Forward;

static void forward_row(gpointer data, int index, int thread)
{
    const Forward *job = data;
    CpuProgram *program = job->program;
    CpuWorker *worker = &program->workers[thread];
    gsize n = (gsize)program->base.n_outputs;
    CpuRow row = {.program = program,
                  .worker = worker,
                  .layout = &program->plan.inference,
                  .image = job->images +
                           (gsize)index * dpcxr_shape_size(dpcxr_graph_layer(program->base.graph, 0)->shape)};
    dpcxr_onednn_enter();
    if (worker->error || !dpcxr_cpu_row_forward(&row, &worker->error))
        return;
    dpcxr_cpu_kernels_of(&row, program->base.graph->output)
        ->expand(dpcxr_cpu_output(&row, program->base.graph->output), job->outputs + (gsize)index * n, n);
}

gboolean dpcxr_cpu_forward(DpcxrProgram *base, int rows, const float *images, float *outputs, GError **error)
{
    Forward job = {(CpuProgram *)base, images, outputs};
    return dpcxr_cpu_conv2d_pack(job.program, error) &&
           dpcxr_cpu_run(job.program, rows, forward_row, &job, error);
}
