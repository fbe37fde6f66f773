/* SPDX-License-Identifier: MIT
 * From a file name to a checked descriptor. A plugin is trusted code, but often a stale or half-copied one:
 * everything that can be told without running it is told before it runs, and the answer names the file and
 * the way out. */
#include "plugin/loader.h"
#include "config/options.h"
#include "plugin/registry.h"
#include <gmodule.h>
#include <link.h>
#include <string.h>

/* Keys that share a YAML map with the options of a plugin of that kind (interface.md): a plugin's own must
 * differ. */
static const char *const reserved_keys[DPCXR_N_PLUGIN_KINDS][9] = {
    [DPCXR_PLUGIN_MODEL] = {"type", "init", "init_data"},
    [DPCXR_PLUGIN_DATASET] = {"type", "labels", "uncertain", "missing", "groups", "image", "augment",
                              "cache"},
    [DPCXR_PLUGIN_AUGMENTATION] = {"type"},
    [DPCXR_PLUGIN_ACCOUNTANT] = {"type"},
};

/* What the core was compiled with. */
static const gsize feature_sizes[DPCXR_N_PLUGIN_KINDS] = {
    [DPCXR_PLUGIN_MODEL] = sizeof(DpcxrModel),
    [DPCXR_PLUGIN_DATASET] = sizeof(DpcxrDataset),
    [DPCXR_PLUGIN_AUGMENTATION] = sizeof(DpcxrAugmentation),
    [DPCXR_PLUGIN_ACCOUNTANT] = sizeof(DpcxrAccountant),
};

static gboolean refuse(GError **error, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

static gboolean refuse(GError **error, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *reason = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: %s", path, reason);
    return FALSE;
}

/* Lower-case letters, digits and underscores, a letter first: plugin names and option names alike. */
static gboolean is_name(const char *text)
{
    return g_ascii_islower(*text) && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

gboolean dpcxr_plugin_split_file_name(const char *path, DpcxrPluginKind *kind, char **name)
{
    g_autofree char *base = g_path_get_basename(path);
    if (!g_str_has_prefix(base, "dpcxr-") || !g_str_has_suffix(base, ".so"))
        return FALSE;
    base[strlen(base) - strlen(".so")] = '\0';
    g_auto(GStrv) parts = g_strsplit(base, "-", 3);
    if (g_strv_length(parts) != 3 || !dpcxr_plugin_kind_from_name(parts[1], kind) || !is_name(parts[2]))
        return FALSE;
    *name = g_strdup(parts[2]);
    return TRUE;
}

/* Whether all that the dynamic linker will map is in the file. It does not look itself, so that touching a
 * file that was cut (a full disk, an interrupted copy) ends the process with SIGBUS. */
static gboolean check_whole(const char *path, GMappedFile *file, GError **error)
{
    const char *bytes = g_mapped_file_get_contents(file);
    gsize length = g_mapped_file_get_length(file);
    ElfW(Ehdr) header;
    if (length < sizeof header || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return refuse(error, path, "not a shared object");
    memcpy(&header, bytes, sizeof header);
    if (header.e_type != ET_DYN)
        return refuse(error, path,
                      "not a shared object: it is another kind of ELF file (an object file or a program)");
    if (header.e_phentsize != sizeof(ElfW(Phdr)) || header.e_phoff > length ||
        header.e_phnum > (length - header.e_phoff) / sizeof(ElfW(Phdr)))
        return refuse(error, path, "the file is damaged or for another machine: build or copy it again");
    for (gsize i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, bytes + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > length || segment.p_filesz > length - segment.p_offset))
            return refuse(error, path,
                          "the file is cut off at %" G_GSIZE_FORMAT " bytes: build or copy it again", length);
    }
    return TRUE;
}

static gboolean check_file(const char *path, char **sha256, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, &cause);
    if (!file)
        return refuse(error, path, "cannot be read: %s", cause->message);
    *sha256 = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)g_mapped_file_get_contents(file),
                                          g_mapped_file_get_length(file));
    return check_whole(path, file, error);
}

