/* SPDX-License-Identifier: MIT
 * The ledger file. One JSON object a line; each ends in "hash", the SHA-256 of the previous line's hash (64
 * zeros before the first) followed by the bytes of its own line up to `,"hash"`. A line is read back into a
 * record and written again; what does not come out byte for byte is refused, so there is one way to write a
 * ledger and no second meaning. */
#include "privacy/ledger.h"
#include <dpcxr/sampling.h>
#include "base/files.h"
#include "base/json.h"
#include "privacy/ledger-record.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define HASH_BYTES 32
#define HASH_HEX (2 * HASH_BYTES)
#define SEQUENCE_END (G_GUINT64_CONSTANT(1) << 48) /* what addresses of secret streams have room for */

static const char hash_key[] = ",\"hash\":\"";
static const char line_end[] = "\"}\n";
static const char first_previous[] = "0000000000000000000000000000000000000000000000000000000000000000";

struct _DpcxrLedger {
    char *path;
    int fd; /* -1: read only */
    gboolean broken;
    gboolean has_header;
    DpcxrAdjacency adjacency;
    char *unit;
    guint64 population, steps, processes, next_sequence, lines;
    GArray *hashes; /* HASH_BYTES each */
    GArray *events; /* DpcxrEvent, merged */
    DpcxrMechanism mechanism;
    char head[HASH_HEX + 1];
};

/* A part of a shuffled epoch is no event: two parts may both hold a unit, and would add up to one epoch. */
static gboolean is_whole(const DpcxrEvent *event)
{
    return event->sampler != DPCXR_SAMPLER_SHUFFLE ||
           (event->cap > 0 && event->cap <= event->population &&
            event->count % dpcxr_epoch_steps(event->population, event->cap) == 0);
}

static gboolean event_is_sane(const DpcxrEvent *event)
{
    return event->count > 0 && event->sampling_rate > 0 && event->sampling_rate <= 1 &&
           event->noise_multiplier > 0 && isfinite(event->noise_multiplier) &&
           event->population <= G_MAXINT64 && event->cap <= G_MAXINT64;
}

static gboolean equal_but_for_count(const DpcxrEvent *a, const DpcxrEvent *b)
{
    return a->sampler == b->sampler && a->sampling_rate == b->sampling_rate &&
           a->noise_multiplier == b->noise_multiplier && a->population == b->population && a->cap == b->cap;
}

void dpcxr_events_add(GArray *events, const DpcxrEvent *event)
{
    for (guint i = 0; i < events->len; i++) {
        DpcxrEvent *known = &g_array_index(events, DpcxrEvent, i);
        if (equal_but_for_count(known, event)) {
            known->count += event->count;
            return;
        }
    }
    g_array_append_val(events, *event);
}

/* Takes a record into account. (nullable) What is wrong with it where it stands. */
static const char *ledger_apply(DpcxrLedger *ledger, const DpcxrRecord *record)
{
    if (ledger->has_header == (record->kind == DPCXR_RECORD_LEDGER))
        return ledger->has_header ? "a second header" : "the header is missing";
    switch (record->kind) {
    case DPCXR_RECORD_LEDGER:
        if (record->population == 0)
            return "the population is 0";
        ledger->has_header = TRUE;
        ledger->adjacency = record->adjacency;
        ledger->unit = g_strdup(record->unit);
        ledger->population = record->population;
        return NULL;
    case DPCXR_RECORD_PROCESS:
        ledger->processes++;
        return NULL;
    default:
        break;
    }
    const DpcxrEvent *event = &record->event;
    if (ledger->processes == 0)
        return "an event before any process start";
    if (!event_is_sane(event))
        return "an event that cannot be: count, rate or noise out of range";
    if (!is_whole(event))
        return "shuffled steps that are no whole epochs";
    if (record->sequence != ledger->next_sequence)
        return "a sequence number that does not follow";
    if (event->count > SEQUENCE_END - ledger->next_sequence)
        return "more steps than there are sequence numbers";
    ledger->next_sequence += event->count;
    if (record->kind == DPCXR_RECORD_STEPS)
        ledger->steps += event->count;
    dpcxr_events_add(ledger->events, event);
    return NULL;
}

/* @hex: HASH_HEX hexadecimal digits. */
static void bytes_of(const char *hex, guint8 bytes[HASH_BYTES])
{
    for (int i = 0; i < HASH_BYTES; i++)
        bytes[i] = (guint8)(g_ascii_xdigit_value(hex[2 * i]) << 4 | g_ascii_xdigit_value(hex[2 * i + 1]));
}

