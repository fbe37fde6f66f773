/* SPDX-License-Identifier: MIT
 * The experiment file as a whole, with plugins of its own: values, includes, overrides, the environment,
 * every kind of problem with its place, and the resolved file. */
#include "config/experiment.h"
#include "config/sections.h"
#include "config/yaml.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* --- Plugins that exist here only --- */

static const DpcxrOptionSpec dataset_options[] = {
    {"root", DPCXR_OPTION_PATH, NULL, .summary = "the folder"},
    {"index", DPCXR_OPTION_STRING, "index.csv", .summary = "the table"},
    {"filter", DPCXR_OPTION_MAP, "{}", .summary = "rows to keep"},
    {0}};
static const DpcxrOptionSpec model_options[] = {
    {"norm", DPCXR_OPTION_CHOICE, "group", .choices = "group|none", .summary = "normalisation"}, {0}};
static const DpcxrOptionSpec flip_options[] = {
    {"p", DPCXR_OPTION_NUMBER, "0.5", .min = 0, .max = 1, .summary = "probability"}, {0}};
static const DpcxrOptionSpec rdp_options[] = {
    {"orders", DPCXR_OPTION_NUMBERS, "[2, 4]", .min = 1, .max = 1e6, .summary = "orders"}, {0}};
static const DpcxrAccountant exact = {.approximate = FALSE}, approximate = {.approximate = TRUE};

#define PLUGIN(plugin_kind, plugin_name, table, what)                                                        \
    {                                                                                                        \
        .kind = plugin_kind, .name = plugin_name, .options = table, .feature = what                          \
    }
static const DpcxrPlugin plugins[] = {
    PLUGIN(DPCXR_PLUGIN_DATASET, "table", dataset_options, NULL),
    PLUGIN(DPCXR_PLUGIN_DATASET, "drawn", NULL, NULL),
    PLUGIN(DPCXR_PLUGIN_MODEL, "resnet9", model_options, NULL),
    PLUGIN(DPCXR_PLUGIN_AUGMENTATION, "hflip", flip_options, NULL),
    PLUGIN(DPCXR_PLUGIN_ACCOUNTANT, "rdp", rdp_options, &exact),
    PLUGIN(DPCXR_PLUGIN_ACCOUNTANT, "gdp", NULL, &approximate),
};
static DpcxrPluginEntry entries[G_N_ELEMENTS(plugins)];

static const DpcxrPluginEntry *find(DpcxrPluginKind kind, const char *name, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(plugins); i++)
        if (plugins[i].kind == kind && !strcmp(plugins[i].name, name)) {
            entries[i] =
                (DpcxrPluginEntry){.kind = kind, .name = (char *)plugins[i].name, .plugin = &plugins[i]};
            return &entries[i];
        }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "there is no \"%s\"", name);
    return NULL;
}

static gboolean add(const char *path, GError **error)
{
    if (!strcmp(path, "extra"))
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s: no such file", path);
    return FALSE;
}

static const DpcxrPluginSource source = {find, add};

/* --- Files --- */

typedef struct {
    char *folder;
    char *before; /* working directory */
} Fixture;

/* Each test runs in an empty folder, so that files have short names in messages. */
static void set_up(Fixture *fixture, gconstpointer data)
{
    fixture->before = g_get_current_dir();
    fixture->folder = g_dir_make_tmp("dpcxr-experiment-XXXXXX", NULL);
    g_assert_cmpint(g_chdir(fixture->folder), ==, 0);
}

static void remove_all(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        if (g_file_test(path, G_FILE_TEST_IS_DIR))
            remove_all(path);
        g_remove(path);
    }
}

static void tear_down(Fixture *fixture, gconstpointer data)
{
    g_assert_cmpint(g_chdir(fixture->before), ==, 0);
    remove_all(fixture->folder);
    g_remove(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->before);
}

static void write_file(const char *path, const char *text)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static const char minimal[] = "name: x\n"
                              "data: {type: drawn}\n"
                              "optimizer: {type: nadam, lr: 1e-3}\n"
                              "privacy: {epsilon: 8, delta: 1e-5}\n";

#define OVERRIDES(...)                                                                                       \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__ __VA_OPT__(, ) NULL                                                                      \
    }

static DpcxrExperiment *load(const char *text, const char *const *overrides)
{
    g_autoptr(GError) error = NULL;
    write_file("e.yaml", text);
    DpcxrExperiment *experiment = dpcxr_experiment_load_with("e.yaml", overrides, &source, &error);
    g_assert_no_error(error);
    return experiment;
}

/* All problems of @text as one text. */
static char *fail_with(const char *text, const char *const *overrides, DpcxrErrorCode code)
{
    g_autoptr(GError) error = NULL;
    write_file("e.yaml", text);
    g_assert_null(dpcxr_experiment_load_with("e.yaml", overrides, &source, &error));
    if (!g_error_matches(error, DPCXR_ERROR, code))
        g_error("code %d instead of %d: %s", error->code, code, error->message);
    return g_strdup(error->message);
}

/* --- What comes out --- */

/* Short forms that are a word: each stands for a map, which takes its place in the tree. */
static void test_words(Fixture *fixture, gconstpointer data)
{
    static const char *const words[] = {"none", "exact"};
    static const int types[] = {DPCXR_POS_WEIGHT_NONE, DPCXR_POS_WEIGHT_EXACT};
    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *text = g_strdup_printf("%sloss: {pos_weight: %s}\n", minimal, words[i]);
        g_autoptr(DpcxrExperiment) e = load(text, NULL);
        g_assert_cmpint(e->loss.pos_weight_type, ==, types[i]);
    }
}

