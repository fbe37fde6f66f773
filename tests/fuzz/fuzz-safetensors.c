/* SPDX-License-Identifier: MIT
 * Fuzz target: any bytes as a safetensors file. Whatever is accepted must be readable to its last byte. */
#include "tensor/safetensors.h"

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(data, size); /* a copy of exactly this size, for ASan */
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_from_bytes(bytes, "fuzz", &error);

    g_assert((file == NULL) == (error != NULL));
    for (gsize i = 0; file && i < dpcxr_safetensors_count(file); i++) {
        const DpcxrNamedTensor *tensor = dpcxr_safetensors_get(file, i);
        g_autofree gpointer copy = g_memdup2(tensor->data, tensor->bytes);
        g_assert(dpcxr_safetensors_find(file, tensor->name) == tensor && (copy || !tensor->bytes));
    }
    return 0;
}
