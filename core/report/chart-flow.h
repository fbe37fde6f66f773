/* SPDX-License-Identifier: MIT
 * How the images that were found came to be those that were used. */
#pragma once
#include "report/svg.h"

typedef struct {
    const char *title;
    const char *const *lines; /* [n_lines] below it */
    gsize n_lines;
} DpcxrFlowBox;

/* @found, to its right @excluded (title NULL: nothing was left out), below them @ends side by side. (transfer
 * full) */
DpcxrSvg *dpcxr_flow_chart(const char *label, const DpcxrFlowBox *found, const DpcxrFlowBox *excluded,
                           const DpcxrFlowBox *ends, gsize n_ends);
