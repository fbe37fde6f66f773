/* SPDX-License-Identifier: MIT
 * Every type of option, and nothing wrong. */
#include "good.h"

static const DpcxrOptionSpec options[] = {
    {"depth", DPCXR_OPTION_INT, "2", .min = 1, .max = 8, .summary = "Number of layers."},
    {"rate", DPCXR_OPTION_NUMBER, "0.5", .min = 0, .max = 1, .unit = "per layer",
     .summary = "Dropped share."},
    {"scale", DPCXR_OPTION_NUMBER, "1", .min = 0, .max = G_MAXDOUBLE, .summary = "Of the output."},
    {"width", DPCXR_OPTION_NUMBER, "auto", .min = G_MINDOUBLE, .max = G_MAXDOUBLE, .choices = "auto|full",
     .unit = "px", .summary = "Of the kernel."},
    {"share", DPCXR_OPTION_NUMBER, "1", .min = G_MINDOUBLE, .max = 1, .summary = "Of the data."},
    {"side", DPCXR_OPTION_CHOICE, "left", .choices = "left|right", .summary = "Which side."},
    {"file", DPCXR_OPTION_PATH, NULL, .summary = "Where to read."},
    {"bias", DPCXR_OPTION_BOOL, "true", .summary = "Whether there is one."},
    {"title", DPCXR_OPTION_STRING, "null", .summary = "For plots."},
    {"views", DPCXR_OPTION_STRINGS, "[PA]", .choices = "PA|AP", .summary = "Which way."},
    {"names", DPCXR_OPTION_STRINGS, "[a, b]", .summary = "Of the layers."},
    {"widths", DPCXR_OPTION_NUMBERS, "[1, 2]", .min = 1, .max = 9, .summary = "Of the layers."},
    {"columns", DPCXR_OPTION_MAP, "{}", .summary = "From name to column."},
    {NULL},
};

DPCXR_PLUGIN_DEFINE_MODEL(good, .version = "1.2", .summary = "A model of nothing.", .licence = "MIT",
                          .reference = "doi:10.0/none", .options = options, .feature = &model);
