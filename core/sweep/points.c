/* SPDX-License-Identifier: MIT */
#include "sweep/points.h"
#include "sweep/axes.h"
#include "sweep/names.h"
#include <math.h>
#include <string.h>

enum { MAX_RUNS = 10000 };

static const char accountant_key[] = "privacy.accountant";

/* A sweep while it is put together. */
typedef struct {
    DpcxrSweep *sweep;
    DpcxrSweepAxes axes;
    GPtrArray *names; /* of the runs so far; borrowed */
} Builder;

static DpcxrExperiment *load(const Builder *builder, const GPtrArray *own, const char *name, GError **error)
{
    g_autoptr(GPtrArray) overrides = g_ptr_array_new();
    for (guint i = 0; i < builder->axes.common->len; i++)
        g_ptr_array_add(overrides, g_ptr_array_index(builder->axes.common, i));
    for (guint i = 0; own && i < own->len; i++)
        g_ptr_array_add(overrides, g_ptr_array_index(own, i));
    g_ptr_array_add(overrides, NULL);
    DpcxrExperiment *experiment =
        dpcxr_experiment_load(builder->sweep->config, (const char *const *)overrides->pdata, error);
    if (!experiment && name)
        g_prefix_error(error, "point %s:\n", name);
    return experiment;
}

static void add_key(GPtrArray *keys, const char *override)
{
    g_autofree char *key = g_strndup(override, strcspn(override, "="));
    if (!g_ptr_array_find_with_equal_func(keys, key, g_str_equal, NULL))
        g_ptr_array_add(keys, g_steal_pointer(&key));
}

/* That vary: of the list, of the axes, and the accountant. */
static void take_keys(Builder *builder)
{
    const DpcxrExperiment *base = builder->sweep->base;
    GPtrArray *keys = g_ptr_array_new();
    for (gsize i = 0; i < base->sweep.n_list; i++)
        for (char **override = base->sweep.list[i]; *override; override++)
            add_key(keys, *override);
    for (guint i = 0; i < builder->axes.axes->len; i++)
        add_key(keys, g_array_index(builder->axes.axes, DpcxrSweepAxis, i).key);
    if (base->sweep.at_epsilon)
        add_key(keys, accountant_key);
    builder->sweep->n_keys = keys->len;
    g_ptr_array_add(keys, NULL);
    builder->sweep->keys = (char **)g_ptr_array_free(keys, FALSE);
}

/* What the points of the list set is set nowhere else: the file's own grid was checked. */
static gboolean check_list(const Builder *builder, GError **error)
{
    const DpcxrExperiment *base = builder->sweep->base;
    for (gsize i = 0; i < base->sweep.n_list; i++)
        for (char **override = base->sweep.list[i]; *override; override++) {
            g_autofree char *key = g_strndup(*override, strcspn(*override, "="));
            if (dpcxr_sweep_axes_is_common(&builder->axes, key) || dpcxr_sweep_axes_find(&builder->axes, key))
                return dpcxr_sweep_usage(
                    error, "%s is set by the points of sweep.list; give them anew, or sweep.list=[]", key);
        }
    return TRUE;
}

/* Where accountants calibrate, nothing else says which. */
static gboolean check_calibration(const Builder *builder, GError **error)
{
    const char *key = accountant_key;
    gboolean twice = dpcxr_sweep_axes_find(&builder->axes, accountant_key) != NULL;
    for (gsize i = 0; i < builder->sweep->base->sweep.n_list; i++)
        for (char **override = builder->sweep->base->sweep.list[i]; *override; override++)
            twice |= g_str_has_prefix(*override, "privacy.accountant=");
    for (char **each = builder->sweep->keys; *each && !twice; each++)
        if (g_str_has_prefix(*each, "privacy.accountant.")) {
            key = *each;
            twice = TRUE;
        }
    return !twice ||
           dpcxr_sweep_usage(error, "%s varies beside sweep.accountants; leave out one of them", key);
}

static gboolean check_keys(const Builder *builder, GError **error)
{
    const DpcxrExperiment *base = builder->sweep->base;
    const char *const *keys = (const char *const *)builder->sweep->keys;
    if (!check_list(builder, error) || (base->sweep.at_epsilon && !check_calibration(builder, error)))
        return FALSE;
    for (char **key = base->sweep.per; *key; key++)
        if (!g_strv_contains(keys, *key))
            return dpcxr_sweep_usage(error, "sweep.per has %s, which does not vary", *key);
    if (base->sweep.repeat > 1 && g_strv_contains(keys, "seed"))
        return dpcxr_sweep_usage(error, "seed varies already; leave it out, or sweep.repeat");
    return *keys || base->sweep.repeat > 1 || base->sweep.n_accountants > 0 ||
           dpcxr_sweep_usage(error,
                             "nothing varies; give KEY=A,B,.. or sweep.grid, as in privacy.epsilon=1,8");
}