static void test_minimal(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrExperiment) e = load(minimal, NULL);
    g_assert_cmpstr(e->name, ==, "x");
    g_assert_true(e->stage_train && e->stage_evaluate && e->stage_report && e->report.page && e->report.figures);
    g_assert_cmpuint(e->seed, ==, 1);
    g_assert_cmpstr(e->device.type, ==, "auto");
    g_assert_null(e->device.name);
    g_assert_cmpint(e->device.threads, ==, 0);
    g_assert_cmpint(e->data.n_labels, ==, 8);
    g_assert_cmpstr(e->data.labels[7], ==, "atelectasis_left");
    g_assert_cmpint(e->data.size, ==, 224);
    g_assert_cmpint(e->data.channels, ==, 1);
    g_assert_cmpint(e->data.workers, ==, 0);
    g_assert_cmpuint(e->data.n_groups + e->data.n_augment, ==, 0);
    g_assert_null(e->data.cache_dir);
    g_assert_cmpstr(e->model.plugin.type, ==, "resnet9");
    g_assert_cmpstr(dpcxr_options_get_string(e->model.plugin.options, "norm"), ==, "group");
    g_assert_null(e->model.init);
    g_assert_true(e->model.init_public);
    g_assert_cmpint(e->loss.pos_weight_type, ==, DPCXR_POS_WEIGHT_NONE);
    g_assert_cmpstr(e->schedule.type, ==, "constant");
    g_assert_cmpfloat(e->train.epochs, ==, 30);
    g_assert_cmpuint(e->train.steps, ==, 0);
    g_assert_cmpint(e->train.logical, ==, 128);
    g_assert_cmpint(e->train.physical, ==, 0);
    g_assert_cmpfloat(e->train.ema, ==, 0);
    g_assert_cmpfloat(e->train.checkpoint_minutes, ==, 10);
    g_assert_true(e->privacy.enabled);
    g_assert_cmpint(e->privacy.unit, ==, DPCXR_UNIT_PATIENT);
    g_assert_cmpint(e->privacy.images_per_patient, ==, 4);
    g_assert_cmpint(e->privacy.adjacency, ==, DPCXR_ADJACENCY_ZERO_OUT);
    g_assert_cmpint(e->privacy.sampler, ==, DPCXR_SAMPLER_POISSON);
    g_assert_cmpfloat(e->privacy.clip_norm, ==, 1.5);
    g_assert_cmpint(e->privacy.noise_source, ==, DPCXR_SOURCE_OS);
    g_assert_cmpfloat(e->privacy.epsilon, ==, 8);
    g_assert_cmpfloat(e->privacy.noise_multiplier, <, 0);
    g_assert_cmpfloat(e->privacy.delta, ==, 1e-5);
    g_assert_cmpstr(e->privacy.accountant.type, ==, "rdp");
    g_assert_true(e->evaluate.valid && e->evaluate.test);
    g_assert_cmpint(e->evaluate.ci_method, ==, DPCXR_CI_BOOTSTRAP);
    g_assert_cmpint(e->evaluate.threshold_rule, ==, DPCXR_THRESHOLD_YOUDEN);
    g_assert_true(isnan(e->evaluate.threshold_value));
    g_assert_null(e->evaluate.no_finding);
}

/* Every key with a value that is not its default. */
static const char whole[] =
    "name: whole-1.2\n"
    "plugins: [extra]\n"
    "stages: [evaluate]\n"
    "seed: 7\n"
    "device: {type: vulkan, name: 0, precision: fp32, threads: 3}\n"
    "data:\n"
    "  type: table\n"
    "  root: \"${env:DPCXR_TEST_ROOT}/images\"\n"
    "  index: \"a: b.csv\"\n"
    "  filter: {source: \"1e5\", \"no\": \"yes\"}\n"
    "  labels: [Pleural Effusion, \"no\"]\n"
    "  uncertain: ones\n"
    "  missing: zeros\n"
    "  groups: {sex: , age: {column: years, bins: [0, 30.5, 100]}}\n"
    "  image: {size: 64, channels: 3, normalise: xrv}\n"
    "  augment: [hflip, {type: hflip, p: 0.1}]\n"
    "  cache: {dir: null, workers: 5}\n"
    "model: {type: resnet9, norm: none, init: w.safetensors, init_data: private}\n"
    "loss: {type: bce, pos_weight: [1, 2.5]}\n"
    "optimizer: {type: sgd, lr: 0.1, momentum: 0.9}\n"
    "schedule: {type: cosine, warmup_steps: 3}\n"
    "train: {epochs: 2.5, steps: 70, batch: {logical: 16, physical: 4}, checkpoint: {every_minutes: 0.5, "
    "keep: 3}}\n"
    "privacy:\n"
    "  unit: image\n"
    "  images_per_patient: all\n"
    "  adjacency: replace_one\n"
    "  population: 5000\n"
    "  sampler: full\n"
    "  clip: {type: flat, norm: 0.30000000000000004}\n"
    "  noise: {type: gaussian, source: seeded, seed: 11}\n"
    "  epsilon: 3\n"
    "  noise_multiplier: 1.1\n"
    "  delta: 1e-6\n"
    "  accountant: {type: rdp, orders: [3, 5.5]}\n"
    "  also_report: [rdp, gdp, {type: rdp, orders: [9]}]\n"
    "evaluate: {splits: [test], no_finding: 'no', threshold: {rule: specificity, value: 0.95, from: valid}, "
    "ci: {method: delong, by: image, replicates: 9, level: 0.9, seed: 3}, groups: {min_n: 5, min_pos: 2}}\n"
    "report: {formats: [csv]}\n"
    "sweep: {grid: {privacy.epsilon: [0.5, 1], model.type: [resnet9, \"${env:DPCXR_TEST_ROOT}\"]}}\n";

