/* SPDX-License-Identifier: MIT
 * Layer calls: each checks its input, infers its shape, adds its parameters. A call on a broken graph or on an inert
 * node does nothing, so the first message is the one that matters. */
#include "graph/build.h"
#include <math.h>

enum { INERT = -1 };
/* Elements of one layer's output; indices into one image fit an int everywhere below. */
static const gint64 max_elements = G_MAXINT32 / 4;

static gboolean usable(DpcxrGraph *graph, DpcxrNode x, const char *what)
{
    if (graph->error)
        return FALSE;
    if (!dpcxr_graph_has(graph, x)) {
        dpcxr_graph_fail(graph, "%s: its input is node %d, which is not in the graph", what, x);
        return FALSE;
    }
    return TRUE;
}

static DpcxrNode append(DpcxrGraph *graph, DpcxrLayer layer, const char *what)
{
    gint64 elements = (gint64)layer.shape.height * layer.shape.width;
    if (elements > max_elements || elements * layer.shape.channels > max_elements) {
        dpcxr_graph_fail(graph, "%s: an output of %d x %d x %d is too large", what, layer.shape.height,
                         layer.shape.width, layer.shape.channels);
        return INERT;
    }
    g_array_append_val(graph->layers, layer);
    return (DpcxrNode)graph->layers->len - 1;
}

static DpcxrLayer layer_of(DpcxrLayerType type, DpcxrNode a, DpcxrNode b, DpcxrShape shape)
{
    return (DpcxrLayer){.type = type, .inputs = {a, b}, .parameters = {-1, -1}, .shape = shape};
}

/* @dims: the first @n_dims of four. The parameter belongs to the layer that the caller appends next. */
static int add_parameter(DpcxrGraph *graph, const char *layer, const char *suffix, const int *dims, int n_dims,
                         DpcxrInit init, double init_scale)
{
    DpcxrParameter parameter = {.name = g_strdup_printf("%s.%s", layer, suffix),
                                .n_dims = n_dims,
                                .size = 1,
                                .init = init,
                                .init_scale = init_scale,
                                .layer = (int)graph->layers->len};
    for (int i = 0; i < n_dims; i++) {
        parameter.dims[i] = dims[i];
        if (!g_size_checked_mul(&parameter.size, parameter.size, (gsize)dims[i]) ||
            parameter.size > (gsize)max_elements)
            dpcxr_graph_fail(graph, "%s.%s: too many values", layer, suffix);
    }
    g_array_append_val(graph->parameters, parameter);
    return (int)graph->parameters->len - 1;
}

/* Output length of a window of @kernel moved by @stride over @length with @padding on both sides; 0: none fits. */
static int windows(int length, int kernel, int stride, int padding)
{
    gint64 room = (gint64)length + 2 * (gint64)padding - kernel;
    return room < 0 ? 0 : (int)(room / stride + 1);
}

static DpcxrNode conv2d(DpcxrGraph *graph, DpcxrNode x, DpcxrConv2d conv, const char *name)
{
    int stride = conv.stride ? conv.stride : 1;
    if (!usable(graph, x, name))
        return INERT;
    DpcxrShape in = dpcxr_graph_layer(graph, x)->shape;
    if (conv.out_channels < 1 || conv.kernel < 1 || stride < 1 || conv.padding < 0 || conv.kernel > 63 ||
        conv.padding >= conv.kernel) {
        dpcxr_graph_fail(graph,
                         "%s: conv2d needs out_channels >= 1, kernel 1 .. 63, stride >= 1 and padding below the "
                         "kernel (got %d, %d, %d, %d)",
                         name, conv.out_channels, conv.kernel, stride, conv.padding);
        return INERT;
    }
    DpcxrShape out = {windows(in.height, conv.kernel, stride, conv.padding),
                      windows(in.width, conv.kernel, stride, conv.padding), conv.out_channels};
    if (out.height < 1 || out.width < 1) {
        dpcxr_graph_fail(graph, "%s: a %d x %d kernel does not fit its input of %d x %d; use larger images", name,
                         conv.kernel, conv.kernel, in.height, in.width);
        return INERT;
    }
    DpcxrLayer layer = layer_of(DPCXR_LAYER_CONV2D, x, -1, out);
    layer.kernel = conv.kernel;
    layer.stride = stride;
    layer.padding = conv.padding;
    double taps = (double)conv.kernel * conv.kernel;
    layer.parameters[0] =
        add_parameter(graph, name, "weight", (int[]){out.channels, in.channels, conv.kernel, conv.kernel}, 4,
                      DPCXR_INIT_NORMAL, sqrt(2.0 / (taps * out.channels)));
    if (conv.bias)
        layer.parameters[1] = add_parameter(graph, name, "bias", &out.channels, 1, DPCXR_INIT_UNIFORM,
                                            1 / sqrt(taps * in.channels));
    return append(graph, layer, name);
}

static DpcxrNode group_norm(DpcxrGraph *graph, DpcxrNode x, int groups, double eps, const char *name)
{
    if (!usable(graph, x, name))
        return INERT;
    DpcxrShape shape = dpcxr_graph_layer(graph, x)->shape;
    if (groups < 1 || shape.channels % groups) {
        dpcxr_graph_fail(graph, "%s: group_norm: %d groups do not divide %d channels", name, groups, shape.channels);
        return INERT;
    }
    if (!(eps > 0 && isfinite(eps))) {
        dpcxr_graph_fail(graph, "%s: group_norm: eps must be > 0 (got %g)", name, eps);
        return INERT;
    }
    DpcxrLayer layer = layer_of(DPCXR_LAYER_GROUP_NORM, x, -1, shape);
    layer.groups = groups;
    layer.eps = (float)eps;
    layer.parameters[0] = add_parameter(graph, name, "weight", &shape.channels, 1, DPCXR_INIT_ONES, 0);
    layer.parameters[1] = add_parameter(graph, name, "bias", &shape.channels, 1, DPCXR_INIT_ZEROS, 0);
    return append(graph, layer, name);
}

