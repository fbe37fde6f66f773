/* SPDX-License-Identifier: MIT
 * Phase B on a grid. A unit's gradient is formed part by part, rounded toward zero and added to integers, and the squares of
 * what was added are kept for each part. Where they turn out to be more than the limit, the same parts are formed again and
 * subtracted: floats and integers are the same both times, so nothing of the unit is left. A unit's own floats never meet
 * another's, and its rows are summed one by one in their order, whether it comes whole or in pieces. */
#include "backend/grid.h"
#include "backend/cpu/internal.h"
#include <math.h>
#include <string.h>

enum { ELEMENTS = 16384 };

/* --- Parts: some elements of a direct gradient; one tap and some outputs of a Gram one --- */

static int parts(const CpuPlan *plan, int i)
{
    const CpuGradient *gradient = &plan->gradients[i];
    if (gradient->method == CPU_DIRECT)
        return (int)((gradient->size + ELEMENTS - 1) / ELEMENTS);
    const CpuWindow *window = plan->windows[gradient->step];
    return window->n_taps * ((window->out.channels + CPU_GRID_OUTPUTS - 1) / CPU_GRID_OUTPUTS);
}

typedef struct {
    int tap, first, end; /* outputs first .. end-1 */
} GramPart;

static GramPart gram_part(const CpuWindow *window, int part)
{
    int first = part / window->n_taps * CPU_GRID_OUTPUTS;
    return (GramPart){part % window->n_taps, first, MIN(first + CPU_GRID_OUTPUTS, window->out.channels)};
}

/* Where a part begins in a gradient stored as [out, tap, in], and how far apart its outputs are. */
static gsize part_offset(const CpuWindow *window, GramPart part)
{
    return ((gsize)part.first * window->n_taps + part.tap) * window->in.channels;
}

static int part_stride(const CpuWindow *window)
{
    return window->n_taps * window->in.channels;
}

static int all_parts(const CpuProgram *program)
{
    int n = 0;
    for (int i = 0; i < program->base.n_parameters; i++)
        n += parts(&program->plan, i);
    return n;
}

/* The parameter of job @job, and the part of it; the last parameters come first, as in phase-b.c. */
static int parameter_of(const CpuProgram *program, int job, int *part)
{
    int i = program->base.n_parameters - 1;
    for (; job >= parts(&program->plan, i); i--)
        job -= parts(&program->plan, i);
    *part = job;
    return i;
}

/* --- Memory --- */

/* places[element in PyTorch's layout] = element in oneDNN's, found by sending the numbers of the elements through the
 * reorder, 12 bits at a time: floats hold those exactly. */
static gboolean find_places(CpuProgram *program, int i, GError **error)
{
    gsize n = dpcxr_graph_parameter(program->base.graph, i)->size, packed = program->plan.gradients[i].size;
    guint32 *places = program->places[i] = g_new0(guint32, n);
    g_autofree float *values = g_new(float, n);
    float *numbers = program->workers[0].spare;
    for (int shift = 0; shift < 36 && packed >> shift; shift += 12) {
        for (gsize k = 0; k < packed; k++)
            numbers[k] = (float)(k >> shift & 0xfff);
        if (!dpcxr_cpu_conv2d_unpack(program, &program->workers[0], program->plan.gradients[i].step, numbers,
                                     values, error))
            return FALSE;
        for (gsize k = 0; k < n; k++)
            places[k] |= (guint32)values[k] << shift;
    }
    program->bytes += n * sizeof *places;
    return TRUE;
}

gboolean dpcxr_cpu_grid_allocate(CpuProgram *program, GError **error)
{
    program->integers_clear = TRUE;
    program->places = g_new0(guint32 *, MAX(program->base.n_parameters, 1));
    dpcxr_onednn_enter();
    for (int i = 0; i < program->base.n_parameters; i++)
        if (dpcxr_cpu_is_packed(program, i) && !find_places(program, i, error))
            return FALSE;
    return dpcxr_cpu_allocate(program, &program->integers, program->plan.bank, sizeof *program->integers,
                              "gradients", error) &&
           dpcxr_cpu_allocate(program, &program->squares,
                              (gsize)all_parts(program) * (gsize)program->base.options.max_units,
                              sizeof *program->squares, "norms", error);
}

