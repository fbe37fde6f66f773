/* SPDX-License-Identifier: MIT
 * One function a rule; each says what is wrong at the key that has to change. */
#include "config/rules.h"
#include "config/yaml.h"
#include <string.h>

typedef struct {
    const DpcxrResolved *resolved;
    DpcxrProblems *problems;
} Rules;

static const DpcxrOptions *options_of(const Rules *rules, DpcxrSectionId id)
{
    return rules->resolved->sections[id];
}

static gboolean good(const Rules *rules, DpcxrSectionId id, const char *key)
{
    return dpcxr_options_is_good(options_of(rules, id), key);
}

static gboolean given(const Rules *rules, DpcxrSectionId id, const char *key)
{
    return dpcxr_options_is_set(options_of(rules, id), key);
}

static gboolean is_choice(const Rules *rules, DpcxrSectionId id, const char *key, const char *word)
{
    return g_strcmp0(dpcxr_options_get_string(options_of(rules, id), key), word) == 0;
}

G_GNUC_PRINTF(5, 6)
static void fail(const Rules *rules, DpcxrErrorCode code, DpcxrSectionId id, const char *key,
                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *path = dpcxr_options_join(dpcxr_sections()[id].path, key);
    dpcxr_problems_add(rules->problems, code, dpcxr_options_mark(options_of(rules, id), key), path, "%s",
                       message);
}

static void missing(const Rules *rules, DpcxrSectionId id, const char *key, const char *right)
{
    g_autofree char *path = dpcxr_options_join(dpcxr_sections()[id].path, key);
    dpcxr_problems_missing(rules->problems, dpcxr_options_mark(options_of(rules, id), key), path, right);
}

/* --- Not built yet --- */

static const DpcxrOptionSpec *spec_of(const DpcxrOptions *options, const char *key)
{
    const DpcxrOptionSpec *spec = dpcxr_options_specs(options);
    while (strcmp(spec->name, key))
        spec++;
    return spec;
}

/* The first value of the option that is in the row, or NULL. */
static const char *find_unbuilt(const DpcxrOptions *options, const DpcxrUnbuilt *row)
{
    if (!row->values)
        return row->key;
    g_auto(GStrv) values = g_strsplit(row->values, "|", -1);
    if (spec_of(options, row->key)->type == DPCXR_OPTION_STRINGS) {
        for (const char *const *item = dpcxr_options_get_strings(options, row->key); *item; item++)
            if (g_strv_contains((const char *const *)values, *item))
                return *item;
        return NULL;
    }
    const char *text = dpcxr_options_get_string(options, row->key);
    return text && g_strv_contains((const char *const *)values, text) ? text : NULL;
}

static void check_unbuilt(const Rules *rules)
{
    for (const DpcxrUnbuilt *row = dpcxr_unbuilt(); row->key; row++) {
        const DpcxrOptions *options = options_of(rules, row->section);
        if (!dpcxr_options_is_set(options, row->key))
            continue;
        const char *value = find_unbuilt(options, row);
        if (value)
            fail(rules, DPCXR_ERROR_USAGE, row->section, row->key,
                 "\"%s\" is not implemented yet in this version; %s", value, row->instead);
    }
}

/* --- Names and lists --- */

/* One component of a path, on any file system, and harmless in a shell. */
static void check_name(const Rules *rules)
{
    enum { LONGEST = 100 };
    const char *name = dpcxr_options_get_string(options_of(rules, DPCXR_SECTION_TOP), "name");
    if (!good(rules, DPCXR_SECTION_TOP, "name"))
        return;
    gsize length = strlen(name);
    gboolean safe = length > 0 && length <= LONGEST && (g_ascii_isalnum(*name) || *name == '_');
    for (const char *c = name; *c; c++)
        safe &= g_ascii_isalnum(*c) || strchr("._-", *c) != NULL;
    if (!safe)
        fail(rules, DPCXR_ERROR_USAGE, DPCXR_SECTION_TOP, "name",
             "names the run folder: expected up to %d letters, digits, \".\", \"_\", \"-\", starting with a "
             "letter, digit or _",
             LONGEST);
}