static void ledger_set_head(DpcxrLedger *ledger, const char *hash)
{
    guint8 bytes[HASH_BYTES];
    bytes_of(hash, bytes);
    g_array_append_vals(ledger->hashes, bytes, 1);
    memcpy(ledger->head, hash, HASH_HEX);
    ledger->lines++;
}

static char *chain_hash(const DpcxrLedger *ledger, const char *content, gsize length)
{
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(checksum, (const guchar *)ledger->head, HASH_HEX);
    g_checksum_update(checksum, (const guchar *)content, (gssize)length);
    return g_strdup(g_checksum_get_string(checksum));
}

static gboolean line_error(const DpcxrLedger *ledger, const char *what, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s:%" G_GUINT64_FORMAT
                ": %s; the ledger was changed or damaged, and nothing can be claimed from it",
                ledger->path, ledger->lines + 1, what);
    return FALSE;
}

/* Verifies and applies one line of @length bytes, its newline included. */
static gboolean ledger_take_line(DpcxrLedger *ledger, const char *line, gsize length, GError **error)
{
    const gsize tail = strlen(hash_key) + HASH_HEX + strlen(line_end);
    if (length > LINE_MAX_BYTES || length <= tail)
        return line_error(ledger, "not a line of a ledger", error);
    gsize content = length - tail;
    const char *hash = line + content + strlen(hash_key);
    if (memcmp(line + content, hash_key, strlen(hash_key)) != 0 ||
        memcmp(hash + HASH_HEX, line_end, strlen(line_end)) != 0)
        return line_error(ledger, "not a line of a ledger", error);
    g_autofree char *expected = chain_hash(ledger, line, content);
    if (memcmp(expected, hash, HASH_HEX) != 0)
        return line_error(ledger, "the hash chain does not hold", error);

    g_autoptr(JsonNode) node = dpcxr_json_parse(line, length - 1, 2, NULL);
    DpcxrRecord record;
    if (!node || !JSON_NODE_HOLDS_OBJECT(node) || !dpcxr_record_parse(json_node_get_object(node), &record))
        return line_error(ledger, "not a record of this version", error);
    g_autoptr(GString) again = dpcxr_record_format(&record);
    if (again->len != content || memcmp(again->str, line, content) != 0)
        return line_error(ledger, "not written as a ledger writes it", error);
    const char *wrong = ledger_apply(ledger, &record);
    if (wrong)
        return line_error(ledger, wrong, error);
    ledger_set_head(ledger, expected);
    return TRUE;
}

static gboolean io_error(DpcxrLedger *ledger, const char *what, int number, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: cannot %s: %s", ledger->path, what,
                g_strerror(number));
    return FALSE;
}

/* Verifies all complete lines. *end: bytes they take. *missing_newline: whether the last one, otherwise
 * whole, lacks its newline; it is part of the ledger then. What else follows the last newline was cut in the
 * middle of an append that never returned, so nothing was done with it, and it is left out. */
static gboolean ledger_verify(DpcxrLedger *ledger, FILE *stream, goffset *end, gboolean *missing_newline,
                              GError **error)
{
    g_autofree char *line = g_malloc(LINE_MAX_BYTES + 2);
    gsize length = 0;
    *end = 0;
    *missing_newline = FALSE;
    for (int c; (c = getc_unlocked(stream)) != EOF;) {
        line[length++] = (char)c;
        if (c != '\n' && length <= LINE_MAX_BYTES)
            continue;
        if (!ledger_take_line(ledger, line, length, error))
            return FALSE;
        *end += (goffset)length;
        length = 0;
    }
    if (ferror(stream))
        return io_error(ledger, "read it", errno, error);
    if (length > 0) {
        line[length] = '\n';
        *missing_newline = ledger_take_line(ledger, line, length + 1, NULL);
        *end += *missing_newline ? (goffset)length : 0;
    }
    if (ledger->has_header && ledger->processes > 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: not a ledger: it has no header", ledger->path);
    return FALSE;
}

static DpcxrLedger *ledger_new(const char *path)
{
    DpcxrLedger *ledger = g_new0(DpcxrLedger, 1);
    ledger->path = g_strdup(path);
    ledger->fd = -1;
    ledger->hashes = g_array_new(FALSE, FALSE, HASH_BYTES);
    ledger->events = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    memcpy(ledger->head, first_previous, sizeof first_previous);
    return ledger;
}

void dpcxr_ledger_free(DpcxrLedger *ledger)
{
    if (!ledger)
        return;
    if (ledger->fd >= 0)
        close(ledger->fd); /* gives the lock back; every record is synced already */
    g_array_unref(ledger->hashes);
    g_array_unref(ledger->events);
    g_free(ledger->unit);
    g_free(ledger->path);
    g_free(ledger);
}

/* 128 bits from the operating system. */
static gboolean random_id(char id[33], GError **error)
{
    guint8 bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "the operating system gives no random bytes: %s",
                    g_strerror(errno));
        return FALSE;
    }
    for (int i = 0; i < 16; i++)
        g_snprintf(id + 2 * i, 3, "%02x", bytes[i]);
    return TRUE;
}

