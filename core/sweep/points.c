/* SPDX-License-Identifier: MIT */
#include "sweep/points.h"
#include "config/document.h"
#include "sweep/names.h"
#include <math.h>
#include <string.h>

enum { MAX_RUNS = 10000 };

static const char accountant_key[] = "privacy.accountant";

/* A sweep while it is put together. */
typedef struct {
    DpcxrSweep *sweep;
    GPtrArray *common; /* overrides of all runs */
    GArray *axes;      /* DpcxrSweepAxis: grid and command line */
    GPtrArray *names;  /* of the runs so far; borrowed */
} Builder;

/* --- The command line --- */

char **dpcxr_sweep_split(const char *value)
{
    g_autoptr(GStrvBuilder) parts = g_strv_builder_new();
    const char *start = value;
    int depth = 0;
    char quote = '\0';
    for (const char *c = value;; c++) {
        if (!*c || (*c == ',' && depth == 0 && !quote)) {
            g_autofree char *part = g_strndup(start, (gsize)(c - start));
            g_strv_builder_add(parts, g_strstrip(part));
            start = c + 1;
        }
        if (!*c)
            return g_strv_builder_end(parts);
        if (quote)
            quote = *c == quote ? '\0' : quote;
        else if (*c == '"' || *c == '\'')
            quote = *c;
        else
            depth += strchr("[{", *c) ? 1 : strchr("]}", *c) ? -1 : 0;
    }
}

static void axis_clear(gpointer data)
{
    DpcxrSweepAxis *axis = data;
    g_free(axis->key);
    g_strfreev(axis->values);
}

static DpcxrSweepAxis *find_axis(const GArray *axes, const char *key)
{
    for (guint i = 0; i < axes->len; i++)
        if (g_str_equal(g_array_index(axes, DpcxrSweepAxis, i).key, key))
            return &g_array_index(axes, DpcxrSweepAxis, i);
    return NULL;
}

static gboolean usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean usage(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "sweep: %s", message);
    return FALSE;
}

/* What a sweep sets itself. */
static gboolean check_key(const char *key, GError **error)
{
    static const char *const own[] = {"name", "stages", "plugins", "evaluate.splits", NULL};
    if (g_str_has_prefix(key, "sweep."))
        return usage(error, "%s has one value; write a list in brackets", key);
    return !g_strv_contains(own, key) || usage(error, "%s is the same for all runs of a sweep", key);
}

/* A value with commas varies the key; another is the same for all. */
static gboolean read_argument(Builder *builder, const char *argument, GError **error)
{
    const char *equals = strchr(argument, '=');
    if (!equals)
        return usage(error, "\"%s\" is no KEY=VALUE and no KEY=A,B,..", argument);
    g_auto(GStrv) values = dpcxr_sweep_split(equals + 1);
    if (!values[1]) {
        g_ptr_array_add(builder->common, g_strdup(argument));
        return TRUE;
    }
    DpcxrSweepAxis axis = {g_strndup(argument, (gsize)(equals - argument)), g_steal_pointer(&values)};
    if (find_axis(builder->axes, axis.key)) {
        usage(error, "%s is there twice", axis.key);
        axis_clear(&axis);
        return FALSE;
    }
    g_array_append_val(builder->axes, axis);
    return check_key(axis.key, error);
}

/* --- Grid and list --- */

static gboolean is_common(const Builder *builder, const char *key)
{
    for (guint i = 0; i < builder->common->len; i++) {
        const char *override = g_ptr_array_index(builder->common, i);
        if (strncmp(override, key, strlen(key)) == 0 && override[strlen(key)] == '=')
            return TRUE;
    }
    return FALSE;
}

static DpcxrExperiment *load(const Builder *builder, const GPtrArray *own, const char *name, GError **error)
{
    g_autoptr(GPtrArray) overrides = g_ptr_array_new();
    for (guint i = 0; i < builder->common->len; i++)
        g_ptr_array_add(overrides, g_ptr_array_index(builder->common, i));
    for (guint i = 0; own && i < own->len; i++)
        g_ptr_array_add(overrides, g_ptr_array_index(own, i));
    g_ptr_array_add(overrides, NULL);
    DpcxrExperiment *experiment =
        dpcxr_experiment_load(builder->sweep->config, (const char *const *)overrides->pdata, error);
    if (!experiment && name)
        g_prefix_error(error, "point %s:\n", name);
    return experiment;
}

static char *assignment(const char *key, const char *value)
{
    return g_strconcat(key, "=", value, NULL);
}

