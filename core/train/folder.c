/* SPDX-License-Identifier: MIT */
#include "train/folder.h"
#include "base/files.h"
#include "privacy/planned.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What the steps of a run depend on. Stages, device, evaluation and reports may change between processes. */
static const char *const fixed_sections[] = {"seed", "data", "model", "loss", "optimizer", "schedule", "train", "privacy"};

void dpcxr_folder_init(DpcxrFolder *folder, const char *out, const char *name)
{
    *folder = (DpcxrFolder){.lock = -1};
    folder->root = g_build_filename(out ? out : "runs", name, NULL);
    folder->private_dir = g_build_filename(folder->root, "private", NULL);
    folder->checkpoints = g_build_filename(folder->private_dir, "checkpoints", NULL);
    folder->ledger = g_build_filename(folder->private_dir, "ledger.jsonl", NULL);
    folder->planned = g_build_filename(folder->private_dir, DPCXR_PLANNED_FILE, NULL);
    folder->config = g_build_filename(folder->private_dir, "config.yaml", NULL);
    folder->metrics = g_build_filename(folder->private_dir, "metrics.jsonl", NULL);
    folder->label_weights = g_build_filename(folder->private_dir, "pos_weight.safetensors", NULL);
    folder->release = g_build_filename(folder->root, "release", NULL);
    folder->done = g_build_filename(folder->root, "DONE", NULL);
}

void dpcxr_folder_clear(DpcxrFolder *folder)
{
    char **names[] = {&folder->root,    &folder->private_dir, &folder->checkpoints,   &folder->ledger,  &folder->planned,
                      &folder->config,  &folder->metrics,     &folder->label_weights, &folder->release, &folder->done};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++)
        g_clear_pointer(names[i], g_free);
    if (folder->lock >= 0)
        close(folder->lock);
    folder->lock = -1;
}

static gboolean take_lock(DpcxrFolder *folder, GError **error)
{
    g_autofree char *path = g_build_filename(folder->private_dir, "lock", NULL);
    folder->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (folder->lock < 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", path, g_strerror(errno));
        return FALSE;
    }
    if (flock(folder->lock, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: another process is working on this run", folder->root);
    return FALSE;
}

/* The lines of a top-level section of a resolved configuration, its key included; "" where it is absent. Without data.cache: where
 * decoded images are kept changes no step, and a run may go on where there is other room. */
static char *section(const char *yaml, const char *name)
{
    g_autofree char *key = g_strdup_printf("%s:", name);
    g_auto(GStrv) lines = g_strsplit(yaml, "\n", -1);
    GString *text = g_string_new(NULL);
    gboolean inside = FALSE, cache = FALSE;
    for (guint i = 0; lines[i]; i++) {
        if (*lines[i] && !g_ascii_isspace(*lines[i]) && *lines[i] != '#' && *lines[i] != '-')
            inside = g_str_has_prefix(lines[i], key);
        cache = g_str_has_prefix(lines[i], "  cache:") || (cache && g_str_has_prefix(lines[i], "   "));
        if (inside && !(cache && g_str_equal(name, "data")))
            g_string_append_printf(text, "%s\n", lines[i]);
    }
    return g_string_free(text, FALSE);
}

char *dpcxr_folder_config_digest(const DpcxrExperiment *experiment)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    for (guint i = 0; i < G_N_ELEMENTS(fixed_sections); i++) {
        g_autofree char *text = section(experiment->yaml, fixed_sections[i]);
        g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
    }
    return g_strdup(g_checksum_get_string(sum));
}

/* The first line in which two sections differ, as `"epochs: 3" then, "epochs: 4" now`. (transfer full) */
static char *first_difference(const char *was, const char *is)
{
    g_auto(GStrv) then = g_strsplit(was, "\n", -1), now = g_strsplit(is, "\n", -1);
    guint i = 0;
    while (then[i] && now[i] && g_str_equal(then[i], now[i]))
        i++;
    return g_strdup_printf("\"%s\" then, \"%s\" now", then[i] ? g_strstrip(then[i]) : "",
                           now[i] ? g_strstrip(now[i]) : "");
}

gboolean dpcxr_folder_compare(const DpcxrFolder *folder, const DpcxrExperiment *experiment, GError **error)
{
    g_autofree char *before = NULL;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(folder->config, &before, NULL, &local)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %s; the run cannot be resumed without it", folder->config,
                    local->message);
        return FALSE;
    }
    for (guint i = 0; i < G_N_ELEMENTS(fixed_sections); i++) {
        g_autofree char *was = section(before, fixed_sections[i]), *is = section(experiment->yaml, fixed_sections[i]);
        if (g_str_equal(was, is))
            continue;
        g_autofree char *difference = first_difference(was, is);
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "%s: the section \"%s\" is not the one this run was started with: %s (see %s); a resumed run keeps it, a "
                    "changed one needs another name",
                    folder->root, fixed_sections[i], difference, folder->config);
        return FALSE;
    }
    return TRUE;
}

gboolean dpcxr_folder_check(const DpcxrFolder *folder, gboolean resume, GError **error)
{
    gboolean exists = g_file_test(folder->root, G_FILE_TEST_EXISTS);
    if (exists && !resume)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s exists; go on with it (--resume), take another name (name=...), or remove it", folder->root);
    else if (!exists && resume)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s does not exist; there is nothing to resume",
                    folder->root);
    else
        return TRUE;
    return FALSE;
}

gboolean dpcxr_folder_enter(DpcxrFolder *folder, const DpcxrExperiment *experiment, gboolean resume, GError **error)
{
    if (!dpcxr_folder_check(folder, resume, error) || !dpcxr_make_folder(folder->root, 0755, error) ||
        !dpcxr_make_folder(folder->private_dir, 0700, error) || !dpcxr_make_folder(folder->checkpoints, 0700, error) ||
        !take_lock(folder, error))
        return FALSE;
    if (g_file_test(folder->config, G_FILE_TEST_EXISTS))
        return dpcxr_folder_compare(folder, experiment, error);
    return dpcxr_write_file(folder->config, experiment->yaml, -1, 0600, error);
}
