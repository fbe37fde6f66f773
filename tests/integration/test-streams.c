/* SPDX-License-Identifier: MIT
 * No part of a secret stream is used twice: not by another step, tensor or purpose, not after a crash. Trainings run in
 * child processes that are killed and resumed; the functions below, which the dynamic linker finds before those of the C
 * library and of libsodium, record every block that is made with a key of the operating system. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>
#include "privacy/ledger.h"
#include "privacy/secret.h"
#include "temporary.h"
#include "train/run.h"

#define KEYS_MAX 16

/* Blocks [block, block + n) of the stream of one key at one nonce. */
typedef struct {
    guint8 key[32], nonce[12];
    guint32 block, n;
} Use;

static int record_fd = -1; /* of a training child; whole records are appended at once, from any thread */
static guint8 os_keys[KEYS_MAX][32];
static int n_os_keys;

ssize_t getrandom(void *bytes, size_t n, unsigned flags)
{
    static ssize_t (*real)(void *, size_t, unsigned);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "getrandom");
    ssize_t got = real(bytes, n, flags);
    if (record_fd >= 0 && got == 32 && n_os_keys < KEYS_MAX)
        memcpy(os_keys[n_os_keys++], bytes, 32);
    return got;
}

static gboolean is_os_key(const guint8 *key)
{
    for (int i = 0; i < n_os_keys; i++) {
        if (memcmp(os_keys[i], key, 32) == 0)
            return TRUE;
    }
    return FALSE;
}

typedef int (*XorIc)(unsigned char *, const unsigned char *, unsigned long long, const unsigned char *, uint32_t,
                     const unsigned char *);

int crypto_stream_chacha20_ietf_xor_ic(unsigned char *to, const unsigned char *from, unsigned long long n,
                                       const unsigned char *nonce, uint32_t block, const unsigned char *key)
{
    static XorIc real;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "crypto_stream_chacha20_ietf_xor_ic");
    if (record_fd >= 0 && n > 0 && is_os_key(key)) {
        Use use = {.block = block, .n = (guint32)((n + 63) / 64)};
        memcpy(use.key, key, sizeof use.key);
        memcpy(use.nonce, nonce, sizeof use.nonce);
        g_assert_cmpint(write(record_fd, &use, sizeof use), ==, sizeof use);
    }
    return real(to, from, n, nonce, block, key);
}

/* --- Trainings --- */

typedef struct {
    char *dir, *config, *records, *ledger;
} Place;

static const char experiment[] =
    "name: t\n"
    "device: {type: cpu, threads: 2}\n"
    "plugins: ['%s']\n"
    "stages: [train]\n"
    "data: {type: phantom, patients: 120, size: 64, labels: [cardiomegaly, congestion],\n"
    "       image: {size: 32, channels: 1}, augment: [{type: hflip}]}\n"
    "model: {type: small_cnn, width: 8}\n"
    "loss: {pos_weight: {type: private_counts, noise_multiplier: 20}}\n"
    "train: {steps: 60, batch: {logical: 12, physical: 16}, checkpoint: {every_minutes: 0}}\n"
    "privacy: {epsilon: 8, delta: 1e-3, images_per_patient: 1, clip: {type: adaptive, norm: 1}, accountant: {type: rdp}}\n";

static void place_open(Place *place, gconstpointer data)
{
    g_autofree char *models = g_build_filename(g_getenv("DPCXR_BUILD"), "docs", "examples", NULL);
    g_autofree char *text = g_strdup_printf(experiment, models);
    place->dir = temporary_folder();
    place->config = g_build_filename(place->dir, "t.yaml", NULL);
    place->records = g_build_filename(place->dir, "records", NULL);
    place->ledger = g_build_filename(place->dir, "runs/t/private/ledger.jsonl", NULL);
    g_assert_true(g_file_set_contents(place->config, text, -1, NULL));
}

static void place_close(Place *place, gconstpointer data)
{
    temporary_remove(place->dir);
    g_free(place->config);
    g_free(place->records);
    g_free(place->ledger);
}

/* In a child: trains, and leaves with status 0 when it is done. */
static void train(const Place *place)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *out = g_build_filename(place->dir, "runs", NULL), *run = g_build_filename(out, "t", NULL);
    DpcxrRunOptions options = {out, g_file_test(run, G_FILE_TEST_EXISTS), TRUE};
    record_fd = open(place->records, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    g_autoptr(DpcxrExperiment) loaded = dpcxr_experiment_load(place->config, NULL, &error);
    gboolean done = loaded && record_fd >= 0 && dpcxr_run(loaded, &options, &error);
    if (!done)
        g_printerr("%s\n", error ? error->message : "no file for records");
    _exit(done ? 0 : 1);
}

static pid_t start(const Place *place)
{
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0)
        train(place);
    return child;
}

static guint count_lines(const char *path)
{
    g_autofree char *text = NULL;
    guint lines = 0;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        lines++;
    return lines;
}

