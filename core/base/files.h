/* SPDX-License-Identifier: MIT
 * Files that are whole or not there: written to a temporary name beside the target (".NAME.XXXXXX"), synced, renamed,
 * folder synced. What a killed process left under such a name goes when the same target is written next. */
#pragma once
#include <dpcxr/error.h>
#include <gio/gio.h>
#include <stdio.h>

/* A file under construction. */
typedef struct {
    FILE *stream;
    char *path, *temporary;
    int cause; /* errno of the first write that failed, 0: none */
} DpcxrNewFile;

/* @mode: 0600 for what is private, else 0644 (before umask). DPCXR_ERROR_FAILED names the path and the cause. */
gboolean dpcxr_new_file_open(DpcxrNewFile *file, const char *path, int mode, GError **error);
/* Writes to the stream and remembers why it failed; commit reports it, so callers need not look. fprintf to the stream is
 * fine, too: commit then fails all the same, perhaps without the cause. */
void dpcxr_new_file_write(DpcxrNewFile *file, const void *data, gsize n);
/* Flushes, syncs, renames. On failure the temporary file is gone and the old file, if any, untouched (or, where only the
 * sync of the folder failed, the new one in its place). Either way @file is done with: zeroed. */
gboolean dpcxr_new_file_commit(DpcxrNewFile *file, GError **error);
void dpcxr_new_file_abandon(DpcxrNewFile *file); /* removes it; safe on a zeroed or committed one */

/* All at once. @length -1: up to the NUL. */
gboolean dpcxr_write_file(const char *path, const char *content, gssize length, int mode, GError **error);
/* Puts the entry of @path in its folder on disk: after a file was made there, or renamed. */
gboolean dpcxr_sync_folder(const char *path, GError **error);
/* Creates @path and its parents; an existing folder is fine but gets no other mode. */
gboolean dpcxr_make_folder(const char *path, int mode, GError **error);
/* Removes a file, or a folder with all that is in it; never through a symbolic link. What cannot be removed stays. */
void dpcxr_remove_tree(const char *path);
