/* SPDX-License-Identifier: MIT
 * How the outputs of a convolution (or of a linear layer, one position, one tap) look at its input. The gradient of the
 * weights is, tap by tap, a product of two matrices whose rows are output positions: gradients dy and the input pixels
 * under the tap. Positions whose tap falls into the padding are left out, which on the small maps of late layers saves
 * up to a third of the arithmetic.
 *
 * Residue classes: with stride s, a tap only ever meets input pixels of one remainder (row mod s, column mod s). So of
 * the Gram matrix of all pixels only the blocks within a class are needed. */
#pragma once
#include "backend/cpu/kernels/kernels.h"

typedef struct {
    CpuRun *runs;
    int n_runs;
    int positions; /* outputs whose tap is inside the input */
    int residue;   /* index of its class */
} CpuTap;

typedef struct {
    int *pixels; /* in the order of CpuRun.member */
    int n;       /* 0: no tap meets this class */
} CpuResidue;

typedef struct {
    DpcxrShape in, out;
    int kernel, stride, padding;
    int positions; /* of the output */
    int n_taps, n_residues;
    CpuTap *taps;
    CpuResidue *residues;
    int max_members; /* pixels of the largest class */
} CpuWindow;

CpuWindow *dpcxr_cpu_window_new(DpcxrShape in, const DpcxrLayer *layer);
void dpcxr_cpu_window_free(CpuWindow *window);
/* Multiply-adds of one image's weight gradient. */
double dpcxr_cpu_window_products(const CpuWindow *window);
