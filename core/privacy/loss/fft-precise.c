/* SPDX-License-Identifier: MIT
 * Radix 2, decimation in frequency forward and in time backward; blocks depth first. */
#include "privacy/loss/fft-precise.h"
#include <math.h>

struct DpcxrFftPrecise {
    guint log2_size;
    DpcxrComplex2 *twiddles[27]; /* [k]: e^(-2 pi i j / 2^k), j < 2^(k-1) */
};

/* e^(-2 pi i / 2^k), by halving angles. */
static DpcxrComplex2 root_of_unity(guint k)
{
    const DpcxrDouble2 one = {1, 0}, half = {0.5, 0};
    DpcxrComplex2 w = {{1, 0}, {0, 0}};
    if (k == 1)
        w.re = dpcxr_double2(-1);
    if (k >= 2)
        w = (DpcxrComplex2){{0, 0}, {-1, 0}};
    for (guint i = 2; i < k; i++) {
        DpcxrDouble2 c = dpcxr_double2_sqrt(dpcxr_double2_multiply(half, dpcxr_double2_add(one, w.re)));
        w.im = dpcxr_double2_divide(dpcxr_double2_multiply(half, w.im), c);
        w.re = c;
    }
    return w;
}

DpcxrFftPrecise *dpcxr_fft_precise_new(guint log2_size)
{
    g_assert(log2_size >= 1 && log2_size <= 26);
    DpcxrFftPrecise *fft = g_new0(DpcxrFftPrecise, 1);
    fft->log2_size = log2_size;
    for (guint k = 1; k <= log2_size; k++) {
        gsize n = (gsize)1 << (k - 1);
        DpcxrComplex2 *w = fft->twiddles[k] = g_new(DpcxrComplex2, n), root = root_of_unity(k);
        w[0] = (DpcxrComplex2){{1, 0}, {0, 0}};
        for (gsize i = 0; i < n / 2; i++) {
            w[2 * i] = fft->twiddles[k - 1][i];
            w[2 * i + 1] = dpcxr_complex2_multiply(w[2 * i], root);
        }
    }
    return fft;
}

void dpcxr_fft_precise_free(DpcxrFftPrecise *fft)
{
    if (!fft)
        return;
    for (guint k = 1; k <= fft->log2_size; k++)
        g_free(fft->twiddles[k]);
    g_free(fft);
}

static void forward(const DpcxrFftPrecise *fft, guint k, DpcxrComplex2 *x)
{
    gsize half = (gsize)1 << (k - 1);
    const DpcxrComplex2 *w = fft->twiddles[k];
    for (gsize i = 0; i < half; i++) {
        DpcxrComplex2 a = x[i], b = x[i + half];
        x[i] = dpcxr_complex2_add(a, b);
        x[i + half] = dpcxr_complex2_multiply(dpcxr_complex2_subtract(a, b), w[i]);
    }
    if (k > 1) {
        forward(fft, k - 1, x);
        forward(fft, k - 1, x + half);
    }
}

static void inverse(const DpcxrFftPrecise *fft, guint k, DpcxrComplex2 *x)
{
    gsize half = (gsize)1 << (k - 1);
    const DpcxrComplex2 *w = fft->twiddles[k];
    if (k > 1) {
        inverse(fft, k - 1, x);
        inverse(fft, k - 1, x + half);
    }
    for (gsize i = 0; i < half; i++) {
        DpcxrComplex2 a = x[i], b = dpcxr_complex2_multiply(x[i + half], dpcxr_complex2_conjugate(w[i]));
        x[i] = dpcxr_complex2_add(a, b);
        x[i + half] = dpcxr_complex2_subtract(a, b);
    }
}

void dpcxr_fft_precise_forward(const DpcxrFftPrecise *fft, DpcxrComplex2 *x)
{
    forward(fft, fft->log2_size, x);
}

void dpcxr_fft_precise_inverse(const DpcxrFftPrecise *fft, DpcxrComplex2 *x)
{
    inverse(fft, fft->log2_size, x);
    const DpcxrDouble2 scale = {ldexp(1, -(int)fft->log2_size), 0};
    for (gsize i = 0; i < (gsize)1 << fft->log2_size; i++) {
        x[i].re = dpcxr_double2_multiply(x[i].re, scale);
        x[i].im = dpcxr_double2_multiply(x[i].im, scale);
    }
}

/* A product with a twiddle factor is off by 16 roundoffs, the factor itself by 20 for each of the up to 26 products it
 * comes from, a sum by 4. */
double dpcxr_fft_precise_error(const DpcxrFftPrecise *fft)
{
    return 600 * DPCXR_DOUBLE2_ROUNDOFF * fft->log2_size;
}