static void check_whole(const DpcxrExperiment *e)
{
    g_assert_cmpstr(e->name, ==, "whole-1.2");
    g_assert_true(!e->stage_train && e->stage_evaluate && !e->stage_report);
    g_assert_cmpuint(e->seed, ==, 7);
    g_assert_cmpstr(e->device.type, ==, "vulkan");
    g_assert_cmpstr(e->device.name, ==, "0");
    g_assert_cmpint(e->device.threads, ==, 3);
    const DpcxrOptions *dataset = e->data.dataset.options;
    g_assert_cmpstr(dpcxr_options_get_string(dataset, "root"), ==, "/d ${env:HOME}/images");
    g_assert_cmpstr(dpcxr_options_get_string(dataset, "index"), ==, "a: b.csv");
    g_assert_cmpstr(dpcxr_options_get_map(dataset, "filter", "source"), ==, "1e5");
    g_assert_cmpstr(dpcxr_options_get_map(dataset, "filter", "no"), ==, "yes");
    g_assert_cmpstr(e->data.dataset.entry->name, ==, "table");
    g_assert_cmpint(e->data.n_labels, ==, 2);
    g_assert_cmpstr(e->data.labels[0], ==, "Pleural Effusion");
    g_assert_cmpstr(e->data.labels[1], ==, "no");
    g_assert_cmpint(e->data.uncertain, ==, DPCXR_UNCERTAIN_ONES);
    g_assert_cmpint(e->data.missing, ==, DPCXR_MISSING_ZEROS);
    g_assert_cmpuint(e->data.n_groups, ==, 2);
    g_assert_cmpstr(e->data.groups[0].name, ==, "sex");
    g_assert_cmpstr(e->data.groups[0].column, ==, "sex");
    g_assert_null(e->data.groups[0].bins);
    g_assert_cmpstr(e->data.groups[1].column, ==, "years");
    g_assert_cmpuint(e->data.groups[1].n_bins, ==, 3);
    g_assert_cmpfloat(e->data.groups[1].bins[1], ==, 30.5);
    g_assert_cmpint(e->data.size, ==, 64);
    g_assert_cmpint(e->data.channels, ==, 3);
    g_assert_cmpint(e->data.normalise, ==, DPCXR_NORMALISE_XRV);
    g_assert_cmpuint(e->data.n_augment, ==, 2);
    g_assert_cmpfloat(dpcxr_options_get_number(e->data.augment[0].options, "p"), ==, 0.5);
    g_assert_cmpfloat(dpcxr_options_get_number(e->data.augment[1].options, "p"), ==, 0.1);
    g_assert_cmpint(e->data.workers, ==, 5);
    g_assert_cmpstr(dpcxr_options_get_string(e->model.plugin.options, "norm"), ==, "none");
    g_assert_cmpstr(e->model.init, ==, "w.safetensors");
    g_assert_false(e->model.init_public);
    g_assert_cmpint(e->loss.pos_weight_type, ==, DPCXR_POS_WEIGHT_PUBLIC);
    g_assert_cmpfloat(e->loss.pos_weight[1], ==, 2.5);
    g_assert_cmpstr(e->optimizer.type, ==, "sgd");
    g_assert_cmpfloat(dpcxr_options_get_number(e->optimizer.options, "momentum"), ==, 0.9);
    g_assert_cmpint(dpcxr_options_get_int(e->schedule.options, "warmup_steps"), ==, 3);
    g_assert_cmpfloat(e->train.epochs, ==, 2.5);
    g_assert_cmpuint(e->train.steps, ==, 70);
    g_assert_cmpint(e->train.logical, ==, 16);
    g_assert_cmpint(e->train.physical, ==, 4);
    g_assert_cmpfloat(e->train.checkpoint_minutes, ==, 0.5);
    g_assert_cmpint(e->train.checkpoint_keep, ==, 3);
    g_assert_cmpint(e->privacy.unit, ==, DPCXR_UNIT_IMAGE);
    g_assert_cmpint(e->privacy.images_per_patient, ==, 0);
    g_assert_cmpint(e->privacy.adjacency, ==, DPCXR_ADJACENCY_REPLACE_ONE);
    g_assert_cmpuint(e->privacy.population, ==, 5000);
    g_assert_cmpint(e->privacy.sampler, ==, DPCXR_SAMPLER_FULL);
    g_assert_cmpfloat(e->privacy.clip_norm, ==, 0.30000000000000004);
    g_assert_cmpint(e->privacy.noise_source, ==, DPCXR_SOURCE_SEEDED);
    g_assert_cmpuint(e->privacy.noise_seed, ==, 11);
    g_assert_cmpfloat(e->privacy.epsilon, ==, 3);
    g_assert_cmpfloat(e->privacy.noise_multiplier, ==, 1.1);
    g_assert_cmpuint(e->privacy.n_also_report, ==, 3);
    gsize n;
    g_assert_cmpfloat(dpcxr_options_get_numbers(e->privacy.accountant.options, "orders", &n)[1], ==, 5.5);
    g_assert_cmpfloat(dpcxr_options_get_numbers(e->privacy.also_report[2].options, "orders", &n)[0], ==, 9);
    g_assert_cmpuint(n, ==, 1);
    g_assert_true(!e->evaluate.valid && e->evaluate.test);
    g_assert_cmpstr(e->evaluate.no_finding, ==, "no");
    g_assert_cmpint(e->evaluate.threshold_rule, ==, DPCXR_THRESHOLD_SPECIFICITY);
    g_assert_cmpfloat(e->evaluate.threshold_value, ==, 0.95);
    g_assert_true(e->evaluate.ci_method == DPCXR_CI_DELONG && e->evaluate.ci_by_image);
    g_assert_cmpint(e->evaluate.ci_replicates, ==, 9);
    g_assert_cmpfloat(e->evaluate.ci_level, ==, 0.9);
    g_assert_cmpuint(e->evaluate.ci_seed, ==, 3);
    g_assert_true(e->evaluate.min_n == 5 && e->evaluate.min_pos == 2);
}

/* The resolved file gives the same experiment and the same resolved file, whatever was in the environment. */
static void test_round_trip(Fixture *fixture, gconstpointer data)
{
    g_setenv("DPCXR_TEST_ROOT", "/d ${env:HOME}", TRUE);
    g_autoptr(DpcxrExperiment) first = load(whole, NULL);
    g_unsetenv("DPCXR_TEST_ROOT");
    check_whole(first);
    g_autoptr(DpcxrExperiment) second = load(first->yaml, NULL);
    check_whole(second);
    g_assert_cmpstr(first->yaml, ==, second->yaml);
    g_autoptr(DpcxrExperiment) small = load(minimal, NULL);
    g_autoptr(DpcxrExperiment) again = load(small->yaml, NULL);
    g_assert_cmpstr(small->yaml, ==, again->yaml);
}

/* Every key of every table is in the resolved file. */
static void test_resolved_is_complete(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrExperiment) e = load(minimal, NULL);
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) root = dpcxr_yaml_parse(e->yaml, -1, "resolved", NULL, problems);
    for (int i = 0; i < DPCXR_N_SECTIONS; i++) {
        const DpcxrSection *section = &dpcxr_sections()[i];
        g_auto(GStrv) steps = g_strsplit(section->path, ".", -1);
        const DpcxrYaml *map = root;
        for (char **step = steps; *step; step++)
            map = dpcxr_yaml_get(map, *step);
        g_assert_nonnull(map);
        for (const DpcxrOptionSpec *spec = section->options; spec->name; spec++)
            if (strcmp(spec->name, "include") && !dpcxr_yaml_get(map, spec->name))
                g_error("%s.%s is not in the resolved file", section->path, spec->name);
    }
}

static void test_public(Fixture *fixture, gconstpointer data)
{
    g_setenv("DPCXR_TEST_ROOT", "/secret", TRUE);
    g_autoptr(DpcxrExperiment) e = load(whole, NULL);
    g_unsetenv("DPCXR_TEST_ROOT");
    g_assert_nonnull(strstr(e->yaml, "/secret"));
    static const char *const hidden[] = {"secret", "extra", "safetensors", "dir:", "sweep"};
    for (gsize i = 0; i < G_N_ELEMENTS(hidden); i++)
        g_assert_null(strstr(e->yaml_public, hidden[i]));
    static const char *const shown[] = {"epsilon: 3", "replace_one", "Pleural Effusion",
                                        "init_data: private"};
    for (gsize i = 0; i < G_N_ELEMENTS(shown); i++)
        g_assert_nonnull(strstr(e->yaml_public, shown[i]));
}

