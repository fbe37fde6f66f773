/* SPDX-License-Identifier: MIT
 * Banks. Weights and moments lie as PyTorch has them. Sums lie as they are made: direct convolution gradients
 * in oneDNN's layout, Gram ones as [out, tap, in]; they are turned when read, written, or used by an update.
 * A bank that is zeroed is only marked, and the next phase B overwrites it. */
#include "backend/cpu/internal.h"
#include <math.h>
#include <string.h>

static gboolean is_sum(DpcxrBank bank)
{
    return bank == DPCXR_BANK_SUM || bank == DPCXR_BANK_UNIT;
}

gboolean dpcxr_cpu_sums_need(CpuProgram *program, DpcxrBank bank, GError **error)
{
    if (program->sums[bank])
        return TRUE;
    program->sums_clear[bank] = TRUE;
    return dpcxr_cpu_allocate(program, &program->sums[bank], program->plan.bank, sizeof(float), "gradients",
                              error);
}

float *dpcxr_cpu_sums(CpuProgram *program, DpcxrBank bank, GError **error)
{
    if (!dpcxr_cpu_sums_need(program, bank, error))
        return NULL;
    if (program->sums_clear[bank])
        memset(program->sums[bank], 0, program->plan.bank * sizeof(float));
    program->sums_clear[bank] = FALSE;
    return program->sums[bank];
}

gboolean dpcxr_cpu_zero(DpcxrProgram *base, DpcxrBank bank, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    if (bank == DPCXR_BANK_WEIGHT)
        program->packed = FALSE;
    if (!is_sum(bank))
        return dpcxr_banks_zero(&program->banks, bank, error);
    program->sums_clear[bank] = TRUE;
    program->integers_clear = program->integers_clear || bank == DPCXR_BANK_SUM;
    return dpcxr_cpu_sums_need(program, bank, error);
}

void dpcxr_cpu_to_oihw(const CpuWindow *window, const float *sums, int first, int end, float *values)
{
    int taps = window->n_taps, in = window->in.channels;
    for (int o = first; o < end; o++)
        for (int k = 0; k < taps; k++) {
            const float *from = sums + ((gsize)o * taps + k) * in;
            float *to = values + (gsize)(o - first) * in * taps + k;
            for (int c = 0; c < in; c++)
                to[(gsize)c * taps] = from[c];
        }
}

static void from_oihw(const CpuWindow *window, const float *values, float *sums)
{
    int taps = window->n_taps, in = window->in.channels;
    for (int o = 0; o < window->out.channels; o++)
        for (int k = 0; k < taps; k++)
            for (int c = 0; c < in; c++)
                sums[((gsize)o * taps + k) * in + c] = values[((gsize)o * in + c) * taps + k];
}

gboolean dpcxr_cpu_read(DpcxrProgram *base, DpcxrBank bank, int i, float *values, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    const CpuGradient *gradient = &program->plan.gradients[i];
    const CpuWindow *window = program->plan.windows[gradient->step];
    gsize n = dpcxr_graph_parameter(base->graph, i)->size;
    if (!is_sum(bank)) {
        if (!dpcxr_banks_need(&program->banks, bank, error))
            return FALSE;
        memcpy(values, dpcxr_banks_tensor(&program->banks, bank, i), n * sizeof *values);
        return TRUE;
    }
    float *sums = dpcxr_cpu_sums(program, bank, error);
    if (!sums)
        return FALSE;
    sums += gradient->offset;
    if (gradient->method == CPU_GRAM)
        dpcxr_cpu_to_oihw(window, sums, 0, window->out.channels, values);
    else if (dpcxr_cpu_is_packed(program, i))
        return dpcxr_cpu_conv2d_unpack(program, &program->workers[0], gradient->step, sums, values, error);
    else
        memcpy(values, sums, n * sizeof *values);
    return TRUE;
}

gboolean dpcxr_cpu_write(DpcxrProgram *base, DpcxrBank bank, int i, const float *values, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    const CpuGradient *gradient = &program->plan.gradients[i];
    gsize n = dpcxr_graph_parameter(base->graph, i)->size;
    if (!is_sum(bank)) {
        if (!dpcxr_banks_need(&program->banks, bank, error))
            return FALSE;
        memcpy(dpcxr_banks_tensor(&program->banks, bank, i), values, n * sizeof *values);
        program->packed = program->packed && bank != DPCXR_BANK_WEIGHT;
        return TRUE;
    }
    float *sums = dpcxr_cpu_sums(program, bank, error);
    if (!sums)
        return FALSE;
    sums += gradient->offset;
    if (gradient->method == CPU_GRAM)
        from_oihw(program->plan.windows[gradient->step], values, sums);
    else if (dpcxr_cpu_is_packed(program, i))
        return dpcxr_cpu_conv2d_repack(program, &program->workers[0], gradient->step, values, sums, error);
    else
        memcpy(sums, values, n * sizeof *values);
    return TRUE;
}

double dpcxr_cpu_norm2_bound(const CpuKernels *kernels, const float *x, gsize n, double slack)
{
    /* f64 over f32 squares: exact products, at most n roundings of 2^-53. */
    double norm = sqrt(kernels->squares(x, n) * (1 + ((double)n + 8) * 0x1p-52)) * (1 + slack);
    double bound = norm * norm * (1 + 0x1p-50);
    return isfinite(bound) ? bound : INFINITY;
}

typedef struct {
    CpuProgram *program;
    const float *from;
    float *to;
    const float *coefficients;
    double *norms2;
} Parameters;

static void parameter_norm(gpointer data, int i, int thread)
{
    const Parameters *job = data;
    const CpuGradient *gradient = &job->program->plan.gradients[i];
    /* One product with a coefficient and one sum follow. */
    job->norms2[i] =
        dpcxr_cpu_norm2_bound(job->program->kernels, job->from + gradient->offset, gradient->size, 0x1p-22);
}

gboolean dpcxr_cpu_bank_norms(DpcxrProgram *base, DpcxrBank bank, double *norms2, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    g_return_val_if_fail(is_sum(bank), FALSE);
    Parameters job = {.program = program, .from = dpcxr_cpu_sums(program, bank, error), .norms2 = norms2};
    return job.from && dpcxr_cpu_run(program, base->n_parameters, parameter_norm, &job, error);
}

static void parameter_fold(gpointer data, int i, int thread)
{
    const Parameters *job = data;
    const CpuGradient *gradient = &job->program->plan.gradients[i];
    float c = job->coefficients[job->program->base.options.group_of[i]];
    if (c != 0)
        job->program->kernels->axpy(job->to + gradient->offset, c, job->from + gradient->offset,
                                    gradient->size);
}

gboolean dpcxr_cpu_fold(DpcxrProgram *base, const float *coefficients, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    Parameters job = {.program = program, .coefficients = coefficients};
    return (job.from = dpcxr_cpu_sums(program, DPCXR_BANK_UNIT, error)) &&
           (job.to = dpcxr_cpu_sums(program, DPCXR_BANK_SUM, error)) &&
           dpcxr_cpu_run(program, base->n_parameters, parameter_fold, &job, error);
}