/* --- Points --- */

static void run_free(gpointer data)
{
    DpcxrSweepRun *run = data;
    g_free(run->name);
    g_free(run->folder);
    g_strfreev(run->overrides);
    dpcxr_experiment_free(run->experiment);
    dpcxr_outcome_clear(&run->outcome);
    g_free(run);
}

static void point_free(gpointer data)
{
    DpcxrSweepPoint *point = data;
    for (gsize i = 0; i < point->n_values; i++)
        g_free(point->values[i]);
    g_free(point->values);
    g_ptr_array_unref(point->runs);
    g_free(point->name);
    g_free(point);
}

/* (transfer full) [n_keys] */
static char **values_of(const DpcxrSweep *sweep, const GPtrArray *own)
{
    char **values = g_new0(char *, sweep->n_keys);
    for (gsize k = 0; k < sweep->n_keys; k++)
        for (guint i = 0; i < own->len; i++) {
            const char *override = g_ptr_array_index(own, i);
            gsize length = strlen(sweep->keys[k]);
            if (strncmp(override, sweep->keys[k], length) == 0 && override[length] == '=')
                values[k] = g_strdup(override + length + 1);
        }
    return values;
}

static char **strings(const GPtrArray *one, const GPtrArray *two)
{
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    for (guint i = 0; i < one->len; i++)
        g_strv_builder_add(all, g_ptr_array_index(one, i));
    for (guint i = 0; i < two->len; i++)
        g_strv_builder_add(all, g_ptr_array_index(two, i));
    return g_strv_builder_end(all);
}

static gboolean claim_name(Builder *builder, const char *name, GError **error)
{
    if (builder->names->len >= MAX_RUNS)
        return dpcxr_sweep_usage(error, "more than %d runs", MAX_RUNS);
    if (g_ptr_array_find_with_equal_func(builder->names, name, g_str_equal, NULL))
        return dpcxr_sweep_usage(
            error, "two runs would be called %s; a value is there twice, or differs in signs only", name);
    g_ptr_array_add(builder->names, (gpointer)name);
    return TRUE;
}

/* @own: of the point; gets the seed where there are several. */
static gboolean add_run(Builder *builder, DpcxrSweepPoint *point, const GPtrArray *own, int repeat,
                        GError **error)
{
    const DpcxrSweep *sweep = builder->sweep;
    g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(g_free);
    DpcxrSweepRun *run = g_new0(DpcxrSweepRun, 1);
    g_ptr_array_add(point->runs, run);
    run->outcome.exit_status = -1;
    for (guint i = 0; i < own->len; i++)
        g_ptr_array_add(all, g_strdup(g_ptr_array_index(own, i)));
    if (sweep->base->sweep.repeat > 1) {
        run->seed = sweep->base->seed + (guint64)repeat;
        g_ptr_array_add(all, g_strdup_printf("seed=%" G_GUINT64_FORMAT, run->seed));
        run->name =
            g_strdup_printf("%s%sseed-%" G_GUINT64_FORMAT, point->name, *point->name ? "_" : "", run->seed);
    } else {
        run->name = g_strdup(*point->name ? point->name : "base");
    }
    run->experiment = load(builder, all, run->name, error);
    if (!run->experiment || !claim_name(builder, run->name, error))
        return FALSE;
    run->seed = run->experiment->seed;
    run->folder = g_build_filename(sweep->folder, run->name, NULL);
    run->overrides = strings(builder->axes.common, all);
    return TRUE;
}

static gboolean add_point(Builder *builder, const GPtrArray *own, int accountant, GError **error)
{
    DpcxrSweep *sweep = builder->sweep;
    g_autoptr(GPtrArray) nothing = g_ptr_array_new();
    g_auto(GStrv) overrides = strings(own, nothing);
    DpcxrSweepPoint *point = g_new0(DpcxrSweepPoint, 1);
    point->name = dpcxr_sweep_point_name((const char *const *)overrides, (const char *const *)sweep->keys);
    point->values = values_of(sweep, own);
    point->n_values = sweep->n_keys;
    point->accountant = accountant;
    point->valid = point->test = (DpcxrSpread){0, NAN, NAN};
    point->runs = g_ptr_array_new_with_free_func(run_free);
    g_ptr_array_add(sweep->points, point);
    for (int i = 0; i < sweep->base->sweep.repeat; i++)
        if (!add_run(builder, point, own, i, error))
            return FALSE;
    return TRUE;
}

