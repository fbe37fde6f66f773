/* SPDX-License-Identifier: MIT
 * Calls a function that is nowhere. */
#include "good.h"

DpcxrNode dpcxr_layer_of_tomorrow(DpcxrGraph *graph, DpcxrNode x);

static DpcxrNode build_tomorrow(DpcxrGraph *graph, const DpcxrOptions *options, int outputs)
{
    return dpcxr_layer_of_tomorrow(graph, build(graph, options, outputs));
}

static const DpcxrModel tomorrow = {.build = build_tomorrow};

DPCXR_PLUGIN_DEFINE_MODEL(unresolved, .version = "1", .summary = "Broken on purpose.", .licence = "MIT",
                          .feature = &tomorrow);
