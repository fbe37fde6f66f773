/* SPDX-License-Identifier: MIT
 * An experiment file after its tables were applied: the step between the tree and DpcxrExperiment. */
#pragma once
#include "config/experiment.h"
#include "config/options.h"
#include "config/sections.h"

typedef struct {
    DpcxrOptions *sections[DPCXR_N_SECTIONS];
    /* Of sections with a feature; options NULL where its type is unknown (reported). */
    DpcxrFeature features[DPCXR_N_SECTIONS];
    GArray *groups;      /* DpcxrGroup */
    GArray *augment;     /* DpcxrFeature */
    GArray *also_report; /* DpcxrFeature */
    GArray *accountants; /* DpcxrFeature, of the sweep */
    DpcxrYaml *accountant_list; /* the same as written */
    DpcxrYaml *grid;     /* map from dotted key to list */
    DpcxrYaml *list;     /* of maps from dotted key to value */
} DpcxrResolved;

/* Applies every table to @root (which is changed: short forms are written out). Never NULL; where problems were added,
 * use it for nothing but dpcxr_rules_check. */
DpcxrResolved *dpcxr_resolved_read(DpcxrYaml *root, const DpcxrPluginSource *plugins, DpcxrProblems *problems);
void dpcxr_resolved_free(DpcxrResolved *resolved);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrResolved, dpcxr_resolved_free)
/* As YAML with every value. @paths FALSE: without whatever names a place on this machine. (transfer full) */
char *dpcxr_resolved_write(const DpcxrResolved *resolved, gboolean paths);

void dpcxr_feature_clear(DpcxrFeature *feature);
void dpcxr_group_clear(DpcxrGroup *group);
