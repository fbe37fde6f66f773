/* SPDX-License-Identifier: MIT
 * Whole runs on a Vulkan device: as good as on the processor, to be stopped in every way and gone on with; and what is said
 * where the device is lost, too small, lacks something or is not there. The devices break by the layer of
 * tests/vulkan/faulty-layer.c, which must be on (VK_INSTANCE_LAYERS). */
#include "backend/vulkan/vulkan.h"
#include "place.h"
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char seeded[] = "privacy.noise={source: seeded}";

/* One run in which a variable is set. */
#define RUN_WITH(variable, value, place, wanted, words, ...)                                                 \
    do {                                                                                                     \
        g_setenv(variable, value, TRUE);                                                                     \
        RUN(place, wanted, words, __VA_ARGS__);                                                              \
        g_unsetenv(variable);                                                                                \
    } while (0)

/* --- Training --- */

/* What follows @key in @text. */
static double number_after(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    if (!at)
        g_error("no \"%s\" in:\n%s", key, text);
    return g_ascii_strtod(at + strlen(key), NULL);
}

/* The mean AUROC of the run's result line. */
static double auroc_of(const Place *place, const char *run)
{
    g_autofree char *name = g_build_filename("runs", run, "DONE", NULL), *line = place_read(place, name, NULL);
    return number_after(line, "auroc=");
}

/* Of the run's ledger, by `dpcxr account`. */
static double epsilon_of(const Place *place, const char *run)
{
    g_autofree char *program = g_build_filename(g_getenv("DPCXR_BUILD"), "dpcxr", NULL), *output = NULL;
    g_autofree char *name = g_build_filename("runs", run, NULL), *folder = place_path(place, name);
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_MERGE, NULL, program, "account", folder,
                         "--accountant", "rdp", NULL);
    g_assert_nonnull(process);
    g_assert_true(g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, NULL));
    g_assert_cmpint(g_subprocess_get_exit_status(process), ==, 0);
    return number_after(output, "\nrdp ");
}

/* The same draws and the same noise: weights that differ by rounding alone, so that hardly a pair of the 71 test images can
 * change places. One pair of one of two labels moves the mean by 1 / (2 positives negatives), at most 1 / 140; DONE has three
 * digits. */
static void test_parity(Place *place, gconstpointer data)
{
    RUN(place, 0, "epsilon=none", "name=vulkan", seeded, "train.steps=40", "optimizer.lr=0.01");
    RUN(place, 0, "epsilon=none", "name=cpu", seeded, "train.steps=40", "optimizer.lr=0.01", "device.type=cpu");
    double vulkan = auroc_of(place, "vulkan"), cpu = auroc_of(place, "cpu");
    double off = place_distance(place, "runs/vulkan/private/model.safetensors", "runs/cpu/private/model.safetensors");
    g_test_message("AUROC %.3f, on the processor %.3f; weights off by %.2g", vulkan, cpu, off);
    g_assert_cmpfloat_with_epsilon(vulkan, cpu, 1 / 140.0 + 0.001);
    g_assert_cmpfloat(off, <, 1e-2);
    g_assert_cmpfloat(epsilon_of(place, "vulkan"), ==, epsilon_of(place, "cpu"));
}

/* Seeded: lost, killed and stopped, gone on with each time, it ends with the bits of a run that nothing happened to. Without a
 * target: steps that were charged and lost would leave fewer to come. */
static void test_interruptions(Place *place, gconstpointer data)
{
    static const char untargeted[] = "privacy={epsilon: null, delta: 1e-3, noise_multiplier: 1, noise: {source: seeded}}";
    static const char steps[] = "train.steps=30";
    const char *const again[] = {untargeted, steps, "--resume", NULL};
    RUN(place, 0, "epsilon=none", untargeted, steps, "name=whole");
    RUN_WITH("DPCXR_FAULTY_LOSE_DEVICE_AFTER", "300", place, 1, "the Vulkan device was lost", untargeted, steps);
    guint lines = place_lines(place, "runs/t/private/ledger.jsonl");
    g_test_message("lost with %u lines in the ledger", lines);
    g_assert_cmpuint(lines, >, 3); /* in the middle: some steps were good, and some are left */
    g_assert_cmpuint(lines, <, 15);
    g_assert_cmpint(place_interrupt(place, SIGKILL, 4, again), ==, -SIGKILL);
    g_assert_cmpint(place_interrupt(place, SIGTERM, 4, again), ==, 75);
    RUN(place, 0, "resumed    after step ", untargeted, steps, "--resume");
    g_assert_cmpfloat(place_distance(place, "runs/t/private/model.safetensors", "runs/whole/private/model.safetensors"), ==, 0);
}

/* The message tells what to do. */
static void test_lost_says(Place *place, gconstpointer data)
{
    RUN_WITH("DPCXR_FAULTY_LOSE_DEVICE_AFTER", "200", place, 1, "--resume goes on from the last checkpoint", "train.steps=30");
    g_assert_false(place_has(place, "runs/t/DONE"));
    g_assert_false(place_has(place, "runs/t/release"));
}

