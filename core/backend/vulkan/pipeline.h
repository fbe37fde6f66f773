/* SPDX-License-Identifier: MIT
 * Pipelines, made when first asked for and kept; compiled code is kept on disk from run to run. */
#pragma once
#include "backend/vulkan/context.h"
#include "backend/vulkan/shaders.h"

enum { VULKAN_MAX_CONSTANTS = 16, VULKAN_MAX_BINDINGS = 9 };

/* A shader with its specialisation constants; constant 0 is the size of a work group. */
typedef struct {
    VulkanShader shader;
    guint way; /* VulkanWay of the shader */
    int n_constants;
    gint32 constants[VULKAN_MAX_CONSTANTS]; /* bits, where a constant is a float */
} VulkanKernel;

typedef struct {
    VkPipeline pipeline;
    VkPipelineLayout layout;
    VkDescriptorSetLayout set_layout;
    const VulkanShaderInfo *info;
} VulkanPipeline;

typedef struct {
    const VulkanContext *context;
    VkPipelineCache cache;
    gsize cached;                                               /* bytes that the cache had on disk */
    GHashTable *pipelines;                                      /* VulkanKernel -> VulkanPipeline */
    VkDescriptorSetLayout set_layouts[VULKAN_MAX_BINDINGS + 1]; /* by number of bindings */
    VkPipelineLayout layouts[VULKAN_MAX_BINDINGS + 1];
    VkShaderModule modules[N_SHADERS][VULKAN_N_WAYS];
} VulkanPipelines;

gboolean dpcxr_vulkan_pipelines_init(VulkanPipelines *pipelines, const VulkanContext *context,
                                     GError **error);
/* Writes what is new to the cache on disk. */
void dpcxr_vulkan_pipelines_clear(VulkanPipelines *pipelines);

/* (transfer none) */
const VulkanPipeline *dpcxr_vulkan_pipeline(VulkanPipelines *pipelines, const VulkanKernel *kernel,
                                            GError **error);
