/* SPDX-License-Identifier: MIT */
#include "bench/resnet9.h"
#include "config/options.h"
#include "plugin/registry.h"
#include <dpcxr/model.h>

DpcxrGraph *dpcxr_bench_resnet9(int size, GError **error)
{
    dpcxr_registry_scan();
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "resnet9", error);
    if (!entry)
        return NULL;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(entry->plugin->options, "", error);
    if (!options)
        return NULL;
    g_autoptr(DpcxrGraph) graph = dpcxr_graph_new(size, size, BENCH_CHANNELS);
    DpcxrNode output = ((const DpcxrModel *)entry->plugin->feature)->build(graph, options, BENCH_LABELS);
    return dpcxr_graph_finish(graph, output, BENCH_LABELS, error) ? g_steal_pointer(&graph) : NULL;
}
