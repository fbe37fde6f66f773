/* SPDX-License-Identifier: MIT
 * The weight gradient of Gram layers: one tap's rows of all units, gathered and scaled, multiplied by
 * OpenBLAS. */
#include "backend/cpu/internal.h"
#include <cblas.h>
#include <string.h>

typedef struct {
    const CpuWindow *window;
    float *dy, *x; /* [CPU_PRODUCT_ROWS, outputs], [CPU_PRODUCT_ROWS, inputs] */
    int rows, outputs;
    float *to;
    int ld;
    gboolean clear;
} Product;

static void flush(Product *p)
{
    int in = p->window->in.channels;
    if (p->rows > 0)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p->outputs, in, p->rows, 1, p->dy, p->outputs,
                    p->x, in, p->clear ? 0 : 1, p->to, p->ld);
    else if (p->clear)
        for (int o = 0; o < p->outputs; o++)
            memset(p->to + (gsize)o * p->ld, 0, (gsize)in * sizeof(float));
    p->clear = FALSE;
    p->rows = 0;
}

/* A position's gradient, scaled, and the pixel under the tap. */
static void gather(Product *p, const float *dy, const float *x, float c)
{
    float *to = p->dy + (gsize)p->rows * p->outputs;
    for (int o = 0; o < p->outputs; o++)
        to[o] = c * dy[o];
    memcpy(p->x + (gsize)p->rows * p->window->in.channels, x, (gsize)p->window->in.channels * sizeof(float));
    if (++p->rows == CPU_PRODUCT_ROWS)
        flush(p);
}

static void gather_row(Product *p, const CpuTap *tap, const float *dy, const float *x, float c)
{
    gsize in = (gsize)p->window->in.channels, out = (gsize)p->window->out.channels;
    for (const CpuRun *run = tap->runs; run < tap->runs + tap->n_runs; run++)
        for (int i = 0; i < run->length; i++)
            gather(p, dy + (gsize)(run->output + i) * out,
                   x + (gsize)(run->pixel + i * p->window->stride) * in, c);
}

void dpcxr_cpu_product(const CpuProgram *program, CpuWorker *worker, int step, int tap, int first, int end,
                       int unit, int units, const float *coefficients, float *weight, gboolean clear)
{
    const CpuWindow *window = program->plan.windows[step];
    const CpuLayout *layout = &program->plan.training;
    const float *x = program->kept + layout->outputs[program->plan.steps[step].x].offset;
    const float *dy = program->kept + layout->gradients[program->plan.steps[step].y].offset + first;
    int in = window->in.channels;
    Product p = {.window = window,
                 .x = worker->gathered,
                 .dy = worker->gathered + (gsize)CPU_PRODUCT_ROWS * in,
                 .outputs = end - first,
                 .to = weight + ((gsize)first * window->n_taps + tap) * in,
                 .ld = window->n_taps * in,
                 .clear = clear};
    for (int u = unit; u < unit + units; u++) {
        float c = coefficients ? coefficients[u] : 1;
        for (int row = program->unit_offsets[u]; c != 0 && row < program->unit_offsets[u + 1]; row++)
            gather_row(&p, &window->taps[tap], dy + (gsize)row * layout->kept, x + (gsize)row * layout->kept,
                       c);
    }
    if (p.rows > 0 || p.clear)
        flush(&p);
}

void dpcxr_cpu_unit_product(const CpuProgram *program, CpuWorker *worker, int step, int tap, int first, int end, int row,
                            int last, float *to, int ld, gboolean clear)
{
    const CpuWindow *window = program->plan.windows[step];
    const CpuLayout *layout = &program->plan.training;
    const float *x = program->kept + layout->outputs[program->plan.steps[step].x].offset;
    const float *dy = program->kept + layout->gradients[program->plan.steps[step].y].offset + first;
    Product p = {.window = window,
                 .x = worker->gathered,
                 .dy = worker->gathered + (gsize)CPU_PRODUCT_ROWS * window->in.channels,
                 .outputs = end - first,
                 .to = to,
                 .ld = ld,
                 .clear = clear};
    for (; row < last; row++) {
        gather_row(&p, &window->taps[tap], dy + (gsize)row * layout->kept, x + (gsize)row * layout->kept, 1);
        flush(&p);
    }
}
