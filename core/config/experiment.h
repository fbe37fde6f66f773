/* SPDX-License-Identifier: MIT
 * An experiment: the YAML file with includes, overrides and defaults resolved, every value checked. What comes out of
 * here is complete and immutable; nobody downstream reads YAML or invents a default. */
#pragma once
#include "base/precision.h"
#include "optim/ramp.h"
#include "plugin/registry.h"
#include "stats/threshold.h"
#include <dpcxr/dpcxr.h>

/* `{type: NAME, option: value, ...}` */
typedef struct {
    char *type;
    const DpcxrPluginEntry *entry; /* NULL for built-in types (optimizer, schedule, sampler, ...) */
    DpcxrOptions *options;
} DpcxrFeature;

typedef struct {
    char *name, *column;
    double *bins; /* (nullable) increasing edges; NULL: one group for each value of the column */
    gsize n_bins; /* edges */
} DpcxrGroup;

/* A key that a sweep varies. */
typedef struct {
    char *key;
    char **values; /* NULL-terminated, at least one; as overrides have them */
} DpcxrSweepAxis;

typedef enum { DPCXR_UNCERTAIN_IGNORE, DPCXR_UNCERTAIN_ONES, DPCXR_UNCERTAIN_ZEROS, DPCXR_UNCERTAIN_SMOOTH } DpcxrUncertain;
typedef enum { DPCXR_MISSING_IGNORE, DPCXR_MISSING_ZEROS } DpcxrMissing;
typedef enum { DPCXR_NORMALISE_UNIT, DPCXR_NORMALISE_IMAGENET, DPCXR_NORMALISE_XRV } DpcxrNormalise;
typedef enum { DPCXR_POS_WEIGHT_NONE, DPCXR_POS_WEIGHT_PUBLIC, DPCXR_POS_WEIGHT_PRIVATE_COUNTS, DPCXR_POS_WEIGHT_EXACT } DpcxrPosWeight;
typedef enum { DPCXR_UNIT_PATIENT, DPCXR_UNIT_IMAGE } DpcxrUnit;
typedef enum { DPCXR_NOISE_GAUSSIAN, DPCXR_NOISE_GRID } DpcxrNoiseType;
typedef enum { DPCXR_CI_NONE, DPCXR_CI_BOOTSTRAP, DPCXR_CI_DELONG } DpcxrCiMethod;
typedef enum { DPCXR_SOURCE_OS, DPCXR_SOURCE_SEEDED } DpcxrNoiseSource;

/* How a unit's gradient g comes below the clip norm C. */
typedef enum {
    DPCXR_CLIP_FLAT,      /* min(1, C / |g|): Abadi et al. 2016, Algorithm 1 */
    DPCXR_CLIP_PER_LAYER, /* min(1, C_l / |g_l|) for each layer, C_l = C / sqrt(layers): C^2 = sum of C_l^2 */
    DPCXR_CLIP_AUTOMATIC, /* C / (|g| + stability): AUTO-S, Bu et al. 2023 */
    DPCXR_CLIP_NORMALISE, /* C / |g|: AUTO-V; a gradient of zero stays zero */
    DPCXR_CLIP_ADAPTIVE,  /* flat, with C following a quantile of the norms: Andrew et al. 2021 */
    DPCXR_N_CLIP_TYPES
} DpcxrClipType;

