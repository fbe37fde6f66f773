/* SPDX-License-Identifier: MIT
 * The discrete Fourier transform that composes privacy-loss distributions: double precision, sizes that are powers of
 * two. Spectra stay in the order the forward transform leaves them in, because products do not care. */
#pragma once
#include <glib.h>

typedef struct DpcxrFft DpcxrFft;

/* @log2_size: 1 to 26. (transfer full) */
DpcxrFft *dpcxr_fft_new(guint log2_size);
void dpcxr_fft_free(DpcxrFft *fft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrFft, dpcxr_fft_free)

/* In place; @re, @im: `size` values. Natural order in, bit-reversed order out; not scaled. */
void dpcxr_fft_forward(const DpcxrFft *fft, double *re, double *im);
/* In place; bit-reversed order in, natural order out; divides by the size. */
void dpcxr_fft_inverse(const DpcxrFft *fft, double *re, double *im);

/* Where, in bit-reversed order, frequency -k stands if frequency k stands at @position. */
static inline gsize dpcxr_fft_mirror(gsize position)
{
    if (position < 2)
        return position;
    gsize block = (gsize)1 << (63 - __builtin_clzll(position));
    return 3 * block - 1 - position;
}

/* Bound of the error of either transform: relative, in the 2-norm of the whole; and, element by element, relative to
 * the sum of absolute values of what went in (for the inverse: to their mean). Both follow from each of the log2(size)
 * stages being off by at most 16 u, u = 2^-53: three roundings of a product with a twiddle factor that is itself off by
 * 9 u, and an addition (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 24.1). */
double dpcxr_fft_error(const DpcxrFft *fft);
