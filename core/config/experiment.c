/* SPDX-License-Identifier: MIT
 * From a file to a DpcxrExperiment: document, tables, rules, then one function that fills in each part. */
#include "config/experiment.h"
#include "config/document.h"
#include "config/resolved.h"
#include "config/rules.h"
#include "optim/optimizer.h"
#include <math.h>
#include <string.h>

/* --- Parts --- */

static void fill_top(DpcxrExperiment *e, const DpcxrResolved *r)
{
    const DpcxrOptions *top = r->sections[DPCXR_SECTION_TOP], *device = r->sections[DPCXR_SECTION_DEVICE];
    const char *const *stages = dpcxr_options_get_strings(top, "stages");
    e->name = g_strdup(dpcxr_options_get_string(top, "name"));
    e->stage_train = g_strv_contains(stages, "train");
    e->stage_evaluate = g_strv_contains(stages, "evaluate");
    e->stage_report = g_strv_contains(stages, "report");
    e->seed = dpcxr_options_get_int(top, "seed");
    e->device.type = g_strdup(dpcxr_options_get_string(device, "type"));
    e->device.name = g_strdup(dpcxr_options_get_string(device, "name"));
    e->device.precision = dpcxr_options_get_choice(device, "precision");
    e->device.threads = dpcxr_options_get_int(device, "threads");
}

/* Takes the feature out of @from. */
static DpcxrFeature steal_feature(DpcxrFeature *from)
{
    DpcxrFeature feature = *from;
    memset(from, 0, sizeof *from);
    return feature;
}

static DpcxrFeature *steal_features(GArray *from, gsize *n)
{
    g_array_set_clear_func(from, NULL); /* what is inside belongs to the caller now */
    return g_array_steal(from, n);
}

static void fill_data(DpcxrExperiment *e, DpcxrResolved *r)
{
    const DpcxrOptions *data = r->sections[DPCXR_SECTION_DATA], *image = r->sections[DPCXR_SECTION_IMAGE];
    const DpcxrOptions *cache = r->sections[DPCXR_SECTION_CACHE];
    e->data.dataset = steal_feature(&r->features[DPCXR_SECTION_DATA]);
    e->data.labels = g_strdupv((char **)dpcxr_options_get_strings(data, "labels"));
    e->data.n_labels = g_strv_length(e->data.labels);
    e->data.uncertain = dpcxr_options_get_choice(data, "uncertain");
    e->data.missing = dpcxr_options_get_choice(data, "missing");
    g_array_set_clear_func(r->groups, NULL);
    e->data.groups = g_array_steal(r->groups, &e->data.n_groups);
    e->data.size = dpcxr_options_get_int(image, "size");
    e->data.channels = dpcxr_options_get_choice(image, "channels") == 0 ? 1 : 3;
    e->data.normalise = dpcxr_options_get_choice(image, "normalise");
    e->data.augment = steal_features(r->augment, &e->data.n_augment);
    e->data.cache_dir = g_strdup(dpcxr_options_get_string(cache, "dir"));
    e->data.workers = dpcxr_options_get_int(cache, "workers"); /* 0 for auto */
}

static void fill_model(DpcxrExperiment *e, DpcxrResolved *r)
{
    const DpcxrOptions *model = r->sections[DPCXR_SECTION_MODEL],
                       *weight = r->sections[DPCXR_SECTION_POS_WEIGHT];
    const char *init_data = dpcxr_options_get_string(model, "init_data");
    e->model.plugin = steal_feature(&r->features[DPCXR_SECTION_MODEL]);
    e->model.init = g_strdup(dpcxr_options_get_string(model, "init"));
    e->model.init_public = !strcmp(init_data, "public");
    if (g_str_has_prefix(init_data, "ledger "))
        e->model.init_ledger = g_strdup(init_data + strlen("ledger "));
    e->loss.pos_weight_type = dpcxr_options_get_choice(weight, "type");
    gsize n;
    const double *weights = dpcxr_options_get_numbers(weight, "weights", &n);
    e->loss.pos_weight = g_memdup2(weights, n * sizeof *weights);
    e->loss.pos_weight_noise_multiplier = dpcxr_options_get_number(weight, "noise_multiplier");
    e->optimizer = steal_feature(&r->features[DPCXR_SECTION_OPTIMIZER]);
    e->schedule = steal_feature(&r->features[DPCXR_SECTION_SCHEDULE]);
}

