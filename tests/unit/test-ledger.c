/* SPDX-License-Identifier: MIT
 * The ledger: what is written comes back, and nothing else is taken for a ledger. Cuts at every byte, changes
 * of every byte, locks, full disks. */
#include "privacy/ledger.h"
#include <dpcxr/sampling.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    char *folder, *path;
} Fixture;

static void setup(Fixture *fixture, gconstpointer data)
{
    fixture->folder = g_dir_make_tmp("dpcxr-ledger-XXXXXX", NULL);
    fixture->path = g_build_filename(fixture->folder, "ledger.jsonl", NULL);
}

static void teardown(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(fixture->folder), ==, 0);
    g_free(fixture->folder);
    g_free(fixture->path);
}

static int synced; /* times */
static gboolean disk_fails;

/* Stands before the C library's for all of this process, libdpcxr included. */
int fsync(int fd)
{
    synced++;
    if (!disk_fails)
        return (int)syscall(SYS_fsync, fd);
    errno = EIO;
    return -1;
}

static const DpcxrEvent poisson = {DPCXR_SAMPLER_POISSON, 0.012345678901234567, 1.1, 7, 5000, 0};
static const DpcxrEvent counts = {DPCXR_SAMPLER_FULL, 1, 12.5, 1, 5000, 0};

static DpcxrLedger *create(const Fixture *fixture)
{
    g_autoptr(GError) error = NULL;
    DpcxrLedger *ledger =
        dpcxr_ledger_create(fixture->path, DPCXR_ADJACENCY_ZERO_OUT, "patient", 5000, &error);
    g_assert_no_error(error);
    return ledger;
}

static guint64 append(DpcxrLedger *ledger, DpcxrLedgerKind kind, const DpcxrEvent *event)
{
    g_autoptr(GError) error = NULL;
    guint64 sequence = G_MAXUINT64;
    gboolean appended = dpcxr_ledger_append(ledger, kind, event, &sequence, &error);
    g_assert_no_error(error);
    g_assert_true(appended);
    return sequence;
}

static GBytes *content_of(const Fixture *fixture)
{
    char *text;
    gsize length;
    g_assert_true(g_file_get_contents(fixture->path, &text, &length, NULL));
    return g_bytes_new_take(text, length);
}

/* In place, so that the file keeps its mode. */
static void set_content(const Fixture *fixture, const char *text, gsize length)
{
    int fd = open(fixture->path, O_WRONLY | O_TRUNC);
    g_assert_cmpint(write(fd, text, length), ==, (gssize)length);
    close(fd);
}

