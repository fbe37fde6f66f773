/* SPDX-License-Identifier: MIT */
#include "backend/steps.h"

/* The only layer that reads @i, or -1 where several do or where it is the output. */
static int only_reader(const DpcxrGraph *graph, int i)
{
    int reader = -1;
    for (int k = i + 1; k < dpcxr_graph_n_layers(graph); k++)
        for (int side = 0; side < 2; side++)
            if (dpcxr_graph_layer(graph, k)->inputs[side] == i) {
                if (reader >= 0)
                    return -1;
                reader = k;
            }
    return i == graph->output ? -1 : reader;
}

static DpcxrActivation activation_of(DpcxrLayerType type)
{
    return type == DPCXR_LAYER_RELU   ? DPCXR_ACTIVATION_RELU
           : type == DPCXR_LAYER_MISH ? DPCXR_ACTIVATION_MISH
                                      : DPCXR_ACTIVATION_IDENTITY;
}

/* Lets the norm @i take its readers in; returns the layer whose output the step writes. @step_of: [layers]
 * the norm whose step takes a layer in, 0 for none. */
static int fuse_norm(const DpcxrGraph *graph, int i, int *step_of, DpcxrStep *step)
{
    int last = i, reader = only_reader(graph, i);
    if (reader >= 0 && dpcxr_graph_layer(graph, reader)->type == DPCXR_LAYER_ADD && !step_of[reader]) {
        const int *inputs = dpcxr_graph_layer(graph, reader)->inputs;
        int other = inputs[0] == i ? inputs[1] : inputs[0];
        if (other != step->x) {
            step->other = other;
            step_of[reader] = i;
            last = reader;
            reader = only_reader(graph, reader);
        }
    }
    if (reader >= 0 && activation_of(dpcxr_graph_layer(graph, reader)->type) != DPCXR_ACTIVATION_IDENTITY) {
        step->activation = activation_of(dpcxr_graph_layer(graph, reader)->type);
        step_of[reader] = i;
        last = reader;
    }
    return last;
}

DpcxrStep *dpcxr_steps_new(const DpcxrGraph *graph, int *n_steps)
{
    int n = dpcxr_graph_n_layers(graph);
    g_autofree int *step_of = g_new0(int, n);
    g_autofree DpcxrStep *ending =
        g_new0(DpcxrStep, n); /* by the last layer of the step; INPUT: none ends here */
    for (int i = 1; i < n; i++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
        if (step_of[i])
            continue;
        DpcxrStep step = {layer->type, i, layer->inputs[0], layer->inputs[1], i, activation_of(layer->type)};
        if (layer->type == DPCXR_LAYER_GROUP_NORM)
            step.y = fuse_norm(graph, i, step_of, &step);
        ending[step.y] = step;
    }
    DpcxrStep *steps = g_new0(DpcxrStep, n);
    *n_steps = 0;
    for (int i = 1; i < n; i++)
        if (ending[i].type != DPCXR_LAYER_INPUT)
            steps[(*n_steps)++] = ending[i];
    return steps;
}

gboolean *dpcxr_steps_wants_gradient(const DpcxrGraph *graph)
{
    gboolean *wants = g_new0(gboolean, dpcxr_graph_n_layers(graph));
    for (int i = 1; i < dpcxr_graph_n_layers(graph); i++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
        wants[i] = layer->parameters[0] >= 0 || wants[layer->inputs[0]] ||
                   (layer->inputs[1] >= 0 && wants[layer->inputs[1]]);
    }
    return wants;
}

gboolean dpcxr_step_reads_x_again(const DpcxrStep *step)
{
    return step->type == DPCXR_LAYER_CONV2D || step->type == DPCXR_LAYER_LINEAR ||
           step->type == DPCXR_LAYER_GROUP_NORM || step->type == DPCXR_LAYER_RELU ||
           step->type == DPCXR_LAYER_MISH;
}

gboolean dpcxr_step_reads_other_again(const DpcxrStep *step)
{
    return step->type == DPCXR_LAYER_GROUP_NORM && step->activation != DPCXR_ACTIVATION_IDENTITY;
}
