/* SPDX-License-Identifier: MIT
 * The secret streams: ChaCha20 as RFC 8439 has it, addresses that never meet, and a key that stays where it
 * is. */
#include "../golden/noise-golden.h"
#include "privacy/secret.h"
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Known answers --- */

static guint32 rotate_left(guint32 x, int n)
{
    return x << n | x >> (32 - n);
}

static void quarter_round(guint32 *s, int a, int b, int c, int d)
{
    s[a] += s[b], s[d] = rotate_left(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotate_left(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotate_left(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotate_left(s[b] ^ s[c], 7);
}

/* RFC 8439, section 2.3, word by word. */
static void reference_block(const guint8 *key, const guint8 *nonce, guint32 counter, guint8 *out)
{
    static const guint32 constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    guint32 start[16], s[16];
    for (int i = 0; i < 16; i++) {
        const guint8 *bytes = i < 12 ? key + 4 * (i - 4) : nonce + 4 * (i - 13);
        if (i < 4)
            start[i] = constants[i];
        else if (i == 12)
            start[i] = counter;
        else
            start[i] = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (guint32)bytes[3] << 24;
    }
    memcpy(s, start, sizeof s);
    for (int i = 0; i < 10; i++) {
        for (int c = 0; c < 4; c++)
            quarter_round(s, c, 4 + c, 8 + c, 12 + c);
        for (int c = 0; c < 4; c++)
            quarter_round(s, c, 4 + (c + 1) % 4, 8 + (c + 2) % 4, 12 + (c + 3) % 4);
    }
    for (int i = 0; i < 64; i++)
        out[i] = (guint8)((s[i / 4] + start[i / 4]) >> (8 * (i % 4)));
}

static void assert_block(const guint8 *key, const guint8 *nonce, guint64 block, const guint8 *expected)
{
    guint64 words[8];
    dpcxr_secret_words(key, nonce, block * 8, words, 8);
    for (int i = 0; i < 64; i++)
        g_assert_cmphex((guint8)(words[i / 8] >> (8 * (i % 8))), ==, expected[i]);
}

/* RFC 8439: section 2.3.2, and appendix A.1, vectors 1 and 2. */
static void test_rfc8439(void)
{
    static const guint8 zeros[32] = {0}, nonce[12] = {0, 0, 0, 9, 0, 0, 0, 0x4a};
    static const guint8 section_2_3_2[64] = {
        0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
        0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
        0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
        0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e};
    static const guint8 a1_1[64] = {
        0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
        0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
        0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
        0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86};
    static const guint8 a1_2[64] = {
        0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
        0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
        0x29, 0xb7, 0x21, 0x76, 0x9c, 0xe6, 0x4e, 0x43, 0xd5, 0x71, 0x33, 0xb0, 0x74, 0xd8, 0x39, 0xd5,
        0x31, 0xed, 0x1f, 0x28, 0x51, 0x0a, 0xfb, 0x45, 0xac, 0xe1, 0x0a, 0x1f, 0x4b, 0x79, 0x4d, 0x6f};
    guint8 key[32];
    for (int i = 0; i < 32; i++)
        key[i] = (guint8)i;
    assert_block(key, nonce, 1, section_2_3_2);
    assert_block(zeros, zeros, 0, a1_1);
    assert_block(zeros, zeros, 1, a1_2);
}

/* Any block, the last one of the 32-bit counter too, against the reference above. */
static void test_blocks(void)
{
    const guint64 last = G_MAXUINT32;
    const guint64 blocks[] = {0, 1, 2, 7, 8, 9, 1000003, last / 2, last / 2 + 1, last - 1, last};
    guint8 key[32], nonce[12], expected[64];
    for (int i = 0; i < 32; i++)
        key[i] = (guint8)(7 * i + 3);
    for (int i = 0; i < 12; i++)
        nonce[i] = (guint8)(29 * i + 1);
    for (gsize i = 0; i < G_N_ELEMENTS(blocks); i++) {
        reference_block(key, nonce, (guint32)blocks[i], expected);
        assert_block(key, nonce, blocks[i], expected);
    }
}

/* Stretches of many blocks, whole and not, as kernels of several blocks at a time make them; the last ends with the counter. */
static void test_stretches(void)
{
    enum { MOST = 100 };
    static const int lengths[] = {1, 3, 15, 16, 17, 31, 32, 33, 64, MOST};
    const guint64 starts[] = {0, 5, 0x7fffffe0, (guint64)G_MAXUINT32 + 1 - MOST};
    guint8 key[32], nonce[12], expected[64];
    guint64 words[MOST * 8];
    for (int i = 0; i < 32; i++)
        key[i] = (guint8)(11 * i + 5);
    for (int i = 0; i < 12; i++)
        nonce[i] = (guint8)(31 * i + 2);
    for (gsize s = 0; s < G_N_ELEMENTS(starts); s++)
        for (gsize l = 0; l < G_N_ELEMENTS(lengths); l++) {
            gsize odd = l % 8; /* words that are missing from the last block */
            memset(words, 0xee, sizeof words);
            dpcxr_secret_words(key, nonce, starts[s] * 8, words, (gsize)lengths[l] * 8 - odd);
            for (int b = 0; b < lengths[l]; b++) {
                reference_block(key, nonce, (guint32)(starts[s] + (guint64)b), expected);
                gsize n = b == lengths[l] - 1 ? 64 - 8 * odd : 64;
                g_assert_cmpmem(words + 8 * b, n, expected, n);
            }
            for (gsize w = (gsize)lengths[l] * 8 - odd; w < MOST * 8; w++)
                g_assert_cmphex(words[w], ==, 0xeeeeeeeeeeeeeeee);
        }
}

/* First words of a seeded key, from tests/golden/noise-golden.py (hashlib's BLAKE2b, ChaCha20 in Python). */
static void test_seeded_golden(void)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_NOISE, 3, 0x0123456789ab, 0x00fedcba};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(0x1122334455667788);
    guint64 words[3];
    dpcxr_secret_fill(secret, &address, 7, words, 3);
    for (int i = 0; i < 3; i++)
        g_assert_cmphex(words[i], ==, golden_words[i]);
}

/* --- Addresses --- */

static void test_nonce(void)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_NOISE, 0x0201, 0x0b0a09080706, 0x050403};
    static const guint8 expected[12] = {4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    guint8 nonce[12];
    dpcxr_secret_nonce(&address, nonce);
    g_assert_cmpmem(nonce, sizeof nonce, expected, sizeof expected);
}

