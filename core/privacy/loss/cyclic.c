/* SPDX-License-Identifier: MIT
 * In double precision. */
#include "privacy/loss/cyclic.h"
#include <float.h>
#include <math.h>
#include <string.h>
#include "privacy/loss/fft.h"

#define UNIT_ROUNDOFF (DBL_EPSILON / 2)

typedef struct {
    double re, im;
} Complex;

static Complex multiply(Complex a, Complex b)
{
    return (Complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static Complex power_of(Complex base, guint64 exponent)
{
    Complex result = {1, 0};
    for (; exponent > 0; exponent >>= 1) {
        if (exponent & 1)
            result = multiply(result, base);
        if (exponent > 1)
            base = multiply(base, base);
    }
    return result;
}

/* The two bounds are real: they travel as real and imaginary part of one transform. */
typedef struct {
    gsize n;
    double *re, *im;
} Spectrum;

static Spectrum spectrum_new(gsize n)
{
    return (Spectrum){n, g_new0(double, n), g_new0(double, n)};
}

static void spectrum_clear(Spectrum *s)
{
    g_free(s->re);
    g_free(s->im);
}

/* @total *= @factor^power, for both bounds. */
static void spectrum_multiply(Spectrum *total, const Spectrum *factor, guint64 power, gboolean is_first)
{
    for (gsize p = 0; p < total->n; p++) {
        gsize m = dpcxr_fft_mirror(p);
        if (m < p)
            continue;
        const double *re = factor->re, *im = factor->im;
        Complex upper = {0.5 * (re[p] + re[m]), 0.5 * (im[p] - im[m])};
        Complex lower = {0.5 * (im[p] + im[m]), 0.5 * (re[m] - re[p])};
        upper = power_of(upper, power);
        lower = power_of(lower, power);
        if (!is_first) {
            re = total->re, im = total->im;
            upper = multiply(upper, (Complex){0.5 * (re[p] + re[m]), 0.5 * (im[p] - im[m])});
            lower = multiply(lower, (Complex){0.5 * (im[p] + im[m]), 0.5 * (re[m] - re[p])});
        }
        total->re[p] = upper.re - lower.im;
        total->im[p] = upper.im + lower.re;
        total->re[m] = upper.re + lower.im;
        total->im[m] = lower.re - upper.im;
    }
}

double dpcxr_loss_norms(const DpcxrLossFactor *factors, gsize n_factors)
{
    double norms = 0;
    for (gsize j = 0; j < n_factors; j++) {
        const DpcxrLossLattice *lattice = factors[j].lattice;
        double sum = 0;
        for (int bound = 0; bound < 2; bound++)
            for (gsize i = 0; i < lattice->n; i++)
                sum += lattice->values[bound][i] * lattice->values[bound][i];
        norms += (double)factors[j].power * sqrt(sum);
    }
    return norms * (1 + 1e-12);
}

double dpcxr_loss_log_sums(const DpcxrLossFactor *factors, gsize n_factors)
{
    double log_sum = 0;
    for (gsize j = 0; j < n_factors; j++) {
        const DpcxrLossLattice *lattice = factors[j].lattice;
        double sum[2] = {0, 0};
        for (int bound = 0; bound < 2; bound++)
            for (gsize i = 0; i < lattice->n; i++)
                sum[bound] += lattice->values[bound][i];
        log_sum += (double)factors[j].power * log(MAX(1, MAX(sum[0], sum[1]) * (1 + 1e-12)));
    }
    return log_sum;
}

static void spectrum_fill(Spectrum *s, const DpcxrLossLattice *lattice)
{
    memset(s->re, 0, s->n * sizeof(double));
    memset(s->im, 0, s->n * sizeof(double));
    for (gsize i = 0; i < lattice->n; i++) {
        gsize at = (gsize)(lattice->first + (gint64)i) & (s->n - 1);
        s->re[at] += lattice->values[0][i];
        s->im[at] += lattice->values[1][i];
    }
}

/* dpcxr_fft_error() in the 2-norm for the transforms of the factors, times their powers, and for the way back; 4 u for
 * each multiplication of spectra; a sum of absolute values is at most sqrt(size) times the 2-norm; twice, because each
 * bound hears the error of both. */
double dpcxr_loss_cyclic_product(const DpcxrLossFactor *factors, gsize n_factors, guint log2_size, double *out[2])
{
    gsize size = (gsize)1 << log2_size;
    g_autoptr(DpcxrFft) fft = dpcxr_fft_new(log2_size);
    Spectrum total = {size, out[0], out[1]}, work = spectrum_new(size);
    double powers = 0, squares = 0;
    for (gsize j = 0; j < n_factors; j++) {
        spectrum_fill(&work, factors[j].lattice);
        dpcxr_fft_forward(fft, work.re, work.im);
        spectrum_multiply(&total, &work, factors[j].power, j == 0);
        powers += (double)factors[j].power;
    }
    dpcxr_fft_inverse(fft, total.re, total.im);
    spectrum_clear(&work);
    for (gsize i = 0; i < size; i++)
        squares += total.re[i] * total.re[i] + total.im[i] * total.im[i];
    double error = dpcxr_fft_error(fft), norms = dpcxr_loss_norms(factors, n_factors);
    double scale = exp(dpcxr_loss_log_sums(factors, n_factors));
    return 2 * sqrt((double)size) * (scale * norms * error + (4 * UNIT_ROUNDOFF * powers + error) * sqrt(squares));
}
