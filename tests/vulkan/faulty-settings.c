/* SPDX-License-Identifier: MIT
 * The faulty layer's environment variables, read strictly. */
#include "faulty-settings.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "DPCXR_FAULTY_"
#define MIB ((VkDeviceSize)1 << 20)
#define MAX_MIB ((uint64_t)1 << 24) /* 16 TiB: more than any heap, and far from overflow */

extern char **environ;

static bool wrong(const char *name, const char *value, const char *wanted)
{
    fprintf(stderr, "VK_LAYER_DPCXR_faulty: " PREFIX "%s=%s: want %s\n", name, value, wanted);
    return false;
}

/* Digits alone: strtoull would take signs and blanks as well. */
static bool read_number(const char *text, uint64_t min, uint64_t max, uint64_t *number)
{
    if (!*text || strspn(text, "0123456789") != strlen(text))
        return false;
    errno = 0;
    *number = strtoull(text, NULL, 10);
    return !errno && *number >= min && *number <= max;
}

static bool set_mib(const char *name, const char *value, VkDeviceSize *bytes)
{
    uint64_t number;
    if (!read_number(value, 1, MAX_MIB, &number))
        return wrong(name, value, "a whole number of MB from 1 on");
    *bytes = number * MIB;
    return true;
}

static bool set_switch(const char *name, const char *value, bool *on)
{
    uint64_t number;
    if (!read_number(value, 0, 1, &number))
        return wrong(name, value, "0 or 1");
    *on = number;
    return true;
}

static bool set_submissions(const char *name, const char *value, FaultySettings *settings)
{
    if (!read_number(value, 0, UINT32_MAX, &settings->submissions))
        return wrong(name, value, "a whole number of submissions");
    settings->loses_device = true;
    return true;
}

static bool set_type(const char *name, const char *value, FaultySettings *settings)
{
    static const struct {
        const char *name;
        VkPhysicalDeviceType type;
    } types[] = {
        {"discrete", VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU},
        {"integrated", VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU},
        {"virtual", VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU},
        {"cpu", VK_PHYSICAL_DEVICE_TYPE_CPU},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcmp(value, types[i].name)) {
            settings->type = types[i].type;
            settings->typed = true;
            return true;
        }
    return wrong(name, value, "discrete, integrated, virtual or cpu");
}

static bool set(const char *name, const char *value, FaultySettings *settings)
{
    if (!*value)
        return true;
    if (!strcmp(name, "LOSE_DEVICE_AFTER"))
        return set_submissions(name, value, settings);
    if (!strcmp(name, "HEAP_MB"))
        return set_mib(name, value, &settings->heap);
    if (!strcmp(name, "ALLOCATE_MB"))
        return set_mib(name, value, &settings->allocatable);
    if (!strcmp(name, "TYPE"))
        return set_type(name, value, settings);
    if (!strcmp(name, "STORAGE_RANGE_MB"))
        return set_mib(name, value, &settings->storage_range);
    if (!strcmp(name, "NO_FLOAT64"))
        return set_switch(name, value, &settings->no_float64);
    if (!strcmp(name, "NO_DEVICES"))
        return set_switch(name, value, &settings->no_devices);
    return wrong(name, value, "the name of a fault that exists");
}

static bool set_variable(const char *variable, FaultySettings *settings)
{
    char name[64];
    const char *rest = variable + strlen(PREFIX), *equals = strchr(rest, '=');
    if (!equals || (size_t)(equals - rest) >= sizeof name)
        return wrong("...", variable, "the name of a fault that exists");
    memcpy(name, rest, equals - rest);
    name[equals - rest] = '\0';
    return set(name, equals + 1, settings);
}

bool faulty_settings_read(FaultySettings *settings)
{
    *settings = (FaultySettings){0};
    for (char **variable = environ; variable && *variable; variable++)
        if (!strncmp(*variable, PREFIX, strlen(PREFIX)) && !set_variable(*variable, settings))
            return false;
    if (settings->heap && (!settings->allocatable || settings->allocatable > settings->heap))
        settings->allocatable = settings->heap;
    return true;
}