void dpcxr_cpu_grid_free(CpuProgram *program)
{
    for (int i = 0; program->places && i < program->base.n_parameters; i++)
        g_free(program->places[i]);
    g_free(program->places);
    free(program->integers);
    free(program->squares);
}

/* --- Norms and pieces --- */

static double formed_norm2(const CpuProgram *program, int parameter, const float *gradient)
{
    return dpcxr_cpu_norm2_bound(program->kernels, gradient, program->plan.gradients[parameter].size, 0);
}

/* The worker's tile from or to where the part lies in a gradient stored as [out, tap, in]. */
static void copy_part(const CpuWindow *window, GramPart part, float *tile, float *gradient, gboolean to_tile)
{
    gsize in = (gsize)window->in.channels, stride = (gsize)part_stride(window);
    float *there = gradient + part_offset(window, part);
    for (gsize o = 0; o < (gsize)(part.end - part.first); o++)
        memcpy(to_tile ? tile + o * in : there + o * stride, to_tile ? there + o * stride : tile + o * in,
               in * sizeof *tile);
}

double dpcxr_cpu_grid_norm2(CpuProgram *program, CpuWorker *worker, int parameter, int row, int last)
{
    int step = program->plan.gradients[parameter].step;
    const CpuWindow *window = program->plan.windows[step];
    for (int k = 0; k < parts(&program->plan, parameter); k++) {
        GramPart part = gram_part(window, k);
        dpcxr_cpu_unit_product(program, worker, step, part.tap, part.first, part.end, row, last, TRUE);
        copy_part(window, part, worker->tile, worker->outright, FALSE);
    }
    return formed_norm2(program, parameter, worker->outright);
}

double dpcxr_cpu_grid_piece_norm2(CpuProgram *program, int parameter)
{
    return formed_norm2(program, parameter,
                        program->sums[DPCXR_BANK_UNIT] + program->plan.gradients[parameter].offset);
}

static void add_part(gpointer data, int job, int thread)
{
    CpuProgram *program = data;
    int k, i = parameter_of(program, job, &k);
    const CpuGradient *gradient = &program->plan.gradients[i];
    const CpuWindow *window = program->plan.windows[gradient->step];
    if (gradient->method == CPU_DIRECT) /* the unit's slot has the sum */
        return;
    GramPart part = gram_part(window, k);
    CpuWorker *worker = &program->workers[thread];
    float *unit = program->sums[DPCXR_BANK_UNIT] + gradient->offset;
    gboolean first = program->base.piece == DPCXR_FIRST_PIECE;
    if (!first)
        copy_part(window, part, worker->tile, unit, TRUE);
    dpcxr_cpu_unit_product(program, worker, gradient->step, part.tap, part.first, part.end, 0,
                           program->unit_offsets[1], first);
    copy_part(window, part, worker->tile, unit, FALSE);
}

gboolean dpcxr_cpu_grid_add_piece(CpuProgram *program, GError **error)
{
    return dpcxr_cpu_sums_need(program, DPCXR_BANK_UNIT, error) &&
           dpcxr_cpu_run(program, all_parts(program), add_part, program, error);
}

/* --- Phase B --- */

typedef struct {
    CpuProgram *program;
    const float *coefficients;
    double scale;
    const gboolean *undo; /* nullable: [units] subtract those and leave the others alone */
    gboolean clear;
} PhaseB;

static double coefficient_of(const PhaseB *job, int parameter, int unit)
{
    const DpcxrProgram *base = &job->program->base;
    if (job->undo && !job->undo[unit])
        return 0;
    return job->coefficients[(gsize)base->options.group_of[parameter] * base->units + unit];
}