/* The descriptor, unchecked. */
static const DpcxrPlugin *find_descriptor(const char *path, DpcxrPluginKind kind, const char *name,
                                          GError **error)
{
    g_autoptr(GError) cause = NULL;
    GModule *module = g_module_open_full(path, G_MODULE_BIND_LOCAL, &cause);
    if (!module) {
        refuse(error, path, "the dynamic linker refuses it: %s", cause->message);
        return NULL;
    }
    g_module_make_resident(module);
    g_autofree char *symbol = g_strdup_printf("dpcxr_plugin_%s_%s", dpcxr_plugin_kind_name(kind), name);
    gpointer descriptor = NULL;
    if (!g_module_symbol(module, symbol, &descriptor) || !descriptor) {
        refuse(error, path,
               "does not export %s: the file name and the name in DPCXR_PLUGIN_DEFINE_... must be the same",
               symbol);
        return NULL;
    }
    return descriptor;
}

/* The four members that never move. A minor number above 0 will bring shorter structs of older plugins; they
 * are then to be copied into full ones here. */
static gboolean check_abi(const char *path, const DpcxrPlugin *plugin, DpcxrPluginKind kind, GError **error)
{
    if (plugin->abi_major != DPCXR_ABI_MAJOR || plugin->abi_minor > DPCXR_ABI_MINOR)
        return refuse(error, path,
                      "compiled for plugin ABI %u.%u, but this dpcxr has %d.%d: compile it again with this "
                      "version's headers",
                      plugin->abi_major, plugin->abi_minor, DPCXR_ABI_MAJOR, DPCXR_ABI_MINOR);
    if (plugin->struct_size != sizeof(DpcxrPlugin))
        return refuse(error, path,
                      "struct_size is %" G_GSIZE_FORMAT
                      " bytes where DpcxrPlugin of ABI %u.%u has %" G_GSIZE_FORMAT
                      ": compile it again with this version's headers",
                      plugin->struct_size, plugin->abi_major, plugin->abi_minor, sizeof(DpcxrPlugin));
    if (plugin->feature_size != feature_sizes[kind])
        return refuse(error, path,
                      "feature_size is %" G_GSIZE_FORMAT
                      " bytes where a feature of kind %s has %" G_GSIZE_FORMAT
                      " in ABI %u.%u: compile it again with this version's headers",
                      plugin->feature_size, dpcxr_plugin_kind_name(kind), feature_sizes[kind],
                      plugin->abi_major, plugin->abi_minor);
    return TRUE;
}

static gboolean check_identity(const char *path, const DpcxrPlugin *plugin, DpcxrPluginKind kind,
                               const char *name, GError **error)
{
    if (plugin->kind != kind)
        return refuse(error, path, "the descriptor says kind %s, the file name says %s",
                      plugin->kind < DPCXR_N_PLUGIN_KINDS ? dpcxr_plugin_kind_name(plugin->kind)
                                                          : "(unknown)",
                      dpcxr_plugin_kind_name(kind));
    if (g_strcmp0(plugin->name, name) != 0)
        return refuse(error, path, "the descriptor says name \"%s\", the file name says \"%s\"",
                      plugin->name ? plugin->name : "(null)", name);
    if (!plugin->version || !plugin->summary || !plugin->licence)
        return refuse(error, path, "the descriptor lacks its %s",
                      !plugin->version   ? ".version"
                      : !plugin->summary ? ".summary"
                                         : ".licence (an SPDX identifier)");
    return TRUE;
}