/* The first value of each member of a grid that is one; the experiment says what is wrong with others. */
static void first_of_grid(const Builder *builder, const DpcxrYaml *grid, GPtrArray *overrides)
{
    for (guint i = 0; grid && grid->kind == DPCXR_YAML_MAP && i < grid->items->len; i++) {
        const char *key = ((DpcxrYaml *)grid->keys->pdata[i])->text;
        const DpcxrYaml *values = grid->items->pdata[i];
        if (values->kind != DPCXR_YAML_LIST || values->items->len == 0 || is_common(builder, key) ||
            find_axis(builder->axes, key))
            continue;
        g_autofree char *value = dpcxr_yaml_write_line(values->items->pdata[0]);
        g_ptr_array_add(overrides, assignment(key, value));
    }
}

static void first_of_list(const DpcxrYaml *list, GPtrArray *overrides)
{
    if (!list || list->kind != DPCXR_YAML_LIST || list->items->len == 0)
        return;
    const DpcxrYaml *point = list->items->pdata[0];
    for (guint i = 0; point->kind == DPCXR_YAML_MAP && i < point->items->len; i++) {
        g_autofree char *value = dpcxr_yaml_write_line(point->items->pdata[i]);
        g_ptr_array_add(overrides, assignment(((DpcxrYaml *)point->keys->pdata[i])->text, value));
    }
}

/* The first point: what a file lacks may be in its grid, such as privacy.epsilon. */
static DpcxrExperiment *load_first(const Builder *builder, GError **error)
{
    g_autoptr(DpcxrProblems) problems = dpcxr_problems_new(); /* those of the experiment are told */
    g_autoptr(GPtrArray) own = g_ptr_array_new_with_free_func(g_free), common = g_ptr_array_new();
    for (guint i = 0; i < builder->common->len; i++)
        g_ptr_array_add(common, g_ptr_array_index(builder->common, i));
    g_ptr_array_add(common, NULL);
    g_autoptr(DpcxrYaml) root =
        dpcxr_document_load(builder->sweep->config, (const char *const *)common->pdata, problems);
    const DpcxrYaml *sweep = root ? dpcxr_yaml_get(root, "sweep") : NULL;
    first_of_grid(builder, dpcxr_yaml_get(sweep, "grid"), own);
    first_of_list(dpcxr_yaml_get(sweep, "list"), own);
    for (guint i = 0; i < builder->axes->len; i++) {
        const DpcxrSweepAxis *axis = &g_array_index(builder->axes, DpcxrSweepAxis, i);
        g_ptr_array_add(own, assignment(axis->key, axis->values[0]));
    }
    return load(builder, own, NULL, error);
}

/* The axes of the file that the command line leaves, before its own. */
static void take_grid(Builder *builder)
{
    const DpcxrExperiment *base = builder->sweep->base;
    guint at = 0;
    for (gsize i = 0; i < base->sweep.n_grid; i++) {
        const DpcxrSweepAxis *axis = &base->sweep.grid[i];
        if (is_common(builder, axis->key) || find_axis(builder->axes, axis->key))
            continue;
        DpcxrSweepAxis copy = {g_strdup(axis->key), g_strdupv(axis->values)};
        g_array_insert_val(builder->axes, at++, copy);
    }
}

static void add_key(GPtrArray *keys, const char *override)
{
    g_autofree char *key = g_strndup(override, strcspn(override, "="));
    if (!g_ptr_array_find_with_equal_func(keys, key, g_str_equal, NULL))
        g_ptr_array_add(keys, g_steal_pointer(&key));
}