/* --- Memory --- */

/* Too small for the batch that is asked for: the message has a batch, which then fits the same device. */
static void test_small_memory(Place *place, gconstpointer data)
{
    static const char *const much[] = {"--dry-run", "train.batch.physical=4096", NULL};
    g_autofree char *output = NULL;
    g_setenv("DPCXR_FAULTY_HEAP_MB", "40", TRUE);
    g_assert_cmpint(place_finish(place_start(place, much), &output), ==, 5);
    g_assert_nonnull(strstr(output, "not enough memory on "));
    int would = (int)number_after(output, "use train.batch.physical: ");
    g_assert_cmpint(would, >, 16);
    g_assert_cmpint(would, <, 4096);
    g_autofree char *fits = g_strdup_printf("train.batch.physical=%d", would);
    RUN(place, 0, "RESULT", "train.steps=1", fits);
    g_unsetenv("DPCXR_FAULTY_HEAP_MB");
}

/* Less than the device says. */
static void test_memory_surprise(Place *place, gconstpointer data)
{
    RUN_WITH("DPCXR_FAULTY_ALLOCATE_MB", "16", place, 5, "not enough memory on ", "--dry-run");
}

/* --- What is missing --- */

static void test_no_float64(Place *place, gconstpointer data)
{
    RUN_WITH("DPCXR_FAULTY_NO_FLOAT64", "1", place, 2, "grid needs 64-bit floats and integers", "--dry-run",
             "privacy.noise.type=grid");
    RUN_WITH("DPCXR_FAULTY_NO_FLOAT64", "1", place, 0, "device     vulkan", "--dry-run");
}

static void test_no_devices(Place *place, gconstpointer data)
{
    RUN_WITH("DPCXR_FAULTY_NO_DEVICES", "1", place, 2, "this machine has no Vulkan device", "--dry-run");
    RUN_WITH("DPCXR_FAULTY_NO_DEVICES", "1", place, 0, "device     cpu", "--dry-run", "device.type=auto");
}

static void test_no_driver(Place *place, gconstpointer data)
{
    static const char *const variables[] = {"VK_DRIVER_FILES", "VK_ICD_FILENAMES"};
    char *before[2];
    for (guint i = 0; i < 2; i++) {
        before[i] = g_strdup(g_getenv(variables[i]));
        g_setenv(variables[i], "/nonexistent", TRUE);
    }
    RUN(place, 2, "this machine has no Vulkan dr", "--dry-run");
    RUN(place, 0, "device     cpu", "--dry-run", "device.type=cpu");
    RUN(place, 0, "device     cpu", "--dry-run", "device.type=auto");
    for (guint i = 0; i < 2; i++) {
        if (before[i])
            g_setenv(variables[i], before[i], TRUE);
        else
            g_unsetenv(variables[i]);
        g_free(before[i]);
    }
}

/* A loader that cannot be loaded: an empty file is found first. */
static void test_no_loader(Place *place, gconstpointer data)
{
    static const char *const names[] = {"libvulkan.so.1", "libvulkan.so"};
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = place_path(place, names[i]);
        g_assert_true(g_file_set_contents(path, "", 0, NULL));
    }
    g_autofree char *before = g_strdup(g_getenv("LD_LIBRARY_PATH"));
    g_autofree char *with = before ? g_strdup_printf("%s:%s", place->dir, before) : g_strdup(place->dir);
    g_setenv("LD_LIBRARY_PATH", with, TRUE);
    RUN(place, 2, "this machine has no Vulkan loader", "--dry-run");
    RUN(place, 0, "device     cpu", "--dry-run", "device.type=cpu");
    RUN(place, 0, "device     cpu", "--dry-run", "device.type=auto");
    if (before)
        g_setenv("LD_LIBRARY_PATH", before, TRUE);
    else
        g_unsetenv("LD_LIBRARY_PATH");
}

static void test_no_device(void)
{
    g_test_skip("no Vulkan device");
}

static gboolean has_device(void)
{
    g_autoptr(GPtrArray) devices = dpcxr_vulkan_devices(NULL);
    return devices && dpcxr_vulkan_choose(devices, NULL, NULL) >= 0;
}

#define ADD(path, function) g_test_add("/vulkan-run/" path, Place, "vulkan", place_open, function, place_close)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (has_device()) {
        ADD("parity", test_parity);
        ADD("interruptions", test_interruptions);
        ADD("lost-says", test_lost_says);
        ADD("small-memory", test_small_memory);
        ADD("memory-surprise", test_memory_surprise);
        ADD("no-float64", test_no_float64);
        ADD("no-devices", test_no_devices);
        ADD("no-driver", test_no_driver);
        ADD("no-loader", test_no_loader);
    } else {
        g_test_add_func("/vulkan-run/none", test_no_device);
    }
    return g_test_run();
}
