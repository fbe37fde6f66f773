/* SPDX-License-Identifier: MIT
 * Key and streams. The key is alone in a memory page that is locked, left out of core dumps, read-only once
 * it is filled, and empty in a forked child, which therefore cannot repeat the parent's noise. */
#include "privacy/secret.h"
#include "privacy/chacha20.h"
#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#define KEY_BYTES crypto_stream_chacha20_ietf_KEYBYTES
#define BLOCK_WORDS 8
G_STATIC_ASSERT(KEY_BYTES == 32 && crypto_stream_chacha20_ietf_NONCEBYTES == 12);

/* The page. A fork leaves the child with zeros: `present` is how it knows. */
typedef struct {
    guint8 key[KEY_BYTES];
    gboolean present;
} KeyPage;

struct _DpcxrSecret {
    KeyPage *page;
    gsize page_size;
    gboolean seeded;
};

static gboolean fail_errno(const char *what, GError **error)
{
    int code = errno;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "secret key: %s: %s", what, g_strerror(code));
    return FALSE;
}

static gboolean protect_page(KeyPage *page, gsize size, GError **error)
{
    if (mlock(page, size) != 0)
        return fail_errno("cannot lock one page of memory (see `ulimit -l`)", error);
    if (madvise(page, size, MADV_DONTDUMP) != 0)
        return fail_errno("cannot keep its memory out of core dumps", error);
    if (madvise(page, size, MADV_WIPEONFORK) != 0)
        return fail_errno("cannot have its memory wiped on fork (needs Linux 4.14)", error);
    return TRUE;
}

/* @strict: whether a page that cannot be protected is an error (a seeded key is no secret). */
static DpcxrSecret *secret_allocate(gboolean strict, GError **error)
{
    if (sodium_init() < 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "secret key: libsodium does not start");
        return NULL;
    }
    if (!dpcxr_chacha20_check()) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "secret key: this processor's ChaCha20 differs from libsodium's, so nothing random would be what it should; "
                    "DPCXR_MAX_CPU_ISA=avx2 does without it");
        return NULL;
    }
    g_autoptr(DpcxrSecret) secret = g_new0(DpcxrSecret, 1);
    secret->page_size = (gsize)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, secret->page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        fail_errno("no memory", error);
        return NULL;
    }
    secret->page = page;
    if (!protect_page(secret->page, secret->page_size, strict ? error : NULL) && strict)
        return NULL;
    return g_steal_pointer(&secret);
}

static gboolean random_bytes(guint8 *bytes, gsize n, GError **error)
{
    while (n > 0) {
        ssize_t got = getrandom(bytes, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return fail_errno("no random bytes from the operating system", error);
        bytes += got;
        n -= (gsize)got;
    }
    return TRUE;
}

static void secret_seal(DpcxrSecret *secret)
{
    secret->page->present = TRUE;
    if (mprotect(secret->page, secret->page_size, PROT_READ) != 0)
        g_error("secret key: cannot make its memory read-only: %s", g_strerror(errno));
}

DpcxrSecret *dpcxr_secret_new(GError **error)
{
    g_autoptr(DpcxrSecret) secret = secret_allocate(TRUE, error);
    if (secret == NULL || !random_bytes(secret->page->key, KEY_BYTES, error))
        return NULL;
    secret_seal(secret);
    return g_steal_pointer(&secret);
}

DpcxrSecret *dpcxr_secret_new_seeded(guint64 seed)
{
    static const char domain[] = "dpcxr seeded key 1"; /* its NUL is hashed, too: it ends the domain */
    g_autoptr(GError) error = NULL;
    DpcxrSecret *secret = secret_allocate(FALSE, &error);
    if (secret == NULL)
        g_error("%s", error->message);
    guint64 number = GUINT64_TO_LE(seed);
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, KEY_BYTES);
    crypto_generichash_update(&state, (const guint8 *)domain, sizeof domain);
    crypto_generichash_update(&state, (const guint8 *)&number, sizeof number);
    crypto_generichash_final(&state, secret->page->key, KEY_BYTES);
    secret->seeded = TRUE;
    secret_seal(secret);
    return secret;
}

void dpcxr_secret_free(DpcxrSecret *secret)
{
    if (secret == NULL)
        return;
    if (secret->page != NULL) {
        if (mprotect(secret->page, secret->page_size, PROT_READ | PROT_WRITE) == 0)
            sodium_memzero(secret->page, secret->page_size);
        munmap(secret->page, secret->page_size);
    }
    g_free(secret);
}

gboolean dpcxr_secret_is_seeded(const DpcxrSecret *secret)
{
    return secret->seeded;
}

static void put_little_endian(guint8 *bytes, int n, guint64 value)
{
    for (int i = 0; i < n; i++)
        bytes[i] = (guint8)(value >> (8 * i));
}

void dpcxr_secret_nonce(const DpcxrAddress *address, guint8 nonce[12])
{
    if (address->purpose < DPCXR_PURPOSE_SELF_TEST || address->purpose >= DPCXR_N_PURPOSES ||
        address->tensor >> 24 != 0 || address->sequence >> 48 != 0)
        g_error("random stream out of range: purpose %d, tensor %u, sequence %" G_GUINT64_FORMAT,
                (int)address->purpose, address->tensor, address->sequence);
    put_little_endian(nonce, 1, address->purpose);
    put_little_endian(nonce + 1, 2, address->rank);
    put_little_endian(nonce + 3, 3, address->tensor);
    put_little_endian(nonce + 6, 6, address->sequence);
}

void dpcxr_secret_words(const guint8 *key, const guint8 nonce[12], guint64 offset, guint64 *words, gsize n)
{
    if (offset > DPCXR_SECRET_WORDS || n > DPCXR_SECRET_WORDS - offset)
        g_error("random stream exhausted: words %" G_GUINT64_FORMAT " + %" G_GSIZE_FORMAT, offset, n);
    guint64 *out = words;
    gsize left = n, skip = offset % BLOCK_WORDS;
    if (skip != 0) {
        guint64 block[BLOCK_WORDS];
        gsize head = MIN(left, BLOCK_WORDS - skip);
        dpcxr_chacha20(key, nonce, (guint32)(offset / BLOCK_WORDS), (guint8 *)block, sizeof block);
        memcpy(out, block + skip, head * sizeof *out);
        sodium_memzero(block, sizeof block);
        out += head;
        left -= head;
        offset += head;
    }
    if (left > 0)
        dpcxr_chacha20(key, nonce, (guint32)(offset / BLOCK_WORDS), (guint8 *)out, left * sizeof *out);
    if (G_BYTE_ORDER != G_LITTLE_ENDIAN)
        for (gsize i = 0; i < n; i++)
            words[i] = GUINT64_FROM_LE(words[i]);
}

void dpcxr_secret_fill(const DpcxrSecret *secret, const DpcxrAddress *address, guint64 offset, guint64 *words,
                       gsize n)
{
    if (!secret->page->present)
        g_error("secret key: used in a forked process, where it does not exist");
    guint8 nonce[12];
    dpcxr_secret_nonce(address, nonce);
    dpcxr_secret_words(secret->page->key, nonce, offset, words, n);
}

gboolean dpcxr_secret_protect_process(GError **error)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return fail_errno("cannot turn core dumps off", error);
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return fail_errno("cannot make the process non-dumpable", error);
    return TRUE;
}
