/* SPDX-License-Identifier: MIT
 * The window that a product needs, the product, and by how much it may be off. */
#include "privacy/loss/compose.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define UNIT_ROUNDOFF (DBL_EPSILON / 2)

/* Chernoff bounds for windows: log of the moment generating function, in units of the lattice, at 2^k /
 * 2^SHIFT. */
enum { N_MOMENTS = 26, MOMENT_SHIFT = 23, N_BUCKETS = 2048 };

typedef struct {
    double log_moment[2][2][N_MOMENTS]; /* [bound][0: upper tail, 1: lower tail] */
} Moments;

static const Moments *moments_get(DpcxrLossLattice *lattice)
{
    if (lattice->moments)
        return lattice->moments;
    Moments *moments = lattice->moments = g_new(Moments, 1);
    gsize width = lattice->n / N_BUCKETS + 1, n = (lattice->n + width - 1) / width;
    g_autofree double *bucket = g_new(double, n);
    for (int bound = 0; bound < 2; bound++) {
        memset(bucket, 0, n * sizeof *bucket);
        for (gsize i = 0; i < lattice->n; i++)
            bucket[i / width] += lattice->values[bound][i];
        double start = (double)lattice->first, end = start + (double)(n * width);
        for (int k = 0; k < N_MOMENTS; k++) {
            double s = ldexp(1, k - MOMENT_SHIFT), up = 0, down = 0, ratio = exp(-s * (double)width);
            /* scaled by what the moment would be with all mass at the far end */
            for (gsize b = 0; b < n; b++) {
                up = up * ratio + bucket[b];
                down = down * ratio + bucket[n - 1 - b];
            }
            moments->log_moment[bound][0][k] = up > 1e-280 ? log(up * (1 + 1e-11)) + s * end : INFINITY;
            moments->log_moment[bound][1][k] = down > 1e-280 ? log(down * (1 + 1e-11)) - s * start : INFINITY;
        }
    }
    return moments;
}

/* The window outside of which at most e^log_tail is left of either bound, on either side. */
static void find_window(const DpcxrLossFactor *factors, gsize n_factors, double log_tail, double *low,
                        double *high)
{
    g_autofree const Moments **moments = g_new(const Moments *, n_factors);
    for (gsize j = 0; j < n_factors; j++)
        moments[j] = moments_get(factors[j].lattice);
    *low = INFINITY;
    *high = -INFINITY;
    for (int bound = 0; bound < 2; bound++) {
        double up = INFINITY, down = INFINITY;
        for (int k = 0; k < N_MOMENTS; k++) {
            double s = ldexp(1, k - MOMENT_SHIFT), log_up = -log_tail, log_down = -log_tail;
            for (gsize j = 0; j < n_factors; j++) {
                double power = (double)factors[j].power;
                log_up += power * moments[j]->log_moment[bound][0][k];
                log_down += power * moments[j]->log_moment[bound][1][k];
            }
            up = fmin(up, log_up / s);
            down = fmin(down, log_down / s);
        }
        *high = MAX(*high, up);
        *low = MIN(*low, -down);
    }
    double first = 0, last = 0; /* never more than what there is */
    for (gsize j = 0; j < n_factors; j++) {
        first += (double)factors[j].power * (double)factors[j].lattice->first;
        last += (double)factors[j].power *
                (double)(factors[j].lattice->first + (gint64)factors[j].lattice->n - 1);
    }
    *low = CLAMP(floor(*low), first, last);
    *high = CLAMP(ceil(*high), *low, last);
}

static guint size_for(double points)
{
    guint log2_size = 4;
    while (log2_size < 63 && ldexp(1, (int)log2_size) < points + 1)
        log2_size++;
    return log2_size;
}

guint dpcxr_loss_compose_size(const DpcxrLossFactor *factors, gsize n_factors, double log_tail)
{
    double low, high;
    find_window(factors, n_factors, log_tail, &low, &high);
    return size_for(high - low + 1);
}

/* Errors of the factors, as many as they are there. */
static double add_up_errors(DpcxrLossLattice *product, const DpcxrLossFactor *factors, gsize n_factors)
{
    double errors = 0, scale = exp(dpcxr_loss_log_sums(factors, n_factors));
    for (gsize j = 0; j < n_factors; j++) {
        const DpcxrLossLattice *factor = factors[j].lattice;
        double power = (double)factors[j].power;
        product->offset += power * factor->offset;
        product->log_scale += power * factor->log_scale;
        product->shift += power * (factor->shift + 4 * UNIT_ROUNDOFF * fabs(factor->offset));
        product->relative += power * factor->relative;
        product->rounding += scale * power * factor->rounding;
        errors += power * factor->error;
    }
    product->relative += 2 * UNIT_ROUNDOFF;
    return scale * errors * exp(MIN(errors, 700));
}

DpcxrLossLattice *dpcxr_loss_compose(const DpcxrLossFactor *factors, gsize n_factors, double log_tail, guint max_log2,
                                     gboolean precise)
{
    double low, high;
    find_window(factors, n_factors, log_tail, &low, &high);
    guint log2_size = size_for(high - low + 1);
    if (log2_size > max_log2 || !(fabs(low) < 1e15) || !(fabs(high) < 1e15))
        return NULL;
    gint64 first = (gint64)low;
    gsize n = (gsize)(high - low) + 1, size = (gsize)1 << log2_size;
    g_autofree double *upper = g_new0(double, size), *lower = g_new0(double, size);
    double *out[2] = {upper, lower};
    double rounding = (precise ? dpcxr_loss_cyclic_product_precise
                               : dpcxr_loss_cyclic_product)(factors, n_factors, log2_size, out);
    DpcxrLossLattice *product = dpcxr_loss_lattice_new(first, n);
    double errors = add_up_errors(product, factors, n_factors);
    for (gsize i = 0; i < n; i++) {
        gsize at = (gsize)(first + (gint64)i) & (size - 1);
        product->values[0][i] = MAX(0, upper[at]);
        product->values[1][i] = MAX(0, lower[at]);
    }
    product->rounding += rounding;
    product->error = 1.01 * (errors + rounding) + 2 * 2 * exp(log_tail);
    dpcxr_loss_normalise(product);
    return product;
}
