/* SPDX-License-Identifier: MIT */
#include "base/precision.h"

static const char *const names[DPCXR_N_PRECISIONS] = {"fp32", "bf16", "fp16"};

const char *dpcxr_precision_name(DpcxrPrecision precision)
{
    return names[precision];
}

gboolean dpcxr_precision_parse(const char *name, DpcxrPrecision *precision)
{
    for (int i = 0; i < DPCXR_N_PRECISIONS; i++)
        if (g_str_equal(name, names[i])) {
            *precision = (DpcxrPrecision)i;
            return TRUE;
        }
    return FALSE;
}
