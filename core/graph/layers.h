/* SPDX-License-Identifier: MIT
 * A finished graph as backends read it: layers in topological order, shapes known, parameters named. */
#pragma once
#include <dpcxr/error.h>
#include <dpcxr/graph.h>

typedef enum {
    DPCXR_LAYER_INPUT,
    DPCXR_LAYER_CONV2D,
    DPCXR_LAYER_GROUP_NORM,
    DPCXR_LAYER_LINEAR,
    DPCXR_LAYER_RELU,
    DPCXR_LAYER_MISH,
    DPCXR_LAYER_ADD,
    DPCXR_LAYER_MAX_POOL2D,
    DPCXR_LAYER_GLOBAL_AVERAGE_POOL,
    DPCXR_N_LAYER_TYPES
} DpcxrLayerType;

typedef struct {
    int height, width, channels; /* NHWC without N */
} DpcxrShape;

static inline gsize dpcxr_shape_size(DpcxrShape s)
{
    return (gsize)s.height * (gsize)s.width * (gsize)s.channels;
}

typedef struct {
    DpcxrLayerType type;
    int inputs[2];    /* indices of earlier layers; -1: none */
    DpcxrShape shape; /* of the output; checked to fit an int in elements */
    int parameters[2]; /* weight, bias: indices of parameters; -1: none */
    int kernel, stride, padding; /* conv2d, max_pool2d */
    int groups;                  /* group_norm */
    float eps;                   /* group_norm */
} DpcxrLayer;

typedef enum { DPCXR_INIT_ZEROS, DPCXR_INIT_ONES, DPCXR_INIT_NORMAL, DPCXR_INIT_UNIFORM } DpcxrInit;

typedef struct {
    char *name;       /* PyTorch's: "layer1.0.conv1.weight" */
    int dims[4];      /* PyTorch's: OIHW, [out, in], [C] */
    int n_dims;       /* 1, 2 or 4 */
    gsize size;       /* product of dims */
    DpcxrInit init;
    double init_scale; /* NORMAL: standard deviation; UNIFORM: half width */
    int layer;
} DpcxrParameter;

struct _DpcxrGraph {
    GArray *layers;     /* DpcxrLayer; layer 0 is the input */
    GArray *parameters; /* DpcxrParameter, in the order of the layer calls */
    int output;         /* after dpcxr_graph_finish */
    GError *error;      /* the first bad call */
};

DpcxrGraph *dpcxr_graph_new(int height, int width, int channels);
void dpcxr_graph_free(DpcxrGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrGraph, dpcxr_graph_free)

/* Closes the graph: @output becomes its output, layers that do not lead to it are an error, and so is the first bad
 * call (DPCXR_ERROR_USAGE). @outputs: expected size of a 1 x 1 x @outputs result, or 0 for any shape (one-layer graphs of tests). */
gboolean dpcxr_graph_finish(DpcxrGraph *graph, DpcxrNode output, int outputs, GError **error);

static inline const DpcxrLayer *dpcxr_graph_layer(const DpcxrGraph *graph, int i)
{
    return &g_array_index(graph->layers, DpcxrLayer, i);
}
static inline const DpcxrParameter *dpcxr_graph_parameter(const DpcxrGraph *graph, int i)
{
    return &g_array_index(graph->parameters, DpcxrParameter, i);
}
static inline int dpcxr_graph_n_layers(const DpcxrGraph *graph)
{
    return (int)graph->layers->len;
}
static inline int dpcxr_graph_n_parameters(const DpcxrGraph *graph)
{
    return (int)graph->parameters->len;
}
gsize dpcxr_graph_parameter_count(const DpcxrGraph *graph); /* scalars in all */
int dpcxr_graph_find_parameter(const DpcxrGraph *graph, const char *name); /* -1: none */
const char *dpcxr_layer_type_name(DpcxrLayerType type);                    /* "conv2d" */

/* Initial values of parameter @i from the public seed, in its PyTorch layout. */
void dpcxr_graph_initial_values(const DpcxrGraph *graph, int i, guint64 seed, float *values);
