/* SPDX-License-Identifier: MIT
 * Four bits at a time: what it is for are kilobytes. */
#include "base/crc32c.h"

/* The remainders of 0 .. 15. */
static const guint32 table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                  0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                  0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

guint32 dpcxr_crc32c(const void *data, gsize n)
{
    const guint8 *bytes = data;
    guint32 crc = G_MAXUINT32;
    for (gsize i = 0; i < n; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
