/* SPDX-License-Identifier: MIT
 * Finds, loads, checks and describes plugins. One registry a process, filled before threads start. A plugin that does
 * not load is remembered with its error: it stops the experiment that names it and nothing else. */
#pragma once
#include <dpcxr/dpcxr.h>

typedef struct {
    DpcxrPluginKind kind;
    char *name;  /* from the file name */
    char *file;  /* path of the shared object */
    char *sha256; /* of the file, for the privacy card */
    const DpcxrPlugin *plugin; /* NULL where it did not load */
    GError *error;             /* why not */
} DpcxrPluginEntry;

const char *dpcxr_plugin_kind_name(DpcxrPluginKind kind); /* "model", ... */
gboolean dpcxr_plugin_kind_from_name(const char *name, DpcxrPluginKind *kind);

/* Scans the build tree or the install folder (found from the place of libdpcxr.so), then DPCXR_PLUGIN_PATH
 * (colon-separated folders). Called once; later calls do nothing. The first of two plugins with one kind and name stays,
 * the second is remembered as a duplicate. */
void dpcxr_registry_scan(void);
/* Adds a file or a folder (`plugins:` of the config). These come before all others of the same name. A path that does not
 * exist is an error; a plugin that does not load is remembered. */
gboolean dpcxr_registry_add(const char *path, GError **error);

/* All entries, broken ones too, in order of kind, then name. (transfer container) */
GPtrArray *dpcxr_registry_list(void);
/* DPCXR_ERROR_USAGE: none of that name (with those there are and the nearest one), or its load error. */
const DpcxrPluginEntry *dpcxr_registry_find(DpcxrPluginKind kind, const char *name, GError **error);
/* Forgets everything; modules stay resident. For tests. */
void dpcxr_registry_reset(void);
