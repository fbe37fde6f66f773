/* SPDX-License-Identifier: MIT
 * A model with nothing wrong; each plugin of this folder spoils one thing. */
#pragma once
#include <dpcxr/dpcxr.h>

/* These plugins are loaded and described, never built. */
static DpcxrNode build(DpcxrGraph *graph, const DpcxrOptions *options, int outputs)
{
    return -1;
}

static const DpcxrModel model = {.build = build};
