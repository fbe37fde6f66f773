/* SPDX-License-Identifier: MIT
 * How option values come to be: from a YAML map, or from text (command lines, tests). */
#pragma once
#include <dpcxr/options.h>

/* Parses "key: value" pairs given as a YAML flow or block map, e.g. "{degrees: 10}"; "" is the empty map.
 * DPCXR_ERROR_USAGE lists every problem. */
DpcxrOptions *dpcxr_options_parse(const DpcxrOptionSpec *specs, const char *yaml, GError **error);
void dpcxr_options_free(DpcxrOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrOptions, dpcxr_options_free)