static void test_offsets(void)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_SAMPLING, 0, 5, 0};
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(1);
    guint64 all[200], some[64];
    dpcxr_secret_fill(secret, &address, 0, all, G_N_ELEMENTS(all));
    for (gsize offset = 0; offset < 40; offset++) {
        for (gsize n = 0; n < 40; n++) {
            memset(some, 0x5a, sizeof some);
            dpcxr_secret_fill(secret, &address, offset, some, n);
            g_assert_cmpmem(some, n * 8, all + offset, n * 8);
            g_assert_cmphex(some[n], ==, 0x5a5a5a5a5a5a5a5a);
        }
    }
}

static void collect(GHashTable *seen, GArray *store, const DpcxrSecret *secret, DpcxrAddress address,
                    guint64 offset, gsize n)
{
    gsize start = store->len;
    g_array_set_size(store, (guint)(start + n)); /* reserved beforehand: does not move */
    guint64 *words = &g_array_index(store, guint64, start);
    dpcxr_secret_fill(secret, &address, offset, words, n);
    for (gsize i = 0; i < n; i++)
        g_assert_true(g_hash_table_add(seen, words + i));
}

/* The streams of a small run on two ranks, with tail words: one 64-bit word seen twice would be a shared
 * block. */
static void test_no_reuse(void)
{
    const guint64 upper = DPCXR_SECRET_WORDS / 2;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);
    g_autoptr(GArray) store = g_array_sized_new(FALSE, FALSE, sizeof(guint64), 400000);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(2);
    for (guint16 rank = 0; rank < 2; rank++) {
        for (guint64 sequence = 0; sequence < 20; sequence++) {
            collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_SAMPLING, rank, sequence, 0}, 0, 500);
            collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_IMAGES, rank, sequence, 0}, 0, 900);
            collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_PERMUTATION, rank, sequence, 0}, 0,
                    100);
            collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_COUNT_NOISE, rank, sequence, 0}, 0,
                    128);
            for (guint32 tensor = 0; tensor < 25; tensor++) {
                collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, rank, sequence, tensor}, 0,
                        256);
                collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, rank, sequence, tensor},
                        upper, 16);
            }
        }
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_SELF_TEST, rank, 0, 0}, 0, 4096);
        /* noise on a grid: three blocks and their shares of the second half, of a tensor and of the start-up test */
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, rank, 20, 0}, 0, 3072);
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, rank, 20, 0}, upper, 3072);
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_SELF_TEST, rank, 0, 1}, 0, 3072);
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_SELF_TEST, rank, 0, 1}, upper, 3072);
    }
    /* far corners of every field: a field that is cut short would fall onto an address above */
    for (int bit = 5; bit < 48; bit++)
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, 0, G_GUINT64_CONSTANT(1) << bit, 0},
                0, 64);
    for (int bit = 5; bit < 24; bit++)
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, 0, 0, 1u << bit}, 0, 64);
    for (int bit = 1; bit < 16; bit++)
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, (guint16)(1 << bit), 0, 0}, 0, 64);
    for (int bit = 8; bit < 34; bit++)
        collect(seen, store, secret, (DpcxrAddress){DPCXR_PURPOSE_NOISE, 0, 0, 0},
                G_GUINT64_CONSTANT(1) << bit, 64);
    g_assert_cmpuint(store->len, <=, 400000);
}

