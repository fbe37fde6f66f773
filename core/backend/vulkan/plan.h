/* SPDX-License-Identifier: MIT
 * What is decided about a graph before it runs on a device: steps, how each parameter's unit norms and sums are made, and
 * where everything lies. Sizes grow with the rows of a batch; plan_place is asked for some number of them and allocates
 * nothing, so the largest batch that fits can be looked for. */
#pragma once
#include "backend/program.h"
#include "backend/steps.h"
#include "backend/vulkan/tuning.h"

typedef enum {
    VULKAN_SLOTS, /* phase A forms each unit's gradient and keeps it; phase B adds them up */
    VULKAN_GRAM   /* phase A keeps x and dy; norms from Gram matrices, the sum as one product in phase B */
} VulkanMethod;

enum {
    VULKAN_PAIR_ROWS = 8, /* units of more images are measured outright, not by pairs of images */
    VULKAN_PAIRS_PER_ROW = (VULKAN_PAIR_ROWS + 1) / 2 + 1
};

/* One parameter. Its layout on the device is [taps, in, out]; a vector is [1, 1, size]. */
typedef struct {
    VulkanMethod method;
    int step;
    int taps, in, out;
    gsize size;                /* elements */
    gsize offset;              /* elements, in a bank */
    int parts;                 /* SLOTS, weights: parts of an image that are summed apart */
    int chunks;                /* of the sums of squares of one unit */
    gsize chunks_at;           /* floats, where those of one unit or of a bank are kept for all parameters */
    gsize squares_at;          /* SLOTS: floats, in the results */
    gsize gram_at, lengths_at; /* GRAM: floats, pairs of floats */
    int gram_tiles;
} VulkanGradient;

/* A tensor of rows. */
typedef struct {
    gsize row;    /* bytes of a row; 0: not there */
    gsize offset; /* in its arena */
} VulkanPlace;

/* Where feature maps lie; evaluation has places of its own, since phase B may still want those of phase A. */
typedef struct {
    VulkanPlace *outputs; /* [layers] */
    VulkanPlace *saved;   /* [steps]: moments of a norm, winners of a pool */
    gsize bytes;
} VulkanLayout;

typedef struct {
    const DpcxrGraph *graph;
    VulkanTuning *tuning; /* a copy */
    gboolean training, norms, grid;
    gboolean *narrow; /* [layers] outputs and their gradients are f16 */
    int n_steps;
    DpcxrStep *steps;
    gboolean *wants_gradient;              /* [layers] */
    VulkanGradient *gradients;             /* [parameters] */
    gsize bank, chunks;                    /* floats: of all parameters, of all sums of squares of one unit */
    gsize squares, grams, lengths;         /* floats, floats, pairs of floats: of the results of a batch */
    VulkanLayout evaluation, feature_maps; /* feature_maps: of training */
    VulkanPlace *douts;                    /* [layers] gradients of feature maps */
    gsize douts_bytes;
    gsize parts_row;    /* bytes of a row of what a norm sums in parts */
    gsize row_gradient; /* bytes of a row of a norm's or a bias's gradient, twice */
    gsize unit_parts;   /* bytes of a unit of weight gradients in parts */
    gsize slots_unit;   /* bytes of all slots of a unit */
    gsize scratch;      /* bytes: one whole gradient of a GRAM layer, to measure a unit outright */
} VulkanPlan;

/* @tuning: copied. @options: training, norms, grid, precision. DPCXR_ERROR_USAGE: a graph that the precision is not for; to be
 * cleared all the same. */
gboolean dpcxr_vulkan_plan_init(VulkanPlan *plan, const DpcxrGraph *graph, const VulkanTuning *tuning,
                                const DpcxrProgramOptions *options, GError **error);
/* Places for @rows rows and @units units; offsets are multiples of @alignment. FALSE where sizes overflow. */
gboolean dpcxr_vulkan_plan_place(VulkanPlan *plan, int rows, int units, gsize alignment);
void dpcxr_vulkan_plan_clear(VulkanPlan *plan);

/* VULKAN_HALF where the output of @layer and its gradient are f16, else 0. */
static inline guint dpcxr_vulkan_half(const VulkanPlan *plan, int layer)
{
    return plan->narrow[layer] ? VULKAN_HALF : 0;
}

/* The tile that a step's products take: @plain, one of the tuning's, or cooperative matrices where those are there for the step.
 * Not asked for products that norms or their bounds are made of (gemm.glsl). */
const VulkanTile *dpcxr_vulkan_plan_tile(const VulkanPlan *plan, int step, const VulkanTile *plain);

/* Positions of a chunk of a norm's sums, and how many chunks an image has. */
int dpcxr_vulkan_norm_chunk(const VulkanPlan *plan, const DpcxrLayer *layer);
int dpcxr_vulkan_norm_chunks(const VulkanPlan *plan, const DpcxrLayer *layer);
/* Rounds of loops of the invocation that makes a group's moments from @chunks. */
gint64 dpcxr_vulkan_norm_rounds(const DpcxrLayer *layer, int chunks);
static inline int dpcxr_vulkan_max_pairs(int rows)
{
    return rows * VULKAN_PAIRS_PER_ROW;
}
