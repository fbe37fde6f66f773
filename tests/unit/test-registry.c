/* SPDX-License-Identifier: MIT
 * Plugins good and broken: each of tests/plugins/ is refused with its file and its own reason, and stands in
 * nobody's way. */
#include "base/json.h"
#include "plugin/describe.h"
#include "plugin/nearest.h"
#include "plugin/registry.h"
#include <glib/gstdio.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

/* A folder of its own for files made on the spot. */
typedef struct {
    char *folder;
} Scratch;

static void scratch_start(Scratch *scratch, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    scratch->folder = g_dir_make_tmp("dpcxr-registry-XXXXXX", &error);
    g_assert_no_error(error);
    g_unsetenv("DPCXR_PLUGIN_PATH");
    dpcxr_registry_reset();
}

static void remove_files(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *base; (base = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, base, NULL);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

static void scratch_stop(Scratch *scratch, gconstpointer data)
{
    remove_files(scratch->folder);
    g_free(scratch->folder);
    dpcxr_registry_reset();
}

static char *built(const char *base)
{
    return g_build_filename(g_getenv("DPCXR_BUILD"), "tests", "plugins", base, NULL);
}

/* Puts @length bytes of the good plugin (0: all) into @folder as @base. */
static char *copy_good(const char *folder, const char *base, gsize length)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *from = built("dpcxr-model-good.so"), *content = NULL;
    gsize size;
    g_file_get_contents(from, &content, &size, &error);
    g_assert_no_error(error);
    char *to = g_build_filename(folder, base, NULL);
    g_file_set_contents(to, content, length ? length : size, &error);
    g_assert_no_error(error);
    return to;
}

static void add(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(dpcxr_registry_add(path, &error));
    g_assert_no_error(error);
}

static void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("\"%s\" lacks \"%s\"", text, part);
}

static void assert_usage_error(const GError *error, const char *part)
{
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    assert_contains(error->message, part);
}

/* That @name cannot be used, that the message names @file and @reason, and that it is listed so. */
static void assert_broken(const char *name, const char *file, const char *reason)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_registry_find(DPCXR_PLUGIN_MODEL, name, &error));
    assert_usage_error(error, name);
    assert_contains(error->message, file);
    assert_contains(error->message, reason);
    g_autofree char *list = dpcxr_describe_list(NULL);
    assert_contains(list, file);
    assert_contains(list, reason);
}

static const DpcxrPluginEntry *assert_found(const char *name, const char *file)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_MODEL, name, &error);
    g_assert_no_error(error);
    g_assert_nonnull(entry->plugin);
    g_assert_no_error(entry->error);
    g_autofree char *resolved = realpath(file, NULL);
    g_assert_cmpstr(entry->file, ==, resolved);
    return entry;
}

typedef struct {
    const char *name, *reason;
} Broken;

static const Broken broken[] = {
    {"wrong_major", "compiled for plugin ABI 2.2, but this dpcxr has 1.2"},
    {"newer_minor", "compiled for plugin ABI 1.3, but this dpcxr has 1.2"},
    {"no_symbol", "does not export dpcxr_plugin_model_no_symbol"},
    {"short_struct", "struct_size is 24 bytes where DpcxrPlugin of ABI 1.2 has 96"},
    {"short_feature", "feature_size is 4 bytes where a feature of kind model has 8"},
    {"other_name", "the descriptor says name \"somebody\", the file name says \"other_name\""},
    {"other_kind", "the descriptor says kind dataset, the file name says model"},
    {"failing_init", "its init failed: the moon is not full"},
    {"silent_init", "its init failed: it gave no reason"},
    {"null_feature", "the descriptor's .feature is NULL"},
    {"no_function", "its model has no function .build"},
    {"no_licence", "the descriptor lacks its .licence"},
    {"unresolved", "dpcxr_layer_of_tomorrow"},
    {"reserved_option", "option table: \"init\": the name is a key of dpcxr's own"},
    {"double_option", "option table: \"depth\": the name is in the table twice"},
    {"empty_choice", "option table: \"side\": .choices are missing"},
    {"idle_choice", "option table: \"title\": .choices mean nothing with its type"},
    {"bad_default", "option table: \"depth\": its default: "},
    {"odd_option", "option table: \"Depth-2\": a name is lower-case letters"},
    {"crossed_limits", "option table: \"depth\": .min is above .max"},
};

