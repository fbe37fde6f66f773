/* SPDX-License-Identifier: MIT
 * dpcxr devices [--json]: what can compute here: the processor, every Vulkan device, and which of them device.type auto
 * takes. That there is no Vulkan is no failure here. */
#include "backend/cpu/cpu.h"
#include "backend/vulkan/vulkan.h"
#include "base/json-write.h"
#include "base/workers.h"
#include "bench/machine.h"
#include "command.h"
#include <stdio.h>
#include <string.h>

typedef struct {
    GPtrArray *devices; /* [DpcxrVulkanDevice]; NULL: no Vulkan */
    char *reason;       /* (nullable) why there is none */
    int automatic;      /* which of them auto takes; -1: none, but cpu */
} Found;

static void found_clear(Found *found)
{
    g_clear_pointer(&found->devices, g_ptr_array_unref);
    g_clear_pointer(&found->reason, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Found, found_clear)

/* The message without the key of a configuration that it was made for. */
static char *reason_of(const GError *error)
{
    const char *key = "device.type: ";
    return g_strdup(g_str_has_prefix(error->message, key) ? error->message + strlen(key) : error->message);
}

/* FALSE: Vulkan is there, and broken. */
static gboolean find(Found *found, GError **error)
{
    g_autoptr(GError) none = NULL;
    found->automatic = -1;
    found->devices = dpcxr_vulkan_devices(&none);
    if (found->devices) {
        found->automatic = dpcxr_vulkan_choose_automatic(found->devices, FALSE, FALSE);
        if (found->devices->len == 0)
            dpcxr_vulkan_choose(found->devices, NULL, &none);
    }
    if (none && !g_error_matches(none, DPCXR_ERROR, DPCXR_ERROR_USAGE)) {
        g_propagate_error(error, g_steal_pointer(&none));
        return FALSE;
    }
    found->reason = none ? reason_of(none) : NULL;
    return TRUE;
}

static const DpcxrVulkanDevice *device_at(const Found *found, guint i)
{
    return g_ptr_array_index(found->devices, i);
}

static guint count(const Found *found)
{
    return found->devices ? found->devices->len : 0;
}

static gboolean has_grid(const DpcxrVulkanDevice *device)
{
    return device->float64 && device->int64;
}

/* Why auto passes by a device. */
static const char *passed_by(const DpcxrVulkanDevice *device)
{
    if (device->kind == DPCXR_VULKAN_SOFTWARE)
        return "auto does not take it: the processor itself is faster";
    if (device->kind == DPCXR_VULKAN_OTHER)
        return "auto does not take it: it is not known to be a GPU";
    return "auto takes another";
}

/* --- As text --- */

static void print_device(const DpcxrVulkanDevice *device, gboolean automatic)
{
    printf("vulkan %d   %s: %s, %.1f GB, driver %s, Vulkan %s\n", device->index, device->name,
           dpcxr_vulkan_kind_name(device->kind), (double)device->memory / 1e9, device->driver, device->api);
    printf("           UUID %s; storage ranges up to %.3g GB\n", device->uuid,
           (double)device->storage_range / 1e9);
    printf("           fp32%s; %s; %s cooperative matrices\n", device->float16 ? ", fp16" : "",
           has_grid(device) ? "noise.type grid (float64 and int64)"
                            : "no noise.type grid, which needs float64 and int64",
           device->cooperative_matrix ? "has" : "no");
    if (device->problem)
        printf("           cannot be used: %s\n", device->problem);
    else
        printf("           %s\n", automatic ? "auto takes it" : passed_by(device));
}

static void print_text(const Found *found)
{
    DpcxrBenchIsa isa = dpcxr_bench_isa(FALSE);
    int threads = dpcxr_workers_processors();
    printf("cpu        %d thread%s, %s (oneDNN: %s, OpenBLAS: %s), %s\n", threads, threads == 1 ? "" : "s",
           isa.kernels, isa.onednn, isa.openblas, dpcxr_cpu_has_bf16() ? "fp32 and bf16" : "fp32");
    printf("ref        %d thread%s, plain C, fp32: what the others are checked against\n", threads,
           threads == 1 ? "" : "s");
    for (guint i = 0; i < count(found); i++)
        print_device(device_at(found, i), (int)i == found->automatic);
    if (found->reason)
        printf("vulkan     none: %s\n", found->reason);
    if (found->automatic >= 0)
        printf("auto       vulkan %d\n", device_at(found, (guint)found->automatic)->index);
    else
        printf("auto       cpu\n");
}

/* --- As JSON --- */

static void add_processor(JsonBuilder *json)
{
    DpcxrBenchIsa isa = dpcxr_bench_isa(FALSE);
    dpcxr_json_begin_object(json, "cpu");
    dpcxr_json_put_count(json, "threads", (guint64)dpcxr_workers_processors());
    dpcxr_json_put_string(json, "kernels", isa.kernels);
    dpcxr_json_put_string(json, "onednn", isa.onednn);
    dpcxr_json_put_string(json, "openblas", isa.openblas);
    dpcxr_json_put_bool(json, "bf16", dpcxr_cpu_has_bf16());
    json_builder_end_object(json);
    dpcxr_json_begin_object(json, "ref");
    dpcxr_json_put_count(json, "threads", (guint64)dpcxr_workers_processors());
    json_builder_end_object(json);
}

static void add_device(JsonBuilder *json, const DpcxrVulkanDevice *device, gboolean automatic)
{
    json_builder_begin_object(json);
    dpcxr_json_put_count(json, "index", (guint64)device->index);
    dpcxr_json_put_string(json, "name", device->name);
    dpcxr_json_put_string(json, "uuid", device->uuid);
    dpcxr_json_put_string(json, "kind", dpcxr_vulkan_kind_name(device->kind));
    dpcxr_json_put_string(json, "driver", device->driver);
    dpcxr_json_put_string(json, "vulkan", device->api);
    dpcxr_json_put_count(json, "memory_bytes", device->memory);
    dpcxr_json_put_count(json, "storage_range_bytes", device->storage_range);
    dpcxr_json_put_bool(json, "grid", has_grid(device));
    dpcxr_json_put_bool(json, "float64", device->float64);
    dpcxr_json_put_bool(json, "int64", device->int64);
    dpcxr_json_put_bool(json, "float16", device->float16);
    dpcxr_json_put_bool(json, "cooperative_matrix", device->cooperative_matrix);
    dpcxr_json_put_bool(json, "auto", automatic);
    dpcxr_json_put_string(json, "problem", device->problem);
    json_builder_end_object(json);
}

static void print_json(const Found *found)
{
    g_autoptr(JsonBuilder) json = json_builder_new();
    json_builder_begin_object(json);
    add_processor(json);
    dpcxr_json_begin_array(json, "vulkan");
    for (guint i = 0; i < count(found); i++)
        add_device(json, device_at(found, i), (int)i == found->automatic);
    json_builder_end_array(json);
    dpcxr_json_put_string(json, "no_vulkan", found->reason);
    dpcxr_json_put_string(json, "auto", found->automatic >= 0 ? "vulkan" : "cpu");
    json_builder_end_object(json);
    dpcxr_cmd_print_json(json);
}

gboolean dpcxr_cmd_devices(int argc, char **argv, GError **error)
{
    gboolean as_json = FALSE;
    g_auto(GStrv) rest = NULL;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &as_json, "Print JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &rest, NULL, NULL},
        {NULL},
    };
    if (!dpcxr_cmd_parse(argc, argv, "", "Lists what can compute here, and what device.type auto takes.",
                         entries, error))
        return FALSE;
    if (rest) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "dpcxr devices: \"%s\" is not expected here",
                    rest[0]);
        return FALSE;
    }
    g_auto(Found) found = {0};
    if (!find(&found, error))
        return FALSE;
    if (as_json)
        print_json(&found);
    else
        print_text(&found);
    return TRUE;
}
