/* SPDX-License-Identifier: MIT
 * How option values come to be: from a YAML map, or from text (command lines, tests). And back to YAML. */
#pragma once
#include "config/yaml.h"
#include <dpcxr/options.h>

/* Parses "key: value" pairs given as a YAML flow or block map, e.g. "{degrees: 10}"; "" is the empty map.
 * @specs: nullable, no options. DPCXR_ERROR_USAGE lists every problem. */
DpcxrOptions *dpcxr_options_parse(const DpcxrOptionSpec *specs, const char *yaml, GError **error);
void dpcxr_options_free(DpcxrOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrOptions, dpcxr_options_free)

/* Reads those keys of @map (nullable: all defaults) that @specs (nullable) names and leaves others alone, because several
 * tables may share a map. @path: dotted path of the map; @mark: where missing keys are reported. A value that is wrong is
 * reported and stands as unset in the result, so that reading can go on. */
DpcxrOptions *dpcxr_options_read(const DpcxrOptionSpec *specs, const DpcxrYaml *map, const char *path,
                                 const DpcxrMark *mark, DpcxrProblems *problems);
/* Reports each key of @map that is in none of @tables (NULL-terminated) nor in @others (nullable, NULL-terminated). */
void dpcxr_options_check_keys(const DpcxrYaml *map, const char *path, const DpcxrOptionSpec *const *tables,
                              const char *const *others, DpcxrProblems *problems);
/* Whether the value was right (or absent, with a default): rules that combine values skip those that were not. */
gboolean dpcxr_options_is_good(const DpcxrOptions *options, const char *name);
const DpcxrMark *dpcxr_options_mark(const DpcxrOptions *options, const char *name);
/* The position of a CHOICE's value in its `choices`, from 0; -1 where it is null. */
int dpcxr_options_get_choice(const DpcxrOptions *options, const char *name);
const DpcxrOptionSpec *dpcxr_options_specs(const DpcxrOptions *options); /* (nullable) */

/* Sets every option, defaults too, in @map. @paths FALSE: leaves out options of type PATH, and text
 * that holds the value of an environment variable. */
void dpcxr_options_write(const DpcxrOptions *options, gboolean paths, DpcxrYaml *map);
/* A list of numbers, as text that reads back as the same doubles; null where @numbers is NULL. */
DpcxrYaml *dpcxr_options_write_numbers(const double *numbers, gsize n, const DpcxrMark *mark);
/* "path.name", or "name" where @path is "". (transfer full) */
char *dpcxr_options_join(const char *path, const char *name);