/* What came from the environment may be a secret, whatever option it stands in; numbers and words of a choice are not. */
static void test_public_environment(Fixture *fixture, gconstpointer data)
{
    g_setenv("DPCXR_TEST_ROOT", "hidden", TRUE);
    g_setenv("DPCXR_TEST_NUMBER", "0.25", TRUE);
    g_autoptr(DpcxrExperiment) e =
        load(whole, (const char *const[]){"data.labels=[a, \"b ${env:DPCXR_TEST_ROOT}\"]", "evaluate.no_finding=null",
                                          "optimizer.momentum=${env:DPCXR_TEST_NUMBER}", NULL});
    g_unsetenv("DPCXR_TEST_ROOT");
    g_unsetenv("DPCXR_TEST_NUMBER");
    g_assert_nonnull(strstr(e->yaml, "b hidden"));
    g_assert_null(strstr(e->yaml_public, "hidden"));
    g_assert_null(strstr(e->yaml_public, "labels:"));
    g_assert_nonnull(strstr(e->yaml_public, "momentum: 0.25"));
    g_assert_nonnull(strstr(e->yaml_public, "data:\n"));
}

/* --- Layers --- */

static void test_include(Fixture *fixture, gconstpointer data)
{
    write_file("base/a.yaml",
               "include: [deeper/b.yaml]\ndata: {labels: [a, b], image: {size: 64}}\nseed: 2\n");
    write_file("base/deeper/b.yaml",
               "data: {type: table, root: /r, image: {size: 32, channels: 3}}\nseed: 3\n");
    write_file("base/c.yaml", "seed: 4\n");
    g_autofree char *text = g_strconcat("include: [base/a.yaml, base/c.yaml]\n"
                                        "name: x\ndata: {labels: [z]}\noptimizer: {type: sgd, lr: 1}\n"
                                        "privacy: {epsilon: 1, delta: 1e-6}\n",
                                        NULL);
    g_autoptr(DpcxrExperiment) e = load(text, NULL);
    g_assert_cmpstr(e->data.dataset.type, ==, "table");
    g_assert_cmpint(e->data.n_labels, ==, 1); /* lists replace */
    g_assert_cmpint(e->data.size, ==, 64);    /* maps merge, the upper file wins */
    g_assert_cmpint(e->data.channels, ==, 3);
    g_assert_cmpuint(e->seed, ==, 4); /* the later include wins */
}

static void check_problem(const char *text, const char *const *overrides, const char *want)
{
    g_autofree char *got = fail_with(text, overrides, DPCXR_ERROR_USAGE);
    g_assert_cmpstr(got, ==, want);
}

static void test_include_wrong(Fixture *fixture, gconstpointer data)
{
    g_autofree char *cycle = g_strconcat("include: [loop.yaml]\n", minimal, NULL);
    write_file("loop.yaml", "include: [e.yaml]\n");
    check_problem(cycle, NULL, "loop.yaml:1:11: include: e.yaml includes itself");
    g_autofree char *missing = g_strconcat("include: [no.yaml]\n", minimal, NULL);
    check_problem(missing, NULL, "e.yaml:1:11: include: no.yaml cannot be read: No such file or directory");
    /* What the missing file would have said is not asked for. */
    check_problem("include: [no.yaml]\nname: x\n", NULL,
                  "e.yaml:1:11: include: no.yaml cannot be read: No such file or directory");
    write_file("broken.yaml", "a: b: c\n");
    check_problem("include: [broken.yaml]\nname: x\n", NULL,
                  "broken.yaml:1:5: not YAML: mapping values are not allowed in this context");
    g_autofree char *word = g_strconcat("include: loop.yaml\n", minimal, NULL);
    check_problem(word, NULL, "e.yaml:1:10: include: expected a list of files, as in [base.yaml]");
    write_file("list.yaml", "- 1\n");
    g_autofree char *list = g_strconcat("include: [list.yaml]\n", minimal, NULL);
    check_problem(list, NULL, "list.yaml:1:1: expected \"key: value\" lines, got a list");
    write_file("deep/bad.yaml", "data:\n  imge: {size: 3}\n");
    g_autofree char *bad = g_strconcat("include: [deep/bad.yaml]\n", minimal, NULL);
    check_problem(bad, NULL, "deep/bad.yaml:2:3: data.imge: unknown key; did you mean \"image\"?");
}

/* Two lines that include each other's like twice: 2^n files, if nobody counts. */
static void test_include_bomb(Fixture *fixture, gconstpointer data)
{
    for (int i = 0; i < 14; i++) {
        g_autofree char *path = g_strdup_printf("f%d.yaml", i);
        g_autofree char *text = g_strdup_printf("include: [f%d.yaml, f%d.yaml]\n", i + 1, i + 1);
        write_file(path, text);
    }
    write_file("f14.yaml", "seed: 1\n");
    g_autofree char *text = g_strconcat("include: [f0.yaml]\n", minimal, NULL);
    g_autofree char *got = fail_with(text, NULL, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(got, "more than 64 files are included"));
    for (int i = 0; i < 20; i++) {
        g_autofree char *path = g_strdup_printf("g%d.yaml", i);
        g_autofree char *line = g_strdup_printf("include: [g%d.yaml]\n", i + 1);
        write_file(path, line);
    }
    g_autofree char *deep = g_strconcat("include: [g0.yaml]\n", minimal, NULL);
    g_autofree char *deeper = fail_with(deep, NULL, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(deeper, "includes nested more than 16 deep"));
}

static void test_overrides(Fixture *fixture, gconstpointer data)
{
    g_autofree char *text = g_strconcat(minimal, "train: {epochs: 3}\n", NULL);
    g_autoptr(DpcxrExperiment) e = load(
        text, OVERRIDES("privacy.epsilon=2", "train.batch.logical=7", "data.labels=[a, b]", "data.labels.1=c",
                        "data.augment=[{type: hflip}]", "data.augment.0.p=1", "privacy.sampler=full",
                        "name=y=z", "name=other", "train.epochs=4", "data.image={size: 99}"));
    g_assert_cmpfloat(e->privacy.epsilon, ==, 2);
    g_assert_cmpint(e->train.logical, ==, 7);
    g_assert_cmpstr(e->data.labels[0], ==, "a");
    g_assert_cmpstr(e->data.labels[1], ==, "c");
    g_assert_cmpfloat(dpcxr_options_get_number(e->data.augment[0].options, "p"), ==, 1);
    g_assert_cmpint(e->privacy.sampler, ==, DPCXR_SAMPLER_FULL);
    g_assert_cmpstr(e->name, ==, "other");
    g_assert_cmpfloat(e->train.epochs, ==, 4);
    g_assert_cmpint(e->data.size, ==, 99);
}

typedef struct {
    const char *override, *want;
} BadOverride;

