/* SPDX-License-Identifier: MIT
 * Norms of unit gradients as upper bounds, from what the device has summed.
 *
 * The device adds and multiplies in f32, each operation correctly rounded in a direction that Vulkan leaves open,
 * so by at most u = 2^-23 of the result; results below 2^-126 may become 0. Sums over chunks, tiles and images are
 * f64, on the host.
 *
 * SLOTS. A chunk's sum of squares has at most `each` + log2(tree) + 1 roundings, all of the same sign: it is short
 * by less than that times u, and by 2^-126 for each square that vanished. In phase B each element is multiplied by
 * the coefficient and added, with at most `units` further roundings of sums that it is part of: (units + 2) u of
 * the norm. Further batches of the step round the sum again, which VULKAN_LATER allows for.
 *
 * GRAM, as in core/backend/cpu/gram.c: with S = sum over positions of |x_t| |dy_t| and K terms in a dot product (of
 * which gemm.glsl adds at most 64 + taps + K / 16 + 16 in a row), n2 errs by at most g u S^2, where g counts both
 * products, their own product and the sum over an invocation's elements; phase B adds at most
 * (rows * positions + 4 + VULKAN_LATER) u S. Where the first term is above 1 % of n2, and for units of many images, the
 * gradient is formed and measured. */
#include "backend/vulkan/internal.h"
#include <math.h>
#include <string.h>

static const double u = 0x1p-23 * 1.01; /* with room for terms of second order */

static double or_infinite(double bound)
{
    return isfinite(bound) ? bound : INFINITY;
}

double dpcxr_vulkan_norm2_bound(const VulkanPlan *plan, const float *chunks, int n, gsize size, double slack)
{
    const VulkanTuning *tuning = plan->tuning;
    double sum = (double)size * 0x1p-126, roundings = tuning->each + log2(tuning->tree) + 2;
    for (int i = 0; i < n; i++)
        sum += chunks[i];
    return or_infinite(sum * (1 + roundings * u) * (1 + slack) * (1 + slack) * (1 + 0x1p-40));
}

static double slot_slack(const VulkanProgram *program)
{
    /* On a grid nothing is rounded but toward zero, and the units' integers are measured again. */
    return program->base.options.grid ? 0 : (program->base.options.max_units + 2 + VULKAN_LATER) * u;
}

/* --- Gram --- */

typedef struct {
    double n2;               /* computed */
    double s, sum_x, sum_dy; /* sums over positions of |x_t| |dy_t|, |x_t|, |dy_t| */
    gboolean measured;       /* FALSE: too many images for pairs */
} GramSums;

static void add_lengths(const VulkanProgram *program, const VulkanGradient *gradient, int first, int last,
                        GramSums *sums)
{
    DpcxrShape out = dpcxr_graph_layer(program->plan.graph, program->plan.steps[gradient->step].layer)->shape;
    gsize positions = (gsize)out.height * (gsize)out.width;
    const float *lengths = (const float *)program->read.lengths.mapped + 2 * gradient->lengths_at;
    double terms = MAX((double)gradient->taps * gradient->in, gradient->out), room = 1 + (terms + 4) * u;
    double vanished = sqrt(terms) * 0x1p-62; /* squares that became 0 */
    for (gsize t = (gsize)first * positions; t < (gsize)last * positions; t++) {
        double x = lengths[2 * t] * room + vanished, dy = lengths[2 * t + 1] * room + vanished;
        sums->s += x * dy;
        sums->sum_x += x;
        sums->sum_dy += dy;
    }
}

static double pair_sum(const VulkanProgram *program, const VulkanGradient *gradient, int pair)
{
    gsize n = (gsize)gradient->gram_tiles * (gsize)dpcxr_vulkan_tile_size(&program->plan.tuning->gram);
    const float *parts = (const float *)program->read.grams.mapped + gradient->gram_at + (gsize)pair * n;
    double sum = 0;
    for (gsize i = 0; i < n; i++)
        sum += parts[i];
    return sum;
}

/* @pair: the first of the unit's; moved on. */
static GramSums sum_unit(const VulkanProgram *program, const VulkanGradient *gradient, int unit, int *pair)
{
    int first = program->unit_offsets[unit], last = program->unit_offsets[unit + 1];
    GramSums sums = {.measured = last - first <= VULKAN_PAIR_ROWS};
    add_lengths(program, gradient, first, last, &sums);
    for (int i = first; sums.measured && i < last; i++)
        for (int j = first; j <= i; j++)
            sums.n2 += (i == j ? 1 : 2) * pair_sum(program, gradient, (*pair)++);
    return sums;
}

static double gram_error(const VulkanProgram *program, const VulkanGradient *gradient, const GramSums *sums)
{
    const VulkanTile *tile = &program->plan.tuning->gram;
    double x_terms = (double)gradient->taps * gradient->in, dy_terms = gradient->out;
    double elements = (double)dpcxr_vulkan_tile_rows(tile) * tile->n;
    double g = (64 + gradient->taps + x_terms / 16 + 16) + (64 + dy_terms / 16 + 16) + elements + 2;
    double vanished =
        (x_terms + dy_terms) * 0x1p-100 * (1 + sums->sum_x + sums->sum_dy) * (1 + sums->sum_x + sums->sum_dy);
    return g * u * sums->s * sums->s + vanished;
}

