/* SPDX-License-Identifier: MIT
 * The ledger says what was done; the card beside it says what is claimed on top: steps that were planned when
 * a person stopped the run, and the run that made its initial weights. Whoever adds up runs must not lose
 * these. */
#include "privacy/composition.h"
#include <math.h>
#include <string.h>
#include "base/json.h"
#include "config/yaml.h"
#include "privacy/planned.h"

#define CARD_DEPTH 16

static void run_free(gpointer data)
{
    DpcxrComposedRun *run = data;
    dpcxr_ledger_free(run->ledger);
    g_free(run->path);
    g_free(run->ledger_path);
    g_free(run->note);
    g_free(run);
}

/* (transfer full, nullable) DPCXR_ERROR_USAGE: there is none. */
static char *find_ledger(const char *path, GError **error)
{
    static const char *const places[] = {"release", "private", "."};
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return g_strdup(path); /* opening it says what is wrong */
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *file = g_str_equal(places[i], ".")
                                    ? g_build_filename(path, "ledger.jsonl", NULL)
                                    : g_build_filename(path, places[i], "ledger.jsonl", NULL);
        if (g_file_test(file, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&file);
    }
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
                "%s: has no ledger, neither release/ledger.jsonl nor private/ledger.jsonl; a run folder of a "
                "private run "
                "has one",
                path);
    return NULL;
}

static char *beside(const DpcxrComposedRun *run, const char *name)
{
    g_autofree char *folder = g_path_get_dirname(run->ledger_path);
    return g_build_filename(folder, name, NULL);
}

static gboolean card_error(const char *path, const char *what, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "%s: %s", path, what);
    return FALSE;
}

/* (transfer none, nullable) */
static JsonNode *card_get(JsonObject *card, const char *section, const char *key, GType type)
{
    JsonNode *node = section ? json_object_get_member(card, section) : NULL;
    if (section) {
        if (!node || !JSON_NODE_HOLDS_OBJECT(node))
            return NULL;
        card = json_node_get_object(node);
    }
    node = json_object_get_member(card, key);
    if (!node || !JSON_NODE_HOLDS_VALUE(node))
        return NULL;
    GType is = json_node_get_value_type(node);
    return is == type || (type == G_TYPE_DOUBLE && is == G_TYPE_INT64) ? node : NULL;
}

static double card_number(JsonObject *card, const char *section, const char *key)
{
    JsonNode *node = card_get(card, section, key, G_TYPE_DOUBLE);
    return node ? json_node_get_double(node) : NAN;
}

static guint64 card_count(JsonObject *card, const char *section, const char *key)
{
    JsonNode *node = card_get(card, section, key, G_TYPE_INT64);
    return node ? (guint64)MAX(json_node_get_int(node), 0) : 0;
}

static const char *card_string(JsonObject *card, const char *section, const char *key)
{
    JsonNode *node = card_get(card, section, key, G_TYPE_STRING);
    return node ? json_node_get_string(node) : NULL;
}

/* Whether steps like this one are on the ledger, whatever their noise. */
static gboolean is_recorded_kind(const DpcxrComposedRun *run, const DpcxrEvent *event)
{
    const DpcxrMechanism *recorded = dpcxr_ledger_mechanism(run->ledger);
    for (gsize i = 0; i < recorded->n_events; i++) {
        const DpcxrEvent *known = &recorded->events[i];
        if (known->sampler == event->sampler && known->sampling_rate == event->sampling_rate &&
            known->population == event->population && known->cap == event->cap)
            return TRUE;
    }
    return FALSE;
}