/* All broken plugins in one folder: each has its error, and the good one among them works. */
static void test_broken(Scratch *scratch, gconstpointer data)
{
    g_autofree char *folder = built("");
    add(folder);
    for (gsize i = 0; i < G_N_ELEMENTS(broken); i++) {
        g_autofree char *base = g_strdup_printf("dpcxr-model-%s.so", broken[i].name), *file = built(base);
        assert_broken(broken[i].name, file, broken[i].reason);
    }
    g_autofree char *good = built("dpcxr-model-good.so");
    assert_found("good", good);
}

static void test_good(Scratch *scratch, gconstpointer data)
{
    g_autofree char *good = built("dpcxr-model-good.so");
    add(good);
    const DpcxrPluginEntry *entry = assert_found("good", good);
    g_assert_cmpstr(entry->name, ==, "good");
    g_assert_cmpint(entry->kind, ==, DPCXR_PLUGIN_MODEL);
    const DpcxrModel *model = entry->plugin->feature;
    g_assert_nonnull(model->build);

    g_autofree char *content = NULL, *sum = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(good, &content, &size, NULL));
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)content, size);
    g_assert_cmpstr(entry->sha256, ==, sum);
}

static void test_unreadable(Scratch *scratch, gconstpointer data)
{
    g_autofree char *text = g_build_filename(scratch->folder, "dpcxr-model-text.so", NULL);
    g_assert_true(g_file_set_contents(text, "not a program", -1, NULL));
    g_autofree char *empty = g_build_filename(scratch->folder, "dpcxr-model-empty.so", NULL);
    g_assert_true(g_file_set_contents(empty, "", 0, NULL));
    g_autofree char *dangling = g_build_filename(scratch->folder, "dpcxr-model-dangling.so", NULL);
    g_assert_cmpint(symlink("nowhere.so", dangling), ==, 0);
    add(scratch->folder);
    assert_broken("text", text, "not a shared object");
    assert_broken("empty", empty, "not a shared object");
    assert_broken("dangling", dangling, "cannot be read");
}

/* Where the last part of the file ends that the dynamic linker maps. */
static gsize mapped_end(const char *path)
{
    g_autofree char *content = NULL;
    g_assert_true(g_file_get_contents(path, &content, NULL, NULL));
    ElfW(Ehdr) header;
    memcpy(&header, content, sizeof header);
    gsize end = 0;
    for (int i = 0; i < header.e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, content + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_LOAD)
            end = MAX(end, segment.p_offset + segment.p_filesz);
    }
    return end;
}

/* The dynamic linker would map what is not there; at no length may that happen. */
static void test_cut(Scratch *scratch, gconstpointer data)
{
    g_autofree char *whole = built("dpcxr-model-good.so");
    gsize end = mapped_end(whole);
    gsize lengths[] = {16, 63, 64, 300, 1000, 4096, 5000, end / 2, end - 1};
    for (gsize i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *name = g_strdup_printf("cut%d", (int)i);
        g_autofree char *base = g_strdup_printf("dpcxr-model-%s.so", name);
        g_autofree char *file = copy_good(scratch->folder, base, lengths[i]);
        add(file);
        assert_broken(name, file, "");
    }
    g_autofree char *last = g_strdup_printf("the file is cut off at %" G_GSIZE_FORMAT " bytes", end - 1);
    assert_broken("cut8", "dpcxr-model-cut8.so", last);
}

static void test_renamed(Scratch *scratch, gconstpointer data)
{
    g_autofree char *file = copy_good(scratch->folder, "dpcxr-model-better.so", 0);
    add(file);
    assert_broken("better", file, "does not export dpcxr_plugin_model_better");
}

