/* SPDX-License-Identifier: MIT
 * Compiled pipelines on disk: $XDG_CACHE_HOME/dpcxr/vulkan-UUID, one file for each device and driver. It is a help and never a
 * need: what cannot be read or written is passed over. DPCXR_VULKAN_CACHE=0 does without. */
#pragma once
#include "backend/vulkan/context.h"

/* @bytes: of what was found. */
gboolean dpcxr_vulkan_pipeline_cache_open(const VulkanContext *context, VkPipelineCache *cache, gsize *bytes,
                                          GError **error);
/* Writes the cache where it has grown beyond @bytes, and destroys it. */
void dpcxr_vulkan_pipeline_cache_close(const VulkanContext *context, VkPipelineCache cache, gsize bytes);
