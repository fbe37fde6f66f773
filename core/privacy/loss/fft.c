/* SPDX-License-Identifier: MIT
 * Radix 2, decimation in frequency forward and in time backward, so that nothing is reordered. Two stages are
 * done in one pass over memory (radix 4), and large blocks are worked off depth first, for the caches. Real
 * and imaginary parts are separate arrays: the inner loops run over consecutive numbers. */
#include "privacy/loss/fft.h"
#include <float.h>
#include <math.h>

struct DpcxrFft {
    guint log2_size;
    double *re[27], *im[27]; /* [k]: e^(-2 pi i j / 2^k), j < 2^(k-1) */
};

/* The twiddle factors of the largest block: product of a coarse and a fine one. Rounding the angles, below
 * pi, costs at most 4 u, the sines 1 u each, the product 3 u. Smaller blocks take every second one of these.
 */
static void twiddles_fill(double *re, double *im, guint log2_size)
{
    gsize n = (gsize)1 << (log2_size - 1);
    guint low_bits = log2_size / 2;
    gsize n_low = (gsize)1 << low_bits;
    g_autofree double *fine = g_new(double, 2 * n_low);
    double unit = -2 * G_PI / (double)(2 * n);
    for (gsize i = 0; i < n_low; i++) {
        fine[2 * i] = cos(unit * (double)i);
        fine[2 * i + 1] = sin(unit * (double)i);
    }
    for (gsize start = 0; start < n; start += n_low) {
        double c = cos(unit * (double)start), s = sin(unit * (double)start);
        for (gsize i = 0; i < n_low && start + i < n; i++) {
            re[start + i] = c * fine[2 * i] - s * fine[2 * i + 1];
            im[start + i] = c * fine[2 * i + 1] + s * fine[2 * i];
        }
    }
}

DpcxrFft *dpcxr_fft_new(guint log2_size)
{
    g_assert(log2_size >= 1 && log2_size <= 26);
    DpcxrFft *fft = g_new0(DpcxrFft, 1);
    fft->log2_size = log2_size;
    for (guint k = log2_size; k > 0; k--) {
        gsize n = (gsize)1 << (k - 1);
        fft->re[k] = g_new(double, n);
        fft->im[k] = g_new(double, n);
        if (k == log2_size)
            twiddles_fill(fft->re[k], fft->im[k], k);
        for (gsize i = 0; i < n && k < log2_size; i++) {
            fft->re[k][i] = fft->re[k + 1][2 * i];
            fft->im[k][i] = fft->im[k + 1][2 * i];
        }
    }
    return fft;
}

void dpcxr_fft_free(DpcxrFft *fft)
{
    if (!fft)
        return;
    for (guint k = 1; k <= fft->log2_size; k++) {
        g_free(fft->re[k]);
        g_free(fft->im[k]);
    }
    g_free(fft);
}

/* One stage on one block of 2^k. */
static void stage_forward(const DpcxrFft *fft, guint k, double *restrict re, double *restrict im)
{
    gsize half = (gsize)1 << (k - 1);
    const double *c = fft->re[k], *s = fft->im[k];
    for (gsize i = 0; i < half; i++) {
        double ar = re[i], ai = im[i], br = re[i + half], bi = im[i + half];
        double dr = ar - br, di = ai - bi;
        re[i] = ar + br;
        im[i] = ai + bi;
        re[i + half] = dr * c[i] - di * s[i];
        im[i + half] = dr * s[i] + di * c[i];
    }
}

static void stage_inverse(const DpcxrFft *fft, guint k, double *restrict re, double *restrict im)
{
    gsize half = (gsize)1 << (k - 1);
    const double *c = fft->re[k], *s = fft->im[k];
    for (gsize i = 0; i < half; i++) {
        double ar = re[i], ai = im[i], br = re[i + half], bi = im[i + half];
        double tr = br * c[i] + bi * s[i], ti = bi * c[i] - br * s[i];
        re[i] = ar + tr;
        im[i] = ai + ti;
        re[i + half] = ar - tr;
        im[i + half] = ai - ti;
    }
}