/* The first function that a feature must have and has not; NULL: complete. */
static const char *missing_function(DpcxrPluginKind kind, const void *feature)
{
    switch (kind) {
    case DPCXR_PLUGIN_MODEL: {
        const DpcxrModel *model = feature;
        return !model->build ? "build" : NULL;
    }
    case DPCXR_PLUGIN_DATASET: {
        const DpcxrDataset *dataset = feature;
        return !dataset->open ? "open" : NULL;
    }
    case DPCXR_PLUGIN_AUGMENTATION: {
        const DpcxrAugmentation *augmentation = feature;
        return !augmentation->open ? "open" : !augmentation->apply ? "apply" : NULL;
    }
    case DPCXR_PLUGIN_ACCOUNTANT: {
        const DpcxrAccountant *accountant = feature;
        return !accountant->covers    ? "covers"
               : !accountant->epsilon ? "epsilon"
               : !accountant->delta   ? "delta"
                                      : NULL;
    }
    default:
        g_return_val_if_reached("kind");
    }
}

static gboolean check_feature(const char *path, const DpcxrPlugin *plugin, GError **error)
{
    if (!plugin->feature)
        return refuse(error, path, "the descriptor's .feature is NULL");
    const char *missing = missing_function(plugin->kind, plugin->feature);
    if (missing)
        return refuse(error, path, "its %s has no function .%s", dpcxr_plugin_kind_name(plugin->kind),
                      missing);
    return TRUE;
}

static gboolean may_have_choices(DpcxrOptionType type)
{
    return type == DPCXR_OPTION_CHOICE || type == DPCXR_OPTION_INT || type == DPCXR_OPTION_NUMBER ||
           type == DPCXR_OPTION_STRINGS;
}

/* What is wrong with one row of an option table; NULL: nothing. */
static const char *option_problem(const DpcxrOptionSpec *option, DpcxrPluginKind kind)
{
    if (!is_name(option->name))
        return "a name is lower-case letters, digits and underscores, a letter first";
    if (g_strv_contains(reserved_keys[kind], option->name))
        return "the name is a key of dpcxr's own in the same section";
    if (option->type > DPCXR_OPTION_MAP)
        return "the type is none of DpcxrOptionType";
    if (!option->summary)
        return ".summary is missing";
    if (!(option->min <= option->max))
        return ".min is above .max";
    if (option->type == DPCXR_OPTION_CHOICE && !option->choices)
        return ".choices are missing";
    if (option->choices && !may_have_choices(option->type))
        return ".choices mean nothing with its type";
    return NULL;
}

/* A default goes the way of a value that someone wrote. */
static gboolean check_default(const char *path, const DpcxrOptionSpec *option, GError **error)
{
    if (!option->fallback)
        return TRUE;
    const DpcxrOptionSpec table[] = {*option, {NULL}};
    g_autoptr(GError) cause = NULL;
    g_autoptr(DpcxrOptions) options = dpcxr_options_parse(table, "", &cause);
    return options ||
           refuse(error, path, "option table: \"%s\": its default: %s", option->name, cause->message);
}

static gboolean check_options(const char *path, const DpcxrPlugin *plugin, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (const DpcxrOptionSpec *option = plugin->options; option && option->name; option++) {
        const char *problem = option_problem(option, plugin->kind);
        if (!problem && !g_hash_table_add(seen, (gpointer)option->name))
            problem = "the name is in the table twice";
        if (problem)
            return refuse(error, path, "option table: \"%s\": %s", option->name, problem);
        if (!check_default(path, option, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean call_init(const char *path, const DpcxrPlugin *plugin, GError **error)
{
    g_autoptr(GError) cause = NULL;
    if (!plugin->init || plugin->init(&cause))
        return TRUE;
    return refuse(error, path, "its init failed: %s", cause ? cause->message : "it gave no reason");
}

const DpcxrPlugin *dpcxr_plugin_load(const char *path, DpcxrPluginKind kind, const char *name, char **sha256,
                                     GError **error)
{
    *sha256 = NULL;
    if (!check_file(path, sha256, error))
        return NULL;
    const DpcxrPlugin *plugin = find_descriptor(path, kind, name, error);
    if (!plugin || !check_abi(path, plugin, kind, error) ||
        !check_identity(path, plugin, kind, name, error) || !check_feature(path, plugin, error) ||
        !check_options(path, plugin, error) || !call_init(path, plugin, error))
        return NULL;
    return plugin;
}
