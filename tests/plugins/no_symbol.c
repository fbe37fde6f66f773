/* SPDX-License-Identifier: MIT
 * Exports no descriptor. */
#include <dpcxr/dpcxr.h>

DPCXR_PLUGIN_EXPORT extern const int dpcxr_plugin_model_something_else;
const int dpcxr_plugin_model_something_else = 1;