/* Two stages at once: block 2^k, then its halves. */
static void pair_forward(const DpcxrFft *fft, guint k, double *restrict re, double *restrict im)
{
    gsize quarter = (gsize)1 << (k - 2);
    const double *c1 = fft->re[k], *s1 = fft->im[k], *c2 = fft->re[k - 1], *s2 = fft->im[k - 1];
    for (gsize i = 0; i < quarter; i++) {
        gsize i1 = i + quarter, i2 = i1 + quarter, i3 = i2 + quarter;
        double ar = re[i] + re[i2], ai = im[i] + im[i2], br = re[i1] + re[i3], bi = im[i1] + im[i3];
        double cr = re[i] - re[i2], ci = im[i] - im[i2], dr = re[i1] - re[i3], di = im[i1] - im[i3];
        /* the second quarter's twiddle is -i times the first's */
        double er = cr * c1[i] - ci * s1[i], ei = cr * s1[i] + ci * c1[i];
        double fr = dr * s1[i] + di * c1[i], fi = di * s1[i] - dr * c1[i];
        double gr = ar - br, gi = ai - bi, hr = er - fr, hi = ei - fi;
        re[i] = ar + br;
        im[i] = ai + bi;
        re[i1] = gr * c2[i] - gi * s2[i];
        im[i1] = gr * s2[i] + gi * c2[i];
        re[i2] = er + fr;
        im[i2] = ei + fi;
        re[i3] = hr * c2[i] - hi * s2[i];
        im[i3] = hr * s2[i] + hi * c2[i];
    }
}

static void pair_inverse(const DpcxrFft *fft, guint k, double *restrict re, double *restrict im)
{
    gsize quarter = (gsize)1 << (k - 2);
    const double *c1 = fft->re[k], *s1 = fft->im[k], *c2 = fft->re[k - 1], *s2 = fft->im[k - 1];
    for (gsize i = 0; i < quarter; i++) {
        gsize i1 = i + quarter, i2 = i1 + quarter, i3 = i2 + quarter;
        double tr = re[i1] * c2[i] + im[i1] * s2[i], ti = im[i1] * c2[i] - re[i1] * s2[i];
        double vr = re[i3] * c2[i] + im[i3] * s2[i], vi = im[i3] * c2[i] - re[i3] * s2[i];
        double ar = re[i] + tr, ai = im[i] + ti, br = re[i] - tr, bi = im[i] - ti;
        double er = re[i2] + vr, ei = im[i2] + vi, hr = re[i2] - vr, hi = im[i2] - vi;
        double cr = er * c1[i] + ei * s1[i], ci = ei * c1[i] - er * s1[i];
        double fr = hr * c1[i] + hi * s1[i], fi = hi * c1[i] - hr * s1[i];
        double dr = -fi, di = fr; /* times i */
        re[i] = ar + cr;
        im[i] = ai + ci;
        re[i2] = ar - cr;
        im[i2] = ai - ci;
        re[i1] = br + dr;
        im[i1] = bi + di;
        re[i3] = br - dr;
        im[i3] = bi - di;
    }
}

static void forward(const DpcxrFft *fft, guint k, double *re, double *im)
{
    if (k == 1) {
        stage_forward(fft, 1, re, im);
        return;
    }
    pair_forward(fft, k, re, im);
    gsize quarter = (gsize)1 << (k - 2);
    for (gsize i = 0; i < 4 && k > 2; i++)
        forward(fft, k - 2, re + i * quarter, im + i * quarter);
}

static void inverse(const DpcxrFft *fft, guint k, double *re, double *im)
{
    if (k == 1) {
        stage_inverse(fft, 1, re, im);
        return;
    }
    gsize quarter = (gsize)1 << (k - 2);
    for (gsize i = 0; i < 4 && k > 2; i++)
        inverse(fft, k - 2, re + i * quarter, im + i * quarter);
    pair_inverse(fft, k, re, im);
}

void dpcxr_fft_forward(const DpcxrFft *fft, double *re, double *im)
{
    forward(fft, fft->log2_size, re, im);
}

void dpcxr_fft_inverse(const DpcxrFft *fft, double *re, double *im)
{
    inverse(fft, fft->log2_size, re, im);
    double scale = 1 / (double)((gsize)1 << fft->log2_size);
    for (gsize i = 0; i < (gsize)1 << fft->log2_size; i++) {
        re[i] *= scale;
        im[i] *= scale;
    }
}

double dpcxr_fft_error(const DpcxrFft *fft)
{
    return 16 * (DBL_EPSILON / 2) * fft->log2_size * 1.001;
}
