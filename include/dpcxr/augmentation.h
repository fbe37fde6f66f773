/* SPDX-License-Identifier: MIT
 * An augmentation changes one training image in place, together with its labels where it moves left to right. */
#pragma once
#include <dpcxr/plugin.h>
#include <dpcxr/random.h>

G_BEGIN_DECLS

/* One image on its way into the network, after resizing and normalising. */
typedef struct {
    float *pixels; /* [height, width, channels], in place */
    int height, width, channels;
    float background; /* the value of a black pixel; what comes in from outside the frame */
    float *targets;   /* [labels] in [0, 1] */
    float *mask;      /* [labels] 1 known, 0 leaves the loss */
    gsize n_labels;
} DpcxrSample;

typedef struct {
    /* Called once. @labels (NULL-terminated): of the experiment. Refuse here what cannot work. */
    gboolean (*open)(const DpcxrOptions *options, const char *const *labels, gpointer *self, GError **error);
    /* Called from several threads at once. @random: a stream for this (step, sample, view); use nothing else. */
    void (*apply)(gconstpointer self, DpcxrSample *sample, DpcxrRandom *random);
    void (*close)(gpointer self); /* (optional) */
} DpcxrAugmentation;

#define DPCXR_PLUGIN_DEFINE_AUGMENTATION(NAME, ...)                                                               \
    DPCXR_PLUGIN_DEFINE(augmentation, DPCXR_PLUGIN_AUGMENTATION, DpcxrAugmentation, NAME, __VA_ARGS__)

G_END_DECLS