static gboolean write_all(int fd, const char *bytes, gsize length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            errno = written == 0 ? ENOSPC : errno;
            return FALSE;
        }
        bytes += written;
        length -= (gsize)written;
    }
    return TRUE;
}

/* Applies, writes and syncs a record. After a failure nobody knows what the disk holds, so the ledger takes
 * no more. */
static gboolean ledger_write(DpcxrLedger *ledger, const DpcxrRecord *record, GError **error)
{
    const char *wrong = ledger_apply(ledger, record);
    if (wrong) {
        ledger->broken = TRUE;
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: refused to append %s", ledger->path, wrong);
        return FALSE;
    }
    g_autoptr(GString) line = dpcxr_record_format(record);
    g_autofree char *hash = chain_hash(ledger, line->str, line->len);
    g_string_append_printf(line, "%s%s%s", hash_key, hash, line_end);
    if (!write_all(ledger->fd, line->str, line->len) || fsync(ledger->fd) != 0) {
        int number = errno;
        ledger->broken = TRUE;
        return io_error(ledger, "append to the ledger, so no step may be taken", number, error);
    }
    ledger_set_head(ledger, hash);
    return TRUE;
}

static gboolean ledger_lock(DpcxrLedger *ledger, GError **error)
{
    if (flock(ledger->fd, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    if (errno != EWOULDBLOCK)
        return io_error(ledger, "lock it", errno, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "%s: another process is training with this ledger; wait for it or stop it", ledger->path);
    return FALSE;
}

/* Moves the finished beginning into place, so that a ledger is there with its header or not at all. */
static gboolean ledger_publish(DpcxrLedger *ledger, const char *temporary, GError **error)
{
    int status = renameat2(AT_FDCWD, temporary, AT_FDCWD, ledger->path, RENAME_NOREPLACE);
    if (status != 0 && (errno == EINVAL || errno == ENOSYS)) { /* file systems without it, NFS for one */
        status = link(temporary, ledger->path);
        if (status == 0)
            unlink(temporary);
    }
    if (status == 0)
        return dpcxr_sync_folder(ledger->path, error);
    if (errno != EEXIST)
        return io_error(ledger, "create it", errno, error);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "%s exists; go on with --resume or use another run folder", ledger->path);
    return FALSE;
}

static gboolean ledger_begin(DpcxrLedger *ledger, const char *temporary, const DpcxrRecord *header,
                             GError **error)
{
    DpcxrRecord process = {.kind = DPCXR_RECORD_PROCESS};
    ledger->fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (ledger->fd < 0)
        return io_error(ledger, "create it", errno, error);
    if (random_id(process.id, error) && ledger_lock(ledger, error) && ledger_write(ledger, header, error) &&
        ledger_write(ledger, &process, error) && ledger_publish(ledger, temporary, error))
        return TRUE;
    unlink(temporary);
    return FALSE;
}

DpcxrLedger *dpcxr_ledger_create(const char *path, DpcxrAdjacency adjacency, const char *unit,
                                 guint64 population, GError **error)
{
    g_autoptr(DpcxrLedger) ledger = ledger_new(path);
    DpcxrRecord header = {DPCXR_RECORD_LEDGER, .adjacency = adjacency, .unit = unit,
                          .population = population};
    if (population > G_MAXINT64 || !(g_str_equal(unit, "patient") || g_str_equal(unit, "image"))) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED,
                    "%s: no ledger for %" G_GUINT64_FORMAT " units of '%s'", path, population, unit);
        return NULL;
    }
    if (!random_id(header.id, error))
        return NULL;
    g_autofree char *temporary = g_strdup_printf("%s.%.8s", path, header.id);
    if (!ledger_begin(ledger, temporary, &header, error))
        return NULL;
    return g_steal_pointer(&ledger);
}

