/* SPDX-License-Identifier: MIT
 * The descriptor ends after the members that never move; the rest of the page must not be believed. */
#include <dpcxr/dpcxr.h>

typedef struct {
    guint32 abi_major, abi_minor;
    gsize struct_size, feature_size;
} Head;

DPCXR_PLUGIN_EXPORT extern const Head dpcxr_plugin_model_short_struct;
const Head dpcxr_plugin_model_short_struct = {DPCXR_ABI_MAJOR, DPCXR_ABI_MINOR, sizeof(Head),
                                              sizeof(DpcxrModel)};
