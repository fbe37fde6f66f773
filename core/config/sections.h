/* SPDX-License-Identifier: MIT
 * The experiment file as tables: every section, every key that is not a plugin's. Reading, writing, `dpcxr check` and
 * docs all follow from here. */
#pragma once
#include <dpcxr/options.h>

/* What else may stand in a section, chosen by its `type`: the options of a plugin or of a built-in. */
typedef enum {
    DPCXR_FEATURE_NONE,
    DPCXR_FEATURE_DATASET,
    DPCXR_FEATURE_MODEL,
    DPCXR_FEATURE_ACCOUNTANT,
    DPCXR_FEATURE_OPTIMIZER,
    DPCXR_FEATURE_SCHEDULE,
    DPCXR_FEATURE_RAMP,
} DpcxrSectionFeature;

/* Positions in dpcxr_sections(); a section comes after the one that contains it. */
typedef enum {
    DPCXR_SECTION_TOP,
    DPCXR_SECTION_DEVICE,
    DPCXR_SECTION_DATA,
    DPCXR_SECTION_IMAGE,
    DPCXR_SECTION_CACHE,
    DPCXR_SECTION_MODEL,
    DPCXR_SECTION_LOSS,
    DPCXR_SECTION_POS_WEIGHT,
    DPCXR_SECTION_OPTIMIZER,
    DPCXR_SECTION_SCHEDULE,
    DPCXR_SECTION_TRAIN,
    DPCXR_SECTION_BATCH,
    DPCXR_SECTION_CHECKPOINT,
    DPCXR_SECTION_PRIVACY,
    DPCXR_SECTION_SAMPLER,
    DPCXR_SECTION_CLIP,
    DPCXR_SECTION_CLIP_SCHEDULE,
    DPCXR_SECTION_NOISE,
    DPCXR_SECTION_NOISE_SCHEDULE,
    DPCXR_SECTION_ACCOUNTANT,
    DPCXR_SECTION_EVALUATE,
    DPCXR_SECTION_THRESHOLD,
    DPCXR_SECTION_CI,
    DPCXR_SECTION_SMALL_GROUPS,
    DPCXR_SECTION_REPORT,
    DPCXR_SECTION_SWEEP,
    DPCXR_N_SECTIONS
} DpcxrSectionId;

typedef struct {
    const char *path; /* "data.image"; "" for the top level */
    const char *summary;
    const DpcxrOptionSpec *options;
    DpcxrSectionFeature feature;
    const char *const *collections; /* (nullable) keys with a shape of their own: a map of groups, a list of plugins, .. */
} DpcxrSection;

/* [DPCXR_N_SECTIONS] */
const DpcxrSection *dpcxr_sections(void);
/* One group of `data.groups`. */
const DpcxrOptionSpec *dpcxr_group_options(void);

/* A value that interface and tables know and that this version cannot do. */
typedef struct {
    DpcxrSectionId section;
    const char *key;
    const char *values;  /* "a|b", of a choice or in a list; NULL: anything but null */
    const char *instead; /* what works */
} DpcxrUnbuilt;

/* Closed by a row whose key is NULL. */
const DpcxrUnbuilt *dpcxr_unbuilt(void);
