/* SPDX-License-Identifier: MIT */
#include "train/network.h"
#include "tensor/safetensors.h"
#include <string.h>

DpcxrGraph *dpcxr_network_build(const DpcxrExperiment *experiment, GError **error)
{
    const DpcxrModel *model = experiment->model.plugin.entry->plugin->feature;
    g_autoptr(DpcxrGraph) graph =
        dpcxr_graph_new(experiment->data.size, experiment->data.size, experiment->data.channels);
    DpcxrNode output = model->build(graph, experiment->model.plugin.options, experiment->data.n_labels);
    if (!dpcxr_graph_finish(graph, output, experiment->data.n_labels, error)) {
        g_prefix_error(error, "model %s: ", experiment->model.plugin.type);
        return NULL;
    }
    return g_steal_pointer(&graph);
}

/* What does not fit between a file and a graph, gathered so that one message tells all of it. */
typedef struct {
    GString *problems, *fresh;
} Fit;

static gboolean is_head(const char *name)
{
    return g_str_has_prefix(name, "fc.");
}

static gboolean same_shape(const DpcxrParameter *parameter, const DpcxrNamedTensor *tensor)
{
    if (tensor->n_dims != parameter->n_dims)
        return FALSE;
    for (int i = 0; i < parameter->n_dims; i++)
        if (tensor->dims[i] != parameter->dims[i])
            return FALSE;
    return TRUE;
}

static void read_parameter(const DpcxrSafetensors *file, const DpcxrParameter *parameter, float *values, Fit *fit)
{
    const DpcxrNamedTensor *tensor = dpcxr_safetensors_find(file, parameter->name);
    if (!tensor) {
        g_string_append_printf(fit->problems, "\n  missing: %s", parameter->name);
        return;
    }
    if (is_head(parameter->name) && !same_shape(parameter, tensor)) {
        g_string_append_printf(fit->fresh, "%s%s", fit->fresh->len ? ", " : "", parameter->name);
        return;
    }
    g_autoptr(GError) local = NULL;
    if (!dpcxr_safetensors_copy_f32(file, parameter->name, parameter->dims, parameter->n_dims, values, &local))
        g_string_append_printf(fit->problems, "\n  %s", local->message);
}

static void report_unknown(const DpcxrSafetensors *file, const DpcxrGraph *graph, Fit *fit)
{
    for (gsize i = 0; i < dpcxr_safetensors_count(file); i++) {
        const char *name = dpcxr_safetensors_get(file, i)->name;
        if (dpcxr_graph_find_parameter(graph, name) < 0)
            g_string_append_printf(fit->problems, "\n  not in the model: %s", name);
    }
}

gboolean dpcxr_network_initialise(DpcxrProgram *program, const DpcxrExperiment *experiment, char **note, GError **error)
{
    const char *path = experiment->model.init;
    g_autoptr(DpcxrSafetensors) file = path ? dpcxr_safetensors_open(path, error) : NULL;
    if (path && !file)
        return FALSE;
    g_autoptr(GString) problems = g_string_new(NULL), fresh = g_string_new(NULL);
    Fit fit = {problems, fresh};
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        g_autofree float *values = g_new(float, parameter->size);
        dpcxr_graph_initial_values(program->graph, i, experiment->seed, values);
        if (file)
            read_parameter(file, parameter, values, &fit);
        if (!dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, values, error))
            return FALSE;
    }
    if (file)
        report_unknown(file, program->graph, &fit);
    if (problems->len) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "model.init: %s does not fit the model:%s", path,
                    problems->str);
        return FALSE;
    }
    *note = fresh->len ? g_strdup_printf("fresh, because %s has other shapes: %s", path, fresh->str) : NULL;
    return TRUE;
}

gboolean dpcxr_network_load(DpcxrProgram *program, const char *path, GError **error)
{
    g_autoptr(DpcxrSafetensors) file = dpcxr_safetensors_open(path, error);
    if (!file)
        return FALSE;
    g_autoptr(GString) problems = g_string_new(NULL), fresh = g_string_new(NULL);
    Fit fit = {problems, fresh};
    for (int i = 0; i < program->n_parameters; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        g_autofree float *values = g_new0(float, parameter->size);
        read_parameter(file, parameter, values, &fit);
        if (!dpcxr_program_write(program, DPCXR_BANK_WEIGHT, i, values, error))
            return FALSE;
    }
    report_unknown(file, program->graph, &fit);
    if (fresh->len)
        g_string_append_printf(problems, "\n  of another shape: %s", fresh->str);
    if (problems->len == 0)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s does not fit the model:%s", path, problems->str);
    return FALSE;
}

gboolean dpcxr_network_copy(DpcxrProgram *program, DpcxrBank from, DpcxrBank to, GError **error)
{
    for (int i = 0; i < program->n_parameters; i++) {
        g_autofree float *values = g_new(float, dpcxr_graph_parameter(program->graph, i)->size);
        if (!dpcxr_program_read(program, from, i, values, error) ||
            !dpcxr_program_write(program, to, i, values, error))
            return FALSE;
    }
    return TRUE;
}

gboolean dpcxr_network_save(DpcxrProgram *program, const char *path, int mode, const char *const *metadata,
                            GError **error)
{
    int n = program->n_parameters;
    g_autofree DpcxrNamedTensor *tensors = g_new0(DpcxrNamedTensor, n);
    g_autoptr(GPtrArray) buffers = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < n; i++) {
        const DpcxrParameter *parameter = dpcxr_graph_parameter(program->graph, i);
        float *values = g_new(float, parameter->size);
        g_ptr_array_add(buffers, values);
        if (!dpcxr_program_read(program, DPCXR_BANK_WEIGHT, i, values, error))
            return FALSE;
        tensors[i] = (DpcxrNamedTensor){.name = parameter->name,
                                        .dtype = DPCXR_F32,
                                        .n_dims = parameter->n_dims,
                                        .data = values,
                                        .bytes = parameter->size * sizeof(float)};
        for (int d = 0; d < parameter->n_dims; d++)
            tensors[i].dims[d] = parameter->dims[d];
    }
    return dpcxr_safetensors_write(path, mode, tensors, (gsize)n, metadata, error);
}
