/* SPDX-License-Identifier: MIT
 * How large a batch fits a device: by its heap, by the largest allocation, and by what a shader may see of a buffer at once. */
#pragma once
#include "backend/vulkan/memory.h"
#include "backend/vulkan/plan.h"

/* Places @plan for the batch of @options. DPCXR_ERROR_MEMORY, with the largest batch that would fit, where it does not. */
gboolean dpcxr_vulkan_fit_check(VulkanPlan *plan, const VulkanMemory *memory,
                                const DpcxrProgramOptions *options, GError **error);
/* See DpcxrBackend. */
int dpcxr_vulkan_largest_batch(const DpcxrGraph *graph, const DpcxrProgramOptions *options, int most,
                               GError **error);
