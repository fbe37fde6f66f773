/* SPDX-License-Identifier: MIT
 * The resnet9 plugin: names, order and shapes of torchvision's ResNet, sizes, refusals. What the network computes is
 * held against PyTorch in tests/golden/test-step.c. */
#include "config/options.h"
#include "graph/layers.h"
#include "plugin/registry.h"
#include "tensor/safetensors.h"
#include <string.h>

#define LABELS 3

static DpcxrGraph *build(int size, int channels, int outputs, const char *yaml)
{
    g_autoptr(GError) error = NULL;
    dpcxr_registry_scan();
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", &error);
    g_assert_no_error(error);
    const DpcxrModel *model = entry->plugin->feature;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, yaml, &error);
    g_assert_no_error(error);
    DpcxrGraph *graph = dpcxr_graph_new(size, size, channels);
    dpcxr_graph_finish(graph, model->build(graph, options, outputs), outputs, &error);
    g_assert_no_error(error);
    return graph;
}

static DpcxrSafetensors *open_golden(const char *name)
{
    g_autofree char *path =
        g_strdup_printf("%s/tests/golden/step/%s.safetensors", g_getenv("DPCXR_SOURCE"), name);
    g_autoptr(GError) error = NULL;
    DpcxrSafetensors *file = dpcxr_safetensors_open(path, &error);

    g_assert_no_error(error);
    return file;
}

static double metadata_number(const DpcxrSafetensors *golden, const char *key)
{
    return g_ascii_strtod(dpcxr_safetensors_metadata(golden, key), NULL);
}

/* Names, order and shapes. */
static void test_parameters(void)
{
    g_autoptr(DpcxrGraph) graph = build(224, 3, 8, "{}"), gray = build(64, 1, 8, "{activation: relu}"),
                          small = build(64, 3, LABELS, "{}");
    g_autoptr(DpcxrSafetensors) golden = open_golden("resnet9-3");
    g_auto(GStrv) shapes = g_strsplit(dpcxr_safetensors_metadata(golden, "shapes"), "; ", -1);

    g_assert_cmpuint(dpcxr_graph_parameter_count(graph), ==, 4909896);
    g_assert_cmpuint(dpcxr_graph_parameter_count(gray), ==, 4909896 - 2 * 64 * 7 * 7);
    g_assert_cmpuint(dpcxr_graph_parameter_count(small), ==, (gsize)metadata_number(golden, "parameters"));
    g_assert_cmpint(dpcxr_graph_n_parameters(small), ==, g_strv_length(shapes));
    for (int i = 0; i < dpcxr_graph_n_parameters(small); i++) {
        const DpcxrParameter *p = dpcxr_graph_parameter(small, i);
        g_autoptr(GString) text = g_string_new(p->name);
        for (int d = 0; d < p->n_dims; d++)
            g_string_append_printf(text, " %d", p->dims[d]);
        g_assert_cmpstr(text->str, ==, shapes[i]);
    }
}

static void test_odd_sizes(void)
{
    const int sizes[] = {1, 17, 33};

    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(DpcxrGraph) graph = build(sizes[i], 1, 1, "{width: 8, groups: 4}");
        g_assert_nonnull(graph);
    }
}

static void test_refuses_groups(void)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", &error);
    const DpcxrModel *model = entry->plugin->feature;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, "{groups: 48}", &error);
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(64, 64, 1);

    g_assert_no_error(error);
    g_assert_false(dpcxr_graph_finish(graph, model->build(graph, options, 1), 1, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, "bn1"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/resnet9/parameters", test_parameters);
    g_test_add_func("/resnet9/odd-sizes", test_odd_sizes);
    g_test_add_func("/resnet9/refuses-groups", test_refuses_groups);
    return g_test_run();
}
