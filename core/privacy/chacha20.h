/* SPDX-License-Identifier: MIT
 * ChaCha20 as a stream of bytes (RFC 8439, section 2.4): libsodium's, or, where the processor has AVX-512, sixteen blocks at a
 * time by our own code, which makes the same bytes in a third of the time. */
#pragma once
#include <glib.h>

/* The first @bytes of the key stream from @block on. The block counter has 32 bits and must not pass its end: the caller sees to
 * it. */
void dpcxr_chacha20(const guint8 key[32], const guint8 nonce[12], guint32 block, guint8 *out, gsize bytes);

/* Whether both agree on a stretch of a public key's stream; TRUE where there is only one. For the start-up test. */
gboolean dpcxr_chacha20_check(void);

/* chacha20-avx512.c: @blocks whole blocks of 64 bytes. */
void dpcxr_chacha20_avx512(const guint8 key[32], const guint8 nonce[12], guint32 block, guint8 *out,
                           gsize blocks);
