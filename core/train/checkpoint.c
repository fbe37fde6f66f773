/* SPDX-License-Identifier: MIT */
#include "train/checkpoint.h"
#include "tensor/safetensors.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static const char format[] = "dpcxr-checkpoint-1";
static const char *const bank_names[DPCXR_N_BANKS] = {
    [DPCXR_BANK_WEIGHT] = "weight", [DPCXR_BANK_MOMENT1] = "moment1", [DPCXR_BANK_MOMENT2] = "moment2",
    [DPCXR_BANK_AVERAGE] = "average"};

void dpcxr_checkpoint_info_clear(DpcxrCheckpointInfo *info)
{
    g_free(info->ledger_head);
    g_free(info->data_digest);
    g_free(info->config_digest);
    *info = (DpcxrCheckpointInfo){0};
}

/* The banks that a checkpoint holds; returns how many. */
static int banks_of(const DpcxrOptimizer *optimizer, gboolean average, DpcxrBank banks[4])
{
    int n = 0, moments = dpcxr_optimizer_moments(optimizer);
    banks[n++] = DPCXR_BANK_WEIGHT;
    if (moments > 0)
        banks[n++] = DPCXR_BANK_MOMENT1;
    if (moments > 1)
        banks[n++] = DPCXR_BANK_MOMENT2;
    if (average)
        banks[n++] = DPCXR_BANK_AVERAGE;
    return n;
}

static DpcxrNamedTensor named(const DpcxrParameter *parameter, const char *name, const float *values)
{
    DpcxrNamedTensor tensor = {.name = name,
                               .dtype = DPCXR_F32,
                               .n_dims = parameter->n_dims,
                               .data = values,
                               .bytes = parameter->size * sizeof(float)};
    for (int d = 0; d < parameter->n_dims; d++)
        tensor.dims[d] = parameter->dims[d];
    return tensor;
}

static gboolean gather(DpcxrProgram *program, const DpcxrOptimizer *optimizer, gboolean average, GArray *tensors,
                       GPtrArray *owned, GError **error)
{
    DpcxrBank banks[4];
    int n = banks_of(optimizer, average, banks);
    for (int b = 0; b < n; b++)
        for (int i = 0; i < program->n_parameters; i++) {
            const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
            float *values = g_new(float, parameter->size);
            char *name = g_strdup_printf("%s/%s", bank_names[banks[b]], parameter->name);
            g_ptr_array_add(owned, values);
            g_ptr_array_add(owned, name);
            if (!dpcxr_program_read(program, banks[b], i, values, error))
                return FALSE;
            DpcxrNamedTensor tensor = named(parameter, name, values);
            g_array_append_val(tensors, tensor);
        }
    return TRUE;
}

static gboolean write_checkpoint(const char *path, DpcxrProgram *program, const DpcxrOptimizer *optimizer,
                                 gboolean average, const DpcxrCheckpointInfo *info, GError **error)
{
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(DpcxrNamedTensor));
    g_autoptr(GPtrArray) owned = g_ptr_array_new_with_free_func(g_free);
    if (!gather(program, optimizer, average, tensors, owned, error))
        return FALSE;
    /* Hexadecimal floats, so that reading gives back the same bits. */
    g_autofree char *step = g_strdup_printf("%" G_GUINT64_FORMAT, info->step);
    g_autofree char *optimizer_step = g_strdup_printf("%" G_GUINT64_FORMAT, optimizer->step);
    g_autofree char *mu_product = g_strdup_printf("%a", optimizer->mu_product);
    g_autofree char *clip_norm = g_strdup_printf("%a", info->clip_norm);
    const char *metadata[] = {"format",         format,
                              "step",           step,
                              "optimizer_step", optimizer_step,
                              "mu_product",     mu_product,
                              "clip_norm",      clip_norm,
                              "ledger_head",    info->ledger_head ? info->ledger_head : "",
                              "data_digest",    info->data_digest,
                              "config_digest",  info->config_digest,
                              NULL};
    return dpcxr_safetensors_write(path, 0600, (const DpcxrNamedTensor *)tensors->data, tensors->len, metadata, error);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names of complete checkpoints in @folder, oldest first. (transfer full) */