/* Whether an accountant says how much noise the point gets. */
static gboolean is_calibrated(const Builder *builder, const GPtrArray *own, gboolean *calibrated,
                              GError **error)
{
    g_autoptr(DpcxrExperiment) experiment = load(builder, own, "before its accountant", error);
    if (!experiment)
        return FALSE;
    if (experiment->privacy.enabled && experiment->privacy.noise_multiplier >= 0)
        return dpcxr_sweep_usage(
            error, "at: epsilon calibrates the noise; take privacy.noise_multiplier out, or use at: noise");
    *calibrated = experiment->privacy.enabled;
    return TRUE;
}

/* One point, or one for each accountant; without privacy there is nothing to account. Takes @own. */
static gboolean add_points(Builder *builder, GPtrArray *taken, GError **error)
{
    g_autoptr(GPtrArray) own = taken;
    const DpcxrExperiment *base = builder->sweep->base;
    gboolean calibrated = FALSE;
    if (base->sweep.at_epsilon && !is_calibrated(builder, own, &calibrated, error))
        return FALSE;
    if (!calibrated)
        return add_point(builder, own, -1, error);
    for (gsize i = 0; i < base->sweep.n_accountants; i++) {
        g_ptr_array_add(own, dpcxr_sweep_assignment(accountant_key, base->sweep.accountant_texts[i]));
        if (!add_point(builder, own, (int)i, error))
            return FALSE;
        g_ptr_array_set_size(own, (int)own->len - 1);
    }
    return TRUE;
}

static gboolean make_points(Builder *builder, GError **error)
{
    const DpcxrExperiment *base = builder->sweep->base;
    gsize n_list = base->sweep.n_list;
    gsize size = dpcxr_sweep_axes_size(&builder->axes, MAX_RUNS);
    if (size > MAX_RUNS)
        return dpcxr_sweep_usage(error, "more than %d runs", MAX_RUNS);
    for (gsize l = 0; l < MAX(n_list, 1); l++)
        for (gsize i = 0; i < size; i++)
            if (!add_points(builder,
                            dpcxr_sweep_axes_point(&builder->axes, n_list ? base->sweep.list[l] : NULL, i),
                            error))
                return FALSE;
    return TRUE;
}

static gboolean check_base(const DpcxrExperiment *base, GError **error)
{
    return (base->stage_train && base->stage_evaluate && base->evaluate.valid) ||
           dpcxr_sweep_usage(
               error,
               "a sweep compares runs on the validation split; it needs the stages train and evaluate, and "
               "valid among evaluate.splits");
}

static gboolean build(Builder *builder, const char *const *arguments, const char *out, GError **error)
{
    DpcxrSweep *sweep = builder->sweep;
    if (!dpcxr_sweep_axes_init(&builder->axes, arguments, error))
        return FALSE;
    g_autoptr(GPtrArray) first = dpcxr_sweep_axes_first(&builder->axes, sweep->config);
    sweep->base = load(builder, first, NULL, error);
    if (!sweep->base || !check_base(sweep->base, error))
        return FALSE;
    sweep->name = g_strdup(sweep->base->name);
    sweep->folder = g_build_filename(out ? out : "runs", sweep->name, NULL);
    dpcxr_sweep_axes_take_grid(&builder->axes, sweep->base);
    take_keys(builder);
    return check_keys(builder, error) && make_points(builder, error);
}

DpcxrSweep *dpcxr_sweep_new(const char *config, const char *const *arguments, const char *out, GError **error)
{
    g_autoptr(DpcxrSweep) sweep = g_new0(DpcxrSweep, 1);
    Builder builder = {.sweep = sweep, .names = g_ptr_array_new()};
    sweep->config = g_strdup(config);
    sweep->points = g_ptr_array_new_with_free_func(point_free);
    gboolean good = build(&builder, arguments, out, error);
    dpcxr_sweep_axes_clear(&builder.axes);
    g_ptr_array_unref(builder.names);
    return good ? g_steal_pointer(&sweep) : NULL;
}

void dpcxr_sweep_free(DpcxrSweep *sweep)
{
    if (!sweep)
        return;
    g_ptr_array_unref(sweep->points);
    dpcxr_experiment_free(sweep->base);
    g_strfreev(sweep->keys);
    g_free(sweep->config);
    g_free(sweep->name);
    g_free(sweep->folder);
    g_free(sweep);
}

GPtrArray *dpcxr_sweep_runs(const DpcxrSweep *sweep)
{
    GPtrArray *runs = g_ptr_array_new();
    for (guint p = 0; p < sweep->points->len; p++) {
        const DpcxrSweepPoint *point = g_ptr_array_index(sweep->points, p);
        g_ptr_array_extend(runs, point->runs, NULL, NULL);
    }
    return runs;
}
