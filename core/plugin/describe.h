/* SPDX-License-Identifier: MIT
 * What there is to choose from, for people (text) and programs (JSON), from the same tables that validate a config. */
#pragma once
#include "plugin/registry.h"

/* @kind: NULL for all. One line a plugin; what does not load comes after, with its error. (transfer full) */
char *dpcxr_describe_list(const DpcxrPluginKind *kind);
/* One working plugin: what it is, where it comes from, its options. (transfer full) */
char *dpcxr_describe_plugin(const DpcxrPluginEntry *entry);

/* An array of what dpcxr_describe_plugin_json gives; broken plugins have "error" and no description. (transfer full) */
char *dpcxr_describe_list_json(const DpcxrPluginKind *kind);
/* {"kind", "name", "file", "sha256", "error", "version", "summary", "licence", "reference", "abi", "options":
 * [{"name", "type", "required", "default" (YAML text, null where required), "min", "max", "choices", "unit",
 * "summary"}]}; null where there is no value. (transfer full) */
char *dpcxr_describe_plugin_json(const DpcxrPluginEntry *entry);
