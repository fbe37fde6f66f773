/* SPDX-License-Identifier: MIT
 * A dataset plugin: ROOT/SPLIT/CLASS/FILE, as many public collections come. An image is positive for the
 * label that its folder is called and negative for the others. Nothing says who the patient is, so `unit:
 * patient` is refused. */
#include <dpcxr/dpcxr.h>
#include <string.h>

static const char *const split_names[DPCXR_N_SPLITS] = {"train", "valid", "test"};

static int compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The entries of a folder by name, so that rows have the same numbers everywhere. */
static GPtrArray *list_folder(const char *folder, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, &cause);
    if (!dir) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "image_folder: %s", cause->message);
        return NULL;
    }
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (const char *name; (name = g_dir_read_name(dir));)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    return names;
}

static void add_image(DpcxrIndex *index, const char *folder, const char *file, DpcxrSplit split,
                      const char *class_name, const char *const *labels)
{
    g_autofree char *path = g_build_filename(folder, file, NULL);
    g_autofree char *sample = g_strdup_printf("%s/%s/%s", split_names[split], class_name, file);
    gsize row = dpcxr_index_add(index, &(DpcxrRow){.sample = sample, .path = path, .split = split});
    for (gsize i = 0; labels[i]; i++)
        dpcxr_index_set_label(
            index, row, i, strcmp(labels[i], class_name) == 0 ? DPCXR_LABEL_POSITIVE : DPCXR_LABEL_NEGATIVE);
}

static gboolean add_class(DpcxrIndex *index, const char *folder, DpcxrSplit split, const char *class_name,
                          const char *const *labels, GError **error)
{
    g_autoptr(GPtrArray) files = list_folder(folder, error);
    if (!files)
        return FALSE;
    for (guint i = 0; i < files->len; i++)
        add_image(index, folder, g_ptr_array_index(files, i), split, class_name, labels);
    return TRUE;
}

static gboolean add_split(DpcxrIndex *index, const char *root, DpcxrSplit split, const char *const *labels,
                          GError **error)
{
    g_autofree char *folder = g_build_filename(root, split_names[split], NULL);
    g_autoptr(GPtrArray) classes = list_folder(folder, error);
    if (!classes)
        return FALSE;
    for (guint i = 0; i < classes->len; i++) {
        const char *class_name = g_ptr_array_index(classes, i);
        g_autofree char *inner = g_build_filename(folder, class_name, NULL);
        if (!add_class(index, inner, split, class_name, labels, error))
            return FALSE;
    }
    return TRUE;
}

/* Every label must be a class of the training split. */
static gboolean check_labels(const char *root, const char *const *labels, GError **error)
{
    g_autofree char *folder = g_build_filename(root, split_names[DPCXR_SPLIT_TRAIN], NULL);
    g_autoptr(GPtrArray) classes = list_folder(folder, error);
    if (!classes)
        return FALSE;
    g_ptr_array_add(classes, NULL);
    for (gsize i = 0; labels[i]; i++)
        if (!g_strv_contains((const char *const *)classes->pdata, labels[i])) {
            g_autofree char *there = g_strjoinv(", ", (char **)classes->pdata);
            g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                        "%s: has no folder for label \"%s\"; there are: %s", folder, labels[i], there);
            return FALSE;
        }
    return TRUE;
}

static gboolean open(const DpcxrOptions *options, const char *const *labels, const char *const *columns,
                     DpcxrIndex *index, gpointer *self, GError **error)
{
    const char *root = dpcxr_options_get_string(options, "root");
    if (columns[0]) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "image_folder: has no column \"%s\", nor any other",
                    columns[0]);
        return FALSE;
    }
    if (!check_labels(root, labels, error))
        return FALSE;
    for (int split = 0; split < DPCXR_N_SPLITS; split++)
        if (!add_split(index, root, split, labels, error))
            return FALSE;
    return TRUE;
}

static const DpcxrOptionSpec options[] = {
    {"root", DPCXR_OPTION_PATH, NULL, .summary = "The folder that has train/, valid/ and test/."},
    {NULL},
};

static const DpcxrDataset dataset = {.open = open};

DPCXR_PLUGIN_DEFINE_DATASET(image_folder, .version = "1.0",
                            .summary = "Images in folders called by split and class.", .licence = "MIT",
                            .options = options, .feature = &dataset);