static void test_duplicate(Scratch *scratch, gconstpointer data)
{
    g_autofree char *good = built("dpcxr-model-good.so");
    g_autofree char *second = copy_good(scratch->folder, "dpcxr-model-good.so", 0);
    add(good);
    add(scratch->folder);
    add(good); /* the same file again is no duplicate of itself */
    assert_found("good", good);
    g_autoptr(GPtrArray) list = dpcxr_registry_list();
    g_assert_cmpuint(list->len, ==, 2);
    const DpcxrPluginEntry *first = g_ptr_array_index(list, 0), *duplicate = g_ptr_array_index(list, 1);
    g_assert_cmpstr(first->file, ==, good);
    g_assert_null(duplicate->plugin);
    assert_usage_error(duplicate->error, second);
    assert_contains(duplicate->error->message, "duplicate of model \"good\", which comes from");
    assert_contains(duplicate->error->message, good);
}

/* A name is held by the first file even where that does not load: nothing takes its place in silence. */
static void test_broken_holds_its_name(Scratch *scratch, gconstpointer data)
{
    g_autofree char *text = g_build_filename(scratch->folder, "dpcxr-model-good.so", NULL);
    g_assert_true(g_file_set_contents(text, "not a program", -1, NULL));
    g_autofree char *good = built("dpcxr-model-good.so");
    add(text);
    add(good);
    assert_broken("good", text, "not a shared object");
}

/* DPCXR_PLUGIN_PATH is searched by a scan; an added file comes first, before a scan and after it. */
static void test_order(Scratch *scratch, gconstpointer data)
{
    g_autofree char *found = copy_good(scratch->folder, "dpcxr-model-good.so", 0);
    g_autofree char *path = g_strdup_printf("/nowhere::%s", scratch->folder);
    g_autofree char *added = built("dpcxr-model-good.so");
    g_setenv("DPCXR_PLUGIN_PATH", path, TRUE);
    dpcxr_registry_scan();
    const DpcxrPluginEntry *before = assert_found("good", found);
    add(added);
    assert_found("good", added);
    g_assert_nonnull(before->plugin); /* held by someone, still whole */
    g_autofree char *list = dpcxr_describe_list(NULL);
    assert_contains(list, "duplicate");
    add(found); /* both are added now, the first stays */
    assert_found("good", added);

    dpcxr_registry_reset();
    add(added);
    dpcxr_registry_scan();
    assert_found("good", added);
}

/* A scan finds the plugins of this build without being told where they are. */
static void test_build_tree(Scratch *scratch, gconstpointer data)
{
    dpcxr_registry_scan();
    g_autoptr(GPtrArray) list = dpcxr_registry_list();
    g_autofree char *folder = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    guint n = 0;
    for (const char *base; dir && (base = g_dir_read_name(dir));)
        n += g_str_has_suffix(base, ".so");
    g_assert_cmpuint(list->len, ==, n);
    for (guint i = 0; i < list->len; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(list, i);
        g_assert_no_error(entry->error);
        g_assert_true(g_str_has_prefix(entry->file, folder));
    }
}

/* The plugins of the guide are what they say. */
static void test_examples(Scratch *scratch, gconstpointer data)
{
    g_autofree char *folder = g_build_filename(g_getenv("DPCXR_BUILD"), "docs", "examples", NULL);
    add(folder);
    g_autoptr(GPtrArray) list = dpcxr_registry_list();
    g_assert_cmpuint(list->len, ==, DPCXR_N_PLUGIN_KINDS);
    for (int i = 0; i < DPCXR_N_PLUGIN_KINDS; i++) {
        const DpcxrPluginEntry *entry = g_ptr_array_index(list, i);
        g_assert_no_error(entry->error);
        g_assert_cmpint(entry->kind, ==, i);
    }
}

