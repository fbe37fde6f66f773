/* SPDX-License-Identifier: MIT
 * What the environment asks of the faulty layer. The variables are described on top of faulty-layer.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <vulkan/vulkan.h>

typedef struct {
    bool no_devices;
    bool no_float64;
    bool loses_device;
    uint64_t submissions; /* that a device accepts, where it is to be lost */
    bool typed;           /* `type` is said */
    VkPhysicalDeviceType type;
    VkDeviceSize heap;          /* bytes reported for each heap; 0: its true size */
    VkDeviceSize allocatable;   /* bytes that can be had from each heap; 0: as many as the driver gives */
    VkDeviceSize storage_range; /* bytes; 0: as the driver says */
} FaultySettings;

/* Reads the environment. False, with a line on stderr, where a variable is no number of its range, no name
 * of a type, or is none of the layer's: a misspelt fault would be a test that passes for nothing. */
bool faulty_settings_read(FaultySettings *settings);
