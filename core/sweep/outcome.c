/* SPDX-License-Identifier: MIT */
#include "sweep/outcome.h"
#include "base/json.h"
#include "privacy/accounting.h"
#include "privacy/composition.h"
#include "train/folder.h"
#include <math.h>
#include <string.h>

enum { JSON_DEPTH = 32 };

static const DpcxrAuroc no_auroc = {NAN, NAN, NAN};

const char *dpcxr_run_status_name(DpcxrRunStatus status)
{
    static const char *const names[] = {"waiting", "stopped", "done", "failed"};
    return names[status];
}

/* (transfer full, nullable) NULL where there is no such file, or it is not JSON. */
static JsonNode *read_json(const char *folder, const char *inside, const char *name)
{
    g_autofree char *path = g_build_filename(folder, inside, name, NULL), *text = NULL;
    gsize length;
    return g_file_get_contents(path, &text, &length, NULL) ? dpcxr_json_parse(text, length, JSON_DEPTH, NULL)
                                                           : NULL;
}

/* The member of an object that @node may be. (nullable) */
static JsonNode *member(JsonNode *node, const char *key)
{
    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_object_get_member(json_node_get_object(node), key)
                                                : NULL;
}

static double number(JsonNode *node)
{
    GType type = node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_value_type(node) : G_TYPE_INVALID;
    return type == G_TYPE_DOUBLE || type == G_TYPE_INT64 ? json_node_get_double(node) : NAN;
}

/* A number, or an estimate {"value", "low", "high"}. */
static DpcxrAuroc auroc_of(JsonNode *split)
{
    JsonNode *auroc = member(member(split, "mean"), "auroc");
    if (!auroc || !JSON_NODE_HOLDS_OBJECT(auroc))
        return (DpcxrAuroc){number(auroc), NAN, NAN};
    return (DpcxrAuroc){number(member(auroc, "value")), number(member(auroc, "low")),
                        number(member(auroc, "high"))};
}

static void read_results(DpcxrOutcome *outcome, const char *root)
{
    g_autoptr(JsonNode) results = read_json(root, "private", "results.json");
    JsonNode *splits = member(results, "splits"), *test = member(splits, "test");
    outcome->valid = auroc_of(member(splits, "valid"));
    outcome->test = auroc_of(test);
    outcome->tested = test != NULL;
}

static void read_card(DpcxrOutcome *outcome, const char *root)
{
    g_autoptr(JsonNode) card = read_json(root, "release", "privacy.json");
    JsonNode *claim = member(card, "claim");
    outcome->claimed = claim != NULL;
    outcome->epsilon = number(member(claim, "epsilon"));
    outcome->delta = number(member(claim, "delta"));
    outcome->noise_multiplier = number(member(member(card, "mechanism"), "noise_multiplier"));
}

static void fail(DpcxrOutcome *outcome, const char *message)
{
    outcome->status = DPCXR_RUN_FAILED;
    g_free(outcome->message);
    outcome->message = g_strdup(message);
}

/* What the folder is, and whether it is this run's. */
static void read_status(DpcxrOutcome *outcome, const DpcxrFolder *folder, const DpcxrExperiment *experiment)
{
    g_autoptr(GError) error = NULL;
    gboolean begun = g_file_test(folder->config, G_FILE_TEST_EXISTS);
    if (begun && !dpcxr_folder_compare(folder, experiment, &error))
        fail(outcome, error->message);
    else if (begun && g_file_test(folder->done, G_FILE_TEST_EXISTS))
        outcome->status = DPCXR_RUN_DONE;
    else
        outcome->status =
            g_file_test(folder->root, G_FILE_TEST_EXISTS) ? DPCXR_RUN_STOPPED : DPCXR_RUN_WAITING;
}

void dpcxr_outcome_read(DpcxrOutcome *outcome, const char *out, const char *name,
                        const DpcxrExperiment *experiment)
{
    DpcxrFolder folder;
    dpcxr_folder_init(&folder, out, name);
    outcome->valid = outcome->test = no_auroc;
    outcome->noise_multiplier = outcome->epsilon = outcome->delta = NAN;
    outcome->tested = outcome->claimed = FALSE;
    read_status(outcome, &folder, experiment);
    if (outcome->status == DPCXR_RUN_DONE) {
        read_results(outcome, folder.root);
        read_card(outcome, folder.root);
    }
    dpcxr_folder_clear(&folder);
}

void dpcxr_outcome_clear(DpcxrOutcome *outcome)
{
    dpcxr_charges_free(outcome->charges, outcome->n_charges);
    g_clear_pointer(&outcome->message, g_free);
    outcome->charges = NULL;
    outcome->n_charges = 0;
}

/* --- By accountants --- */

static DpcxrCharge charge(const DpcxrFeature *accountant, const DpcxrMechanism *mechanism, double delta)
{
    g_autoptr(GError) error = NULL;
    DpcxrInterval epsilon;
    if (dpcxr_account_epsilon(accountant, mechanism, delta, &epsilon, &error))
        return (DpcxrCharge){epsilon.upper, delta, NULL, dpcxr_account_is_approximate(accountant)};
    return (DpcxrCharge){NAN, delta, g_strdup(error->message), FALSE};
}

DpcxrCharge *dpcxr_charges_new(const char *const *runs, const DpcxrFeature *accountants, gsize n,
                               double delta, GError **error)
{
    g_autoptr(DpcxrComposition) composition = dpcxr_composition_read(runs, error);
    if (!composition)
        return NULL;
    if (isnan(delta))
        delta = composition->delta;
    if (isnan(delta)) {
        g_set_error(
            error, DPCXR_ERROR, DPCXR_ERROR_USAGE,
            "the runs have different deltas; `dpcxr account RUN RUN.. --delta D` says what they cost at one");
        return NULL;
    }
    DpcxrCharge *charges = g_new0(DpcxrCharge, n);
    for (gsize i = 0; i < n; i++)
        charges[i] = charge(&accountants[i], &composition->mechanism, delta);
    return charges;
}

void dpcxr_charges_free(DpcxrCharge *charges, gsize n)
{
    for (gsize i = 0; charges && i < n; i++)
        g_free(charges[i].refused);
    g_free(charges);
}
