/* SPDX-License-Identifier: MIT
 * The vulkan backend from outside: the backend itself and the devices that it may run on. No Vulkan header is needed here, and
 * a build without Vulkan has the same symbols (stubs.c). */
#pragma once
#include "backend/program.h"

extern const DpcxrBackend dpcxr_backend_vulkan;

/* What kind of device, best first: without a name, the first of the best kind is taken. */
typedef enum {
    DPCXR_VULKAN_DISCRETE,
    DPCXR_VULKAN_INTEGRATED,
    DPCXR_VULKAN_VIRTUAL,
    DPCXR_VULKAN_OTHER,
    DPCXR_VULKAN_SOFTWARE,
    DPCXR_N_VULKAN_KINDS
} DpcxrVulkanKind;

typedef struct {
    int index;    /* as the driver loader counts */
    char *name;   /* "llvmpipe (LLVM 15.0.6, 256 bits)" */
    char *uuid;   /* 36 characters, the same in every process on this machine */
    char *driver; /* name, version */
    char *api;    /* "1.3.230" */
    DpcxrVulkanKind kind;
    guint64 memory;              /* bytes of the largest heap that is local to the device */
    guint64 storage_range;       /* bytes that a shader may see of a buffer at once */
    int subgroup;                /* lanes that run together */
    gboolean float64, int64;     /* both: noise.type grid */
    gboolean float16;            /* precision fp16 */
    gboolean cooperative_matrix; /* VK_NV_cooperative_matrix, which fp16 then uses */
    char *problem;               /* NULL, or why dpcxr cannot use it */
} DpcxrVulkanDevice;

const char *dpcxr_vulkan_kind_name(DpcxrVulkanKind kind); /* "discrete", .. */

/* All devices, in the loader's order; none is an empty list. (transfer full) [DpcxrVulkanDevice, freed with the array]
 * DPCXR_ERROR_USAGE where this build has no Vulkan or this machine no loader or no driver. */
GPtrArray *dpcxr_vulkan_devices(GError **error);

/* Which of @devices is meant by @name: an index, a UUID, a name or a part of one that only one device has; NULL: the best
 * kind's first. -1: DPCXR_ERROR_USAGE, which lists what there is. */
int dpcxr_vulkan_choose(const GPtrArray *devices, const char *name, GError **error);

/* Which of @devices device.type auto takes: the one that is best without a name, where it is a GPU (discrete, integrated or
 * virtual) and can do what is asked for. -1: none, and the processor is to compute. No device can do bf16. */
int dpcxr_vulkan_choose_automatic(const GPtrArray *devices, DpcxrPrecision precision, gboolean grid);

/* The same of this machine's devices, for DpcxrBackend.automatic: it opens an instance and no device. FALSE also where there is
 * no Vulkan. @options: nullable. */
gboolean dpcxr_vulkan_automatic(const DpcxrProgramOptions *options);

/* What a device can do at most, as two simple loads find it; the best of a few, as peaks are. */
typedef struct {
    char name[256];
    double flops; /* f32 operations/s, an fma being two: chains of them in registers */
    double bytes; /* bytes/s, read and written: a copy of a buffer larger than any cache */
} DpcxrVulkanPeak;

/* @device: as DpcxrProgramOptions.device. Takes some tenths of a second and up to a sixteenth of the device's memory. */
gboolean dpcxr_vulkan_probe(const char *device, DpcxrVulkanPeak *peak, GError **error);

/* Tiles that are worth a measurement on @device, "8,1,1,8,0", among them those of its row in the table of tuning.c. The
 * table's way is kept: shared memory, or subgroups. (transfer full) */
char **dpcxr_vulkan_tile_candidates(const char *device, GError **error);

/* Waits for all that @program, which is this backend's, has begun: phase_b returns at once. */
gboolean dpcxr_vulkan_finish(DpcxrProgram *program, GError **error);

/* Whether @program, which is this backend's, gets unit norms of @parameter from Gram matrices, or forms the gradients. */
gboolean dpcxr_vulkan_takes_gram(const DpcxrProgram *program, int parameter);
