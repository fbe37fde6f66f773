/* SPDX-License-Identifier: MIT */
#include "tensor/dtype.h"
#include <string.h>

static const struct {
    const char *name;
    gsize size;
} dtypes[] = {
    [DPCXR_F32] = {"F32", 4}, [DPCXR_F64] = {"F64", 8}, [DPCXR_I64] = {"I64", 8},
    [DPCXR_U8] = {"U8", 1},   [DPCXR_F16] = {"F16", 2}, [DPCXR_BF16] = {"BF16", 2},
};

gsize dpcxr_dtype_size(DpcxrDtype dtype)
{
    return dtypes[dtype].size;
}

const char *dpcxr_dtype_name(DpcxrDtype dtype)
{
    return dtypes[dtype].name;
}

gboolean dpcxr_dtype_find(const char *name, DpcxrDtype *dtype)
{
    for (gsize i = 0; i < G_N_ELEMENTS(dtypes); i++)
        if (strcmp(name, dtypes[i].name) == 0) {
            *dtype = (DpcxrDtype)i;
            return TRUE;
        }
    return FALSE;
}

gboolean dpcxr_tensor_bytes(const DpcxrNamedTensor *tensor, gsize *bytes)
{
    gsize n = dtypes[tensor->dtype].size;

    for (int i = 0; i < tensor->n_dims; i++)
        if (tensor->dims[i] < 0 || !g_size_checked_mul(&n, n, (gsize)tensor->dims[i]))
            return FALSE;
    *bytes = n;
    return TRUE;
}
