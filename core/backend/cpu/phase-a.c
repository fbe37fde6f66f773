/* SPDX-License-Identifier: MIT
 * Phase A and evaluation: groups of units (or of rows) handed out to workers, a block of rows at a time through the whole
 * graph. */
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

static CpuRow row_of(const PhaseA *job, CpuWorker *worker, int place, int unit, int index)
{
    CpuProgram *program = job->program;
    gsize image = dpcxr_shape_size(dpcxr_graph_layer(program->base.graph, 0)->shape);
    float *image_gradient = job->result->input_gradient;
    CpuRow row = dpcxr_cpu_row(program, worker, &program->plan.training, place);
    row.image = job->batch->images + (gsize)index * image;
    row.image_gradient = image_gradient ? image_gradient + (gsize)index * image : NULL;
    row.row = index;
    row.unit = unit;
    row.first = index == job->batch->unit_offsets[unit] && job->batch->piece != DPCXR_NEXT_PIECE;
    return row;
}

static gboolean run_block(const PhaseA *job, CpuRow *rows, int n, GError **error)
{
    if (!dpcxr_cpu_rows_forward(rows, n, error))
        return FALSE;
    for (int i = 0; i < n; i++)
        row_loss(job, &rows[i]);
    return dpcxr_cpu_rows_backward(rows, n, error);
}

/* The rows of units @unit .. @end-1, in their order. */
static gboolean run_rows(const PhaseA *job, CpuWorker *worker, int unit, int end, GError **error)
{
    CpuRow rows[CPU_BLOCK];
    const int *offsets = job->batch->unit_offsets;
    int n = 0;
    for (int index = offsets[unit]; index < offsets[end]; index++) {
        while (index >= offsets[unit + 1])
            unit++;
        rows[n] = row_of(job, worker, n, unit, index);
        if (++n < job->program->plan.block && index + 1 < offsets[end])
            continue;
        if (!run_block(job, rows, n, error))
            return FALSE;
        n = 0;
    }
    return TRUE;
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

static void run_group(gpointer data, int group, int thread)
{
    const PhaseA *job = data;
    CpuWorker *worker = &job->program->workers[thread];
    int first = job->program->groups[group], end = job->program->groups[group + 1];
    dpcxr_onednn_enter();
    if (worker->error || !run_rows(job, worker, first, end, &worker->error))
        return;
    if (job->program->base.options.norms && job->batch->piece == DPCXR_WHOLE_UNITS)
        for (int unit = first; unit < end; unit++)
            unit_norms(job, worker, unit);
}

/* Rows of a job: a block, but so that every worker has a few jobs. */
static int rows_of_job(const CpuProgram *program, int rows)
{
    return CLAMP(rows / (2 * program->threads), 1, program->plan.block);
}

/* Neighbouring units together, while their rows fit into a job. Returns how many jobs there are. */
static int group_units(CpuProgram *program, const DpcxrBatch *batch)
{
    int most = rows_of_job(program, batch->rows), n = 0;
    for (int unit = 0; unit < batch->units; unit++)
        if (unit == 0 || batch->unit_offsets[unit + 1] - batch->unit_offsets[program->groups[n - 1]] > most)
            program->groups[n++] = unit;
    program->groups[n] = batch->units;
    return n;
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
           dpcxr_cpu_run(job.program, group_units(job.program, batch), run_group, &job, error) &&
           (batch->piece == DPCXR_WHOLE_UNITS || finish_piece(&job, error));
}

typedef struct {
    CpuProgram *program;
    const float *images;
    float *outputs;
    int rows, rows_of_job;
} Forward;

static void forward_rows(gpointer data, int i, int thread)
{
    const Forward *job = data;
    CpuProgram *program = job->program;
    CpuWorker *worker = &program->workers[thread];
    CpuRow rows[CPU_BLOCK];
    int first = i * job->rows_of_job, n = MIN(job->rows_of_job, job->rows - first),
        output = program->base.graph->output;
    gsize image = dpcxr_shape_size(dpcxr_graph_layer(program->base.graph, 0)->shape),
          outputs = (gsize)program->base.n_outputs;
    dpcxr_onednn_enter();
    for (int k = 0; k < n; k++) {
        rows[k] = dpcxr_cpu_row(program, worker, &program->plan.inference, k);
        rows[k].image = job->images + (gsize)(first + k) * image;
    }
    if (worker->error || !dpcxr_cpu_rows_forward(rows, n, &worker->error))
        return;
    for (int k = 0; k < n; k++)
        dpcxr_cpu_kernels_of(&rows[k], output)
            ->expand(dpcxr_cpu_output(&rows[k], output), job->outputs + (gsize)(first + k) * outputs,
                     outputs);
}

gboolean dpcxr_cpu_forward(DpcxrProgram *base, int rows, const float *images, float *outputs, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    Forward job = {program, images, outputs, rows, rows_of_job(program, rows)};
    return dpcxr_cpu_conv2d_pack(program, error) &&
           dpcxr_cpu_run(program, (rows + job.rows_of_job - 1) / job.rows_of_job, forward_rows, &job, error);
}