static const BadOverride bad_overrides[] = {
    {"privacy.epsilom=8", "command line: privacy.epsilom: unknown key; did you mean \"epsilon\"?"},
    /* clipped gradients and noise would be denormal floats, where no bound is relative */
    {"privacy.clip.norm=1e-30", "command line: privacy.clip.norm: must be at least 1e-12 and at most 1000000000, got 1e-30"},
    {"privacy.epsilon=low", "command line: privacy.epsilon: expected a number, got the text \"low\""},
    {"privacy.epsilon", "command line: privacy.epsilon: expected key=value"},
    {"=8", "command line: expected a key such as privacy.epsilon before the ="},
    {"privacy..epsilon=8",
     "command line: privacy..epsilon: expected a key such as privacy.epsilon before the ="},
    {"name.x=8", "command line: name.x: there is no \"x\" in the text \"x\""},
    {"data.augment.0.p=1",
     "command line: data.augment: expected a list of plugins, as in [{type: NAME}], got a map"},
    {"include=[a.yaml]", "command line: include: includes belong into the file"},
    {"data.labels=[a",
     "command line: data.labels: not YAML: did not find expected ',' or ']', while parsing a flow sequence"},
    {"seed=\xFF", "command line: an override that is not valid UTF-8"},
};

static void test_overrides_wrong(Fixture *fixture, gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bad_overrides); i++)
        check_problem(minimal, OVERRIDES(bad_overrides[i].override), bad_overrides[i].want);
    check_problem(minimal, OVERRIDES("data.labels=[a, b]", "data.labels.2=c"),
                  "command line: data.labels.2: \"2\" is no item of this list, which has 0 to 1");
    check_problem(minimal, OVERRIDES("data.labels=[a]", "data.labels.01=c"),
                  "command line: data.labels.01: \"01\" is no item of this list, which has 0 to 0");
}

static void test_environment(Fixture *fixture, gconstpointer data)
{
    g_unsetenv("DPCXR_TEST_A");
    g_setenv("DPCXR_TEST_B", "12", TRUE);
    g_setenv("DPCXR_TEST_EMPTY", "", TRUE);
    g_autofree char *text = g_strconcat(
        minimal, "seed: ${env:DPCXR_TEST_B}\n",
        "model: {init: \"a$${env:x}${env:DPCXR_TEST_A:-../b c}/${env:DPCXR_TEST_EMPTY:-d}$e\"}\n", NULL);
    g_autoptr(DpcxrExperiment) e = load(text, NULL);
    g_assert_cmpuint(e->seed, ==, 12);
    g_assert_cmpstr(e->model.init, ==, "a${env:x}../b c/d$e");
    g_autofree char *unset = g_strconcat(minimal, "model:\n  init: x/${env:DPCXR_TEST_A}\n", NULL);
    check_problem(
        unset, NULL,
        "e.yaml:6:9: model.init: the environment variable DPCXR_TEST_A is not set; set it, or write "
        "${env:DPCXR_TEST_A:-default}");
    /* What is overridden needs no variable. */
    g_autoptr(DpcxrExperiment) other = load(unset, OVERRIDES("model.init=y"));
    g_assert_cmpstr(other->model.init, ==, "y");
    g_autofree char *open = g_strconcat(minimal, "model: {init: \"${env:X\"}\n", NULL);
    check_problem(open, NULL, "e.yaml:5:15: model.init: ${env: without its }");
    g_autofree char *name = g_strconcat(minimal, "model: {init: \"${env:a b}\"}\n", NULL);
    check_problem(name, NULL, "e.yaml:5:15: model.init: \"a b\" is not the name of an environment variable");
}

/* --- What is wrong --- */

typedef struct {
    const char *text, *want; /* after `minimal` */
} Wrong;

static const Wrong wrongs[] = {
    {"train: 5\n", "e.yaml:5:8: train: expected a map with its keys, got the number 5"},
    {"devise: {}\n", "e.yaml:5:1: devise: unknown key; did you mean \"device\"?"},
    {"model: {type: resnet9, activation: mish}\n",
     "e.yaml:5:24: model.activation: unknown key; there are type, init, init_data, norm"},
    {"model: {type: densenet}\n", "e.yaml:5:15: model.type: there is no \"densenet\""},
    {"model: {type: null}\n", "e.yaml:5:15: model.type: needs a value"},
    {"schedule: {type: cosin}\n", "e.yaml:5:18: schedule.type: there is no schedule \"cosin\", only "
                                  "constant, cosine; did you mean \"cosine\"?"},
    {"train: {augment_multiplicity: 2}\n",
     "e.yaml:5:31: train.augment_multiplicity: without data.augment all views of an image are equal, and the step only "
     "takes longer; give augmentations, or 1"},
    {"plugins: [nowhere]\n", "e.yaml:5:10: plugins: nowhere: no such file"},
    {"stages: []\n", "e.yaml:5:9: stages: needs at least one"},
    {"stages: [train, train]\n", "e.yaml:5:9: stages: \"train\" is there twice"},
    {"evaluate: {threshold: {from: test}}\n",
     "e.yaml:5:30: evaluate.threshold.from: a threshold chosen on the test split makes its metrics too good; use valid"},
    {"evaluate: {threshold: {rule: sensitivity}}\n",
     "e.yaml:5:23: evaluate.threshold.value: is missing: give the sensitivity or specificity to reach, such as 0.9"},
    {"evaluate: {threshold: {value: 0.9}}\n",
     "e.yaml:5:31: evaluate.threshold.value: belongs to the rules sensitivity and specificity"},
    {"evaluate: {threshold: {rule: sensitivity, value: 1.5}}\n", "e.yaml:5:50: evaluate.threshold.value: must be above 0 and at most 1, got 1.5"},
    {"evaluate: {no_finding: fracture}\n", "e.yaml:5:24: evaluate.no_finding: \"fracture\" is not among data.labels"},
    {"device: {type: metal}\n",
     "e.yaml:5:16: device.type: expected one of auto, cpu, vulkan, ref, got the text \"metal\""},
    {"device: {type: vulkan, precision: bf16}\n",
     "e.yaml:5:35: device.precision: vulkan computes in fp32 or fp16; use these, or type cpu"},
    {"device: {name: big, precision: bf16}\n",
     "e.yaml:5:32: device.precision: vulkan computes in fp32 or fp16; use these, or type cpu"},
    {"device: {type: cpu, precision: fp16}\n",
     "e.yaml:5:32: device.precision: fp16 is for type vulkan; use bf16 or fp32"},
    {"device: {type: cpu, name: 0}\n",
     "e.yaml:5:27: device.name: chooses a Vulkan device; leave it out with type cpu, or use vulkan"},
    {"device: {name: llvmpipe, type: ref}\n",
     "e.yaml:5:16: device.name: chooses a Vulkan device; leave it out with type ref, or use vulkan"},
    {"device: {type: vulkan, name: ''}\n",
     "e.yaml:5:30: device.name: expected an index, a UUID or a part of a name (`dpcxr devices` lists them), got an empty "
     "text"},
    {"device: {name: [0]}\n", "e.yaml:5:16: device.name: expected a text, got a list"},
    {"train: {release: ema}\n",
     "e.yaml:5:18: train.release: there is no average to release; give train.ema, its decay, e.g. 0.999"},
    {"loss: {pos_weight: {type: private_counts}}\n",
     "e.yaml:5:20: loss.pos_weight.noise_multiplier: private_counts needs it: standard deviation of the counts' "
     "noise over their sensitivity"},
    {"loss: {pos_weight: [1, 2]}\n",
     "e.yaml:5:20: loss.pos_weight.weights: expected one weight for each of the 8 labels, got 2"},
    {"loss: {pos_weight: {type: exact, noise_multiplier: 1}}\n",
     "e.yaml:5:52: loss.pos_weight.noise_multiplier: belongs to type private_counts"},
    {"model: {init_data: ledger runs/a/release/ledger.jsonl}\n",
     "e.yaml:5:20: model.init_data: weights with a ledger are not implemented yet in this version; use "
     "public, or "
     "private (voids the claim)"},
    {"model: {init_data: secret}\n", "e.yaml:5:20: model.init_data: expected public, private (voids the "
                                     "claim) or ledger PATH, got \"secret\""},
    {"sweep: {grid: {epsilon: [1]}}\n",
     "e.yaml:5:16: sweep.grid.epsilon: is no key of an experiment; write it as in privacy.epsilon"},
    {"sweep: {grid: {privacy.epsilon: 1}}\n",
     "e.yaml:5:33: sweep.grid.privacy.epsilon: expected a list of values, as in [1, 8]"},
    {"sweep: {grit: {}}\n", "e.yaml:5:9: sweep.grit: unknown key; did you mean \"grid\"?"},
    {"report: {formats: [pdf]}\n",
     "e.yaml:5:20: report.formats: expected one of html, csv, got the text \"pdf\""},
};

