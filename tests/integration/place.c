/* SPDX-License-Identifier: MIT */
#include "place.h"
#include "temporary.h"
#include "tensor/safetensors.h"
#include <math.h>
#include <string.h>

static const char experiment[] = "name: t\n"
                                 "device: {type: %s, threads: 2}\n"
                                 "plugins: ['%s']\n"
                                 "data: {type: phantom, patients: 120, size: 64, labels: [cardiomegaly, congestion],\n"
                                 "       image: {size: 32, channels: 1}, augment: [{type: hflip}, {type: rotate}]}\n"
                                 "model: {type: small_cnn, width: 8}\n"
                                 "optimizer: {type: nadam, lr: 1e-3}\n"
                                 "train: {steps: 12, batch: {logical: 12, physical: 16}, checkpoint: {every_minutes: 0}}\n"
                                 "privacy: {epsilon: 8, delta: 1e-3, accountant: {type: rdp}}\n";

void place_open(Place *place, gconstpointer data)
{
    const char *backend = data && !strchr(data, '=') ? data : NULL;
    place->dir = temporary_folder();
    place->config = g_build_filename(place->dir, "t.yaml", NULL);
    g_autofree char *model_plugins = g_build_filename(g_getenv("DPCXR_BUILD"), "docs", "examples", NULL);
    g_autofree char *text = g_strdup_printf(experiment, backend ? backend : "auto", model_plugins);
    g_assert_true(g_file_set_contents(place->config, text, -1, NULL));
}

void place_close(Place *place, gconstpointer backend)
{
    temporary_remove(place->dir);
    g_free(place->config);
}

char *place_path(const Place *place, const char *name)
{
    return g_build_filename(place->dir, name, NULL);
}

GSubprocess *place_start(const Place *place, const char *const *arguments)
{
    g_autofree char *program = g_build_filename(g_getenv("DPCXR_BUILD"), "dpcxr", NULL);
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    g_ptr_array_add(argv, program);
    g_ptr_array_add(argv, (char *)"run");
    g_ptr_array_add(argv, place->config);
    for (; arguments && *arguments; arguments++)
        g_ptr_array_add(argv, (char *)*arguments);
    g_ptr_array_add(argv, NULL);
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_set_cwd(launcher, place->dir);
    GSubprocess *process =
        g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, NULL);
    g_assert_nonnull(process);
    return process;
}

int place_finish(GSubprocess *process, char **output)
{
    g_autofree char *out = NULL, *err = NULL;
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &out, &err, NULL));
    if (output)
        *output = g_strconcat(out, err, NULL);
    int status = g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process)
                                                     : -g_subprocess_get_term_sig(process);
    g_object_unref(process);
    return status;
}

void place_run(const Place *place, int wanted, const char *words, const char *const *arguments)
{
    g_autofree char *output = NULL;
    int status = place_finish(place_start(place, arguments), &output);
    if (status != wanted || (words && !strstr(output, words)))
        g_error("status %d instead of %d, or no \"%s\" in:\n%s", status, wanted, words ? words : "", output);
}

double place_distance(const Place *place, const char *one, const char *other)
{
    g_autofree char *a_path = place_path(place, one), *b_path = place_path(place, other);
    g_autoptr(GError) error = NULL;
    g_autoptr(DpcxrSafetensors) a = dpcxr_safetensors_open(a_path, &error);
    g_assert_no_error(error);
    g_autoptr(DpcxrSafetensors) b = dpcxr_safetensors_open(b_path, &error);
    g_assert_no_error(error);
    double most = 0, difference = 0;
    for (gsize i = 0; i < dpcxr_safetensors_count(a); i++) {
        const DpcxrNamedTensor *x = dpcxr_safetensors_get(a, i);
        const DpcxrNamedTensor *y = dpcxr_safetensors_find(b, x->name);
        g_assert_nonnull(y);
        g_assert_cmpuint(x->bytes, ==, y->bytes);
        for (gsize k = 0; k < x->bytes; k += sizeof(float)) {
            float v, w;
            memcpy(&v, (const char *)x->data + k, sizeof v);
            memcpy(&w, (const char *)y->data + k, sizeof w);
            most = MAX(most, fabs(v));
            difference = MAX(difference, fabs((double)v - w));
        }
    }
    return difference / most;
}

char *place_read(const Place *place, const char *name, gsize *length)
{
    g_autofree char *path = place_path(place, name);
    char *content = NULL;
    g_assert_true(g_file_get_contents(path, &content, length, NULL));
    return content;
}

gboolean place_has(const Place *place, const char *name)
{
    g_autofree char *path = place_path(place, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

guint place_lines(const Place *place, const char *name)
{
    g_autofree char *path = place_path(place, name), *content = NULL;
    guint lines = 0;
    if (g_file_get_contents(path, &content, NULL, NULL))
        for (const char *c = content; *c; c++)
            lines += *c == '\n';
    return lines;
}

int place_interrupt(const Place *place, int signal_number, guint lines, const char *const *arguments)
{
    guint before = place_lines(place, "runs/t/private/ledger.jsonl");
    GSubprocess *process = place_start(place, arguments);
    for (int i = 0; i < 30000 && place_lines(place, "runs/t/private/ledger.jsonl") < before + lines; i++)
        g_usleep(1000);
    g_subprocess_send_signal(process, signal_number);
    return place_finish(process, NULL);
}
