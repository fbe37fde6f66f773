/* SPDX-License-Identifier: MIT */
#include "backend/vulkan/pipeline-cache.h"
#include "base/files.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* The driver's UUID for caches changes with its version; the driver checks the head of what it is given, too. NULL: no cache. */
static char *path_of(const VulkanContext *context)
{
    const char *wanted = g_getenv("DPCXR_VULKAN_CACHE");
    if (wanted && g_str_equal(wanted, "0"))
        return NULL;
    g_autoptr(GString) name = g_string_new("vulkan-");
    for (int i = 0; i < VK_UUID_SIZE; i++)
        g_string_append_printf(name, "%02x", context->properties.pipelineCacheUUID[i]);
    return g_build_filename(g_get_user_cache_dir(), "dpcxr", name->str, NULL);
}

/* A driver trusts what it finds in a cache. Only a file of this user that nobody else may write is read. */
static gboolean is_ours(const char *path)
{
    GStatBuf status;
    return g_lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == getuid() &&
           !(status.st_mode & (S_IWGRP | S_IWOTH));
}

gboolean dpcxr_vulkan_pipeline_cache_open(const VulkanContext *context, VkPipelineCache *cache, gsize *bytes,
                                          GError **error)
{
    g_autofree char *path = path_of(context), *data = NULL;
    *bytes = 0;
    if (path && is_ours(path))
        g_file_get_contents(path, &data, bytes, NULL);
    const VkPipelineCacheCreateInfo info = {.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO,
                                            .initialDataSize = *bytes,
                                            .pInitialData = data};
    return VULKAN_CALL(context, vkCreatePipelineCache, context->device, &info, NULL, cache);
}

static void save(const VulkanContext *context, VkPipelineCache cache, gsize before)
{
    gsize bytes = 0;
    g_autofree char *path = path_of(context);
    if (!path || context->vk.vkGetPipelineCacheData(context->device, cache, &bytes, NULL) != VK_SUCCESS ||
        bytes <= before)
        return;
    g_autofree char *data = g_try_malloc(bytes), *folder = g_path_get_dirname(path);
    if (!data || context->vk.vkGetPipelineCacheData(context->device, cache, &bytes, data) != VK_SUCCESS)
        return;
    g_autoptr(GError) error = NULL;
    if (g_mkdir_with_parents(folder, 0700) != 0 || !dpcxr_write_file(path, data, (gssize)bytes, 0600, &error))
        g_debug("pipeline cache %s not written: %s", path, error ? error->message : g_strerror(errno));
}

void dpcxr_vulkan_pipeline_cache_close(const VulkanContext *context, VkPipelineCache cache, gsize bytes)
{
    if (!cache)
        return;
    save(context, cache, bytes);
    context->vk.vkDestroyPipelineCache(context->device, cache, NULL);
}
