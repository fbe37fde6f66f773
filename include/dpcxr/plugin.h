/* SPDX-License-Identifier: MIT
 * What a plugin is: a shared object dpcxr-KIND-NAME.so that exports one const descriptor, dpcxr_plugin_KIND_NAME.
 *
 *     static const DpcxrModel resnet9 = {.build = build};
 *     DPCXR_PLUGIN_DEFINE_MODEL(resnet9, .version = "1.0", .summary = "...", .licence = "MIT",
 *                               .options = options, .feature = &resnet9)
 *
 * Plugins are trusted code, run with the rights of the user, and stay loaded until the process ends. They may include
 * dpcxr/ headers and nothing else of the project, hold no mutable file-scope state, and print nothing. */
#pragma once
#include <dpcxr/error.h>
#include <dpcxr/options.h>
#include <glib.h>

G_BEGIN_DECLS

/* A plugin loads where its major number equals the core's and its minor number is not newer. The minor number grows
 * when functions, or members at the end of a struct, are added; the major number when anything else changes. */
#define DPCXR_ABI_MAJOR 1
#define DPCXR_ABI_MINOR 2 /* 1: loss.h; 2: gaussian-curve.h, sampling.h */

typedef enum {
    DPCXR_PLUGIN_MODEL,
    DPCXR_PLUGIN_DATASET,
    DPCXR_PLUGIN_AUGMENTATION,
    DPCXR_PLUGIN_ACCOUNTANT,
    DPCXR_N_PLUGIN_KINDS
} DpcxrPluginKind;

typedef struct {
    /* Read before anything else is believed; these four never move. */
    guint32 abi_major, abi_minor;
    gsize struct_size;  /* sizeof(DpcxrPlugin) the plugin was compiled with */
    gsize feature_size; /* sizeof(*feature) it was compiled with */

    DpcxrPluginKind kind;
    const char *name;               /* as in `type: NAME`; equals the NAME of the file */
    const char *version;            /* of the plugin */
    const char *summary;            /* one line */
    const char *licence;            /* SPDX */
    const char *reference;          /* (nullable) paper or URL */
    const DpcxrOptionSpec *options; /* (nullable) closed by {0} */
    const void *feature;            /* DpcxrModel, DpcxrDataset, DpcxrAugmentation or DpcxrAccountant, by kind */
    gboolean (*init)(GError **error); /* (optional) called once after loading; FALSE: the plugin is not usable */
} DpcxrPlugin;

#define DPCXR_PLUGIN_EXPORT __attribute__((visibility("default")))

/* Writes the descriptor. Use the DPCXR_PLUGIN_DEFINE_<KIND> of the kind's header. */
#define DPCXR_PLUGIN_DEFINE(KIND, kind_value, feature_type, NAME, ...)                                            \
    DPCXR_PLUGIN_EXPORT extern const DpcxrPlugin dpcxr_plugin_##KIND##_##NAME;                                    \
    const DpcxrPlugin dpcxr_plugin_##KIND##_##NAME = {.abi_major = DPCXR_ABI_MAJOR,                               \
                                                      .abi_minor = DPCXR_ABI_MINOR,                               \
                                                      .struct_size = sizeof(DpcxrPlugin),                         \
                                                      .feature_size = sizeof(feature_type),                       \
                                                      .kind = kind_value,                                         \
                                                      .name = #NAME,                                              \
                                                      __VA_ARGS__}

G_END_DECLS