static DpcxrLedger *ledger_open(const char *path, int flags, GError **error)
{
    DpcxrLedger *ledger = ledger_new(path);
    ledger->fd = open(path, flags | O_CLOEXEC);
    if (ledger->fd >= 0)
        return ledger;
    g_set_error(error, DPCXR_ERROR, errno == ENOENT ? DPCXR_ERROR_USAGE : DPCXR_ERROR_FAILED,
                "%s: cannot open it: %s", path, g_strerror(errno));
    dpcxr_ledger_free(ledger);
    return NULL;
}

/* Reads through a descriptor of its own, so that the lock stays with ledger->fd. */
static gboolean ledger_read_all(DpcxrLedger *ledger, goffset *end, gboolean *missing_newline, GError **error)
{
    int fd = fcntl(ledger->fd, F_DUPFD_CLOEXEC, 0);
    FILE *stream = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (!stream)
        return io_error(ledger, "read it", errno, error);
    gboolean valid = ledger_verify(ledger, stream, end, missing_newline, error);
    fclose(stream);
    return valid;
}

DpcxrLedger *dpcxr_ledger_resume(const char *path, GError **error)
{
    g_autoptr(DpcxrLedger) ledger = ledger_open(path, O_RDWR | O_APPEND, error);
    DpcxrRecord process = {.kind = DPCXR_RECORD_PROCESS};
    goffset end;
    gboolean missing_newline;
    if (!ledger || !ledger_lock(ledger, error) || !ledger_read_all(ledger, &end, &missing_newline, error))
        return NULL;
    if (ftruncate(ledger->fd, end) != 0 || (missing_newline && !write_all(ledger->fd, "\n", 1))) {
        io_error(ledger, "drop its cut last line", errno, error);
        return NULL;
    }
    if (!random_id(process.id, error) || !ledger_write(ledger, &process, error))
        return NULL;
    return g_steal_pointer(&ledger);
}

DpcxrLedger *dpcxr_ledger_read(const char *path, GError **error)
{
    g_autoptr(DpcxrLedger) ledger = ledger_open(path, O_RDONLY, error);
    goffset end;
    gboolean missing_newline;
    if (!ledger || !ledger_read_all(ledger, &end, &missing_newline, error))
        return NULL;
    close(ledger->fd);
    ledger->fd = -1;
    return g_steal_pointer(&ledger);
}

gboolean dpcxr_ledger_append(DpcxrLedger *ledger, DpcxrLedgerKind kind, const DpcxrEvent *event,
                             guint64 *sequence, GError **error)
{
    if (ledger->fd < 0 || ledger->broken) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", ledger->path,
                    ledger->broken ? "an earlier append failed; nothing more may be done with this ledger"
                                   : "opened for reading only");
        return FALSE;
    }
    DpcxrRecord record = {kind == DPCXR_LEDGER_STEPS ? DPCXR_RECORD_STEPS : DPCXR_RECORD_COUNTS,
                          .sequence = ledger->next_sequence, .event = *event};
    if (!ledger_write(ledger, &record, error))
        return FALSE;
    *sequence = record.sequence;
    return TRUE;
}

const DpcxrMechanism *dpcxr_ledger_mechanism(DpcxrLedger *ledger)
{
    ledger->mechanism = (DpcxrMechanism){ledger->adjacency, (const DpcxrEvent *)(void *)ledger->events->data,
                                         ledger->events->len};
    return &ledger->mechanism;
}

guint64 dpcxr_ledger_steps(const DpcxrLedger *ledger)
{
    return ledger->steps;
}

guint64 dpcxr_ledger_next_sequence(const DpcxrLedger *ledger)
{
    return ledger->next_sequence;
}

guint64 dpcxr_ledger_processes(const DpcxrLedger *ledger)
{
    return ledger->processes;
}

guint64 dpcxr_ledger_population(const DpcxrLedger *ledger)
{
    return ledger->population;
}

const char *dpcxr_ledger_unit(const DpcxrLedger *ledger)
{
    return ledger->unit;
}

const char *dpcxr_ledger_head(const DpcxrLedger *ledger)
{
    return ledger->head;
}

gboolean dpcxr_ledger_contains(const DpcxrLedger *ledger, const char *head)
{
    guint8 bytes[HASH_BYTES];
    if (strlen(head) != HASH_HEX || strspn(head, "0123456789abcdef") != HASH_HEX)
        return FALSE;
    bytes_of(head, bytes);
    for (guint i = 0; i < ledger->hashes->len; i++) {
        if (memcmp(ledger->hashes->data + (gsize)i * HASH_BYTES, bytes, HASH_BYTES) == 0)
            return TRUE;
    }
    return FALSE;
}