static void direct_part(const PhaseB *job, int parameter, int part, double *squares)
{
    const CpuProgram *program = job->program;
    const CpuGradient *gradient = &program->plan.gradients[parameter];
    gsize from = (gsize)part * ELEMENTS, n = MIN(gradient->size - from, ELEMENTS);
    gint64 *to = program->integers + gradient->offset + from;
    if (job->clear)
        memset(to, 0, n * sizeof *to);
    for (int unit = 0; unit < program->base.units; unit++) {
        double c = coefficient_of(job, parameter, unit);
        const float *slot = program->slots + (gsize)unit * program->plan.slot + gradient->offset + from;
        squares[unit] = c != 0 ? program->kernels->grid(to, c * job->scale, slot, n, job->undo != NULL) : 0;
    }
}

/* A part of one unit's Gram gradient: formed, or, where the unit came in pieces, there already. */
static const float *unit_part(const PhaseB *job, CpuWorker *worker, int parameter, GramPart part, int unit,
                              gsize *stride)
{
    CpuProgram *program = job->program;
    const CpuGradient *gradient = &program->plan.gradients[parameter];
    const CpuWindow *window = program->plan.windows[gradient->step];
    if (program->base.piece != DPCXR_WHOLE_UNITS) {
        *stride = (gsize)part_stride(window);
        return program->sums[DPCXR_BANK_UNIT] + gradient->offset + part_offset(window, part);
    }
    *stride = (gsize)window->in.channels;
    dpcxr_cpu_unit_product(program, worker, gradient->step, part.tap, part.first, part.end,
                           program->unit_offsets[unit], program->unit_offsets[unit + 1], TRUE);
    return worker->tile;
}

static void gram_part_of_units(const PhaseB *job, CpuWorker *worker, int parameter, int k, double *squares)
{
    CpuProgram *program = job->program;
    const CpuGradient *gradient = &program->plan.gradients[parameter];
    const CpuWindow *window = program->plan.windows[gradient->step];
    gsize in = (gsize)window->in.channels, stride = (gsize)part_stride(window);
    GramPart part = gram_part(window, k);
    int outputs = part.end - part.first;
    gint64 *to = program->integers + gradient->offset + part_offset(window, part);
    for (int o = 0; job->clear && o < outputs; o++)
        memset(to + (gsize)o * stride, 0, in * sizeof *to);
    for (int unit = 0; unit < program->base.units; unit++) {
        double c = coefficient_of(job, parameter, unit);
        squares[unit] = 0;
        if (c == 0)
            continue;
        gsize apart;
        const float *values = unit_part(job, worker, parameter, part, unit, &apart);
        for (int o = 0; o < outputs; o++)
            squares[unit] += program->kernels->grid(to + (gsize)o * stride, c * job->scale,
                                                    values + (gsize)o * apart, in, job->undo != NULL);
    }
}

static void run_part(gpointer data, int index, int thread)
{
    const PhaseB *job = data;
    CpuProgram *program = job->program;
    int part, parameter = parameter_of(program, index, &part);
    double *squares = program->squares + (gsize)index * (gsize)program->base.options.max_units;
    if (program->plan.gradients[parameter].method == CPU_DIRECT)
        direct_part(job, parameter, part, squares);
    else
        gram_part_of_units(job, &program->workers[thread], parameter, part, squares);
}

/* What did not stay within the limit, or had a value that is none; its squares are infinite then. */
static gboolean find_dropped(const CpuProgram *program, int jobs, double limit, gboolean *dropped)
{
    gboolean any = FALSE;
    for (int unit = 0; unit < program->base.units; unit++) {
        double sum = 0;
        for (int job = 0; job < jobs; job++)
            sum += program->squares[(gsize)job * (gsize)program->base.options.max_units + unit];
        dropped[unit] = !(dpcxr_grid_bound(sum, program->plan.bank + (gsize)jobs) <= limit);
        any = any || dropped[unit];
    }
    return any;
}

