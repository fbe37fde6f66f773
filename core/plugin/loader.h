/* SPDX-License-Identifier: MIT
 * Opens one plugin file and decides whether it may be used. Nothing here knows of other plugins or of search orders;
 * that is the registry. */
#pragma once
#include <dpcxr/dpcxr.h>

/* Splits ".../dpcxr-KIND-NAME.so". FALSE where the file name is not of that form, KIND is none of the kinds, or NAME is
 * not lower-case letters, digits and underscores starting with a letter (it becomes part of a C symbol). @name: (out,
 * transfer full). */
gboolean dpcxr_plugin_split_file_name(const char *path, DpcxrPluginKind *kind, char **name);

/* Opens the shared object @path (absolute), checks its descriptor dpcxr_plugin_KIND_NAME from the outside in (ABI
 * version, sizes, then contents), and calls its init. The module stays in the process even where a check fails, for code
 * of it may have run. The descriptor lives as long as the process.
 * @sha256: (out, transfer full) of the file's bytes, in hex; also set where loading fails, unless the file cannot be read.
 * Errors: DPCXR_ERROR_USAGE, the message names the file and what is wrong with it. */
const DpcxrPlugin *dpcxr_plugin_load(const char *path, DpcxrPluginKind kind, const char *name, char **sha256,
                                     GError **error);
