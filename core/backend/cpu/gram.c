/* SPDX-License-Identifier: MIT
 * Norms of unit gradients that are never formed. With rows x_t (the inputs under the window at position t, of
 * all images of the unit) and dy_t, the gradient is sum_t dy_t x_t^T and its squared norm sum_ts (x_t .
 * x_s)(dy_t . dy_s): two Gram matrices, multiplied element by element (Goodfellow 2015; Rochette et al. 2019
 * for convolutions). x_t . x_s is a sum over taps of products of pixels, so the pixels' Gram matrix, shifted,
 * gives it without unfolding x.
 *
 * The result is an upper bound. With u = 2^-24, S = sum_t |x_t| |dy_t| and |n2| the computed value,
 *   - a dot product of length k errs by at most (k / lanes + log2(lanes) + 1) u |a| |b|, the sum over taps by
 * taps u |x_t| |x_s| (Cauchy-Schwarz over taps), so n2 errs by at most e1 = g u S^2 with g the sum of these
 * over x and dy; what underflows on the way is at most k 2^-126 for each dot product;
 *   - phase B sums up to CPU_PRODUCT_ROWS products of rows in f32 and then those partial sums, so what it
 * adds for this unit is within e2 = (rows + partial sums + 3) u S of c times the gradient, relative to c. The
 * bound is (sqrt(n2 + e1) + e2)^2. Cancellation makes S^2 large against n2 (x = 1000 + small, dy with zero
 * column sums); where e1 is above 1 % of n2, or n2 is not positive, the gradient itself is formed and
 * measured. */
#include "backend/cpu/internal.h"
#include <math.h>
#include <string.h>

static const double u = 0x1p-24 * 1.01; /* with room for terms of second order */

typedef struct {
    const CpuProgram *program;
    CpuWorker *worker;
    const CpuWindow *window;
    int step, first, end;      /* rows of the unit */
    double s, sum_x, sum_dy;   /* sums over t of |x_t| |dy_t|, |x_t|, |dy_t| */
    const float *x[2], *dy[2]; /* of the one or two rows at hand */
    int held[2];               /* which they are; -1: none */
} Unit;

/* Tensors kept in bf16 are copied to f32: exact, and little work beside products of all with all. */
static const float *f32_tensor(const Unit *unit, CpuTensor tensor, int row, float *copy)
{
    const void *kept = unit->program->kept + (gsize)row * unit->program->plan.training.kept + tensor.offset;
    if (tensor.type == CPU_F32)
        return kept;
    unit->program->tables[tensor.type]->expand(kept, copy, tensor.size);
    return copy;
}

/* Makes @row the one at @place. */
static void hold(Unit *unit, int place, int row)
{
    const CpuPlan *plan = &unit->program->plan;
    if (unit->held[place] == row)
        return;
    CpuTensor x = plan->training.outputs[plan->steps[unit->step].x];
    CpuTensor dy = plan->training.gradients[plan->steps[unit->step].y];
    float *copy = unit->worker->wide + (gsize)place * (x.size + dy.size);
    unit->x[place] = f32_tensor(unit, x, row, copy);
    unit->dy[place] = f32_tensor(unit, dy, row, copy + x.size);
    unit->held[place] = row;
}

/* Floats of scratch: the Gram matrix of a class, of unfolded x, of dy; doubles: norms of pixels and of
 * positions. */
gsize dpcxr_cpu_gram_scratch(const CpuWindow *window)
{
    gsize members = (gsize)window->max_members, positions = (gsize)window->positions;
    gsize pixels = (gsize)window->in.height * (gsize)window->in.width;
    return MAX(members * members + 2 * positions * positions, 2 * (pixels + positions)) + 32;
}

gsize dpcxr_cpu_gram_wide(const CpuWindow *window)
{
    return 2 * (dpcxr_shape_size(window->in) + dpcxr_shape_size(window->out));
}

/* Adds one row's part of the sums over t. Whatever is not finite in x or dy makes s so. */
static void measure_row(Unit *unit, int row)
{
    const CpuWindow *window = unit->window;
    const CpuKernels *kernels = unit->program->kernels;
    gsize in = (gsize)window->in.channels, out = (gsize)window->out.channels;
    int pixels = window->in.height * window->in.width;
    hold(unit, 0, row);
    double *pixel = (double *)unit->worker->gram, *position = pixel + pixels;
    for (int p = 0; p < pixels; p++)
        pixel[p] = kernels->squares(unit->x[0] + (gsize)p * in, in);
    memset(position, 0, (gsize)window->positions * sizeof *position);
    for (const CpuTap *tap = window->taps; tap < window->taps + window->n_taps; tap++)
        for (const CpuRun *run = tap->runs; run < tap->runs + tap->n_runs; run++)
            for (int i = 0; i < run->length; i++)
                position[run->output + i] += pixel[run->pixel + i * window->stride];
    for (int t = 0; t < window->positions; t++) {
        double x = sqrt(position[t]), dy = sqrt(kernels->squares(unit->dy[0] + (gsize)t * out, out));
        unit->s += x * dy;
        unit->sum_x += x;
        unit->sum_dy += dy;
    }
}

