/* SPDX-License-Identifier: MIT */
#include "bench/op-graph.h"

static const DpcxrLayer *reader_of(const DpcxrGraph *model, int *i)
{
    for (int k = *i + 1; k < dpcxr_graph_n_layers(model); k++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(model, k);
        if (layer->inputs[0] == *i || layer->inputs[1] == *i) {
            *i = k;
            return layer;
        }
    }
    return NULL;
}

/* Only one of the norms before a sum takes it along: the first summand's. */
static DpcxrNode norm(DpcxrGraph *graph, const DpcxrGraph *model, int i)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(model, i);
    DpcxrNode x = dpcxr_graph_input(graph);
    DpcxrNode y = dpcxr_group_norm(graph, x, layer->groups, layer->eps, "op");
    int at = i;
    const DpcxrLayer *next = reader_of(model, &at);
    if (next && next->type == DPCXR_LAYER_ADD && next->inputs[0] == i) {
        y = dpcxr_add(graph, y, x);
        next = reader_of(model, &at);
    }
    if (next && next->type == DPCXR_LAYER_MISH)
        return dpcxr_mish(graph, y);
    return next && next->type == DPCXR_LAYER_RELU ? dpcxr_relu(graph, y) : y;
}

static DpcxrNode operation(DpcxrGraph *graph, const DpcxrGraph *model, int i)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(model, i);
    DpcxrNode x = dpcxr_graph_input(graph);
    switch (layer->type) {
    case DPCXR_LAYER_CONV2D:
        return dpcxr_conv2d(graph, x,
                            (DpcxrConv2d){.out_channels = layer->shape.channels,
                                          .kernel = layer->kernel,
                                          .stride = layer->stride,
                                          .padding = layer->padding,
                                          .bias = layer->parameters[1] >= 0},
                            "op");
    case DPCXR_LAYER_LINEAR:
        return dpcxr_linear(graph, x, layer->shape.channels, "op");
    case DPCXR_LAYER_GROUP_NORM:
        return norm(graph, model, i);
    case DPCXR_LAYER_MAX_POOL2D:
        return dpcxr_max_pool2d(graph, x, layer->kernel, layer->stride, layer->padding);
    case DPCXR_LAYER_GLOBAL_AVERAGE_POOL:
        return dpcxr_global_average_pool(graph, x);
    default:
        return -1;
    }
}

DpcxrGraph *dpcxr_bench_op_graph(const DpcxrGraph *model, int i, GError **error)
{
    int input = dpcxr_graph_layer(model, i)->inputs[0];
    if (input < 0)
        return NULL;
    DpcxrShape in = dpcxr_graph_layer(model, input)->shape;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(in.height, in.width, in.channels);
    DpcxrNode output = operation(graph, model, i);
    return output >= 0 && dpcxr_graph_finish(graph, output, 0, error) ? g_steal_pointer(&graph) : NULL;
}
