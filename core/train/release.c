/* SPDX-License-Identifier: MIT */
#include "train/release.h"
#include "base/files.h"
#include "privacy/accounting.h"
#include "privacy/card.h"
#include "train/network.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* What a program that loads the weights needs to know. Values are public: they stand in the configuration. */
static gboolean save_model(const char *path, int mode, const DpcxrPlan *plan, DpcxrProgram *program, GError **error)
{
    static const char *const normalise[] = {"unit", "imagenet", "xrv"};
    const DpcxrExperiment *e = plan->experiment;
    g_autofree char *labels = g_strjoinv(",", e->data.labels);
    g_autofree char *size = g_strdup_printf("%d", e->data.size), *channels = g_strdup_printf("%d", e->data.channels);
    const char *metadata[] = {"format",         "pt",
                              "generator",      "dpcxr " DPCXR_VERSION,
                              "model",          e->model.plugin.type,
                              "labels",         labels,
                              "image_size",     size,
                              "image_channels", channels,
                              "normalise",      normalise[e->data.normalise],
                              "privacy",        dpcxr_plan_has_claim(plan) ? "see privacy.json" : "none",
                              NULL};
    return dpcxr_network_save(program, path, mode, metadata, error);
}

static char *file_sha256(const char *path, GError **error)
{
    g_autofree char *content = NULL;
    gsize length;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(path, &content, &length, &local)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s", local->message);
        return NULL;
    }
    return g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)content, length);
}

static gboolean copy_ledger(const DpcxrFolder *folder, const char *target, GError **error)
{
    g_autofree char *content = NULL, *path = g_build_filename(target, "ledger.jsonl", NULL);
    gsize length;
    g_autoptr(GError) local = NULL;
    if (!g_file_get_contents(folder->ledger, &content, &length, &local)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s", local->message);
        return FALSE;
    }
    return dpcxr_write_file(path, content, (gssize)length, 0644, error);
}

static gboolean write_card(const char *target, const DpcxrPlan *plan, DpcxrLedger *ledger, guint64 done,
                           const char *model_sha256, double *epsilon, GError **error)
{
    guint64 charged = dpcxr_ledger_steps(ledger);
    g_autoptr(GArray) rest = dpcxr_plan_events(plan, done, plan->steps);
    DpcxrCardFacts facts = {.experiment = plan->experiment,
                            .ledger = ledger,
                            .population = plan->population,
                            .max_unit_rows = plan->units->max_rows,
                            .rest = rest,
                            .sampling_rate = plan->sampler.sampling_rate,
                            .noise_multiplier = plan->noise_multiplier,
                            .clip_norm = plan->experiment->privacy.clip_norm,
                            .divisor = plan->divisor,
                            .cap = plan->sampler.cap,
                            .record_steps = plan->record_steps,
                            .steps_planned = plan->steps,
                            .steps_done = done,
                            .steps_lost = charged - MIN(dpcxr_plan_charge(plan, done), charged),
                            .model_sha256 = model_sha256};
    return dpcxr_card_write(target, &facts, epsilon, error);
}

/* The claim must not be above what was asked for: by construction it is not, and this is where it would show. */
static gboolean check_target(const DpcxrPlan *plan, DpcxrLedger *ledger, guint64 done, double epsilon, GError **error)
{
    double target = plan->experiment->privacy.epsilon;
    if (dpcxr_ledger_steps(ledger) < done || (target > 0 && !(epsilon <= target))) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY,
                    "nothing was released: %" G_GUINT64_FORMAT " steps were done, the ledger has %" G_GUINT64_FORMAT
                    ", epsilon %g, target %g",
                    done, dpcxr_ledger_steps(ledger), epsilon, target);
        return FALSE;
    }
    return TRUE;
}

static gboolean fill_release(const char *target, const DpcxrFolder *folder, const DpcxrPlan *plan, DpcxrProgram *program,
                             DpcxrLedger *ledger, guint64 done, double *epsilon, GError **error)
{
    g_autofree char *model = g_build_filename(target, "model.safetensors", NULL);
    g_autofree char *config = g_build_filename(target, "config.yaml", NULL);
    if (!dpcxr_make_folder(target, 0755, error) || !save_model(model, 0644, plan, program, error))
        return FALSE;
    g_autofree char *sha256 = file_sha256(model, error);
    return sha256 && copy_ledger(folder, target, error) &&
           dpcxr_write_file(config, plan->experiment->yaml_public, -1, 0644, error) &&
           write_card(target, plan, ledger, done, sha256, epsilon, error) &&
           check_target(plan, ledger, done, *epsilon, error);
}

static gboolean move_into_place(const char *from, const char *to, GError **error)
{
    dpcxr_remove_tree(to); /* of a process that ended after writing it and before DONE */
    if (g_rename(from, to) == 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_FAILED, "%s: %s", to, g_strerror(errno));
    return FALSE;
}

gboolean dpcxr_release_write(const DpcxrFolder *folder, const DpcxrPlan *plan, DpcxrProgram *program,
                             DpcxrLedger *ledger, guint64 done, double *epsilon, GError **error)
{
    *epsilon = NAN;
    if (!dpcxr_plan_has_claim(plan)) {
        g_autofree char *model = g_build_filename(folder->private_dir, "model.safetensors", NULL);
        return save_model(model, 0600, plan, program, error);
    }
    g_autofree char *partial = g_build_filename(folder->private_dir, "release.partial", NULL);
    dpcxr_remove_tree(partial);
    if (fill_release(partial, folder, plan, program, ledger, done, epsilon, error) &&
        move_into_place(partial, folder->release, error))
        return TRUE;
    dpcxr_remove_tree(partial);
    return FALSE;
}