static void test_wrong(Fixture *fixture, gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrongs); i++) {
        g_autofree char *text = g_strconcat(minimal, wrongs[i].text, NULL);
        check_problem(text, NULL, wrongs[i].want);
    }
}

/* Schedules of the clip norm and of the noise: what they refuse, and what they become. */
static const Wrong wrong_schedules[] = {
    {"privacy.clip.schedule=linear", "privacy.clip.schedule.final_factor: is missing: Factor in the last step."},
    {"privacy.noise.schedule={type: ramp, final_factor: 1}",
     "privacy.noise.schedule.type: there is no schedule \"ramp\", only constant, linear, cosine, exponential, step"},
    {"privacy.noise.schedule={type: cosine, final_factor: 0}",
     "privacy.noise.schedule.final_factor: must be at least 0.01 and at most 100, got 0"},
    {"privacy.noise.schedule={type: cosine, final_factor: 2, levels: 1}",
     "privacy.noise.schedule.levels: must be at least 2 and at most 64, got 1"},
    {"privacy.clip.schedule={type: cosine, final_factor: 2, levels: 4}",
     "privacy.clip.schedule.levels: unknown key; there are type, initial_factor, final_factor"},
    {"privacy.clip={type: adaptive, schedule: {type: step, final_factor: 2}}",
     "privacy.clip.schedule.type: adaptive clipping finds its norm itself from step to step; a schedule belongs to the "
     "other types"},
    {"privacy.clip={norm: 1e-12, schedule: {type: linear, final_factor: 0.5}}",
     "privacy.clip.schedule.type: takes the norm from 1e-12 to 5e-13; it has to stay in [1e-12, 1e9]"},
    {"privacy={noise_multiplier: 0, unsafe_no_noise: true, noise: {schedule: {type: linear, final_factor: 2}}}",
     "privacy.noise.schedule.type: noise_multiplier is 0: there is no noise to schedule"},
};

static void test_schedules(Fixture *fixture, gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong_schedules); i++) {
        g_autofree char *got = fail_with(minimal, OVERRIDES(wrong_schedules[i].text), DPCXR_ERROR_USAGE);
        if (!g_str_has_suffix(got, wrong_schedules[i].want))
            g_error("wanted %s, got %s", wrong_schedules[i].want, got);
    }
    g_autoptr(DpcxrExperiment) none = load(minimal, NULL);
    g_assert_cmpint(none->privacy.clip_schedule.type, ==, DPCXR_RAMP_CONSTANT);
    g_assert_cmpint(none->privacy.noise_schedule.type, ==, DPCXR_RAMP_CONSTANT);
    g_assert_cmpint(none->train.augment_multiplicity, ==, 1);
    g_autoptr(DpcxrExperiment) e =
        load(minimal, OVERRIDES("privacy.noise.schedule={type: linear, initial_factor: 1.5, final_factor: 0.5, levels: 9}",
                                "privacy.clip.schedule={type: step, final_factor: 2, at: 0.25}",
                                "data.augment=[{type: hflip}]", "train.augment_multiplicity=16"));
    g_assert_cmpint(e->privacy.noise_schedule.type, ==, DPCXR_RAMP_LINEAR);
    g_assert_cmpfloat(e->privacy.noise_schedule.initial, ==, 1.5);
    g_assert_cmpfloat(e->privacy.noise_schedule.final, ==, 0.5);
    g_assert_cmpint(e->privacy.noise_levels, ==, 9);
    g_assert_cmpint(e->privacy.clip_schedule.type, ==, DPCXR_RAMP_STEP);
    g_assert_cmpfloat(e->privacy.clip_schedule.initial, ==, 1);
    g_assert_cmpfloat(e->privacy.clip_schedule.at, ==, 0.25);
    g_assert_cmpint(e->train.augment_multiplicity, ==, 16);
    g_autoptr(DpcxrExperiment) same = load(e->yaml, NULL); /* what is written out reads back the same */
    g_assert_cmpstr(same->yaml, ==, e->yaml);
}