typedef struct {
    char *name;
    gboolean stage_train, stage_evaluate, stage_report;
    guint64 seed;

    struct {
        char *type; /* auto | cpu | vulkan | ref */
        char *name; /* (nullable) which Vulkan device: index, UUID or part of its name; not with cpu and ref */
        DpcxrPrecision precision;
        int threads; /* 0: all */
    } device;

    struct {
        DpcxrFeature dataset;
        char **labels; /* NULL-terminated, at least one */
        int n_labels;
        DpcxrUncertain uncertain;
        DpcxrMissing missing;
        DpcxrGroup *groups;
        gsize n_groups;
        int size, channels; /* channels 1 or 3 */
        DpcxrNormalise normalise;
        DpcxrFeature *augment; /* in order */
        gsize n_augment;
        char *cache_dir; /* (nullable) */
        int workers;     /* decoding threads; 0: auto */
    } data;

    struct {
        DpcxrFeature plugin;   /* options without init and init_data */
        char *init;            /* (nullable) a .safetensors file */
        gboolean init_public;  /* init_data: public; FALSE without init_ledger: private, voids the claim */
        char *init_ledger;     /* (nullable) ledger of the run that made `init` */
    } model;

    struct {
        DpcxrPosWeight pos_weight_type;
        double *pos_weight; /* [n_labels], PUBLIC only */
        double pos_weight_noise_multiplier; /* PRIVATE_COUNTS only */
    } loss;

    DpcxrFeature optimizer, schedule;

    struct {
        double epochs;  /* used where steps is 0 */
        guint64 steps;  /* 0: from epochs */
        int logical;    /* expected units a step */
        int physical;   /* images at once; 0: auto */
        double ema;     /* decay; 0: none */
        int augment_multiplicity; /* augmented views of each drawn image, at least 1 */
        double checkpoint_minutes;
        int checkpoint_keep;
        gboolean release_ema;
    } train;

    struct {
        gboolean enabled;
        DpcxrUnit unit;
        int images_per_patient; /* 0: all */
        DpcxrAdjacency adjacency;
        guint64 population; /* 0: the number of training units */
        DpcxrSamplerKind sampler;
        guint64 sampler_cap;
        DpcxrClipType clip_type;
        double clip_norm;      /* C; adaptive: where it starts */
        double clip_stability; /* automatic only */
        double clip_quantile, clip_rate, clip_count_noise; /* adaptive only; count_noise 0: units of a step / 20 */
        DpcxrRamp clip_schedule; /* factor on clip_norm; constant with adaptive */
        DpcxrRamp noise_schedule; /* factor on the noise multiplier, in noise_levels stairs */
        int noise_levels;        /* at least 2 */
        DpcxrNoiseType noise_type;
        DpcxrNoiseSource noise_source;
        guint64 noise_seed;      /* seeded only */
        double epsilon;          /* target or ceiling; 0: none given, or no noise */
        double noise_multiplier; /* 0 with unsafe_no_noise; negative: to be calibrated */
        gboolean unsafe_no_noise, unsafe_delta;
        double delta;            /* 0: none given (not enabled, or no noise) */
        DpcxrFeature accountant;
        DpcxrFeature *also_report;
        gsize n_also_report;
    } privacy;

    struct {
        gboolean valid, test;
        char *no_finding; /* (nullable) label that says nothing was found */
        int curve_points; /* of the validation curve; 0: none */
        DpcxrThresholdRule threshold_rule; /* on the validation split */
        double threshold_value;            /* NaN where the rule has none */
        DpcxrCiMethod ci_method;
        gboolean ci_by_image; /* else by patient */
        int ci_replicates;
        double ci_level;
        guint64 ci_seed;
        gsize min_n, min_pos; /* of a group; of a label's positives and negatives in it */
    } evaluate;

    struct {
        gboolean page, figures; /* html: the page; csv: each figure as SVG, its numbers as CSV */
    } report;

    struct {
        DpcxrSweepAxis *grid; /* in order */
        gsize n_grid;
        char ***list; /* [n_list] points, each a NULL-terminated list of overrides "key=value" */
        gsize n_list;
        DpcxrFeature *accountants;
        char **accountant_texts; /* NULL-terminated, as overrides have them */
        gsize n_accountants;
        gboolean at_epsilon; /* a run for each accountant; FALSE: all account the same run */
        gboolean test_all;   /* FALSE: only what was chosen on valid */
        char **per;          /* NULL-terminated keys */
        int repeat;          /* at least 1 */
    } sweep;

    char *yaml;     /* the resolved file, every value written out */
    char *yaml_public; /* the same without paths, for release/ */
} DpcxrExperiment;

/* Where plugins come from. */
typedef struct {
    const DpcxrPluginEntry *(*find)(DpcxrPluginKind kind, const char *name, GError **error);
    gboolean (*add)(const char *path, GError **error); /* an item of `plugins:` */
} DpcxrPluginSource;

/* Reads @path with @overrides ("key.sub=value", NULL-terminated, nullable). Where anything is wrong: NULL and one error
 * whose message has a line for each problem, "file:line:column: path: what is wrong, what is right"; DPCXR_ERROR_PRIVACY
 * where only privacy rules are broken, else DPCXR_ERROR_USAGE. Scans for plugins and adds those of `plugins:` to the
 * registry. */
DpcxrExperiment *dpcxr_experiment_load(const char *path, const char *const *overrides, GError **error);
/* The same with plugins from elsewhere. */
DpcxrExperiment *dpcxr_experiment_load_with(const char *path, const char *const *overrides,
                                            const DpcxrPluginSource *plugins, GError **error);
void dpcxr_experiment_free(DpcxrExperiment *experiment);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrExperiment, dpcxr_experiment_free)
