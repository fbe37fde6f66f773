/* SPDX-License-Identifier: MIT
 * Finds, loads, checks and describes plugins. One registry a process, filled before threads start. A plugin that does
 * not load is remembered with its error: it stops the experiment that names it and nothing else.
 *
 * Search order: `plugins:` of the experiment, the build tree (where dpcxr runs uninstalled), DPCXR_PLUGIN_PATH, the
 * install folder. The first file of a kind and name takes the name, even where it does not load: a run never gets
 * another plugin than the one it was pointed at. The others are remembered as duplicates and not opened. */
#pragma once
#include <dpcxr/dpcxr.h>

typedef struct {
    DpcxrPluginKind kind;
    char *name;   /* from the file name */
    char *file;   /* path of the shared object, absolute */
    char *sha256; /* of the file, for the privacy card; NULL where it was not read */
    const DpcxrPlugin *plugin; /* NULL where it is not usable */
    GError *error;             /* why not; else NULL */
} DpcxrPluginEntry;

const char *dpcxr_plugin_kind_name(DpcxrPluginKind kind); /* "model", ... */
gboolean dpcxr_plugin_kind_from_name(const char *name, DpcxrPluginKind *kind);

/* Scans build/plugins where libdpcxr.so lies in a build tree, then the folders of DPCXR_PLUGIN_PATH (colon-separated; those
 * that do not exist are passed over), then, where it is installed, dpcxr/ beside it. Later calls do nothing. */
void dpcxr_registry_scan(void);
/* Adds a file or the plugins in a folder (`plugins:` of the config), ahead of all that a scan finds, before or after.
 * A plugin that does not load is remembered. DPCXR_ERROR_USAGE: the path does not exist, the file's name is not
 * dpcxr-KIND-NAME.so, or the folder holds no plugin. */
gboolean dpcxr_registry_add(const char *path, GError **error);

/* All entries, broken ones and duplicates too, in order of kind, name, and place in the search. (transfer container) */
GPtrArray *dpcxr_registry_list(void);
/* The usable plugin of that name. DPCXR_ERROR_USAGE: none (with those there are and the nearest one), or its load
 * error. Entries found stay valid until dpcxr_registry_reset, whatever is added later. */
const DpcxrPluginEntry *dpcxr_registry_find(DpcxrPluginKind kind, const char *name, GError **error);
/* Forgets everything; modules stay resident. For tests. */
void dpcxr_registry_reset(void);