static void check_distinct(const Rules *rules, DpcxrSectionId id, const char *key)
{
    const char *const *items = dpcxr_options_get_strings(options_of(rules, id), key);
    if (!good(rules, id, key))
        return;
    if (!*items)
        fail(rules, DPCXR_ERROR_USAGE, id, key, "needs at least one");
    for (gsize i = 0; items[i]; i++) {
        g_autofree char *shown = dpcxr_yaml_show(items[i]);
        if (!*items[i] || strpbrk(items[i], "\n\r\t\""))
            fail(rules, DPCXR_ERROR_USAGE, id, key, "\"%s\" cannot be a name", shown);
        for (gsize j = 0; j < i; j++)
            if (!strcmp(items[i], items[j])) {
                fail(rules, DPCXR_ERROR_USAGE, id, key, "\"%s\" is there twice", shown);
                break;
            }
    }
}

/* A working point chosen on the images that it is judged on is judged too well. */
static void check_threshold(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_THRESHOLD;
    gboolean fixed = is_choice(rules, id, "rule", "sensitivity") || is_choice(rules, id, "rule", "specificity");
    if (!good(rules, id, "rule") || !good(rules, id, "value") || !good(rules, id, "from"))
        return;
    if (is_choice(rules, id, "from", "test"))
        fail(rules, DPCXR_ERROR_USAGE, id, "from",
             "a threshold chosen on the test split makes its metrics too good; use valid");
    if (fixed && !given(rules, id, "value"))
        missing(rules, id, "value", "give the sensitivity or specificity to reach, such as 0.9");
    if (!fixed && given(rules, id, "value"))
        fail(rules, DPCXR_ERROR_USAGE, id, "value", "belongs to the rules sensitivity and specificity");
}

static void check_no_finding(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_EVALUATE;
    const char *label = dpcxr_options_get_string(options_of(rules, id), "no_finding");
    const char *const *labels = dpcxr_options_get_strings(options_of(rules, DPCXR_SECTION_DATA), "labels");
    if (!good(rules, id, "no_finding") || !good(rules, DPCXR_SECTION_DATA, "labels") || !label ||
        g_strv_contains(labels, label))
        return;
    g_autofree char *shown = dpcxr_yaml_show(label);
    fail(rules, DPCXR_ERROR_USAGE, id, "no_finding", "\"%s\" is not among data.labels", shown);
}

static gboolean does_evaluate(const Rules *rules)
{
    const char *const *stages = dpcxr_options_get_strings(options_of(rules, DPCXR_SECTION_TOP), "stages");
    return g_strv_contains(stages, "evaluate");
}

/* --- Device --- */

static void check_device(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_DEVICE;
    const char *type = dpcxr_options_get_string(options_of(rules, id), "type");
    const char *name = dpcxr_options_get_string(options_of(rules, id), "name");
    if (!good(rules, id, "type"))
        return;
    if (name && !*name)
        fail(rules, DPCXR_ERROR_USAGE, id, "name",
             "expected an index, a UUID or a part of a name (`dpcxr devices` lists them), got an empty text");
    if (name && *name && (!strcmp(type, "cpu") || !strcmp(type, "ref")))
        fail(rules, DPCXR_ERROR_USAGE, id, "name", "chooses a Vulkan device; leave it out with type %s, or use vulkan",
             type);
    if (is_choice(rules, id, "precision", "bf16") && (!strcmp(type, "vulkan") || (name && !strcmp(type, "auto"))))
        fail(rules, DPCXR_ERROR_USAGE, id, "precision", "vulkan computes in fp32 or fp16; use these, or type cpu");
    if (is_choice(rules, id, "precision", "fp16") && (!strcmp(type, "cpu") || !strcmp(type, "ref")))
        fail(rules, DPCXR_ERROR_USAGE, id, "precision", "fp16 is for type vulkan; use %s",
             !strcmp(type, "cpu") ? "bf16 or fp32" : "fp32");
}

/* --- Model and loss --- */

static void check_init(const Rules *rules)
{
    const char *data = dpcxr_options_get_string(options_of(rules, DPCXR_SECTION_MODEL), "init_data");
    if (!good(rules, DPCXR_SECTION_MODEL, "init_data") ||
        (data && (!strcmp(data, "public") || !strcmp(data, "private"))))
        return;
    g_autofree char *shown = dpcxr_yaml_show(data ? data : "null");
    if (data && g_str_has_prefix(data, "ledger "))
        fail(rules, DPCXR_ERROR_USAGE, DPCXR_SECTION_MODEL, "init_data",
             "weights with a ledger are not implemented yet in this version; use public, or private (voids "
             "the claim)");
    else
        fail(rules, DPCXR_ERROR_USAGE, DPCXR_SECTION_MODEL, "init_data",
             "expected public, private (voids the claim) or ledger PATH, got \"%s\"", shown);
}