/* Cards without a list of unfinished steps: @count steps with the one noise multiplier of the card. (nullable) */
static GArray *equal_steps(JsonObject *card, const DpcxrComposedRun *run, guint64 count)
{
    double rate = card_number(card, "mechanism", "sampling_rate"),
           noise = card_number(card, "mechanism", "noise_multiplier");
    const char *sampler = card_string(card, "mechanism", "sampler");
    const DpcxrMechanism *recorded = dpcxr_ledger_mechanism(run->ledger);
    for (gsize i = 0; i < recorded->n_events; i++) {
        DpcxrEvent event = recorded->events[i];
        if (event.sampling_rate != rate || event.noise_multiplier != noise ||
            g_strcmp0(sampler, dpcxr_sampler_name(event.sampler)) != 0)
            continue;
        GArray *steps = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
        event.count = count;
        g_array_append_val(steps, event);
        return steps;
    }
    return NULL;
}

/* The @count steps that a card claims beyond its ledger. (transfer full, nullable) NULL: they are not said, or of a kind that
 * is not on the ledger. */
static GArray *unfinished_steps(JsonObject *card, const DpcxrComposedRun *run, guint64 count)
{
    JsonNode *section = json_object_get_member(card, "steps");
    JsonObject *steps_of = section && JSON_NODE_HOLDS_OBJECT(section) ? json_node_get_object(section) : NULL;
    if (!steps_of || !json_object_has_member(steps_of, "unfinished"))
        return equal_steps(card, run, count);
    g_autoptr(GArray) steps = dpcxr_planned_parse(json_object_get_member(steps_of, "unfinished"));
    for (guint i = 0; steps && i < steps->len; i++) {
        const DpcxrEvent *event = &g_array_index(steps, DpcxrEvent, i);
        if (!is_recorded_kind(run, event) || event->count > count)
            return NULL;
        count -= event->count;
    }
    return count == 0 ? g_steal_pointer(&steps) : NULL;
}

/* What the card claims beyond the ledger is appended to @events. */
static gboolean take_card(DpcxrComposedRun *run, JsonObject *card, const char *path, GArray *events,
                          GPtrArray *initial, GError **error)
{
    const char *head = card_string(card, NULL, "ledger_head"),
               *made = card_string(card, NULL, "initial_ledger_head");
    guint64 recorded = card_count(card, "steps", "recorded"), claimed = card_count(card, "steps", "claimed");
    if (g_strcmp0(head, dpcxr_ledger_head(run->ledger)) != 0 || recorded != dpcxr_ledger_steps(run->ledger))
        return card_error(path, "this card is not about the ledger beside it", error);
    run->delta = card_number(card, "claim", "delta");
    if (made)
        g_ptr_array_add(initial, g_strdup(made));
    if (claimed <= recorded)
        return TRUE;
    g_autoptr(GArray) rest = unfinished_steps(card, run, claimed - recorded);
    if (!rest)
        return card_error(path, "claims planned steps of a kind that is not on the ledger beside it", error);
    run->rest = claimed - recorded;
    g_array_append_vals(events, rest->data, rest->len);
    return TRUE;
}

static gboolean read_card(DpcxrComposedRun *run, const char *path, GArray *events, GPtrArray *initial,
                          GError **error)
{
    g_autofree char *text = NULL;
    gsize length;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(path, &text, &length, &local)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s", local->message);
        return FALSE;
    }
    g_autoptr(JsonNode) root = dpcxr_json_parse(text, length, CARD_DEPTH, &local);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root))
        return card_error(path, local ? local->message : "is not a privacy card", error);
    return take_card(run, json_node_get_object(root), path, events, initial, error);
}

/* The delta that a run without a card was configured for. Its configuration is checked elsewhere. */
static double configured_delta(const DpcxrComposedRun *run)
{
    g_autofree char *path = beside(run, "config.yaml");
    double delta = NAN;
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return NAN;
    DpcxrProblems *problems = dpcxr_problems_new();
    g_autoptr(DpcxrYaml) yaml = dpcxr_yaml_read(path, problems);
    dpcxr_problems_free(problems);
    const DpcxrYaml *value = dpcxr_yaml_get(dpcxr_yaml_get(yaml, "privacy"), "delta");
    return value && dpcxr_yaml_get_number(value, &delta) ? delta : NAN;
}

