/* SPDX-License-Identifier: MIT
 * The life of a graph: made, broken by the first bad call, closed, asked. The layer calls are in layers.c, initial values
 * in init.c. */
#include "graph/build.h"

static void clear_parameter(gpointer data)
{
    g_free(((DpcxrParameter *)data)->name);
}

DpcxrGraph *dpcxr_graph_new(int height, int width, int channels)
{
    g_return_val_if_fail(height > 0 && width > 0 && channels > 0, NULL);
    DpcxrGraph *graph = g_new0(DpcxrGraph, 1);
    graph->layers = g_array_new(FALSE, TRUE, sizeof(DpcxrLayer));
    graph->parameters = g_array_new(FALSE, TRUE, sizeof(DpcxrParameter));
    g_array_set_clear_func(graph->parameters, clear_parameter);
    graph->output = -1;
    DpcxrLayer input = {.type = DPCXR_LAYER_INPUT,
                        .inputs = {-1, -1},
                        .parameters = {-1, -1},
                        .shape = {height, width, channels}};
    g_array_append_val(graph->layers, input);
    return graph;
}

void dpcxr_graph_free(DpcxrGraph *graph)
{
    if (!graph)
        return;
    g_array_unref(graph->layers);
    g_array_unref(graph->parameters);
    g_clear_error(&graph->error);
    g_free(graph);
}

void dpcxr_graph_fail(DpcxrGraph *graph, const char *format, ...)
{
    if (graph->error)
        return;
    va_list arguments;
    va_start(arguments, format);
    graph->error = g_error_new_valist(DPCXR_ERROR, DPCXR_ERROR_USAGE, format, arguments);
    va_end(arguments);
}

DpcxrNode dpcxr_graph_input(DpcxrGraph *graph)
{
    return 0;
}

gboolean dpcxr_graph_has(const DpcxrGraph *graph, DpcxrNode node)
{
    return node >= 0 && (guint)node < graph->layers->len;
}

int dpcxr_graph_height(const DpcxrGraph *graph, DpcxrNode node)
{
    return dpcxr_graph_has(graph, node) ? dpcxr_graph_layer(graph, node)->shape.height : 0;
}

int dpcxr_graph_width(const DpcxrGraph *graph, DpcxrNode node)
{
    return dpcxr_graph_has(graph, node) ? dpcxr_graph_layer(graph, node)->shape.width : 0;
}

int dpcxr_graph_channels(const DpcxrGraph *graph, DpcxrNode node)
{
    return dpcxr_graph_has(graph, node) ? dpcxr_graph_layer(graph, node)->shape.channels : 0;
}

/* Layers are in topological order, so one pass from the output back marks what leads to it. */
static gboolean check_all_used(const DpcxrGraph *graph, GError **error)
{
    g_autofree gboolean *used = g_new0(gboolean, graph->layers->len);
    used[graph->output] = TRUE;
    for (int i = graph->output; i > 0; i--) {
        const DpcxrLayer *layer = dpcxr_graph_layer(graph, i);
        for (int k = 0; used[i] && k < 2; k++)
            if (layer->inputs[k] >= 0)
                used[layer->inputs[k]] = TRUE;
    }
    for (guint i = 0; i < graph->layers->len; i++)
        if (!used[i]) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                        "layer %u (%s) does not lead to the output of the model; remove it or connect it", i,
                        dpcxr_layer_type_name(dpcxr_graph_layer(graph, (int)i)->type));
            return FALSE;
        }
    return TRUE;
}

static gboolean check_names_unique(const DpcxrGraph *graph, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (int i = 0; i < dpcxr_graph_n_parameters(graph); i++)
        if (!g_hash_table_add(names, dpcxr_graph_parameter(graph, i)->name)) {
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "two layers of the model have a parameter \"%s\"",
                        dpcxr_graph_parameter(graph, i)->name);
            return FALSE;
        }
    return TRUE;
}

gboolean dpcxr_graph_finish(DpcxrGraph *graph, DpcxrNode output, int outputs, GError **error)
{
    if (graph->error) {
        g_propagate_error(error, g_error_copy(graph->error));
        return FALSE;
    }
    if (!dpcxr_graph_has(graph, output)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "the model returned node %d, which is not in its graph",
                    output);
        return FALSE;
    }
    DpcxrShape shape = dpcxr_graph_layer(graph, output)->shape;
    if (outputs && (shape.height != 1 || shape.width != 1 || shape.channels != outputs)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "the model's output is %d x %d x %d; it must be 1 x 1 x %d, one logit for each label",
                    shape.height, shape.width, shape.channels, outputs);
        return FALSE;
    }
    graph->output = output;
    return check_all_used(graph, error) && check_names_unique(graph, error);
}

gsize dpcxr_graph_parameter_count(const DpcxrGraph *graph)
{
    gsize count = 0;
    for (int i = 0; i < dpcxr_graph_n_parameters(graph); i++)
        count += dpcxr_graph_parameter(graph, i)->size;
    return count;
}

int dpcxr_graph_find_parameter(const DpcxrGraph *graph, const char *name)
{
    for (int i = 0; i < dpcxr_graph_n_parameters(graph); i++)
        if (g_str_equal(dpcxr_graph_parameter(graph, i)->name, name))
            return i;
    return -1;
}

const char *dpcxr_layer_type_name(DpcxrLayerType type)
{
    static const char *const names[DPCXR_N_LAYER_TYPES] = {
        "input", "conv2d", "group_norm", "linear", "relu", "mish", "add", "max_pool2d", "global_average_pool"};
    return names[type];
}
