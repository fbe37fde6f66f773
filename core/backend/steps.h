/* SPDX-License-Identifier: MIT
 * Which layers of a graph run as one step: a group norm takes a following add and activation into its own. */
#pragma once
#include "graph/layers.h"

typedef enum { DPCXR_ACTIVATION_IDENTITY, DPCXR_ACTIVATION_RELU, DPCXR_ACTIVATION_MISH } DpcxrActivation;

typedef struct {
    DpcxrLayerType type;
    int layer;    /* whose parameters, kernel, groups .. these are */
    int x, other; /* input tensors, by layer; other: the second summand of an add or of a norm's residual,
                     else -1 */
    int y;        /* output tensor, by layer */
    DpcxrActivation activation; /* of a group norm, or the step itself */
} DpcxrStep;

/* The steps of a finished @graph, in order. (transfer full) [*n_steps] */
DpcxrStep *dpcxr_steps_new(const DpcxrGraph *graph, int *n_steps);
/* By layer, whether a parameter lies upstream, so that somebody wants the gradient of its output. (transfer full) */
gboolean *dpcxr_steps_wants_gradient(const DpcxrGraph *graph);
/* Which inputs a step reads again in backward. */
gboolean dpcxr_step_reads_x_again(const DpcxrStep *step);
gboolean dpcxr_step_reads_other_again(const DpcxrStep *step);