static gboolean is_noiseless(const Rules *rules);

/* The counts are an event beside noisy steps, and have noise of their own. */
static void check_private_counts(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_POS_WEIGHT;
    const DpcxrOptions *privacy = options_of(rules, DPCXR_SECTION_PRIVACY);
    if (!dpcxr_options_is_good(privacy, "enabled") || !good(rules, id, "noise_multiplier"))
        return;
    if (!given(rules, id, "noise_multiplier"))
        fail(rules, DPCXR_ERROR_USAGE, id, "noise_multiplier",
             "private_counts needs it: standard deviation of the counts' noise over their sensitivity");
    if (!dpcxr_options_get_bool(privacy, "enabled") || is_noiseless(rules))
        fail(rules, DPCXR_ERROR_USAGE, id, "type",
             "private_counts belongs to private runs with noise; without privacy use exact");
}

static void check_pos_weight(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_POS_WEIGHT;
    if (!good(rules, id, "type") || !good(rules, id, "weights") || !good(rules, DPCXR_SECTION_DATA, "labels"))
        return;
    gboolean is_public = is_choice(rules, id, "type", "public");
    gsize n;
    dpcxr_options_get_numbers(options_of(rules, id), "weights", &n);
    const char *const *labels = dpcxr_options_get_strings(options_of(rules, DPCXR_SECTION_DATA), "labels");
    gsize n_labels = g_strv_length((char **)labels);
    if (is_public && n != n_labels)
        fail(rules, DPCXR_ERROR_USAGE, id, "weights",
             "expected one weight for each of the %" G_GSIZE_FORMAT " labels, got %" G_GSIZE_FORMAT, n_labels,
             n);
    if (!is_public && n)
        fail(rules, DPCXR_ERROR_USAGE, id, "weights", "belong to type public");
    if (given(rules, id, "noise_multiplier") && !is_choice(rules, id, "type", "private_counts"))
        fail(rules, DPCXR_ERROR_USAGE, id, "noise_multiplier", "belongs to type private_counts");
    if (is_choice(rules, id, "type", "private_counts"))
        check_private_counts(rules);
}

/* --- The claim --- */

/* noise_multiplier: 0 was asked for and allowed: there is nothing to calibrate and nothing to claim. */
static gboolean is_noiseless(const Rules *rules)
{
    const DpcxrOptions *privacy = options_of(rules, DPCXR_SECTION_PRIVACY);
    return given(rules, DPCXR_SECTION_PRIVACY, "noise_multiplier") &&
           dpcxr_options_get_number(privacy, "noise_multiplier") == 0;
}

static void check_noise(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_PRIVACY;
    if (!good(rules, id, "epsilon") || !good(rules, id, "noise_multiplier") ||
        !good(rules, id, "unsafe_no_noise"))
        return;
    gboolean allowed = dpcxr_options_get_bool(options_of(rules, id), "unsafe_no_noise");
    if (!given(rules, id, "epsilon") && !given(rules, id, "noise_multiplier"))
        missing(rules, id, "epsilon",
                "give the epsilon to reach (the noise is calibrated to it), or a noise_multiplier");
    if (is_noiseless(rules) && !allowed)
        fail(rules, DPCXR_ERROR_PRIVACY, id, "noise_multiplier",
             "0 means no noise and no privacy; if that is meant, add unsafe_no_noise: true, which voids the "
             "claim");
    if (allowed && !is_noiseless(rules))
        fail(rules, DPCXR_ERROR_USAGE, id, "unsafe_no_noise", "has a meaning only with noise_multiplier: 0");
}

static void check_delta(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_PRIVACY;
    const DpcxrOptions *privacy = options_of(rules, id);
    if (!good(rules, id, "delta"))
        return;
    double delta = dpcxr_options_get_number(privacy, "delta");
    gint64 population = dpcxr_options_get_int(privacy, "population");
    if (!given(rules, id, "delta")) {
        if (!is_noiseless(rules))
            missing(rules, id, "delta",
                    is_choice(rules, id, "unit", "image")
                        ? "give a probability well below one in the number of training images, such as 1e-6"
                        : "give a probability well below one in the number of training patients, such as 1e-6");
    } else if (delta >= 1) {
        fail(rules, DPCXR_ERROR_USAGE, id, "delta", "must be below 1");
    } else if (population && delta >= 1.0 / population && !dpcxr_options_get_bool(privacy, "unsafe_delta")) {
        fail(rules, DPCXR_ERROR_PRIVACY, id, "delta",
             "is not below 1/population: it allows to publish whole records; lower it, or add unsafe_delta: "
             "true");
    }
}