/* g[t, s] = dot products of unfolded x between the row at place 0 and that at @b, which may be the same. */
static void unfolded_gram(const Unit *unit, int b, float *of_members, float *g)
{
    const CpuWindow *window = unit->window;
    const CpuKernels *kernels = unit->program->kernels;
    gsize in = (gsize)window->in.channels, positions = (gsize)window->positions;
    const float **left = unit->worker->pointers, **right = left + window->max_members;
    memset(g, 0, positions * positions * sizeof *g);
    for (int k = 0; k < window->n_residues; k++) {
        const CpuResidue *residue = &window->residues[k];
        if (!residue->n)
            continue;
        for (int i = 0; i < residue->n; i++) {
            left[i] = unit->x[0] + (gsize)residue->pixels[i] * in;
            right[i] = unit->x[b] + (gsize)residue->pixels[i] * in;
        }
        kernels->gram(left, residue->n, right, residue->n, in, b == 0, of_members, (gsize)residue->n);
        for (const CpuTap *tap = window->taps; tap < window->taps + window->n_taps; tap++)
            if (tap->residue == k)
                kernels->add_shifted(tap->runs, tap->n_runs, of_members, (gsize)residue->n, g, positions);
    }
}

static void gradient_gram(const Unit *unit, int b, float *g)
{
    const CpuWindow *window = unit->window;
    gsize out = (gsize)window->out.channels, positions = (gsize)window->positions;
    const float **left = unit->worker->pointers, **right = left + positions;
    for (gsize t = 0; t < positions; t++) {
        left[t] = unit->dy[0] + t * out;
        right[t] = unit->dy[b] + t * out;
    }
    unit->program->kernels->gram(left, (int)positions, right, (int)positions, out, b == 0, g, positions);
}

static double pair_product(const Unit *unit, int b)
{
    gsize members = (gsize)unit->window->max_members, positions = (gsize)unit->window->positions;
    float *of_members = unit->worker->gram, *of_x = of_members + members * members;
    float *of_dy = of_x + positions * positions;
    unfolded_gram(unit, b, of_members, of_x);
    gradient_gram(unit, b, of_dy);
    return unit->program->kernels->dot(of_x, of_dy, positions * positions);
}

static double gram_norm2(Unit *unit)
{
    double sum = 0;
    for (int a = unit->first; a < unit->end; a++) {
        hold(unit, 0, a);
        sum += pair_product(unit, 0);
        for (int b = a + 1; b < unit->end; b++) {
            hold(unit, 1, b);
            sum += 2 * pair_product(unit, 1);
        }
    }
    return sum;
}

static double dot_error(const CpuKernels *kernels, int length)
{
    return (double)(length / kernels->lanes) + 1 + log2(kernels->lanes) + 1;
}

/* e1 */
static double gram_error(const Unit *unit)
{
    const CpuWindow *window = unit->window;
    const CpuKernels *kernels = unit->program->kernels;
    double g =
        dot_error(kernels, window->in.channels) + dot_error(kernels, window->out.channels) + window->n_taps;
    double underflow = window->n_taps * window->in.channels * unit->sum_dy * unit->sum_dy +
                       window->out.channels * unit->sum_x * unit->sum_x;
    return g * u * unit->s * unit->s + underflow * 0x1p-126;
}

/* e2 of a product over @rows images */
static double product_error(const Unit *unit, int rows)
{
    double products = (double)rows * unit->window->positions;
    return (MIN(products, CPU_PRODUCT_ROWS) + ceil(products / CPU_PRODUCT_ROWS) + 3) * u * unit->s;
}

/* The gradient is formed where Gram matrices would cost more: units of many images. */
static gboolean gram_costs_more(const Unit *unit)
{
    const CpuWindow *window = unit->window;
    double rows = unit->end - unit->first, pairs = rows * (rows + 1) / 2, members = 0;
    for (int k = 0; k < window->n_residues; k++)
        members += (double)window->residues[k].n * window->residues[k].n;
    double positions = window->positions;
    return pairs * (members * window->in.channels + positions * positions * window->out.channels) >
           rows * dpcxr_cpu_window_products(window);
}

static double outright_norm(const Unit *unit, int number)
{
    const CpuWindow *window = unit->window;
    gsize size = (gsize)window->n_taps * (gsize)window->in.channels * (gsize)window->out.channels;
    for (int tap = 0; tap < window->n_taps; tap++)
        dpcxr_cpu_product(unit->program, unit->worker, unit->step, tap, 0, window->out.channels, number, 1,
                          NULL, unit->worker->outright, TRUE);
    return sqrt(unit->program->kernels->squares(unit->worker->outright, size)) +
           product_error(unit, unit->end - unit->first);
}

double dpcxr_cpu_gram_norm2(CpuProgram *program, CpuWorker *worker, int step, int number)
{
    Unit unit = {.program = program,
                 .worker = worker,
                 .window = program->plan.windows[step],
                 .step = step,
                 .first = program->unit_offsets[number],
                 .end = program->unit_offsets[number + 1],
                 .held = {-1, -1}};
    for (int row = unit.first; row < unit.end; row++)
        measure_row(&unit, row);
    if (!isfinite(unit.s) || !isfinite(unit.sum_x) || !isfinite(unit.sum_dy))
        return INFINITY;
    double norm = -1;
    if (!gram_costs_more(&unit)) {
        double n2 = gram_norm2(&unit), e1 = gram_error(&unit);
        if (e1 <= 0.01 * n2) /* false for a NaN */
            norm = sqrt(n2 + e1);
    }
    if (norm < 0)
        norm = outright_norm(&unit, number);
    /* On a grid a unit's product is its own; else it is one with those of all rows. */
    norm += product_error(&unit, program->base.options.grid ? unit.end - unit.first
                                                            : program->base.options.max_rows);
    double bound = norm * norm * (1 + 1e-9);
    return isfinite(bound) ? bound : INFINITY;
}
