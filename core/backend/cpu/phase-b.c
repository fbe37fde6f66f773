/* SPDX-License-Identifier: MIT
 * Phase B: the weighted sum over units, split into jobs by parameter, tap and range of output channels or elements. Each
 * element is summed by one job in the order of units, so the result does not depend on who did what. */
#include "backend/cpu/internal.h"
#include <string.h>

/* One job's part of a parameter. */
enum { ELEMENTS = 16384, OUTPUTS = 256, TILE = 2048 };

typedef struct {
    CpuProgram *program;
    const float *coefficients;
    float *sums;
    gboolean clear;
} PhaseB;

/* Jobs of parameter @i. */
static int parts(const CpuPlan *plan, int i)
{
    const CpuGradient *gradient = &plan->gradients[i];
    if (gradient->method == CPU_DIRECT)
        return (int)((gradient->size + ELEMENTS - 1) / ELEMENTS);
    const CpuWindow *window = plan->windows[gradient->step];
    return window->n_taps * ((window->out.channels + OUTPUTS - 1) / OUTPUTS);
}

static void sum_slots(const PhaseB *job, const CpuGradient *gradient, const float *coefficients, int part)
{
    const CpuProgram *program = job->program;
    gsize end = MIN(gradient->size, ((gsize)part + 1) * ELEMENTS);
    for (gsize from = (gsize)part * ELEMENTS; from < end; from += TILE) {
        float *to = job->sums + gradient->offset + from;
        gsize n = MIN(TILE, end - from);
        if (job->clear)
            memset(to, 0, n * sizeof *to);
        for (int unit = 0; unit < program->base.units; unit++)
            if (coefficients[unit] != 0)
                program->kernels->axpy(to, coefficients[unit],
                                       program->slots + (gsize)unit * program->plan.slot + gradient->offset + from, n);
    }
}

static void sum_products(const PhaseB *job, const CpuGradient *gradient, const float *coefficients, int part,
                         CpuWorker *worker)
{
    const CpuWindow *window = job->program->plan.windows[gradient->step];
    int first = part / window->n_taps * OUTPUTS, end = MIN(first + OUTPUTS, window->out.channels);
    dpcxr_cpu_product(job->program, worker, gradient->step, part % window->n_taps, first, end, 0,
                      job->program->base.units, coefficients, job->sums + gradient->offset, job->clear);
}

/* Parameters from last to first: late layers have the large products, and those should not be left for the end. */
static void run_part(gpointer data, int part, int thread)
{
    const PhaseB *job = data;
    const CpuPlan *plan = &job->program->plan;
    int i = job->program->base.n_parameters - 1;
    for (; part >= parts(plan, i); i--)
        part -= parts(plan, i);
    const float *coefficients =
        job->coefficients + (gsize)job->program->base.options.group_of[i] * job->program->base.units;
    if (plan->gradients[i].method == CPU_DIRECT)
        sum_slots(job, &plan->gradients[i], coefficients, part);
    else
        sum_products(job, &plan->gradients[i], coefficients, part, &job->program->workers[thread]);
}

gboolean dpcxr_cpu_phase_b(DpcxrProgram *base, DpcxrBank bank, const float *coefficients, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    if (!dpcxr_cpu_sums_need(program, bank, error))
        return FALSE;
    PhaseB job = {program, coefficients, program->sums[bank], program->sums_clear[bank]};
    int n = 0;
    for (int i = 0; i < base->n_parameters; i++)
        n += parts(&program->plan, i);
    program->sums_clear[bank] = FALSE;
    return dpcxr_cpu_run(program, n, run_part, &job, error);
}
