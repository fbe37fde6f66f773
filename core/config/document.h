/* SPDX-License-Identifier: MIT
 * One tree out of many texts: an experiment file, the files it includes, overrides from the command line, and the
 * environment. Knows nothing of what the keys mean, but for `include`. */
#pragma once
#include "config/yaml.h"

/* Reads @path. Files of its `include: [..]` (relative to the including file) are merged first, in order, then the file
 * itself: maps merge, everything else replaces. Then @overrides ("key.sub=value", "list.0=value"; NULL-terminated,
 * nullable) are applied, and ${env:NAME} and ${env:NAME:-default} are replaced in all values but those of sweep.grid and
 * sweep.list ($${env:..} stands for itself). `include` is gone from the result. Returns a map, or NULL where nothing could be read; either way problems are
 * in @problems. */
DpcxrYaml *dpcxr_document_load(const char *path, const char *const *overrides, DpcxrProblems *problems);

/* Puts the text of a scalar so that reading it back leaves it alone: "${env:" as "$${env:". (transfer full) */
char *dpcxr_document_escape(const char *text);
