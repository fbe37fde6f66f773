/* SPDX-License-Identifier: MIT
 * The process's plugins: who holds a name, who is broken, who came second. Files are opened in loader.c. */
#include "plugin/registry.h"
#include "plugin/loader.h"
#include "plugin/nearest.h"
#include <dlfcn.h>
#include <string.h>

typedef struct {
    DpcxrPluginEntry entry; /* first: an entry is handed out, its record is taken back */
    gboolean added;         /* by dpcxr_registry_add, so ahead of what a scan found */
    gboolean duplicate;     /* of an earlier record with its kind and name */
} Record;

/* The one place with state of its own: shared objects are resident for as long as the process, so is the
 * account of them. Read-only once threads run. */
static struct {
    GPtrArray *records; /* Record */
    GPtrArray *retired; /* replaced by an added file; someone may still hold their entries */
    gboolean scanned;
} registry;

static const char *const kind_names[DPCXR_N_PLUGIN_KINDS + 1] = {
    [DPCXR_PLUGIN_MODEL] = "model",
    [DPCXR_PLUGIN_DATASET] = "dataset",
    [DPCXR_PLUGIN_AUGMENTATION] = "augmentation",
    [DPCXR_PLUGIN_ACCOUNTANT] = "accountant",
};

const char *dpcxr_plugin_kind_name(DpcxrPluginKind kind)
{
    return kind_names[kind];
}

gboolean dpcxr_plugin_kind_from_name(const char *name, DpcxrPluginKind *kind)
{
    for (int i = 0; i < DPCXR_N_PLUGIN_KINDS; i++)
        if (strcmp(name, kind_names[i]) == 0) {
            *kind = i;
            return TRUE;
        }
    return FALSE;
}

static void record_free(gpointer data)
{
    Record *record = data;
    g_free(record->entry.name);
    g_free(record->entry.file);
    g_free(record->entry.sha256);
    g_clear_error(&record->entry.error);
    g_free(record);
}

static void start(void)
{
    if (registry.records)
        return;
    registry.records = g_ptr_array_new_with_free_func(record_free);
    registry.retired = g_ptr_array_new_with_free_func(record_free);
}

static Record *record_new(const char *file, DpcxrPluginKind kind, const char *name, gboolean added)
{
    Record *record = g_new0(Record, 1);
    record->entry.kind = kind;
    record->entry.name = g_strdup(name);
    record->entry.file = g_strdup(file);
    record->added = added;
    return record;
}

static Record *record_load(const char *file, DpcxrPluginKind kind, const char *name, gboolean added)
{
    Record *record = record_new(file, kind, name, added);
    record->entry.plugin = dpcxr_plugin_load(file, kind, name, &record->entry.sha256, &record->entry.error);
    return record;
}

static Record *record_duplicate(const char *file, DpcxrPluginKind kind, const char *name, gboolean added,
                                const char *holder)
{
    Record *record = record_new(file, kind, name, added);
    record->duplicate = TRUE;
    record->entry.error =
        g_error_new(DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: duplicate of %s \"%s\", which comes from %s: remove or rename one of them", file,
                    kind_names[kind], name, holder);
    return record;
}

/* Who has the name, working or broken; NULL: nobody yet. */
static Record *find_holder(DpcxrPluginKind kind, const char *name)
{
    for (guint i = 0; i < registry.records->len; i++) {
        Record *record = g_ptr_array_index(registry.records, i);
        if (!record->duplicate && record->entry.kind == kind && strcmp(record->entry.name, name) == 0)
            return record;
    }
    return NULL;
}

static Record *find_file(const char *file)
{
    for (guint i = 0; i < registry.records->len; i++) {
        Record *record = g_ptr_array_index(registry.records, i);
        if (strcmp(record->entry.file, file) == 0)
            return record;
    }
    return NULL;
}

static void retire(Record *record)
{
    guint place = 0;
    g_return_if_fail(g_ptr_array_find(registry.records, record, &place));
    g_ptr_array_add(registry.retired, g_ptr_array_steal_index(registry.records, place));
}

/* Takes the name from @holder, which a scan had found. */
static void replace_holder(Record *holder, const char *file)
{
    const DpcxrPluginEntry *old = &holder->entry;
    g_ptr_array_add(registry.records, record_duplicate(old->file, old->kind, old->name, FALSE, file));
    retire(holder);
}

/* @path names a plugin (dpcxr_plugin_split_file_name). */
static void register_file(const char *path, DpcxrPluginKind kind, const char *name, gboolean added)
{
    g_autofree char *resolved = realpath(path, NULL); /* so that one file met on two ways is one plugin */
    const char *file = resolved ? resolved : path;
    Record *holder = find_holder(kind, name), *known = find_file(file);
    if (known && (known == holder || !added || known->added))
        return;
    if (holder && (!added || holder->added)) {
        g_ptr_array_add(registry.records, record_duplicate(file, kind, name, added, holder->entry.file));
        return;
    }
    if (known)
        retire(known);
    g_ptr_array_add(registry.records, record_load(file, kind, name, added));
    if (holder)
        replace_holder(holder, file);
}

