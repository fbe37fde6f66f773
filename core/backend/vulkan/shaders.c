/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/shaders.h"
#include "shader-words.h"

const VulkanShaderInfo *dpcxr_vulkan_shader(VulkanShader shader)
{
    return &shaders[shader];
}
