/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/pipeline.h"
#include "backend/vulkan/pipeline-cache.h"
#include "shared/push.h"
#include <string.h>

static guint kernel_hash(gconstpointer key)
{
    const VulkanKernel *kernel = key;
    guint hash = (guint)kernel->shader * VULKAN_N_WAYS + kernel->way;
    for (int i = 0; i < kernel->n_constants; i++)
        hash = hash * 31 + (guint)kernel->constants[i];
    return hash;
}

static gboolean kernel_equal(gconstpointer a, gconstpointer b)
{
    const VulkanKernel *x = a, *y = b;
    return x->shader == y->shader && x->way == y->way && x->n_constants == y->n_constants &&
           memcmp(x->constants, y->constants, (gsize)x->n_constants * sizeof *x->constants) == 0;
}

gboolean dpcxr_vulkan_pipelines_init(VulkanPipelines *pipelines, const VulkanContext *context, GError **error)
{
    *pipelines = (VulkanPipelines){
        .context = context, .pipelines = g_hash_table_new_full(kernel_hash, kernel_equal, g_free, g_free)};
    return dpcxr_vulkan_pipeline_cache_open(context, &pipelines->cache, &pipelines->cached, error);
}

void dpcxr_vulkan_pipelines_clear(VulkanPipelines *pipelines)
{
    const VulkanContext *context = pipelines->context;
    if (!context)
        return;
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, pipelines->pipelines);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        context->vk.vkDestroyPipeline(context->device, ((VulkanPipeline *)value)->pipeline, NULL);
    g_hash_table_unref(pipelines->pipelines);
    for (int i = 0; i < N_SHADERS; i++)
        for (int way = 0; way < VULKAN_N_WAYS; way++)
            context->vk.vkDestroyShaderModule(context->device, pipelines->modules[i][way], NULL);
    for (int i = 0; i <= VULKAN_MAX_BINDINGS; i++) {
        context->vk.vkDestroyPipelineLayout(context->device, pipelines->layouts[i], NULL);
        context->vk.vkDestroyDescriptorSetLayout(context->device, pipelines->set_layouts[i], NULL);
    }
    dpcxr_vulkan_pipeline_cache_close(context, pipelines->cache, pipelines->cached);
    *pipelines = (VulkanPipelines){0};
}

/* All bindings are storage buffers of the compute stage, so layouts differ by their number only. */
static gboolean need_layout(VulkanPipelines *pipelines, guint32 n, GError **error)
{
    const VulkanContext *context = pipelines->context;
    if (pipelines->layouts[n])
        return TRUE;
    VkDescriptorSetLayoutBinding bindings[VULKAN_MAX_BINDINGS];
    for (guint32 i = 0; i < n; i++)
        bindings[i] = (VkDescriptorSetLayoutBinding){i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1,
                                                     VK_SHADER_STAGE_COMPUTE_BIT, NULL};
    const VkDescriptorSetLayoutCreateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                                 .bindingCount = n,
                                                 .pBindings = bindings};
    const VkPushConstantRange push = {VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(struct Push)};
    const VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                               .setLayoutCount = 1,
                                               .pSetLayouts = &pipelines->set_layouts[n],
                                               .pushConstantRangeCount = 1,
                                               .pPushConstantRanges = &push};
    return VULKAN_CALL(context, vkCreateDescriptorSetLayout, context->device, &set, NULL,
                       &pipelines->set_layouts[n]) &&
           VULKAN_CALL(context, vkCreatePipelineLayout, context->device, &layout, NULL,
                       &pipelines->layouts[n]);
}

static gboolean need_module(VulkanPipelines *pipelines, const VulkanKernel *kernel, GError **error)
{
    const VulkanContext *context = pipelines->context;
    const VulkanShaderInfo *info = dpcxr_vulkan_shader(kernel->shader);
    VkShaderModule *module = &pipelines->modules[kernel->shader][kernel->way];
    const VkShaderModuleCreateInfo create = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                             .codeSize = info->ways[kernel->way].bytes,
                                             .pCode = info->ways[kernel->way].words};
    return *module || VULKAN_CALL(context, vkCreateShaderModule, context->device, &create, NULL, module);
}

static gboolean create(VulkanPipelines *pipelines, const VulkanKernel *kernel, VulkanPipeline *pipeline,
                       GError **error)
{
    const VulkanContext *context = pipelines->context;
    VkSpecializationMapEntry entries[VULKAN_MAX_CONSTANTS];
    for (int i = 0; i < kernel->n_constants; i++)
        entries[i] = (VkSpecializationMapEntry){(guint32)i, (guint32)i * sizeof(gint32), sizeof(gint32)};
    const VkSpecializationInfo constants = {(guint32)kernel->n_constants, entries,
                                            (gsize)kernel->n_constants * sizeof(gint32), kernel->constants};
    const VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                  .module = pipelines->modules[kernel->shader][kernel->way],
                  .pName = "main",
                  .pSpecializationInfo = &constants},
        .layout = pipeline->layout};
    if (!VULKAN_CALL(context, vkCreateComputePipelines, context->device, pipelines->cache, 1, &info, NULL,
                     &pipeline->pipeline))
        return FALSE;
    dpcxr_vulkan_name(context, VK_OBJECT_TYPE_PIPELINE, (guint64)pipeline->pipeline, "%s%s%s%s",
                      pipeline->info->name, kernel->way & VULKAN_SUBGROUP ? ", subgroup" : "",
                      kernel->way & VULKAN_HALF ? ", half" : "",
                      kernel->way & VULKAN_MATRIX ? ", matrix" : "");
    return TRUE;
}

const VulkanPipeline *dpcxr_vulkan_pipeline(VulkanPipelines *pipelines, const VulkanKernel *kernel,
                                            GError **error)
{
    const VulkanPipeline *known = g_hash_table_lookup(pipelines->pipelines, kernel);
    if (known)
        return known;
    const VulkanShaderInfo *info = dpcxr_vulkan_shader(kernel->shader);
    gsize n = strlen(info->access);
    if (!need_layout(pipelines, (guint32)n, error) || !need_module(pipelines, kernel, error))
        return NULL;
    VulkanPipeline pipeline = {
        .layout = pipelines->layouts[n], .set_layout = pipelines->set_layouts[n], .info = info};
    if (!create(pipelines, kernel, &pipeline, error))
        return NULL;
    VulkanPipeline *kept = g_memdup2(&pipeline, sizeof pipeline);
    g_hash_table_insert(pipelines->pipelines, g_memdup2(kernel, sizeof *kernel), kept);
    return kept;
}