/* That vary: of the list, of the axes, and the accountant. */
static gboolean take_keys(Builder *builder, GError **error)
{
    const DpcxrExperiment *base = builder->sweep->base;
    GPtrArray *keys = g_ptr_array_new();
    for (gsize i = 0; i < base->sweep.n_list; i++)
        for (char **override = base->sweep.list[i]; *override; override++)
            add_key(keys, *override);
    for (guint i = 0; i < builder->axes->len; i++)
        add_key(keys, g_array_index(builder->axes, DpcxrSweepAxis, i).key);
    gboolean twice =
        base->sweep.at_epsilon && g_ptr_array_find_with_equal_func(keys, accountant_key, g_str_equal, NULL);
    if (base->sweep.at_epsilon)
        add_key(keys, accountant_key);
    builder->sweep->n_keys = keys->len;
    g_ptr_array_add(keys, NULL);
    builder->sweep->keys = (char **)g_ptr_array_free(keys, FALSE);
    const char *const *all = (const char *const *)builder->sweep->keys;
    if (twice)
        return usage(error, "%s varies beside sweep.accountants; leave out one of them", accountant_key);
    for (char **key = base->sweep.per; *key; key++)
        if (!g_strv_contains(all, *key))
            return usage(error, "sweep.per has %s, which does not vary", *key);
    for (char **key = builder->sweep->keys; *key && base->sweep.at_epsilon; key++)
        if (g_str_has_prefix(*key, "privacy.accountant."))
            return usage(error, "%s varies beside sweep.accountants; leave out one of them", *key);
    if (base->sweep.repeat > 1 && g_strv_contains(all, "seed"))
        return usage(error, "seed varies already; leave it out, or sweep.repeat");
    return *all || base->sweep.repeat > 1 || base->sweep.n_accountants > 0 ||
           usage(error, "nothing varies; give KEY=A,B,.. or sweep.grid, as in privacy.epsilon=1,8");
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
        return usage(error, "more than %d runs", MAX_RUNS);
    if (g_ptr_array_find_with_equal_func(builder->names, name, g_str_equal, NULL))
        return usage(error, "two runs would be called %s; a value is there twice, or differs in signs only",
                     name);
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
    run->overrides = strings(builder->common, all);
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
        return usage(error,
                     "at: epsilon calibrates the noise; take privacy.noise_multiplier out, or use at: noise");
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
        g_ptr_array_add(own, assignment(accountant_key, base->sweep.accountant_texts[i]));
        if (!add_point(builder, own, (int)i, error))
            return FALSE;
        g_ptr_array_set_size(own, (int)own->len - 1);
    }
    return TRUE;
}

/* Point @i of the grid: the last axis goes round first. (transfer full) */
static GPtrArray *grid_point(const Builder *builder, char **listed, gsize i)
{
    GPtrArray *own = g_ptr_array_new_with_free_func(g_free);
    for (; listed && *listed; listed++)
        g_ptr_array_add(own, g_strdup(*listed));
    guint fixed = own->len;
    for (guint a = builder->axes->len; a-- > 0;) {
        const DpcxrSweepAxis *axis = &g_array_index(builder->axes, DpcxrSweepAxis, a);
        gsize n = g_strv_length(axis->values);
        g_ptr_array_insert(own, (int)fixed, assignment(axis->key, axis->values[i % n]));
        i /= n;
    }
    return own;
}

static gboolean make_points(Builder *builder, GError **error)
{
    const DpcxrExperiment *base = builder->sweep->base;
    gsize size = 1;
    for (guint a = 0; a < builder->axes->len && size <= MAX_RUNS; a++)
        size *= g_strv_length(g_array_index(builder->axes, DpcxrSweepAxis, a).values);
    if (size > MAX_RUNS)
        return usage(error, "more than %d runs", MAX_RUNS);
    for (gsize l = 0; l < MAX(base->sweep.n_list, 1); l++)
        for (gsize i = 0; i < size; i++)
            if (!add_points(builder, grid_point(builder, base->sweep.n_list ? base->sweep.list[l] : NULL, i),
                            error))
                return FALSE;
    return TRUE;
}

static gboolean check_base(const DpcxrExperiment *base, GError **error)
{
    return (base->stage_train && base->stage_evaluate && base->evaluate.valid) ||
           usage(error,
                 "a sweep compares runs on the validation split; it needs the stages train and evaluate, and "
                 "valid among evaluate.splits");
}

static gboolean build(Builder *builder, const char *const *arguments, const char *out, GError **error)
{
    DpcxrSweep *sweep = builder->sweep;
    for (; arguments && *arguments; arguments++)
        if (!read_argument(builder, *arguments, error))
            return FALSE;
    sweep->base = load_first(builder, error);
    if (!sweep->base || !check_base(sweep->base, error))
        return FALSE;
    sweep->name = g_strdup(sweep->base->name);
    sweep->folder = g_build_filename(out ? out : "runs", sweep->name, NULL);
    take_grid(builder);
    return take_keys(builder, error) && make_points(builder, error);
}

DpcxrSweep *dpcxr_sweep_new(const char *config, const char *const *arguments, const char *out, GError **error)
{
    g_autoptr(DpcxrSweep) sweep = g_new0(DpcxrSweep, 1);
    Builder builder = {sweep, g_ptr_array_new_with_free_func(g_free),
                       g_array_new(FALSE, FALSE, sizeof(DpcxrSweepAxis)), g_ptr_array_new()};
    g_array_set_clear_func(builder.axes, axis_clear);
    sweep->config = g_strdup(config);
    sweep->points = g_ptr_array_new_with_free_func(point_free);
    gboolean good = build(&builder, arguments, out, error);
    g_ptr_array_unref(builder.common);
    g_array_unref(builder.axes);
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
