/* SPDX-License-Identifier: MIT
 * The weight gradient of Gram layers: one tap's rows of all units, gathered and scaled, multiplied by oneDNN,
 * in f32 whatever they are kept in. */
#include "backend/cpu/internal.h"
#include <string.h>

typedef struct {
    CpuWorker *worker;
    const CpuWindow *window;
    const CpuKernels *of_dy, *of_x; /* by what they are kept in */
    float *dy, *x;                  /* [CPU_PRODUCT_ROWS, outputs], [CPU_PRODUCT_ROWS, inputs] */
    int rows, outputs;
    float *to;
    int ld;
    gboolean clear;
} Product;

/* x and dy of the first row, and how far apart rows are; all in bytes. */
typedef struct {
    const char *x, *dy;
    gsize row;
} Kept;

static Kept kept_of(const CpuProgram *program, int step)
{
    const CpuLayout *layout = &program->plan.training;
    return (Kept){program->kept + layout->outputs[program->plan.steps[step].x].offset,
                  program->kept + layout->gradients[program->plan.steps[step].y].offset, layout->kept};
}

static Product product_new(const CpuProgram *program, CpuWorker *worker, int step, int outputs)
{
    const CpuPlan *plan = &program->plan;
    return (Product){.worker = worker,
                     .window = plan->windows[step],
                     .of_dy = program->tables[plan->types[plan->steps[step].y]],
                     .of_x = program->tables[plan->types[plan->steps[step].x]],
                     .x = worker->gathered,
                     .dy = worker->gathered + (gsize)CPU_PRODUCT_ROWS * plan->windows[step]->in.channels,
                     .outputs = outputs};
}

static void flush(Product *p)
{
    int in = p->window->in.channels;
    GError **error = &p->worker->error;
    if (p->rows > 0 && !*error)
        dpcxr_onednn_product(p->outputs, in, p->rows, p->dy, p->x, p->to, p->ld, p->clear, error);
    else if (p->clear)
        for (int o = 0; o < p->outputs; o++)
            memset(p->to + (gsize)o * p->ld, 0, (gsize)in * sizeof(float));
    p->clear = FALSE;
    p->rows = 0;
}

/* The gradients of one row's positions from output @first on, scaled, and the pixels under the tap. */
static void gather_row(Product *p, const CpuTap *tap, int first, const char *dy, const char *x, float c)
{
    gsize in = (gsize)p->window->in.channels, out = (gsize)p->window->out.channels;
    gsize outputs = (gsize)p->outputs, stride = (gsize)p->window->stride;
    for (const CpuRun *run = tap->runs; run < tap->runs + tap->n_runs; run++)
        for (gsize i = 0; i < (gsize)run->length; i++) {
            gsize position = (gsize)run->output + i, pixel = (gsize)run->pixel + i * stride;
            p->of_dy->scale(c, dy + (position * out + (gsize)first) * p->of_dy->element,
                            p->dy + (gsize)p->rows * outputs, outputs);
            p->of_x->expand(x + pixel * in * p->of_x->element, p->x + (gsize)p->rows * in, in);
            if (++p->rows == CPU_PRODUCT_ROWS)
                flush(p);
        }
}

void dpcxr_cpu_product(const CpuProgram *program, CpuWorker *worker, int step, int tap, int first, int end,
                       int unit, int units, const float *coefficients, float *weight, gboolean clear)
{
    const CpuWindow *window = program->plan.windows[step];
    Kept kept = kept_of(program, step);
    Product p = product_new(program, worker, step, end - first);
    p.to = weight + ((gsize)first * window->n_taps + tap) * window->in.channels;
    p.ld = window->n_taps * window->in.channels;
    p.clear = clear;
    for (int u = unit; u < unit + units; u++) {
        float c = coefficients ? coefficients[u] : 1;
        for (gsize row = program->unit_offsets[u]; c != 0 && row < (gsize)program->unit_offsets[u + 1]; row++)
            gather_row(&p, &window->taps[tap], first, kept.dy + row * kept.row, kept.x + row * kept.row, c);
    }
    if (p.rows > 0 || p.clear)
        flush(&p);
}

void dpcxr_cpu_unit_product(const CpuProgram *program, CpuWorker *worker, int step, int tap, int first,
                            int end, int row, int last, gboolean clear)
{
    const CpuWindow *window = program->plan.windows[step];
    Kept kept = kept_of(program, step);
    Product p = product_new(program, worker, step, end - first);
    p.to = worker->tile;
    p.ld = window->in.channels;
    p.clear = clear;
    for (gsize r = row; r < (gsize)last; r++) {
        gather_row(&p, &window->taps[tap], first, kept.dy + r * kept.row, kept.x + r * kept.row, 1);
        flush(&p);
    }
}
