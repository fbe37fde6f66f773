/* SPDX-License-Identifier: MIT */
#include "bench/flop.h"

double dpcxr_bench_layer_flop(const DpcxrGraph *graph, int i)
{
    const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
    if (layer->type != DPCXR_LAYER_CONV2D && layer->type != DPCXR_LAYER_LINEAR)
        return 0;
    double positions = (double)layer->shape.height * layer->shape.width;
    return 2 * positions * (double)dpcxr_graph_parameter(graph, layer->parameters[0])->size;
}

double dpcxr_bench_step_flop(const DpcxrGraph *graph)
{
    double flop = 0;
    for (int i = 1; i < dpcxr_graph_n_layers(graph); i++)
        flop += dpcxr_bench_layer_flop(graph, i) * (dpcxr_graph_layer(graph, i)->inputs[0] == 0 ? 2 : 3);
    return flop;
}
