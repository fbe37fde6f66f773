/* SPDX-License-Identifier: MIT */
#include "backend/cpu/kernels/table.h"

#define NAME_OF(isa) #isa
#define NAME(isa) NAME_OF(isa)

const CpuKernels KERNEL(kernels) = {
    .isa = NAME(DPCXR_CPU_ISA),
    .lanes = LANES,
    .element = sizeof(Element),
    .add = KERNEL(add),
    .add_elements = KERNEL(add_elements),
    .expand = KERNEL(expand),
    .scale = KERNEL(scale),
    .narrow = KERNEL(narrow),
    .axpy = KERNEL(axpy),
    .activate = KERNEL(activate),
    .activate_backward = KERNEL(activate_backward),
    .grid = KERNEL(grid),
    .squares = KERNEL(squares),
    .dot = KERNEL(dot),
    .moderate = KERNEL(moderate),
    .channel_sums = KERNEL(channel_sums),
    .channel_squares = KERNEL(channel_squares),
    .norm_forward = KERNEL(norm_forward),
    .norm_backward_sums = KERNEL(norm_backward_sums),
    .norm_backward_data = KERNEL(norm_backward_data),
    .max_pool = KERNEL(max_pool),
    .max_pool_backward = KERNEL(max_pool_backward),
    .gram = KERNEL(gram),
    .add_shifted = KERNEL(add_shifted),
    .update = KERNEL(update),
};