static DpcxrNode linear(DpcxrGraph *graph, DpcxrNode x, int out_features, const char *name)
{
    if (!usable(graph, x, name))
        return INERT;
    DpcxrShape in = dpcxr_graph_layer(graph, x)->shape;
    if (in.height != 1 || in.width != 1 || out_features < 1) {
        dpcxr_graph_fail(graph, "%s: linear maps 1 x 1 x C to at least one feature (got %d x %d x %d to %d); pool first",
                         name, in.height, in.width, in.channels, out_features);
        return INERT;
    }
    DpcxrLayer layer = layer_of(DPCXR_LAYER_LINEAR, x, -1, (DpcxrShape){1, 1, out_features});
    double bound = 1 / sqrt((double)in.channels);
    layer.parameters[0] = add_parameter(graph, name, "weight", (int[]){out_features, in.channels}, 2,
                                        DPCXR_INIT_UNIFORM, bound);
    layer.parameters[1] = add_parameter(graph, name, "bias", &out_features, 1, DPCXR_INIT_UNIFORM, bound);
    return append(graph, layer, name);
}

#define FORMAT_NAME(name)                                                                                         \
    va_list arguments;                                                                                            \
    va_start(arguments, name);                                                                                    \
    g_autofree char *full_name = g_strdup_vprintf(name, arguments);                                               \
    va_end(arguments)

DpcxrNode dpcxr_conv2d(DpcxrGraph *graph, DpcxrNode x, DpcxrConv2d conv, const char *name, ...)
{
    FORMAT_NAME(name);
    return conv2d(graph, x, conv, full_name);
}

DpcxrNode dpcxr_group_norm(DpcxrGraph *graph, DpcxrNode x, int groups, double eps, const char *name, ...)
{
    FORMAT_NAME(name);
    return group_norm(graph, x, groups, eps, full_name);
}

DpcxrNode dpcxr_linear(DpcxrGraph *graph, DpcxrNode x, int out_features, const char *name, ...)
{
    FORMAT_NAME(name);
    return linear(graph, x, out_features, full_name);
}

static DpcxrNode pointwise(DpcxrGraph *graph, DpcxrNode x, DpcxrLayerType type)
{
    const char *what = dpcxr_layer_type_name(type);
    if (!usable(graph, x, what))
        return INERT;
    return append(graph, layer_of(type, x, -1, dpcxr_graph_layer(graph, x)->shape), what);
}

DpcxrNode dpcxr_relu(DpcxrGraph *graph, DpcxrNode x)
{
    return pointwise(graph, x, DPCXR_LAYER_RELU);
}

DpcxrNode dpcxr_mish(DpcxrGraph *graph, DpcxrNode x)
{
    return pointwise(graph, x, DPCXR_LAYER_MISH);
}

DpcxrNode dpcxr_add(DpcxrGraph *graph, DpcxrNode a, DpcxrNode b)
{
    if (!usable(graph, a, "add") || !usable(graph, b, "add"))
        return INERT;
    DpcxrShape sa = dpcxr_graph_layer(graph, a)->shape, sb = dpcxr_graph_layer(graph, b)->shape;
    if (sa.height != sb.height || sa.width != sb.width || sa.channels != sb.channels) {
        dpcxr_graph_fail(graph, "add: shapes differ: %d x %d x %d and %d x %d x %d", sa.height, sa.width, sa.channels,
                         sb.height, sb.width, sb.channels);
        return INERT;
    }
    return append(graph, layer_of(DPCXR_LAYER_ADD, a, b, sa), "add");
}

DpcxrNode dpcxr_max_pool2d(DpcxrGraph *graph, DpcxrNode x, int kernel, int stride, int padding)
{
    if (!usable(graph, x, "max_pool2d"))
        return INERT;
    DpcxrShape in = dpcxr_graph_layer(graph, x)->shape;
    if (kernel < 1 || stride < 1 || padding < 0 || padding > kernel / 2) {
        dpcxr_graph_fail(graph,
                         "max_pool2d needs kernel >= 1, stride >= 1 and padding of at most half the kernel (got %d, "
                         "%d, %d)",
                         kernel, stride, padding);
        return INERT;
    }
    DpcxrShape out = {windows(in.height, kernel, stride, padding), windows(in.width, kernel, stride, padding),
                      in.channels};
    if (out.height < 1 || out.width < 1) {
        dpcxr_graph_fail(graph, "max_pool2d: a %d x %d window does not fit its input of %d x %d; use larger images",
                         kernel, kernel, in.height, in.width);
        return INERT;
    }
    DpcxrLayer layer = layer_of(DPCXR_LAYER_MAX_POOL2D, x, -1, out);
    layer.kernel = kernel;
    layer.stride = stride;
    layer.padding = padding;
    return append(graph, layer, "max_pool2d");
}

DpcxrNode dpcxr_global_average_pool(DpcxrGraph *graph, DpcxrNode x)
{
    if (!usable(graph, x, "global_average_pool"))
        return INERT;
    DpcxrShape out = {1, 1, dpcxr_graph_layer(graph, x)->shape.channels};
    return append(graph, layer_of(DPCXR_LAYER_GLOBAL_AVERAGE_POOL, x, -1, out), "global_average_pool");
}
