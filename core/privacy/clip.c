/* SPDX-License-Identifier: MIT
 * Clipping coefficients. The inequality c^2 n2 <= C^2 is decided exactly, with the rounding errors of both
 * products, so that the bound holds for the numbers the backend gets, not only for the ones on paper. */
#include "privacy/clip.h"
#include <math.h>

/* Where an adaptive norm stops: as far as a clip norm of a configuration may go. */
#define ADAPTIVE_MIN 1e-12
#define ADAPTIVE_MAX 1e9

/* a * b as an unevaluated sum: high = round(a * b), low = the rest, exact while nothing underflows. */
typedef struct {
    double high, low;
} Product;

static Product product(double a, double b)
{
    double high = a * b;
    return (Product){high, fma(a, b, -high)};
}

/* c * sqrt(n2) <= C, exactly: a float's square is exact in double. */
static gboolean fits(float c, double n2, double clip_norm)
{
    Product left = product((double)c * c, n2), right = product(clip_norm, clip_norm);
    return left.high < right.high || (left.high == right.high && left.low <= right.low);
}

/* The largest float not above @wanted that fits. */
static float largest_fitting(double wanted, double n2, double norm)
{
    float c = (float)MIN(wanted, G_MAXFLOAT);
    while (!fits(c, n2, norm) || c > wanted)
        c = nextafterf(c, 0);
    return c;
}

/* min(1, norm / sqrt(n2)). The double quotient is off by 2^-52 of itself, half a step of a float is 2^-25: what is
 * rounded from it is the largest float that fits, or the next one. */
static float clipped(double n2, double norm)
{
    if (fits(1, n2, norm))
        return 1;
    float c = (float)MIN(1, norm / sqrt(n2));
    while (!fits(c, n2, norm))
        c = nextafterf(c, 0);
    return c;
}

static float coefficient(const DpcxrClip *clip, double n2, double norm)
{
    switch (clip->type) {
    case DPCXR_CLIP_AUTOMATIC:
        return largest_fitting(norm / (sqrt(n2) + clip->stability), n2, norm);
    case DPCXR_CLIP_NORMALISE:
        return n2 > 0 ? largest_fitting(norm / sqrt(n2) * (1 + 0x1p-50), n2, norm) : 0;
    default:
        return clipped(n2, norm);
    }
}

/* The unit's squared norm over the parameters of a group, an upper bound of the exact sum. NaN or infinite where any
 * term is NaN, infinite, or negative: a squared norm that is negative is a broken bound, not a small
 * gradient. */
static double sum_up(const DpcxrClip *clip, const double *norms2, int units, int unit, int group)
{
    double sum = 0;
    for (int p = 0; p < clip->parameters; p++) {
        if (clip->group_of[p] != group)
            continue;
        double term = norms2[(gsize)p * (gsize)units + (gsize)unit];
        if (!(term >= 0))
            return NAN;
        double next = sum + term, part = next - sum;
        double lost = (sum - (next - part)) + (term - part); /* Knuth's two-sum: exact */
        sum = lost > 0 ? nextafter(next, INFINITY) : next;
    }
    return sum;
}

/* FALSE, and all coefficients 0, where any norm of the unit is not finite: such a unit is left out whole. */
static gboolean clip_unit(const DpcxrClip *clip, const double *norms2, int units, int unit, float *coefficients)
{
    double norm = clip->norm / sqrt(clip->n_groups) * (clip->n_groups > 1 ? 1 - 0x1p-50 : 1);
    gboolean usable = TRUE;
    for (int g = 0; g < clip->n_groups; g++) {
        double n2 = sum_up(clip, norms2, units, unit, g);
        usable = usable && isfinite(n2);
        coefficients[(gsize)g * (gsize)units + (gsize)unit] = usable ? coefficient(clip, n2, norm) : 0;
    }
    for (int g = 0; g < clip->n_groups && !usable; g++)
        coefficients[(gsize)g * (gsize)units + (gsize)unit] = 0;
    return usable;
}

int dpcxr_clip(const DpcxrClip *clip, const double *norms2, int units, float *coefficients)
{
    if (!(clip->norm >= DPCXR_CLIP_NORM_MIN && clip->norm <= DPCXR_CLIP_NORM_MAX))
        g_error("clipping: norm %g", clip->norm);
    if (clip->type == DPCXR_CLIP_AUTOMATIC && !(clip->stability > 0))
        g_error("clipping: stability %g", clip->stability);
    int skipped = 0;
    for (int u = 0; u < units; u++)
        skipped += !clip_unit(clip, norms2, units, u, coefficients);
    return skipped;
}

int *dpcxr_clip_groups(const DpcxrGraph *graph, DpcxrClipType type, int *n_groups)
{
    int n = dpcxr_graph_n_parameters(graph), layer = -1;
    int *group_of = g_new0(int, n);
    *n_groups = 1;
    if (type != DPCXR_CLIP_PER_LAYER)
        return group_of;
    *n_groups = 0;
    for (int i = 0; i < n; i++) {
        if (dpcxr_graph_parameter(graph, i)->layer != layer)
            (*n_groups)++;
        layer = dpcxr_graph_parameter(graph, i)->layer;
        group_of[i] = *n_groups - 1;
    }
    return group_of;
}

const char *dpcxr_clip_name(DpcxrClipType type)
{
    static const char *const names[DPCXR_N_CLIP_TYPES] = {"flat", "per_layer", "automatic", "normalise",
                                                          "adaptive"};
    return names[type];
}

double dpcxr_clip_gradient_noise(double joint, double count_noise)
{
    double rest = 1 / (joint * joint) - 1 / (4 * count_noise * count_noise);
    return rest > 0 ? 1 / sqrt(rest) * (1 + 0x1p-40) : INFINITY;
}

double dpcxr_clip_adapt(double norm, double noisy_sum, double divisor, double quantile, double rate)
{
    double share = noisy_sum / divisor + 0.5;
    return CLAMP(norm * exp(-rate * (share - quantile)), ADAPTIVE_MIN, ADAPTIVE_MAX);
}