/* What is out of range; the last one is within it, to the end. */
static const struct {
    DpcxrAddress address;
    guint64 offset;
} range_cases[] = {
    {{0, 0, 0, 0}, 0},
    {{DPCXR_N_PURPOSES, 0, 0, 0}, 0},
    {{DPCXR_PURPOSE_NOISE, 0, G_GUINT64_CONSTANT(1) << 48, 0}, 0},
    {{DPCXR_PURPOSE_NOISE, 0, 0, 1 << 24}, 0},
    {{DPCXR_PURPOSE_NOISE, 0, 0, 0}, DPCXR_SECRET_WORDS - 1},
    {{DPCXR_PURPOSE_NOISE, 0, 0, 0}, G_MAXUINT64},
    {{DPCXR_PURPOSE_PERMUTATION, G_MAXUINT16, (G_GUINT64_CONSTANT(1) << 48) - 1, (1 << 24) - 1},
     DPCXR_SECRET_WORDS - 2}};

static void range_case(gconstpointer data)
{
    int i = GPOINTER_TO_INT(data);
    g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(3);
    guint64 words[2];
    dpcxr_secret_fill(secret, &range_cases[i].address, range_cases[i].offset, words, 2);
}

static void test_range(void)
{
    int last = G_N_ELEMENTS(range_cases) - 1;
    for (int i = 0; i < last; i++) {
        g_autofree char *path = g_strdup_printf("/secret/range/subprocess/%d", i);
        g_test_trap_subprocess(path, 0, 0);
        g_test_trap_assert_failed();
        g_test_trap_assert_stderr("*random stream *");
    }
    range_case(GINT_TO_POINTER(last));
}

/* --- The key --- */

static void test_keys_differ(void)
{
    const DpcxrAddress address = {DPCXR_PURPOSE_NOISE, 0, 0, 0};
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrSecret) os1 = dpcxr_secret_new(&error);
    g_assert_no_error(error);
    g_autoptr(DpcxrSecret) os2 = dpcxr_secret_new(&error);
    g_assert_no_error(error);
    g_autoptr(DpcxrSecret) seed1 = dpcxr_secret_new_seeded(1), seed2 = dpcxr_secret_new_seeded(2);
    g_autoptr(DpcxrSecret) again = dpcxr_secret_new_seeded(1);
    DpcxrSecret *secrets[] = {os1, os2, seed1, seed2, again};
    guint64 words[5];
    for (int i = 0; i < 5; i++)
        dpcxr_secret_fill(secrets[i], &address, 0, words + i, 1);
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            g_assert_cmphex(words[i], !=, words[j]);
    g_assert_cmphex(words[4], ==, words[2]);
    g_assert_false(dpcxr_secret_is_seeded(os1));
    g_assert_true(dpcxr_secret_is_seeded(seed1));
}