static void check_average(const Rules *rules)
{
    if (is_choice(rules, DPCXR_SECTION_TRAIN, "release", "ema") && !given(rules, DPCXR_SECTION_TRAIN, "ema"))
        fail(rules, DPCXR_ERROR_USAGE, DPCXR_SECTION_TRAIN, "release",
             "there is no average to release; give train.ema, its decay, e.g. 0.999");
}

static void check_adaptive(const Rules *rules)
{
    if (is_choice(rules, DPCXR_SECTION_CLIP, "type", "adaptive") && is_noiseless(rules))
        fail(rules, DPCXR_ERROR_USAGE, DPCXR_SECTION_CLIP, "type",
             "adaptive follows a noisy count and needs noise; use flat where there is none");
}

static void check_grid(const Rules *rules)
{
    if (is_choice(rules, DPCXR_SECTION_NOISE, "type", "grid") && is_noiseless(rules))
        fail(rules, DPCXR_ERROR_USAGE, DPCXR_SECTION_NOISE, "type",
             "grid is made for its noise; use gaussian where there is none");
}

static gboolean is_scheduled(const Rules *rules, DpcxrSectionId id)
{
    return rules->resolved->features[id].options && !is_choice(rules, id, "type", "constant");
}

/* The largest or smallest factor of a schedule is that of its first or its last step. */
static void check_clip_schedule(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_CLIP_SCHEDULE;
    const DpcxrOptions *options = rules->resolved->features[id].options;
    if (!is_scheduled(rules, id))
        return;
    if (is_choice(rules, DPCXR_SECTION_CLIP, "type", "adaptive"))
        fail(rules, DPCXR_ERROR_USAGE, id, "type",
             "adaptive clipping finds its norm itself from step to step; a schedule belongs to the other types");
    if (!good(rules, DPCXR_SECTION_CLIP, "norm") || !dpcxr_options_is_good(options, "initial_factor") ||
        !dpcxr_options_is_good(options, "final_factor"))
        return;
    double norm = dpcxr_options_get_number(options_of(rules, DPCXR_SECTION_CLIP), "norm");
    double first = norm * dpcxr_options_get_number(options, "initial_factor"),
           last = norm * dpcxr_options_get_number(options, "final_factor");
    if (!(MIN(first, last) >= 1e-12 && MAX(first, last) <= 1e9))
        fail(rules, DPCXR_ERROR_USAGE, id, "type", "takes the norm from %g to %g; it has to stay in [1e-12, 1e9]", first,
             last);
}

static void check_noise_schedule(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_NOISE_SCHEDULE;
    if (!is_scheduled(rules, id))
        return;
    if (is_noiseless(rules))
        fail(rules, DPCXR_ERROR_USAGE, id, "type", "noise_multiplier is 0: there is no noise to schedule");
    if (is_choice(rules, DPCXR_SECTION_SAMPLER, "type", "shuffle"))
        fail(rules, DPCXR_ERROR_USAGE, id, "type",
             "the steps of a shuffled epoch are one event and need equal noise; use constant, or another sampler");
}

static void check_multiplicity(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_TRAIN;
    if (!good(rules, id, "augment_multiplicity") || rules->resolved->augment->len > 0 ||
        dpcxr_options_get_int(options_of(rules, id), "augment_multiplicity") <= 1)
        return;
    fail(rules, DPCXR_ERROR_USAGE, id, "augment_multiplicity",
         "without data.augment all views of an image are equal, and the step only takes longer; give augmentations, or 1");
}