static int compare_strings(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Registers the plugins of a folder in order of their file names; returns how many there are. */
static guint register_folder(const char *folder, GDir *dir, gboolean added)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
    for (const char *base; (base = g_dir_read_name(dir));)
        g_ptr_array_add(paths, g_build_filename(folder, base, NULL));
    g_ptr_array_sort(paths, compare_strings);
    guint n = 0;
    for (guint i = 0; i < paths->len; i++) {
        const char *path = g_ptr_array_index(paths, i);
        DpcxrPluginKind kind;
        g_autofree char *name = NULL;
        if (dpcxr_plugin_split_file_name(path, &kind, &name)) {
            register_file(path, kind, name, added);
            n++;
        }
    }
    return n;
}

static void scan_folder(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir)
        register_folder(folder, dir, FALSE);
}

static void scan_path(const char *path)
{
    g_auto(GStrv) folders = g_strsplit(path ? path : "", ":", -1);
    for (char **folder = folders; *folder; folder++)
        if (**folder)
            scan_folder(*folder);
}

/* The folder that libdpcxr.so was loaded from. */
static char *library_folder(void)
{
    Dl_info info;
    if (!dladdr((const void *)dpcxr_registry_scan, &info) || !info.dli_fname)
        return NULL;
    g_autofree char *file = realpath(info.dli_fname, NULL);
    return file ? g_path_get_dirname(file) : NULL;
}

void dpcxr_registry_scan(void)
{
    start();
    if (registry.scanned)
        return;
    registry.scanned = TRUE;
    g_autofree char *folder = library_folder();
    /* meson keeps its own notes at the top of a build tree, one above core/. */
    g_autofree char *notes = folder ? g_build_filename(folder, "..", "meson-private", NULL) : NULL;
    gboolean installed = notes && !g_file_test(notes, G_FILE_TEST_IS_DIR);
    g_autofree char *built = folder ? g_build_filename(folder, "..", "plugins", NULL) : NULL;
    g_autofree char *beside = folder ? g_build_filename(folder, "dpcxr", NULL) : NULL;
    if (folder && !installed)
        scan_folder(built);
    scan_path(g_getenv("DPCXR_PLUGIN_PATH"));
    if (folder && installed)
        scan_folder(beside);
}

static gboolean add_folder(const char *folder, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &cause);
    if (!dir) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s", cause->message);
        return FALSE;
    }
    if (register_folder(folder, dir, TRUE) == 0) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: no plugin in this folder; a plugin's file is called dpcxr-KIND-NAME.so", folder);
        return FALSE;
    }
    return TRUE;
}

gboolean dpcxr_registry_add(const char *path, GError **error)
{
    start();
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return add_folder(path, error);
    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: no such file or folder", path);
        return FALSE;
    }
    DpcxrPluginKind kind;
    g_autofree char *name = NULL;
    if (!dpcxr_plugin_split_file_name(path, &kind, &name)) {
        g_autofree char *kinds = g_strjoinv("|", (char **)kind_names);
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                    "%s: a plugin's file is called dpcxr-KIND-NAME.so, KIND one of %s, NAME of lower-case "
                    "letters, digits "
                    "and underscores",
                    path, kinds);
        return FALSE;
    }
    register_file(path, kind, name, TRUE);
    return TRUE;
}

/* By kind, name, and holder before duplicates; equal ones keep their order (the sort is stable). */
static int compare_records(gconstpointer a, gconstpointer b)
{
    const Record *x = *(const Record *const *)a, *y = *(const Record *const *)b;
    if (x->entry.kind != y->entry.kind)
        return x->entry.kind < y->entry.kind ? -1 : 1;
    int names = strcmp(x->entry.name, y->entry.name);
    return names ? names : x->duplicate - y->duplicate;
}

GPtrArray *dpcxr_registry_list(void)
{
    start();
    GPtrArray *list = g_ptr_array_new();
    for (guint i = 0; i < registry.records->len; i++)
        g_ptr_array_add(list, g_ptr_array_index(registry.records, i));
    g_ptr_array_sort(list, compare_records);
    return list;
}

static void set_none_found(DpcxrPluginKind kind, const char *name, GError **error)
{
    g_autoptr(GPtrArray) list = dpcxr_registry_list();
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < list->len; i++) {
        const Record *record = g_ptr_array_index(list, i);
        if (record->entry.kind == kind && !record->duplicate)
            g_ptr_array_add(names, record->entry.name);
    }
    g_ptr_array_add(names, NULL);
    char **known = (char **)names->pdata;
    g_autofree char *all = g_strjoinv(", ", known);
    const char *nearest = dpcxr_nearest(name, (const char *const *)known);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "no %s plugin is called \"%s\"; %s%s%s%s%s",
                kind_names[kind], name,
                *all ? "there are: "
                     : "there are none (plugins: or DPCXR_PLUGIN_PATH names folders to look in)",
                all, nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

const DpcxrPluginEntry *dpcxr_registry_find(DpcxrPluginKind kind, const char *name, GError **error)
{
    start();
    const Record *holder = find_holder(kind, name);
    if (!holder) {
        set_none_found(kind, name, error);
        return NULL;
    }
    if (!holder->entry.plugin) {
        g_propagate_error(error, g_error_copy(holder->entry.error));
        g_prefix_error(error, "the %s plugin \"%s\" cannot be used: ", kind_names[kind], name);
        return NULL;
    }
    return &holder->entry;
}

void dpcxr_registry_reset(void)
{
    g_clear_pointer(&registry.records, g_ptr_array_unref);
    g_clear_pointer(&registry.retired, g_ptr_array_unref);
    registry.scanned = FALSE;
}