/* Sanitizers turn mlock() into nothing. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define LOCKED ""
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LOCKED ""
#endif
#ifndef LOCKED
#define LOCKED " lo"
#endif

/* Mappings that are locked (lo), not dumped (dd), wiped on fork (wf) and read-only. */
static int guarded_mappings(void)
{
    g_autofree char *smaps = NULL;
    if (!g_file_get_contents("/proc/self/smaps", &smaps, NULL, NULL))
        return -1;
    g_auto(GStrv) lines = g_strsplit(smaps, "\n", -1);
    gboolean read_only = FALSE;
    int n = 0;
    for (char **line = lines; *line != NULL; line++) {
        const char *space = strchr(*line, ' ');
        if (space != NULL && g_ascii_isxdigit((*line)[0]) && strchr(*line, '-') != NULL &&
            strchr(*line, '-') < space)
            read_only = g_str_has_prefix(space, " r--p");
        if (g_str_has_prefix(*line, "VmFlags:") && read_only && strstr(*line, LOCKED) &&
            strstr(*line, " dd") && strstr(*line, " wf"))
            n++;
    }
    return n;
}

static void test_page(void)
{
    g_autoptr(GError) error = NULL;
    int before = guarded_mappings();
    if (before < 0) {
        g_test_skip("/proc/self/smaps cannot be read here");
        return;
    }
    DpcxrSecret *secret = dpcxr_secret_new(&error);
    g_assert_no_error(error);
    g_assert_cmpint(guarded_mappings(), ==, before + 1);
    dpcxr_secret_free(secret);
    g_assert_cmpint(guarded_mappings(), ==, before);
}

/* A child that makes noise with the parent's key would repeat it. */
static void test_fork(void)
{
    if (g_test_subprocess()) {
        g_autoptr(DpcxrSecret) secret = dpcxr_secret_new_seeded(1);
        const DpcxrAddress address = {DPCXR_PURPOSE_NOISE, 0, 0, 0};
        guint64 word;
        dpcxr_secret_fill(secret, &address, 0, &word, 1);
        pid_t child = fork();
        if (child == 0) {
            dpcxr_secret_fill(secret, &address, 0, &word, 1);
            _exit(0);
        }
        int status = 0;
        g_assert_cmpint(waitpid(child, &status, 0), ==, child);
        g_assert_cmpint(status, !=, 0);
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*used in a forked process*");
}

static void test_protect_process(void)
{
    if (g_test_subprocess()) {
        g_autoptr(GError) error = NULL;
        struct rlimit limit;
        g_assert_true(dpcxr_secret_protect_process(&error));
        g_assert_no_error(error);
        g_assert_cmpint(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), ==, 0);
        g_assert_cmpint(getrlimit(RLIMIT_CORE, &limit), ==, 0);
        g_assert_cmpuint(limit.rlim_max, ==, 0);
        _exit(0); /* a leak checker could not trace this process any more */
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/secret/stretches", test_stretches);
    g_test_add_func("/secret/rfc8439", test_rfc8439);
    g_test_add_func("/secret/blocks", test_blocks);
    g_test_add_func("/secret/seeded-golden", test_seeded_golden);
    g_test_add_func("/secret/nonce", test_nonce);
    g_test_add_func("/secret/offsets", test_offsets);
    g_test_add_func("/secret/no-reuse", test_no_reuse);
    g_test_add_func("/secret/range", test_range);
    for (int i = 0; i < (int)G_N_ELEMENTS(range_cases); i++) {
        g_autofree char *path = g_strdup_printf("/secret/range/subprocess/%d", i);
        g_test_add_data_func(path, GINT_TO_POINTER(i), range_case);
    }
    g_test_add_func("/secret/keys-differ", test_keys_differ);
    g_test_add_func("/secret/page", test_page);
    g_test_add_func("/secret/fork", test_fork);
    g_test_add_func("/secret/protect-process", test_protect_process);
    return g_test_run();
}
