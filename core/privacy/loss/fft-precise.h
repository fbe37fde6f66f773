/* SPDX-License-Identifier: MIT
 * The transform of fft.h in twice the precision, some ten times slower: for distributions whose interesting part is
 * lighter than what a double keeps beside the heaviest. */
#pragma once
#include <glib.h>
#include "privacy/loss/double-double.h"

typedef struct DpcxrFftPrecise DpcxrFftPrecise;

/* @log2_size: 1 to 26. (transfer full) */
DpcxrFftPrecise *dpcxr_fft_precise_new(guint log2_size);
void dpcxr_fft_precise_free(DpcxrFftPrecise *fft);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrFftPrecise, dpcxr_fft_precise_free)

/* In place, `size` values; orders and scaling as in fft.h. */
void dpcxr_fft_precise_forward(const DpcxrFftPrecise *fft, DpcxrComplex2 *x);
void dpcxr_fft_precise_inverse(const DpcxrFftPrecise *fft, DpcxrComplex2 *x);

/* As dpcxr_fft_error(). */
double dpcxr_fft_precise_error(const DpcxrFftPrecise *fft);
