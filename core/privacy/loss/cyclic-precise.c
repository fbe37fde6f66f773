/* SPDX-License-Identifier: MIT
 * In twice the precision of a double, as in cyclic.c. */
#include <math.h>
#include "privacy/loss/cyclic.h"
#include "privacy/loss/fft-precise.h"
#include "privacy/loss/fft.h"

/* log2 of spectra below which they are nothing beside a total mass of about 1 */
#define NOTHING -400.0

static DpcxrComplex2 power_of(DpcxrComplex2 base, guint64 exponent)
{
    DpcxrComplex2 result = {{1, 0}, {0, 0}};
    double size = hypot(base.re.hi, base.im.hi);
    if (!(log2(size) * (double)exponent > NOTHING))
        return (DpcxrComplex2){{0, 0}, {0, 0}};
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = dpcxr_complex2_multiply(result, base);
        if (exponent > 1)
            base = dpcxr_complex2_multiply(base, base);
    }
    return result;
}

/* (a + sign * conjugate(b)) / 2 */
static DpcxrComplex2 half_of(DpcxrComplex2 a, DpcxrComplex2 b, int sign)
{
    const DpcxrDouble2 half = {0.5, 0};
    b = dpcxr_complex2_conjugate(b);
    DpcxrComplex2 sum = sign > 0 ? dpcxr_complex2_add(a, b) : dpcxr_complex2_subtract(a, b);
    return (DpcxrComplex2){dpcxr_double2_multiply(half, sum.re), dpcxr_double2_multiply(half, sum.im)};
}

/* i z */
static DpcxrComplex2 turned(DpcxrComplex2 z)
{
    return (DpcxrComplex2){dpcxr_double2_negative(z.im), z.re};
}

/* @total *= @factor^power for both bounds, which are real and travel as real and imaginary part of one transform: the
 * spectrum of the first is (z(p) + conjugate z(m)) / 2, that of the second, times i, half their difference. */
static void multiply_spectra(DpcxrComplex2 *total, const DpcxrComplex2 *factor, gsize size, guint64 power,
                             gboolean is_first)
{
    for (gsize p = 0; p < size; p++) {
        gsize m = dpcxr_fft_mirror(p);
        if (m < p)
            continue;
        DpcxrComplex2 upper = power_of(half_of(factor[p], factor[m], 1), power);
        DpcxrComplex2 lower = half_of(factor[p], factor[m], -1); /* times i */
        lower = power_of((DpcxrComplex2){lower.im, dpcxr_double2_negative(lower.re)}, power);
        if (!is_first) {
            DpcxrComplex2 before = half_of(total[p], total[m], -1);
            upper = dpcxr_complex2_multiply(upper, half_of(total[p], total[m], 1));
            lower = dpcxr_complex2_multiply(lower, (DpcxrComplex2){before.im, dpcxr_double2_negative(before.re)});
        }
        total[p] = dpcxr_complex2_add(upper, turned(lower));
        total[m] = dpcxr_complex2_add(dpcxr_complex2_conjugate(upper), turned(dpcxr_complex2_conjugate(lower)));
    }
}

static void fill(DpcxrComplex2 *x, gsize size, const DpcxrLossLattice *lattice)
{
    for (gsize i = 0; i < size; i++)
        x[i] = (DpcxrComplex2){{0, 0}, {0, 0}};
    for (gsize i = 0; i < lattice->n; i++) {
        gsize at = (gsize)(lattice->first + (gint64)i) & (size - 1);
        x[at].re = dpcxr_double2_add(x[at].re, dpcxr_double2(lattice->values[0][i]));
        x[at].im = dpcxr_double2_add(x[at].im, dpcxr_double2(lattice->values[1][i]));
    }
}

double dpcxr_loss_cyclic_product_precise(const DpcxrLossFactor *factors, gsize n_factors, guint log2_size,
                                         double *out[2])
{
    gsize size = (gsize)1 << log2_size;
    g_autoptr(DpcxrFftPrecise) fft = dpcxr_fft_precise_new(log2_size);
    g_autofree DpcxrComplex2 *total = g_new(DpcxrComplex2, size), *work = g_new(DpcxrComplex2, size);
    double powers = 0, squares = 0;
    for (gsize j = 0; j < n_factors; j++) {
        fill(work, size, factors[j].lattice);
        dpcxr_fft_precise_forward(fft, work);
        multiply_spectra(total, work, size, factors[j].power, j == 0);
        powers += (double)factors[j].power;
    }
    dpcxr_fft_precise_inverse(fft, total);
    for (gsize i = 0; i < size; i++) {
        out[0][i] = total[i].re.hi;
        out[1][i] = total[i].im.hi;
        squares += out[0][i] * out[0][i] + out[1][i] * out[1][i];
    }
    double error = dpcxr_fft_precise_error(fft), norms = dpcxr_loss_norms(factors, n_factors);
    double scale = exp(dpcxr_loss_log_sums(factors, n_factors));
    double rounding = scale * norms * error + (32 * DPCXR_DOUBLE2_ROUNDOFF * powers + error) * sqrt(squares);
    return 2 * sqrt((double)size) * (rounding + scale * exp2(NOTHING + 2));
}
