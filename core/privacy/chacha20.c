/* SPDX-License-Identifier: MIT */
#include "privacy/chacha20.h"
#include "base/isa.h"
#include <sodium.h>
#include <string.h>

enum { BLOCK = 64, WORTHWHILE = 4 }; /* blocks, of sixteen that are made at a time */

static void by_libsodium(const guint8 *key, const guint8 *nonce, guint32 block, guint8 *out, gsize bytes)
{
    memset(out, 0, bytes);
    crypto_stream_chacha20_ietf_xor_ic(out, out, bytes, nonce, block, key);
}

static gboolean use_avx512(void)
{
    static gsize choice; /* 0: not looked yet, 1: no, 2: yes */
    if (g_once_init_enter(&choice))
        g_once_init_leave(&choice, dpcxr_isa_has(DPCXR_ISA_AVX512) ? 2 : 1);
    return choice == 2;
}

void dpcxr_chacha20(const guint8 key[32], const guint8 nonce[12], guint32 block, guint8 *out, gsize bytes)
{
    gsize whole = 0;
#ifdef __x86_64__
    if (bytes >= WORTHWHILE * BLOCK && use_avx512()) {
        whole = bytes / BLOCK;
        dpcxr_chacha20_avx512(key, nonce, block, out, whole);
    }
#endif
    if (bytes > whole * BLOCK)
        by_libsodium(key, nonce, block + (guint32)whole, out + whole * BLOCK, bytes - whole * BLOCK);
}

gboolean dpcxr_chacha20_check(void)
{
    enum { BYTES = 37 * BLOCK + 5 };
    guint8 key[32], nonce[12], a[BYTES], b[BYTES];
    for (int i = 0; i < 32; i++)
        key[i] = (guint8)(7 * i + 1);
    for (int i = 0; i < 12; i++)
        nonce[i] = (guint8)(201 - 13 * i);
    static const guint32 blocks[] = {0, 1, 0x7ffffff0, 0xfffffff0 - 37};
    for (guint i = 0; i < G_N_ELEMENTS(blocks); i++) {
        dpcxr_chacha20(key, nonce, blocks[i], a, BYTES);
        by_libsodium(key, nonce, blocks[i], b, BYTES);
        if (memcmp(a, b, BYTES) != 0)
            return FALSE;
    }
    return TRUE;
}