static double product_error(const VulkanProgram *program, const VulkanGradient *gradient,
                            const GramSums *sums)
{
    DpcxrShape out = dpcxr_graph_layer(program->plan.graph, program->plan.steps[gradient->step].layer)->shape;
    double products = (double)program->base.options.max_rows * out.height * out.width;
    return (products + 4 + VULKAN_LATER) * u * sums->s;
}

static gboolean record_outright(VulkanProgram *program, VulkanRecording *recording, int i, GError **error)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    dpcxr_vulkan_record_copy(recording, program->single_host, program->single);
    if (!dpcxr_vulkan_record_outright(program, recording, gradient->step, error) ||
        !dpcxr_vulkan_record_squares(program, recording, dpcxr_vulkan_whole(program->scratch), i,
                                     program->results.chunks, gradient->chunks_at, error))
        return FALSE;
    dpcxr_vulkan_record_copy(recording, program->results.chunks, program->read.chunks);
    return TRUE;
}

/* The norm of the unit's gradient, formed. */
static gboolean outright_norm2(VulkanProgram *program, int i, int unit, double *norm2, GError **error)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    struct Batch *single = program->single_host.mapped;
    if (!dpcxr_vulkan_need(program, &program->outright[i], "a unit outright", record_outright, i, error))
        return FALSE;
    *single = (struct Batch){
        .rows = program->base.rows, .units = 1, .unit_offsets = sizeof *single / sizeof(gint32)};
    memcpy(single + 1, program->unit_offsets + unit, 2 * sizeof(gint32));
    dpcxr_vulkan_recording_fit(program->outright[i], single);
    if (!dpcxr_vulkan_run(program, program->outright[i], error))
        return FALSE;
    *norm2 =
        dpcxr_vulkan_norm2_bound(&program->plan, (float *)program->read.chunks.mapped + gradient->chunks_at,
                                 gradient->chunks, gradient->size, 0);
    return TRUE;
}

/* Whatever is not finite in x or dy makes the lengths so. */
static gboolean gram_norm2(VulkanProgram *program, int i, int unit, int *pair, double *norm2, GError **error)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    GramSums sums = sum_unit(program, gradient, unit, pair);
    *norm2 = INFINITY;
    if (!isfinite(sums.s) || !isfinite(sums.sum_x) || !isfinite(sums.sum_dy))
        return TRUE;
    const double nothing =
        1e-20; /* a unit without known labels has no gradient: its bound need not be tight */
    double e1 = gram_error(program, gradient, &sums), e2 = product_error(program, gradient, &sums), norm;
    if (sums.measured && e1 <= MAX(0.01 * sums.n2, nothing)) { /* false for a NaN */
        norm = sqrt(MAX(sums.n2, 0) + e1);
    } else {
        double formed;
        if (!outright_norm2(program, i, unit, &formed, error))
            return FALSE;
        norm = sqrt(formed) + e2;
    }
    norm += e2;
    *norm2 = or_infinite(norm * norm * (1 + 1e-9));
    return TRUE;
}

/* --- All --- */

static void slot_norms(const VulkanProgram *program, int i, double *norms2)
{
    const VulkanGradient *gradient = &program->plan.gradients[i];
    const float *squares = (const float *)program->read.squares.mapped + gradient->squares_at;
    for (int unit = 0; unit < program->base.units; unit++)
        norms2[unit] =
            dpcxr_vulkan_norm2_bound(&program->plan, squares + (gsize)unit * (gsize)gradient->chunks,
                                     gradient->chunks, gradient->size, slot_slack(program));
}

/* What is not finite in one gradient of a unit spoils all of them: the unit is left out. */
static void spread_infinity(int n, int units, double *norms2)
{
    for (int unit = 0; unit < units; unit++) {
        gboolean finite = TRUE;
        for (int i = 0; i < n; i++)
            finite = finite && isfinite(norms2[(gsize)i * (gsize)units + (gsize)unit]);
        for (int i = 0; !finite && i < n; i++)
            norms2[(gsize)i * (gsize)units + (gsize)unit] = INFINITY;
    }
}

gboolean dpcxr_vulkan_norms(VulkanProgram *program, double *norms2, GError **error)
{
    int units = program->base.units;
    for (int i = 0; i < program->base.n_parameters; i++) {
        double *of_units = norms2 + (gsize)i * (gsize)units;
        if (program->plan.gradients[i].method == VULKAN_SLOTS) {
            slot_norms(program, i, of_units);
            continue;
        }
        int pair = 0;
        for (int unit = 0; unit < units; unit++)
            if (!gram_norm2(program, i, unit, &pair, &of_units[unit], error))
                return FALSE;
    }
    double scale = dpcxr_vulkan_loss_scale(program);
    for (int i = 0; i < program->base.n_parameters * units; i++)
        norms2[i] /= scale * scale;
    spread_infinity(program->base.n_parameters, units, norms2);
    return TRUE;
}