static void test_add_refuses(Scratch *scratch, gconstpointer data)
{
    g_autofree char *odd = g_build_filename(scratch->folder, "libfoo.so", NULL);
    g_assert_true(g_file_set_contents(odd, "", 0, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_registry_add(odd, &error));
    assert_usage_error(error, "a plugin's file is called dpcxr-KIND-NAME.so");
    g_clear_error(&error);
    g_assert_false(dpcxr_registry_add("/nowhere/dpcxr-model-x.so", &error));
    assert_usage_error(error, "/nowhere/dpcxr-model-x.so: no such file or folder");
    g_clear_error(&error);
    g_assert_false(dpcxr_registry_add(scratch->folder, &error));
    assert_usage_error(error, "no plugin in this folder");
}

static void test_not_found(Scratch *scratch, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "god", &error));
    assert_usage_error(error, "no model plugin is called \"god\"; there are none");
    g_clear_error(&error);
    g_autofree char *good = built("dpcxr-model-good.so");
    add(good);
    g_assert_null(dpcxr_registry_find(DPCXR_PLUGIN_MODEL, "god", &error));
    assert_usage_error(error, "there are: good; did you mean \"good\"?");
    g_clear_error(&error);
    g_assert_null(dpcxr_registry_find(DPCXR_PLUGIN_DATASET, "good", &error));
    assert_usage_error(error, "no dataset plugin is called \"good\"; there are none");
}

static const char *const description =
    "Options:\n"
    "  depth: int in [1, 8], default 2\n      Number of layers.\n"
    "  rate: number in [0, 1] per layer, default 0.5\n      Dropped share.\n"
    "  scale: number of at least 0, default 1\n      Of the output.\n"
    "  width: number above 0 px or auto | full, default auto\n      Of the kernel.\n"
    "  share: number in (0, 1], default 1\n      Of the data.\n"
    "  side: left | right, default left\n      Which side.\n"
    "  file: path, required\n      Where to read.\n"
    "  bias: bool, default true\n      Whether there is one.\n"
    "  title: string, default null\n      For plots.\n"
    "  views: list of: PA | AP, default [PA]\n      Which way.\n"
    "  names: list of strings, default [a, b]\n      Of the layers.\n"
    "  widths: list of numbers in [1, 9], default [1, 2]\n      Of the layers.\n"
    "  columns: map, default {}\n      From name to column.\n";

static void test_describe(Scratch *scratch, gconstpointer data)
{
    g_autofree char *good = built("dpcxr-model-good.so");
    add(good);
    g_autofree char *text = dpcxr_describe_plugin(assert_found("good", good));
    assert_contains(text, "model good 1.2 (MIT)\nA model of nothing.\nReference: doi:10.0/none\n");
    assert_contains(text, good);
    assert_contains(text, description);
}

static JsonNode *parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    JsonNode *node = dpcxr_json_parse(text, strlen(text), 8, &error);
    g_assert_no_error(error);
    return node;
}

static JsonObject *option(JsonObject *plugin, guint i)
{
    return json_array_get_object_element(json_object_get_array_member(plugin, "options"), i);
}

static void test_describe_json(Scratch *scratch, gconstpointer data)
{
    g_autofree char *good = built("dpcxr-model-good.so");
    add(good);
    g_autofree char *text = dpcxr_describe_plugin_json(assert_found("good", good));
    g_autoptr(JsonNode) node = parse(text);
    JsonObject *plugin = json_node_get_object(node);
    g_assert_cmpstr(json_object_get_string_member(plugin, "kind"), ==, "model");
    g_assert_cmpstr(json_object_get_string_member(plugin, "abi"), ==, "1.2");
    g_assert_true(json_object_get_null_member(plugin, "error"));
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(plugin, "options")), ==, 13);
    g_assert_cmpfloat(json_object_get_double_member(option(plugin, 0), "max"), ==, 8);
    g_assert_cmpstr(json_object_get_string_member(option(plugin, 1), "unit"), ==, "per layer");
    g_assert_true(json_object_get_null_member(option(plugin, 2), "max"));
    g_assert_cmpuint(json_array_get_length(json_object_get_array_member(option(plugin, 5), "choices")), ==,
                     2);
    g_assert_true(json_object_get_boolean_member(option(plugin, 6), "required"));
    g_assert_true(json_object_get_null_member(option(plugin, 6), "default"));
    g_assert_cmpstr(json_object_get_string_member(option(plugin, 10), "default"), ==, "[a, b]");
}

