/* SPDX-License-Identifier: MIT
 * The cpu backend: oneDNN convolutions, OpenBLAS products, own vectorised loops for the rest. Each worker runs its own
 * unit, depth first; nothing is parallel inside one image. */
#pragma once
#include "backend/program.h"

extern const DpcxrBackend dpcxr_backend_cpu;

/* The same with one way of unit gradients for all layers, where the cost model would choose. For tests. */
extern const DpcxrBackend dpcxr_backend_cpu_direct, dpcxr_backend_cpu_gram;
