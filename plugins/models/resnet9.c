/* SPDX-License-Identifier: MIT
 * ResNet9: torchvision's ResNet with one BasicBlock a stage (He et al. 2016) and group norm instead of batch
 * norm, which mixes images. Parameters have torchvision's names and shapes, so state dicts
 * travel both ways. */
#include <dpcxr/dpcxr.h>

typedef struct {
    DpcxrGraph *graph;
    int groups;
    DpcxrNode (*activation)(DpcxrGraph *graph, DpcxrNode x);
} Builder;

static const DpcxrOptionSpec options[] = {
    {"norm", DPCXR_OPTION_CHOICE, "group", 0, 0, "group", NULL, "Normalisation, of each image by itself."},
    {"groups", DPCXR_OPTION_INT, "32", 1, 4096, NULL, NULL,
     "Groups of channels of a norm; must divide width."},
    {"width", DPCXR_OPTION_INT, "64", 1, 4096, NULL, NULL,
     "Channels of the first stage; the last has eight times as many."},
    {"activation", DPCXR_OPTION_CHOICE, "mish", 0, 0, "mish|relu", NULL, "The non-linearity."},
    {NULL},
};

static DpcxrNode conv(const Builder *b, DpcxrNode x, int channels, int kernel, int stride, const char *prefix,
                      const char *name)
{
    DpcxrConv2d shape = {.out_channels = channels, .kernel = kernel, .stride = stride, .padding = kernel / 2};

    return dpcxr_conv2d(b->graph, x, shape, "%s%s", prefix, name);
}

static DpcxrNode norm(const Builder *b, DpcxrNode x, const char *prefix, const char *name)
{
    return dpcxr_group_norm(b->graph, x, b->groups, 1e-5, "%s%s", prefix, name);
}

/* Two 3x3 convolutions beside a shortcut, which is a 1x1 convolution where the shape changes. */
static DpcxrNode basic_block(const Builder *b, DpcxrNode x, int channels, int stride, const char *prefix)
{
    DpcxrNode y = conv(b, x, channels, 3, stride, prefix, "conv1");

    y = b->activation(b->graph, norm(b, y, prefix, "bn1"));
    y = norm(b, conv(b, y, channels, 3, 1, prefix, "conv2"), prefix, "bn2");
    if (stride != 1)
        x = norm(b, conv(b, x, channels, 1, stride, prefix, "downsample.0"), prefix, "downsample.1");
    return b->activation(b->graph, dpcxr_add(b->graph, y, x));
}

static DpcxrNode build(DpcxrGraph *graph, const DpcxrOptions *chosen, int outputs)
{
    gboolean relu = g_str_equal(dpcxr_options_get_string(chosen, "activation"), "relu");
    const Builder b = {graph, (int)dpcxr_options_get_int(chosen, "groups"), relu ? dpcxr_relu : dpcxr_mish};
    int width = (int)dpcxr_options_get_int(chosen, "width");
    DpcxrNode x = conv(&b, dpcxr_graph_input(graph), width, 7, 2, "", "conv1");

    x = b.activation(graph, norm(&b, x, "", "bn1"));
    x = dpcxr_max_pool2d(graph, x, 3, 2, 1);
    x = basic_block(&b, x, width, 1, "layer1.0.");
    x = basic_block(&b, x, 2 * width, 2, "layer2.0.");
    x = basic_block(&b, x, 4 * width, 2, "layer3.0.");
    x = basic_block(&b, x, 8 * width, 2, "layer4.0.");
    return dpcxr_linear(graph, dpcxr_global_average_pool(graph, x), outputs, "fc");
}

static const DpcxrModel model = {.build = build};

DPCXR_PLUGIN_DEFINE_MODEL(resnet9, .version = "1.0", .licence = "MIT",
                          .summary = "ResNet of four basic blocks with group norm; 4.9 million parameters.",
                          .reference = "He et al. 2016, doi:10.1109/CVPR.2016.90", .options = options,
                          .feature = &model);