static void fill_train(DpcxrExperiment *e, const DpcxrResolved *r)
{
    const DpcxrOptions *train = r->sections[DPCXR_SECTION_TRAIN], *batch = r->sections[DPCXR_SECTION_BATCH];
    const DpcxrOptions *checkpoint = r->sections[DPCXR_SECTION_CHECKPOINT];
    e->train.epochs = dpcxr_options_get_number(train, "epochs");
    e->train.steps = dpcxr_options_get_int(train, "steps");
    e->train.logical = dpcxr_options_get_int(batch, "logical");
    e->train.physical = dpcxr_options_get_int(batch, "physical"); /* 0 for auto */
    e->train.ema = dpcxr_options_get_number(train, "ema");
    e->train.checkpoint_minutes = dpcxr_options_get_number(checkpoint, "every_minutes");
    e->train.checkpoint_keep = dpcxr_options_get_int(checkpoint, "keep");
    e->train.augment_multiplicity = dpcxr_options_get_int(train, "augment_multiplicity");
    e->train.release_ema = dpcxr_options_get_choice(train, "release") == 1;
}

static void fill_ramps(DpcxrExperiment *e, const DpcxrResolved *r)
{
    const DpcxrFeature *clip = &r->features[DPCXR_SECTION_CLIP_SCHEDULE],
                       *noise = &r->features[DPCXR_SECTION_NOISE_SCHEDULE];
    dpcxr_ramp_init(&e->privacy.clip_schedule, clip->type, clip->options);
    dpcxr_ramp_init(&e->privacy.noise_schedule, noise->type, noise->options);
    e->privacy.noise_levels = dpcxr_options_get_int(r->sections[DPCXR_SECTION_NOISE_SCHEDULE], "levels");
}

static void fill_privacy(DpcxrExperiment *e, DpcxrResolved *r)
{
    const DpcxrOptions *privacy = r->sections[DPCXR_SECTION_PRIVACY],
                       *noise = r->sections[DPCXR_SECTION_NOISE];
    const DpcxrOptions *sampler = r->sections[DPCXR_SECTION_SAMPLER], *clip = r->sections[DPCXR_SECTION_CLIP];
    e->privacy.enabled = dpcxr_options_get_bool(privacy, "enabled");
    e->privacy.unit = dpcxr_options_get_choice(privacy, "unit");
    e->privacy.images_per_patient = dpcxr_options_get_int(privacy, "images_per_patient"); /* 0 for all */
    e->privacy.adjacency = dpcxr_options_get_choice(privacy, "adjacency");
    e->privacy.population = dpcxr_options_get_int(privacy, "population");
    e->privacy.sampler = dpcxr_options_get_choice(sampler, "type");
    e->privacy.sampler_cap = dpcxr_options_get_int(sampler, "cap");
    e->privacy.clip_type = dpcxr_options_get_choice(clip, "type");
    e->privacy.clip_norm = dpcxr_options_get_number(clip, "norm");
    e->privacy.clip_stability = dpcxr_options_get_number(clip, "stability");
    e->privacy.clip_quantile = dpcxr_options_get_number(clip, "quantile");
    e->privacy.clip_rate = dpcxr_options_get_number(clip, "rate");
    e->privacy.clip_count_noise = dpcxr_options_get_number(clip, "count_noise");
    e->privacy.noise_type = dpcxr_options_get_choice(noise, "type");
    e->privacy.noise_source = dpcxr_options_get_choice(noise, "source");
    e->privacy.noise_seed = dpcxr_options_get_int(noise, "seed");
    e->privacy.unsafe_no_noise = dpcxr_options_get_bool(privacy, "unsafe_no_noise");
    e->privacy.unsafe_delta = dpcxr_options_get_bool(privacy, "unsafe_delta");
    e->privacy.delta = dpcxr_options_get_number(privacy, "delta");
    e->privacy.noise_multiplier = dpcxr_options_is_set(privacy, "noise_multiplier")
                                      ? dpcxr_options_get_number(privacy, "noise_multiplier")
                                      : -1;
    /* Without noise there is no epsilon that a target or a ceiling could be compared with. */
    e->privacy.epsilon = e->privacy.noise_multiplier == 0 ? 0 : dpcxr_options_get_number(privacy, "epsilon");
    e->privacy.accountant = steal_feature(&r->features[DPCXR_SECTION_ACCOUNTANT]);
    e->privacy.also_report = steal_features(r->also_report, &e->privacy.n_also_report);
}