static GPtrArray *list(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)))
        if (g_str_has_prefix(name, "step-") && g_str_has_suffix(name, ".safetensors"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, by_name);
    return names;
}

gboolean dpcxr_checkpoint_save(const char *folder, DpcxrProgram *program, const DpcxrOptimizer *optimizer,
                               gboolean average, const DpcxrCheckpointInfo *info, int keep, GError **error)
{
    g_autofree char *name = g_strdup_printf("step-%012" G_GUINT64_FORMAT ".safetensors", info->step);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (!write_checkpoint(path, program, optimizer, average, info, error))
        return FALSE;
    g_autoptr(GPtrArray) names = list(folder);
    for (guint i = 0; i + (guint)MAX(keep, 1) < names->len; i++) {
        g_autofree char *old = g_build_filename(folder, names->pdata[i], NULL);
        g_unlink(old); /* a leftover costs space only */
    }
    return TRUE;
}

char *dpcxr_checkpoint_newest(const char *folder)
{
    g_autoptr(GPtrArray) names = list(folder);
    return names->len ? g_build_filename(folder, names->pdata[names->len - 1], NULL) : NULL;
}

static const char *metadata_of(const DpcxrSafetensors *file, const char *path, const char *key, GError **error)
{
    const char *value = dpcxr_safetensors_metadata(file, key);
    if (!value)
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: not a checkpoint of this version (no \"%s\")", path, key);
    return value;
}

gboolean dpcxr_checkpoint_read_info(const char *path, DpcxrCheckpointInfo *info, GError **error)
{
    g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_open(path, error);
    if (!file)
        return FALSE;
    const char *kind = metadata_of(file, path, "format", error);
    if (!kind)
        return FALSE;
    if (!g_str_equal(kind, format)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: format \"%s\"; this version reads \"%s\"", path, kind,
                    format);
        return FALSE;
    }
    const char *step = metadata_of(file, path, "step", error);
    const char *clip_norm = step ? metadata_of(file, path, "clip_norm", error) : NULL;
    const char *head = clip_norm ? metadata_of(file, path, "ledger_head", error) : NULL;
    const char *data = head ? metadata_of(file, path, "data_digest", error) : NULL;
    const char *config = data ? metadata_of(file, path, "config_digest", error) : NULL;
    if (!config)
        return FALSE;
    *info = (DpcxrCheckpointInfo){.step = g_ascii_strtoull(step, NULL, 10),
                                  .clip_norm = g_ascii_strtod(clip_norm, NULL),
                                  .ledger_head = *head ? g_strdup(head) : NULL,
                                  .data_digest = g_strdup(data),
                                  .config_digest = g_strdup(config)};
    return TRUE;
}

static gboolean load_bank(const DpcxrSafetensors *file, DpcxrProgram *program, DpcxrBank bank, GError **error)
{
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        g_autofree char *name = g_strdup_printf("%s/%s", bank_names[bank], parameter->name);
        g_autofree float *values = g_new(float, parameter->size);
        if (!dpcxr_safetensors_copy_f32(file, name, parameter->dims, parameter->n_dims, values, error) ||
            !dpcxr_program_write(program, bank, i, values, error))
            return FALSE;
    }
    return TRUE;
}

gboolean dpcxr_checkpoint_load(const char *path, DpcxrProgram *program, DpcxrOptimizer *optimizer, gboolean average,
                               GError **error)
{
    g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_open(path, error);
    if (!file)
        return FALSE;
    const char *step = metadata_of(file, path, "optimizer_step", error);
    const char *mu_product = step ? metadata_of(file, path, "mu_product", error) : NULL;
    if (!mu_product)
        return FALSE;
    DpcxrBank banks[4];
    int n = banks_of(optimizer, average, banks);
    for (int b = 0; b < n; b++)
        if (!load_bank(file, program, banks[b], error))
            return FALSE;
    optimizer->step = g_ascii_strtoull(step, NULL, 10);
    optimizer->mu_product = g_ascii_strtod(mu_product, NULL);
    return TRUE;
}