/* (transfer full) The card beside the ledger, or in the other drawer of its run. */
static char *card_path(const DpcxrComposedRun *run)
{
    g_autofree char *folder = g_path_get_dirname(run->ledger_path), *drawer = g_path_get_basename(folder);
    g_autofree char *path = beside(run, "privacy.json");
    if (g_file_test(path, G_FILE_TEST_EXISTS) || !g_str_equal(drawer, "private"))
        return g_steal_pointer(&path);
    return g_build_filename(folder, "..", "release", "privacy.json", NULL);
}

/* A run folder without a card: either there is no claim, or not yet. */
static void note_no_claim(DpcxrComposedRun *run)
{
    g_autofree char *folder = g_path_get_dirname(run->ledger_path), *drawer = g_path_get_basename(folder),
                    *done = g_build_filename(folder, "..", "DONE", NULL);
    if (!g_str_equal(drawer, "private"))
        return;
    if (g_file_test(done, G_FILE_TEST_EXISTS))
        run->note = g_strdup(
            "ended without a claim: these numbers are about the steps on its ledger, and do not hold if "
            "noise or sampling was seeded or records were used in another way");
    else
        run->note = g_strdup("has not ended: steps to come are not counted");
}

/* A run folder without a card, but with what its last process set out to do: whoever stopped it may have seen its curves. */
static gboolean take_planned(DpcxrComposedRun *run, GArray *events, GError **error)
{
    g_autofree char *path = beside(run, DPCXR_PLANNED_FILE);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        return TRUE;
    if (!dpcxr_planned_rest(path, run->ledger, events, &run->rest, error))
        return FALSE;
    if (run->rest > 0) {
        g_free(run->note);
        run->note = g_strdup("has not ended: what it was going to do is claimed, because whoever stops a run may have seen "
                             "its private curves");
    }
    return TRUE;
}

static DpcxrComposedRun *run_read(const char *path, GArray *events, GPtrArray *initial, GError **error)
{
    DpcxrComposedRun *run = g_new0(DpcxrComposedRun, 1);
    run->path = g_strdup(path);
    run->delta = NAN;
    run->ledger_path = find_ledger(path, error);
    run->ledger = run->ledger_path ? dpcxr_ledger_read(run->ledger_path, error) : NULL;
    if (!run->ledger) {
        run_free(run);
        return NULL;
    }
    const DpcxrMechanism *mechanism = dpcxr_ledger_mechanism(run->ledger);
    g_array_append_vals(events, mechanism->events, (guint)mechanism->n_events);
    g_autofree char *card = card_path(run);
    if (g_file_test(card, G_FILE_TEST_EXISTS)) {
        if (!read_card(run, card, events, initial, error)) {
            run_free(run);
            return NULL;
        }
        return run;
    }
    run->delta = configured_delta(run);
    note_no_claim(run);
    if (!take_planned(run, events, error)) {
        run_free(run);
        return NULL;
    }
    return run;
}

static gboolean refuse(GError **error, const DpcxrComposedRun *a, const DpcxrComposedRun *b, const char *what,
                       const char *of_a, const char *of_b)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                "%s has %s %s, %s has %s: these do not compose; account them apart, or train them alike",
                a->path, what, of_a, b->path, of_b);
    return FALSE;
}