/* The label that a chest data set calls "nothing found", where nobody says which; NULL where there is none. */
static const char *find_no_finding(const DpcxrExperiment *e)
{
    static const char *const usual[] = {"no finding", "no_finding", "no-finding", "nofinding", "normal", "healthy"};
    for (int label = 0; label < e->data.n_labels; label++)
        for (gsize i = 0; i < G_N_ELEMENTS(usual); i++)
            if (g_ascii_strcasecmp(e->data.labels[label], usual[i]) == 0)
                return e->data.labels[label];
    return NULL;
}

static void fill_evaluate(DpcxrExperiment *e, const DpcxrResolved *r)
{
    const DpcxrOptions *evaluate = r->sections[DPCXR_SECTION_EVALUATE], *ci = r->sections[DPCXR_SECTION_CI];
    const DpcxrOptions *threshold = r->sections[DPCXR_SECTION_THRESHOLD], *small = r->sections[DPCXR_SECTION_SMALL_GROUPS];
    const char *const *splits = dpcxr_options_get_strings(evaluate, "splits");
    const char *no_finding = dpcxr_options_get_string(evaluate, "no_finding");
    e->evaluate.valid = g_strv_contains(splits, "valid");
    e->evaluate.test = g_strv_contains(splits, "test");
    e->evaluate.no_finding = g_strdup(no_finding ? no_finding : find_no_finding(e));
    e->evaluate.threshold_rule = dpcxr_options_get_choice(threshold, "rule");
    e->evaluate.threshold_value =
        dpcxr_options_is_set(threshold, "value") ? dpcxr_options_get_number(threshold, "value") : NAN;
    e->evaluate.ci_method = dpcxr_options_get_choice(ci, "method");
    e->evaluate.ci_by_image = dpcxr_options_get_choice(ci, "by") == 1;
    e->evaluate.curve_points = dpcxr_options_get_int(evaluate, "curve_points");
    e->evaluate.ci_replicates = dpcxr_options_get_int(ci, "replicates");
    e->evaluate.ci_level = dpcxr_options_get_number(ci, "level");
    e->evaluate.ci_seed = dpcxr_options_get_int(ci, "seed");
    e->evaluate.min_n = dpcxr_options_get_int(small, "min_n");
    e->evaluate.min_pos = dpcxr_options_get_int(small, "min_pos");
}

static void fill_report(DpcxrExperiment *e, const DpcxrResolved *r)
{
    const char *const *formats = dpcxr_options_get_strings(r->sections[DPCXR_SECTION_REPORT], "formats");
    e->report.page = g_strv_contains(formats, "html");
    e->report.figures = g_strv_contains(formats, "csv");
}

/* (transfer full) "key=value" of each member of @map. */
static char **overrides_of(const DpcxrYaml *map)
{
    g_autoptr(GStrvBuilder) overrides = g_strv_builder_new();
    for (guint i = 0; i < map->items->len; i++) {
        g_autofree char *value = dpcxr_yaml_write_line(map->items->pdata[i]);
        g_autofree char *override = g_strconcat(((DpcxrYaml *)map->keys->pdata[i])->text, "=", value, NULL);
        g_strv_builder_add(overrides, override);
    }
    return g_strv_builder_end(overrides);
}

/* (transfer full) Each item in one line. */
static char **lines_of(const DpcxrYaml *list)
{
    g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
    for (guint i = 0; i < list->items->len; i++) {
        g_autofree char *line = dpcxr_yaml_write_line(list->items->pdata[i]);
        g_strv_builder_add(lines, line);
    }
    return g_strv_builder_end(lines);
}

static void fill_sweep(DpcxrExperiment *e, DpcxrResolved *r)
{
    const DpcxrOptions *sweep = r->sections[DPCXR_SECTION_SWEEP];
    e->sweep.n_grid = r->grid->items->len;
    e->sweep.grid = g_new0(DpcxrSweepAxis, e->sweep.n_grid);
    for (gsize i = 0; i < e->sweep.n_grid; i++)
        e->sweep.grid[i] = (DpcxrSweepAxis){g_strdup(((DpcxrYaml *)r->grid->keys->pdata[i])->text),
                                            lines_of(r->grid->items->pdata[i])};
    e->sweep.n_list = r->list->items->len;
    e->sweep.list = g_new0(char **, e->sweep.n_list);
    for (gsize i = 0; i < e->sweep.n_list; i++)
        e->sweep.list[i] = overrides_of(r->list->items->pdata[i]);
    e->sweep.accountant_texts = lines_of(r->accountant_list);
    e->sweep.accountants = steal_features(r->accountants, &e->sweep.n_accountants);
    e->sweep.at_epsilon = dpcxr_options_get_choice(sweep, "at") == 1;
    e->sweep.test_all = dpcxr_options_get_choice(sweep, "test") == 1;
    e->sweep.per = g_strdupv((char **)dpcxr_options_get_strings(sweep, "per"));
    e->sweep.repeat = (int)dpcxr_options_get_int(sweep, "repeat");
}

