/* SPDX-License-Identifier: MIT
 * The optimizer step: noise, scale and rule in one pass over the weights, split over workers. Nothing is
 * written before all of the noised sum is known to be finite. */
#include "backend/cpu/internal.h"
#include "backend/ref/ref.h"
#include <string.h>

enum { ELEMENTS = 65536 };

typedef struct {
    CpuProgram *program;
    const DpcxrUpdate *update;
    float *sums;
    gint immoderate; /* atomic: some values are so large, or not finite, that sums must be looked at one by
                        one */
    gint not_finite; /* atomic: a parameter whose noised sum is not, plus 1 */
} Update;

/* Jobs of parameter @i: some output channels of a Gram convolution, else some elements. */
static int step_of(const CpuProgram *program, int i)
{
    const CpuGradient *gradient = &program->plan.gradients[i];
    if (gradient->method == CPU_DIRECT)
        return ELEMENTS;
    const CpuWindow *window = program->plan.windows[gradient->step];
    int per_output = window->n_taps * window->in.channels;
    return MAX(ELEMENTS / per_output, 1) * per_output;
}

static int parts(const CpuProgram *program, int i)
{
    gsize step = (gsize)step_of(program, i);
    return (int)((dpcxr_graph_parameter(program->base.graph, i)->size + step - 1) / step);
}

/* A part of a parameter: elements from .. from + n - 1, and their sum in PyTorch's order. */
typedef struct {
    int i;
    gsize from, n;
    const float *sum;
} Part;

static Part part_of(const Update *job, int part, CpuWorker *worker)
{
    const CpuProgram *program = job->program;
    int i = 0;
    for (; part >= parts(program, i); i++)
        part -= parts(program, i);
    const CpuGradient *gradient = &program->plan.gradients[i];
    gsize size = dpcxr_graph_parameter(program->base.graph, i)->size, step = (gsize)step_of(program, i);
    Part p = {.i = i, .from = (gsize)part * step};
    p.n = MIN(step, size - p.from);
    const CpuWindow *window = program->plan.windows[gradient->step];
    if (dpcxr_cpu_is_packed(program, i)) {
        p.sum = program->unpacked + gradient->offset + p.from;
    } else if (gradient->method == CPU_GRAM && window->n_taps > 1) {
        int per_output = window->n_taps * window->in.channels, first = (int)(p.from / (gsize)per_output);
        dpcxr_cpu_to_oihw(window, job->sums + gradient->offset, first, first + (int)(p.n / (gsize)per_output),
                          worker->turned);
        p.sum = worker->turned;
    } else {
        p.sum = job->sums + gradient->offset + p.from;
    }
    return p;
}

static void unpack_parameter(gpointer data, int i, int thread)
{
    const Update *job = data;
    CpuProgram *program = job->program;
    CpuWorker *worker = &program->workers[thread];
    const CpuGradient *gradient = &program->plan.gradients[i];
    dpcxr_onednn_enter();
    if (dpcxr_cpu_is_packed(program, i) && !worker->error)
        dpcxr_cpu_conv2d_unpack(program, worker, gradient->step, job->sums + gradient->offset,
                                program->unpacked + gradient->offset, &worker->error);
}

/* Summands of moderate size have finite sums, whatever their order: that is cheap to see, and nearly always
 * enough. */
static void check_moderate(gpointer data, int i, int thread)
{
    Update *job = data;
    const CpuProgram *program = job->program;
    const CpuGradient *gradient = &program->plan.gradients[i];
    const float *noise = job->update->noise ? job->update->noise[i] : NULL;
    if (!program->kernels->moderate(job->sums + gradient->offset, gradient->size) ||
        (noise && !program->kernels->moderate(noise, dpcxr_graph_parameter(program->base.graph, i)->size)))
        g_atomic_int_set(&job->immoderate, TRUE);
}

static void check_part(gpointer data, int part, int thread)
{
    Update *job = data;
    Part p = part_of(job, part, &job->program->workers[thread]);
    if (!dpcxr_ref_noised_finite(p.n, p.sum, job->update->noise ? job->update->noise[p.i] + p.from : NULL))
        g_atomic_int_set(&job->not_finite, p.i + 1);
}

static void update_part(gpointer data, int part, int thread)
{
    const Update *job = data;
    CpuProgram *program = job->program;
    Part p = part_of(job, part, &program->workers[thread]);
    float *m = dpcxr_banks_tensor(&program->banks, DPCXR_BANK_MOMENT1, p.i);
    float *v = dpcxr_banks_tensor(&program->banks, DPCXR_BANK_MOMENT2, p.i);
    float *weight = dpcxr_banks_tensor(&program->banks, DPCXR_BANK_WEIGHT, p.i) + p.from;
    program->kernels->update(job->update, p.n, p.sum,
                             job->update->noise ? job->update->noise[p.i] + p.from : NULL, weight,
                             m ? m + p.from : NULL, v ? v + p.from : NULL);
    if (job->update->average_rate != 0)
        dpcxr_ref_average(job->update->average_rate, p.n, weight,
                          dpcxr_banks_tensor(&program->banks, DPCXR_BANK_AVERAGE, p.i) + p.from);
}

gboolean dpcxr_cpu_update(DpcxrProgram *base, const DpcxrUpdate *update, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    Update job = {program, update, dpcxr_cpu_sums(program, DPCXR_BANK_SUM, error), 0, 0};
    int n = 0;
    for (int i = 0; i < base->n_parameters; i++)
        n += parts(program, i);
    if (!job.sums || !dpcxr_banks_need_for(&program->banks, update, error) ||
        !dpcxr_cpu_run(program, base->n_parameters, unpack_parameter, &job, error) ||
        !dpcxr_cpu_run(program, base->n_parameters, check_moderate, &job, error) ||
        (job.immoderate && !dpcxr_cpu_run(program, n, check_part, &job, error)))
        return FALSE;
    if (job.not_finite) {
        dpcxr_banks_fail_not_finite(base->graph, job.not_finite - 1, error);
        return FALSE;
    }
    program->packed = FALSE;
    return dpcxr_cpu_run(program, n, update_part, &job, error);
}
