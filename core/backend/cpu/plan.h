/* SPDX-License-Identifier: MIT
 * What is decided about a graph before it runs: which layers run as one step, where every tensor of a row
 * lives, and how each parameter's unit norms and sums are made. */
#pragma once
#include "backend/cpu/window.h"
#include "backend/steps.h"

typedef enum {
    CPU_NOWHERE,
    CPU_IMAGE,   /* the caller's image, or its gradient */
    CPU_SCRATCH, /* the worker's, for as long as the row runs */
    CPU_KEPT,    /* a place of its own for each row, until phase B has run */
} CpuPlace;

enum { CPU_BLOCK = 8 };

typedef enum { CPU_F32, CPU_BF16, CPU_N_TYPES } CpuType;

typedef struct {
    CpuPlace place;
    CpuType type;
    gsize size;          /* elements */
    gsize offset, bytes; /* bytes */
} CpuTensor;

/* One way to place the tensors of a row. */
typedef struct {
    CpuTensor *outputs, *gradients; /* [layers] */
    CpuTensor *saved;               /* [steps]: norm: mean, scale by channel; max pool: winners */
    gsize scratch, kept;            /* bytes a worker, a row */
} CpuLayout;

typedef enum {
    CPU_DIRECT, /* phase A forms the unit's gradient in the unit's slot */
    CPU_GRAM, /* phase A keeps x and dy of its rows; norms from Gram matrices, the sum as one product in phase
                 B */
} CpuMethod;

/* Forced for tests; the cost model otherwise. */
typedef enum { CPU_POLICY_COST, CPU_POLICY_DIRECT, CPU_POLICY_GRAM } CpuPolicy;

/* How the gradient of one parameter is stored in the banks of sums. */
typedef struct {
    CpuMethod method;
    int step;
    gsize size;   /* floats; more than the parameter's where oneDNN pads channels */
    gsize offset; /* in a bank; and in a unit's slot where DIRECT */
} CpuGradient;

typedef struct {
    const DpcxrGraph *graph;
    int n_steps;
    DpcxrStep *steps;
    gboolean *wants_gradient; /* [layers] a parameter lies upstream */
    CpuType *types;           /* [layers] of outputs and their gradients */
    CpuWindow **windows;      /* [steps] of conv2d and linear, else NULL */
    CpuGradient *gradients;   /* [parameters] */
    gsize slot, bank; /* floats of a unit's slot, of a bank; the slot's parameters come first in a bank */
    CpuLayout training, inference;
    gsize largest; /* bytes of the largest tensor of a row */
    int late; /* the first step whose weights outweigh what it reads and writes: rows take turns from here on */
    int block; /* rows that a worker has at hand at a time, 1 .. CPU_BLOCK */
} CpuPlan;

/* Steps, types, methods and windows; @plan is zeroed before. Sizes of gradients are PyTorch's until changed by
 * conv2d.c. DPCXR_ERROR_USAGE where the graph mixes what options.precision keeps apart. */
gboolean dpcxr_cpu_plan_init(CpuPlan *plan, const DpcxrGraph *graph, const DpcxrProgramOptions *options,
                             CpuPolicy policy, GError **error);
/* Offsets of gradients and of both layouts, once the sizes are final. DPCXR_ERROR_MEMORY
 * where they overflow. */
gboolean dpcxr_cpu_plan_place(CpuPlan *plan, const DpcxrProgramOptions *options, int threads, GError **error);
void dpcxr_cpu_plan_clear(CpuPlan *plan);

/* Bytes of an element. */
static inline gsize dpcxr_cpu_type_size(CpuType type)
{
    return type == CPU_BF16 ? sizeof(guint16) : sizeof(float);
}

/* Whether the step has weights whose gradient is made the Gram way. */
gboolean dpcxr_cpu_plan_is_gram(const CpuPlan *plan, int step);
