/* SPDX-License-Identifier: MIT
 * CRC-32C (Castagnoli), as in iSCSI: RFC 3720, 12.1. */
#pragma once
#include <glib.h>

/* Of @n bytes at @data; reflected polynomial 0x82f63b78, all ones before and after. */
guint32 dpcxr_crc32c(const void *data, gsize n);