/* Kills a training when it has written @lines more lines of its ledger. */
static void kill_after(const Place *place, guint lines)
{
    guint before = count_lines(place->ledger);
    pid_t child = start(place);
    int status;
    for (int i = 0; i < 60000 && count_lines(place->ledger) < before + lines; i++)
        g_usleep(1000);
    g_assert_cmpint(kill(child, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
}

static void finish(const Place *place)
{
    pid_t child = start(place);
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

/* --- Records --- */

static int compare_uses(gconstpointer a, gconstpointer b)
{
    const Use *x = a, *y = b;
    int order = memcmp(x, y, sizeof x->key + sizeof x->nonce);
    return order ? order : (x->block > y->block) - (x->block < y->block);
}

/* (transfer full) Use, sorted by key, nonce and block. */
static GArray *read_records(const Place *place)
{
    g_autofree char *content = NULL;
    gsize length;
    g_assert_true(g_file_get_contents(place->records, &content, &length, NULL));
    g_assert_cmpuint(length % sizeof(Use), ==, 0);
    GArray *uses = g_array_new(FALSE, FALSE, sizeof(Use));
    g_array_append_vals(uses, content, (guint)(length / sizeof(Use)));
    g_array_sort(uses, compare_uses);
    return uses;
}

static guint64 field(const Use *use, int first, int bytes)
{
    guint64 value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | use->nonce[first + i];
    return value;
}

static int purpose(const Use *use)
{
    return use->nonce[0];
}

static gboolean same_stream(const Use *a, const Use *b)
{
    return memcmp(a, b, sizeof a->key + sizeof a->nonce) == 0;
}

/* Each block once. Images of a patient are eight rows to a block, and neighbours share one without sharing a word: there,
 * no more uses of a block than it has words. */
static void assert_no_block_twice(const GArray *uses)
{
    int shared = 0;
    for (guint i = 1; i < uses->len; i++) {
        const Use *use = &g_array_index(uses, Use, i), *before = use - 1;
        if (!same_stream(use, before) || use->block >= before->block + before->n) {
            shared = 0;
            continue;
        }
        if (purpose(use) != DPCXR_PURPOSE_IMAGES || ++shared >= 8 || use->block + 1 < before->block + before->n)
            g_error("blocks %u to %u and %u to %u of one stream: purpose %d, rank %u, tensor %u, sequence %u",
                    before->block, before->block + before->n, use->block, use->block + use->n, purpose(use),
                    (unsigned)field(use, 1, 2), (unsigned)field(use, 3, 3), (unsigned)field(use, 6, 6));
    }
}

/* As a whole-ledger number never comes twice, so does no sequence of noise, whatever the key. Returns how many there are. */
static guint assert_sequences_differ(const GArray *uses, int wanted)
{
    g_autoptr(GHashTable) owner = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    for (guint i = 0; i < uses->len; i++) {
        const Use *use = &g_array_index(uses, Use, i);
        if (purpose(use) != wanted)
            continue;
        guint64 sequence = field(use, 6, 6);
        const Use *other = g_hash_table_lookup(owner, &sequence);
        if (other)
            g_assert_cmpmem(other->key, 32, use->key, 32);
        else
            g_hash_table_insert(owner, g_memdup2(&sequence, sizeof sequence), (gpointer)use);
    }
    return g_hash_table_size(owner);
}

static guint count_keys(const GArray *uses)
{
    guint keys = uses->len > 0;
    for (guint i = 1; i < uses->len; i++)
        keys += memcmp(&g_array_index(uses, Use, i), &g_array_index(uses, Use, i - 1), 32) != 0;
    return keys;
}

static guint count_purpose(const GArray *uses, int wanted)
{
    guint n = 0;
    for (guint i = 0; i < uses->len; i++)
        n += purpose(&g_array_index(uses, Use, i)) == wanted;
    return n;
}

/* Tensors with noise in the first step that has any. */
static guint count_tensors(const GArray *uses)
{
    guint n = 0;
    const Use *first = NULL, *before = NULL;
    for (guint i = 0; i < uses->len; i++) {
        const Use *use = &g_array_index(uses, Use, i);
        if (purpose(use) != DPCXR_PURPOSE_NOISE)
            continue;
        if (!first)
            first = use;
        if (field(use, 6, 6) == field(first, 6, 6) && !(before && same_stream(before, use)))
            n++;
        before = use;
    }
    return n;
}

static void test_recorded(Place *place, gconstpointer data)
{
    enum { KILLS = 3 };
    for (int i = 0; i < KILLS; i++)
        kill_after(place, (guint)g_test_rand_int_range(2, 16));
    finish(place);
    g_autoptr(GArray) uses = read_records(place);
    g_autoptr(DpcxrLedger) ledger = dpcxr_ledger_read(place->ledger, NULL);
    guint64 steps = dpcxr_ledger_steps(ledger);
    assert_no_block_twice(uses);
    guint noisy = assert_sequences_differ(uses, DPCXR_PURPOSE_NOISE);
    g_test_message("%u uses, %u keys, %" G_GUINT64_FORMAT " steps on the ledger, %u with noise", uses->len,
                   count_keys(uses), steps, noisy);
    g_assert_cmpuint(count_keys(uses), ==, KILLS + 1); /* a key of its own for each start */
    g_assert_cmpuint(noisy, <=, steps); /* a kill may have come between the ledger and the noise */
    g_assert_cmpuint(noisy, >=, steps - KILLS);
    g_assert_cmpuint(assert_sequences_differ(uses, DPCXR_PURPOSE_COUNT_NOISE), ==, 1); /* label counts */
    g_assert_cmpuint(count_purpose(uses, DPCXR_PURPOSE_SELF_TEST), >, 0);
    g_assert_cmpuint(count_purpose(uses, DPCXR_PURPOSE_SAMPLING), >=, noisy);
    g_assert_cmpuint(count_purpose(uses, DPCXR_PURPOSE_IMAGES), >, 0);
    g_assert_cmpuint(count_tensors(uses), >, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* Streams through libsodium, where this test stands in between. Other kernels are asked for the same blocks and make the same
     * bytes (test-secret.c). */
    g_setenv("DPCXR_MAX_CPU_ISA", "avx2", TRUE);
    g_autofree char *plugins = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", NULL);
    g_setenv("DPCXR_PLUGIN_PATH", plugins, TRUE);
    g_test_add("/streams/recorded", Place, NULL, place_open, test_recorded, place_close);
    return g_test_run();
}