static const Wrong wrong_data[] = {
    {"augment: {type: hflip}", "data.augment: expected a list of plugins, as in [{type: NAME}], got a map"},
    {"augment: [{p: 1}]", "data.augment.0.type: is missing: the name of a plugin"},
    {"augment: [hflip, {type: rotate}]", "data.augment.1.type: there is no \"rotate\""},
    {"augment: [{type: hflip, p: 2, q: 1}]", "data.augment.0.p: must be at least 0 and at most 1, got "
                                             "2|data.augment.0.q: unknown key; did you mean \"p\"?"},
    {"groups: [a]", "data.groups: expected a map, as in {sex: {column: sex}}, got a list"},
    {"groups: {age: {bins: [3, 1]}}", "data.groups.age.bins: expected at least two edges, increasing"},
    {"groups: {age: {bins: [3]}}", "data.groups.age.bins: expected at least two edges, increasing"},
    {"groups: {age: {colum: a}}", "data.groups.age.colum: unknown key; did you mean \"column\"?"},
    {"groups: {age: 7}",
     "data.groups.age: expected a map, as in {column: age, bins: [0, 50, 100]}, got the number 7"},
    {"groups: {sample_id: {column: a}}",
     "data.groups: \"sample_id\" cannot be the name of a group: predictions have a column with it beside sample_id, "
     "patient_id, y_LABEL and p_LABEL"},
    {"groups: {\"\": {column: a}, p_sex: {column: a}}",
     "data.groups: \"\" cannot be the name of a group: predictions have a column with it beside sample_id, patient_id, "
     "y_LABEL and p_LABEL|data.groups: \"p_sex\" cannot be the name of a group: predictions have a column with it beside "
     "sample_id, patient_id, y_LABEL and p_LABEL"},
    {"labels: [a, b, a]", "data.labels: \"a\" is there twice"},
    {"labels: []", "data.labels: needs at least one"},
    {"labels: [\"\"]", "data.labels: \"\" cannot be a name"},
    {"image: {channels: 2}", "data.image.channels: expected one of 1, 3, got the number 2"},
};

static void test_wrong_data(Fixture *fixture, gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(wrong_data); i++) {
        g_autofree char *text = g_strdup_printf("name: x\ndata: {type: drawn, %s}\noptimizer: {lr: 1}\n"
                                                "privacy: {epsilon: 1, delta: 1e-6}\n",
                                                wrong_data[i].text);
        g_autofree char *got = fail_with(text, NULL, DPCXR_ERROR_USAGE);
        g_auto(GStrv) lines = g_strsplit(got, "\n", -1), wants = g_strsplit(wrong_data[i].want, "|", -1);
        g_assert_cmpuint(g_strv_length(lines), ==, g_strv_length(wants));
        for (gsize j = 0; lines[j]; j++) {
            if (!g_str_has_prefix(lines[j], "e.yaml:2:") || !g_str_has_suffix(lines[j], wants[j]))
                g_error("wanted %s, got %s", wants[j], lines[j]);
        }
    }
}

static void test_names(Fixture *fixture, gconstpointer data)
{
    static const char *const bad[] = {"''",      ".",       "..",       "a/b",      "-x",
                                      ".hidden", "\"a b\"", "\xC3\xA4", "\"a\\nb\""};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *override = g_strconcat("name=", bad[i], NULL);
        g_autofree char *got = fail_with(minimal, OVERRIDES(override), DPCXR_ERROR_USAGE);
        g_assert_true(g_str_has_prefix(got, "command line: name: names the run folder: expected"));
    }
    check_problem("data: {type: drawn}\noptimizer: {lr: 1}\nprivacy: {epsilon: 1, delta: 1e-6}\n", NULL,
                  "e.yaml:1:1: name: is missing: Name of the run folder, runs/NAME.");
}

/* One file with many mistakes: all are listed, in the order of the file. */
static void test_all_problems(Fixture *fixture, gconstpointer data)
{
    check_problem(
        "seed: -1\n"
        "nmae: x\n"
        "data:\n"
        "  root: /x\n"
        "  image: {size: big}\n"
        "privacy:\n"
        "  delta: 2\n"
        "  sampler: {type: poison}\n"
        "train: {epochs: 0, step: 5}\n"
        "optimizer: {lr: 1}\n",
        OVERRIDES("device.threads=-1"),
        "e.yaml:1:1: name: is missing: Name of the run folder, runs/NAME.\n"
        "e.yaml:1:7: seed: must be at least 0, got -1\n"
        "e.yaml:2:1: nmae: unknown key; did you mean \"name\"?\n"
        "e.yaml:4:3: data.type: is missing: A dataset plugin, as in `dpcxr plugins dataset`.\n"
        "e.yaml:5:17: data.image.size: expected a whole number, got the text \"big\"\n"
        "e.yaml:7:3: privacy.epsilon: is missing: give the epsilon to reach (the noise is calibrated to it), "
        "or a noise_multiplier\n"
        "e.yaml:7:10: privacy.delta: must be above 0 and at most 1, got 2\n"
        "e.yaml:8:19: privacy.sampler.type: expected one of poisson, full, truncated_poisson, fixed, "
        "shuffle, "
        "got the text \"poison\"; did you mean \"poisson\"?\n"
        "e.yaml:9:17: train.epochs: must be above 0 and at most 1000000, got 0\n"
        "e.yaml:9:20: train.step: unknown key; did you mean \"steps\"?\n"
        "command line: device.threads: must be at least 0 and at most 4096, got -1");
}