static void test_append(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrLedger) ledger = create(fixture);
    DpcxrEvent other = poisson;
    other.noise_multiplier = 1.2;
    g_assert_cmpuint(dpcxr_ledger_next_sequence(ledger), ==, 0);
    g_assert_cmpuint(append(ledger, DPCXR_LEDGER_COUNTS, &counts), ==, 0);
    g_assert_cmpuint(append(ledger, DPCXR_LEDGER_STEPS, &poisson), ==, 1);
    g_assert_cmpuint(append(ledger, DPCXR_LEDGER_STEPS, &other), ==, 8);
    g_assert_cmpuint(append(ledger, DPCXR_LEDGER_STEPS, &poisson), ==, 15);
    g_assert_cmpuint(dpcxr_ledger_next_sequence(ledger), ==, 22);
    g_assert_cmpuint(dpcxr_ledger_steps(ledger), ==, 21);

    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrLedger) again = dpcxr_ledger_read(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(dpcxr_ledger_head(again), ==, dpcxr_ledger_head(ledger));
    g_assert_cmpuint(dpcxr_ledger_steps(again), ==, 21);
    g_assert_cmpuint(dpcxr_ledger_processes(again), ==, 1);
    g_assert_cmpuint(dpcxr_ledger_population(again), ==, 5000);
    g_assert_cmpstr(dpcxr_ledger_unit(again), ==, "patient");
    const DpcxrMechanism *mechanism = dpcxr_ledger_mechanism(again);
    g_assert_cmpint(mechanism->adjacency, ==, DPCXR_ADJACENCY_ZERO_OUT);
    g_assert_cmpuint(mechanism->n_events, ==, 3);
    g_assert_cmpuint(mechanism->events[0].count, ==, 1);
    g_assert_cmpuint(mechanism->events[1].count, ==, 14);
    g_assert_cmpuint(mechanism->events[2].count, ==, 7);
    g_assert_true(mechanism->events[1].sampling_rate == poisson.sampling_rate);
    g_assert_true(mechanism->events[2].noise_multiplier == 1.2);
    g_assert_cmpint(mechanism->events[0].sampler, ==, DPCXR_SAMPLER_FULL);

    guint64 sequence;
    g_assert_false(dpcxr_ledger_append(again, DPCXR_LEDGER_STEPS, &poisson, &sequence, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
}

static void test_mode(Fixture *fixture, gconstpointer data)
{
    mode_t old = umask(0);
    DpcxrLedger *ledger = create(fixture);
    umask(old);
    dpcxr_ledger_free(ledger);
    struct stat status;
    g_assert_cmpint(stat(fixture->path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
}

/* A record is on disk when append returns: another reader sees it at once. */
static void test_visible(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrLedger) ledger = create(fixture);
    for (guint i = 1; i < 4; i++) {
        append(ledger, DPCXR_LEDGER_STEPS, &poisson);
        g_autoptr(DpcxrLedger) reader = dpcxr_ledger_read(fixture->path, NULL);
        g_assert_nonnull(reader);
        g_assert_cmpuint(dpcxr_ledger_steps(reader), ==, i * poisson.count);
    }
}

static void test_resume(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    DpcxrLedger *ledger = create(fixture);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    g_autofree char *checkpoint = g_strdup(dpcxr_ledger_head(ledger));
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    g_autofree char *last = g_strdup(dpcxr_ledger_head(ledger));
    dpcxr_ledger_free(ledger);

    ledger = dpcxr_ledger_resume(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(dpcxr_ledger_processes(ledger), ==, 2);
    g_assert_true(dpcxr_ledger_contains(ledger, checkpoint));
    g_assert_true(dpcxr_ledger_contains(ledger, last));
    g_assert_cmpstr(dpcxr_ledger_head(ledger), !=, last); /* a process start is a record */
    g_assert_cmpuint(append(ledger, DPCXR_LEDGER_STEPS, &poisson), ==, 14);
    dpcxr_ledger_free(ledger);

    g_autoptr(DpcxrLedger) again = dpcxr_ledger_read(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(dpcxr_ledger_steps(again), ==, 21);
}

/* Two runs with the same constants share no hash after their first line, so a checkpoint fits one ledger
 * only. */
static void test_contains(Fixture *fixture, gconstpointer data)
{
    g_autofree char *other_path = g_strconcat(fixture->path, ".other", NULL);
    g_autoptr(DpcxrLedger) ledger = create(fixture);
    g_autoptr(DpcxrLedger) other =
        dpcxr_ledger_create(other_path, DPCXR_ADJACENCY_ZERO_OUT, "patient", 5000, NULL);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    append(other, DPCXR_LEDGER_STEPS, &poisson);
    g_assert_true(dpcxr_ledger_contains(ledger, dpcxr_ledger_head(ledger)));
    g_assert_false(dpcxr_ledger_contains(ledger, dpcxr_ledger_head(other)));
    g_assert_false(dpcxr_ledger_contains(ledger, ""));
    g_autofree char *zeros = g_strnfill(64, '0');
    g_assert_false(dpcxr_ledger_contains(ledger, zeros));
}

static void test_create_exists(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    dpcxr_ledger_free(create(fixture));
    g_autoptr(GBytes) before = content_of(fixture);
    g_assert_null(dpcxr_ledger_create(fixture->path, DPCXR_ADJACENCY_ZERO_OUT, "patient", 5000, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_autoptr(GBytes) after = content_of(fixture);
    g_assert_true(g_bytes_equal(before, after));
}

static void test_missing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_ledger_resume(fixture->path, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(error->message, fixture->path));
}

static void test_lock(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    DpcxrLedger *ledger = create(fixture);
    g_assert_null(dpcxr_ledger_resume(fixture->path, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_clear_error(&error);
    g_autoptr(DpcxrLedger) reader = dpcxr_ledger_read(fixture->path, &error); /* reading needs no lock */
    g_assert_no_error(error);
    g_assert_cmpuint(dpcxr_ledger_processes(reader), ==, 1);
    dpcxr_ledger_free(ledger);

    ledger = dpcxr_ledger_resume(fixture->path, &error);
    g_assert_no_error(error);
    pid_t child = fork();
    if (child == 0) {
        const char *verdict = dpcxr_ledger_resume(fixture->path, NULL) ? "/bin/false" : "/bin/true";
        execl(verdict, verdict, NULL); /* not _exit: a leak checker would judge what the parent still holds */
        _exit(2);
    }
    int status;
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    dpcxr_ledger_free(ledger);
}

/* A crash can cut the last line anywhere. What was acknowledged before stays; the cut line is gone, or, where
 * all but its newline is there, stays too. */
static void test_cut_last_line(Fixture *fixture, gconstpointer data)
{
    DpcxrLedger *ledger = create(fixture);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    g_autofree char *acknowledged = g_strdup(dpcxr_ledger_head(ledger));
    g_autoptr(GBytes) before = content_of(fixture);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    dpcxr_ledger_free(ledger);
    g_autoptr(GBytes) whole = content_of(fixture);
    const char *text = g_bytes_get_data(whole, NULL);
    for (gsize length = g_bytes_get_size(before); length < g_bytes_get_size(whole); length++) {
        g_autoptr(GError) error = NULL;
        guint64 steps = length + 1 == g_bytes_get_size(whole) ? 14 : 7;
        set_content(fixture, text, length);
        g_autoptr(DpcxrLedger) reader = dpcxr_ledger_read(fixture->path, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(dpcxr_ledger_steps(reader), ==, steps);
        if (length % 3 > 0 && length + 2 < g_bytes_get_size(whole)) /* going on waits for the disk */
            continue;
        g_autoptr(DpcxrLedger) resumed = dpcxr_ledger_resume(fixture->path, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(dpcxr_ledger_steps(resumed), ==, steps);
        g_assert_cmpuint(dpcxr_ledger_next_sequence(resumed), ==, steps);
        g_assert_true(dpcxr_ledger_contains(resumed, acknowledged));
        if (length % 16 > 0)
            continue;
        append(resumed, DPCXR_LEDGER_STEPS, &poisson);
        g_autoptr(DpcxrLedger) again = dpcxr_ledger_read(fixture->path, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(dpcxr_ledger_steps(again), ==, steps + 7);
    }
}

/* A ledger that lost whole lines holds as a chain; the head in a checkpoint tells. */
static void test_truncated(Fixture *fixture, gconstpointer data)
{
    DpcxrLedger *ledger = create(fixture);
    g_autoptr(GBytes) before = content_of(fixture);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    g_autofree char *checkpoint = g_strdup(dpcxr_ledger_head(ledger));
    dpcxr_ledger_free(ledger);
    set_content(fixture, g_bytes_get_data(before, NULL), g_bytes_get_size(before));
    g_autoptr(DpcxrLedger) resumed = dpcxr_ledger_resume(fixture->path, NULL);
    g_assert_nonnull(resumed);
    g_assert_false(dpcxr_ledger_contains(resumed, checkpoint));
}

static void assert_refused(const Fixture *fixture, gsize where)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrLedger) reader = dpcxr_ledger_read(fixture->path, &error);
    if (reader)
        g_error("byte %" G_GSIZE_FORMAT " was changed and nobody noticed", where);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_autoptr(DpcxrLedger) resumed = dpcxr_ledger_resume(fixture->path, NULL);
    g_assert_null(resumed);
}

/* Every byte, the newline that ends the file aside: without it the last line counts as cut or
 * is taken whole. */
static void test_every_byte(Fixture *fixture, gconstpointer data)
{
    DpcxrLedger *ledger = create(fixture);
    append(ledger, DPCXR_LEDGER_COUNTS, &counts);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    dpcxr_ledger_free(ledger);
    g_autoptr(GBytes) whole = content_of(fixture);
    gsize length;
    const char *text = g_bytes_get_data(whole, &length);
    g_autofree char *changed = g_memdup2(text, length);
    static const char others[] = {1, ' ', '9', '\n'};
    for (gsize i = 0; i + 1 < length; i++) {
        for (gsize k = 0; k < G_N_ELEMENTS(others); k++) {
            changed[i] = k == 0 ? text[i] ^ 1 : others[k];
            if (changed[i] == text[i])
                continue;
            set_content(fixture, changed, length);
            assert_refused(fixture, i);
        }
        changed[i] = text[i];
    }
    g_autoptr(GBytes) after = content_of(fixture);
    g_assert_cmpuint(g_bytes_get_size(after), ==, length); /* a refused file is left as it is */
}

static void test_lines_moved(Fixture *fixture, gconstpointer data)
{
    DpcxrLedger *ledger = create(fixture);
    append(ledger, DPCXR_LEDGER_COUNTS, &counts);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    dpcxr_ledger_free(ledger);
    g_autoptr(GBytes) whole = content_of(fixture);
    g_autofree char *text = g_strndup(g_bytes_get_data(whole, NULL), g_bytes_get_size(whole));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 5);
    g_autofree char *swapped = g_strdup_printf("%s\n%s\n%s\n%s\n", lines[0], lines[1], lines[3], lines[2]);
    g_autofree char *without = g_strdup_printf("%s\n%s\n%s\n", lines[0], lines[1], lines[3]);
    g_autofree char *twice = g_strdup_printf("%s%s\n", text, lines[3]);
    g_autofree char *blank = g_strdup_printf("%s\n", text);
    const char *const broken[] = {swapped, without, twice, blank, "", "{}\n", "\n"};
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        set_content(fixture, broken[i], strlen(broken[i]));
        assert_refused(fixture, i);
    }
}

/* Somebody who makes the hashes again can write any chain, but only lines that mean one thing. */
static void test_forged(Fixture *fixture, gconstpointer data)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const char *const header =
        "{\"record\":\"ledger\",\"version\":1,\"id\":\"00112233445566778899aabbccddeeff\","
        "\"adjacency\":\"zero_out\",\"unit\":\"patient\",\"population\":9";
    static const char *const process = "{\"record\":\"process\",\"id\":\"00112233445566778899aabbccddeeff\"";
    static const char *const forged[] = {
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"poisson\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":1,\"count\":2,\"sampler\":\"poisson\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":0,\"sampler\":\"poisson\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":-2,\"sampler\":\"poisson\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"poisson\",\"sampling_rate\":1.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"poisson\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":\"1\",\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"count\":1,\"sampler\":\"poisson\",\"sampling_"
        "rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"sometimes\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":281474976710657,\"sampler\":\"poisson\",\"sampling_"
        "rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"poisson\",\"sampling_rate\":0.50,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"poisson\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":0,\"note\":1",
        "{\"record\":\"steps\",\"sequence\":0,\"count\":2,\"sampler\":\"shuffle\",\"sampling_rate\":0.5,"
        "\"noise_multiplier\":1,\"population\":9,\"cap\":3", /* an epoch has 3 steps */
        "{\"record\":\"process\",\"id\":\"0\"",
        "{\"record\":\"other\"",
        "[1",
    };
    for (gsize i = 0; i < G_N_ELEMENTS(forged); i++) {
        const char *contents[] = {header, process, forged[i]};
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *previous = g_strdup(zeros);
        for (gsize k = 0; k < 3; k++) {
            g_autofree char *hashed = g_strconcat(previous, contents[k], NULL);
            g_free(previous);
            previous = g_compute_checksum_for_string(G_CHECKSUM_SHA256, hashed, -1);
            g_string_append_printf(text, "%s,\"hash\":\"%s\"}\n", contents[k], previous);
        }
        g_assert_true(g_file_set_contents(fixture->path, text->str, (gssize)text->len, NULL));
        g_autoptr(DpcxrLedger) reader = dpcxr_ledger_read(fixture->path, NULL);
        if ((reader != NULL) != (i == 0))
            g_error("forged line %" G_GSIZE_FORMAT " was %s", i, reader ? "taken" : "refused");
    }
}

static void test_bad_event(Fixture *fixture, gconstpointer data)
{
    static const DpcxrEvent bad[] = {
        {DPCXR_SAMPLER_POISSON, 0.5, 1, 0, 9, 0},  {DPCXR_SAMPLER_POISSON, 0, 1, 1, 9, 0},
        {DPCXR_SAMPLER_POISSON, 1.1, 1, 1, 9, 0},  {DPCXR_SAMPLER_POISSON, 0.5, 0, 1, 9, 0},
        {DPCXR_SAMPLER_POISSON, 0.5, -1, 1, 9, 0}, {DPCXR_SAMPLER_POISSON, 0.5, 1, G_MAXUINT64, 9, 0},
        {DPCXR_SAMPLER_SHUFFLE, 0.5, 1, 2, 9, 3},  {DPCXR_SAMPLER_SHUFFLE, 0.5, 1, 3, 9, 0},
        {DPCXR_SAMPLER_SHUFFLE, 0.5, 1, 4, 10, 3 + 8},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        guint64 sequence;
        g_autoptr(DpcxrLedger) ledger = create(fixture);
        g_autoptr(GBytes) before = content_of(fixture);
        g_assert_false(dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &bad[i], &sequence, &error));
        g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
        g_autoptr(GBytes) after = content_of(fixture);
        g_assert_true(g_bytes_equal(before, after));
        g_assert_cmpint(g_unlink(fixture->path), ==, 0);
    }
}

/* Epochs are recorded whole, take as many numbers as they have steps, and add up to epochs. */
static void test_epochs(Fixture *fixture, gconstpointer data)
{
    static const DpcxrEvent epoch = {DPCXR_SAMPLER_SHUFFLE, 0.3, 1, 4, 10, 3};
    guint64 sequence, steps;
    DpcxrLedger *ledger = create(fixture);
    for (guint64 i = 0; i < 3; i++) {
        g_assert_true(dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &epoch, &sequence, NULL));
        g_assert_cmpuint(sequence, ==, 4 * i);
        dpcxr_ledger_free(ledger);
        ledger = dpcxr_ledger_resume(fixture->path, NULL);
        g_assert_cmpuint(dpcxr_ledger_next_sequence(ledger), ==, 4 * (i + 1));
    }
    const DpcxrMechanism *mechanism = dpcxr_ledger_mechanism(ledger);
    g_assert_cmpuint(mechanism->n_events, ==, 1);
    g_assert_true(dpcxr_event_full_batches(&mechanism->events[0], &steps));
    g_assert_cmpuint(steps, ==, 3);
    g_assert_cmpuint(dpcxr_ledger_steps(ledger), ==, 12);
    dpcxr_ledger_free(ledger);
}

/* The limit on the size of files stands for a full disk: write() returns short and then fails. */
static void test_full_disk(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    guint64 sequence = 0;
    DpcxrLedger *ledger = create(fixture);
    append(ledger, DPCXR_LEDGER_STEPS, &poisson);
    g_autofree char *acknowledged = g_strdup(dpcxr_ledger_head(ledger));
    g_autoptr(GBytes) before = content_of(fixture);

    struct rlimit old, small;
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &old), ==, 0);
    small = old;
    small.rlim_cur = g_bytes_get_size(before) + 40;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    gboolean appended = dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &poisson, &sequence, &error);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &old), ==, 0);
    signal(SIGXFSZ, handler);
    g_assert_false(appended);
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_nonnull(strstr(error->message, fixture->path));
    g_clear_error(&error);
    g_assert_false(
        dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &poisson, &sequence, &error)); /* even with room */
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_clear_error(&error);
    g_assert_cmpstr(dpcxr_ledger_head(ledger), ==, acknowledged);
    dpcxr_ledger_free(ledger);

    ledger = dpcxr_ledger_resume(fixture->path, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(dpcxr_ledger_steps(ledger), ==, 7);
    g_assert_true(dpcxr_ledger_contains(ledger, acknowledged));
    dpcxr_ledger_free(ledger);
}

