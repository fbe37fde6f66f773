/* SPDX-License-Identifier: MIT */
#include "backend/narrow.h"

/* Images that only linear layers read are not worth it. */
static gboolean images_are_narrow(const DpcxrGraph *graph)
{
    for (int i = 1; i < dpcxr_graph_n_layers(graph); i++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
        if (layer->type != DPCXR_LAYER_LINEAR && (layer->inputs[0] == 0 || layer->inputs[1] == 0))
            return TRUE;
    }
    return FALSE;
}

static gboolean is_narrow(const DpcxrGraph *graph, const gboolean *narrow, const DpcxrLayer *layer)
{
    switch (layer->type) {
    case DPCXR_LAYER_INPUT:
        return images_are_narrow(graph);
    case DPCXR_LAYER_LINEAR:
    case DPCXR_LAYER_GLOBAL_AVERAGE_POOL:
        return FALSE;
    case DPCXR_LAYER_GROUP_NORM:
    case DPCXR_LAYER_RELU:
    case DPCXR_LAYER_MISH:
    case DPCXR_LAYER_ADD:
        return narrow[layer->inputs[0]];
    default:
        return TRUE;
    }
}

/* NULL, or what @layer, which reads @narrow tensors, cannot do. */
static const char *problem_of(const gboolean *narrow, const DpcxrLayer *layer)
{
    if (layer->inputs[0] < 0)
        return NULL;
    gboolean first = narrow[layer->inputs[0]];
    if ((layer->type == DPCXR_LAYER_CONV2D || layer->type == DPCXR_LAYER_MAX_POOL2D) && !first)
        return "convolution or pooling";
    return layer->inputs[1] >= 0 && narrow[layer->inputs[1]] != first ? "sum" : NULL;
}

gboolean *dpcxr_narrow_layers(const DpcxrGraph *graph, DpcxrPrecision precision, GError **error)
{
    int n = dpcxr_graph_n_layers(graph);
    g_autofree gboolean *narrow = g_new0(gboolean, n);
    for (int i = 0; precision != DPCXR_PRECISION_FP32 && i < n; i++) {
        const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
        const char *problem = problem_of(narrow, layer);
        if (problem) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "device.precision: %s is not there for this model: a %s reads what a pooled or "
                        "linear layer puts out; use fp32",
                        dpcxr_precision_name(precision), problem);
            return NULL;
        }
        narrow[i] = is_narrow(graph, narrow, layer);
    }
    return g_steal_pointer(&narrow);
}
