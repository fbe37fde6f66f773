/* SPDX-License-Identifier: MIT
 * A model plugin: three convolutions, enough to try an experiment on a laptop. */
#include <dpcxr/dpcxr.h>

static DpcxrNode block(DpcxrGraph *graph, DpcxrNode x, int channels, int i)
{
    DpcxrConv2d conv = {.out_channels = channels, .kernel = 3, .stride = 2, .padding = 1};
    x = dpcxr_conv2d(graph, x, conv, "features.%d.conv", i);
    x = dpcxr_group_norm(graph, x, 8, 1e-5, "features.%d.norm", i);
    return dpcxr_relu(graph, x);
}

static DpcxrNode build(DpcxrGraph *graph, const DpcxrOptions *options, int outputs)
{
    int width = (int)dpcxr_options_get_int(options, "width");
    if (width % 8 != 0)
        dpcxr_graph_fail(graph, "%s: width %d is not a multiple of 8, the number of groups",
                         dpcxr_options_where(options, "width"), width);
    DpcxrNode x = dpcxr_graph_input(graph);
    for (int i = 0; i < 3; i++)
        x = block(graph, x, width << i, i);
    return dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), outputs, "fc");
}

static const DpcxrOptionSpec options[] = {
    {"width", DPCXR_OPTION_INT, "16", .min = 8, .max = 512, .unit = "channels",
     .summary = "Channels of the first layer; each further one has twice as many."},
    {NULL},
};

static const DpcxrModel model = {.build = build};

DPCXR_PLUGIN_DEFINE_MODEL(small_cnn, .version = "1.0",
                          .summary = "Three strided convolutions with group norm.", .licence = "MIT",
                          .options = options, .feature = &model);