static void test_empty_file(Fixture *fixture, gconstpointer data)
{
    g_autofree char *got = fail_with("", NULL, DPCXR_ERROR_USAGE);
    g_assert_nonnull(strstr(got, "e.yaml:1:1: name: is missing"));
    g_assert_nonnull(strstr(got, "e.yaml:1:1: privacy.delta: is missing"));
    g_autoptr(GError) error = NULL;
    g_assert_null(dpcxr_experiment_load_with("none.yaml", NULL, &source, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE);
    g_assert_cmpstr(error->message, ==, "none.yaml: cannot be read: No such file or directory");
}

/* --- Privacy --- */

typedef struct {
    const char *privacy; /* the section */
    DpcxrErrorCode code;
    const char *want; /* part of the message; NULL: loads */
} Claim;

static const Claim claims[] = {
    {"{epsilon: 8, delta: 1e-5}", 0, NULL},
    {"{noise_multiplier: 1, delta: 1e-5}", 0, NULL},
    {"{noise_multiplier: 1, epsilon: 8, delta: 1e-5}", 0, NULL},
    {"{enabled: false}", 0, NULL},
    {"{enabled: false, adjacency: replace_one, noise_multiplier: 0}", 0, NULL},
    {"{noise_multiplier: 0, unsafe_no_noise: true}", 0, NULL},
    {"{noise_multiplier: 0, unsafe_no_noise: true, epsilon: 8, delta: 1e-5}", 0, NULL},
    {"{epsilon: 8, delta: 1e-5, adjacency: replace_one, sampler: full}", 0, NULL},
    {"{epsilon: 8, delta: 0.1, population: 10, unsafe_delta: true}", 0, NULL},
    {"{epsilon: 8, delta: 1e-5, also_report: [gdp]}", 0, NULL},
    {"{delta: 1e-5}", DPCXR_ERROR_USAGE, "e.yaml:4:10: privacy.epsilon: is missing"},
    {"{epsilon: 8}", DPCXR_ERROR_USAGE,
     "e.yaml:4:10: privacy.delta: is missing: give a probability well below one"},
    {"{epsilon: 8, delta: 1}", DPCXR_ERROR_USAGE, "e.yaml:4:30: privacy.delta: must be below 1"},
    {"{epsilon: 8, delta: 0}", DPCXR_ERROR_USAGE, "e.yaml:4:30: privacy.delta: must be above 0"},
    {"{epsilon: 0, delta: 1e-5}", DPCXR_ERROR_USAGE, "e.yaml:4:20: privacy.epsilon: must be above 0"},
    {"{noise_multiplier: 0, delta: 1e-5}", DPCXR_ERROR_PRIVACY,
     "e.yaml:4:29: privacy.noise_multiplier: 0 means no noise"},
    {"{epsilon: 8, delta: 1e-5, unsafe_no_noise: true}", DPCXR_ERROR_USAGE,
     "e.yaml:4:53: privacy.unsafe_no_noise: has a meaning only with noise_multiplier: 0"},
    {"{epsilon: 8, delta: 1e-5, adjacency: replace_one}", DPCXR_ERROR_PRIVACY,
     "e.yaml:4:47: privacy.adjacency: replace_one with Poisson sampling"},
    {"{epsilon: 8, delta: 0.1, population: 10}", DPCXR_ERROR_PRIVACY,
     "e.yaml:4:30: privacy.delta: is not below 1/population"},
    {"{epsilon: 8, delta: 1e-5, accountant: gdp}", DPCXR_ERROR_PRIVACY,
     "e.yaml:4:48: privacy.accountant.type: gdp approximates and proves no bound"},
    {"{epsilon: 8, delta: 1e-5, sampler: fixed}", 0, NULL},
    {"{epsilon: 8, delta: 1e-5, sampler: shuffle, adjacency: replace_one}", 0, NULL},
    {"{epsilon: 8, delta: 1e-5, sampler: truncated_poisson, adjacency: add_remove}", 0, NULL},
    {"{epsilon: 8, delta: 1e-5, sampler: {type: truncated_poisson, cap: 128}}", 0, NULL},
    {"{epsilon: 8, delta: 1e-5, sampler: {type: fixed, cap: 9}}", DPCXR_ERROR_USAGE,
     "privacy.sampler.cap: belongs to type truncated_poisson"},
    {"{epsilon: 8, delta: 1e-5, sampler: {type: truncated_poisson, cap: 127}}", DPCXR_ERROR_USAGE,
     "privacy.sampler.cap: is below train.batch.logical"},
    {"{epsilon: 8, delta: 1e-5, sampler: truncated_poisson, adjacency: replace_one}", DPCXR_ERROR_PRIVACY,
     "replace_one with truncated Poisson sampling has no proven bound"},
    {"{epsilon: 8, delta: 1e-5, sampler: fixed, adjacency: add_remove}", DPCXR_ERROR_PRIVACY,
     "sampler fixed needs a number of units that is the same"},
    {"{epsilon: 8, delta: 1e-5, sampler: shuffle, adjacency: add_remove}", DPCXR_ERROR_PRIVACY,
     "sampler shuffle needs a number of units that is the same"},
    {"{noise_multiplier: 0, unsafe_no_noise: true, clip: {type: adaptive}}", DPCXR_ERROR_USAGE,
     "adaptive follows a noisy count"},
    {"{epsilon: 8, delta: 1e-5, noise: {type: grid}}"},
    {"{noise_multiplier: 0, unsafe_no_noise: true, noise: {type: grid}}", DPCXR_ERROR_USAGE,
     "e.yaml:4:69: privacy.noise.type: grid is made for its noise"},
    {"{epsilon: 8, delta: 1e-5, noise: {source: seedd}}", DPCXR_ERROR_USAGE, "did you mean \"seeded\"?"},
    /* Usage before privacy: the file is not understood yet. */
    {"{epsilon: 8, delta: 1e-5, adjacency: replace_one, x: 1}", DPCXR_ERROR_USAGE, "privacy.x: unknown key"},
};

static void test_claims(Fixture *fixture, gconstpointer data)
{
    for (gsize i = 0; i < G_N_ELEMENTS(claims); i++) {
        g_test_message("%s", claims[i].privacy);
        g_autofree char *text = g_strdup_printf(
            "name: x\ndata: {type: drawn}\noptimizer: {lr: 1}\nprivacy: %s\n", claims[i].privacy);
        if (!claims[i].want) {
            g_autoptr(DpcxrExperiment) e = load(text, NULL);
            g_assert_nonnull(e);
            continue;
        }
        g_autofree char *got = fail_with(text, NULL, claims[i].code);
        if (!strstr(got, claims[i].want))
            g_error("wanted %s, got %s", claims[i].want, got);
    }
}

static void test_no_noise(Fixture *fixture, gconstpointer data)
{
    g_autoptr(DpcxrExperiment) e =
        load(minimal, OVERRIDES("privacy.noise_multiplier=0", "privacy.unsafe_no_noise=true"));
    g_assert_cmpfloat(e->privacy.noise_multiplier, ==, 0);
    g_assert_cmpfloat(e->privacy.epsilon, ==, 0); /* nothing to stop at */
    g_assert_nonnull(strstr(e->yaml, "epsilon: 8"));
}

/* --- The files that come with dpcxr, and the real registry --- */

static void test_shipped(void)
{
    const char *top = g_getenv("DPCXR_SOURCE");
    if (!top) {
        g_test_skip("DPCXR_SOURCE is not set: run by `meson test`");
        return;
    }
    g_autofree char *folder = g_build_filename(top, "configs", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_setenv("DPCXR_DATA", "/data", TRUE);
    int n = 0;
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autoptr(GError) error = NULL;
        if (!g_str_has_suffix(name, ".yaml"))
            continue;
        g_autoptr(DpcxrExperiment) e = dpcxr_experiment_load(path, NULL, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(e->model.plugin.type, ==, "resnet9");
        n++;
    }
    g_unsetenv("DPCXR_DATA");
    g_assert_cmpint(n, >=, 4);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, function) g_test_add("/experiment/" path, Fixture, NULL, set_up, function, tear_down)
    ADD("minimal", test_minimal);
    ADD("words", test_words);
    ADD("round-trip", test_round_trip);
    ADD("resolved-is-complete", test_resolved_is_complete);
    ADD("public", test_public);
    ADD("public/environment", test_public_environment);
    ADD("include", test_include);
    ADD("include/wrong", test_include_wrong);
    ADD("include/bomb", test_include_bomb);
    ADD("overrides", test_overrides);
    ADD("overrides/wrong", test_overrides_wrong);
    ADD("environment", test_environment);
    ADD("wrong", test_wrong);
    ADD("wrong/data", test_wrong_data);
    ADD("schedules", test_schedules);
    ADD("wrong/name", test_names);
    ADD("wrong/all-problems", test_all_problems);
    ADD("wrong/empty-file", test_empty_file);
    ADD("claims", test_claims);
    ADD("no-noise", test_no_noise);
    g_test_add_func("/experiment/shipped", test_shipped);
    return g_test_run();
}
