/* SPDX-License-Identifier: MIT
 * Element types as safetensors names them; shared by its reader and writer. */
#pragma once
#include "tensor/safetensors.h"

G_STATIC_ASSERT(G_BYTE_ORDER == G_LITTLE_ENDIAN); /* files are little-endian, and data is used in place */

#define DPCXR_METADATA "__metadata__" /* the one key of a header that is no tensor */

gsize dpcxr_dtype_size(DpcxrDtype dtype); /* bytes */
const char *dpcxr_dtype_name(DpcxrDtype dtype); /* "F32" */
gboolean dpcxr_dtype_find(const char *name, DpcxrDtype *dtype);

/* What shape and dtype of @tensor ask for. FALSE where a dimension is negative or the product does not fit. */
gboolean dpcxr_tensor_bytes(const DpcxrNamedTensor *tensor, gsize *bytes);
