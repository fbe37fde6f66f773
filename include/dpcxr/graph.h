/* SPDX-License-Identifier: MIT
 * Building a network: layer calls, as in PyTorch. A model plugin makes them; shapes are inferred at each call.
 *
 * Tensors are images in NHWC without the batch axis: a node has a height, a width and channels (vectors are 1 x 1 x C).
 * Every layer maps one image to one result; a layer that mixes images cannot be expressed here, on purpose: clipping
 * per unit is only meaningful without it (hence group norm and no batch norm).
 *
 * Errors are sticky. The first bad call is remembered with its layer's name, later calls on a broken graph return an
 * inert node, and the one who asked for the graph reports it; so a plugin needs no error handling. */
#pragma once
#include <glib.h>

G_BEGIN_DECLS

typedef struct _DpcxrGraph DpcxrGraph;
typedef int DpcxrNode; /* index of a layer's output in its graph; negative: inert */

/* The images that enter: @height x @width x @channels, values as data.image says. */
DpcxrNode dpcxr_graph_input(DpcxrGraph *graph);
int dpcxr_graph_height(const DpcxrGraph *graph, DpcxrNode node);
int dpcxr_graph_width(const DpcxrGraph *graph, DpcxrNode node);
int dpcxr_graph_channels(const DpcxrGraph *graph, DpcxrNode node);

typedef struct {
    int out_channels;
    int kernel;  /* square */
    int stride;  /* 0 means 1 */
    int padding; /* zeros on all four sides */
    gboolean bias;
} DpcxrConv2d;

/* Layers with parameters take the name that their parameters have in PyTorch ("layer1.0.conv1" gives
 * "layer1.0.conv1.weight"), printf style. Parameters start as torchvision's ResNet starts them:
 * conv2d: weight [out, in, k, k], Kaiming normal with fan out and gain sqrt(2); bias U(+-1/sqrt(fan in)).
 * group_norm: weight [C] ones, bias [C] zeros; @groups must divide C; biased variance, @eps inside the root.
 * linear: weight [out, in] and bias [out], U(+-1/sqrt(in)); its input must be 1 x 1 x in. */
DpcxrNode dpcxr_conv2d(DpcxrGraph *graph, DpcxrNode x, DpcxrConv2d conv, const char *name, ...) G_GNUC_PRINTF(4, 5);
DpcxrNode dpcxr_group_norm(DpcxrGraph *graph, DpcxrNode x, int groups, double eps, const char *name, ...)
    G_GNUC_PRINTF(5, 6);
DpcxrNode dpcxr_linear(DpcxrGraph *graph, DpcxrNode x, int out_features, const char *name, ...) G_GNUC_PRINTF(4, 5);

DpcxrNode dpcxr_relu(DpcxrGraph *graph, DpcxrNode x);
DpcxrNode dpcxr_mish(DpcxrGraph *graph, DpcxrNode x); /* x tanh(softplus(x)), Misra 2019 */
DpcxrNode dpcxr_add(DpcxrGraph *graph, DpcxrNode a, DpcxrNode b); /* equal shapes */
/* Padding is -inf, as in PyTorch; the first of equal values takes the gradient; a NaN in the window wins. */
DpcxrNode dpcxr_max_pool2d(DpcxrGraph *graph, DpcxrNode x, int kernel, int stride, int padding);
DpcxrNode dpcxr_global_average_pool(DpcxrGraph *graph, DpcxrNode x); /* H x W x C to 1 x 1 x C */

/* Breaks the graph with a message of the plugin's own, e.g. an option combination that makes no network. */
void dpcxr_graph_fail(DpcxrGraph *graph, const char *format, ...) G_GNUC_PRINTF(2, 3);

G_END_DECLS