static void test_list_json(Scratch *scratch, gconstpointer data)
{
    g_autofree char *good = built("dpcxr-model-good.so"), *bad = built("dpcxr-model-wrong_major.so");
    add(bad);
    add(good);
    g_autofree char *text = dpcxr_describe_list_json(NULL);
    g_autoptr(JsonNode) node = parse(text);
    JsonArray *list = json_node_get_array(node);
    g_assert_cmpuint(json_array_get_length(list), ==, 2);
    JsonObject *first = json_array_get_object_element(list, 0),
               *second = json_array_get_object_element(list, 1);
    g_assert_cmpstr(json_object_get_string_member(first, "name"), ==, "good");
    g_assert_cmpstr(json_object_get_string_member(second, "name"), ==, "wrong_major");
    assert_contains(json_object_get_string_member(second, "error"), "plugin ABI 2.2");
    g_assert_false(json_object_has_member(second, "options"));
    DpcxrPluginKind dataset = DPCXR_PLUGIN_DATASET;
    g_autofree char *nothing = dpcxr_describe_list_json(&dataset);
    g_autoptr(JsonNode) none = parse(nothing);
    g_assert_cmpuint(json_array_get_length(json_node_get_array(none)), ==, 0);
}

static void test_nearest(void)
{
    const char *const names[] = {"accountant", "augmentation", "model", "dataset", NULL};
    g_assert_cmpstr(dpcxr_nearest("acountant", names), ==, "accountant");
    g_assert_cmpstr(dpcxr_nearest("modle", names), ==, "model");
    g_assert_cmpstr(dpcxr_nearest("datasets", names), ==, "dataset");
    g_assert_null(dpcxr_nearest("x", names));
    g_assert_null(dpcxr_nearest("optimizer", names));
    g_autofree char *huge = g_strnfill(100000, 'a');
    g_assert_null(dpcxr_nearest(huge, names));
    const char *const none[] = {NULL};
    g_assert_null(dpcxr_nearest("model", none));
}

static void test_kinds(void)
{
    for (int i = 0; i < DPCXR_N_PLUGIN_KINDS; i++) {
        DpcxrPluginKind kind;
        g_assert_true(dpcxr_plugin_kind_from_name(dpcxr_plugin_kind_name(i), &kind));
        g_assert_cmpint(kind, ==, i);
    }
    DpcxrPluginKind kind;
    g_assert_false(dpcxr_plugin_kind_from_name("backend", &kind));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add(path, Scratch, NULL, scratch_start, function, scratch_stop)
    ADD("/registry/good", test_good);
    ADD("/registry/broken", test_broken);
    ADD("/registry/unreadable", test_unreadable);
    ADD("/registry/cut", test_cut);
    ADD("/registry/renamed", test_renamed);
    ADD("/registry/duplicate", test_duplicate);
    ADD("/registry/broken-holds-its-name", test_broken_holds_its_name);
    ADD("/registry/order", test_order);
    ADD("/registry/build-tree", test_build_tree);
    ADD("/registry/examples", test_examples);
    ADD("/registry/add-refuses", test_add_refuses);
    ADD("/registry/not-found", test_not_found);
    ADD("/registry/describe", test_describe);
    ADD("/registry/describe-json", test_describe_json);
    ADD("/registry/list-json", test_list_json);
#undef ADD
    g_test_add_func("/registry/nearest", test_nearest);
    g_test_add_func("/registry/kinds", test_kinds);
    return g_test_run();
}