/* What no accountant has a bound for. */
static void check_adjacency(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_PRIVACY;
    gboolean fixed = is_choice(rules, DPCXR_SECTION_SAMPLER, "type", "fixed"),
             shuffle = is_choice(rules, DPCXR_SECTION_SAMPLER, "type", "shuffle"),
             poisson = is_choice(rules, DPCXR_SECTION_SAMPLER, "type", "poisson"),
             truncated = is_choice(rules, DPCXR_SECTION_SAMPLER, "type", "truncated_poisson");
    if (is_choice(rules, id, "adjacency", "replace_one") && (poisson || truncated))
        fail(rules, DPCXR_ERROR_PRIVACY, id, "adjacency",
             "replace_one with %s sampling has no proven bound here; use zero_out or add_remove, or "
             "sampler: full, fixed or shuffle",
             poisson ? "Poisson" : "truncated Poisson");
    if (is_choice(rules, id, "adjacency", "add_remove") && (fixed || shuffle))
        fail(rules, DPCXR_ERROR_PRIVACY, id, "adjacency",
             "sampler %s needs a number of units that is the same on neighbours; use zero_out or replace_one, or "
             "sampler: poisson",
             fixed ? "fixed" : "shuffle");
}

static void check_sampler(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_SAMPLER;
    if (!good(rules, id, "type") || !good(rules, id, "cap") || !given(rules, id, "cap"))
        return;
    gint64 cap = dpcxr_options_get_int(options_of(rules, id), "cap");
    gint64 logical = dpcxr_options_get_int(options_of(rules, DPCXR_SECTION_BATCH), "logical");
    if (!is_choice(rules, id, "type", "truncated_poisson"))
        fail(rules, DPCXR_ERROR_USAGE, id, "cap",
             "belongs to type truncated_poisson; fixed and shuffle take train.batch.logical units a step");
    else if (good(rules, DPCXR_SECTION_BATCH, "logical") && cap < logical)
        fail(rules, DPCXR_ERROR_USAGE, id, "cap",
             "is below train.batch.logical, so that most samples would be cut; take one well above %d, or null",
             (int)logical);
}

static void check_accountant(const Rules *rules)
{
    const DpcxrPluginEntry *entry = rules->resolved->features[DPCXR_SECTION_ACCOUNTANT].entry;
    const DpcxrAccountant *accountant = entry ? entry->plugin->feature : NULL;
    if (accountant && accountant->approximate)
        fail(rules, DPCXR_ERROR_PRIVACY, DPCXR_SECTION_ACCOUNTANT, "type",
             "%s approximates and proves no bound: it may stand in also_report, not make the claim",
             entry->name);
}

static void check_sweep(const Rules *rules)
{
    const DpcxrSectionId id = DPCXR_SECTION_SWEEP;
    const GArray *accountants = rules->resolved->accountants;
    if (!good(rules, id, "at"))
        return;
    if (accountants->len > 0 && !given(rules, id, "at"))
        missing(rules, id, "at", "noise (one run, which all accountants account) or epsilon (one run for each)");
    if (rules->resolved->accountant_list->items->len == 0 && given(rules, id, "at"))
        fail(rules, DPCXR_ERROR_USAGE, id, "at", "needs accountants, as in accountants: [rdp, pld, prv]");
    for (guint i = 0; i < accountants->len && is_choice(rules, id, "at", "epsilon"); i++) {
        const DpcxrPluginEntry *entry = g_array_index(accountants, DpcxrFeature, i).entry;
        if (((const DpcxrAccountant *)entry->plugin->feature)->approximate)
            fail(rules, DPCXR_ERROR_PRIVACY, id, "at", "%s approximates and calibrates no noise; leave it out, or use noise",
                 entry->name);
    }
}

void dpcxr_rules_check(const DpcxrResolved *resolved, DpcxrProblems *problems)
{
    const Rules rules = {resolved, problems};
    const DpcxrOptions *privacy = resolved->sections[DPCXR_SECTION_PRIVACY];
    check_unbuilt(&rules);
    check_name(&rules);
    check_distinct(&rules, DPCXR_SECTION_TOP, "stages");
    check_distinct(&rules, DPCXR_SECTION_DATA, "labels");
    check_threshold(&rules);
    check_no_finding(&rules);
    if (does_evaluate(&rules))
        check_distinct(&rules, DPCXR_SECTION_EVALUATE, "splits");
    check_device(&rules);
    check_average(&rules);
    check_multiplicity(&rules);
    check_init(&rules);
    check_pos_weight(&rules);
    check_sweep(&rules);
    if (!dpcxr_options_is_good(privacy, "enabled") || !dpcxr_options_get_bool(privacy, "enabled"))
        return;
    check_noise(&rules);
    check_delta(&rules);
    check_adaptive(&rules);
    check_clip_schedule(&rules);
    check_noise_schedule(&rules);
    check_grid(&rules);
    check_adjacency(&rules);
    check_sampler(&rules);
    check_accountant(&rules);
}