static gboolean check_agreement(const DpcxrComposedRun *a, const DpcxrComposedRun *b, GError **error)
{
    DpcxrAdjacency of_a = dpcxr_ledger_mechanism(a->ledger)->adjacency,
                   of_b = dpcxr_ledger_mechanism(b->ledger)->adjacency;
    if (dpcxr_ledger_contains(a->ledger, dpcxr_ledger_head(b->ledger)) ||
        dpcxr_ledger_contains(b->ledger, dpcxr_ledger_head(a->ledger))) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_USAGE, "%s and %s are the same run; give it once",
                    a->path, b->path);
        return FALSE;
    }
    if (of_a != of_b)
        return refuse(error, a, b, "adjacency", dpcxr_adjacency_name(of_a), dpcxr_adjacency_name(of_b));
    if (!g_str_equal(dpcxr_ledger_unit(a->ledger), dpcxr_ledger_unit(b->ledger)))
        return refuse(error, a, b, "unit", dpcxr_ledger_unit(a->ledger), dpcxr_ledger_unit(b->ledger));
    guint64 n_a = dpcxr_ledger_population(a->ledger), n_b = dpcxr_ledger_population(b->ledger);
    g_autofree char *text_a = g_strdup_printf("%" G_GUINT64_FORMAT, n_a),
                    *text_b = g_strdup_printf("%" G_GUINT64_FORMAT, n_b);
    return n_a == n_b || refuse(error, a, b, "population", text_a, text_b);
}

/* Weights that another run made carry what that run cost. */
static gboolean check_initial(const DpcxrComposition *composition, const GPtrArray *initial, GError **error)
{
    for (guint i = 0; i < initial->len; i++) {
        gboolean found = FALSE;
        for (guint r = 0; r < composition->runs->len && !found; r++) {
            const DpcxrComposedRun *run = g_ptr_array_index(composition->runs, r);
            found = dpcxr_ledger_contains(run->ledger, g_ptr_array_index(initial, i));
        }
        if (found)
            continue;
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "a run began from the weights of a private run, which has to be given as well: the one "
                    "whose ledger "
                    "ends in %s",
                    (const char *)g_ptr_array_index(initial, i));
        return FALSE;
    }
    return TRUE;
}

static void agree_on_delta(DpcxrComposition *composition)
{
    composition->delta = NAN;
    for (guint i = 0; i < composition->runs->len; i++) {
        double delta = ((const DpcxrComposedRun *)g_ptr_array_index(composition->runs, i))->delta;
        if (!isnan(delta) && !isnan(composition->delta) && delta != composition->delta) {
            composition->delta = NAN;
            return;
        }
        composition->delta = isnan(delta) ? composition->delta : delta;
    }
}

static gboolean read_runs(DpcxrComposition *composition, const char *const *paths, GPtrArray *initial,
                          GError **error)
{
    for (; *paths; paths++) {
        DpcxrComposedRun *run = run_read(*paths, composition->events, initial, error);
        if (!run)
            return FALSE;
        g_ptr_array_add(composition->runs, run);
        for (guint i = 0; i + 1 < composition->runs->len; i++) {
            if (!check_agreement(g_ptr_array_index(composition->runs, i), run, error))
                return FALSE;
        }
    }
    return check_initial(composition, initial, error);
}

DpcxrComposition *dpcxr_composition_read(const char *const *paths, GError **error)
{
    g_return_val_if_fail(paths && paths[0], NULL);
    g_autoptr(DpcxrComposition) composition = g_new0(DpcxrComposition, 1);
    g_autoptr(GPtrArray) initial = g_ptr_array_new_with_free_func(g_free);
    composition->runs = g_ptr_array_new_with_free_func(run_free);
    composition->events = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent));
    if (!read_runs(composition, paths, initial, error))
        return NULL;
    DpcxrLedger *first = ((DpcxrComposedRun *)g_ptr_array_index(composition->runs, 0))->ledger;
    composition->unit = dpcxr_ledger_unit(first);
    composition->population = dpcxr_ledger_population(first);
    composition->mechanism =
        (DpcxrMechanism){dpcxr_ledger_mechanism(first)->adjacency,
                         (const DpcxrEvent *)(void *)composition->events->data, composition->events->len};
    agree_on_delta(composition);
    return g_steal_pointer(&composition);
}

void dpcxr_composition_free(DpcxrComposition *composition)
{
    if (!composition)
        return;
    g_ptr_array_unref(composition->runs);
    g_array_unref(composition->events);
    g_free(composition);
}
