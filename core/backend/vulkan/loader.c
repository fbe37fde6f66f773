/* SPDX-License-Identifier: MIT
 * volk, which finds the loader at run time, compiled into libdpcxr. */
#define VK_NO_PROTOTYPES
#include <volk.c>