/* An event is on disk when append returns; where it may not be, the ledger takes no more. */
static void test_synced(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrLedger) ledger = create(fixture);
    for (int i = 0; i < 3; i++) {
        int before = synced;
        append(ledger, DPCXR_LEDGER_STEPS, &poisson);
        g_assert_cmpint(synced, >, before);
    }
    disk_fails = TRUE;
    g_autoptr(GError) lost = NULL;
    g_autoptr(GError) refused = NULL;
    guint64 sequence = 7;
    g_assert_false(dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &poisson, &sequence, &lost));
    disk_fails = FALSE;
    g_assert_error(lost, DPCXR_ERROR, DPCXR_ERROR_FAILED);
    g_assert_false(dpcxr_ledger_append(ledger, DPCXR_LEDGER_STEPS, &poisson, &sequence, &refused));
    g_assert_nonnull(strstr(refused->message, "an earlier append failed"));
    g_assert_cmpuint(sequence, ==, 7);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/ledger/append", Fixture, NULL, setup, test_append, teardown);
    g_test_add("/ledger/mode", Fixture, NULL, setup, test_mode, teardown);
    g_test_add("/ledger/visible", Fixture, NULL, setup, test_visible, teardown);
    g_test_add("/ledger/resume", Fixture, NULL, setup, test_resume, teardown);
    g_test_add("/ledger/contains", Fixture, NULL, setup, test_contains, teardown);
    g_test_add("/ledger/create-exists", Fixture, NULL, setup, test_create_exists, teardown);
    g_test_add("/ledger/missing", Fixture, NULL, setup, test_missing, teardown);
    g_test_add("/ledger/lock", Fixture, NULL, setup, test_lock, teardown);
    g_test_add("/ledger/cut-last-line", Fixture, NULL, setup, test_cut_last_line, teardown);
    g_test_add("/ledger/truncated", Fixture, NULL, setup, test_truncated, teardown);
    g_test_add("/ledger/every-byte", Fixture, NULL, setup, test_every_byte, teardown);
    g_test_add("/ledger/lines-moved", Fixture, NULL, setup, test_lines_moved, teardown);
    g_test_add("/ledger/forged", Fixture, NULL, setup, test_forged, teardown);
    g_test_add("/ledger/bad-event", Fixture, NULL, setup, test_bad_event, teardown);
    g_test_add("/ledger/epochs", Fixture, NULL, setup, test_epochs, teardown);
    g_test_add("/ledger/synced", Fixture, NULL, setup, test_synced, teardown);
    g_test_add("/ledger/full-disk", Fixture, NULL, setup, test_full_disk, teardown);
    return g_test_run();
}