gboolean dpcxr_cpu_phase_b_grid(DpcxrProgram *base, const float *coefficients, double scale, double limit,
                                gboolean *dropped, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    PhaseB job = {program, coefficients, scale, NULL, program->integers_clear};
    int jobs = all_parts(program);
    program->integers_clear = FALSE;
    if (!dpcxr_cpu_run(program, jobs, run_part, &job, error))
        return FALSE;
    if (!find_dropped(program, jobs, limit, dropped))
        return TRUE;
    PhaseB undo = {program, coefficients, scale, dropped, FALSE};
    return dpcxr_cpu_run(program, jobs, run_part, &undo, error);
}

/* --- Out of the grid --- */

static void need_integers(CpuProgram *program)
{
    if (program->integers_clear)
        memset(program->integers, 0, program->plan.bank * sizeof *program->integers);
    program->integers_clear = FALSE;
}

typedef struct {
    CpuProgram *program;
    int parameter;
    const gint64 *noise; /* nullable */
    gint64 *values;      /* nullable: read instead */
    double spacing;
    float *sums;
} Settle;

/* @at: element as PyTorch has it; @place: as the banks have it. */
static inline void settle_element(const Settle *job, gsize at, gsize place)
{
    gint64 integer = job->program->integers[place];
    if (job->values)
        job->values[at] = integer;
    else
        job->sums[place] = dpcxr_grid_settled(integer, job->noise ? job->noise[at] : 0, job->spacing);
}

/* Output @o of a Gram convolution: from [tap, in] to PyTorch's [in, tap]. */
static void settle_output(gpointer data, int o, int thread)
{
    const Settle *job = data;
    const CpuGradient *gradient = &job->program->plan.gradients[job->parameter];
    const CpuWindow *window = job->program->plan.windows[gradient->step];
    gsize taps = (gsize)window->n_taps, in = (gsize)window->in.channels, from = (gsize)o * taps * in;
    for (gsize c = 0; c < in; c++)
        for (gsize k = 0; k < taps; k++)
            settle_element(job, from + c * taps + k, gradient->offset + from + k * in + c);
}

static void settle_elements(gpointer data, int part, int thread)
{
    const Settle *job = data;
    const CpuProgram *program = job->program;
    gsize offset = program->plan.gradients[job->parameter].offset;
    gsize size = dpcxr_graph_parameter(program->base.graph, job->parameter)->size;
    const guint32 *places = program->places[job->parameter];
    for (gsize at = (gsize)part * ELEMENTS; at < MIN(size, ((gsize)part + 1) * ELEMENTS); at++)
        settle_element(job, at, offset + (places ? places[at] : at));
}

static gboolean run_settle(Settle *job, GError **error)
{
    CpuProgram *program = job->program;
    const CpuGradient *gradient = &program->plan.gradients[job->parameter];
    gsize size = dpcxr_graph_parameter(program->base.graph, job->parameter)->size;
    need_integers(program);
    if (gradient->method == CPU_GRAM)
        return dpcxr_cpu_run(program, program->plan.windows[gradient->step]->out.channels, settle_output, job,
                             error);
    return dpcxr_cpu_run(program, (int)((size + ELEMENTS - 1) / ELEMENTS), settle_elements, job, error);
}

gboolean dpcxr_cpu_read_grid(DpcxrProgram *base, int i, gint64 *values, GError **error)
{
    Settle job = {.program = (CpuProgram *)base, .parameter = i, .values = values};
    return run_settle(&job, error);
}

gboolean dpcxr_cpu_settle(DpcxrProgram *base, int i, const gint64 *noise, double spacing, GError **error)
{
    CpuProgram *program = (CpuProgram *)base;
    Settle job = {.program = program, .parameter = i, .noise = noise, .spacing = spacing};
    return (job.sums = dpcxr_cpu_sums(program, DPCXR_BANK_SUM, error)) && run_settle(&job, error);
}