static DpcxrExperiment *make_experiment(DpcxrResolved *resolved)
{
    DpcxrExperiment *e = g_new0(DpcxrExperiment, 1);
    e->yaml = dpcxr_resolved_write(resolved, TRUE);
    e->yaml_public = dpcxr_resolved_write(resolved, FALSE);
    fill_top(e, resolved);
    fill_data(e, resolved);
    fill_model(e, resolved);
    fill_train(e, resolved);
    fill_privacy(e, resolved);
    fill_ramps(e, resolved);
    fill_evaluate(e, resolved);
    fill_report(e, resolved);
    fill_sweep(e, resolved);
    return e;
}

/* --- Whole --- */

DpcxrExperiment *dpcxr_experiment_load_with(const char *path, const char *const *overrides,
                                            const DpcxrPluginSource *plugins, GError **error)
{
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) root = dpcxr_document_load(path, overrides, problems);
    g_autoptr(DpcxrResolved) resolved = NULL;
    if (root) {
        resolved = dpcxr_resolved_read(root, plugins, problems);
        dpcxr_rules_check(resolved, problems);
    }
    if (!dpcxr_problems_check(problems, error))
        return NULL;
    const DpcxrFeature *optimizer = &resolved->features[DPCXR_SECTION_OPTIMIZER];
    return dpcxr_optimizer_check(optimizer->type, optimizer->options, error) ? make_experiment(resolved) : NULL;
}

static gboolean add_to_registry(const char *path, GError **error)
{
    return dpcxr_registry_add(path, error);
}

/* Scans late, so that what `plugins:` names comes first. */
static const DpcxrPluginEntry *find_in_registry(DpcxrPluginKind kind, const char *name, GError **error)
{
    dpcxr_registry_scan();
    return dpcxr_registry_find(kind, name, error);
}

DpcxrExperiment *dpcxr_experiment_load(const char *path, const char *const *overrides, GError **error)
{
    return dpcxr_experiment_load_with(path, overrides,
                                      &(DpcxrPluginSource){find_in_registry, add_to_registry}, error);
}

static void free_features(DpcxrFeature *features, gsize n)
{
    for (gsize i = 0; i < n; i++)
        dpcxr_feature_clear(&features[i]);
    g_free(features);
}

static void free_sweep(DpcxrExperiment *e)
{
    for (gsize i = 0; i < e->sweep.n_grid; i++) {
        g_free(e->sweep.grid[i].key);
        g_strfreev(e->sweep.grid[i].values);
    }
    g_free(e->sweep.grid);
    for (gsize i = 0; i < e->sweep.n_list; i++)
        g_strfreev(e->sweep.list[i]);
    g_free(e->sweep.list);
    free_features(e->sweep.accountants, e->sweep.n_accountants);
    g_strfreev(e->sweep.accountant_texts);
    g_strfreev(e->sweep.per);
}

void dpcxr_experiment_free(DpcxrExperiment *experiment)
{
    if (!experiment)
        return;
    g_free(experiment->name);
    g_free(experiment->device.type);
    g_free(experiment->device.name);
    dpcxr_feature_clear(&experiment->data.dataset);
    g_strfreev(experiment->data.labels);
    for (gsize i = 0; i < experiment->data.n_groups; i++)
        dpcxr_group_clear(&experiment->data.groups[i]);
    g_free(experiment->data.groups);
    free_features(experiment->data.augment, experiment->data.n_augment);
    g_free(experiment->data.cache_dir);
    dpcxr_feature_clear(&experiment->model.plugin);
    g_free(experiment->model.init);
    g_free(experiment->model.init_ledger);
    g_free(experiment->loss.pos_weight);
    dpcxr_feature_clear(&experiment->optimizer);
    dpcxr_feature_clear(&experiment->schedule);
    dpcxr_feature_clear(&experiment->privacy.accountant);
    free_features(experiment->privacy.also_report, experiment->privacy.n_also_report);
    g_free(experiment->evaluate.no_finding);
    free_sweep(experiment);
    g_free(experiment->yaml);
    g_free(experiment->yaml_public);
    g_free(experiment);
}
